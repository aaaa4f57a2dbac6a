//! The memory exporter as Python holds it; the others are described to `init` as data.

use polyspan::export::memory::MemoryStore;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::logs::LogRecord;
use crate::metrics;
use crate::record::SpanRecord;

/// Keeps finished spans in memory, for tests: `init(exporter=memory)`, `flush()`, then `memory.spans`.
///
/// It keeps `capacity` spans, and as many log records (`memory.logs`) and data points of metrics (`memory.metrics`);
/// later ones are dropped and counted.
#[pyclass(frozen, module = "polyspan")]
pub struct MemoryExporter(pub MemoryStore);

#[pymethods]
impl MemoryExporter {
    #[new]
    #[pyo3(signature = (*, capacity = 100_000))]
    fn new(capacity: usize) -> Self {
        Self(MemoryStore::with_capacity(capacity))
    }

    /// The spans received so far, in the order they ended.
    #[getter]
    fn spans<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, py.detach(|| self.0.spans()).into_iter().map(SpanRecord))
    }

    /// The log records received so far, in the order they were recorded.
    #[getter]
    fn logs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, py.detach(|| self.0.logs()).into_iter().map(LogRecord))
    }

    /// The data points of metrics received so far, in the order they were collected. Cumulative ones are there once
    /// for each collection.
    #[getter]
    fn metrics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        metrics::points(py, py.detach(|| self.0.metrics()))
    }

    /// Forgets them.
    fn clear(&self, py: Python<'_>) {
        py.detach(|| drop((self.0.take(), self.0.take_logs(), self.0.take_metrics())));
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<MemoryExporter of {} spans>", py.detach(|| self.0.spans().len()))
    }
}
