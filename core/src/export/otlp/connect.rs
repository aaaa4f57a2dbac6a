//! Connections of an exporter to its receiver, with TLS or without.
//!
//! Both are one type: the client is generic over what connects it, and each kind of its own would be there twice, with
//! all that HTTP needs (`docs/decisions/native-size.md`).

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower_service::Service;

/// How long a connection is silent before the kernel asks whether the receiver is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long an unused connection is kept, less than most servers and gateways keep theirs.
const IDLE: Duration = Duration::from_secs(55);

/// A client that keeps its connection alive between requests.
#[derive(Debug)]
pub(super) struct Connections(Client<Connector, Full<Bytes>>);

impl Connections {
    /// `tls` decides whether `https` is spoken; `timeout` bounds connecting.
    pub(super) fn new(tls: Option<ClientConfig>, timeout: Duration) -> Self {
        let mut plain = HttpConnector::new();
        plain.set_nodelay(true);
        plain.set_connect_timeout(Some(timeout));
        // Otherwise a connection that a gateway forgot costs the next request its whole timeout.
        plain.set_keepalive(Some(KEEP_ALIVE));
        let connector = match tls {
            None => Connector::Plain(plain),
            Some(config) => {
                plain.enforce_http(false);
                let builder = HttpsConnectorBuilder::new().with_tls_config(config).https_only();
                Connector::Tls(builder.enable_http1().wrap_connector(plain))
            }
        };
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_idle_timeout(IDLE).pool_timer(TokioTimer::new());
        Self(builder.build(connector))
    }

    pub(super) fn request(&self, request: Request<Full<Bytes>>) -> ResponseFuture {
        self.0.request(request)
    }
}

/// Opens a connection.
#[derive(Debug, Clone)]
enum Connector {
    Plain(HttpConnector),
    Tls(HttpsConnector<HttpConnector>),
}

type Opened = Result<MaybeHttpsStream<TokioIo<TcpStream>>, Box<dyn Error + Send + Sync>>;

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Opened> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        match self {
            Self::Plain(plain) => plain.poll_ready(context).map_err(Into::into),
            Self::Tls(tls) => tls.poll_ready(context),
        }
    }

    fn call(&mut self, receiver: Uri) -> Self::Future {
        match self {
            Self::Plain(plain) => {
                let opening = plain.call(receiver);
                Box::pin(async move { Ok(MaybeHttpsStream::Http(opening.await?)) })
            }
            Self::Tls(tls) => tls.call(receiver),
        }
    }
}
