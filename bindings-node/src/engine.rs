//! Engines: starting one, finding it again, what TypeScript needs to record for it, flushing and stopping it.

use std::time::{Duration, Instant};

use napi::Env;
use napi::bindgen_prelude::{Buffer, FunctionRef, Object};
use napi_derive::napi;
use polyspan::frame::record::Scope;
use polyspan::hosted::{self, HostCounts};
use polyspan::{Engine, Error, ErrorCode, FlushReport, registry};

use crate::around::Ambient;
use crate::entry::{always, guarded, throwing};
use crate::options::NativeOptions;
use crate::sampler::{self, SelectFunction};
use crate::{threads, wire};

/// A running engine.
#[napi]
pub struct NativeEngine(pub(crate) Engine);

/// Starts an engine.
#[napi]
pub fn init(options: &mut NativeOptions, provider: bool) -> napi::Result<NativeEngine> {
    throwing(None, || {
        hosted::lines::listen();
        // The export thread outlives the JavaScript environment that started it.
        napi::bindgen_prelude::retain_current_module_for_unload_safety();
        let engine = polyspan::init(options.take(provider)).map_err(|error| wire::thrown(&error))?;
        // The first one that `init` started is the default, also where an OpenTelemetry provider was there before.
        if !provider && registry::chosen_default().is_none_or(|chosen| chosen == engine.name()) {
            registry::set_default(engine.name()).map_err(|error| wire::thrown(&error))?;
        }
        Ok(NativeEngine(engine))
    })
}

/// The engine of that name, or the default one; none where it does not run.
#[napi]
pub fn engine(name: Option<String>) -> Option<NativeEngine> {
    let find = || match name {
        Some(name) => registry::engine(&name),
        None => registry::default_engine(),
    };
    always(None, || None, find).map(NativeEngine)
}

/// The names of all running engines, in the order they were started.
#[napi]
pub fn engines() -> Vec<String> {
    let names = || registry::engines().iter().map(|engine| engine.name().to_owned()).collect();
    always(None, Vec::new, names)
}

/// Makes the engine of that name the one for spans that name none.
#[napi]
pub fn set_default(name: String) -> napi::Result<()> {
    throwing(None, || registry::set_default(&name).map_err(|error| wire::thrown(&error)))
}

/// Lets a function choose the engine of each root.
#[napi]
pub fn set_selector(select: Option<FunctionRef<Buffer, String>>) -> napi::Result<()> {
    throwing(None, || {
        registry::set_selector(select.map(|select| sampler::selector(SelectFunction::from(select))));
        Ok(())
    })
}

/// Has other threads hand in what they hold, before the process ends: they are stopped without being told.
#[napi]
pub fn gather() {
    always(None, Default::default, || {
        let bound = registry::engines().iter().map(Engine::exit_timeout).max().unwrap_or_default();
        threads::ask_others(sampler::home(), bound / 4);
    });
}

/// Shuts every engine down within its exit bound, when the process ends.
#[napi]
pub fn exit() {
    always(None, Default::default, registry::flush_at_exit);
}

/// The version of the engine.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

#[napi]
impl NativeEngine {
    /// Its name in the registry.
    #[napi(getter)]
    pub fn name(&self) -> &str {
        always(Some(&self.0), || "", || self.0.name())
    }

    /// What holds for every span that TypeScript records by itself, as a map.
    #[napi]
    pub fn terms(&self) -> napi::Result<Buffer> {
        throwing(Some(&self.0), || {
            Ok(self.0.told_terms().ok_or_else(|| wire::thrown(&not_running("init")))?.into())
        })
    }

    /// Decides about `n` roots ahead: for each a trace id, a decision, the length of its tracestate and that.
    /// Empty where each has to be asked for.
    #[napi]
    pub fn draw_roots(&self, n: u32) -> Buffer {
        guarded(Some(&self.0), Vec::new, || self.0.told_roots(n as usize)).into()
    }

    /// What spans inside begin with.
    #[napi]
    pub fn inherited(&self, around: Option<&Ambient>) -> Inherited {
        // Whether anything is hidden inside is not known then: nothing may be recorded without asking again.
        let unknown =
            || Inherited { fields: Vec::new().into(), tags: Vec::new().into(), flags: 0, asks: true };
        guarded(Some(&self.0), unknown, || {
            let inherited = self.0.inherited(around.map(|around| &*around.0));
            Inherited {
                fields: inherited.fields.into(),
                tags: inherited.tags.into(),
                flags: inherited.flags.bits().into(),
                asks: inherited.asks,
            }
        })
    }

    /// Takes in the first `length` bytes of a frame with so many spans, and counts: spans that do not record, those
    /// among them that ended, refused as too many were open, ended twice, altered values, values cut by limits.
    #[napi]
    pub fn submit(&self, frame: &[u8], length: u32, spans: u32, counts: &[f64]) -> u32 {
        // The spans are lost, and counted by nobody else.
        let lost = || hosted::answer::LOST;
        guarded(Some(&self.0), lost, || {
            let counts = HostCounts::from_numbers(counts.iter().map(|count| *count as u64));
            self.0.take_in(frame.get(..length as usize).unwrap_or_default(), spans.into(), &counts)
        })
    }

    /// A number for an instrumentation scope.
    #[napi]
    pub fn scope(&self, name: String, version: String, schema_url: String) -> u32 {
        let scope = Scope { name, version, schema_url, attributes: Vec::new() };
        guarded(Some(&self.0), Default::default, || self.0.scope(scope))
    }

    /// What the body of a span's event says, as a map under the names of the wire, for code of the application that
    /// looks at it before it is exported: redacted and limited, unless it is to be `raw`. None where that fails: then nothing may be shown.
    #[napi]
    pub fn record(&self, body: &[u8], raw: bool) -> Option<Buffer> {
        guarded(Some(&self.0), || None, || self.0.told_record(body, raw)).map(Buffer::from)
    }

    /// The attributes that every span says of its process, as a map.
    #[napi]
    pub fn resource(&self) -> napi::Result<Buffer> {
        throwing(Some(&self.0), || Ok(self.0.told_resource().into()))
    }

    /// How many spans have ended, and log records were recorded.
    #[napi]
    pub fn ended(&self) -> f64 {
        always(Some(&self.0), Default::default, || {
            let stats = self.0.stats();
            (stats.ended + stats.logs.emitted) as f64
        })
    }

    /// What it has counted, as a map.
    #[napi]
    pub fn stats(&self) -> napi::Result<Buffer> {
        throwing(Some(&self.0), || Ok(hosted::write_value(&hosted::stats(&self.0.stats())).into()))
    }

    /// Waits on another thread until every span that had ended is delivered or given up, at most so many seconds.
    #[napi]
    pub fn flush<'env>(&self, env: &'env Env, seconds: f64) -> napi::Result<Object<'env>> {
        settle(env, &self.0, seconds, Engine::flush)
    }

    /// The same on this thread.
    #[napi]
    pub fn flush_now(&self, seconds: f64) -> napi::Result<()> {
        throwing(Some(&self.0), || {
            self.0.flush(time(seconds)).map(drop).map_err(|error| wire::thrown(&error))
        })
    }

    /// Flushes and stops the engine, on another thread.
    #[napi]
    pub fn shutdown<'env>(&self, env: &'env Env, seconds: f64) -> napi::Result<Object<'env>> {
        settle(env, &self.0, seconds, Engine::shutdown)
    }
}

/// What spans inside some context begin with.
#[napi(object, object_from_js = false)]
pub struct Inherited {
    /// The fields of each.
    pub fields: Buffer,
    /// Further ones at the top of a trace.
    pub tags: Buffer,
    /// Flags of their records.
    pub flags: u32,
    /// Spans inside have to be started natively.
    pub asks: bool,
}

/// A promise of a flush or shutdown. It waits on a thread of its own: those that Node has for such are few, and the
/// application's exporters need them to get done what is waited for.
fn settle<'env>(
    env: &'env Env,
    engine: &Engine,
    seconds: f64,
    run: fn(&Engine, Duration) -> Result<FlushReport, Error>,
) -> napi::Result<Object<'env>> {
    throwing(Some(engine), || {
        let (start, timeout, home) = (Instant::now(), time(seconds), sampler::home());
        let (deferred, promise) = env.create_deferred()?;
        let (answered, engine) = (deferred.clone(), engine.clone());
        let work = move || {
            let outcome = throwing(Some(&engine), || {
                let left = || timeout.saturating_sub(start.elapsed());
                threads::ask_others(home, left() / 4);
                run(&engine, left()).map(drop).map_err(|error| wire::thrown(&error))
            });
            match outcome {
                Ok(()) => answered.resolve(|_| Ok(())),
                Err(error) => answered.reject(error),
            }
        };
        if let Err(error) = std::thread::Builder::new().name("polyspan-flush".to_owned()).spawn(work) {
            deferred
                .reject(napi::Error::from_reason(format!("resource: no thread that could wait: {error}")));
        }
        Ok(promise)
    })
}

/// TypeScript has checked the number.
fn time(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

fn not_running(what: &str) -> Error {
    Error::new(ErrorCode::NotRunning, format!("{what}: no engine runs"))
}
