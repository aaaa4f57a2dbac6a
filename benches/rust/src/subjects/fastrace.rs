//! The quickest peer: `fastrace`, with `fastrace-opentelemetry` and the stock OTLP exporter behind it.
//!
//! Its values are strings, made in closures that run only when the trace is sampled; a span kind would be
//! one more of them and is left out.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fastrace::collector::{Config, Reporter, SpanContext, SpanId, SpanRecord, TraceId};
use fastrace::local::LocalSpan;
use fastrace::{Event, Span};
use fastrace_opentelemetry::OpenTelemetryReporter;
use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::Resource;

use super::opentelemetry::otlp_exporter;
use super::{Account, Setup, Subject, Target};
use crate::workload::{Facts, ModelFacts, Turn};

/// With the default second between reports the memory of a second's spans goes round, and callers pay half as
/// much again for the page faults.
const SHORT_INTERVAL: Duration = Duration::from_millis(10);

/// Counts the spans and lets them go.
struct NullReporter(Arc<AtomicU64>);

impl Reporter for NullReporter {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        self.0.fetch_add(spans.len() as u64, Ordering::Relaxed);
    }
}

pub struct Fastrace {
    sampled: bool,
    nulled: Option<Arc<AtomicU64>>,
}

impl Fastrace {
    pub fn with_reporter(reporter: impl Reporter, setup: &Setup) -> Self {
        let config = Config::default();
        fastrace::set_reporter(
            reporter,
            if setup.tuned { config.report_interval(SHORT_INTERVAL) } else { config },
        );
        Self { sampled: setup.sampled, nulled: None }
    }
}

type Property = (&'static str, Cow<'static, str>);

fn properties(facts: &Facts) -> [Property; 6] {
    [
        ("agent.request", facts.request.clone().into()),
        ("agent.component", facts.component.clone().into()),
        ("agent.region", facts.region.clone().into()),
        ("agent.attempt", facts.attempt.to_string().into()),
        ("agent.score", facts.score.to_string().into()),
        ("agent.cached", if facts.cached { "true" } else { "false" }.into()),
    ]
}

fn local(name: &'static str, facts: &Facts) -> LocalSpan {
    LocalSpan::enter_with_local_parent(name).with_properties(|| properties(facts))
}

fn model(facts: &ModelFacts) {
    LocalSpan::add_property(|| ("input.value", facts.input.clone()));
    LocalSpan::add_event(Event::new("first_token").with_properties(|| -> [Property; 2] {
        [("position", facts.position.to_string().into()), ("finish", facts.finish.clone().into())]
    }));
    LocalSpan::add_event(Event::new("usage").with_properties(|| -> [Property; 2] {
        [("tokens", facts.tokens.to_string().into()), ("unit", facts.unit.clone().into())]
    }));
    LocalSpan::add_property(|| ("output.value", facts.output.clone()));
}

impl Subject for Fastrace {
    fn start(setup: &Setup) -> Result<Self, Box<dyn Error>> {
        Ok(match &setup.target {
            Target::Null => {
                let nulled = Arc::new(AtomicU64::new(0));
                let subject = Self::with_reporter(NullReporter(Arc::clone(&nulled)), setup);
                Self { nulled: Some(nulled), ..subject }
            }
            Target::Otlp { endpoint, gzip } => {
                let resource = Resource::builder().with_service_name("bench").build();
                let scope = InstrumentationScope::builder("bench").build();
                Self::with_reporter(
                    OpenTelemetryReporter::new(otlp_exporter(endpoint, *gzip)?, Cow::Owned(resource), scope),
                    setup,
                )
            }
        })
    }

    fn trace(&self, turn: &Turn) {
        let parent = SpanContext::new(TraceId::random(), SpanId::default()).sampled(self.sampled);
        let root = Span::root("agent run", parent).with_properties(|| properties(&turn.agent));
        let _agent = root.set_local_parent();
        {
            let _plan = local("plan", &turn.plan);
            model(&turn.plan_model);
            let _lookup = local("lookup", &turn.lookup);
            let _query = local("query", &turn.query);
        }
        {
            let _answer = local("answer", &turn.answer);
            model(&turn.answer_model);
        }
        drop(local("recall", &turn.recall));
        drop(local("notify", &turn.notify));
        drop(local("calendar", &turn.calendar));
    }

    fn flush(&self) {
        fastrace::flush();
    }

    fn stop(self) -> Account {
        fastrace::flush();
        Account { exported: self.nulled.map(|count| count.load(Ordering::Relaxed)), ..Account::default() }
    }
}
