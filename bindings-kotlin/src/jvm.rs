//! The entry of the JVM: what the first span and every batch need, over JNI, where a call costs 20 nanoseconds.
//!
//! The class `dev.polyspan.internal.Jni` declares these functions. Nothing but numbers and byte arrays crosses: texts
//! are UTF-8, engines and ambients are numbers of a [`Table`], results of several parts are one value
//! (`docs/frame.md`). No function throws: a null array is an empty one, a number that stands for nothing does nothing,
//! and what fails answers with null or 0.

use std::borrow::Cow;
use std::sync::Arc;

use jni::errors::Error as JniError;
use jni::objects::{JByteArray, JClass, JLongArray, ReleaseMode};
use jni::refs::Reference;
use jni::sys::{jboolean, jdouble, jint, jlong};
use jni::{Env, EnvUnowned, Outcome};
use polyspan::hosted::{self, HostCounts, answer};
use polyspan::value::Value;
use polyspan::{Engine, registry};

use crate::around::AMBIENTS;
use crate::engine::{self, ENGINES, time};
use crate::entry::{count_panic, guarded};
use crate::{failure, options, span};

/// What [`Java_dev_polyspan_internal_Jni_submit`] answers where no such engine is.
const NOWHERE: jint = (answer::LOST | answer::STOPPED) as jint;

/// Runs a function of the class: nothing that goes wrong leaves it.
fn entered<'l, R: Default>(
    env: &mut EnvUnowned<'l>,
    run: impl FnOnce(&mut Env<'l>) -> Result<R, JniError>,
) -> R {
    match env.with_env(run).into_outcome() {
        Outcome::Ok(result) => result,
        Outcome::Err(_) => R::default(),
        Outcome::Panic(_) => {
            count_panic(None);
            R::default()
        }
    }
}

fn bytes(env: &Env<'_>, array: &JByteArray<'_>) -> Result<Vec<u8>, JniError> {
    if array.is_null() { Ok(Vec::new()) } else { env.convert_byte_array(array) }
}

fn text(env: &Env<'_>, array: &JByteArray<'_>) -> Result<String, JniError> {
    Ok(String::from_utf8_lossy(&bytes(env, array)?).into_owned())
}

fn array<'l>(env: &mut Env<'l>, bytes: &[u8]) -> Result<JByteArray<'l>, JniError> {
    env.byte_array_from_slice(bytes)
}

fn told<'l>(env: &mut Env<'l>, value: &Value<'_>) -> Result<JByteArray<'l>, JniError> {
    array(env, &hosted::write_value(value))
}

fn map<'a, const N: usize>(entries: [(&'static str, Value<'a>); N]) -> Value<'a> {
    Value::Map(entries.into_iter().map(|(key, value)| (Cow::Borrowed(key), value)).collect())
}

fn texts(texts: Vec<String>) -> Value<'static> {
    Value::Array(texts.into_iter().map(Value::from).collect())
}

fn optional(bytes: Option<Vec<u8>>) -> Value<'static> {
    bytes.map_or(Value::Null, |bytes| Value::Bytes(bytes.into()))
}

/// The error in a line, its code before the first colon; null where there is none.
fn outcome<'l, R>(env: &mut Env<'l>, result: Result<R, polyspan::Error>) -> Result<JByteArray<'l>, JniError> {
    match result {
        Ok(_) => Ok(JByteArray::default()),
        Err(error) => array(env, error.to_string().as_bytes()),
    }
}

/// `byte[] init(byte[] options, boolean provider, long[] engine)`: starts an engine by options that are a map, and
/// puts its number into the array. An error in a line, or null.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_init<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    given: JByteArray<'l>,
    provider: jboolean,
    number: JLongArray<'l>,
) -> JByteArray<'l> {
    entered(&mut env, |env| {
        let given = bytes(env, &given)?;
        let started = failure::value("options", &given)
            .and_then(|given| options::none("java").apply(&given))
            .and_then(|options| engine::run(options, provider));
        if let (Ok(engine), false) = (&started, number.is_null()) {
            number.set_region(env, 0, &[ENGINES.put(engine.clone())])?;
        }
        outcome(env, started)
    })
}

/// `long engine(byte[] name)`: the engine of that name, or the default one for null; 0 where it does not run. Each call
/// gives a number of its own, to be released.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_engine<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    name: JByteArray<'l>,
) -> jlong {
    entered(&mut env, |env| {
        let engine =
            if name.is_null() { registry::default_engine() } else { registry::engine(&text(env, &name)?) };
        Ok(engine.map_or(0, |engine| ENGINES.put(engine)))
    })
}

/// `void release(long engine)`: the number is not used any more; the engine runs on.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_release<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
) {
    entered(&mut env, |_| {
        ENGINES.remove(engine);
        Ok(())
    });
}

/// Answers with bytes that an engine has; null where there is no such engine.
fn of_engine<'l>(
    env: &mut EnvUnowned<'l>,
    engine: jlong,
    ask: impl FnOnce(&Engine) -> Option<Vec<u8>>,
) -> JByteArray<'l> {
    entered(env, |env| {
        let Some(engine) = ENGINES.get(engine) else { return Ok(JByteArray::default()) };
        match guarded(Some(&engine), None, || ask(&engine)) {
            Some(bytes) => array(env, &bytes),
            None => Ok(JByteArray::default()),
        }
    })
}

/// `byte[] name(long engine)`: its name in the registry.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_name<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
) -> JByteArray<'l> {
    of_engine(&mut env, engine, |engine| Some(engine.name().as_bytes().to_vec()))
}

/// `byte[] terms(long engine)`: what holds for every span that the host records by itself, as a map.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_terms<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
) -> JByteArray<'l> {
    of_engine(&mut env, engine, Engine::told_terms)
}

/// `byte[] drawRoots(long engine, int n)`: for each root 16 bytes of trace id, a decision, the length of its tracestate
/// and that. Empty where each has to be asked for.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_drawRoots<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
    n: jint,
) -> JByteArray<'l> {
    of_engine(&mut env, engine, |engine| Some(engine.told_roots(usize::try_from(n).unwrap_or(0))))
}

/// `byte[] inherited(long engine, long ambient)`: what spans inside begin with, as a map of `fields`, `tags`, `flags`
/// and `asks`; ambient 0 is none.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_inherited<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
    ambient: jlong,
) -> JByteArray<'l> {
    of_engine(&mut env, engine, |engine| {
        let inherited = engine.inherited(AMBIENTS.get(ambient).as_deref());
        Some(hosted::write_value(&map([
            ("fields", Value::Bytes(inherited.fields.into())),
            ("tags", Value::Bytes(inherited.tags.into())),
            ("flags", Value::I64(inherited.flags.bits().into())),
            ("asks", inherited.asks.into()),
        ])))
    })
}

/// `byte[] seed()`: 32 random bytes, for ids that the host makes.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_seed<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
) -> JByteArray<'l> {
    entered(&mut env, |env| array(env, &hosted::seed()))
}

/// Six numbers, or fewer where the array has fewer.
fn counted(env: &Env<'_>, counts: &JLongArray<'_>) -> Result<HostCounts, JniError> {
    if counts.is_null() {
        return Ok(HostCounts::default());
    }
    let mut numbers = [0; 6];
    let given = counts.len(env)?.min(numbers.len());
    if let Some(numbers) = numbers.get_mut(..given) {
        counts.get_region(env, 0, numbers)?;
    }
    Ok(HostCounts::from_numbers(numbers.into_iter().map(|count| u64::try_from(count).unwrap_or(0))))
}

/// `int submit(long engine, byte[] frame, int length, int spans, long[] counts)`: takes in the first `length` bytes of a
/// frame with so many spans. `counts` is null, or: spans that do not record, those among them that ended, refused as
/// too many were open, ended twice, altered values, values cut by limits. Answers with the bits 1 lost, 2 memory is
/// short, 4 stopped, 8 log lines wait.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_submit<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
    frame: JByteArray<'l>,
    length: jint,
    spans: jint,
    counts: JLongArray<'l>,
) -> jint {
    let Some(engine) = ENGINES.get(engine) else { return NOWHERE };
    entered(&mut env, |env| {
        let counts = counted(env, &counts)?;
        if frame.is_null() || length <= 0 {
            return Ok(engine::take_in(&engine, &[], 0, counts));
        }
        // SAFETY: the array is looked at once and only read, by a call that takes it into the hand-off without calling
        // the JVM and without waiting for a thread that does; the host does not change it meanwhile, since the thread
        // that owns it is the one that calls. A thread's first call makes its lane, and a process's first one starts
        // the export thread, which takes microseconds, as long as the garbage collector may wait.
        let elements = unsafe { frame.get_elements_critical(env, ReleaseMode::NoCopyBack)? };
        let length = elements.len().min(usize::try_from(length).unwrap_or(0));
        // SAFETY: as many bytes as the array has, or fewer; Java's bytes are bytes.
        let frame = unsafe { std::slice::from_raw_parts(elements.as_ptr().cast::<u8>(), length) };
        Ok(engine::take_in(&engine, frame, spans, counts))
    })
}

/// `int scope(long engine, byte[] name, byte[] version, byte[] schemaUrl)`: a number for an instrumentation scope.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_scope<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
    name: JByteArray<'l>,
    version: JByteArray<'l>,
    schema_url: JByteArray<'l>,
) -> jint {
    entered(&mut env, |env| {
        let Some(engine) = ENGINES.get(engine) else { return Ok(0) };
        let (name, version, schema_url) = (text(env, &name)?, text(env, &version)?, text(env, &schema_url)?);
        Ok(guarded(Some(&engine), 0, || engine::scope(&engine, name, version, schema_url)))
    })
}

/// `byte[] start(long engine, byte[] described, byte[] parent, long ambient, byte[] request, byte[] traceId)`: starts a
/// span by all the engine's rules, as a map of `slot`, `context`, `body` and `ambient`; what is not there is null.
/// Engine 0 is the selector's choice or the default one.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_start<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
    described: JByteArray<'l>,
    parent: JByteArray<'l>,
    ambient: jlong,
    request: JByteArray<'l>,
    trace_id: JByteArray<'l>,
) -> JByteArray<'l> {
    entered(&mut env, |env| {
        let (described, parent) = (bytes(env, &described)?, bytes(env, &parent)?);
        let (request, trace_id) = (bytes(env, &request)?, text(env, &trace_id)?);
        let trace_id = Some(trace_id.as_str()).filter(|id| !id.is_empty());
        let (engine, around) = (ENGINES.get(engine), AMBIENTS.get(ambient));
        let started = span::start(engine.as_ref(), &described, &parent, around.as_ref(), &request, trace_id);
        let inside = started.surroundings.map(|around| AMBIENTS.put(around));
        told(
            env,
            &map([
                ("slot", started.slot.map_or(Value::Null, |slot| Value::I64(slot.into()))),
                ("context", Value::Bytes(hosted::write_context(&started.context).into())),
                ("body", optional(started.body)),
                ("ambient", inside.map_or(Value::Null, Value::I64)),
            ]),
        )
    })
}

/// `byte[] surround(long outer, byte[] added)`: what is inherited inside once a context or span adds something, as a map
/// of `ambient`, a number to be released, and `refused`.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_surround<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    outer: jlong,
    added: JByteArray<'l>,
) -> JByteArray<'l> {
    entered(&mut env, |env| {
        let added = bytes(env, &added)?;
        let outer = AMBIENTS.get(outer);
        let (around, refused) = hosted::surround(outer.as_ref(), &added);
        let number = AMBIENTS.put(Arc::new(around));
        told(env, &map([("ambient", Value::I64(number)), ("refused", Value::I64(refused.into()))]))
    })
}

/// `byte[] baggage(long ambient)`: a list of texts: key, value, properties, and so on.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_baggage<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    ambient: jlong,
) -> JByteArray<'l> {
    entered(&mut env, |env| {
        let baggage = AMBIENTS.get(ambient).map(|around| hosted::flat_baggage(around.baggage()));
        told(env, &texts(baggage.unwrap_or_default()))
    })
}

/// `void releaseAmbient(long ambient)`: the number is not used any more.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_releaseAmbient<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    ambient: jlong,
) {
    entered(&mut env, |_| {
        AMBIENTS.remove(ambient);
        Ok(())
    });
}

/// `byte[] extract(long engine, byte[] headers)`: reads headers, a list of texts: name in lower case, value, and so on.
/// What they brought, as a map of `context` or null, `baggage` and `ids`, both flat, and `refused`.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_extract<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
    headers: JByteArray<'l>,
) -> JByteArray<'l> {
    entered(&mut env, |env| {
        let headers = bytes(env, &headers)?;
        let engine = ENGINES.get(engine);
        let brought = guarded(engine.as_ref(), hosted::Brought::default(), || {
            let headers = match hosted::read_value(&headers) {
                Some(Value::Array(headers)) => headers,
                _ => Vec::new(),
            };
            let mut texts = headers.iter().map(|text| text.as_str().unwrap_or_default());
            let mut pairs = Vec::new();
            while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
                pairs.push((name.to_owned(), value.as_bytes().to_vec()));
            }
            hosted::extract(engine.as_ref(), pairs)
        });
        let refused = brought.refused.into_iter().map(|count| Value::I64(count.into()));
        told(
            env,
            &map([
                ("context", optional(brought.context.as_ref().map(hosted::write_context))),
                ("baggage", texts(brought.baggage)),
                ("ids", texts(brought.ids)),
                ("refused", Value::Array(refused.collect())),
            ]),
        )
    })
}

/// `byte[] carrierFields(long engine)`: the names of all headers that `extract` looks for, in lower case.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_carrierFields<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
) -> JByteArray<'l> {
    entered(&mut env, |env| told(env, &texts(hosted::carrier_fields(ENGINES.get(engine).as_ref()))))
}

/// `byte[] inject(long engine, byte[] context, long ambient)`: the headers that say what is current, as a map of
/// `headers`, a list of names and values, and `refused`.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_inject<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
    context: JByteArray<'l>,
    ambient: jlong,
) -> JByteArray<'l> {
    entered(&mut env, |env| {
        let context = hosted::read_context(&bytes(env, &context)?).unwrap_or_default();
        let (engine, around) = (ENGINES.get(engine), AMBIENTS.get(ambient));
        let written = guarded(engine.as_ref(), hosted::Written::default(), || {
            hosted::inject(engine.as_ref(), &context, around.as_deref())
        });
        let refused = Value::I64(written.refused.into());
        told(env, &map([("headers", texts(written.headers)), ("refused", refused)]))
    })
}

/// `byte[] stats(long engine)`: what it has counted, as a map.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_stats<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
) -> JByteArray<'l> {
    of_engine(&mut env, engine, |engine| Some(hosted::write_value(&hosted::stats(&engine.stats()))))
}

/// `byte[] resource(long engine)`: the attributes that every span says of its process, as a map.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_resource<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
) -> JByteArray<'l> {
    of_engine(&mut env, engine, |engine| Some(engine.told_resource()))
}

/// `byte[] record(long engine, byte[] body, boolean raw)`: what the body of a span's event says, as a map: redacted and
/// limited, unless it is to be raw. Null where that fails.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_record<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
    body: JByteArray<'l>,
    raw: jboolean,
) -> JByteArray<'l> {
    let body = entered(&mut env, |env| bytes(env, &body));
    of_engine(&mut env, engine, |engine| engine.told_record(&body, raw))
}

/// `void hold(long engine, boolean held)`: has the exporters keep what they are given from now on, or lets it go again.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_hold<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
    held: jboolean,
) {
    entered(&mut env, |_| {
        if let Some(engine) = ENGINES.get(engine) {
            engine.hold(held);
        }
        Ok(())
    });
}

/// `byte[] flush(long engine, double seconds)`: waits until every span that had ended is delivered or given up. An error
/// in a line, or null.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_flush<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
    seconds: jdouble,
) -> JByteArray<'l> {
    entered(&mut env, |env| {
        let flushed = ENGINES.get(engine).map_or(Ok(()), |engine| engine.flush(time(seconds)).map(drop));
        outcome(env, flushed)
    })
}

/// `byte[] shutdown(long engine, double seconds)`: flushes and stops it. An error in a line, or null.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_shutdown<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
    seconds: jdouble,
) -> JByteArray<'l> {
    entered(&mut env, |env| {
        let stopped = ENGINES.get(engine).map_or(Ok(()), |engine| engine.shutdown(time(seconds)).map(drop));
        outcome(env, stopped)
    })
}

/// `byte[] takeLog()`: what the engine itself has to say, a list of lines.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_takeLog<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
) -> JByteArray<'l> {
    entered(&mut env, |env| told(env, &texts(hosted::lines::take())))
}

/// `void exit()`: shuts every engine down within its exit bound, when the process ends.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_exit<'l>(mut env: EnvUnowned<'l>, _: JClass<'l>) {
    entered(&mut env, |_| {
        registry::flush_at_exit();
        Ok(())
    });
}

/// `byte[] version()`: that of the engine.
#[unsafe(no_mangle)]
pub extern "system" fn Java_dev_polyspan_internal_Jni_version<'l>(
    mut env: EnvUnowned<'l>,
    _: JClass<'l>,
) -> JByteArray<'l> {
    entered(&mut env, |env| array(env, env!("CARGO_PKG_VERSION").as_bytes()))
}
