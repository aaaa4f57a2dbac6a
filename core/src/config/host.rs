//! What the application wrote in its own language: processors, a span filter, exporters.

use crate::host::HostHandler;

/// An exporter that the host runs, as jobs that it pulls ([`crate::host`]).
#[derive(Debug, Clone, PartialEq)]
pub struct HostExporter {
    pub(crate) name: String,
    pub(crate) handler: HostHandler,
    pub(crate) at_once: bool,
}

impl HostExporter {
    /// `name` is what the exporter is called in [`Stats`](crate::Stats) and messages.
    pub fn new(name: impl Into<String>, handler: HostHandler) -> Self {
        Self { name: name.into(), handler, at_once: false }
    }

    /// Gives it spans within 0.2 s of their end, in place of the schedule of batches. Default: false.
    #[must_use]
    pub fn at_once(mut self, at_once: bool) -> Self {
        self.at_once = at_once;
        self
    }
}

/// The host's part in the pipeline of an engine.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HostTaps {
    /// Changes spans or leaves them out, before redaction.
    pub process: Option<HostHandler>,
    /// Leaves spans out, after redaction and limits.
    pub filter: Option<HostHandler>,
}
