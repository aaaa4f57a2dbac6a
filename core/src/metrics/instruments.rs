//! The instruments of the OpenTelemetry SDK that spans are counted with, and their collection.
//!
//! The export thread owns them and collects by itself: the SDK's own readers would bring a thread of their own.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, BoundHistogram, Counter, Histogram, Meter, MeterProvider as _};
use opentelemetry_sdk::Resource as SdkResource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{
    Instrument, InstrumentKind, ManualReader, Pipeline, SdkMeterProvider, Stream,
    Temporality as SdkTemporality,
};

use super::collected::converted;
use super::data::MetricsData;
use super::{Metric, MetricKind};
use crate::config::{MetricNames, MetricsSettings, TemporalityPreference};
use crate::frame::record::{Resource, Scope};

/// Of durations of operations, as the GenAI conventions have them, in seconds.
const CLIENT_SECONDS: [f64; 14] =
    [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const AGENT_SECONDS: [f64; 13] = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6];
const WORKFLOW_SECONDS: [f64; 11] = [1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0];
/// Of counts of tokens, likewise.
const TOKENS: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
/// Of spans: those of the Collector's span metrics connector, and what an agent needs above them.
const SPAN_SECONDS: [f64; 20] = [
    0.002, 0.004, 0.006, 0.008, 0.01, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.4, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0,
    120.0, 300.0,
];

/// Series of each of the engine's counts about itself.
const OWN_SERIES: usize = 200;

/// Every instrument, and the reader that collects them.
pub(crate) struct Instruments {
    reader: Reader,
    /// Kept for the instruments; it is not asked for anything.
    _provider: SdkMeterProvider,
    meter: Meter,
    calls: Counter<u64>,
    duration: Histogram<f64>,
    operations: Option<Operations>,
    names: MetricNames,
    currency: String,
    own: Arc<Mutex<Vec<Metric>>>,
    found: ResourceMetrics,
}

/// The series of one kind of span.
pub(crate) struct SpanSeries {
    calls: BoundCounter<u64>,
    duration: BoundHistogram<f64>,
}

impl SpanSeries {
    /// A span ended after so many seconds.
    #[inline]
    pub(crate) fn record(&self, seconds: f64) {
        self.calls.add(1);
        self.duration.record(seconds);
    }
}

/// Instruments of operations, made when the first one ends. Those of names that are not wanted are absent.
pub(crate) struct Operations {
    /// Of model calls: newest name.
    pub(crate) inference_seconds: Option<Histogram<f64>>,
    /// Of model calls under the released name, and of other operations of clients.
    pub(crate) client_seconds: Histogram<f64>,
    pub(crate) agent_seconds: Histogram<f64>,
    pub(crate) tool_seconds: Histogram<f64>,
    pub(crate) workflow_seconds: Histogram<f64>,
    /// Until the first output: newest and released name.
    pub(crate) first_chunk_seconds: Vec<Histogram<f64>>,
    /// Tokens of a call, input and output together: released name.
    pub(crate) token_usage: Option<Histogram<u64>>,
    /// The newest names.
    pub(crate) tokens: Option<TokenInstruments>,
    pub(crate) cost: Counter<f64>,
}

/// Instruments of tokens under the newest names.
pub(crate) struct TokenInstruments {
    pub(crate) input: Counter<u64>,
    pub(crate) output: Counter<u64>,
    pub(crate) cache_read: Counter<u64>,
    pub(crate) cache_write: Counter<u64>,
    pub(crate) reasoning: Counter<u64>,
    pub(crate) input_of_call: Histogram<u64>,
    pub(crate) output_of_call: Histogram<u64>,
}

impl Instruments {
    /// `own` are the engine's counts about itself, for their names.
    pub(crate) fn new(settings: &MetricsSettings, own: Vec<Metric>) -> Self {
        let temporality = match settings.temporality.unwrap_or_default() {
            TemporalityPreference::Cumulative => SdkTemporality::Cumulative,
            TemporalityPreference::Delta => SdkTemporality::Delta,
            TemporalityPreference::LowMemory => SdkTemporality::LowMemory,
        };
        let reader = Reader(Arc::new(ManualReader::builder().with_temporality(temporality).build()));
        // One more for what is too many.
        let series = settings.max_series.saturating_add(1);
        let provider = SdkMeterProvider::builder()
            // An empty one: the SDK's own would read the environment, and the exporters know better.
            .with_resource(SdkResource::builder_empty().build())
            .with_reader(reader.clone())
            .with_view(move |instrument: &Instrument| {
                let is_own = instrument.name().starts_with("otel.sdk.");
                Stream::builder()
                    .with_cardinality_limit(if is_own { OWN_SERIES } else { series })
                    .build()
                    .ok()
            })
            .build();
        let meter = provider.meter("polyspan");
        let calls = meter
            .u64_counter("traces.span.metrics.calls")
            .with_description("Spans that ended.")
            .with_unit("{call}")
            .build();
        let duration = seconds(&meter, "traces.span.metrics.duration", "How long spans took.", &SPAN_SECONDS);
        let own = Arc::new(Mutex::new(own));
        observe_own(&meter, &own);
        Self {
            reader,
            _provider: provider,
            meter,
            calls,
            duration,
            operations: None,
            names: settings.names,
            currency: settings.currency.clone(),
            own,
            found: ResourceMetrics::default(),
        }
    }

    /// The series of spans with these labels.
    pub(crate) fn span_series(&self, labels: &[KeyValue]) -> SpanSeries {
        SpanSeries { calls: self.calls.bind(labels), duration: self.duration.bind(labels) }
    }

    /// Those of operations.
    pub(crate) fn operations(&mut self) -> &Operations {
        let Self { operations, meter, names, currency, .. } = self;
        operations.get_or_insert_with(|| Operations::new(meter, *names, currency))
    }

    /// What was counted until now, with what the engine counts about itself.
    pub(crate) fn collect(
        &mut self,
        own: Vec<Metric>,
        resource: &Arc<Resource>,
        scope: &Arc<Scope>,
    ) -> MetricsData {
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = own;
        let mut metrics = Vec::new();
        // It fails only where nothing was registered, and then there is nothing.
        if self.reader.0.collect(&mut self.found).is_ok() {
            let found = self.found.scope_metrics().flat_map(|scope| scope.metrics());
            metrics.extend(found.filter_map(converted));
        }
        MetricsData { resource: Arc::clone(resource), scope: Arc::clone(scope), metrics }
    }
}

impl Operations {
    fn new(meter: &Meter, names: MetricNames, currency: &str) -> Self {
        let (latest, released) = (names.has_latest(), names.has_released());
        let first_chunk = "Time to receive the first chunk of a streamed response.";
        let first_chunks = [
            ("gen_ai.client.inference.time_to_first_chunk", latest),
            ("gen_ai.client.operation.time_to_first_chunk", released),
        ];
        let operation = "GenAI operation duration.";
        Self {
            inference_seconds: latest.then(|| {
                let about = "GenAI client inference operation duration.";
                seconds(meter, "gen_ai.client.inference.duration", about, &CLIENT_SECONDS)
            }),
            client_seconds: seconds(meter, "gen_ai.client.operation.duration", operation, &CLIENT_SECONDS),
            agent_seconds: seconds(
                meter,
                "gen_ai.invoke_agent.duration",
                "The end-to-end duration of a single agent invocation.",
                &AGENT_SECONDS,
            ),
            tool_seconds: seconds(
                meter,
                "gen_ai.execute_tool.duration",
                "The duration of a single tool execution.",
                &CLIENT_SECONDS,
            ),
            workflow_seconds: seconds(
                meter,
                "gen_ai.invoke_workflow.duration",
                "The end-to-end duration of a workflow.",
                &WORKFLOW_SECONDS,
            ),
            first_chunk_seconds: first_chunks
                .into_iter()
                .filter(|(_, wanted)| *wanted)
                .map(|(name, _)| seconds(meter, name, first_chunk, &CLIENT_SECONDS))
                .collect(),
            token_usage: released.then(|| {
                tokens_of_call(meter, "gen_ai.client.token.usage", "Number of input and output tokens used.")
            }),
            tokens: latest.then(|| TokenInstruments::new(meter)),
            cost: meter
                .f64_counter("polyspan.gen_ai.client.cost")
                .with_description("What calls of models cost.")
                .with_unit(format!("{{{currency}}}"))
                .build(),
        }
    }

    /// Whether model calls have the released name of their duration too.
    pub(crate) const fn has_released(&self) -> bool {
        self.token_usage.is_some()
    }
}

impl TokenInstruments {
    fn new(meter: &Meter) -> Self {
        let counter = |name: &'static str, about: &'static str| {
            meter.u64_counter(name).with_description(about).with_unit("{token}").build()
        };
        Self {
            input: counter(
                "gen_ai.client.inference.usage.input_tokens",
                "The number of input (prompt) tokens used, including cached tokens.",
            ),
            output: counter(
                "gen_ai.client.inference.usage.output_tokens",
                "The number of output (completion) tokens used, including reasoning tokens.",
            ),
            cache_read: counter(
                "gen_ai.client.inference.usage.cache_read.input_tokens",
                "The number of input tokens served from a provider-managed cache.",
            ),
            cache_write: counter(
                "gen_ai.client.inference.usage.cache_write.input_tokens",
                "The number of input tokens written to a provider-managed cache.",
            ),
            reasoning: counter(
                "gen_ai.client.inference.usage.reasoning.output_tokens",
                "The number of output tokens used for reasoning.",
            ),
            input_of_call: tokens_of_call(
                meter,
                "gen_ai.client.inference.operation.input_tokens",
                "The number of input (prompt) tokens used per inference operation.",
            ),
            output_of_call: tokens_of_call(
                meter,
                "gen_ai.client.inference.operation.output_tokens",
                "The number of output (completion) tokens used per inference operation.",
            ),
        }
    }
}

fn seconds(meter: &Meter, name: &'static str, about: &'static str, bounds: &[f64]) -> Histogram<f64> {
    let builder = meter.f64_histogram(name).with_description(about).with_unit("s");
    builder.with_boundaries(bounds.to_vec()).build()
}

fn tokens_of_call(meter: &Meter, name: &'static str, about: &'static str) -> Histogram<u64> {
    let builder = meter.u64_histogram(name).with_description(about).with_unit("{token}");
    builder.with_boundaries(TOKENS.to_vec()).build()
}

/// Instruments for the engine's counts about itself, which read what was put there last.
fn observe_own(meter: &Meter, own: &Arc<Mutex<Vec<Metric>>>) {
    let known = own.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for (place, metric) in known.iter().enumerate() {
        let name = metric.name;
        if known.iter().position(|first| first.name == name) != Some(place) {
            continue;
        }
        let counts = Arc::clone(own);
        let each = move |observe: &mut dyn FnMut(u64, &[KeyValue])| {
            for metric in counts.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                if metric.name == name {
                    let labels: Vec<_> = metric
                        .attributes
                        .iter()
                        .map(|(key, value)| KeyValue::new(*key, value.clone().into_owned()))
                        .collect();
                    observe(metric.value, &labels);
                }
            }
        };
        match metric.kind {
            MetricKind::Counter => {
                let observe = move |observer: &dyn opentelemetry::metrics::AsyncInstrument<u64>| {
                    each(&mut |value, labels| observer.observe(value, labels));
                };
                let builder = meter.u64_observable_counter(name).with_unit(metric.unit);
                let _kept_by_its_provider = builder.with_callback(observe).build();
            }
            MetricKind::UpDownCounter => {
                let observe = move |observer: &dyn opentelemetry::metrics::AsyncInstrument<i64>| {
                    each(&mut |value, labels| {
                        observer.observe(i64::try_from(value).unwrap_or(i64::MAX), labels);
                    });
                };
                let builder = meter.i64_observable_up_down_counter(name).with_unit(metric.unit);
                let _kept_by_its_provider = builder.with_callback(observe).build();
            }
        }
    }
}

/// A reader that is asked by hand, as the SDK and as the export thread hold it.
#[derive(Debug, Clone)]
struct Reader(Arc<ManualReader>);

impl MetricReader for Reader {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, found: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(found)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> SdkTemporality {
        self.0.temporality(kind)
    }
}
