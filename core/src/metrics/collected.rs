//! What the SDK collected, as exporters take it.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::{Array, KeyValue};
use opentelemetry_sdk::metrics::Temporality as SdkTemporality;
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, Histogram as HistogramData, Metric, MetricData as SdkData, Sum, SumDataPoint,
};

use super::data::{HistogramValue, MetricData, MetricPoint, MetricShape, PointValue, Temporality};
use crate::value::{OwnedValue, Value};

/// A metric of the SDK as exporters take it; `None` where it has no point.
pub(super) fn converted(metric: &Metric) -> Option<MetricData> {
    let (shape, temporality, points) = match metric.data() {
        AggregatedMetrics::U64(data) => read(data, |value| (integer(value), value as f64)),
        AggregatedMetrics::I64(data) => read(data, |value| (PointValue::Integer(value), value as f64)),
        AggregatedMetrics::F64(data) => read(data, |value| (PointValue::Number(value), value)),
    }?;
    (!points.is_empty()).then(|| MetricData {
        name: metric.name().to_owned(),
        description: metric.description().to_owned(),
        unit: metric.unit().to_owned(),
        shape,
        temporality,
        points,
    })
}

fn integer(value: u64) -> PointValue {
    PointValue::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

type Read = (MetricShape, Temporality, Vec<MetricPoint>);

/// `number` gives a value as a point and as a number.
fn read<T: Copy>(data: &SdkData<T>, number: impl Fn(T) -> (PointValue, f64)) -> Option<Read> {
    match data {
        SdkData::Sum(sum) => {
            let shape = MetricShape::Sum { monotonic: sum.is_monotonic() };
            Some((shape, temporality_of(sum.temporality()), sums(sum, number)))
        }
        SdkData::Histogram(histogram) => {
            let points = histograms(histogram, number);
            Some((MetricShape::Histogram, temporality_of(histogram.temporality()), points))
        }
        // None of our instruments gives anything else.
        _ => None,
    }
}

fn sums<T: Copy>(sum: &Sum<T>, number: impl Fn(T) -> (PointValue, f64)) -> Vec<MetricPoint> {
    let times = (nanos(sum.start_time()), nanos(sum.time()));
    let each = |point: &SumDataPoint<T>| point_of(point.attributes(), times, number(point.value()).0);
    sum.data_points().map(each).collect()
}

fn histograms<T: Copy>(
    histogram: &HistogramData<T>,
    number: impl Fn(T) -> (PointValue, f64),
) -> Vec<MetricPoint> {
    let times = (nanos(histogram.start_time()), nanos(histogram.time()));
    let mut points = Vec::new();
    for point in histogram.data_points().filter(|point| point.count() > 0) {
        let value = HistogramValue {
            count: point.count(),
            sum: number(point.sum()).1,
            min: point.min().map(|value| number(value).1),
            max: point.max().map(|value| number(value).1),
            bounds: point.bounds().collect(),
            buckets: point.bucket_counts().collect(),
        };
        points.push(point_of(point.attributes(), times, PointValue::Histogram(value)));
    }
    points
}

fn point_of<'a>(
    labels: impl Iterator<Item = &'a KeyValue>,
    (start, time): (u64, u64),
    value: PointValue,
) -> MetricPoint {
    let mut attributes: Vec<_> =
        labels.map(|label| (label.key.as_str().to_owned(), owned(&label.value))).collect();
    // The SDK keeps them in an order of its own.
    attributes.sort_by(|(first, _), (second, _)| first.cmp(second));
    MetricPoint { attributes, start_unix_nanos: start, time_unix_nanos: time, value }
}

fn owned(value: &opentelemetry::Value) -> OwnedValue {
    match value {
        opentelemetry::Value::Bool(value) => Value::Bool(*value),
        opentelemetry::Value::I64(value) => Value::I64(*value),
        opentelemetry::Value::F64(value) => Value::F64(*value),
        opentelemetry::Value::String(text) => Value::from(text.as_str().to_owned()),
        opentelemetry::Value::Array(Array::String(texts)) => {
            Value::Array(texts.iter().map(|text| Value::from(text.as_str().to_owned())).collect())
        }
        // No label of ours is anything else.
        other => Value::from(other.as_str().into_owned()),
    }
}

fn temporality_of(temporality: SdkTemporality) -> Temporality {
    match temporality {
        SdkTemporality::Cumulative => Temporality::Cumulative,
        _ => Temporality::Delta,
    }
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
