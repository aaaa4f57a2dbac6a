//! Options given as data: keyword arguments of a binding, read in one place for all languages.

#[cfg(feature = "otlp-http")]
use std::path::PathBuf;
use std::time::Duration;

use super::content;
use super::exporters::{Colour, ConsoleOptions, ExporterOptions};
use super::limits::{DiagnosticLevel, LONGEST};
use super::metrics;
use super::options::Options;
#[cfg(feature = "otlp-http")]
use super::otlp::{Endpoint, OtlpOptions};
use super::privacy;
use crate::carried::{CarriedId, CarriedSet};
use crate::error::Error;
#[cfg(feature = "engine")]
use crate::export::file::FileOptions;
#[cfg(feature = "otlp-http")]
use crate::export::otlp::{Compression, RetryOptions};
use crate::kinds::{SpanType, TypeSet};
use crate::logs::LogLevel;
use crate::sampling::HeadSampler;
use crate::sampling::fields::{Fields, number, truth, unexpected};
use crate::semantics::Dialect;
use crate::value::Value;

pub(super) const SECONDS: &str = "a number of seconds, 0 to 31536000";
pub(super) const COUNT: &str = "a whole number, 0 or more";
pub(super) const TRUTH: &str = "true or false";
const DIALECT: &str = "genai or openinference";
const TRAVELLING: &str = "true, false, or a list of session_id, user_id, organization_id, thread_id, run_id, \
                           request_id and resource_id";
const FAMILIES: &str = "a list of workflow, agent, tool and model, or all";
const TYPES: &str = "a list of span types";
const EXPORTER: &str =
    "otlp, console, none, the name of a preset, or a map with the type otlp_http, console or file";

/// The options of an engine itself.
const ENGINE: [&str; 57] = [
    "service",
    "name",
    "replace",
    "disabled",
    "resource",
    "resource_schema_url",
    "sampler",
    "propagators",
    "exporter",
    "exporters",
    "max_queue_spans",
    "max_batch_spans",
    "max_batch_bytes",
    "schedule_delay",
    "export_timeout",
    "attribute_count_limit",
    "attribute_value_length_limit",
    "event_count_limit",
    "link_count_limit",
    "event_attribute_count_limit",
    "link_attribute_count_limit",
    "limits",
    "serialization_options",
    "max_data_size",
    "include_io",
    "exclude_fields",
    "memory_budget",
    "open_spans",
    "open_span_bytes",
    "capture_value_bytes",
    "capture_span_bytes",
    "redaction",
    "hide_input",
    "hide_output",
    "exit_timeout",
    "log_level",
    "logger",
    "logs_exporter",
    "metrics",
    "metrics_exporter",
    "diagnostic_level",
    "environment",
    "session_id",
    "default_session_id",
    "user_id",
    "organization_id",
    "thread_id",
    "run_id",
    "request_id",
    "resource_id",
    "metadata",
    "tags",
    "request_context_keys",
    "propagate_context",
    "internal_spans",
    "include_internal_spans",
    "exclude_span_types",
];
/// The options of an OTLP exporter, which an engine takes too, for all of them.
#[cfg(feature = "otlp-http")]
const OTLP: [&str; 13] = [
    "endpoint",
    "traces_endpoint",
    "logs_endpoint",
    "metrics_endpoint",
    "headers",
    "timeout",
    "compression",
    "gzip_level",
    "certificate",
    "client_key",
    "client_certificate",
    "retry",
    "semantics",
];
#[cfg(not(feature = "otlp-http"))]
const OTLP: [&str; 0] = [];

impl Options {
    /// Sets the options that a map holds, by the names of the methods of [`Options`] and
    /// [`OtlpOptions`]; null leaves an option as it is. Times are in seconds, sizes in bytes.
    ///
    /// `exporter` is one of, and `exporters` a list of: `"otlp"`, `"console"`, `"none"`, the name of a preset
    /// ([`preset_names`](super::preset_names)), or a map with
    /// `type`: `otlp_http` (and the options of an OTLP exporter, `preset` and `ignore_environment` too), `console`
    /// (`colour`: auto, always, never), `file` (`path`, `max_bytes`, `max_files`, `semantics`). `sampler` is read as
    /// [`HeadSampler::from_value`] does, `propagators` is a list or a text with commas. `limits` is the name of a
    /// preset or a map of it and the fields of [`ContentLimits`](super::ContentLimits) and
    /// [`SpanLimits`](super::SpanLimits); `serialization_options` has the first four of them under the names that
    /// they had. `redaction` is true or false, the name of a style, or a map with `enabled`, `style`, and what else
    /// [`Redaction`](crate::privacy::Redaction) takes: `keys`, `patterns` (a map of names and expressions, or a
    /// list of expressions), `personal`, `allow_keys`, `allow_patterns`. `metrics` is true or false, or a map with
    /// `enabled` and what else [`MetricsOptions`](super::MetricsOptions) takes.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`](crate::ErrorCode) for an unknown name or a value of a wrong form, named as
    /// the user wrote it.
    pub fn apply(mut self, options: &Value<'_>) -> Result<Self, Error> {
        let fields = Fields::of(options, "")?;
        fields.only(&[ENGINE.as_slice(), OTLP.as_slice()].concat())?;
        let text = |key: &str| fields.read(key, "text", |value| value.as_str().map(str::to_owned));
        let size = |key: &str| fields.read(key, COUNT, count);
        if let Some(service) = text("service")? {
            self = self.service(service);
        }
        set(&mut self.name, text("name")?);
        set(&mut self.replace, fields.read("replace", TRUTH, truth)?);
        or(&mut self.disabled, fields.read("disabled", TRUTH, truth)?);
        for (key, value, _) in fields.entries("resource")? {
            self = self.resource_attribute(key, value.clone().into_owned());
        }
        set(&mut self.schema_url, text("resource_schema_url")?);
        if let Some(sampler) = fields.get("sampler") {
            self = self.sampler(HeadSampler::from_value_at(sampler, &fields.path("sampler"))?);
        }
        or(&mut self.propagators, fields.read("propagators", "a list of names", names)?);
        if let Some(exporter) = fields.get("exporter") {
            self = self.exporter(read_exporter(exporter, &fields.path("exporter"))?);
        }
        if let Some(list) = fields.get("exporters") {
            let at = fields.path("exporters");
            let Value::Array(items) = list else { return Err(unexpected(&at, list, "a list of exporters")) };
            self.exporters.get_or_insert_default();
            for (place, item) in items.iter().enumerate() {
                self = self.exporter(read_exporter(item, &format!("{at}[{place}]"))?);
            }
        }
        #[cfg(feature = "otlp-http")]
        {
            self.otlp = otlp(&fields)?.or(self.otlp);
        }
        or(&mut self.batch.max_queue_spans, size("max_queue_spans")?);
        or(&mut self.batch.max_batch_spans, size("max_batch_spans")?);
        or(&mut self.batch.max_batch_bytes, size("max_batch_bytes")?);
        or(&mut self.batch.schedule_delay, fields.read("schedule_delay", SECONDS, seconds)?);
        or(&mut self.batch.export_timeout, fields.read("export_timeout", SECONDS, seconds)?);
        or(&mut self.limits.attributes, size("attribute_count_limit")?);
        or(&mut self.limits.attribute_value_length, size("attribute_value_length_limit")?.map(Some));
        or(&mut self.limits.events, size("event_count_limit")?);
        or(&mut self.limits.links, size("link_count_limit")?);
        or(&mut self.limits.event_attributes, size("event_attribute_count_limit")?);
        or(&mut self.limits.link_attributes, size("link_attribute_count_limit")?);
        content::read(&fields, &mut self.content, &mut self.limits)?;
        if let Some(wanted) = fields.read("include_io", TRUTH, truth)? {
            self = self.include_io(wanted);
        }
        if let Some(excluded) = fields.read("exclude_fields", "a list of names", listed)? {
            self = self.exclude_fields(excluded);
        }
        set(&mut self.memory.budget_bytes, size("memory_budget")?);
        set(&mut self.memory.open_spans, size("open_spans")?);
        set(&mut self.memory.open_span_bytes, size("open_span_bytes")?);
        set(&mut self.capture.value_bytes, size("capture_value_bytes")?);
        set(&mut self.capture.span_bytes, size("capture_span_bytes")?);
        if let Some(redaction) = fields.get("redaction") {
            self.redaction = privacy::read(redaction, &fields.path("redaction"))?;
        }
        set(&mut self.hide_input, fields.read("hide_input", TRUTH, truth)?);
        set(&mut self.hide_output, fields.read("hide_output", TRUTH, truth)?);
        set(&mut self.exit_timeout, fields.read("exit_timeout", SECONDS, seconds)?);
        self = self.apply_trace(&fields)?;
        if let Some(exporters) = exporters_of(&fields, "logs_exporter")? {
            self.logs_exporters.get_or_insert_default();
            self = exporters.into_iter().fold(self, Self::logs_exporter);
        }
        if let Some(exporters) = exporters_of(&fields, "metrics_exporter")? {
            self.metrics_exporters.get_or_insert_default();
            self = exporters.into_iter().fold(self, Self::metrics_exporter);
        }
        if let Some(metrics) = fields.get("metrics") {
            self.metrics = metrics::read(metrics, &fields.path("metrics"), self.metrics)?;
        }
        or(&mut self.log_level, log_level(&fields)?);
        let expected = "none, error, warn, info or debug";
        let level =
            fields.read("diagnostic_level", expected, |value| DiagnosticLevel::from_name(value.as_str()?))?;
        or(&mut self.diagnostic_level, level);
        Ok(self)
    }
}

/// The exporters of a signal other than spans: one, or a list.
fn exporters_of(fields: &Fields<'_, '_>, option: &str) -> Result<Option<Vec<ExporterOptions>>, Error> {
    let Some(given) = fields.get(option) else { return Ok(None) };
    let at = fields.path(option);
    let items = if let Value::Array(items) = given { items.as_slice() } else { std::slice::from_ref(given) };
    items.iter().map(|item| read_exporter(item, &at)).collect::<Result<_, _>>().map(Some)
}

/// The level of log records, also as the option `logger` of old, which is translated.
fn log_level(fields: &Fields<'_, '_>) -> Result<Option<LogLevel>, Error> {
    const LEVEL: &str = "trace, debug, info, warn, error, fatal or none";
    let named = |value: &Value<'_>| LogLevel::from_name(value.as_str()?);
    let old = fields.read("logger", LEVEL, |value| match value {
        Value::Bool(true) => Some(LogLevel::default()),
        Value::Bool(false) => Some(LogLevel::None),
        name => named(name),
    })?;
    if let Some(old) = old {
        #[cfg(feature = "engine")]
        crate::log::warn_once(
            "option logger",
            &format!("the option `logger` is deprecated; use `log_level`, here {:?}", old.as_str()),
        );
        return Ok(fields.read("log_level", LEVEL, named)?.or(Some(old)));
    }
    fields.read("log_level", LEVEL, named)
}

impl Options {
    fn apply_trace(mut self, fields: &Fields<'_, '_>) -> Result<Self, Error> {
        let text = |key: &str| fields.read(key, "text", |value| value.as_str().map(str::to_owned));
        if let Some(name) = text("environment")? {
            self = self.environment(name);
        }
        for (option, id) in [
            ("default_session_id", CarriedId::Session),
            ("session_id", CarriedId::Session),
            ("user_id", CarriedId::User),
            ("organization_id", CarriedId::Organization),
            ("thread_id", CarriedId::Thread),
            ("run_id", CarriedId::Run),
            ("request_id", CarriedId::Request),
            ("resource_id", CarriedId::Resource),
        ] {
            if let Some(value) = text(option)? {
                self = self.default_id(id, value);
            }
        }
        for (key, value, _) in fields.entries("metadata")? {
            self = self.metadata(key, value.clone());
        }
        if let Some(tags) = fields.read("tags", "a list of texts", listed)? {
            self = self.tags(tags);
        }
        if let Some(keys) = fields.read("request_context_keys", "a list of names or dotted paths", names)? {
            self = self.request_context_keys(keys);
        }
        set(&mut self.trace.propagate, fields.read("propagate_context", TRAVELLING, travelling)?);
        set(&mut self.trace.hiding.internal, fields.read("internal_spans", FAMILIES, families)?);
        let include = fields.read("include_internal_spans", TRUTH, truth)?;
        set(&mut self.trace.hiding.include_internal, include);
        set(&mut self.trace.hiding.excluded, fields.read("exclude_span_types", TYPES, types)?);
        Ok(self)
    }
}

impl ExporterOptions {
    /// Reads one exporter, as [`Options::apply`] does; `at` is what its option is called.
    ///
    /// # Errors
    /// As [`Options::apply`].
    pub fn from_value(value: &Value<'_>, at: &str) -> Result<Self, Error> {
        read_exporter(value, at)
    }
}

fn read_exporter(value: &Value<'_>, at: &str) -> Result<ExporterOptions, Error> {
    match value {
        Value::Str(name) => match name.as_ref() {
            #[cfg(feature = "otlp-http")]
            "otlp" | "otlp_http" => Ok(ExporterOptions::OtlpHttp(OtlpOptions::new())),
            "console" => Ok(ExporterOptions::Console(ConsoleOptions::default())),
            "none" => Ok(ExporterOptions::None),
            #[cfg(feature = "otlp-http")]
            name if super::presets::find(name).is_some() => {
                Ok(ExporterOptions::OtlpHttp(OtlpOptions::new().preset(name)))
            }
            _ => Err(unexpected(at, value, EXPORTER)),
        },
        Value::Map(_) => {
            let fields = Fields::of(value, at)?;
            match fields.text("type")? {
                #[cfg(feature = "otlp-http")]
                "otlp" | "otlp_http" => {
                    fields.only(&[&["type", "preset", "ignore_environment"], OTLP.as_slice()].concat())?;
                    let mut options = otlp(&fields)?;
                    options.preset =
                        fields.read("preset", "text", |value| value.as_str().map(str::to_owned))?;
                    let alone = fields.read("ignore_environment", TRUTH, truth)?;
                    options.ignores_environment = alone.unwrap_or(false);
                    Ok(ExporterOptions::OtlpHttp(options))
                }
                "console" => {
                    fields.only(&["type", "colour"])?;
                    let colour = fields.read("colour", "auto, always or never", |value| {
                        Colour::from_name(value.as_str()?)
                    })?;
                    Ok(ExporterOptions::Console(ConsoleOptions { colour: colour.unwrap_or_default() }))
                }
                #[cfg(feature = "engine")]
                "file" => {
                    fields.only(&["type", "path", "max_bytes", "max_files", "semantics"])?;
                    let mut options = FileOptions::new(fields.text("path")?);
                    set(&mut options.max_bytes, fields.read("max_bytes", COUNT, whole)?);
                    set(&mut options.max_files, fields.read("max_files", COUNT, whole)?);
                    set(&mut options.semantics, fields.read("semantics", DIALECT, dialect)?);
                    Ok(ExporterOptions::File(options))
                }
                "none" => {
                    fields.only(&["type"])?;
                    Ok(ExporterOptions::None)
                }
                other => Err(Error::invalid_option(&fields.path("type"), other, EXPORTER)),
            }
        }
        other => Err(unexpected(at, other, EXPORTER)),
    }
}

#[cfg(feature = "otlp-http")]
fn otlp(fields: &Fields<'_, '_>) -> Result<OtlpOptions, Error> {
    let text = |key: &str| fields.read(key, "text", |value| value.as_str().map(str::to_owned));
    let path = |key: &str| fields.read(key, "the path of a file", |value| value.as_str().map(PathBuf::from));
    let mut headers = Vec::new();
    for (name, value, at) in fields.entries("headers")? {
        // The value of a header is a secret as a rule and is not shown.
        let text = value.as_str().ok_or_else(|| Error::invalid_option(&at, "…", "text"))?;
        headers.push((name.to_owned(), text.to_owned()));
    }
    let compression = fields.read("compression", "gzip or none", |value| match value.as_str()? {
        "gzip" => Some(Compression::Gzip),
        "none" => Some(Compression::None),
        _ => None,
    })?;
    let base = text("endpoint")?.map(Endpoint::Base);
    Ok(OtlpOptions {
        endpoint: text("traces_endpoint")?.map(Endpoint::Exact).or(base),
        logs_endpoint: text("logs_endpoint")?,
        metrics_endpoint: text("metrics_endpoint")?,
        headers,
        timeout: fields.read("timeout", SECONDS, seconds)?,
        compression,
        gzip_level: fields.read("gzip_level", "1 to 9", whole)?,
        certificate: path("certificate")?,
        client_key: path("client_key")?,
        client_certificate: path("client_certificate")?,
        retry: fields.get("retry").map(|value| retry(value, &fields.path("retry"))).transpose()?,
        semantics: fields.read("semantics", DIALECT, dialect)?,
        preset: None,
        ignores_environment: false,
    })
}

#[cfg(feature = "otlp-http")]
fn retry(value: &Value<'_>, at: &str) -> Result<RetryOptions, Error> {
    let fields = Fields::of(value, at)?;
    fields.only(&["initial", "max", "factor", "max_elapsed"])?;
    let mut options = RetryOptions::default();
    set(&mut options.initial, fields.read("initial", SECONDS, seconds)?);
    set(&mut options.max, fields.read("max", SECONDS, seconds)?);
    let factor = fields.read("factor", "a number from 1 to 10", |value| {
        number(value).filter(|factor| (1.0..=10.0).contains(factor))
    })?;
    set(&mut options.factor, factor);
    set(&mut options.max_elapsed, fields.read("max_elapsed", SECONDS, seconds)?);
    Ok(options)
}

fn set<T>(option: &mut T, found: Option<T>) {
    if let Some(found) = found {
        *option = found;
    }
}

fn or<T>(option: &mut Option<T>, found: Option<T>) {
    if found.is_some() {
        *option = found;
    }
}

/// The ids that travel: all that may, none, or those of a list.
fn travelling(value: &Value<'_>) -> Option<CarriedSet> {
    match value {
        Value::Bool(all) => Some(if *all { CarriedSet::travelling() } else { CarriedSet::EMPTY }),
        list => {
            let id = |name: &String| {
                CarriedId::from_name(name.trim()).filter(|id| CarriedSet::travelling().contains(*id))
            };
            names(list)?.iter().map(id).collect()
        }
    }
}

fn families(value: &Value<'_>) -> Option<TypeSet> {
    let families = names(value)?;
    families.iter().try_fold(TypeSet::EMPTY, |types, name| {
        Some(types.union(TypeSet::of_family(&name.trim().to_ascii_lowercase())?))
    })
}

fn types(value: &Value<'_>) -> Option<TypeSet> {
    names(value)?.iter().map(|name| SpanType::from_name(name)).collect()
}

fn dialect(value: &Value<'_>) -> Option<Dialect> {
    Dialect::from_name(value.as_str()?)
}

pub(super) fn count(value: &Value<'_>) -> Option<usize> {
    whole(value)
}

/// A whole number, also where the host has only doubles.
fn whole<T: TryFrom<i64>>(value: &Value<'_>) -> Option<T> {
    let integer = match value {
        Value::F64(double) if double.fract() == 0.0 && double.abs() < i64::MAX as f64 => *double as i64,
        other => other.as_i64()?,
    };
    T::try_from(integer).ok()
}

pub(super) fn seconds(value: &Value<'_>) -> Option<Duration> {
    let time = Duration::try_from_secs_f64(number(value)?).ok()?;
    (time <= LONGEST).then_some(time)
}

pub(super) fn listed(value: &Value<'_>) -> Option<Vec<String>> {
    let Value::Array(items) = value else { return None };
    items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

fn names(value: &Value<'_>) -> Option<Vec<String>> {
    match value {
        Value::Str(list) => Some(list.split(',').map(str::to_owned).collect()),
        other => listed(other),
    }
}
