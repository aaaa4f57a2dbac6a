//! Engines: starting one, finding it again, what the host needs to record for it, flushing and stopping it.

use std::sync::Arc;
use std::time::Duration;

use polyspan::frame::record::Scope;
use polyspan::hosted::{self, HostCounts};
use polyspan::{Engine, registry};

use crate::around::{Ambient, inner};
use crate::entry::guarded;
use crate::failure::{PolyspanError, not_running};
use crate::options::NativeOptions;
use crate::sampler::{self, RootSelector};
use crate::table::Table;

/// Engines by the numbers under which JNI knows them.
pub(crate) static ENGINES: Table<Engine> = Table::new();

/// A running engine.
#[derive(uniffi::Object)]
pub struct NativeEngine(pub(crate) Engine);

/// What spans inside some context begin with.
#[derive(uniffi::Record)]
pub struct Inherited {
    /// The fields of each.
    pub fields: Vec<u8>,
    /// Further ones at the top of a trace.
    pub tags: Vec<u8>,
    /// Flags of their records.
    pub flags: i32,
    /// Spans inside have to be started natively.
    pub asks: bool,
}

/// The engine that was named, for functions that take the default one where none is.
pub(crate) fn chosen(engine: Option<&Arc<NativeEngine>>) -> Option<&Engine> {
    engine.map(|engine| &engine.0)
}

/// Starts what was put together.
pub(crate) fn run(options: polyspan::Options, provider: bool) -> Result<Engine, polyspan::Error> {
    let engine = polyspan::init(options.provider(provider))?;
    // The first one that `init` started is the default, also where an OpenTelemetry provider was there before.
    if !provider && registry::chosen_default().is_none_or(|chosen| chosen == engine.name()) {
        registry::set_default(engine.name())?;
    }
    Ok(engine)
}

/// Starts an engine; a `provider` of the OpenTelemetry API follows its specification where `init` would not.
///
/// # Errors
/// `invalid_option` with the option's name, `already_initialized`, `resource`.
#[uniffi::export]
pub fn init_engine(options: Arc<NativeOptions>, provider: bool) -> Result<Arc<NativeEngine>, PolyspanError> {
    Ok(Arc::new(NativeEngine(run(options.take(), provider)?)))
}

/// The engine of that name, or the default one; none where it does not run.
#[uniffi::export]
pub fn find_engine(name: Option<String>) -> Option<Arc<NativeEngine>> {
    let engine = match name {
        Some(name) => registry::engine(&name),
        None => registry::default_engine(),
    };
    engine.map(|engine| Arc::new(NativeEngine(engine)))
}

/// The engine that JNI knows under that number.
#[uniffi::export]
pub fn engine_of_handle(handle: i64) -> Option<Arc<NativeEngine>> {
    ENGINES.get(handle).map(|engine| Arc::new(NativeEngine(engine)))
}

/// The names of all running engines, in the order they were started.
#[uniffi::export]
pub fn engine_names() -> Vec<String> {
    registry::engines().iter().map(|engine| engine.name().to_owned()).collect()
}

/// Makes the engine of that name the one for spans that name none.
///
/// # Errors
/// `not_running` where there is none.
#[uniffi::export]
pub fn set_default_engine(name: String) -> Result<(), PolyspanError> {
    Ok(registry::set_default(&name)?)
}

/// Lets code of the application choose the engine of each root.
#[uniffi::export]
pub fn set_selector(select: Option<Arc<dyn RootSelector>>) {
    registry::set_selector(select.map(sampler::selector));
}

/// Shuts every engine down within its exit bound, when the process ends.
#[uniffi::export]
pub fn exit_engines() {
    registry::flush_at_exit();
}

/// The version of the engine.
#[uniffi::export]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

#[uniffi::export]
impl NativeEngine {
    /// Its name in the registry.
    pub fn name(&self) -> String {
        self.0.name().to_owned()
    }

    /// A number under which JNI knows it from now on, until it is released there.
    pub fn handle(&self) -> i64 {
        ENGINES.put(self.0.clone())
    }

    /// What holds for every span that the host records by itself, as a map.
    ///
    /// # Errors
    /// `not_running` in a process that is forked too deeply.
    pub fn terms(&self) -> Result<Vec<u8>, PolyspanError> {
        Ok(self.0.told_terms().ok_or_else(|| not_running("init"))?)
    }

    /// Decides about `n` roots ahead: for each 16 bytes of trace id, a decision, the length of its tracestate and that.
    /// Empty where each has to be asked for.
    pub fn draw_roots(&self, n: i32) -> Vec<u8> {
        guarded(Some(&self.0), Vec::new(), || self.0.told_roots(usize::try_from(n).unwrap_or(0)))
    }

    /// What spans inside begin with.
    pub fn inherited(&self, around: Option<Arc<Ambient>>) -> Inherited {
        let none = Inherited { fields: Vec::new(), tags: Vec::new(), flags: 0, asks: false };
        guarded(Some(&self.0), none, || {
            let inherited = self.0.inherited(inner(around.as_ref()).map(|around| &**around));
            Inherited {
                fields: inherited.fields,
                tags: inherited.tags,
                flags: inherited.flags.bits().into(),
                asks: inherited.asks,
            }
        })
    }

    /// Takes in a frame with so many spans. `counts` is empty, or six i64 (little-endian): spans that do not record, those
    /// among them that ended, refused as too many were open, ended twice, altered values, values cut by limits. Answers
    /// with the bits of [`hosted::answer`].
    pub fn submit(&self, frame: &[u8], spans: i32, counts: &[u8]) -> i32 {
        let counts = counts.as_chunks::<8>().0.iter().map(|count| u64::from_le_bytes(*count));
        take_in(&self.0, frame, spans, HostCounts::from_numbers(counts))
    }

    /// A number for an instrumentation scope.
    pub fn scope(&self, name: String, version: String, schema_url: String) -> i32 {
        guarded(Some(&self.0), 0, || scope(&self.0, name, version, schema_url))
    }

    /// What the body of a span's event says, as a map under the names of the wire, for code of the application that
    /// looks at it before it is exported: redacted and limited, unless it is to be `raw`. None where that fails: then
    /// nothing may be shown.
    pub fn record(&self, body: &[u8], raw: bool) -> Option<Vec<u8>> {
        guarded(Some(&self.0), None, || self.0.told_record(body, raw))
    }

    /// The attributes that every span says of its process, as a map.
    pub fn resource(&self) -> Vec<u8> {
        self.0.told_resource()
    }

    /// What it has counted, as a map.
    pub fn stats(&self) -> Vec<u8> {
        hosted::write_value(&hosted::stats(&self.0.stats()))
    }

    /// Has the exporters keep what they are given from now on, or lets it go again.
    pub fn hold(&self, held: bool) {
        self.0.hold(held);
    }

    /// Waits until every span that had ended is delivered or given up, at most so many seconds.
    ///
    /// # Errors
    /// `deadline_exceeded`, with what was left.
    pub fn flush(&self, seconds: f64) -> Result<(), PolyspanError> {
        Ok(self.0.flush(time(seconds)).map(drop)?)
    }

    /// Flushes and stops the engine within so many seconds; a second call does nothing.
    ///
    /// # Errors
    /// `deadline_exceeded`, with what was left.
    pub fn shutdown(&self, seconds: f64) -> Result<(), PolyspanError> {
        Ok(self.0.shutdown(time(seconds)).map(drop)?)
    }
}

/// The answer of an entry that panicked: the spans are lost, and counted by nobody else.
const LOST: i32 = hosted::answer::LOST as i32;

/// Hands a frame in.
pub(crate) fn take_in(engine: &Engine, frame: &[u8], spans: i32, counts: HostCounts) -> i32 {
    let spans = u64::try_from(spans).unwrap_or(0);
    guarded(Some(engine), LOST, || engine.take_in(frame, spans, &counts) as i32)
}

/// The number of a scope.
pub(crate) fn scope(engine: &Engine, name: String, version: String, schema_url: String) -> i32 {
    let number = engine.scope(Scope { name, version, schema_url, attributes: Vec::new() });
    i32::try_from(number).unwrap_or(0)
}

/// Hosts check the number; anything that is no time is no time to wait.
pub(crate) fn time(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
