//! Jobs as `polyspan._host` handles them, and who pulls them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use polyspan::DropReason;
use polyspan::export::Outcome;
use polyspan::host::{HostEvent, HostJob, HostTask, HostWorker, Next, Verdict};
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::finished::FinishedSpan;
use super::followed;
use super::options::Target;
use super::port::{self, Way};

/// A thread that pulls jobs.
#[pyclass(frozen, module = "polyspan._polyspan", name = "_HostWorker")]
pub struct Worker {
    worker: Mutex<Option<HostWorker>>,
    left: AtomicBool,
}

#[pymethods]
impl Worker {
    /// Has the calling thread pull jobs of code that is awaited, on the event loop of that number, or of functions.
    #[new]
    #[pyo3(signature = (event_loop = None))]
    fn new(event_loop: Option<usize>) -> Self {
        let way = event_loop.map_or(Way::Plain, Way::Async);
        let worker = way.port().enter();
        port::set_host_thread(worker.is_some());
        Self { left: AtomicBool::new(worker.is_none()), worker: Mutex::new(worker) }
    }

    /// The next job; `None` when none came within so many seconds, or when the thread is to leave.
    #[pyo3(signature = (timeout = None))]
    fn next(&self, py: Python<'_>, timeout: Option<f64>) -> Option<Job> {
        let timeout = timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let next =
            py.detach(|| lock(&self.worker).as_mut().map_or(Next::Leave, |worker| worker.next(timeout)));
        match next {
            Next::Job(job) => Some(Job(Mutex::new(Some(job)))),
            Next::Nothing => None,
            Next::Leave => {
                self.leave();
                None
            }
        }
    }

    /// Whether the thread is to leave.
    #[getter]
    fn has_left(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }

    /// Pulls no more.
    fn leave(&self) {
        self.left.store(true, Ordering::Relaxed);
        port::set_host_thread(false);
        lock(&self.worker).take();
    }
}

/// A job in the hands of `polyspan._host`; answered once.
#[pyclass(frozen, module = "polyspan._polyspan", name = "_HostJob")]
pub struct Job(Mutex<Option<HostJob>>);

impl Job {
    fn take(&self) -> Option<HostJob> {
        lock(&self.0).take()
    }

    fn settle(&self, verdicts: Vec<Verdict>, failures: u64) {
        if let Some(mut job) = self.take() {
            job.count_failures(failures);
            job.judged(verdicts);
        }
    }
}

#[pymethods]
impl Job {
    /// What is to be done.
    #[getter]
    fn task(&self) -> &'static str {
        match lock(&self.0).as_ref().map(HostJob::task) {
            Some(HostTask::Process) => "process",
            Some(HostTask::Filter) => "filter",
            Some(HostTask::Format) => "format",
            Some(HostTask::Export) => "export",
            Some(HostTask::Flush) => "flush",
            Some(HostTask::Shutdown) => "shutdown",
            _ => "",
        }
    }

    /// The object of `polyspan._host` that does it.
    #[getter]
    fn target(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let job = lock(&self.0);
        let target = job.as_ref()?.handler().token().downcast_ref::<Target>()?;
        Some(target.object.clone_ref(py))
    }

    /// The spans it is about, made anew.
    fn spans<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let job = lock(&self.0);
        let records = job.as_ref().into_iter().flat_map(|job| job.batch().records());
        let spans = records.filter_map(|record| FinishedSpan::of(&record));
        PyList::new(
            py,
            spans
                .collect::<Vec<_>>()
                .into_iter()
                .map(|span| Bound::new(py, span))
                .collect::<PyResult<Vec<_>>>()?,
        )
    }

    /// What an exporter is told, in its order: for each the kind of event, and what it is about, made anew. Spans
    /// that ended are left out unless they are asked for.
    fn told<'py>(&self, py: Python<'py>, ended: bool) -> PyResult<Vec<(&'static str, Bound<'py, PyAny>)>> {
        let job = lock(&self.0);
        let records = job.as_ref().into_iter().flat_map(|job| job.batch().records());
        let wanted = records.filter(|record| ended || record.event != HostEvent::SpanEnded);
        wanted.filter_map(|record| followed::told(py, &record).transpose()).collect()
    }

    /// It is done.
    fn done(&self) {
        if let Some(job) = self.take() {
            job.done();
        }
    }

    /// What processors made of each span: the span to go on with, or `None` to leave it out. So many of their calls
    /// raised. Says what cannot be recorded as it was changed; that span goes on as it was.
    fn judge(
        &self,
        py: Python<'_>,
        spans: Vec<Option<Py<FinishedSpan>>>,
        failures: u64,
    ) -> PyResult<Option<String>> {
        let mut refused = None;
        let mut verdicts = Vec::with_capacity(spans.len());
        let mut failed = 0;
        for span in &spans {
            let Some(span) = span else {
                verdicts.push(Verdict::Drop);
                continue;
            };
            let written = span.try_borrow_mut(py).map_err(PyErr::from);
            verdicts.push(match written.and_then(|mut span| span.written(py)) {
                Ok(Some(body)) => Verdict::Replace(body),
                Ok(None) => Verdict::Keep,
                Err(error) => {
                    failed += 1;
                    refused.get_or_insert_with(|| error.to_string());
                    Verdict::Keep
                }
            });
        }
        self.settle(verdicts, failures + failed);
        Ok(refused)
    }

    /// Which spans are kept. So many calls raised.
    fn filter(&self, kept: Vec<bool>, failures: u64) {
        let verdict = |kept| if kept { Verdict::Keep } else { Verdict::Drop };
        self.settle(kept.into_iter().map(verdict).collect(), failures);
    }

    /// An export has ended: so many spans were refused, at so many the application's code raised, all others are
    /// delivered. So many formatters raised.
    fn delivered(&self, rejected: u32, failed: u32, failures: u64) {
        if let Some(mut job) = self.take() {
            job.count_failures(failures);
            let spans = job.batch().spans();
            let mut outcome = Outcome::exported(spans.saturating_sub(rejected.saturating_add(failed)));
            outcome.rejected = rejected;
            if failed > 0 {
                outcome.drop_spans(DropReason::HostFailed, failed);
            }
            job.delivered(outcome);
        }
    }
}

/// Tells the user of something once; `kind` says what is the same.
#[pyfunction]
#[pyo3(name = "_host_warn")]
pub fn warn(kind: &str, message: &str) {
    polyspan::host::warn_once(kind, message);
}

/// What threads wait for that are not attached to the interpreter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
