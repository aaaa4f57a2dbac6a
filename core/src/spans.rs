//! Attributes of the AI span types, typed: for each type a struct with a method for each of its attributes.
//!
//! ```
//! use polyspan::Value;
//! use polyspan::spans::{Agent, ModelGeneration, Tool};
//!
//! # use polyspan::{Options, config::ExporterOptions, export::memory::MemoryStore};
//! # let store = MemoryStore::new();
//! # let engine = polyspan::init(Options::new("docs").exporter(ExporterOptions::Memory(store.clone())))?;
//! let mut run = polyspan::span("support").typed(Agent::new().max_steps(5)).start();
//! let call = ModelGeneration::new().model("gpt-5").provider("openai").temperature(0.2);
//! let mut call = polyspan::span("draft").typed(call).child_of(&run).start();
//! let usage = Value::from_iter([("input_tokens", 812), ("output_tokens", 64)]);
//! call.set_typed(ModelGeneration::new().finish_reason(["stop"]).usage(usage)).output("Hello").end();
//! polyspan::span("look_up").typed(Tool::new().tool_call_id("call_1")).child_of(&run).start().end();
//! run.end();
//! # engine.flush(std::time::Duration::from_secs(20))?;
//! # let spans = store.take();
//! # assert_eq!(spans[0].span_type, polyspan::SpanType::ModelGeneration);
//! # assert!(spans[0].attributes.contains(&("model".to_owned(), "gpt-5".into())));
//! # assert!(spans[0].attributes.iter().any(|(key, _)| key == "usage"));
//! # engine.shutdown(std::time::Duration::from_secs(20))?;
//! # Ok::<(), polyspan::Error>(())
//! ```
//!
//! What each is called on the wire stands in `docs/ai-spans.md`. `types` is written by
//! `bindings-python/tools/spans.py` from the table of span types ([`crate::semantics::types`]).

mod types;

use std::borrow::Cow;

pub use types::*;

use crate::kinds::SpanType;
#[cfg(feature = "engine")]
use crate::span::{Span, SpanBuilder};
use crate::value::Value;

/// Attributes of one span type.
pub trait Typed<'a> {
    /// The type.
    const TYPE: SpanType;
    /// The names of all that it may have, in the order of the table.
    const NAMES: &'static [&'static str];

    /// Those that were given.
    fn into_attributes(self) -> Vec<(Cow<'a, str>, Value<'a>)>;
}

#[cfg(feature = "engine")]
impl<'a> SpanBuilder<'a> {
    /// Makes it a span of that type, with these attributes, which the sampler sees too.
    pub fn typed<T: Typed<'a>>(self, attributes: T) -> Self {
        let given = attributes.into_attributes().into_iter();
        given.fold(self.kind_of(T::TYPE), |builder, (key, value)| builder.attribute(key, value))
    }
}

#[cfg(feature = "engine")]
impl Span {
    /// Sets attributes of a type; the type of the span stays what it is.
    pub fn set_typed<'a>(&mut self, attributes: impl Typed<'a>) -> &mut Self {
        for (key, value) in attributes.into_attributes() {
            self.set(&key, value);
        }
        self
    }
}

/// Text as a value.
fn text<'a>(given: impl Into<Cow<'a, str>>) -> Value<'a> {
    Value::Str(given.into())
}

/// Texts as a list.
fn texts<'a, T: Into<Cow<'a, str>>>(given: impl IntoIterator<Item = T>) -> Value<'a> {
    Value::Array(given.into_iter().map(text).collect())
}

/// A point in time, in nanoseconds since the Unix epoch.
fn time<'a>(unix_nanos: u64) -> Value<'a> {
    Value::I64(i64::try_from(unix_nanos).unwrap_or(i64::MAX))
}

/// A method for an attribute, by what its value is.
macro_rules! attribute {
    ($(#[$about:meta])* $name:ident: Text) => {
        $(#[$about])*
        pub fn $name(self, value: impl Into<Cow<'a, str>>) -> Self {
            self.with(stringify!($name), text(value))
        }
    };
    ($(#[$about:meta])* $name:ident: Integer) => {
        $(#[$about])*
        pub fn $name(self, value: i64) -> Self {
            self.with(stringify!($name), Value::I64(value))
        }
    };
    ($(#[$about:meta])* $name:ident: Number) => {
        $(#[$about])*
        pub fn $name(self, value: f64) -> Self {
            self.with(stringify!($name), Value::F64(value))
        }
    };
    ($(#[$about:meta])* $name:ident: Truth) => {
        $(#[$about])*
        pub fn $name(self, value: bool) -> Self {
            self.with(stringify!($name), Value::Bool(value))
        }
    };
    ($(#[$about:meta])* $name:ident: Texts) => {
        $(#[$about])*
        pub fn $name<T: Into<Cow<'a, str>>>(self, values: impl IntoIterator<Item = T>) -> Self {
            self.with(stringify!($name), texts(values))
        }
    };
    ($(#[$about:meta])* $name:ident: Time) => {
        $(#[$about])*
        ///
        /// In nanoseconds since the Unix epoch.
        pub fn $name(self, unix_nanos: u64) -> Self {
            self.with(stringify!($name), time(unix_nanos))
        }
    };
    ($(#[$about:meta])* $name:ident: Any) => {
        $(#[$about])*
        pub fn $name(self, value: impl Into<Value<'a>>) -> Self {
            self.with(stringify!($name), value.into())
        }
    };
}

/// The struct of a span type.
macro_rules! span_type {
    ($(#[$about:meta])* $type:ident { $($(#[$said:meta])* $name:ident: $form:ident,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Default)]
        #[must_use = "attributes do nothing until a span is given them"]
        pub struct $type<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

        impl<'a> $type<'a> {
            /// None of them.
            pub const fn new() -> Self {
                Self(Vec::new())
            }

            fn with(mut self, name: &'static str, value: Value<'a>) -> Self {
                self.0.push((Cow::Borrowed(name), value));
                self
            }

            $(attribute! { $(#[$said])* $name: $form })*
        }

        impl<'a> Typed<'a> for $type<'a> {
            const TYPE: SpanType = SpanType::$type;
            const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            fn into_attributes(self) -> Vec<(Cow<'a, str>, Value<'a>)> {
                self.0
            }
        }
    };
}

use {attribute, span_type};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::types::info;

    #[test]
    fn every_type_has_the_attributes_of_the_table() {
        for (span_type, names) in types::EVERY {
            let table: Vec<_> = info(*span_type).unwrap().all_attributes().map(|known| known.name).collect();
            assert_eq!(*names, table, "run bindings-python/tools/spans.py: {span_type} is stale");
        }
        let types: Vec<_> = types::EVERY.iter().map(|(span_type, _)| *span_type).collect();
        let table: Vec<_> = crate::semantics::types::all().map(|info| info.span_type).collect();
        assert_eq!(types, table);
    }

    #[test]
    fn values_have_the_form_that_the_table_says() {
        let call = ModelGeneration::new()
            .model("gpt-5")
            .max_tokens(100)
            .temperature(0.5)
            .streaming(true)
            .finish_reason(["stop"])
            .completion_start_time(7)
            .usage(Value::from_iter([("input_tokens", 3)]));
        let given: Vec<_> = call.into_attributes().into_iter().map(|(_, value)| value).collect();
        let usage = Value::from_iter([("input_tokens", 3)]);
        let stop = Value::Array(vec!["stop".into()]);
        assert_eq!(given, ["gpt-5".into(), 100.into(), 0.5.into(), true.into(), stop, 7.into(), usage]);
    }
}
