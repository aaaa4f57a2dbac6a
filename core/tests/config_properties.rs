//! What must hold for any environment, and that the documentation names every variable.

#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use polyspan::config::{Options, env};
use proptest::prelude::*;

/// Every variable that is read, found by asking.
fn variables() -> Vec<String> {
    let names = RefCell::new(BTreeSet::new());
    // Values that make further variables interesting.
    for value in ["", "traceidratio"] {
        env::read(&|name| {
            names.borrow_mut().insert(name.to_owned());
            (name == "OTEL_TRACES_SAMPLER").then(|| value.to_owned())
        });
    }
    names.into_inner().into_iter().collect()
}

#[test]
fn every_variable_is_documented() {
    let page = include_str!("../../docs/configuration.md");
    let missing: Vec<_> =
        variables().into_iter().filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn the_process_environment_is_read() {
    let (settings, _) = env::from_process();
    let config = Options::default().resolve(&settings).unwrap();
    let service = config.resource.attributes.iter().find(|(key, _)| key == "service.name").unwrap();
    // The program of a test is named after its file.
    if std::env::var_os("OTEL_SERVICE_NAME").is_none()
        && std::env::var_os("OTEL_RESOURCE_ATTRIBUTES").is_none()
    {
        assert!(service.1.as_str().unwrap().starts_with("unknown_service:config_properties"));
    }
}

fn any_value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "-?[0-9]{1,20}(\\.[0-9]+)?",
        "(true|FALSE|none|otlp|console|gzip|grpc|debug|tracecontext|baggage|traceidratio|always_on)(,[a-z]{1,8})?",
        "(https?|ftp)://[a-z@:]{1,12}(:[0-9]{1,6})?(/[a-z%?=#/]{0,9})?",
        "([a-zA-Z%. -]{1,8}=[ -~]{0,8},?){0,4}",
    ]
}

proptest! {
    #[test]
    fn no_environment_makes_a_start_fail(
        values in proptest::collection::vec((any::<prop::sample::Index>(), any_value()), 0..12),
        provider: bool,
    ) {
        let names = variables();
        let set: BTreeMap<&String, &String> =
            values.iter().map(|(index, value)| (index.get(&names), value)).collect();
        let (settings, warnings) = env::read(&|name| set.get(&name.to_owned()).map(|value| (*value).clone()));
        for warning in warnings {
            prop_assert!(set.contains_key(&warning.variable.to_owned()), "{}", warning);
            prop_assert!(!warning.problem.is_empty() && !warning.fallback.is_empty());
        }
        let config = Options::new("any").provider(provider).resolve(&settings);
        prop_assert!(config.is_ok(), "{:?}", config);
        let config = config.unwrap();
        prop_assert!(config.batch.max_batch_spans <= config.batch.max_queue_spans);
        prop_assert_eq!(&Options::new("any").provider(provider).resolve(&settings).unwrap(), &config);
    }
}
