//! Polyspan itself, through its Rust front door; as [`Plain`], without the stages that look into values.

use std::error::Error;
use std::time::Duration;

use polyspan::config::{ExporterOptions, Options, OtlpOptions};
use polyspan::export::otlp::Compression;
use polyspan::sampling::HeadSampler;
use polyspan::{Engine, Span, SpanKind, SpanType};

use super::plain::plain;
use super::{Account, Setup, Subject, Target};
use crate::workload::{Facts, ModelFacts, Turn};

const FLUSH: Duration = Duration::from_secs(30);

pub struct Polyspan {
    engine: Engine,
    nowhere: bool,
}

impl Polyspan {
    pub fn with_options(options: Options, nowhere: bool) -> Result<Self, Box<dyn Error>> {
        Ok(Self { engine: polyspan::init(options)?, nowhere })
    }
}

fn span(name: &str, kind: SpanKind, span_type: SpanType, facts: &Facts) -> Span {
    let mut span = polyspan::span(name).kind(kind).kind_of(span_type).start();
    span.set("agent.request", facts.request.as_str());
    span.set("agent.component", facts.component.as_str());
    span.set("agent.region", facts.region.as_str());
    span.set("agent.attempt", facts.attempt);
    span.set("agent.score", facts.score);
    span.set("agent.cached", facts.cached);
    span
}

fn model(span: &mut Span, facts: &ModelFacts) {
    span.input(facts.input.as_str());
    span.event_with(
        "first_token",
        None,
        &[("position".into(), facts.position.into()), ("finish".into(), facts.finish.as_str().into())],
    );
    span.event_with(
        "usage",
        None,
        &[("tokens".into(), facts.tokens.into()), ("unit".into(), facts.unit.as_str().into())],
    );
    span.output(facts.output.as_str());
}

fn options(setup: &Setup) -> Options {
    let sampler = if setup.sampled { HeadSampler::AlwaysOn } else { HeadSampler::AlwaysOff };
    let options = Options::new("bench").sampler(HeadSampler::parent_based(sampler));
    match &setup.target {
        Target::Null => options.exporter(ExporterOptions::None),
        Target::Otlp { endpoint, gzip } => {
            let compression = if *gzip { Compression::Gzip } else { Compression::None };
            options.exporter(ExporterOptions::OtlpHttp(
                OtlpOptions::default().endpoint(endpoint).compression(compression),
            ))
        }
    }
}

/// The same library with redaction off and limits that nothing reaches: what the two cost is the difference.
pub struct Plain(Polyspan);

impl Subject for Plain {
    fn start(setup: &Setup) -> Result<Self, Box<dyn Error>> {
        let nowhere = matches!(setup.target, Target::Null);
        Polyspan::with_options(plain(options(setup)), nowhere).map(Self)
    }

    fn trace(&self, turn: &Turn) {
        self.0.trace(turn);
    }

    fn flush(&self) {
        self.0.flush();
    }

    fn stop(self) -> Account {
        self.0.stop()
    }
}

impl Subject for Polyspan {
    fn start(setup: &Setup) -> Result<Self, Box<dyn Error>> {
        Self::with_options(options(setup), matches!(setup.target, Target::Null))
    }

    fn trace(&self, turn: &Turn) {
        let agent = span("agent run", SpanKind::Internal, SpanType::Agent, &turn.agent);
        let _agent = agent.enter();
        {
            let mut plan = span("plan", SpanKind::Client, SpanType::ModelGeneration, &turn.plan);
            model(&mut plan, &turn.plan_model);
            let _plan = plan.enter();
            let lookup = span("lookup", SpanKind::Internal, SpanType::Tool, &turn.lookup);
            let _lookup = lookup.enter();
            let _query = span("query", SpanKind::Client, SpanType::RagQuery, &turn.query);
        }
        {
            let mut answer = span("answer", SpanKind::Client, SpanType::ModelGeneration, &turn.answer);
            model(&mut answer, &turn.answer_model);
        }
        drop(span("recall", SpanKind::Internal, SpanType::MemoryLookup, &turn.recall));
        drop(span("notify", SpanKind::Internal, SpanType::Tool, &turn.notify));
        drop(span("calendar", SpanKind::Client, SpanType::McpTool, &turn.calendar));
    }

    fn flush(&self) {
        // What is left over is seen in the counts.
        let _ = self.engine.flush(FLUSH);
    }

    fn stop(self) -> Account {
        let _ = self.engine.shutdown(FLUSH);
        let stats = self.engine.stats();
        Account {
            ended: Some(stats.ended),
            exported: Some(if self.nowhere { stats.accepted } else { stats.exported() }),
            left_out: Some(stats.unsampled),
            dropped: Some(stats.all_dropped().values().sum()),
        }
    }
}
