//! The environment: the one place that reads it, and what the `OTEL_*` variables mean.
//!
//! Rules of OpenTelemetry, "Environment Variable Specification" and "OTLP Exporter Configuration": empty is
//! unset, names of choices count in any case, a value that cannot be used is ignored with a warning.

use core::fmt;
use core::ops::RangeInclusive;
use core::time::Duration;

use super::limits::{BatchSettings, DiagnosticLevel, LONGEST, LimitSettings, QUEUE_SPANS};
use super::metrics::{SHORTEST_INTERVAL, TemporalityPreference};
#[cfg(feature = "otlp-http")]
use super::otlp::{Endpoint, OtlpOptions, Signal, check_url};
use super::pairs;
#[cfg(feature = "otlp-http")]
use crate::export::otlp::Compression;
use crate::sampling::{HeadSampler, RatioSampler};

/// A variable that was not used as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Its name.
    pub variable: &'static str,
    /// What it holds, as far as that may be shown.
    pub value: String,
    /// What is wrong with it.
    pub problem: String,
    /// What is done instead.
    pub fallback: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?} {}; {}", self.variable, self.value, self.problem, self.fallback)
    }
}

/// What the environment sets.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EnvSettings {
    pub(super) disabled: Option<bool>,
    pub(super) diagnostic_level: Option<DiagnosticLevel>,
    pub(super) service: Option<String>,
    pub(super) resource: Vec<(String, String)>,
    pub(super) process_name: Option<String>,
    pub(super) propagators: Option<Vec<String>>,
    pub(super) sampler: Option<HeadSampler>,
    /// `Some` and empty for `none`.
    pub(super) exporters: Option<Vec<EnvExporter>>,
    /// The same for log records.
    pub(super) log_exporters: Option<Vec<EnvExporter>>,
    /// The same for metrics.
    pub(super) metric_exporters: Option<Vec<EnvExporter>>,
    pub(super) metrics: MetricsEnv,
    pub(super) batch: BatchSettings,
    pub(super) log_batch: BatchSettings,
    pub(super) limits: LimitSettings,
    pub(super) log_limits: LimitSettings,
    /// Variables that say where it runs, with their values.
    pub(super) environments: Vec<(&'static str, String)>,
    pub(super) no_color: bool,
    /// Spans of instrumentations are brought to the newest GenAI conventions too.
    pub(super) gen_ai_latest: bool,
    #[cfg(feature = "otlp-http")]
    pub(super) otlp: OtlpOptions,
    /// The same for log records.
    #[cfg(feature = "otlp-http")]
    pub(super) otlp_logs: OtlpOptions,
    /// The same for metrics.
    #[cfg(feature = "otlp-http")]
    pub(super) otlp_metrics: OtlpOptions,
    /// Variables of the products that have a preset, as far as they are set.
    #[cfg(feature = "otlp-http")]
    pub(super) presets: Vec<(String, String)>,
}

/// When metrics are collected, and how they add up.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct MetricsEnv {
    pub interval: Option<Duration>,
    pub timeout: Option<Duration>,
    pub temporality: Option<TemporalityPreference>,
}

/// An exporter that `OTEL_TRACES_EXPORTER`, `OTEL_LOGS_EXPORTER` and `OTEL_METRICS_EXPORTER` can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EnvExporter {
    #[cfg(feature = "otlp-http")]
    Otlp,
    Console,
}

impl EnvSettings {
    /// The name of the running program, for services without a name (`unknown_service:…`).
    #[must_use]
    pub fn with_process_name(mut self, name: impl Into<String>) -> Self {
        self.process_name = Some(name.into());
        self
    }

    /// Where the program runs, as the variables of its language or of any have it.
    pub(super) fn environment(&self, language: &str) -> Option<&str> {
        let own = match language {
            "python" => "PYTHON_ENV",
            "nodejs" | "webjs" => "NODE_ENV",
            _ => "",
        };
        [own, "APP_ENV", "ENVIRONMENT"]
            .iter()
            .find_map(|wanted| self.environments.iter().find(|(name, _)| name == wanted))
            .map(|(_, value)| value.as_str())
    }
}

/// Variables that say where a program runs: those of languages, then those that any may use. `ENV` is left
/// out, since shells give it another meaning.
const ENVIRONMENTS: [&str; 4] = ["PYTHON_ENV", "NODE_ENV", "APP_ENV", "ENVIRONMENT"];

/// Reads this process's environment and the name of its program.
pub fn from_process() -> (EnvSettings, Vec<Warning>) {
    let (settings, warnings) =
        read(&|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()));
    let program = std::env::current_exe().ok();
    let program = program.as_deref().and_then(std::path::Path::file_name).and_then(std::ffi::OsStr::to_str);
    match program {
        Some(name) => (settings.with_process_name(name), warnings),
        None => (settings, warnings),
    }
}

/// Reads variables through `lookup`, which yields the value of a name.
pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> (EnvSettings, Vec<Warning>) {
    let mut reader = Reader { lookup, warnings: Vec::new() };
    for name in ["OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE"] {
        if let Some(path) = reader.text(name) {
            reader.warn(name, &path, "names a configuration file, which is not supported yet", "ignored");
        }
    }
    let settings = EnvSettings {
        disabled: reader.boolean("OTEL_SDK_DISABLED"),
        diagnostic_level: reader.choice("OTEL_LOG_LEVEL", "info", DiagnosticLevel::from_name),
        service: reader.text("OTEL_SERVICE_NAME"),
        resource: reader.resource(),
        process_name: None,
        propagators: reader.propagators(),
        sampler: reader.sampler(),
        exporters: reader.exporters("OTEL_TRACES_EXPORTER"),
        log_exporters: reader.exporters("OTEL_LOGS_EXPORTER"),
        metric_exporters: reader.exporters("OTEL_METRICS_EXPORTER"),
        metrics: reader.metrics(),
        batch: reader.batch(&SPAN_BATCHES),
        log_batch: reader.batch(&LOG_BATCHES),
        limits: reader.limits(),
        log_limits: reader.log_limits(),
        environments: ENVIRONMENTS.iter().filter_map(|name| Some((*name, reader.text(name)?))).collect(),
        no_color: reader.text("NO_COLOR").is_some(),
        gen_ai_latest: reader.gen_ai_latest(),
        #[cfg(feature = "otlp-http")]
        otlp: reader.otlp(Signal::Traces),
        #[cfg(feature = "otlp-http")]
        otlp_logs: reader.otlp(Signal::Logs),
        #[cfg(feature = "otlp-http")]
        otlp_metrics: reader.otlp(Signal::Metrics),
        #[cfg(feature = "otlp-http")]
        presets: reader.presets(),
    };
    (settings, reader.warnings)
}

/// The variables that say how a signal is gathered.
struct BatchVariables {
    queue: &'static str,
    batch: &'static str,
    delay: &'static str,
    default_delay: &'static str,
    timeout: &'static str,
}

const SPAN_BATCHES: BatchVariables = BatchVariables {
    queue: "OTEL_BSP_MAX_QUEUE_SIZE",
    batch: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    delay: "OTEL_BSP_SCHEDULE_DELAY",
    default_delay: "5000",
    timeout: "OTEL_BSP_EXPORT_TIMEOUT",
};

const LOG_BATCHES: BatchVariables = BatchVariables {
    queue: "OTEL_BLRP_MAX_QUEUE_SIZE",
    batch: "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
    delay: "OTEL_BLRP_SCHEDULE_DELAY",
    default_delay: "1000",
    timeout: "OTEL_BLRP_EXPORT_TIMEOUT",
};

struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    warnings: Vec<Warning>,
}

impl Reader<'_> {
    /// The value without blanks around it; nothing is the same as unset.
    fn text(&self, name: &str) -> Option<String> {
        let value = (self.lookup)(name)?;
        Some(value.trim()).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    fn warn(&mut self, variable: &'static str, value: &str, problem: &str, fallback: &str) {
        let warning = Warning {
            variable,
            value: value.to_owned(),
            problem: problem.to_owned(),
            fallback: fallback.to_owned(),
        };
        // A variable of several signals is read for each of them.
        let same = |known: &Warning| known.variable == variable && known.value == value;
        if !self.warnings.iter().any(same) {
            self.warnings.push(warning);
        }
    }

    /// True only if it says so; anything but true and false is worth a warning.
    fn boolean(&mut self, name: &'static str) -> Option<bool> {
        let value = self.text(name)?;
        let yes = value.eq_ignore_ascii_case("true");
        if !yes && !value.eq_ignore_ascii_case("false") {
            self.warn(name, &value, "is neither true nor false", "taken as false");
        }
        Some(yes)
    }

    fn choice<T>(&mut self, name: &'static str, default: &str, of: fn(&str) -> Option<T>) -> Option<T> {
        let value = self.text(name)?;
        let chosen = of(&value);
        if chosen.is_none() {
            self.warn(name, &value, "is not known", &format!("using {default}"));
        }
        chosen
    }

    fn integer(&mut self, name: &'static str, range: RangeInclusive<usize>, default: &str) -> Option<usize> {
        let value = self.text(name)?;
        let number = value.parse::<usize>().ok().filter(|number| range.contains(number));
        if number.is_none() {
            let problem = if *range.end() == usize::MAX {
                format!("is not a whole number from {}", range.start())
            } else {
                format!("is not a whole number from {} to {}", range.start(), range.end())
            };
            self.warn(name, &value, &problem, &format!("using {default}"));
        }
        number
    }

    fn milliseconds(&mut self, name: &'static str, default: &str) -> Option<Duration> {
        let value = self.text(name)?;
        let time = value.parse::<u64>().ok().map(Duration::from_millis).filter(|time| *time <= LONGEST);
        if time.is_none() {
            self.warn(name, &value, "is not a whole number of milliseconds", &format!("using {default}"));
        }
        time
    }

    /// A time after which something is given up: zero means never, in practice a year.
    fn timeout(&mut self, name: &'static str, default: &str) -> Option<Duration> {
        self.milliseconds(name, default).map(|time| if time.is_zero() { LONGEST } else { time })
    }

    /// All attributes or none, as the specification has it: half a resource would mislead.
    fn resource(&mut self) -> Vec<(String, String)> {
        const NAME: &str = "OTEL_RESOURCE_ATTRIBUTES";
        let Some(value) = self.text(NAME) else { return Vec::new() };
        pairs::parse(&value).collect::<Result<_, _>>().unwrap_or_else(|pairs::BadPair(key)| {
            let problem =
                format!("is not a list of key=value pairs, percent-encoded where needed (see {key:?})");
            self.warn(NAME, &value, &problem, "none of its attributes are used");
            Vec::new()
        })
    }

    /// The list is everybody's: what other areas of the conventions read there is not ours to judge.
    fn gen_ai_latest(&self) -> bool {
        let chosen = self.text("OTEL_SEMCONV_STABILITY_OPT_IN").unwrap_or_default();
        chosen.split(',').any(|entry| entry.trim().eq_ignore_ascii_case("gen_ai_latest_experimental"))
    }

    fn propagators(&mut self) -> Option<Vec<String>> {
        const NAME: &str = "OTEL_PROPAGATORS";
        let value = self.text(NAME)?;
        let (used, unused) = super::resolve::propagator_names(value.split(','));
        for name in unused {
            let fallback = if used.is_empty() { "using tracecontext,baggage" } else { "left out" };
            let known = ["b3", "b3multi", "jaeger", "xray", "xray-lambda", "ottrace"];
            let problem = if name == "none" {
                "stands beside other propagators"
            } else if known.contains(&name.to_ascii_lowercase().as_str()) {
                "is not supported yet"
            } else {
                "is not known"
            };
            self.warn(NAME, &name, problem, fallback);
        }
        let none_wanted = value.split(',').any(|name| name.trim().eq_ignore_ascii_case("none"));
        (!used.is_empty() || none_wanted).then_some(used)
    }

    fn sampler(&mut self) -> Option<HeadSampler> {
        const NAME: &str = "OTEL_TRACES_SAMPLER";
        let value = self.text(NAME)?;
        Some(match value.to_ascii_lowercase().as_str() {
            "always_on" => HeadSampler::AlwaysOn,
            "always_off" => HeadSampler::AlwaysOff,
            "traceidratio" => self.ratio(),
            "parentbased_always_on" => HeadSampler::parent_based(HeadSampler::AlwaysOn),
            "parentbased_always_off" => HeadSampler::parent_based(HeadSampler::AlwaysOff),
            "parentbased_traceidratio" => HeadSampler::parent_based(self.ratio()),
            name => {
                let known = ["jaeger_remote", "parentbased_jaeger_remote", "xray"].contains(&name);
                let problem = if known { "is not supported yet" } else { "is not known" };
                self.warn(NAME, &value, problem, "using parentbased_always_on");
                return None;
            }
        })
    }

    fn ratio(&mut self) -> HeadSampler {
        const NAME: &str = "OTEL_TRACES_SAMPLER_ARG";
        let Some(value) = self.text(NAME) else { return all() };
        match value.parse().ok().and_then(|ratio| RatioSampler::new(ratio).ok()) {
            Some(sampler) => HeadSampler::Ratio(sampler),
            None => {
                self.warn(NAME, &value, "is not a number from 0 to 1", "using 1");
                all()
            }
        }
    }

    fn exporters(&mut self, variable: &'static str) -> Option<Vec<EnvExporter>> {
        let value = self.text(variable)?;
        let mut exporters = Vec::new();
        let mut unused = Vec::new();
        let mut none = None;
        for name in value.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let exporter = match name.to_ascii_lowercase().as_str() {
                #[cfg(feature = "otlp-http")]
                "otlp" => EnvExporter::Otlp,
                "console" => EnvExporter::Console,
                "none" => {
                    none = Some(name);
                    continue;
                }
                #[cfg(not(feature = "otlp-http"))]
                "otlp" => {
                    unused.push((name, "is not part of this build"));
                    continue;
                }
                "zipkin" | "jaeger" | "logging" | "otlp/stdout" | "prometheus" => {
                    unused.push((name, "is not supported yet"));
                    continue;
                }
                _ => {
                    unused.push((name, "is not known"));
                    continue;
                }
            };
            if !exporters.contains(&exporter) {
                exporters.push(exporter);
            }
        }
        if !exporters.is_empty() {
            unused.extend(none.map(|name| (name, "stands beside other exporters")));
        }
        let nothing_chosen = exporters.is_empty() && none.is_none();
        for (name, problem) in unused {
            self.warn(variable, name, problem, if nothing_chosen { "taken as not set" } else { "left out" });
        }
        (!nothing_chosen).then_some(exporters)
    }

    fn batch(&mut self, names: &BatchVariables) -> BatchSettings {
        let max_queue_spans = self.integer(names.queue, QUEUE_SPANS, "65536");
        let mut max_batch_spans = self.integer(names.batch, QUEUE_SPANS, "512");
        if let (Some(queue), Some(batch)) = (max_queue_spans, max_batch_spans)
            && batch > queue
        {
            let problem = format!("is more than {} ({queue})", names.queue);
            self.warn(names.batch, &batch.to_string(), &problem, &format!("using {queue}"));
            max_batch_spans = max_queue_spans;
        }
        BatchSettings {
            max_queue_spans,
            max_batch_spans,
            max_batch_bytes: None,
            schedule_delay: self.milliseconds(names.delay, names.default_delay),
            export_timeout: self.timeout(names.timeout, "30000"),
        }
    }

    /// An interval of zero would never end.
    fn metrics(&mut self) -> MetricsEnv {
        const INTERVAL: &str = "OTEL_METRIC_EXPORT_INTERVAL";
        let interval = self.milliseconds(INTERVAL, "60000");
        if interval.is_some_and(|interval| interval < SHORTEST_INTERVAL) {
            let found = self.text(INTERVAL).unwrap_or_default();
            self.warn(INTERVAL, &found, "is less than 100", "using 60000");
        }
        MetricsEnv {
            interval: interval.filter(|interval| *interval >= SHORTEST_INTERVAL),
            timeout: self.timeout("OTEL_METRIC_EXPORT_TIMEOUT", "30000"),
            temporality: self.choice(
                "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
                "cumulative",
                TemporalityPreference::from_name,
            ),
        }
    }

    /// The limits of log records are those of their attributes.
    fn log_limits(&mut self) -> LimitSettings {
        const ANY: RangeInclusive<usize> = 0..=usize::MAX;
        let general = self.integer("OTEL_ATTRIBUTE_COUNT_LIMIT", ANY, "128");
        let general_length = self.integer("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", ANY, "no limit");
        let (count, length) =
            ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT");
        let attributes = self.integer(count, ANY, "OTEL_ATTRIBUTE_COUNT_LIMIT or 128");
        let length = self.integer(length, ANY, "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT or no limit");
        LimitSettings {
            attributes: attributes.or(general),
            attribute_value_length: length.or(general_length).map(Some),
            ..LimitSettings::default()
        }
    }

    /// The variables of spans go before those of all signals.
    fn limits(&mut self) -> LimitSettings {
        const ANY: RangeInclusive<usize> = 0..=usize::MAX;
        let count = self.integer("OTEL_ATTRIBUTE_COUNT_LIMIT", ANY, "128");
        let length = self.integer("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", ANY, "no limit");
        let span_count = "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT";
        let span_length = "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT";
        let attributes = self.integer(span_count, ANY, "OTEL_ATTRIBUTE_COUNT_LIMIT or 128").or(count);
        let general = "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT or no limit";
        LimitSettings {
            attributes,
            attribute_value_length: self.integer(span_length, ANY, general).or(length).map(Some),
            events: self.integer("OTEL_SPAN_EVENT_COUNT_LIMIT", ANY, "128"),
            links: self.integer("OTEL_SPAN_LINK_COUNT_LIMIT", ANY, "128"),
            event_attributes: self.integer("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", ANY, "128"),
            link_attributes: self.integer("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", ANY, "128"),
        }
    }
}

fn all() -> HeadSampler {
    // One is a ratio like any other and cannot be refused.
    RatioSampler::new(1.0).map_or(HeadSampler::AlwaysOn, HeadSampler::Ratio)
}

/// A variable of a signal and the one for all signals, which it goes before.
#[cfg(feature = "otlp-http")]
macro_rules! otlp_variables {
    ($signal:expr, $option:literal) => {{
        let of_signal = match $signal {
            Signal::Traces => concat!("OTEL_EXPORTER_OTLP_TRACES_", $option),
            Signal::Logs => concat!("OTEL_EXPORTER_OTLP_LOGS_", $option),
            Signal::Metrics => concat!("OTEL_EXPORTER_OTLP_METRICS_", $option),
        };
        [of_signal, concat!("OTEL_EXPORTER_OTLP_", $option)]
    }};
}

#[cfg(feature = "otlp-http")]
impl Reader<'_> {
    fn presets(&self) -> Vec<(String, String)> {
        let names = super::presets::variables().into_iter();
        names.filter_map(|name| Some((name.to_owned(), self.text(name)?))).collect()
    }

    fn otlp(&mut self, signal: Signal) -> OtlpOptions {
        self.protocol(signal);
        let path = |reader: &Self, names: [&'static str; 2]| {
            names.into_iter().find_map(|name| reader.text(name)).map(Into::into)
        };
        OtlpOptions {
            endpoint: self.endpoint(signal),
            headers: self.headers(signal),
            timeout: self.of_signal(otlp_variables!(signal, "TIMEOUT"), "10000", Self::timeout),
            compression: self.of_signal(
                otlp_variables!(signal, "COMPRESSION"),
                "none",
                |reader, name, default| {
                    reader.choice(name, default, |value| match value.to_ascii_lowercase().as_str() {
                        "gzip" => Some(Compression::Gzip),
                        "none" => Some(Compression::None),
                        _ => None,
                    })
                },
            ),
            certificate: path(self, otlp_variables!(signal, "CERTIFICATE")),
            client_key: path(self, otlp_variables!(signal, "CLIENT_KEY")),
            client_certificate: path(self, otlp_variables!(signal, "CLIENT_CERTIFICATE")),
            ..OtlpOptions::default()
        }
    }

    /// The signal's variable, or else the one for all signals; `of` is told what is used instead of a bad one.
    fn of_signal<T>(
        &mut self,
        [own, general]: [&'static str; 2],
        default: &str,
        of: impl Fn(&mut Self, &'static str, &str) -> Option<T>,
    ) -> Option<T> {
        of(self, own, &format!("{general} or {default}")).or_else(|| of(self, general, default))
    }

    /// There is one protocol so far; asking for another must not go unnoticed.
    fn protocol(&mut self, signal: Signal) {
        let Some((name, value)) =
            otlp_variables!(signal, "PROTOCOL").into_iter().find_map(|name| Some((name, self.text(name)?)))
        else {
            return;
        };
        match value.to_ascii_lowercase().as_str() {
            "http/protobuf" => {}
            "grpc" => {
                let fallback = "using http/protobuf, which receivers expect on port 4318 as a rule";
                self.warn(name, &value, "is not supported yet", fallback);
            }
            "http/json" => self.warn(name, &value, "is not supported yet", "using http/protobuf"),
            _ => self.warn(name, &value, "is not known", "using http/protobuf"),
        }
    }

    fn endpoint(&mut self, signal: Signal) -> Option<Endpoint> {
        let [own, base] = otlp_variables!(signal, "ENDPOINT");
        self.url(own).map(Endpoint::Exact).or_else(|| self.url(base).map(Endpoint::EnvBase))
    }

    fn url(&mut self, name: &'static str) -> Option<String> {
        let value = self.text(name)?;
        if check_url(&value).is_ok() {
            return Some(value);
        }
        // What is no URL may still hold a password where one would stand in a URL.
        let shown = if value.contains('@') { "…@…" } else { &value };
        let problem = "is not a URL such as http://localhost:4318 (http or https, without credentials)";
        self.warn(name, shown, problem, "ignored");
        None
    }

    fn headers(&mut self, signal: Signal) -> Vec<(String, String)> {
        let Some((name, list)) =
            otlp_variables!(signal, "HEADERS").into_iter().find_map(|name| Some((name, self.text(name)?)))
        else {
            return Vec::new();
        };
        let mut headers: Vec<(String, String)> = Vec::new();
        for pair in pairs::parse(&list) {
            match pair {
                Ok((key, value)) if OtlpOptions::new().header(&key, &value).resolve("", signal).is_ok() => {
                    headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&key));
                    headers.push((key, value));
                }
                // Values of headers are secrets as a rule and are not shown.
                Ok((key, _)) => self.warn(name, &key, "cannot be sent as a header", "left out"),
                Err(pairs::BadPair(key)) => {
                    self.warn(name, key, "is not followed by = and a percent-encoded value", "left out");
                }
            }
        }
        headers
    }
}
