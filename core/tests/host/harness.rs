//! A host in Rust: threads that pull jobs and do what a test says.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use polyspan::config::{ExporterOptions, HostExporter};
use polyspan::export::Outcome;
use polyspan::host::{HostHandler, HostJob, HostPort, HostTask, Next};
use polyspan::{Engine, Options};

pub const LONG: Duration = Duration::from_secs(60);
pub const SOON: Duration = Duration::from_millis(300);

/// What a test's host does with a job; the token of its handler.
pub type Work = Box<dyn Fn(HostJob) + Send + Sync>;

pub fn serve(port: &HostPort) {
    let Some(mut worker) = port.enter() else { return };
    loop {
        match worker.next(None) {
            Next::Job(job) => {
                let handler = job.handler().clone();
                handler.token().downcast_ref::<Work>().unwrap()(job);
            }
            Next::Nothing => {}
            Next::Leave => return,
        }
    }
}

/// A port whose calls each send a worker; the count says how often it called.
pub fn port() -> (HostPort, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let own: Arc<Mutex<Option<HostPort>>> = Arc::default();
    let port = HostPort::new({
        let (calls, own) = (Arc::clone(&calls), Arc::clone(&own));
        move || {
            calls.fetch_add(1, Ordering::SeqCst);
            let port = own.lock().unwrap().clone().unwrap();
            std::thread::spawn(move || serve(&port));
        }
    });
    *own.lock().unwrap() = Some(port.clone());
    (port, calls)
}

pub fn exporter(
    port: &HostPort,
    name: &str,
    work: impl Fn(HostJob) + Send + Sync + 'static,
) -> ExporterOptions {
    ExporterOptions::Host(HostExporter::new(name, handler(port, work)).at_once(true))
}

pub fn handler(port: &HostPort, work: impl Fn(HostJob) + Send + Sync + 'static) -> HostHandler {
    static IDENTITY: AtomicUsize = AtomicUsize::new(0);
    let work: Work = Box::new(work);
    HostHandler::new(port, &[IDENTITY.fetch_add(1, Ordering::Relaxed)], work)
}

/// Options of an engine of the test's own.
pub fn options() -> Options {
    static NAMES: AtomicUsize = AtomicUsize::new(0);
    let options = Options::new("service").name(format!("host {}", NAMES.fetch_add(1, Ordering::Relaxed)));
    options.schedule_delay(Duration::from_millis(5)).max_batch_spans(8)
}

pub fn started(exporters: impl IntoIterator<Item = ExporterOptions>) -> Engine {
    polyspan::init(exporters.into_iter().fold(options(), Options::exporter)).unwrap()
}

/// Runs `work` while another thread checks both equations over and over.
pub fn watched<T>(engine: &Engine, work: impl FnOnce() -> T) -> T {
    /// Ends the watching however the work ends.
    struct Done<'a>(&'a AtomicBool);
    impl Drop for Done<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Release);
        }
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                let stats = engine.stats();
                assert!(stats.adds_up(), "{stats:?}");
                std::thread::sleep(Duration::from_micros(100));
            }
        });
        let ended = Done(&done);
        let result = work();
        drop(ended);
        watching.join().unwrap();
        result
    })
}

pub fn record(engine: &Engine, spans: u64) {
    for number in 0..spans {
        engine.span("work").root().attribute("number", number as i64).start().end();
    }
}

/// The task of a job and the names of its spans.
pub type Seen = (HostTask, Vec<String>);

/// Accepts everything and passes on what it saw.
pub fn collecting() -> (impl Fn(HostJob) + Send + Sync + 'static, Receiver<Seen>) {
    let (seen, look) = channel();
    let seen = Mutex::new(seen);
    let work = move |job: HostJob| {
        let names = job.batch().records().map(|record| record.to_data().unwrap().name).collect();
        let _ = seen.lock().unwrap().send((job.task(), names));
        let spans = job.batch().spans();
        job.delivered(Outcome::exported(spans));
    };
    (work, look)
}

/// Keeps the first job until the sender goes away.
pub fn hanging() -> (impl Fn(HostJob) + Send + Sync + 'static, Receiver<()>, Sender<()>) {
    let (reached, was_reached) = channel();
    let (release, released) = channel::<()>();
    let (reached, released) = (Mutex::new(reached), Mutex::new(released));
    let work = move |job: HostJob| {
        let _ = reached.lock().unwrap().send(());
        let _ = released.lock().unwrap().recv();
        drop(job);
    };
    (work, was_reached, release)
}
