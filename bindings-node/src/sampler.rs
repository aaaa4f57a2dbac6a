//! Samplers and selectors of the application: JavaScript functions, asked on the thread that starts a span.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use napi::Env;
use napi::bindgen_prelude::{Buffer, Function, FunctionRef};
use polyspan::hosted::{about, answered, write_value};
use polyspan::registry::Selector;
use polyspan::sampling::{CustomSampler, HeadSampler, Sampler, SamplingInput, SamplingResult};

/// Takes what is told of a span and answers with the number of a [`Decision`]; anything else means that it failed.
pub type DecideFunction = FunctionRef<Buffer, u32>;
/// The same for the name of an engine; an empty one for the default engine.
pub type SelectFunction = FunctionRef<Buffer, String>;

thread_local! {
    /// The environment while this thread runs JavaScript that called us, and so may be called back.
    static ENV: Cell<Option<Env>> = const { Cell::new(None) };
    /// Tells threads apart, and so their environments. An address may be that of a later environment.
    static HOME: u64 = HOMES.fetch_add(1, Ordering::Relaxed);
}

static HOMES: AtomicU64 = AtomicU64::new(0);

/// The number of this thread; none while it ends.
pub fn home() -> Option<u64> {
    HOME.try_with(|home| *home).ok()
}

/// Runs what may ask a sampler of the application.
pub fn in_javascript<R>(env: &Env, run: impl FnOnce() -> R) -> R {
    let before = ENV.replace(Some(Env::from_raw(env.raw())));
    let result = run();
    ENV.set(before);
    result
}

fn with_env<R>(run: impl FnOnce(&Env) -> Option<R>) -> Option<R> {
    let env = ENV.take()?;
    let result = run(&env);
    ENV.set(Some(env));
    result
}

/// A function that is asked for roots.
pub fn of_roots(decide: DecideFunction) -> HeadSampler {
    HeadSampler::Custom(CustomSampler::for_roots(Arc::new(Callback { decide, home: home() })))
}

/// A function that names the engine of a root.
pub fn selector(select: SelectFunction) -> Selector {
    let own = home();
    Arc::new(move |root: &SamplingInput<'_>| {
        with_env(|env| {
            let function =
                (own.is_some() && home() == own).then(|| select.borrow_back(env).ok()).flatten()?;
            let name = call(&function, write_value(&about(root)).into())?;
            (!name.is_empty()).then_some(name)
        })
    })
}

fn call<R: napi::bindgen_prelude::FromNapiValue>(
    function: &Function<'_, Buffer, R>,
    about: Buffer,
) -> Option<R> {
    function.call(about).ok()
}

/// Functions belong to the JavaScript environment that made them: in another thread they cannot be asked.
struct Callback {
    decide: DecideFunction,
    home: Option<u64>,
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callback")
    }
}

impl Sampler for Callback {
    fn sample(&self, input: &SamplingInput<'_>) -> SamplingResult {
        let answer = with_env(|env| {
            let function = (self.home.is_some() && home() == self.home)
                .then(|| self.decide.borrow_back(env).ok())
                .flatten()?;
            call(&function, write_value(&about(input)).into())
        });
        answered(input, answer)
    }

    fn description(&self) -> String {
        "Callback".to_owned()
    }
}
