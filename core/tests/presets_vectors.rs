//! Replays `tests/vectors/presets.json`: the variables of a product in, the receiver's URL and headers out. The
//! environment of the test process is not touched.

#![cfg(feature = "otlp-http")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use polyspan::config::{Options, ResolvedExporter, env, preset_names};
use polyspan::{Error, Value};
use serde_json::Value as Json;

fn value(json: &Json) -> Value<'_> {
    match json {
        Json::String(text) => Value::from(text),
        Json::Object(entries) => entries.iter().map(|(key, item)| (key.as_str(), value(item))).collect(),
        other => panic!("{other} is not used in these vectors"),
    }
}

/// Where spans go and with which headers, in which names, and where log records go.
type Resolved = (String, BTreeMap<String, String>, &'static str, Option<String>);

fn resolved(case: &Json) -> Result<Resolved, Error> {
    let lookup = |name: &str| case["env"][name].as_str().map(str::to_owned);
    let (environment, warnings) = env::read(&lookup);
    assert_eq!(warnings, []);
    let options = Value::Map(vec![("exporter".into(), value(&case["exporter"]))]);
    let config = Options::new("vectors").apply(&options)?.resolve(&environment)?;
    let [ResolvedExporter::OtlpHttp(otlp)] = config.exporters.as_slice() else {
        panic!("{:?}", config.exporters)
    };
    let logs = match config.log_exporters.as_slice() {
        [] => None,
        [ResolvedExporter::OtlpHttp(logs)] => {
            assert_eq!(logs.headers, otlp.headers);
            Some(logs.endpoint.clone())
        }
        others => panic!("{others:?}"),
    };
    Ok((otlp.endpoint.clone(), otlp.headers.iter().cloned().collect(), otlp.semantics.as_str(), logs))
}

#[test]
fn presets() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/presets.json");
    let vectors: Json = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for case in vectors["cases"].as_array().unwrap() {
        let name = &case["name"];
        if let Some(product) = case["exporter"].as_str() {
            seen.insert(product.to_ascii_lowercase().replace('-', "_"));
        }
        match resolved(case) {
            Ok((endpoint, headers, semantics, logs)) => {
                assert_eq!(case["logs"].as_str(), logs.as_deref(), "{name}");
                assert_eq!(case["semantics"].as_str().unwrap_or("genai"), semantics, "{name}");
                assert_eq!(case["endpoint"], endpoint, "{name}");
                assert_eq!(case["headers"], serde_json::to_value(headers).unwrap(), "{name}");
            }
            Err(error) => {
                let says = case["says"].as_array().unwrap_or_else(|| panic!("{name}: {error}"));
                let missing = says.iter().find(|part| !error.message().contains(part.as_str().unwrap()));
                assert_eq!(missing, None, "{name}: {error}");
            }
        }
    }
    assert!(preset_names().all(|name| seen.contains(name)), "every preset has a case: {seen:?}");
}
