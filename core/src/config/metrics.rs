//! Whether and how metrics are made out of spans, and where they go.
//!
//! [`Options::metrics`] sets it, as do `OTEL_METRICS_EXPORTER`, `OTEL_METRIC_EXPORT_*` and
//! `OTEL_EXPORTER_OTLP_METRICS_*`; what comes of it is [`MetricsSettings`].

use core::ops::RangeInclusive;
use core::time::Duration;

use super::described::{COUNT, SECONDS, TRUTH, count, listed, seconds};
#[cfg(feature = "otlp-http")]
use super::env::EnvExporter;
use super::env::EnvSettings;
use super::exporters::{ConsoleOptions, ExporterOptions, ResolvedExporter};
use super::limits::LONGEST;
use super::options::Options;
#[cfg(feature = "otlp-http")]
use super::otlp::{OtlpOptions, Signal};
#[cfg(feature = "otlp-http")]
use super::presets;
use super::resolve::{console, within};
use crate::error::Error;
use crate::metrics::{Price, Prices};
use crate::sampling::fields::{Fields, number, truth, unexpected};
use crate::value::Value;

/// More often nobody needs to know.
pub(super) const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
const SERIES: RangeInclusive<usize> = 1..=100_000;
const NAMES: RangeInclusive<usize> = 0..=10_000;
const EXPORTER: &str = "an exporter that takes metrics: otlp, console, file, memory or none";

/// How metrics add up from export to export (OpenTelemetry, "Metrics Exporter", temporality preference).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TemporalityPreference {
    /// Each export counts from the start of the engine; the default.
    #[default]
    Cumulative,
    /// Counters and histograms count since the export before.
    Delta,
    /// The same, but what the engine counts about itself counts from its start.
    LowMemory,
}

impl TemporalityPreference {
    /// The name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cumulative => "cumulative",
            Self::Delta => "delta",
            Self::LowMemory => "lowmemory",
        }
    }

    /// Reads a name in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Cumulative, Self::Delta, Self::LowMemory];
        all.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(name.trim()))
    }
}

/// Which names the metrics of the GenAI conventions have.
///
/// The last release of the conventions has `gen_ai.client.token.usage` and `gen_ai.client.operation.duration`; what
/// follows it, not released yet, has counters of tokens and `gen_ai.client.inference.duration` instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MetricNames {
    /// Those of the last release and the newest ones; the default, so that dashboards of either find theirs.
    #[default]
    Both,
    /// The newest ones alone.
    Latest,
    /// Those of the last release alone.
    Released,
}

impl MetricNames {
    /// The name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Latest => "latest",
            Self::Released => "released",
        }
    }

    /// Reads a name in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Both, Self::Latest, Self::Released];
        all.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(name.trim()))
    }

    /// Whether the newest names are used.
    #[cfg(feature = "metrics")]
    pub(crate) const fn has_latest(self) -> bool {
        !matches!(self, Self::Released)
    }

    /// Whether the names of the last release are used.
    #[cfg(feature = "metrics")]
    pub(crate) const fn has_released(self) -> bool {
        !matches!(self, Self::Latest)
    }
}

/// Whether and how metrics are made out of spans; what is not set comes from the environment, and then from the
/// defaults.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetricsOptions {
    enabled: Option<bool>,
    interval: Option<Duration>,
    timeout: Option<Duration>,
    temporality: Option<TemporalityPreference>,
    max_series: Option<usize>,
    max_names: Option<usize>,
    names: Option<MetricNames>,
    attributes: Vec<String>,
    prices: Prices,
    currency: Option<String>,
}

impl MetricsOptions {
    /// Metrics, with everything else as the environment says, or by default.
    pub fn on() -> Self {
        Self { enabled: Some(true), ..Self::default() }
    }

    /// No metrics, whatever the environment says.
    pub fn off() -> Self {
        Self { enabled: Some(false), ..Self::default() }
    }

    /// How often metrics are exported. Default: 60 s. At least 100 ms.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// How long an export may take until it is given up, repetitions included, while the engine is asked to flush.
    /// Default: 30 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How metrics add up. Default: what the preset of the receiver asks for, or cumulative.
    #[must_use]
    pub fn temporality(mut self, temporality: TemporalityPreference) -> Self {
        self.temporality = Some(temporality);
        self
    }

    /// How many series of spans there may be, and as many of operations with models, agents and tools; what is more
    /// goes into one series with the attribute `otel.metric.overflow`. Default: 1,000. 1 to 100,000.
    #[must_use]
    pub fn max_series(mut self, series: usize) -> Self {
        self.max_series = Some(series);
        self
    }

    /// How many names of spans are told apart; later ones are `other`. Default: 200. At most 10,000.
    #[must_use]
    pub fn max_names(mut self, names: usize) -> Self {
        self.max_names = Some(names);
        self
    }

    /// Which names the metrics of the GenAI conventions have. Default: both the released and the newest.
    #[must_use]
    pub fn names(mut self, names: MetricNames) -> Self {
        self.names = Some(names);
        self
    }

    /// An attribute, or a piece of metadata, that every metric of a span has too. Its values must be few.
    #[must_use]
    pub fn attribute(mut self, key: impl Into<String>) -> Self {
        self.attributes.push(key.into());
        self
    }

    /// What tokens cost. Default: unknown, so that only costs which spans report themselves are counted.
    #[must_use]
    pub fn prices(mut self, prices: Prices) -> Self {
        self.prices = prices;
        self
    }

    /// The currency of prices and of costs that spans report. Default: `USD`.
    #[must_use]
    pub fn currency(mut self, currency: impl Into<String>) -> Self {
        self.currency = Some(currency.into());
        self
    }

    /// Decides and checks everything; `None` if metrics are off.
    pub(super) fn resolve(&self, env: &EnvSettings) -> Result<Option<MetricsSettings>, Error> {
        self.check()?;
        let asked_by_environment =
            env.metric_exporters.as_ref().is_some_and(|exporters| !exporters.is_empty());
        let is_on = self.enabled.unwrap_or(asked_by_environment);
        if is_on && !cfg!(feature = "metrics") {
            if self.enabled.is_none() {
                return Ok(None);
            }
            return Err(Error::invalid_option("metrics", "true", "a build with the feature `metrics`"));
        }
        Ok(is_on.then(|| MetricsSettings {
            interval: self.interval.or(env.metrics.interval).unwrap_or(Duration::from_secs(60)),
            timeout: self.timeout.or(env.metrics.timeout).unwrap_or(Duration::from_secs(30)),
            retry_within: self.timeout.or(env.metrics.timeout),
            temporality: self.temporality.or(env.metrics.temporality),
            max_series: self.max_series.unwrap_or(1000),
            max_names: self.max_names.unwrap_or(200),
            names: self.names.unwrap_or_default(),
            attributes: self.attributes.clone(),
            prices: self.prices.clone(),
            currency: self.currency.clone().unwrap_or_else(|| "USD".to_owned()),
        }))
    }

    fn check(&self) -> Result<(), Error> {
        within("metrics.max_series", self.max_series, *SERIES.start(), *SERIES.end())?;
        within("metrics.max_names", self.max_names, *NAMES.start(), *NAMES.end())?;
        let interval = SHORTEST_INTERVAL..=LONGEST;
        let timeout = Duration::from_nanos(1)..=LONGEST;
        for (option, time, range, expected) in [
            ("metrics.interval", self.interval, interval, "0.1 s to a year (31536000 s)"),
            ("metrics.timeout", self.timeout, timeout, "more than zero, at most a year (31536000 s)"),
        ] {
            if let Some(time) = time.filter(|time| !range.contains(time)) {
                return Err(Error::invalid_option(option, &format!("{} s", time.as_secs_f64()), expected));
            }
        }
        if self.attributes.iter().any(String::is_empty) {
            return Err(Error::invalid_option("metrics.attributes", "", "names of attributes"));
        }
        let is_code = |text: &String| {
            (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        match self.currency.as_ref().filter(|text| !is_code(text)) {
            Some(text) => Err(Error::invalid_option("metrics.currency", text, "a code such as USD")),
            None => Ok(()),
        }
    }
}

/// How metrics are made out of spans, with nothing left to decide.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricsSettings {
    /// How often they are exported.
    pub interval: Duration,
    /// How long an export may take.
    pub timeout: Duration,
    /// The same where somebody has set it.
    pub(crate) retry_within: Option<Duration>,
    /// How they add up, if that was said.
    pub temporality: Option<TemporalityPreference>,
    /// Series of spans, and of operations.
    pub max_series: usize,
    /// Names of spans.
    pub max_names: usize,
    /// Which names the metrics of the GenAI conventions have.
    pub names: MetricNames,
    /// Further labels.
    pub attributes: Vec<String>,
    /// What tokens cost.
    pub prices: Prices,
    /// In what.
    pub currency: String,
}

/// Reads the option that stands at `at`; what it leaves open stays as it was.
pub(super) fn read(value: &Value<'_>, at: &str, before: MetricsOptions) -> Result<MetricsOptions, Error> {
    const METRICS: &str = "true, false, or a map";
    match value {
        Value::Bool(enabled) => Ok(MetricsOptions { enabled: Some(*enabled), ..before }),
        Value::Map(_) => fields(&Fields::of(value, at)?, before),
        _ => Err(unexpected(at, value, METRICS)),
    }
}

fn fields(fields: &Fields<'_, '_>, before: MetricsOptions) -> Result<MetricsOptions, Error> {
    fields.only(&[
        "enabled",
        "interval",
        "timeout",
        "temporality",
        "max_series",
        "max_names",
        "names",
        "attributes",
        "prices",
        "currency",
    ])?;
    let preference = |value: &Value<'_>| TemporalityPreference::from_name(value.as_str()?);
    let names = |value: &Value<'_>| MetricNames::from_name(value.as_str()?);
    Ok(MetricsOptions {
        enabled: Some(fields.read("enabled", TRUTH, truth)?.unwrap_or(true)),
        interval: fields.read("interval", SECONDS, seconds)?.or(before.interval),
        timeout: fields.read("timeout", SECONDS, seconds)?.or(before.timeout),
        temporality: fields
            .read("temporality", "cumulative, delta or lowmemory", preference)?
            .or(before.temporality),
        max_series: fields.read("max_series", COUNT, count)?.or(before.max_series),
        max_names: fields.read("max_names", COUNT, count)?.or(before.max_names),
        names: fields.read("names", "both, latest or released", names)?.or(before.names),
        attributes: fields.read("attributes", "a list of names", listed)?.unwrap_or(before.attributes),
        prices: if fields.get("prices").is_some() { prices(fields)? } else { before.prices },
        currency: fields
            .read("currency", "text", |value| value.as_str().map(str::to_owned))?
            .or(before.currency),
    })
}

fn prices(fields: &Fields<'_, '_>) -> Result<Prices, Error> {
    const PRICE: &str = "a number, 0 or more, for a million tokens";
    let mut prices = Prices::new();
    for (model, value, at) in fields.entries("prices")? {
        let price = Fields::of(value, &at)?;
        price.only(&["input", "output", "cache_read", "cache_write"])?;
        let amount = |key: &str| {
            price.read(key, PRICE, |value| number(value).filter(|price| price.is_finite() && *price >= 0.0))
        };
        price.required("input")?;
        prices = prices.price(
            model,
            Price {
                input: amount("input")?.unwrap_or_default(),
                output: amount("output")?.unwrap_or_default(),
                cache_read: amount("cache_read")?,
                cache_write: amount("cache_write")?,
            },
        );
    }
    Ok(prices)
}

impl Options {
    /// The exporters of metrics: those of code, then those of `OTEL_METRICS_EXPORTER`, then those of spans. Says too
    /// how their receivers want metrics to add up, if they do.
    pub(super) fn resolve_metric_exporters(
        &self,
        env: &EnvSettings,
    ) -> Result<(Vec<ResolvedExporter>, Option<TemporalityPreference>), Error> {
        let mut found = Vec::new();
        if let Some(wanted) = &self.metrics_exporters {
            for exporter in wanted {
                let named =
                    |error: Error| Error::new(error.code(), format!("metrics_exporter.{}", error.message()));
                let resolved = self.metric_exporter(exporter, true, env).map_err(named)?;
                found.push(resolved.ok_or_else(|| {
                    Error::invalid_option("metrics_exporter", "an exporter of spans alone", EXPORTER)
                })?);
            }
        } else if let Some(wanted) = &env.metric_exporters {
            found = self.metrics_as_environment_says(wanted, env)?;
        } else if let Some(wanted) = &self.exporters {
            for exporter in wanted {
                found.extend(self.metric_exporter(exporter, false, env)?);
            }
            #[cfg(feature = "otlp-http")]
            if self.otlp.endpoint.is_some()
                && !wanted.iter().any(|exporter| matches!(exporter, ExporterOptions::OtlpHttp(_)))
            {
                found.extend(self.otlp_of_metrics(self.otlp.clone(), false, env)?);
            }
        } else {
            found = self.metrics_by_default(env)?;
        }
        let wish = found.iter().find_map(|(_, wish)| *wish);
        Ok((found.into_iter().map(|(exporter, _)| exporter).collect(), wish))
    }

    fn metrics_by_default(&self, env: &EnvSettings) -> Result<Vec<Found>, Error> {
        #[cfg(feature = "otlp-http")]
        {
            let chosen = self.otlp.endpoint.is_some() || self.otlp.metrics_endpoint.is_some();
            let usual = env.exporters.is_none()
                && (self.provider || env.otlp.endpoint.is_some() || env.otlp_metrics.endpoint.is_some());
            if chosen || usual {
                return Ok(self.otlp_of_metrics(self.otlp.clone(), usual, env)?.into_iter().collect());
            }
        }
        match &env.exporters {
            Some(wanted) => self.metrics_as_environment_says(wanted, env),
            None => Ok(vec![(console(&ConsoleOptions::default(), env), None)]),
        }
    }

    fn metrics_as_environment_says(
        &self,
        wanted: &[super::env::EnvExporter],
        env: &EnvSettings,
    ) -> Result<Vec<Found>, Error> {
        let resolved = wanted.iter().map(|exporter| match exporter {
            #[cfg(feature = "otlp-http")]
            EnvExporter::Otlp => self.otlp_of_metrics(self.otlp.clone(), true, env),
            _ => Ok(Some((console(&ConsoleOptions::default(), env), None))),
        });
        resolved.filter_map(Result::transpose).collect()
    }

    /// An exporter for metrics; `None` where it takes none.
    #[cfg_attr(not(feature = "otlp-http"), allow(clippy::only_used_in_recursion))]
    fn metric_exporter(
        &self,
        wanted: &ExporterOptions,
        asked_for: bool,
        env: &EnvSettings,
    ) -> Result<Option<Found>, Error> {
        Ok(Some(match wanted {
            #[cfg(feature = "otlp-http")]
            ExporterOptions::OtlpHttp(options) if options.preset.is_some() => {
                let preset = presets::named(options)?;
                let wish = preset.metrics();
                if wish.is_none() && options.metrics_endpoint.is_none() {
                    return Ok(None);
                }
                let options = preset.complete(options.clone(), &env.presets)?.of(Signal::Metrics);
                if options.endpoint.is_none() {
                    return Ok(None);
                }
                let resolved = options.resolve(&self.language, Signal::Metrics)?;
                (ResolvedExporter::OtlpHttp(resolved), wish)
            }
            #[cfg(feature = "otlp-http")]
            ExporterOptions::OtlpHttp(options) => {
                return self.otlp_of_metrics(options.clone().or(self.otlp.clone()), asked_for, env);
            }
            ExporterOptions::Console(options) => (console(options, env), None),
            #[cfg(feature = "engine")]
            ExporterOptions::File(options) => {
                super::resolve::check_file(options)?;
                (ResolvedExporter::File(options.clone()), None)
            }
            #[cfg(feature = "engine")]
            ExporterOptions::Memory(store) => (ResolvedExporter::Memory(store.clone()), None),
            // Formatters are for spans.
            #[cfg(feature = "engine")]
            ExporterOptions::Formatted(_, exporter) => return self.metric_exporter(exporter, asked_for, env),
            _ => return Ok(None),
        }))
    }

    /// An OTLP exporter of metrics; `None` where only the receiver of traces is known and nobody asked.
    #[cfg(feature = "otlp-http")]
    fn otlp_of_metrics(
        &self,
        options: OtlpOptions,
        asked_for: bool,
        env: &EnvSettings,
    ) -> Result<Option<Found>, Error> {
        let traces_alone = options.endpoint.is_some();
        let options = options.of(Signal::Metrics);
        let options =
            if options.ignores_environment { options } else { options.or(env.otlp_metrics.clone()) };
        if options.endpoint.is_none() && traces_alone && !asked_for {
            return Ok(None);
        }
        let resolved = options.resolve(&self.language, Signal::Metrics)?;
        Ok(Some((ResolvedExporter::OtlpHttp(resolved), None)))
    }
}

/// An exporter, and how its receiver wants metrics to add up.
type Found = (ResolvedExporter, Option<TemporalityPreference>);
