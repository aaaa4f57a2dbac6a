//! What a receiver's reply says: `ExportTraceServiceResponse` on success, `google.rpc.Status` on failure.
//!
//! Replies are strangers' bytes. One that cannot be read changes nothing but the message: the status code
//! alone decides whether spans were accepted (OTLP 1.x, "OTLP/HTTP Response").

use super::wire::{Fields, Payload, submessages};

/// Longest explanation of a receiver that is passed on, in characters.
const MESSAGE_CHARS: usize = 500;
/// How much of a reply that is no explanation is quoted.
const QUOTED_CHARS: usize = 80;

/// What a successful reply says about the spans of its request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accepted {
    /// Spans the receiver refused, at most the number sent.
    pub rejected: u32,
    /// Why it refused them, or its warning, or that the reply could not be read.
    pub message: Option<String>,
}

/// Reads the body of a successful reply to a request with `spans` spans.
pub fn read_accepted(body: &[u8], spans: u32) -> Accepted {
    // Some receivers answer every request with JSON's empty message.
    if body.trim_ascii() == b"{}" {
        return Accepted::default();
    }
    read_partial_success(body, spans).unwrap_or_else(|| Accepted {
        rejected: 0,
        message: Some(format!(
            "the reply says success but is not an OTLP message, is this an OTLP endpoint? It begins {:?}",
            preview(body, QUOTED_CHARS)
        )),
    })
}

fn read_partial_success(body: &[u8], spans: u32) -> Option<Accepted> {
    let mut accepted = Accepted::default();
    for field in Fields(body) {
        let field = field?;
        let (1, Some(partial_success)) = (field.number, field.content()) else { continue };
        for field in Fields(partial_success) {
            let field = field?;
            match (field.number, field.payload) {
                (1, Payload::Varint(rejected)) => {
                    // The count is an int64; a negative one is as meaningless as one beyond the request.
                    let rejected = u64::try_from(rejected as i64).ok()?;
                    accepted.rejected = u32::try_from(rejected).unwrap_or(u32::MAX).min(spans);
                }
                (2, Payload::Bytes(message)) if !message.is_empty() => {
                    accepted.message = Some(preview(message, MESSAGE_CHARS))
                }
                _ => {}
            }
        }
    }
    if accepted.rejected > 0 && accepted.message.is_none() {
        accepted.message = Some("the receiver gave no reason".to_owned());
    }
    Some(accepted)
}

/// The explanation in the body of a failed reply: the message of a `Status`, or the text itself.
pub fn read_failure(body: &[u8]) -> Option<String> {
    let well_formed = Fields(body).all(|field| field.is_some());
    let text = match submessages(body, 2).next() {
        Some(Some(message)) if well_formed => preview(message, MESSAGE_CHARS),
        _ => preview(body, MESSAGE_CHARS),
    };
    (!text.is_empty()).then_some(text)
}

/// The first `most` characters of foreign text, safe for a log line.
fn preview(bytes: &[u8], most: usize) -> String {
    let text = String::from_utf8_lossy(bytes.get(..most * 4).unwrap_or(bytes));
    let clean = |c: char| if c.is_control() || c == char::REPLACEMENT_CHARACTER { ' ' } else { c };
    let mut out: String = text.trim().chars().take(most).map(clean).collect();
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_success_is_read() {
        let reply = [&[0x0a, 9, 0x08, 3, 0x12, 5][..], b"quota"].concat();
        let partial = Accepted { rejected: 3, message: Some("quota".to_owned()) };
        assert_eq!(read_accepted(&reply, 8), partial);
        assert_eq!(read_accepted(&reply, 2).rejected, 2, "never more than were sent");
    }

    #[test]
    fn a_warning_rejects_nothing() {
        let reply = [&[0x0a, 5, 0x12, 3][..], b"old"].concat();
        assert_eq!(read_accepted(&reply, 8), Accepted { rejected: 0, message: Some("old".to_owned()) });
    }

    #[test]
    fn full_success_is_silent() {
        for reply in [&b""[..], b"\x0a\x00", b"{}", b" {}\n"] {
            assert_eq!(read_accepted(reply, 8), Accepted::default());
        }
    }

    #[test]
    fn garbage_is_success_with_a_warning() {
        for reply in [
            &b"<html>login</html>"[..],
            &[0x0a, 200],
            &[0x0a, 11, 0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
        ] {
            let accepted = read_accepted(reply, 8);
            assert_eq!(accepted.rejected, 0);
            assert!(accepted.message.unwrap().contains("not an OTLP message"));
        }
    }

    #[test]
    fn a_failure_is_explained_by_status_or_text() {
        let status = [&[0x08, 3, 0x12, 8][..], b"bad\x1bdata"].concat();
        assert_eq!(read_failure(&status).as_deref(), Some("bad data"));
        assert_eq!(read_failure(b"upstream gone\r\n").as_deref(), Some("upstream gone"));
        assert_eq!(read_failure(b""), None);
        assert_eq!(read_failure("é".repeat(5000).as_bytes()).map(|text| text.chars().count()), Some(500));
    }

    proptest::proptest! {
        #[test]
        fn any_reply_is_bounded(body: Vec<u8>, spans: u32) {
            let accepted = read_accepted(&body, spans);
            proptest::prop_assert!(accepted.rejected <= spans);
            let _ = read_failure(&body);
        }
    }
}
