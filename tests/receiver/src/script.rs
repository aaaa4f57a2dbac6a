//! What the receiver does to each request, as tests write it in Rust or JSON.

use serde::{Deserialize, Serialize};

/// The behaviour of a receiver; request number `n` meets step `n`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// One step for each request, in order of arrival.
    pub steps: Vec<Step>,
    /// What happens once the steps are used up; [`Step::Ok`] by default.
    pub then: Step,
    /// Requests whose body is larger, uncompressed, are answered with 413 and use up no step.
    pub max_body_bytes: Option<usize>,
    /// The port to listen on; 0, the default, for a free one.
    pub port: u16,
    /// Whether TLS is spoken.
    pub tls: TlsMode,
}

/// Whether the receiver speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsMode {
    /// Plain HTTP.
    #[default]
    Off,
    /// TLS with a certificate of a private authority for `localhost` and 127.0.0.1.
    Server,
    /// The same, and the client must show a certificate of that authority.
    Mutual,
}

/// What happens to one request.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Accept it.
    #[default]
    Ok,
    /// Refuse the first `rejected` of its spans and accept the others.
    Partial {
        /// The number the reply states, negative and absurd ones included.
        rejected: i64,
        /// The explanation.
        #[serde(default)]
        message: String,
    },
    /// Answer with a status and accept nothing.
    Reply(Reply),
    /// Read the beginning of the body, then reset the connection.
    ResetMidway,
    /// Accept it, then reset the connection without an answer.
    Swallow,
    /// Read it, accept nothing and never answer.
    Hang,
    /// Accept it, and answer after so many milliseconds.
    Delay(u64),
    /// Accept it after reading `bytes` at a time, with a pause of `millis` after each.
    SlowRead {
        /// How much is taken at once.
        bytes: usize,
        /// The pause.
        millis: u64,
    },
    /// Accept it, and answer 200 with something that is no protobuf.
    Garbage,
    /// Accept nothing, and answer with bytes that are no HTTP.
    NotHttp,
    /// Accept it, and answer 200 with a well-formed reply of so many bytes.
    Huge(usize),
    /// Accept it, and reset the connection in the middle of a reply that says 200.
    CutReply,
}

/// A reply other than success.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The header `Retry-After`.
    #[serde(default)]
    pub retry_after: Option<RetryAfter>,
    /// The header `Location`.
    #[serde(default)]
    pub location: Option<String>,
    /// The message of the `Status` in the body.
    #[serde(default)]
    pub message: String,
}

/// The two forms of `Retry-After`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// So many seconds.
    Seconds(u64),
    /// The date so many seconds after the reply.
    DateIn(u64),
    /// The text as it stands.
    Text(String),
}

impl Script {
    /// A script that meets the first requests with `steps` and accepts what follows.
    pub fn steps(steps: impl Into<Vec<Step>>) -> Self {
        Self { steps: steps.into(), ..Self::default() }
    }

    /// A script that does the same to every request.
    pub fn always(step: Step) -> Self {
        Self { then: step, ..Self::default() }
    }
}

impl Step {
    /// A reply with this status and nothing more.
    pub fn status(status: u16) -> Self {
        Self::Reply(Reply { status, ..Reply::default() })
    }

    /// A reply with this status and `Retry-After`.
    pub fn retry_after(status: u16, retry_after: RetryAfter) -> Self {
        Self::Reply(Reply { status, retry_after: Some(retry_after), ..Reply::default() })
    }

    /// Whether the receiver keeps the spans of the request.
    pub(crate) fn accepts(&self) -> bool {
        match self {
            Self::Reply(reply) => (200..300).contains(&reply.status),
            Self::ResetMidway | Self::Hang | Self::NotHttp => false,
            Self::Ok
            | Self::Partial { .. }
            | Self::Swallow
            | Self::Delay(_)
            | Self::SlowRead { .. }
            | Self::Garbage
            | Self::Huge(_)
            | Self::CutReply => true,
        }
    }
}
