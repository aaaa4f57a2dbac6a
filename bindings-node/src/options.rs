//! Options of an engine while they are put together: data as a map, and what only JavaScript has.

use napi::bindgen_prelude::{Buffer, FunctionRef};
use napi_derive::napi;
use polyspan::Options;
use polyspan::config::{ExporterOptions, HostExporter};
use polyspan::host::{HostEvent, HostEvents};

use crate::entry::throwing;
use crate::host::{Handler, handler};
use crate::memory::NativeMemory;
use crate::sampler::{self, DecideFunction};
use crate::wire;

/// Options of one engine.
#[napi]
#[derive(Default)]
pub struct NativeOptions(Options);

/// An exporter of the application.
#[napi(object)]
pub struct GivenExporter {
    /// Who runs its jobs.
    pub handler: Handler,
    /// What it is called in counts and messages.
    pub name: String,
    /// Whether it gets spans as they end, and not in batches.
    pub at_once: bool,
    /// The events that it is told of, by their names.
    pub events: Vec<String>,
}

impl NativeOptions {
    /// What was put together.
    pub(crate) fn take(&mut self, provider: bool) -> Options {
        std::mem::take(&mut self.0).language("nodejs").provider(provider)
    }

    fn change(&mut self, change: impl FnOnce(Options) -> Options) {
        self.0 = change(std::mem::take(&mut self.0));
    }
}

#[napi]
impl NativeOptions {
    /// None yet: everything as by default.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Those that are data, as a map.
    #[napi]
    pub fn data(&mut self, options: &[u8]) -> napi::Result<()> {
        throwing(None, || {
            let options = wire::value(options)?;
            let applied = std::mem::take(&mut self.0).apply(&options);
            self.0 = applied.map_err(|error| wire::thrown(&error))?;
            Ok(())
        })
    }

    /// An exporter that keeps what it gets; with `of_logs` or `of_metrics` one of these alone.
    #[napi]
    pub fn memory(&mut self, memory: &NativeMemory, signal: String) -> napi::Result<()> {
        throwing(None, || {
            let exporter = memory.options();
            self.change(|options| match signal.as_str() {
                "logs" => options.logs_exporter(exporter),
                "metrics" => options.metrics_exporter(exporter),
                _ => options.exporter(exporter),
            });
            Ok(())
        })
    }

    /// An exporter of the application; with `signal` `logs` one of log records alone.
    #[napi]
    pub fn exporter(&mut self, given: GivenExporter, signal: String) -> napi::Result<()> {
        throwing(None, || {
            let GivenExporter { handler: who, name, at_once, events } = given;
            let events: HostEvents = events.iter().filter_map(|name| HostEvent::from_name(name)).collect();
            let exporter = HostExporter::new(name, handler(who)?).at_once(at_once).events(events);
            self.change(|options| match signal.as_str() {
                "logs" => options.logs_exporter(ExporterOptions::Host(exporter)),
                _ => options.exporter(ExporterOptions::Host(exporter)),
            });
            Ok(())
        })
    }

    /// One of the engine's own exporters with formatters before it; `described` as in the options, which name it `at`.
    #[napi]
    pub fn formatted(&mut self, formatters: Handler, described: &[u8], at: String) -> napi::Result<()> {
        throwing(None, || {
            let described = wire::value(described)?;
            let inner = ExporterOptions::from_value(&described, &at).map_err(|error| wire::thrown(&error))?;
            let formatters = handler(formatters)?;
            self.change(|options| options.exporter(ExporterOptions::Formatted(formatters, Box::new(inner))));
            Ok(())
        })
    }

    /// A chain of processors.
    #[napi]
    pub fn processors(&mut self, chain: Handler) -> napi::Result<()> {
        throwing(None, || {
            let chain = handler(chain)?;
            self.change(|options| options.processors(chain));
            Ok(())
        })
    }

    /// A span filter.
    #[napi]
    pub fn filter(&mut self, filter: Handler) -> napi::Result<()> {
        throwing(None, || {
            let filter = handler(filter)?;
            self.change(|options| options.span_filter(filter));
            Ok(())
        })
    }

    /// A function that is asked for roots.
    #[napi]
    pub fn sampler(&mut self, decide: FunctionRef<Buffer, u32>) -> napi::Result<()> {
        throwing(None, || {
            let sampler = sampler::of_roots(DecideFunction::from(decide));
            self.change(|options| options.sampler(sampler));
            Ok(())
        })
    }
}
