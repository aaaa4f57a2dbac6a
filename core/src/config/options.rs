//! What an application sets when it starts an engine.

use std::time::Duration;

use super::content::{ContentLimits, Unrecorded};
use super::exporters::ExporterOptions;
#[cfg(feature = "engine")]
use super::host::HostTaps;
use super::limits::{BatchSettings, CaptureLimits, DiagnosticLevel, LimitSettings, MemoryLimits};
use super::metrics::MetricsOptions;
#[cfg(feature = "otlp-http")]
use super::otlp::OtlpOptions;
use super::trace::TraceSettings;
#[cfg(feature = "engine")]
use crate::host::HostHandler;
use crate::logs::LogLevel;
use crate::privacy::Redaction;
use crate::sampling::HeadSampler;
use crate::value::OwnedValue;

/// The options of an engine; what is not set comes from the environment, and then from the defaults.
///
/// Nothing is checked before `init` resolves them, so that each mistake is reported in one place. The
/// defaults stand with [`Batching`](super::Batching), [`SpanLimits`](super::SpanLimits),
/// [`MemoryLimits`] and [`CaptureLimits`].
///
/// ```
/// # use polyspan::config::Options;
/// # use polyspan::sampling::{HeadSampler, RatioSampler};
/// # fn main() -> Result<(), polyspan::Error> {
/// let options = Options::new("support-agent")
///     .sampler(HeadSampler::parent_based(HeadSampler::Ratio(RatioSampler::new(0.25)?)))
///     .resource_attribute("deployment.environment.name", "staging");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    pub(super) service: Option<String>,
    pub(super) name: String,
    pub(super) replace: bool,
    pub(super) provider: bool,
    pub(super) disabled: Option<bool>,
    pub(super) language: String,
    pub(super) resource: Vec<(String, OwnedValue)>,
    pub(super) schema_url: String,
    pub(super) sampler: Option<HeadSampler>,
    pub(super) propagators: Option<Vec<String>>,
    /// `Some` and empty if the application wants no exporter.
    pub(super) exporters: Option<Vec<ExporterOptions>>,
    /// The same for log records.
    pub(super) logs_exporters: Option<Vec<ExporterOptions>>,
    pub(super) metrics: MetricsOptions,
    /// The same for metrics.
    pub(super) metrics_exporters: Option<Vec<ExporterOptions>>,
    #[cfg(feature = "otlp-http")]
    pub(super) otlp: OtlpOptions,
    pub(super) batch: BatchSettings,
    pub(super) limits: LimitSettings,
    pub(super) content: ContentLimits,
    pub(super) unrecorded: Unrecorded,
    pub(super) memory: MemoryLimits,
    pub(super) capture: CaptureLimits,
    pub(super) redaction: Redaction,
    pub(super) hide_input: bool,
    pub(super) hide_output: bool,
    pub(super) trace: TraceSettings,
    pub(super) environment: Option<String>,
    pub(super) exit_timeout: Duration,
    pub(super) log_level: Option<LogLevel>,
    #[cfg(feature = "engine")]
    pub(super) host: HostTaps,
    pub(super) diagnostic_level: Option<DiagnosticLevel>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            service: None,
            name: Self::DEFAULT_NAME.to_owned(),
            replace: false,
            provider: false,
            disabled: None,
            language: "rust".to_owned(),
            resource: Vec::new(),
            schema_url: String::new(),
            sampler: None,
            propagators: None,
            exporters: None,
            logs_exporters: None,
            metrics: MetricsOptions::default(),
            metrics_exporters: None,
            #[cfg(feature = "otlp-http")]
            otlp: OtlpOptions::default(),
            batch: BatchSettings::default(),
            limits: LimitSettings::default(),
            content: ContentLimits::default(),
            unrecorded: Unrecorded::default(),
            memory: MemoryLimits::default(),
            capture: CaptureLimits::default(),
            redaction: Redaction::default(),
            hide_input: false,
            hide_output: false,
            trace: TraceSettings::default(),
            environment: None,
            exit_timeout: Duration::from_secs(2),
            log_level: None,
            #[cfg(feature = "engine")]
            host: HostTaps::default(),
            diagnostic_level: None,
        }
    }
}

impl Options {
    /// The name of the engine that is used where none is given.
    pub const DEFAULT_NAME: &'static str = "default";

    /// Options of a service; an empty name is the same as none.
    pub fn new(service: impl Into<String>) -> Self {
        Self::default().service(service)
    }

    /// The name of the service (`service.name`); an empty one is the same as none.
    /// Default: `unknown_service:` and the name of the process.
    #[must_use]
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into()).filter(|name| !name.is_empty());
        self
    }

    /// The name of this engine in the registry. Default: `default`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Replaces an engine of the same name that has other options, instead of failing with
    /// `already_initialized`; the old one is drained. Default: false.
    #[must_use]
    pub fn replace(mut self, replace: bool) -> Self {
        self.replace = replace;
        self
    }

    /// Starts as an OpenTelemetry provider does: without endpoint and exporter spans go to
    /// `http://localhost:4318`, not to the console. Default: false.
    #[must_use]
    pub fn provider(mut self, provider: bool) -> Self {
        self.provider = provider;
        self
    }

    /// Records nothing; propagation stays on. Default: false.
    #[must_use]
    pub fn disabled(mut self, disabled: bool) -> Self {
        self.disabled = Some(disabled);
        self
    }

    /// The language that spans are recorded in (`telemetry.sdk.language`), set by bindings.
    /// Default: `rust`.
    #[must_use]
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = language.into();
        self
    }

    /// An attribute of the resource; a key set twice keeps the later value.
    #[must_use]
    pub fn resource_attribute(mut self, key: impl Into<String>, value: impl Into<OwnedValue>) -> Self {
        self.resource.push((key.into(), value.into()));
        self
    }

    /// The schema that the resource's attributes follow. Default: none.
    #[must_use]
    pub fn resource_schema_url(mut self, url: impl Into<String>) -> Self {
        self.schema_url = url.into();
        self
    }

    /// Which spans are recorded and exported. Default: parent-based over always on.
    #[must_use]
    pub fn sampler(mut self, sampler: HeadSampler) -> Self {
        self.sampler = Some(sampler);
        self
    }

    /// The formats in which context travels, of `tracecontext` and `baggage`; `none` alone for no format.
    /// Default: both.
    #[must_use]
    pub fn propagators<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.propagators = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Adds an exporter; `OTEL_TRACES_EXPORTER` is not used then. Default: see [`Options::provider`].
    #[must_use]
    pub fn exporter(mut self, exporter: ExporterOptions) -> Self {
        let exporters = self.exporters.get_or_insert_default();
        if !matches!(exporter, ExporterOptions::None) {
            exporters.push(exporter);
        }
        self
    }

    /// Adds an exporter of log records; `OTEL_LOGS_EXPORTER` is not used then. Default: where spans go, as far as
    /// log records can go there (OTLP, console, file, memory).
    #[must_use]
    pub fn logs_exporter(mut self, exporter: ExporterOptions) -> Self {
        let exporters = self.logs_exporters.get_or_insert_default();
        if !matches!(exporter, ExporterOptions::None) {
            exporters.push(exporter);
        }
        self
    }

    /// Whether and how metrics are made out of spans; needs the feature `metrics`. Default: off, unless
    /// `OTEL_METRICS_EXPORTER` names an exporter.
    #[must_use]
    pub fn metrics(mut self, metrics: MetricsOptions) -> Self {
        self.metrics = metrics;
        self
    }

    /// Adds an exporter of metrics; `OTEL_METRICS_EXPORTER` is not used then. Default: where spans go, as far as
    /// metrics can go there (OTLP, console, file, memory). It does not switch metrics on.
    #[must_use]
    pub fn metrics_exporter(mut self, exporter: ExporterOptions) -> Self {
        let exporters = self.metrics_exporters.get_or_insert_default();
        if !matches!(exporter, ExporterOptions::None) {
            exporters.push(exporter);
        }
        self
    }

    /// The base URL of an OTLP receiver; `v1/traces` is added to it unless it ends so. Adds an OTLP
    /// exporter unless one is added by [`Options::exporter`], whose own endpoint goes before this.
    #[cfg(feature = "otlp-http")]
    #[must_use]
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.otlp = self.otlp.endpoint(url);
        self
    }

    /// A header of every OTLP request.
    #[cfg(feature = "otlp-http")]
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.otlp = self.otlp.header(name, value);
        self
    }

    /// What holds for every OTLP exporter that does not say otherwise, [`Options::endpoint`] and
    /// [`Options::header`] included; replaces what they set before.
    #[cfg(feature = "otlp-http")]
    #[must_use]
    pub fn otlp(mut self, otlp: OtlpOptions) -> Self {
        self.otlp = otlp;
        self
    }

    /// Sets [`Batching::max_queue_spans`](super::Batching::max_queue_spans).
    #[must_use]
    pub fn max_queue_spans(mut self, spans: usize) -> Self {
        self.batch.max_queue_spans = Some(spans);
        self
    }

    /// Sets [`Batching::max_batch_spans`](super::Batching::max_batch_spans).
    #[must_use]
    pub fn max_batch_spans(mut self, spans: usize) -> Self {
        self.batch.max_batch_spans = Some(spans);
        self
    }

    /// Sets [`Batching::max_batch_bytes`](super::Batching::max_batch_bytes).
    #[must_use]
    pub fn max_batch_bytes(mut self, bytes: usize) -> Self {
        self.batch.max_batch_bytes = Some(bytes);
        self
    }

    /// Sets [`Batching::schedule_delay`](super::Batching::schedule_delay).
    #[must_use]
    pub fn schedule_delay(mut self, delay: Duration) -> Self {
        self.batch.schedule_delay = Some(delay);
        self
    }

    /// Sets [`Batching::export_timeout`](super::Batching::export_timeout).
    #[must_use]
    pub fn export_timeout(mut self, timeout: Duration) -> Self {
        self.batch.export_timeout = Some(timeout);
        self
    }

    /// Sets [`SpanLimits::attributes`](super::SpanLimits::attributes).
    #[must_use]
    pub fn attribute_count_limit(mut self, limit: usize) -> Self {
        self.limits.attributes = Some(limit);
        self
    }

    /// Sets [`SpanLimits::attribute_value_length`](super::SpanLimits::attribute_value_length).
    #[must_use]
    pub fn attribute_value_length_limit(mut self, limit: Option<usize>) -> Self {
        self.limits.attribute_value_length = Some(limit);
        self
    }

    /// Sets [`SpanLimits::events`](super::SpanLimits::events).
    #[must_use]
    pub fn event_count_limit(mut self, limit: usize) -> Self {
        self.limits.events = Some(limit);
        self
    }

    /// Sets [`SpanLimits::links`](super::SpanLimits::links).
    #[must_use]
    pub fn link_count_limit(mut self, limit: usize) -> Self {
        self.limits.links = Some(limit);
        self
    }

    /// Sets [`SpanLimits::event_attributes`](super::SpanLimits::event_attributes).
    #[must_use]
    pub fn event_attribute_count_limit(mut self, limit: usize) -> Self {
        self.limits.event_attributes = Some(limit);
        self
    }

    /// Sets [`SpanLimits::link_attributes`](super::SpanLimits::link_attributes).
    #[must_use]
    pub fn link_attribute_count_limit(mut self, limit: usize) -> Self {
        self.limits.link_attributes = Some(limit);
        self
    }

    /// How much of each value is exported. Default: [`ContentLimits::DEFAULT`].
    #[must_use]
    pub fn content_limits(mut self, limits: ContentLimits) -> Self {
        self.content = limits;
        self
    }

    /// Whether inputs and outputs of spans are recorded at all. Default: true.
    #[must_use]
    pub fn include_io(mut self, include: bool) -> Self {
        self.unrecorded.io = !include;
        self
    }

    /// Fields that are never recorded: names of attributes (of events and links too) and of pieces of
    /// metadata, `input`, `output`, and dotted paths into their maps, such as `input.user.email`. Default: none.
    #[must_use]
    pub fn exclude_fields<S: Into<String>>(mut self, fields: impl IntoIterator<Item = S>) -> Self {
        self.unrecorded.fields = fields.into_iter().map(Into::into).collect();
        self
    }

    /// Sets [`MemoryLimits::budget_bytes`].
    #[must_use]
    pub fn memory_budget(mut self, bytes: usize) -> Self {
        self.memory.budget_bytes = bytes;
        self
    }

    /// Sets [`MemoryLimits::open_spans`].
    #[must_use]
    pub fn open_spans(mut self, spans: usize) -> Self {
        self.memory.open_spans = spans;
        self
    }

    /// Sets [`MemoryLimits::open_span_bytes`].
    #[must_use]
    pub fn open_span_bytes(mut self, bytes: usize) -> Self {
        self.memory.open_span_bytes = bytes;
        self
    }

    /// Sets [`CaptureLimits::value_bytes`].
    #[must_use]
    pub fn capture_value_bytes(mut self, bytes: usize) -> Self {
        self.capture.value_bytes = bytes;
        self
    }

    /// Sets [`CaptureLimits::span_bytes`].
    #[must_use]
    pub fn capture_span_bytes(mut self, bytes: usize) -> Self {
        self.capture.span_bytes = bytes;
        self
    }

    /// How secrets are redacted. Default: on, by the built-in rules.
    #[must_use]
    pub fn redaction(mut self, redaction: Redaction) -> Self {
        self.redaction = redaction;
        self
    }

    /// Leaves out what goes into operations: inputs, and the attributes that the conventions have for them.
    /// Default: false.
    #[must_use]
    pub fn hide_input(mut self, hide: bool) -> Self {
        self.hide_input = hide;
        self
    }

    /// Leaves out what comes out of operations. Default: false.
    #[must_use]
    pub fn hide_output(mut self, hide: bool) -> Self {
        self.hide_output = hide;
        self
    }

    /// How long the end of the process may be held up to deliver what is left; zero for not at all.
    /// Default: 2 s.
    #[must_use]
    pub fn exit_timeout(mut self, timeout: Duration) -> Self {
        self.exit_timeout = timeout;
        self
    }

    /// Has the host change spans or leave them out, before they are redacted ([`crate::host`]).
    #[cfg(feature = "engine")]
    #[must_use]
    pub fn processors(mut self, chain: HostHandler) -> Self {
        self.host.process = Some(chain);
        self
    }

    /// Has the host leave spans out, after they were redacted and limited.
    #[cfg(feature = "engine")]
    #[must_use]
    pub fn span_filter(mut self, filter: HostHandler) -> Self {
        self.host.filter = Some(filter);
        self
    }

    /// From which severity on log records are kept; [`Engine::set_log_level`](crate::Engine::set_log_level) changes
    /// it later. Default: [`LogLevel::Info`].
    #[must_use]
    pub fn log_level(mut self, level: LogLevel) -> Self {
        self.log_level = Some(level);
        self
    }

    /// What the engine tells the host's logger about itself. Default: [`DiagnosticLevel::Info`].
    #[must_use]
    pub fn diagnostic_level(mut self, level: DiagnosticLevel) -> Self {
        self.diagnostic_level = Some(level);
        self
    }

    /// Whether [`Options::replace`] was asked for.
    pub const fn replaces(&self) -> bool {
        self.replace
    }
}
