//! Samplers and selectors of the application: JavaScript functions, asked on the thread that starts a span.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use napi::Env;
use napi::bindgen_prelude::{Buffer, Function, FunctionRef};
use polyspan::registry::Selector;
use polyspan::sampling::{CustomSampler, Decision, HeadSampler, Sampler, SamplingInput, SamplingResult};
use polyspan::value::Value;
use polyspan::{TraceId, TraceState};

use crate::wire;

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
            let name = call(&function, wire::bytes(&about(root)).into())?;
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
            match call(&function, wire::bytes(&about(input)).into())? {
                0 => Some(Decision::Drop),
                1 => Some(Decision::RecordOnly),
                2 => Some(Decision::RecordAndSample),
                _ => None,
            }
        });
        let state = input.parent.map_or(TraceState::EMPTY, |parent| parent.state.clone());
        SamplingResult {
            callback_failed: answer.is_none(),
            ..SamplingResult::new(answer.unwrap_or(Decision::RecordAndSample), state)
        }
    }

    fn description(&self) -> String {
        "Callback".to_owned()
    }
}

/// What is told of a span that is about to start.
fn about<'a>(input: &'a SamplingInput<'_>) -> Value<'a> {
    let pairs = |pairs: &'a [(Cow<'_, str>, Value<'_>)]| {
        Value::Map(pairs.iter().map(|(key, value)| (Cow::Borrowed(key.as_ref()), value.clone())).collect())
    };
    let parent = input.parent.filter(|parent| parent.is_valid());
    let trace_id =
        if input.trace_id == TraceId::INVALID { Value::Null } else { input.trace_id.to_hex().into() };
    let entries = [
        ("name", input.name.into()),
        ("type", input.span_type.as_str().into()),
        ("kind", input.kind.as_str().into()),
        ("traceId", trace_id),
        ("attributes", pairs(input.attributes)),
        ("metadata", pairs(input.metadata)),
        ("requestContext", input.request_context.cloned().unwrap_or(Value::Null)),
        ("parent", parent.map_or(Value::Null, |parent| Value::Bytes(wire::context_bytes(parent).into()))),
    ];
    Value::Map(entries.into_iter().map(|(key, value)| (Cow::Borrowed(key), value)).collect())
}
