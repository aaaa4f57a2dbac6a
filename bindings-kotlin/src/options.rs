//! Options of an engine while they are put together: data as a map, and what only the host has.

use std::sync::{Arc, Mutex, PoisonError};

use polyspan::Options;
use polyspan::config::{ExporterOptions, HostExporter};
use polyspan::host::HostEvent;
use polyspan::hosted;

use crate::failure::{PolyspanError, value};
use crate::host::{GivenExporter, NativeHandler, handler};
use crate::memory::NativeMemory;
use crate::sampler::{self, RootSampler};

/// No options yet, in a process that says of itself that it runs `language`. From here on the engine's own lines wait for
/// the host: an option may be worth one.
pub(crate) fn none(language: &str) -> Options {
    hosted::lines::listen();
    Options::default().language(language)
}

/// Options of one engine.
#[derive(uniffi::Object)]
pub struct NativeOptions(Mutex<Options>);

impl NativeOptions {
    /// What was put together.
    pub(crate) fn take(&self) -> Options {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(Options) -> Options) {
        let mut options = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *options = change(std::mem::take(&mut options));
    }
}

#[uniffi::export]
impl NativeOptions {
    /// None yet: everything as by default. `language` is what the process says of itself: `java`, `kotlin` or `swift`.
    #[uniffi::constructor]
    pub fn new(language: String) -> Arc<Self> {
        Arc::new(Self(Mutex::new(none(&language))))
    }

    /// Those that are data, as a map.
    ///
    /// # Errors
    /// `invalid_option` with the name of the one that cannot be used.
    pub fn data(&self, options: &[u8]) -> Result<(), PolyspanError> {
        let given = value("options", options)?;
        let mut options = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *options = std::mem::take(&mut *options).apply(&given)?;
        Ok(())
    }

    /// An exporter that keeps what it gets; with `signal` `logs` or `metrics` one of these alone.
    pub fn memory(&self, memory: Arc<NativeMemory>, signal: String) {
        let exporter = memory.options();
        self.change(|options| match signal.as_str() {
            "logs" => options.logs_exporter(exporter),
            "metrics" => options.metrics_exporter(exporter),
            _ => options.exporter(exporter),
        });
    }

    /// An exporter of the application; with `signal` `logs` one of log records alone.
    ///
    /// # Errors
    /// `not_running` where the host stage is not open.
    pub fn exporter(&self, given: GivenExporter, signal: String) -> Result<(), PolyspanError> {
        let GivenExporter { handler: who, name, at_once, events } = given;
        let events = events.iter().filter_map(|name| HostEvent::from_name(name)).collect();
        let exporter = HostExporter::new(name, handler(who)?).at_once(at_once).events(events);
        self.change(|options| match signal.as_str() {
            "logs" => options.logs_exporter(ExporterOptions::Host(exporter)),
            _ => options.exporter(ExporterOptions::Host(exporter)),
        });
        Ok(())
    }

    /// One of the engine's own exporters with formatters before it; `described` as in the options, which name it `at`.
    ///
    /// # Errors
    /// `invalid_option` where it cannot be used, `not_running` where the host stage is not open.
    pub fn formatted(
        &self,
        formatters: NativeHandler,
        described: &[u8],
        at: String,
    ) -> Result<(), PolyspanError> {
        let inner = ExporterOptions::from_value(&value(&at, described)?, &at)?;
        let formatters = handler(formatters)?;
        self.change(|options| options.exporter(ExporterOptions::Formatted(formatters, Box::new(inner))));
        Ok(())
    }

    /// A chain of processors.
    ///
    /// # Errors
    /// `not_running` where the host stage is not open.
    pub fn processors(&self, chain: NativeHandler) -> Result<(), PolyspanError> {
        let chain = handler(chain)?;
        self.change(|options| options.processors(chain));
        Ok(())
    }

    /// A span filter.
    ///
    /// # Errors
    /// `not_running` where the host stage is not open.
    pub fn filter(&self, filter: NativeHandler) -> Result<(), PolyspanError> {
        let filter = handler(filter)?;
        self.change(|options| options.span_filter(filter));
        Ok(())
    }

    /// Code that is asked for roots.
    pub fn sampler(&self, sampler: Arc<dyn RootSampler>) {
        let sampler = sampler::of_roots(sampler);
        self.change(|options| options.sampler(sampler));
    }
}
