//! The server: one thread with its own reactor, a task for each connection.

use std::convert::Infallible;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::log::{Log, Received, decode, decode_logs, decode_metrics, uncompress};
use crate::script::{Reply, RetryAfter, Script, Step, TlsMode};
use crate::tls::Certificates;

/// A running receiver; it stops, and closes its connections, when dropped.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    certificates: Option<Certificates>,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    log: Log,
    script: Mutex<Script>,
    next_step: AtomicUsize,
    connections: AtomicU64,
}

type Body = Full<Bytes>;

impl Receiver {
    /// Listens on 127.0.0.1 and follows `script` from the first request on.
    pub fn start(script: Script) -> Self {
        let certificates = (script.tls != TlsMode::Off).then(Certificates::generate);
        let tls = certificates.as_ref().map(|made| made.server_config(script.tls == TlsMode::Mutual));
        let listener = listen(&script);
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            log: Log::default(),
            script: Mutex::new(script),
            next_step: AtomicUsize::new(0),
            connections: AtomicU64::new(0),
        });
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = mpsc::channel();
        let inside = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                ready.send(()).unwrap();
                tokio::select! {
                    () = accept(listener, tls, inside) => {}
                    _ = stopped => {}
                }
            });
        });
        is_ready.recv().unwrap();
        Self { address, certificates, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// The URL to which traces are sent.
    pub fn endpoint(&self) -> String {
        let scheme = if self.certificates.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/v1/traces", self.address)
    }

    /// The URL below which every signal has its path.
    pub fn base(&self) -> String {
        self.endpoint().trim_end_matches("/v1/traces").to_owned()
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The certificates in use, with TLS.
    pub fn certificates(&self) -> Option<&Certificates> {
        self.certificates.as_ref()
    }

    /// What has arrived.
    pub fn log(&self) -> &Log {
        &self.shared.log
    }

    /// Adds steps behind those that are there.
    pub fn push_steps(&self, steps: impl IntoIterator<Item = Step>) {
        self.shared.script.lock().unwrap().steps.extend(steps);
    }

    /// Changes what happens once the steps are used up.
    pub fn set_then(&self, step: Step) {
        self.shared.script.lock().unwrap().then = step;
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A panic of the receiver has been printed by its thread already.
            let _ = thread.join();
        }
    }
}

fn listen(script: &Script) -> std::net::TcpListener {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    if reads_slowly(script) {
        // Otherwise the kernel swallows what the test wants to see refused.
        socket.set_recv_buffer_size(4096).unwrap();
    }
    let address: SocketAddr = ([127, 0, 0, 1], script.port).into();
    socket.bind(&address.into()).unwrap();
    socket.listen(1024).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket.into()
}

fn reads_slowly(script: &Script) -> bool {
    script.steps.iter().chain([&script.then]).any(|step| matches!(step, Step::SlowRead { .. }))
}

async fn accept(listener: TcpListener, tls: Option<rustls::ServerConfig>, shared: Arc<Shared>) {
    let tls = tls.map(|config| tokio_rustls::TlsAcceptor::from(Arc::new(config)));
    let slowly = reads_slowly(&shared.script.lock().unwrap());
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        stream.set_nodelay(true).unwrap();
        let raw: Arc<Socket> = Arc::new(SockRef::from(&stream).try_clone().unwrap());
        let number = shared.connections.fetch_add(1, Ordering::Relaxed);
        let shared = Arc::clone(&shared);
        let tls = tls.clone();
        let mut http = hyper::server::conn::http1::Builder::new();
        if slowly {
            http.max_buf_size(8192);
        }
        tokio::spawn(async move {
            let service = hyper::service::service_fn(|request| {
                serve(request, number, Arc::clone(&raw), Arc::clone(&shared))
            });
            // An error is a fault the script asked for, or a client that went away: the log tells.
            match tls {
                None => drop(http.serve_connection(TokioIo::new(stream), service).await),
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        let _ = http.serve_connection(TokioIo::new(stream), service).await;
                    }
                }
            }
        });
    }
}

async fn serve(
    request: Request<Incoming>,
    connection: u64,
    raw: Arc<Socket>,
    shared: Arc<Shared>,
) -> Result<Response<Body>, io::Error> {
    let step = {
        // A request that its announced size alone condemns uses up no step, so this is only a look.
        let script = shared.script.lock().unwrap();
        script.steps.get(shared.next_step.load(Ordering::Relaxed)).unwrap_or(&script.then).clone()
    };
    let (head, mut body) = request.into_parts();
    if step == Step::ResetMidway {
        shared.next_step.fetch_add(1, Ordering::Relaxed);
        let _ = body.frame().await;
        return Err(reset(&raw));
    }
    let wire = read(&mut body, &step).await?;
    let encoding = head.headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?"));
    let plain = uncompress(&wire, encoding);
    let too_large = {
        let most = shared.script.lock().unwrap().max_body_bytes;
        plain.as_ref().is_ok_and(|plain| most.is_some_and(|most| plain.len() > most))
    };
    let (mut logs, mut metrics) = (None, None);
    let decoded = plain.as_ref().map_err(String::clone).and_then(|plain| {
        if head.uri.path().ends_with("/v1/logs") {
            logs = Some(decode_logs(plain)?);
            return Ok(ExportTraceServiceRequest::default());
        }
        if head.uri.path().ends_with("/v1/metrics") {
            metrics = Some(decode_metrics(plain)?);
            return Ok(ExportTraceServiceRequest::default());
        }
        decode(plain)
    });
    let mut received = Received {
        at: Instant::now(),
        connection,
        step: (!too_large).then(|| step.clone()),
        target: format!("{} {}", head.method, head.uri),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect(),
        wire_bytes: wire.len(),
        body_bytes: plain.map_or(0, |plain| plain.len()),
        request: decoded,
        logs,
        metrics,
        accepted: 0,
    };
    if too_large {
        shared.log.push(received);
        return reply(&Reply { status: 413, message: "too large".to_owned(), ..Reply::default() });
    }
    shared.next_step.fetch_add(1, Ordering::Relaxed);
    let Ok(_) = &received.request else {
        shared.log.push(received);
        return reply(&Reply { status: 400, message: "cannot be decoded".to_owned(), ..Reply::default() });
    };
    if step.accepts() {
        let refused = match step {
            Step::Partial { rejected, .. } => usize::try_from(rejected).unwrap_or(0),
            _ => 0,
        };
        let records = received.spans().len() + received.log_records().len();
        received.accepted = records.saturating_sub(refused);
    }
    shared.log.push(received);
    answer(step, &raw).await
}

async fn read(body: &mut Incoming, step: &Step) -> Result<Vec<u8>, io::Error> {
    let mut wire = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(io::Error::other)?.into_data() else { continue };
        if let Step::SlowRead { bytes, millis } = *step {
            for _ in data.chunks(bytes.max(1)) {
                tokio::time::sleep(Duration::from_millis(millis)).await;
            }
        }
        wire.extend_from_slice(&data);
    }
    Ok(wire)
}

async fn answer(step: Step, raw: &Socket) -> Result<Response<Body>, io::Error> {
    match step {
        Step::Ok | Step::SlowRead { .. } => success(ExportTraceServiceResponse::default().encode_to_vec()),
        Step::Delay(millis) => {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            success(ExportTraceServiceResponse::default().encode_to_vec())
        }
        Step::Partial { rejected, message } => {
            let partial = ExportTracePartialSuccess { rejected_spans: rejected, error_message: message };
            success(ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec())
        }
        Step::Huge(bytes) => {
            let partial = ExportTracePartialSuccess { rejected_spans: 0, error_message: "x".repeat(bytes) };
            success(ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec())
        }
        Step::Garbage => success(b"<html>this is a login page</html>".to_vec()),
        Step::Reply(wanted) => reply(&wanted),
        Step::ResetMidway | Step::Swallow => Err(reset(raw)),
        Step::Hang => std::future::pending().await,
        Step::NotHttp => Err(write_raw(raw, b"\x00\x00\x12\x04 no HTTP here")),
        Step::CutReply => {
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 99\r\n\r\n";
            Err(write_raw(raw, &[head.as_bytes(), &[0x0a]].concat()))
        }
    }
}

fn success(body: Vec<u8>) -> Result<Response<Body>, io::Error> {
    let reply = Response::builder().header(CONTENT_TYPE, "application/x-protobuf");
    reply.body(Full::from(body)).map_err(io::Error::other)
}

fn reply(wanted: &Reply) -> Result<Response<Body>, io::Error> {
    let mut reply = Response::builder().status(wanted.status).header(CONTENT_TYPE, "application/x-protobuf");
    if let Some(retry_after) = &wanted.retry_after {
        let value = match retry_after {
            RetryAfter::Seconds(seconds) => seconds.to_string(),
            RetryAfter::DateIn(seconds) => {
                httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(*seconds))
            }
            RetryAfter::Text(text) => text.clone(),
        };
        reply = reply.header(RETRY_AFTER, value);
    }
    if let Some(location) = &wanted.location {
        reply = reply.header(LOCATION, location);
    }
    // google.rpc.Status: field 2 is the message.
    let length = u8::try_from(wanted.message.len()).map_err(io::Error::other)?;
    let status = [&[0x12, length][..], wanted.message.as_bytes()].concat();
    reply.body(Full::from(status)).map_err(io::Error::other)
}

/// Makes the close of the connection, which the returned error brings about, a reset.
fn reset(raw: &Socket) -> io::Error {
    match raw.set_linger(Some(Duration::ZERO)) {
        Ok(()) => io::Error::other("reset, as the script says"),
        Err(error) => error,
    }
}

/// Writes past HTTP; the returned error closes the connection.
fn write_raw(mut raw: &Socket, bytes: &[u8]) -> io::Error {
    match raw.write_all(bytes) {
        Ok(()) => io::Error::other("closed, as the script says"),
        Err(error) => error,
    }
}
