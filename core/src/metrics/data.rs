//! Metrics as they were collected: owned objects, which every exporter of metrics is given.

use std::sync::Arc;

use crate::frame::record::{Resource, Scope};
use crate::value::OwnedValue;

/// What one collection found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetricsData {
    /// What the process says about itself.
    pub resource: Arc<Resource>,
    /// Who made the metrics: the engine.
    pub scope: Arc<Scope>,
    /// Metrics with at least one data point each.
    pub metrics: Vec<MetricData>,
}

impl MetricsData {
    /// All data points.
    pub fn points(&self) -> u32 {
        self.metrics.iter().map(|metric| metric.points.len() as u32).sum()
    }
}

/// One metric with its series.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricData {
    /// The name, such as `gen_ai.client.token.usage`.
    pub name: String,
    /// What it says, in a sentence.
    pub description: String,
    /// The unit (UCUM), such as `s`.
    pub unit: String,
    /// What its points are.
    pub shape: MetricShape,
    /// Since when its points count.
    pub temporality: Temporality,
    /// One point for each series.
    pub points: Vec<MetricPoint>,
}

/// What kind of points a metric has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricShape {
    /// A number that is added to.
    Sum {
        /// Whether it only grows.
        monotonic: bool,
    },
    /// How many values fell between which bounds.
    Histogram,
}

/// Since when the points of a metric count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Temporality {
    /// Since the collection before.
    Delta,
    /// Since the engine started.
    Cumulative,
}

impl Temporality {
    /// The name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delta => "delta",
            Self::Cumulative => "cumulative",
        }
    }
}

/// The state of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricPoint {
    /// What tells the series from the others.
    pub attributes: Vec<(String, OwnedValue)>,
    /// From when on it counts, in nanoseconds since the Unix epoch.
    pub start_unix_nanos: u64,
    /// When it was collected.
    pub time_unix_nanos: u64,
    /// What was counted.
    pub value: PointValue,
}

/// What was counted.
#[derive(Debug, Clone, PartialEq)]
pub enum PointValue {
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Values by their size.
    Histogram(HistogramValue),
}

/// Values by their size.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HistogramValue {
    /// How many there were.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The smallest.
    pub min: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
    /// Where a bucket ends and the next begins; a value at a bound belongs to the lower bucket.
    pub bounds: Vec<f64>,
    /// How many values each bucket has: one more bucket than there are bounds.
    pub buckets: Vec<u64>,
}
