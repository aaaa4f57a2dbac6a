//! Options of the OTLP/HTTP exporter, of which any may be absent, and how they become those of its sink.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::Error;
use crate::export::otlp::{Compression, OtlpHttpOptions, RetryOptions};
use crate::semantics::Dialect;

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    Traces,
    Logs,
    Metrics,
}

impl Signal {
    /// The signal's path below a base URL (OpenTelemetry, "Endpoint URLs for OTLP/HTTP").
    const fn path(self) -> &'static str {
        match self {
            Self::Traces => "v1/traces",
            Self::Logs => "v1/logs",
            Self::Metrics => "v1/metrics",
        }
    }
}

/// Options of an OTLP/HTTP exporter; what is not set comes from the `OTEL_EXPORTER_OTLP_*` variables, and
/// then from the defaults.
#[derive(Clone, PartialEq, Default)]
pub struct OtlpOptions {
    pub(super) preset: Option<String>,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) logs_endpoint: Option<String>,
    pub(super) metrics_endpoint: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) timeout: Option<Duration>,
    pub(super) compression: Option<Compression>,
    pub(super) gzip_level: Option<u32>,
    pub(super) certificate: Option<PathBuf>,
    pub(super) client_key: Option<PathBuf>,
    pub(super) client_certificate: Option<PathBuf>,
    pub(super) retry: Option<RetryOptions>,
    pub(super) semantics: Option<Dialect>,
    pub(super) ignores_environment: bool,
}

/// What the URL stands for.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// A receiver of all signals, set by code.
    Base(String),
    /// A receiver of all signals, set by `OTEL_EXPORTER_OTLP_ENDPOINT`.
    EnvBase(String),
    /// The receiver of the signal at hand; of code, of traces.
    Exact(String),
}

impl Endpoint {
    /// The URL that a signal is sent to.
    fn url(&self, signal: Signal) -> String {
        match self {
            Self::Exact(url) => {
                let url = url.trim();
                let has_path = url.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?']));
                if has_path { url.to_owned() } else { format!("{url}/") }
            }
            // What someone copied from a manual names the signal already; the variable is taken literally,
            // as its specification has it.
            Self::Base(url) if url.trim().ends_with("/v1/traces") => {
                let base = url.trim().trim_end_matches(Signal::Traces.path());
                format!("{base}{}", signal.path())
            }
            Self::Base(url) | Self::EnvBase(url) => {
                let (base, query) = match url.trim().split_once('?') {
                    Some((base, query)) => (base, format!("?{query}")),
                    None => (url.trim(), String::new()),
                };
                let slash = if base.ends_with('/') { "" } else { "/" };
                format!("{base}{slash}{}{query}", signal.path())
            }
        }
    }
}

impl OtlpOptions {
    /// Nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Options of the receiver of a well-known product, by its name ([`preset_names`](super::preset_names)):
    /// URL and headers, from the product's own variables. What is set by code goes before it; the
    /// `OTEL_EXPORTER_OTLP_*` variables and the options of other exporters do not apply.
    #[must_use]
    pub fn preset(mut self, name: impl Into<String>) -> Self {
        self.preset = Some(name.into());
        self
    }

    /// The base URL of the receiver, `http://` or `https://`; `v1/traces` is added to it unless it ends so.
    /// Default: `http://localhost:4318`.
    #[must_use]
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(Endpoint::Base(url.into()));
        self
    }

    /// The full URL that traces are sent to, taken as it is; replaces [`OtlpOptions::endpoint`].
    #[must_use]
    pub fn traces_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(Endpoint::Exact(url.into()));
        self
    }

    /// The full URL that log records are sent to, taken as it is; replaces [`OtlpOptions::endpoint`] for them.
    #[must_use]
    pub fn logs_endpoint(mut self, url: impl Into<String>) -> Self {
        self.logs_endpoint = Some(url.into());
        self
    }

    /// The full URL that metrics are sent to, taken as it is; replaces [`OtlpOptions::endpoint`] for them.
    #[must_use]
    pub fn metrics_endpoint(mut self, url: impl Into<String>) -> Self {
        self.metrics_endpoint = Some(url.into());
        self
    }

    /// A header of every request, besides those of the environment; of a repeated name the last one counts.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// How long one request may take. Default: 10 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Compression of requests. Default: none.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = Some(compression);
        self
    }

    /// gzip level, 1 (fast) to 9 (small). Default: 1.
    #[must_use]
    pub fn gzip_level(mut self, level: u32) -> Self {
        self.gzip_level = Some(level);
        self
    }

    /// PEM file of the authorities to trust instead of the bundled ones.
    #[must_use]
    pub fn certificate(mut self, path: impl Into<PathBuf>) -> Self {
        self.certificate = Some(path.into());
        self
    }

    /// PEM files of the client's private key and certificate chain.
    #[must_use]
    pub fn client_certificate(mut self, key: impl Into<PathBuf>, chain: impl Into<PathBuf>) -> Self {
        self.client_key = Some(key.into());
        self.client_certificate = Some(chain.into());
        self
    }

    /// When failed requests are repeated.
    #[must_use]
    pub fn retry(mut self, retry: RetryOptions) -> Self {
        self.retry = Some(retry);
        self
    }

    /// Whose names attributes have. Default: the GenAI conventions'.
    #[must_use]
    pub fn semantics(mut self, dialect: Dialect) -> Self {
        self.semantics = Some(dialect);
        self
    }

    /// Takes nothing from the environment: for a second receiver, which must not get the first one's
    /// headers and keys.
    #[must_use]
    pub fn ignore_environment(mut self) -> Self {
        self.ignores_environment = true;
        self
    }

    /// Fills what is absent from `other`; headers are merged by name.
    pub(super) fn or(self, other: Self) -> Self {
        let mut headers = other.headers;
        for (name, value) in self.headers {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
            headers.push((name, value));
        }
        Self {
            preset: self.preset.or(other.preset),
            endpoint: self.endpoint.or(other.endpoint),
            logs_endpoint: self.logs_endpoint.or(other.logs_endpoint),
            metrics_endpoint: self.metrics_endpoint.or(other.metrics_endpoint),
            headers,
            timeout: self.timeout.or(other.timeout),
            compression: self.compression.or(other.compression),
            gzip_level: self.gzip_level.or(other.gzip_level),
            certificate: self.certificate.or(other.certificate),
            client_key: self.client_key.or(other.client_key),
            client_certificate: self.client_certificate.or(other.client_certificate),
            retry: self.retry.or(other.retry),
            semantics: self.semantics.or(other.semantics),
            ignores_environment: self.ignores_environment || other.ignores_environment,
        }
    }

    /// Those of the exporter's log records or metrics: none of its endpoint, if that is one of traces alone.
    pub(super) fn of(mut self, signal: Signal) -> Self {
        let own = match signal {
            Signal::Traces => return self,
            Signal::Logs => self.logs_endpoint.clone(),
            Signal::Metrics => self.metrics_endpoint.clone(),
        };
        let base = self.endpoint.filter(|endpoint| !matches!(endpoint, Endpoint::Exact(_)));
        self.endpoint = own.map(Endpoint::Exact).or(base);
        self
    }

    /// What the sink needs, checked as far as possible without touching files or the network.
    pub(super) fn resolve(self, language: &str, signal: Signal) -> Result<OtlpHttpOptions, Error> {
        let default = OtlpHttpOptions::default();
        for (signal, url) in [("logs", &self.logs_endpoint), ("metrics", &self.metrics_endpoint)] {
            if let Some(text) = url {
                let named = |error: Error| Error::new(error.code(), format!("{signal}_{}", error.message()));
                check_url(text).map_err(named)?;
            }
        }
        if let Some(Endpoint::Base(text) | Endpoint::Exact(text)) = &self.endpoint {
            check_url(text)?;
        }
        let preset = self.preset.as_deref().and_then(super::presets::find);
        let resolved = OtlpHttpOptions {
            name: preset.map_or(default.name, |preset| preset.name().to_owned()),
            endpoint: self.endpoint.unwrap_or(Endpoint::EnvBase(DEFAULT_BASE.to_owned())).url(signal),
            headers: self.headers,
            timeout: self.timeout.unwrap_or(default.timeout),
            compression: self.compression.unwrap_or(default.compression),
            gzip_level: self.gzip_level.unwrap_or(default.gzip_level),
            certificate: self.certificate,
            client_key: self.client_key,
            client_certificate: self.client_certificate,
            user_agent: OtlpHttpOptions::user_agent_of(&exporter_language(language)),
            retry: self.retry.unwrap_or(default.retry),
            semantics: self.semantics.unwrap_or(default.semantics),
        };
        resolved.check()?;
        Ok(resolved)
    }
}

/// Where an OTLP receiver is if nothing else is said.
const DEFAULT_BASE: &str = "http://localhost:4318";

/// Whether a text is a URL that spans can be sent to; the error names the option `endpoint`.
pub(super) fn check_url(text: &str) -> Result<(), Error> {
    OtlpHttpOptions { endpoint: text.to_owned(), ..OtlpHttpOptions::default() }.check()
}

/// The language as exporters spell it in `User-Agent`, from `telemetry.sdk.language`.
fn exporter_language(language: &str) -> String {
    match language {
        "nodejs" | "webjs" => "JavaScript".to_owned(),
        other => {
            let mut letters = other.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        }
    }
}

/// Leaves out the values of headers, which may be secret, and URLs, which may hold credentials.
impl fmt::Debug for OtlpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("OtlpOptions")
            .field("preset", &self.preset)
            .field("endpoint_set", &self.endpoint.is_some())
            .field("logs_endpoint_set", &self.logs_endpoint.is_some())
            .field("metrics_endpoint_set", &self.metrics_endpoint.is_some())
            .field("headers", &names)
            .field("timeout", &self.timeout)
            .field("compression", &self.compression)
            .field("gzip_level", &self.gzip_level)
            .field("certificate", &self.certificate)
            .field("client_key", &self.client_key)
            .field("client_certificate", &self.client_certificate)
            .field("retry", &self.retry)
            .field("semantics", &self.semantics)
            .field("ignores_environment", &self.ignores_environment)
            .finish()
    }
}
