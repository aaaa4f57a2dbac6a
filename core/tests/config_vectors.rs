//! Replays `tests/vectors/config_env.json`: options and environment in, configuration, warnings or error
//! out. The environment of the test process is not touched.

#![cfg(feature = "otlp-http")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::path::PathBuf;
use std::time::Duration;

use polyspan::config::{Options, ResolvedConfig, ResolvedExporter, env};
use polyspan::{CarriedId, Error, SpanType, TypeSet, Value};
use serde_json::{Map, Value as Json, json};

fn value(json: &Json) -> Value<'_> {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::F64(number.as_f64().unwrap()), Value::I64)
        }
        Json::String(text) => Value::from(text),
        Json::Array(items) => Value::Array(items.iter().map(value).collect()),
        Json::Object(entries) => entries.iter().map(|(key, item)| (key.as_str(), value(item))).collect(),
    }
}

fn json(value: &Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::I64(value) => json!(value),
        Value::F64(value) => json!(value),
        Value::Str(text) => json!(text),
        Value::Array(items) => items.iter().map(json).collect(),
        Value::Bytes(_) | Value::Map(_) => panic!("not used in these vectors"),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap()
}

fn exporter(exporter: &ResolvedExporter) -> Json {
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_str().unwrap().to_owned());
    match exporter {
        ResolvedExporter::OtlpHttp(otlp) => json!({
            "type": "otlp_http",
            "endpoint": otlp.endpoint,
            "headers": otlp.headers.iter().cloned().map(|(k, v)| (k, Json::from(v))).collect::<Map<_, _>>(),
            "timeout_ms": millis(otlp.timeout),
            "compression": format!("{:?}", otlp.compression).to_lowercase(),
            "gzip_level": otlp.gzip_level,
            "semantics": format!("{:?}", otlp.semantics),
            "certificate": path(&otlp.certificate),
            "client_key": path(&otlp.client_key),
            "client_certificate": path(&otlp.client_certificate),
        }),
        ResolvedExporter::Console(console) => json!({"type": "console", "colour": console.colour.as_str()}),
        ResolvedExporter::File(file) => json!({
            "type": "file", "path": file.path, "max_bytes": file.max_bytes, "max_files": file.max_files,
            "semantics": format!("{:?}", file.semantics),
        }),
        other => panic!("{other:?} is not used in these vectors"),
    }
}

/// Where an OTLP exporter sends to.
fn endpoint(exporter: &ResolvedExporter) -> Option<&str> {
    match exporter {
        ResolvedExporter::OtlpHttp(otlp) => Some(&otlp.endpoint),
        _ => None,
    }
}

fn trace(config: &ResolvedConfig) -> Json {
    let trace = &config.trace;
    let types = |set: TypeSet| -> Vec<&str> {
        SpanType::ALL.iter().filter(|known| set.contains(**known)).map(|known| known.as_str()).collect()
    };
    json!({
        "ids": trace.ids.iter().map(|(id, value)| (id.name().to_owned(), json!(value))).collect::<Map<_, _>>(),
        "request_context_keys": trace.request_context_keys,
        "propagate": CarriedId::all().filter(|id| trace.propagate.contains(*id)).map(CarriedId::name).collect::<Vec<_>>(),
        "internal": types(trace.hiding.internal),
        "include_internal": trace.hiding.include_internal,
        "excluded": types(trace.hiding.excluded),
    })
}

fn metrics(config: &ResolvedConfig) -> Json {
    config.metrics.as_ref().map_or(Json::Null, |metrics| {
        json!({
            "interval_ms": millis(metrics.interval),
            "timeout_ms": millis(metrics.timeout),
            "temporality": metrics.temporality.map(|temporality| temporality.as_str()),
            "max_series": metrics.max_series,
            "max_names": metrics.max_names,
            "names": metrics.names.as_str(),
            "attributes": metrics.attributes,
            "prices": metrics.prices.len(),
            "currency": metrics.currency,
        })
    })
}

fn resolved(config: &ResolvedConfig) -> Json {
    let (batch, log_batch, limits) = (&config.batch, &config.log_batch, &config.limits);
    let mut resource: Map<_, _> =
        config.resource.attributes.iter().map(|(key, value)| (key.clone(), json(value))).collect();
    assert_eq!(resource.remove("telemetry.sdk.version"), Some(json!(env!("CARGO_PKG_VERSION"))));
    json!({
        "name": config.name,
        "disabled": config.disabled,
        "service": resource["service.name"],
        "resource": resource,
        "sampler": config.sampler.description(),
        "propagators": config.propagators,
        "exporters": config.exporters.iter().map(exporter).collect::<Vec<_>>(),
        "log_exporters": config.log_exporters.iter().map(exporter).collect::<Vec<_>>(),
        "log_endpoints": config.log_exporters.iter().filter_map(endpoint).collect::<Vec<_>>(),
        "metrics": metrics(config),
        "metric_exporters": config.metric_exporters.iter().map(exporter).collect::<Vec<_>>(),
        "metric_endpoints": config.metric_exporters.iter().filter_map(endpoint).collect::<Vec<_>>(),
        "console_fallback": config.console_fallback,
        "batch": {
            "max_queue_spans": batch.max_queue_spans,
            "max_batch_spans": batch.max_batch_spans,
            "max_batch_bytes": batch.max_batch_bytes,
            "schedule_delay_ms": millis(batch.schedule_delay),
            "export_timeout_ms": millis(batch.export_timeout),
        },
        "log_batch": {
            "max_queue_spans": log_batch.max_queue_spans,
            "max_batch_spans": log_batch.max_batch_spans,
            "max_batch_bytes": log_batch.max_batch_bytes,
            "schedule_delay_ms": millis(log_batch.schedule_delay),
            "export_timeout_ms": millis(log_batch.export_timeout),
        },
        "log_limits": {
            "attributes": config.log_limits.attributes,
            "attribute_value_length": config.log_limits.attribute_value_length,
        },
        "limits": {
            "attributes": limits.attributes,
            "attribute_value_length": limits.attribute_value_length,
            "events": limits.events,
            "links": limits.links,
            "event_attributes": limits.event_attributes,
            "link_attributes": limits.link_attributes,
        },
        "memory": {
            "budget_bytes": config.memory.budget_bytes,
            "open_spans": config.memory.open_spans,
            "open_span_bytes": config.memory.open_span_bytes,
        },
        "capture": {
            "value_bytes": config.capture.value_bytes,
            "span_bytes": config.capture.span_bytes,
        },
        "trace": trace(config),
        "exit_timeout_ms": millis(config.exit_timeout),
        "log_level": config.log_level.as_str(),
        "diagnostic_level": config.diagnostic_level.as_str(),
    })
}

fn resolve(case: &Json) -> (Result<ResolvedConfig, Error>, Vec<Json>) {
    let variables = case["env"].as_object().unwrap();
    let (settings, warnings) =
        env::read(&|name| variables.get(name).map(|value| value.as_str().unwrap().to_owned()));
    let mut options = case["options"].as_object().unwrap().clone();
    let provider = options.remove("provider") == Some(Json::Bool(true));
    let result = Options::default()
        .provider(provider)
        .apply(&value(&Json::Object(options)))
        .and_then(|options| options.resolve(&settings.with_process_name("vectors")));
    let warnings = warnings
        .into_iter()
        .map(|warning| {
            assert!(!warning.to_string().contains("s3cret"), "{warning}");
            json!({"variable": warning.variable, "value": warning.value, "fallback": warning.fallback})
        })
        .collect();
    (result, warnings)
}

#[test]
fn every_case() {
    let vectors: Json = serde_json::from_str(include_str!("../../tests/vectors/config_env.json")).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() >= 40);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        if name.starts_with("metrics: ") && !cfg!(feature = "metrics") {
            continue;
        }
        let (result, warnings) = resolve(case);
        assert_eq!(&Json::from(warnings), &case["warnings"], "{name}");
        match (case.get("error"), result) {
            (Some(option), Err(error)) => {
                assert_eq!(error.code(), polyspan::ErrorCode::InvalidOption, "{name}");
                assert_eq!(error.message().split(": ").next(), option.as_str(), "{name}: {error}");
                assert!(error.message().contains("expected"), "{name}: {error}");
            }
            (None, Ok(config)) => {
                let found = resolved(&config);
                for (key, expected) in case["expect"].as_object().unwrap() {
                    assert_eq!(&found[key], expected, "{name}: {key}");
                }
            }
            (Some(option), Ok(_)) => panic!("{name}: {option} was accepted"),
            (None, Err(error)) => panic!("{name}: {error}"),
        }
    }
}
