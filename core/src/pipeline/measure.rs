//! The first stage: counts every span that ends, those that later stages or sampling leave out among them.
//!
//! Of each span it takes name, type, kind, status and duration, and of operations of the GenAI conventions what they
//! used and cost. Nothing of a span is kept but its labels, redacted, and their number is bounded.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use tokio::time::Instant;

use super::calls::Calls;
use crate::config::MetricsSettings;
use crate::engine::{Live, MeasureCounts};
use crate::frame::FrameError;
use crate::frame::batch::StringTable;
use crate::frame::unsampled::Unsampled;
use crate::frame::view::{Field, SpanView, ValueView, text};
use crate::frame::write::cut;
use crate::kinds::{SpanFlags, SpanKind, SpanType, StatusCode};
use crate::metrics::data::MetricsData;
use crate::metrics::instruments::{Instruments, SpanSeries};
use crate::metrics::operated::Operated;
use crate::metrics::plain;
use crate::privacy::Redactor;
use crate::semantics::SPAN_TYPE;
use crate::semantics::operation::{Operation, OperationKind, sent_kind};
use crate::stats::DropReason;
use crate::value::Value;

/// Longest label, in bytes.
const LABEL_BYTES: usize = 200;
/// What names are called that are too many.
const OTHER: &str = "other";

/// Counts the spans of one engine.
pub(crate) struct Measure {
    settings: MetricsSettings,
    redactor: Arc<Redactor>,
    instruments: Instruments,
    /// Which generations have their calls as spans of their own, those that are not exported among them.
    calls: Calls,
    /// Series by what tells them apart, as it was given.
    series: HashMap<Vec<u8>, SpanSeries>,
    /// For spans that would be one series too many; made by the first of them.
    overflow: Option<SpanSeries>,
    /// Those of operations, likewise, and for those that would be too many one for each kind.
    operations: HashMap<Vec<u8>, Operated>,
    overflowing: HashMap<OperationKind, Operated>,
    names: HashSet<String>,
    key: Vec<u8>,
    next: Instant,
    pub(crate) counts: MeasureCounts,
}

/// What tells one kind of span from another.
struct Kind<'a> {
    name: &'a str,
    span_type: SpanType,
    kind: SpanKind,
    status: StatusCode,
}

impl Measure {
    /// The stage of an engine; `None` if its metrics are off.
    pub(crate) fn new(live: &Live) -> Option<Box<Self>> {
        let settings = &live.definition.settings;
        let metrics = settings.config.metrics.clone()?;
        let instruments = Instruments::new(&metrics, live.stats().self_metrics());
        Some(Box::new(Self {
            redactor: Arc::clone(&settings.redactor),
            overflow: None,
            instruments,
            calls: Calls::default(),
            series: HashMap::new(),
            operations: HashMap::new(),
            overflowing: HashMap::new(),
            names: HashSet::new(),
            key: Vec::new(),
            next: Instant::now() + metrics.interval,
            counts: MeasureCounts::default(),
            settings: metrics,
        }))
    }

    /// When metrics are to be collected next.
    pub(crate) const fn due(&self) -> Instant {
        self.next
    }

    /// What was counted until now. `live` counts about itself, which goes along.
    pub(crate) fn collect(&mut self, live: &Live, now: Instant) -> MetricsData {
        let settings = &live.definition.settings;
        let own = live.stats().self_metrics();
        let collected = self.instruments.collect(own, &settings.resource, &settings.scope);
        self.counts.collected += u64::from(collected.points());
        self.next = now + self.settings.interval;
        collected
    }

    /// Counts a recorded span.
    pub(crate) fn span(&mut self, span: &SpanView<'_>) {
        let head = span.head();
        let is_stepped = self.calls.mark(*span).head().flags.contains(SpanFlags::STEPPED);
        let name = span.fields().filter_map(|field| match field {
            Field::Name(name) => Some(name),
            _ => None,
        });
        let name = name.last().map(text).unwrap_or_default();
        let is_given = head.flags.contains(SpanFlags::KIND_GIVEN);
        let kind = Kind {
            name: &name,
            span_type: head.span_type,
            kind: sent_kind(head.kind, is_given, head.span_type, is_stepped),
            status: head.status,
        };
        let duration = Duration::from_nanos(head.end_unix_nanos.saturating_sub(head.start_unix_nanos));
        let further = if self.settings.attributes.is_empty() { Vec::new() } else { self.further(span) };
        self.record(&kind, duration.as_secs_f64(), &further);
        if let Some(operation) = Operation::of(span, is_stepped) {
            self.operation(&operation, duration.as_secs_f64(), &further);
        }
    }

    /// Counts a span that was not sampled.
    ///
    /// # Errors
    /// [`FrameError`] if its event cannot be read.
    pub(crate) fn unsampled(&mut self, body: &[u8], table: &StringTable<'_>) -> Result<(), FrameError> {
        let span = Unsampled::in_frame(body, table).inspect_err(|_| {
            self.counts.missed.add(DropReason::BadFrame, 1);
        })?;
        let is_given = span.flags.contains(SpanFlags::KIND_GIVEN);
        let kind = Kind {
            name: &span.name,
            span_type: span.span_type,
            kind: sent_kind(span.kind, is_given, span.span_type, false),
            status: span.status,
        };
        self.record(&kind, Duration::from_nanos(span.nanos).as_secs_f64(), &[]);
        Ok(())
    }

    fn record(&mut self, kind: &Kind<'_>, seconds: f64, further: &[KeyValue]) {
        self.counts.spans += 1;
        let name = plain(kind.name);
        self.span_key(&name, kind, further);
        if let Some(series) = self.series.get(&self.key) {
            return series.record(seconds);
        }
        self.new_series(&name, kind, seconds, further);
    }

    /// A span unlike all before it.
    #[cold]
    fn new_series(&mut self, name: &str, kind: &Kind<'_>, seconds: f64, further: &[KeyValue]) {
        let mut name = name;
        if !self.names.contains(name) {
            if self.names.len() < self.settings.max_names {
                self.names.insert(name.to_owned());
            } else {
                name = OTHER;
                self.span_key(name, kind, further);
                if let Some(series) = self.series.get(&self.key) {
                    return series.record(seconds);
                }
            }
        }
        if self.series.len() >= self.settings.max_series {
            self.counts.overflowed += 1;
            let overflow = || self.instruments.span_series(&overflow_label());
            return self.overflow.get_or_insert_with(overflow).record(seconds);
        }
        let mut labels = vec![
            KeyValue::new("span.name", self.redactor.text(name).into_owned()),
            KeyValue::new("span.kind", kind_name(kind.kind)),
            KeyValue::new("status.code", status_name(kind.status)),
            KeyValue::new(SPAN_TYPE, kind.span_type.as_str()),
        ];
        labels.extend_from_slice(further);
        let series = self.instruments.span_series(&labels);
        series.record(seconds);
        self.series.insert(self.key.clone(), series);
    }

    fn span_key(&mut self, name: &str, kind: &Kind<'_>, further: &[KeyValue]) {
        self.key.clear();
        self.key.extend_from_slice(&(kind.span_type as u16).to_le_bytes());
        self.key.extend_from_slice(&[kind.kind as u8, kind.status as u8]);
        self.key.extend_from_slice(name.as_bytes());
        put_further(&mut self.key, further);
    }

    /// The attributes and metadata that are labels too, redacted and cut; the last value of a key counts, and
    /// attributes go before metadata.
    fn further(&self, span: &SpanView<'_>) -> Vec<KeyValue> {
        let mut found: Vec<Option<ValueView<'_>>> = vec![None; self.settings.attributes.len()];
        let mut inherited = found.clone();
        for field in span.fields() {
            let (slots, name, value) = match field {
                Field::Attribute(name, value) => (&mut found, name, value),
                Field::Metadata(name, value) => (&mut inherited, name, value),
                _ => continue,
            };
            let place = self.settings.attributes.iter().position(|key| key.as_bytes() == name);
            if let Some(slot) = place.and_then(|place| slots.get_mut(place)) {
                *slot = Some(value);
            }
        }
        let values = found.into_iter().zip(inherited).map(|(own, inherited)| own.or(inherited));
        self.settings
            .attributes
            .iter()
            .zip(values)
            .filter_map(|(key, value)| self.label(key.clone(), value?))
            .collect()
    }

    /// A label of one of the application's keys; structures are none.
    fn label(&self, key: String, value: ValueView<'_>) -> Option<KeyValue> {
        let shown = match value {
            ValueView::Str(_) | ValueView::I64(_) | ValueView::F64(_) | ValueView::Bool(_) => {
                value.to_value()
            }
            _ => return None,
        };
        let shown = self.redactor.value(&key, &shown).unwrap_or(shown);
        let label: opentelemetry::Value = match &shown {
            Value::Bool(value) => (*value).into(),
            Value::I64(value) => (*value).into(),
            Value::F64(value) => (*value).into(),
            other => cut(other.as_str().unwrap_or_default(), LABEL_BYTES).to_owned().into(),
        };
        Some(KeyValue::new(key, label))
    }

    /// Counts an operation.
    fn operation(&mut self, operation: &Operation<'_>, seconds: f64, further: &[KeyValue]) {
        self.key.clear();
        self.key.push(operation.kind as u8);
        for (key, value) in operation.labels.iter().chain(&operation.error.clone().map(|error| ("", error))) {
            self.key.extend_from_slice(key.as_bytes());
            self.key.push(0xff);
            self.key.extend_from_slice(value.as_bytes());
            self.key.push(0xff);
        }
        self.key.extend_from_slice(&operation.server_port.unwrap_or_default().to_le_bytes());
        put_further(&mut self.key, further);
        let cost = operation.cost.or_else(|| self.price(operation));
        if !self.operations.contains_key(&self.key) && self.operations.len() < self.settings.max_series {
            let (base, with_error) = self.operation_labels(operation, further);
            let new = Operated::new(&mut self.instruments, operation.kind, base, with_error);
            self.operations.insert(self.key.clone(), new);
        }
        let Self { operations, overflowing, instruments, .. } = self;
        let operated = match operations.get_mut(&self.key) {
            Some(operated) => operated,
            None => overflowing.entry(operation.kind).or_insert_with(|| {
                let labels = || overflow_label().to_vec();
                Operated::new(instruments, operation.kind, labels(), labels())
            }),
        };
        operated.record(instruments.operations(), operation, seconds, cost);
    }

    /// Its labels, and with them what failed.
    fn operation_labels(
        &self,
        operation: &Operation<'_>,
        further: &[KeyValue],
    ) -> (Vec<KeyValue>, Vec<KeyValue>) {
        let shown = |key: &'static str, value: &str| {
            // Models are told apart by their dates; what is named by the application may hold ids.
            let is_name = matches!(key, "gen_ai.agent.name" | "gen_ai.tool.name" | "gen_ai.workflow.name");
            let value = if is_name { plain(value).into_owned() } else { cut(value, LABEL_BYTES).to_owned() };
            KeyValue::new(key, self.redactor.text(&value).into_owned())
        };
        let mut base: Vec<_> = operation.labels.iter().map(|(key, value)| shown(key, value)).collect();
        base.extend(operation.server_port.map(|port| KeyValue::new("server.port", port)));
        base.extend_from_slice(further);
        let mut with_error = base.clone();
        with_error.extend(operation.error.as_ref().map(|error| shown("error.type", error)));
        (base, with_error)
    }

    fn price(&self, operation: &Operation<'_>) -> Option<f64> {
        let model = operation.model.as_deref().filter(|_| !self.settings.prices.is_empty())?;
        match self.settings.prices.find(model) {
            Some(price) => price.of(&operation.usage),
            None => {
                let message =
                    format!("metrics.prices has none for the model {:?}", self.redactor.text(model));
                crate::log::warn_once("prices", &format!("{message}; its cost is not counted"));
                None
            }
        }
    }
}

/// What stands for all series that are too many (OpenTelemetry metrics SDK, "Overflow attribute").
fn overflow_label() -> [KeyValue; 1] {
    [KeyValue::new("otel.metric.overflow", true)]
}

fn put_further(key: &mut Vec<u8>, further: &[KeyValue]) {
    for label in further {
        key.push(0xff);
        key.extend_from_slice(label.key.as_str().as_bytes());
        key.push(0xff);
        key.extend_from_slice(label.value.as_str().as_bytes());
    }
}

/// As the Collector's span metrics connector writes it.
const fn kind_name(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Internal => "SPAN_KIND_INTERNAL",
        SpanKind::Server => "SPAN_KIND_SERVER",
        SpanKind::Client => "SPAN_KIND_CLIENT",
        SpanKind::Producer => "SPAN_KIND_PRODUCER",
        SpanKind::Consumer => "SPAN_KIND_CONSUMER",
    }
}

const fn status_name(status: StatusCode) -> &'static str {
    match status {
        StatusCode::Unset => "STATUS_CODE_UNSET",
        StatusCode::Ok => "STATUS_CODE_OK",
        StatusCode::Error => "STATUS_CODE_ERROR",
    }
}
