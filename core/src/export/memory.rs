//! The memory exporter: finished spans, log records and metrics as objects, for tests and for hosts that show traces themselves.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Encoder, Outcome, SendContext, Sink};
use crate::frame::record::{RecordContext, SpanData};
use crate::frame::view::SpanView;
use crate::logs::LogData;
use crate::metrics::data::MetricsData;
use crate::semantics::{self, Dialect};
use crate::stats::DropReason;

/// Where the memory exporter puts spans. Clones share the same store.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    spans: Arc<Mutex<Vec<SpanData>>>,
    logs: Arc<Mutex<Vec<LogData>>>,
    metrics: Arc<Mutex<Vec<MetricsData>>>,
    capacity: usize,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::with_capacity(100_000)
    }
}

/// The same store, not one with the same spans.
impl PartialEq for MemoryStore {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.spans, &other.spans)
    }
}

impl MemoryStore {
    /// A store of at most 100,000 spans, and as many log records and data points of metrics.
    pub fn new() -> Self {
        Self::default()
    }

    /// A store of at most `capacity` spans, and as many log records and data points of metrics; later ones are dropped
    /// and counted as `queue_full`.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { spans: Arc::default(), logs: Arc::default(), metrics: Arc::default(), capacity }
    }

    /// Copies of the spans received so far, in the order they ended.
    pub fn spans(&self) -> Vec<SpanData> {
        self.lock().clone()
    }

    /// Takes the spans out.
    pub fn take(&self) -> Vec<SpanData> {
        core::mem::take(&mut *self.lock())
    }

    /// Copies of the log records received so far, in the order they were recorded.
    pub fn logs(&self) -> Vec<LogData> {
        self.lock_logs().clone()
    }

    /// Takes the log records out.
    pub fn take_logs(&self) -> Vec<LogData> {
        core::mem::take(&mut *self.lock_logs())
    }

    /// Copies of the metrics received so far, one for each collection, the oldest first.
    pub fn metrics(&self) -> Vec<MetricsData> {
        self.lock_metrics().clone()
    }

    /// Takes the metrics out.
    pub fn take_metrics(&self) -> Vec<MetricsData> {
        core::mem::take(&mut *self.lock_metrics())
    }

    fn lock_metrics(&self) -> MutexGuard<'_, Vec<MetricsData>> {
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_logs(&self) -> MutexGuard<'_, Vec<LogData>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<SpanData>> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Collects owned records, for the exporters that need objects.
#[derive(Debug, Default)]
pub struct DataEncoder {
    spans: Vec<SpanData>,
    bytes: usize,
    dialect: Option<Dialect>,
}

impl DataEncoder {
    /// An empty encoder.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty encoder that calls things by the names of a convention.
    pub fn speaking(dialect: Dialect) -> Self {
        Self { dialect: Some(dialect), ..Self::default() }
    }
}

impl Encoder for DataEncoder {
    type Batch = Vec<SpanData>;

    fn push(&mut self, span: &SpanView<'_>, context: &RecordContext<'_>) {
        self.bytes += size_of::<SpanData>() + 2 * span.fields_len();
        let mut data = SpanData::from_view(span, context);
        if let Some(dialect) = self.dialect.filter(|dialect| dialect.changes(span)) {
            semantics::map(span, dialect).replace(&mut data);
        }
        self.spans.push(data);
    }

    fn spans(&self) -> u32 {
        self.spans.len() as u32
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn take(&mut self) -> Vec<SpanData> {
        self.bytes = 0;
        core::mem::take(&mut self.spans)
    }
}

impl Sink<Vec<SpanData>> for MemoryStore {
    async fn send(&mut self, batch: Vec<SpanData>, _: &SendContext) -> Outcome {
        keep(&mut self.lock(), batch, self.capacity)
    }
}

/// Collects log records as objects.
#[derive(Debug, Default)]
pub(crate) struct LogDataEncoder {
    records: Vec<LogData>,
    bytes: usize,
}

impl Encoder for LogDataEncoder {
    type Batch = Vec<LogData>;

    fn push(&mut self, record: &SpanView<'_>, context: &RecordContext<'_>) {
        self.bytes += size_of::<LogData>() + 2 * record.fields_len();
        self.records.push(LogData::from_view(record, context));
    }

    fn spans(&self) -> u32 {
        self.records.len() as u32
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn take(&mut self) -> Vec<LogData> {
        self.bytes = 0;
        core::mem::take(&mut self.records)
    }
}

impl Sink<Vec<LogData>> for MemoryStore {
    async fn send(&mut self, batch: Vec<LogData>, _: &SendContext) -> Outcome {
        keep(&mut self.lock_logs(), batch, self.capacity)
    }
}

/// Collects metrics as objects.
#[derive(Debug, Default)]
pub(crate) struct MetricDataEncoder {
    collected: Vec<MetricsData>,
    points: u32,
}

impl Encoder for MetricDataEncoder {
    type Batch = Vec<MetricsData>;

    /// Spans are not for it.
    fn push(&mut self, _: &SpanView<'_>, _: &RecordContext<'_>) {}

    fn push_metrics(&mut self, data: &MetricsData) {
        self.points += data.points();
        self.collected.push(data.clone());
    }

    fn spans(&self) -> u32 {
        self.points
    }

    fn bytes(&self) -> usize {
        self.points as usize * POINT_BYTES
    }

    fn take(&mut self) -> Vec<MetricsData> {
        self.points = 0;
        core::mem::take(&mut self.collected)
    }
}

/// What a data point takes, roughly: a histogram's bounds and buckets, and its attributes.
const POINT_BYTES: usize = 512;

impl Sink<Vec<MetricsData>> for MemoryStore {
    async fn send(&mut self, batch: Vec<MetricsData>, _: &SendContext) -> Outcome {
        let mut kept = self.lock_metrics();
        let mut room = (self.capacity as u64)
            .saturating_sub(kept.iter().map(|collected| u64::from(collected.points())).sum());
        let mut outcome = Outcome::default();
        for collected in batch {
            let points = collected.points();
            if u64::from(points) <= room {
                room -= u64::from(points);
                outcome.exported += points;
                kept.push(collected);
            } else {
                outcome.drop_spans(DropReason::QueueFull, points);
            }
        }
        outcome
    }
}

/// Keeps what there is room for, and says so.
fn keep<T>(kept: &mut Vec<T>, batch: Vec<T>, capacity: usize) -> Outcome {
    let total = batch.len();
    let room = total.min(capacity.saturating_sub(kept.len()));
    kept.extend(batch.into_iter().take(room));
    let mut outcome = Outcome::exported(room as u32);
    if room < total {
        outcome.drop_spans(DropReason::QueueFull, (total - room) as u32);
    }
    outcome
}
