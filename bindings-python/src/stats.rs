//! What an engine has counted, as Python reads it.

use std::collections::BTreeMap;

use polyspan::{DropReason, ExporterStats};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::invalid;

/// A snapshot of everything an engine counts in this process.
///
/// `ended == pending + left out (unsampled, internal, excluded, filtered) + dropped before export + accepted`, and
/// for each exporter
/// `accepted == pending + exported + on_disk + dropped`, at every moment.
#[pyclass(frozen, module = "polyspan")]
pub struct Stats(pub polyspan::Stats);

fn reasons<'py>(py: Python<'py>, counts: &BTreeMap<DropReason, u64>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (reason, count) in counts {
        dict.set_item(reason.as_str(), count)?;
    }
    Ok(dict)
}

fn by_name<'py>(py: Python<'py>, exporters: &[ExporterStats]) -> PyResult<Bound<'py, PyDict>> {
    let named = PyDict::new(py);
    for exporter in exporters {
        let counts = PyDict::new(py);
        counts.set_item("accepted", exporter.accepted)?;
        counts.set_item("pending", exporter.pending)?;
        counts.set_item("exported", exporter.exported)?;
        counts.set_item("on_disk", exporter.on_disk)?;
        counts.set_item("dropped", reasons(py, &exporter.dropped)?)?;
        named.set_item(&exporter.name, counts)?;
    }
    Ok(named)
}

#[pymethods]
impl Stats {
    /// Spans that were started, recording or not.
    #[getter]
    fn started(&self) -> u64 {
        self.0.started
    }

    /// Spans whose end was called, recording or not.
    #[getter]
    fn ended(&self) -> u64 {
        self.0.ended
    }

    /// Spans that have ended and are neither delivered nor lost, in the engine and its exporters.
    #[getter]
    fn pending(&self) -> u64 {
        self.0.pending + self.0.exporters.iter().map(|exporter| exporter.pending).max().unwrap_or(0)
    }

    /// Spans left out because they were not sampled.
    #[getter]
    fn unsampled(&self) -> u64 {
        self.0.unsampled
    }

    /// Spans left out because they are internal to a framework.
    #[getter]
    fn internal(&self) -> u64 {
        self.0.internal
    }

    /// Spans left out because their type is excluded.
    #[getter]
    fn excluded(&self) -> u64 {
        self.0.excluded
    }

    /// Those among `unsampled` whose root was left unsampled under memory pressure.
    #[getter]
    fn shed(&self) -> u64 {
        self.0.shed
    }

    /// Those among `unsampled` that did not record because too many spans were open.
    #[getter]
    fn open_limit(&self) -> u64 {
        self.0.open_limit
    }

    /// Spans that processors or the span filter left out.
    #[getter]
    fn filtered(&self) -> u64 {
        self.0.filtered
    }

    /// Calls of processors, filters and formatters that raised; their spans went on.
    #[getter]
    fn host_errors(&self) -> u64 {
        self.0.host_errors
    }

    /// Starts and changes of open spans that an exporter which follows them was not told of, for want of room.
    #[getter]
    fn events_dropped(&self) -> u64 {
        self.0.events_dropped
    }

    /// Spans handed to the exporters.
    #[getter]
    fn accepted(&self) -> u64 {
        self.0.accepted
    }

    /// Spans delivered by every exporter.
    #[getter]
    fn exported(&self) -> u64 {
        self.0.exported()
    }

    /// Spans that wait on disk, over all exporters.
    #[getter]
    fn on_disk(&self) -> u64 {
        self.0.on_disk()
    }

    /// Spans lost, by reason, in the engine and in every exporter.
    #[getter]
    fn dropped<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        reasons(py, &self.0.all_dropped())
    }

    /// Calls of end on spans that had ended.
    #[getter]
    fn ended_twice(&self) -> u64 {
        self.0.ended_twice
    }

    /// Values that were recorded otherwise than they were given, or left out (wrong types, cut values).
    #[getter]
    fn altered(&self) -> u64 {
        self.0.altered + invalid::count()
    }

    /// Cuts that the limits on content made: texts, arrays, maps, values of a span that was too large.
    #[getter]
    fn limited(&self) -> u64 {
        self.0.limited
    }

    /// Values that redaction replaced.
    #[getter]
    fn redacted(&self) -> u64 {
        self.0.redacted
    }

    /// Values left out because their redaction failed.
    #[getter]
    fn redaction_failures(&self) -> u64 {
        self.0.redaction_failures
    }

    /// Panics caught at the borders of the engine.
    #[getter]
    fn panics(&self) -> u64 {
        self.0.panics
    }

    /// Each exporter's counts by its name: `accepted`, `pending`, `exported`, `on_disk`, `dropped`.
    #[getter]
    fn exporters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        by_name(py, &self.0.exporters)
    }

    /// What is counted of log records: `emitted`, `pending`, `exported`, `dropped`, and by the name of each exporter
    /// `exporters`. `emitted == pending + dropped before export + accepted`.
    #[getter]
    fn logs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let logs = &self.0.logs;
        let counts = PyDict::new(py);
        let waiting = logs.exporters.iter().map(|exporter| exporter.pending).max().unwrap_or(0);
        counts.set_item("emitted", logs.emitted)?;
        counts.set_item("pending", logs.pending + waiting)?;
        counts.set_item("accepted", logs.accepted)?;
        counts.set_item("exported", logs.exported())?;
        counts.set_item("dropped", reasons(py, &logs.all_dropped())?)?;
        counts.set_item("exporters", by_name(py, &logs.exporters)?)?;
        Ok(counts)
    }

    /// What is counted of metrics: `spans` that they count, `overflowed` ones among them, unsampled ones that were
    /// `missed` (by reason), data points `collected`, `pending`, `exported` and `dropped` (by reason), and by the name
    /// of each exporter `exporters`.
    #[getter]
    fn metrics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let metrics = &self.0.metrics;
        let counts = PyDict::new(py);
        let waiting = metrics.exporters.iter().map(|exporter| exporter.pending).max().unwrap_or(0);
        counts.set_item("spans", metrics.spans)?;
        counts.set_item("overflowed", metrics.overflowed)?;
        counts.set_item("missed", reasons(py, &metrics.missed)?)?;
        counts.set_item("collected", metrics.collected)?;
        counts.set_item("pending", waiting)?;
        counts.set_item("exported", metrics.exported())?;
        counts.set_item("dropped", reasons(py, &metrics.all_dropped())?)?;
        counts.set_item("exporters", by_name(py, &metrics.exporters)?)?;
        Ok(counts)
    }

    /// What came of the frames that web pages posted to this engine: `frames` that were read, their `spans`, and by
    /// reason what was `refused`.
    #[getter]
    fn relay<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let relay = &self.0.relay;
        let refused = PyDict::new(py);
        for (reason, count) in &relay.refused {
            refused.set_item(reason.as_str(), count)?;
        }
        let counts = PyDict::new(py);
        counts.set_item("frames", relay.frames)?;
        counts.set_item("spans", relay.spans)?;
        counts.set_item("refused", refused)?;
        Ok(counts)
    }

    /// Whether both equations hold, for spans and for log records, and the second for data points of metrics.
    fn adds_up(&self) -> bool {
        self.0.adds_up()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut text = format!(
            "Stats(ended={}, exported={}, on_disk={}, dropped={}",
            self.0.ended,
            self.0.exported(),
            self.0.on_disk(),
            self.dropped(py)?.repr()?
        );
        // What is nothing out of the ordinary is left out.
        let unusual = [
            ("pending", self.pending()),
            ("unsampled", self.0.unsampled),
            ("internal", self.0.internal),
            ("excluded", self.0.excluded),
            ("filtered", self.0.filtered),
        ];
        for (name, count) in unusual {
            if count > 0 {
                text.push_str(&format!(", {name}={count}"));
            }
        }
        Ok(text + ")")
    }
}
