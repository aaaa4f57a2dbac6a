//! The resource of an engine: what every span says about its process (OpenTelemetry resource SDK).

use crate::carried::CarriedId;
use crate::error::Error;
use crate::frame::record::Resource;
use crate::value::{OwnedValue, Value};

const ENVIRONMENT: &str = CarriedId::Environment.key();

/// Where each part of the resource comes from, later parts going before earlier ones.
pub(super) struct Sources<'a> {
    /// `telemetry.sdk.language`.
    pub language: &'a str,
    /// The name of the process, for a service without a name.
    pub process_name: Option<&'a str>,
    /// `OTEL_RESOURCE_ATTRIBUTES`.
    pub env_attributes: &'a [(String, String)],
    /// `OTEL_SERVICE_NAME`.
    pub env_service: Option<&'a str>,
    /// Attributes set by code.
    pub attributes: &'a [(String, OwnedValue)],
    /// The service name set by code.
    pub service: Option<&'a str>,
    /// Where it runs, set by code.
    pub environment: Option<&'a str>,
    /// The same as other variables have it.
    pub env_environment: Option<&'a str>,
    /// The schema of the attributes set by code.
    pub schema_url: &'a str,
}

/// Merges the parts; `telemetry.sdk.name` is our own since the specification reserves `opentelemetry`.
pub(super) fn resolve(sources: &Sources<'_>) -> Result<Resource, Error> {
    let mut merged = Resource { attributes: Vec::new(), schema_url: sources.schema_url.to_owned() };
    let unknown = match sources.process_name {
        Some(process) if !process.is_empty() => format!("unknown_service:{process}"),
        _ => "unknown_service".to_owned(),
    };
    set(&mut merged, "service.name", unknown.into());
    set(&mut merged, "telemetry.sdk.name", "polyspan".into());
    set(&mut merged, "telemetry.sdk.language", sources.language.to_owned().into());
    set(&mut merged, "telemetry.sdk.version", env!("CARGO_PKG_VERSION").into());
    for (key, value) in sources.env_attributes {
        set(&mut merged, key, value.clone().into());
    }
    if let Some(service) = sources.env_service {
        set(&mut merged, "service.name", service.to_owned().into());
    }
    for (key, value) in sources.attributes {
        if key.is_empty() {
            return Err(Error::invalid_option("resource", key, "attributes with names"));
        }
        set(&mut merged, key, value.clone());
    }
    if let Some(service) = sources.service {
        set(&mut merged, "service.name", service.to_owned().into());
    }
    let says_where = |key: &str| merged.attributes.iter().any(|(known, _)| known == key);
    // The older name counts as well.
    let known = says_where(ENVIRONMENT) || says_where("deployment.environment");
    if let Some(name) = sources.environment.or(sources.env_environment.filter(|_| !known)) {
        set(&mut merged, ENVIRONMENT, name.to_owned().into());
    }
    Ok(merged)
}

fn set(resource: &mut Resource, key: &str, value: Value<'static>) {
    match resource.attributes.iter_mut().find(|(known, _)| known == key) {
        Some((_, old)) => *old = value,
        None => resource.attributes.push((key.to_owned(), value)),
    }
}
