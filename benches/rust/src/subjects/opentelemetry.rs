//! The reference: `opentelemetry_sdk` with its batch processor and `opentelemetry-otlp`.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::trace::{SpanBuilder, SpanKind, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Compression, SpanExporter as OtlpExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, SpanData, SpanExporter};

use super::{Account, Setup, Subject, Target};
use crate::workload::{Facts, ModelFacts, Turn};

/// Counts the spans and lets them go.
#[derive(Debug)]
struct NullExporter(Arc<AtomicU64>);

impl SpanExporter for NullExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.fetch_add(batch.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

/// The stock OTLP/HTTP exporter with its default client.
pub fn otlp_exporter(endpoint: &str, gzip: bool) -> Result<OtlpExporter, Box<dyn Error>> {
    let builder = OtlpExporter::builder().with_http().with_endpoint(endpoint);
    let builder = if gzip { builder.with_compression(Compression::Gzip) } else { builder };
    Ok(builder.with_timeout(Duration::from_secs(10)).build()?)
}

pub struct OpenTelemetry {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    nulled: Option<Arc<AtomicU64>>,
}

impl OpenTelemetry {
    pub fn with_exporter(exporter: impl SpanExporter + 'static, sampled: bool) -> Self {
        let sampler = if sampled { Sampler::AlwaysOn } else { Sampler::AlwaysOff };
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(sampler)))
            .with_resource(Resource::builder().with_service_name("bench").build())
            .build();
        let tracer = provider.tracer("bench");
        Self { provider, tracer, nulled: None }
    }

    fn span<T>(
        &self,
        name: &'static str,
        kind: SpanKind,
        facts: &Facts,
        body: impl FnOnce(&Context) -> T,
    ) -> T {
        let builder = SpanBuilder::from_name(name).with_kind(kind).with_attributes([
            KeyValue::new("agent.request", facts.request.clone()),
            KeyValue::new("agent.component", facts.component.clone()),
            KeyValue::new("agent.region", facts.region.clone()),
            KeyValue::new("agent.attempt", facts.attempt),
            KeyValue::new("agent.score", facts.score),
            KeyValue::new("agent.cached", facts.cached),
        ]);
        self.tracer.in_span_with_builder(builder, |cx| body(&cx))
    }
}

fn model(cx: &Context, facts: &ModelFacts) {
    let span = cx.span();
    span.set_attribute(KeyValue::new("input.value", facts.input.clone()));
    span.add_event(
        "first_token",
        vec![KeyValue::new("position", facts.position), KeyValue::new("finish", facts.finish.clone())],
    );
    span.add_event(
        "usage",
        vec![KeyValue::new("tokens", facts.tokens), KeyValue::new("unit", facts.unit.clone())],
    );
    span.set_attribute(KeyValue::new("output.value", facts.output.clone()));
}

impl Subject for OpenTelemetry {
    fn start(setup: &Setup) -> Result<Self, Box<dyn Error>> {
        Ok(match &setup.target {
            Target::Null => {
                let nulled = Arc::new(AtomicU64::new(0));
                let subject = Self::with_exporter(NullExporter(Arc::clone(&nulled)), setup.sampled);
                Self { nulled: Some(nulled), ..subject }
            }
            Target::Otlp { endpoint, gzip } => {
                Self::with_exporter(otlp_exporter(endpoint, *gzip)?, setup.sampled)
            }
        })
    }

    fn trace(&self, turn: &Turn) {
        self.span("agent run", SpanKind::Internal, &turn.agent, |_| {
            self.span("plan", SpanKind::Client, &turn.plan, |cx| {
                model(cx, &turn.plan_model);
                self.span("lookup", SpanKind::Internal, &turn.lookup, |_| {
                    self.span("query", SpanKind::Client, &turn.query, |_| ());
                });
            });
            self.span("answer", SpanKind::Client, &turn.answer, |cx| model(cx, &turn.answer_model));
            self.span("recall", SpanKind::Internal, &turn.recall, |_| ());
            self.span("notify", SpanKind::Internal, &turn.notify, |_| ());
            self.span("calendar", SpanKind::Client, &turn.calendar, |_| ());
        });
    }

    fn flush(&self) {
        // A refused export is seen in the receiver's count.
        let _ = self.provider.force_flush();
    }

    fn stop(self) -> Account {
        let _ = self.provider.shutdown_with_timeout(Duration::from_secs(30));
        Account { exported: self.nulled.map(|count| count.load(Ordering::Relaxed)), ..Account::default() }
    }
}
