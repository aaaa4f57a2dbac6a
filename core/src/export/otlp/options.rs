//! The options of the OTLP/HTTP exporter and what is refused before anything is sent.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, uri};

use super::retry::RetryOptions;
use crate::error::Error;
use crate::semantics::Dialect;

/// How request bodies are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all; the default.
    #[default]
    None,
    /// gzip (RFC 1952).
    Gzip,
}

/// Options of an [`OtlpHttpSink`](super::OtlpHttpSink).
#[derive(Clone, PartialEq)]
pub struct OtlpHttpOptions {
    /// What the exporter is called in [`Stats`](crate::Stats) and messages. Default: `otlp_http`; of a preset, its name.
    pub name: String,
    /// The full URL of the signal. Default: `http://localhost:4318/v1/traces`.
    pub endpoint: String,
    /// Headers of every request; of a repeated name the last one counts. They cannot replace
    /// `Content-Type`, `Content-Encoding` and `User-Agent`. Default: none.
    pub headers: Vec<(String, String)>,
    /// How long one request may take, from connecting to the end of the reply. Default: 10 s.
    pub timeout: Duration,
    /// Compression of the body. Default: none.
    pub compression: Compression,
    /// gzip level, 1 (fast) to 9 (small). Default: 1, which takes a tenth of the time of the usual level 6 of miniz
    /// for 2 % more bytes.
    pub gzip_level: u32,
    /// PEM file of the authorities to trust instead of the bundled ones. Default: none.
    pub certificate: Option<PathBuf>,
    /// PEM file with the private key of `client_certificate`. Default: none.
    pub client_key: Option<PathBuf>,
    /// PEM file with the certificate chain to present to the receiver. Default: none.
    pub client_certificate: Option<PathBuf>,
    /// The `User-Agent` header. Default: that of Rust, see [`OtlpHttpOptions::user_agent_of`].
    pub user_agent: String,
    /// When failed requests are repeated.
    pub retry: RetryOptions,
    /// Whose names the encoder in front of the sink uses. Default: the GenAI conventions'.
    pub semantics: Dialect,
}

impl OtlpHttpOptions {
    /// The `User-Agent` for spans recorded in `language`: the distribution, then the exporter as the
    /// OpenTelemetry specification writes it ("OpenTelemetry Protocol Exporter", "User Agent").
    pub fn user_agent_of(language: &str) -> String {
        const VERSION: &str = env!("CARGO_PKG_VERSION");
        format!("polyspan/{VERSION} OTel-OTLP-Exporter-{language}/{VERSION}")
    }

    /// Refuses what no request could work with, as far as it shows without files and network.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.uri()?;
        self.header_map()?;
        self.check_numbers()
    }

    /// The target of every request.
    pub(super) fn uri(&self) -> Result<Uri, Error> {
        const EXPECTED: &str = "a URL such as http://localhost:4318/v1/traces";
        let refused = |expected: &str| Error::invalid_option("endpoint", &self.endpoint, expected);
        let mut parts = self.endpoint.trim().parse::<Uri>().map_err(|_| refused(EXPECTED))?.into_parts();
        match parts.scheme.as_ref().map(uri::Scheme::as_str) {
            Some("http" | "https") => {}
            _ => return Err(refused("a URL that begins with http:// or https://")),
        }
        let authority = parts.authority.as_ref().ok_or_else(|| refused(EXPECTED))?;
        if authority.as_str().contains('@') {
            // The message must not repeat the credentials.
            let shown = format!("{}://…@…", parts.scheme.as_ref().map_or("", |scheme| scheme.as_str()));
            let expected = "a URL without credentials; send them as an Authorization header (option headers)";
            return Err(Error::invalid_option("endpoint", &shown, expected));
        }
        let has_port = authority.as_str() != authority.host();
        if authority.host().is_empty() || (has_port && authority.port_u16().is_none()) {
            return Err(refused(EXPECTED));
        }
        parts.path_and_query.get_or_insert(uri::PathAndQuery::from_static("/"));
        Uri::from_parts(parts).map_err(|_| refused(EXPECTED))
    }

    /// The headers of every request, but for `Content-Encoding`, which depends on the body.
    pub(super) fn header_map(&self) -> Result<HeaderMap, Error> {
        let mut map = HeaderMap::new();
        for (name, value) in &self.headers {
            // Values may be secrets and stay out of messages.
            let name: HeaderName = name
                .trim()
                .parse()
                .map_err(|_| Error::invalid_option("headers", name, "names that HTTP allows"))?;
            if [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(&name) {
                let expected = "no headers that belong to the connection";
                return Err(Error::invalid_option("headers", name.as_str(), expected));
            }
            let mut value = HeaderValue::from_str(value.trim()).map_err(|_| {
                let expected = "values of printable characters (the value of this header is not)";
                Error::invalid_option("headers", name.as_str(), expected)
            })?;
            value.set_sensitive(true);
            map.insert(name, value);
        }
        let user_agent = HeaderValue::from_str(&self.user_agent)
            .map_err(|_| Error::invalid_option("user_agent", &self.user_agent, "printable characters"))?;
        map.insert(USER_AGENT, user_agent);
        map.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        map.remove(CONTENT_ENCODING);
        Ok(map)
    }

    /// Refuses numbers that no request could work with.
    pub(super) fn check_numbers(&self) -> Result<(), Error> {
        if self.timeout.is_zero() {
            return Err(Error::invalid_option("timeout", "0", "more than zero"));
        }
        if !(1..=9).contains(&self.gzip_level) {
            return Err(Error::invalid_option("gzip_level", &self.gzip_level.to_string(), "1 to 9"));
        }
        Ok(())
    }
}

impl Default for OtlpHttpOptions {
    fn default() -> Self {
        Self {
            name: "otlp_http".to_owned(),
            endpoint: "http://localhost:4318/v1/traces".to_owned(),
            headers: Vec::new(),
            timeout: Duration::from_secs(10),
            compression: Compression::None,
            gzip_level: 1,
            certificate: None,
            client_key: None,
            client_certificate: None,
            user_agent: Self::user_agent_of("Rust"),
            retry: RetryOptions::default(),
            semantics: Dialect::default(),
        }
    }
}

/// Leaves out what may be secret: the values of headers and anything in the URL but its beginning.
impl fmt::Debug for OtlpHttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("OtlpHttpOptions")
            .field("name", &self.name)
            .field("endpoint", &self.uri().map(|uri| display_uri(&uri)))
            .field("headers", &names)
            .field("timeout", &self.timeout)
            .field("compression", &self.compression)
            .field("gzip_level", &self.gzip_level)
            .field("certificate", &self.certificate)
            .field("client_key", &self.client_key)
            .field("client_certificate", &self.client_certificate)
            .field("user_agent", &self.user_agent)
            .field("retry", &self.retry)
            .field("semantics", &self.semantics)
            .finish()
    }
}

/// The URL for messages, without its query, in which keys are sometimes sent.
pub(super) fn display_uri(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or_default();
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    format!("{scheme}://{authority}{}", uri.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> OtlpHttpOptions {
        OtlpHttpOptions { endpoint: text.to_owned(), ..Default::default() }
    }

    #[test]
    fn endpoints_are_full_urls() {
        let uri = |text: &str| endpoint(text).uri().map(|uri| uri.to_string());
        assert_eq!(uri("http://localhost:4318").as_deref(), Ok("http://localhost:4318/"));
        assert_eq!(uri(" https://[::1]:1/x?key=v ").as_deref(), Ok("https://[::1]:1/x?key=v"));
        for bad in [
            "",
            "localhost:4318",
            "/v1/traces",
            "grpc://h:1",
            "http://",
            "http://h:99999",
            "http://a b",
            "http://:1",
        ] {
            let error = uri(bad).expect_err(bad);
            assert!(error.message().starts_with("endpoint: "), "{bad}: {error}");
        }
    }

    #[test]
    fn credentials_in_the_url_are_refused_and_not_repeated() {
        let error = endpoint("https://me:s3cret@host/").uri().unwrap_err();
        assert!(error.message().contains("headers") && !error.message().contains("s3cret"));
    }

    #[test]
    fn the_protocol_headers_cannot_be_replaced() {
        let headers =
            [("content-type", "text/plain"), ("X-Key", "a"), ("x-key", " b "), ("user-agent", "me")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let map = OtlpHttpOptions { headers, ..Default::default() }.header_map().unwrap();
        assert_eq!(map["content-type"], "application/x-protobuf");
        assert_eq!(map["x-key"], "b");
        let user_agent = map["user-agent"].to_str().unwrap();
        assert!(user_agent.starts_with("polyspan/") && user_agent.contains(" OTel-OTLP-Exporter-Rust/"));
    }

    #[test]
    fn bad_headers_are_named_without_their_value() {
        let with = |name: &str, value: &str| {
            let headers = vec![(name.to_owned(), value.to_owned())];
            OtlpHttpOptions { headers, ..Default::default() }.header_map().unwrap_err()
        };
        assert!(with("bad name", "x").message().contains("bad name"));
        let error = with("authorization", "s3cret\nx");
        assert!(error.message().contains("authorization") && !error.message().contains("s3cret"));
        assert!(with("Content-Length", "1").message().contains("content-length"));
    }

    #[test]
    fn secrets_stay_out_of_debug_output() {
        let mut options = endpoint("https://host/path?api_key=s3cret");
        options.headers = vec![("authorization".to_owned(), "s3cret".to_owned())];
        let shown = format!("{options:?}");
        assert!(shown.contains("https://host/path") && shown.contains("authorization"));
        assert!(!shown.contains("s3cret"));
    }
}
