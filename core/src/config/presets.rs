//! Presets: what the OTLP receivers of well-known products need, as data. [`super::resolve`] asks for the
//! one an exporter names; its variables are read with the rest of the environment ([`super::env`]).
//!
//! A new preset is one entry of [`PRESETS`].

use super::metrics::TemporalityPreference;
use super::otlp::{Endpoint, OtlpOptions};
use crate::error::Error;
use crate::semantics::Dialect;
use crate::semantics::json::write_base64;

/// A product that takes OTLP.
pub(super) struct Preset {
    /// As `preset` names it.
    name: &'static str,
    /// The base URL of its receiver; `v1/traces` is added.
    endpoint: &'static [Piece],
    /// Base URLs of other regions, told by how the value of a variable begins.
    regions: &'static [(&'static str, &'static str, &'static str)],
    headers: &'static [Header],
    /// The names of attributes that it understands best.
    dialect: Dialect,
    /// Whether log records go there too, to `v1/logs`.
    logs: bool,
    /// Whether its receiver takes metrics too, at `v1/metrics`, and how it wants them to add up.
    metrics: Option<TemporalityPreference>,
}

/// A header of every request.
struct Header {
    name: &'static str,
    value: &'static [Piece],
    /// Left out, instead of being asked for, when a variable of it is not set.
    optional: bool,
}

/// A part of a text.
enum Piece {
    Text(&'static str),
    /// The first of the variables that is set, or the default.
    Variable(&'static [&'static str], Option<&'static str>),
    /// User name and password of basic authentication, from two variables.
    Basic(&'static str, &'static str),
}

use Piece::{Basic, Text, Variable};

const fn needed(name: &'static str, value: &'static [Piece]) -> Header {
    Header { name, value, optional: false }
}

const fn optional(name: &'static str, value: &'static [Piece]) -> Header {
    Header { name, value, optional: true }
}

const PRESETS: &[Preset] = &[
    Preset {
        name: "langfuse",
        dialect: Dialect::GenAi,
        logs: false,
        metrics: None,
        endpoint: &[
            Variable(&["LANGFUSE_BASE_URL", "LANGFUSE_HOST"], Some("https://cloud.langfuse.com")),
            Text("/api/public/otel"),
        ],
        regions: &[],
        headers: &[
            needed("authorization", &[Text("Basic "), Basic("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY")]),
            // Without it spans are shown minutes later.
            needed("x-langfuse-ingestion-version", &[Text("4")]),
        ],
    },
    Preset {
        name: "braintrust",
        dialect: Dialect::GenAi,
        logs: false,
        metrics: None,
        endpoint: &[Variable(&["BRAINTRUST_API_URL"], Some("https://api.braintrust.dev")), Text("/otel")],
        regions: &[],
        headers: &[
            needed("authorization", &[Text("Bearer "), Variable(&["BRAINTRUST_API_KEY"], None)]),
            needed("x-bt-parent", &[Variable(&["BRAINTRUST_PARENT"], None)]),
        ],
    },
    Preset {
        name: "phoenix",
        dialect: Dialect::OpenInference,
        logs: false,
        metrics: None,
        endpoint: &[Variable(&["PHOENIX_COLLECTOR_ENDPOINT"], Some("http://localhost:6006"))],
        regions: &[],
        headers: &[optional("authorization", &[Text("Bearer "), Variable(&["PHOENIX_API_KEY"], None)])],
    },
    Preset {
        name: "langsmith",
        dialect: Dialect::GenAi,
        logs: false,
        metrics: None,
        endpoint: &[
            Variable(&["LANGSMITH_ENDPOINT"], Some("https://api.smith.langchain.com")),
            Text("/otel"),
        ],
        regions: &[],
        headers: &[
            needed("x-api-key", &[Variable(&["LANGSMITH_API_KEY"], None)]),
            optional("langsmith-project", &[Variable(&["LANGSMITH_PROJECT"], None)]),
        ],
    },
    Preset {
        name: "mlflow",
        dialect: Dialect::GenAi,
        logs: false,
        metrics: None,
        endpoint: &[Variable(&["MLFLOW_TRACKING_URI"], Some("http://localhost:5000"))],
        regions: &[],
        headers: &[
            needed("x-mlflow-experiment-id", &[Variable(&["MLFLOW_EXPERIMENT_ID"], Some("0"))]),
            optional("authorization", &[Text("Bearer "), Variable(&["MLFLOW_TRACKING_TOKEN"], None)]),
            optional(
                "authorization",
                &[Text("Basic "), Basic("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")],
            ),
        ],
    },
    Preset {
        name: "logfire",
        dialect: Dialect::GenAi,
        logs: true,
        metrics: Some(TemporalityPreference::Cumulative),
        endpoint: &[Variable(&["LOGFIRE_BASE_URL"], Some("https://logfire-us.pydantic.dev"))],
        regions: &[("LOGFIRE_TOKEN", "pylf_v1_eu_", "https://logfire-eu.pydantic.dev")],
        headers: &[needed("authorization", &[Variable(&["LOGFIRE_TOKEN"], None)])],
    },
    Preset {
        name: "datadog",
        dialect: Dialect::GenAi,
        logs: true,
        metrics: Some(TemporalityPreference::Delta),
        endpoint: &[Text("https://otlp."), Variable(&["DD_SITE"], Some("datadoghq.com"))],
        regions: &[],
        headers: &[
            needed("dd-api-key", &[Variable(&["DD_API_KEY"], None)]),
            needed("dd-otlp-source", &[Text("datadog")]),
        ],
    },
    Preset {
        name: "grafana_cloud",
        dialect: Dialect::GenAi,
        logs: true,
        metrics: Some(TemporalityPreference::Cumulative),
        endpoint: &[Variable(&["GRAFANA_CLOUD_OTLP_ENDPOINT"], None)],
        regions: &[],
        headers: &[needed(
            "authorization",
            &[Text("Basic "), Basic("GRAFANA_CLOUD_INSTANCE_ID", "GRAFANA_CLOUD_API_KEY")],
        )],
    },
    Preset {
        name: "signoz",
        dialect: Dialect::GenAi,
        logs: true,
        metrics: Some(TemporalityPreference::Cumulative),
        endpoint: &[
            Text("https://ingest."),
            Variable(&["SIGNOZ_REGION"], Some("us")),
            Text(".signoz.cloud:443"),
        ],
        regions: &[],
        headers: &[needed(
            "signoz-ingestion-key",
            &[Variable(&["SIGNOZ_INGESTION_KEY", "SIGNOZ_API_KEY"], None)],
        )],
    },
    Preset {
        name: "honeycomb",
        dialect: Dialect::GenAi,
        logs: true,
        metrics: Some(TemporalityPreference::Cumulative),
        endpoint: &[Variable(&["HONEYCOMB_API_ENDPOINT"], Some("https://api.honeycomb.io"))],
        regions: &[],
        headers: &[
            needed("x-honeycomb-team", &[Variable(&["HONEYCOMB_API_KEY"], None)]),
            optional("x-honeycomb-dataset", &[Variable(&["HONEYCOMB_DATASET"], None)]),
        ],
    },
    Preset {
        name: "new_relic",
        dialect: Dialect::GenAi,
        logs: true,
        metrics: Some(TemporalityPreference::Delta),
        endpoint: &[Text("https://otlp.nr-data.net")],
        regions: &[("NEW_RELIC_LICENSE_KEY", "eu", "https://otlp.eu01.nr-data.net")],
        headers: &[needed("api-key", &[Variable(&["NEW_RELIC_LICENSE_KEY", "NEW_RELIC_API_KEY"], None)])],
    },
];

/// The names of all presets, as users write them.
pub fn preset_names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|preset| preset.name)
}

/// The variables that presets read, each once.
pub(super) fn variables() -> Vec<&'static str> {
    let mut names: Vec<&str> = Vec::new();
    for preset in PRESETS {
        let pieces = preset.endpoint.iter().chain(preset.headers.iter().flat_map(|header| header.value));
        for piece in pieces {
            names.extend(piece.variables());
        }
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// The preset of that name in any case, `-` standing for `_`.
pub(super) fn find(name: &str) -> Option<&'static Preset> {
    let name = name.trim().to_ascii_lowercase().replace('-', "_");
    PRESETS.iter().find(|preset| preset.name == name)
}

/// The preset that the options of an exporter name.
///
/// # Errors
/// [`ErrorCode::InvalidOption`](crate::ErrorCode) if nobody knows it.
pub(super) fn named(options: &OtlpOptions) -> Result<&'static Preset, Error> {
    let name = options.preset.as_deref().unwrap_or_default();
    find(name).ok_or_else(|| {
        let known: Vec<_> = preset_names().collect();
        Error::invalid_option("preset", name, &format!("one of {}", known.join(", ")))
    })
}

impl Piece {
    fn variables(&self) -> Vec<&'static str> {
        match self {
            Text(_) => Vec::new(),
            Variable(names, _) => names.to_vec(),
            Basic(user, password) => vec![user, password],
        }
    }

    /// The text, or the variable that must be set for it.
    fn text(&self, variables: &[(String, String)]) -> Result<String, &'static str> {
        let set = |name: &'static str| {
            variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).ok_or(name)
        };
        match self {
            Text(text) => Ok((*text).to_owned()),
            Variable(names, default) => {
                let found = names.iter().find_map(|name| set(name).ok()).or(*default);
                found.map(str::to_owned).ok_or(names.first().copied().unwrap_or_default())
            }
            Basic(user, password) => {
                let mut quoted = String::new();
                write_base64(&mut quoted, format!("{}:{}", set(user)?, set(password)?).as_bytes());
                Ok(quoted.trim_matches('"').to_owned())
            }
        }
    }
}

fn texts(pieces: &[Piece], variables: &[(String, String)]) -> Result<String, &'static str> {
    pieces.iter().map(|piece| piece.text(variables)).collect()
}

impl Preset {
    /// What it is called.
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether its receiver takes log records.
    pub(super) fn takes_logs(&self) -> bool {
        self.logs
    }

    /// How its receiver wants metrics to add up; `None` if it takes none.
    pub(super) const fn metrics(&self) -> Option<TemporalityPreference> {
        self.metrics
    }

    /// Fills what `options` leave open; `variables` are those of [`variables`] that are set.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`](crate::ErrorCode), naming the variable that is missing.
    pub(super) fn complete(
        &self,
        options: OtlpOptions,
        variables: &[(String, String)],
    ) -> Result<OtlpOptions, Error> {
        let missing = |variable: &str, option: &str| {
            let expected = format!("the variable {variable} to be set, or the option `{option}`");
            Error::invalid_option("preset", self.name, &expected)
        };
        let semantics = Some(self.dialect);
        let mut known = OtlpOptions { semantics, ignores_environment: true, ..OtlpOptions::default() };
        if options.endpoint.is_none() {
            let pieces = self.endpoint.iter().map(|piece| piece.text(variables));
            let base: Result<String, _> =
                pieces.map(|text| text.map(|text| text.trim_end_matches('/').to_owned())).collect();
            let base = base.map_err(|name| missing(name, "endpoint"))?;
            known.endpoint = Some(Endpoint::Base(self.of_region(variables).map_or(base, str::to_owned)));
        }
        for header in self.headers {
            let given = |headers: &[(String, String)]| {
                headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(header.name))
            };
            if given(&options.headers) || given(&known.headers) {
                continue;
            }
            match texts(header.value, variables) {
                Ok(value) => known.headers.push((header.name.to_owned(), value)),
                Err(_) if header.optional => {}
                Err(name) => return Err(missing(name, &format!("headers[{:?}]", header.name))),
            }
        }
        Ok(options.or(known))
    }

    /// The base URL of another region, unless one is set by a variable.
    fn of_region(&self, variables: &[(String, String)]) -> Option<&'static str> {
        let by_hand = self.endpoint.iter().flat_map(Piece::variables);
        if by_hand.into_iter().any(|name| variables.iter().any(|(known, _)| known == name)) {
            return None;
        }
        let region = self.regions.iter().find(|(name, start, _)| {
            variables.iter().any(|(known, value)| known == name && value.starts_with(start))
        });
        region.map(|(_, _, url)| *url)
    }
}
