//! What the application wrote in its own language: processors, a span filter, exporters.

use crate::host::{HostEvent, HostEvents, HostHandler};

/// An exporter that the host runs, as jobs that it pulls ([`crate::host`]).
#[derive(Debug, Clone, PartialEq)]
pub struct HostExporter {
    pub(crate) name: String,
    pub(crate) handler: HostHandler,
    pub(crate) at_once: bool,
    pub(crate) events: HostEvents,
}

impl HostExporter {
    /// `name` is what the exporter is called in [`Stats`](crate::Stats) and messages.
    pub fn new(name: impl Into<String>, handler: HostHandler) -> Self {
        Self {
            name: name.into(),
            handler,
            at_once: false,
            events: HostEvents::NONE.with(HostEvent::SpanEnded),
        }
    }

    /// Gives it spans within 0.2 s of their end, in place of the schedule of batches. Default: false.
    #[must_use]
    pub fn at_once(mut self, at_once: bool) -> Self {
        self.at_once = at_once;
        self
    }

    /// Whether log records go to it as well.
    pub(crate) fn takes_logs(&self) -> bool {
        self.events.contains(HostEvent::Log)
    }

    /// Tells it of these events, beside the spans that ended. With [`HostEvent::Log`] it gets log records too, in
    /// batches of their own. Spans are followed while they are open only where
    /// an exporter of the engine wants that. Default: none.
    #[must_use]
    pub fn events(mut self, events: HostEvents) -> Self {
        self.events = events.with(HostEvent::SpanEnded);
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
