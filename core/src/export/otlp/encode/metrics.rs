//! Encoding collected metrics into OTLP protobuf (opentelemetry-proto 1.x, `metrics.proto`).

use super::super::OtlpBatch;
use super::super::buffer::Buffer;
use super::super::proto::{
    BYTES, FIXED64, Message, VARINT, put_bytes, put_fixed64, put_tag, put_u32, put_varint,
};
use super::request::{self, Request, put_owned_attributes};
use crate::export::Encoder;
use crate::frame::record::RecordContext;
use crate::frame::view::SpanView;
use crate::metrics::data::{
    HistogramValue, MetricData, MetricPoint, MetricShape, MetricsData, PointValue, Temporality,
};

/// Collects metrics into an [`OtlpBatch`] (`ExportMetricsServiceRequest`), counted by their data points.
#[derive(Debug, Default)]
pub struct MetricsEncoder(Request);

impl MetricsEncoder {
    /// An empty encoder.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Encoder for MetricsEncoder {
    type Batch = OtlpBatch;

    /// Spans are not for it.
    fn push(&mut self, _: &SpanView<'_>, _: &RecordContext<'_>) {}

    fn push_metrics(&mut self, data: &MetricsData) {
        let context = RecordContext { scope: &data.scope, scope_id: 0, resource: &data.resource };
        for metric in &data.metrics {
            self.0.records_of(&context, metric.points.len() as u32, |out| put_metric(out, metric));
        }
    }

    fn spans(&self) -> u32 {
        self.0.records()
    }

    fn bytes(&self) -> usize {
        self.0.bytes()
    }

    fn take(&mut self) -> OtlpBatch {
        let batch = self.0.take();
        OtlpBatch::of_points(batch.body, batch.spans)
    }

    fn join(into: &mut OtlpBatch, more: OtlpBatch) -> Option<OtlpBatch> {
        request::join(into, more)
    }

    fn pack(batch: &mut OtlpBatch) -> Option<usize> {
        batch.pack()
    }

    fn unpack(batch: &mut OtlpBatch) -> bool {
        batch.unpack()
    }
}

/// One `ScopeMetrics.metrics` field.
fn put_metric(out: &mut Buffer, metric: &MetricData) {
    let message = Message::open(out, 2);
    put_bytes(out, 1, metric.name.as_bytes());
    if !metric.description.is_empty() {
        put_bytes(out, 2, metric.description.as_bytes());
    }
    if !metric.unit.is_empty() {
        put_bytes(out, 3, metric.unit.as_bytes());
    }
    let data = Message::open(out, if metric.shape == MetricShape::Histogram { 9 } else { 7 });
    for point in &metric.points {
        put_point(out, point);
    }
    let temporality = match metric.temporality {
        Temporality::Delta => 1,
        Temporality::Cumulative => 2,
    };
    put_u32(out, 2, temporality);
    if metric.shape == (MetricShape::Sum { monotonic: true }) {
        put_tag(out, 3, VARINT);
        out.put([1]);
    }
    data.close(out);
    message.close(out);
}

/// A `NumberDataPoint` or a `HistogramDataPoint`, which is told by the value.
fn put_point(out: &mut Buffer, point: &MetricPoint) {
    let message = Message::open(out, 1);
    let is_histogram = matches!(point.value, PointValue::Histogram(_));
    put_owned_attributes(out, if is_histogram { 9 } else { 7 }, &point.attributes);
    put_fixed64(out, 2, point.start_unix_nanos);
    put_fixed64(out, 3, point.time_unix_nanos);
    match &point.value {
        PointValue::Integer(value) => put_fixed64(out, 6, *value as u64),
        PointValue::Number(value) => put_fixed64(out, 4, value.to_bits()),
        PointValue::Histogram(histogram) => put_histogram(out, histogram),
    }
    message.close(out);
}

fn put_histogram(out: &mut Buffer, histogram: &HistogramValue) {
    put_fixed64(out, 4, histogram.count);
    put_fixed64(out, 5, histogram.sum.to_bits());
    put_packed(out, 6, histogram.buckets.iter().copied());
    put_packed(out, 7, histogram.bounds.iter().map(|bound| bound.to_bits()));
    for (field, value) in [(11, histogram.min), (12, histogram.max)] {
        if let Some(value) = value {
            put_tag(out, field, FIXED64);
            out.put(value.to_le_bytes());
        }
    }
}

/// A packed field of 64-bit values, left out when empty.
fn put_packed(out: &mut Buffer, field: u8, values: impl ExactSizeIterator<Item = u64>) {
    if values.len() == 0 {
        return;
    }
    put_tag(out, field, BYTES);
    put_varint(out, values.len() as u64 * 8);
    for value in values {
        out.put(value.to_le_bytes());
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use std::sync::Arc;

    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
    use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
    use opentelemetry_proto::tonic::metrics::v1::metric::Data;
    use opentelemetry_proto::tonic::metrics::v1::{Metric, number_data_point};
    use prost::Message as _;

    use super::*;
    use crate::export::otlp::json;
    use crate::frame::record::{Resource, Scope};

    fn point(value: PointValue) -> MetricPoint {
        let attributes = vec![("k".to_owned(), "v".into()), ("otel.metric.overflow".to_owned(), true.into())];
        MetricPoint { attributes, start_unix_nanos: 5, time_unix_nanos: 6, value }
    }

    fn metric(name: &str, shape: MetricShape, points: Vec<PointValue>) -> MetricData {
        MetricData {
            name: name.to_owned(),
            description: "what it is".to_owned(),
            unit: "s".to_owned(),
            shape,
            temporality: if points.len() > 1 { Temporality::Delta } else { Temporality::Cumulative },
            points: points.into_iter().map(point).collect(),
        }
    }

    fn data() -> MetricsData {
        let histogram = HistogramValue {
            count: 3,
            sum: 1.5,
            min: Some(0.0),
            max: Some(1.25),
            bounds: vec![0.5, 1.0],
            buckets: vec![2, 0, 1],
        };
        let resource =
            Resource { attributes: vec![("service.name".to_owned(), "shop".into())], ..Resource::default() };
        MetricsData {
            resource: Arc::new(resource),
            scope: Arc::new(Scope { name: "polyspan".to_owned(), ..Scope::default() }),
            metrics: vec![
                metric(
                    "calls",
                    MetricShape::Sum { monotonic: true },
                    vec![PointValue::Integer(7), PointValue::Integer(0)],
                ),
                metric("live", MetricShape::Sum { monotonic: false }, vec![PointValue::Number(-0.5)]),
                metric("duration", MetricShape::Histogram, vec![PointValue::Histogram(histogram)]),
            ],
        }
    }

    fn batch() -> OtlpBatch {
        let mut encoder = MetricsEncoder::new();
        encoder.push_metrics(&data());
        assert_eq!((encoder.spans(), data().points()), (4, 4));
        encoder.take()
    }

    fn metrics(batch: &OtlpBatch) -> Vec<Metric> {
        let request = ExportMetricsServiceRequest::decode(&batch.body[..]).unwrap();
        let scopes = request.resource_metrics.into_iter().flat_map(|resource| {
            assert_eq!(resource.resource.unwrap().attributes[0].key, "service.name");
            resource.scope_metrics
        });
        scopes.flat_map(|scope| scope.metrics).collect()
    }

    #[test]
    fn every_part_of_a_metric_has_its_place() {
        let found = metrics(&batch());
        assert_eq!((found[0].name.as_str(), found[0].unit.as_str()), ("calls", "s"));
        assert_eq!(found[0].description, "what it is");
        let Some(Data::Sum(calls)) = &found[0].data else { panic!("{found:?}") };
        assert_eq!((calls.is_monotonic, calls.aggregation_temporality), (true, 1));
        let first = &calls.data_points[0];
        assert_eq!((first.start_time_unix_nano, first.time_unix_nano), (5, 6));
        assert_eq!(first.value, Some(number_data_point::Value::AsInt(7)));
        assert_eq!(calls.data_points[1].value, Some(number_data_point::Value::AsInt(0)));
        let values: Vec<_> =
            first.attributes.iter().map(|entry| entry.value.clone().unwrap().value).collect();
        assert_eq!(values, [Some(Any::StringValue("v".to_owned())), Some(Any::BoolValue(true))]);
        let Some(Data::Sum(live)) = &found[1].data else { panic!("{found:?}") };
        assert_eq!((live.is_monotonic, live.aggregation_temporality), (false, 2));
        assert_eq!(live.data_points[0].value, Some(number_data_point::Value::AsDouble(-0.5)));
        let Some(Data::Histogram(duration)) = &found[2].data else { panic!("{found:?}") };
        let point = &duration.data_points[0];
        assert_eq!((point.count, point.sum, point.attributes.len()), (3, Some(1.5), 2));
        assert_eq!((point.min, point.max), (Some(0.0), Some(1.25)));
        assert_eq!((&point.explicit_bounds[..], &point.bucket_counts[..]), (&[0.5, 1.0][..], &[2, 0, 1][..]));
    }

    #[test]
    fn a_batch_is_split_between_metrics_and_counts_their_points() {
        let (first, second) = batch().split().unwrap();
        assert_eq!((first.spans, second.spans), (2, 2));
        let names =
            |batch: &OtlpBatch| metrics(batch).into_iter().map(|metric| metric.name).collect::<Vec<_>>();
        assert_eq!(
            (names(&first), names(&second)),
            (vec!["calls".into()], vec!["live".into(), "duration".into()])
        );
        assert_eq!(first.clone().split(), Err(first), "one metric is not split");
        let mut joined = batch();
        assert_eq!(MetricsEncoder::join(&mut joined, batch()), None);
        assert_eq!((joined.spans, metrics(&joined).len()), (8, 6));
    }

    #[test]
    fn lines_of_json_follow_the_mapping_of_otlp() {
        let mut line = String::new();
        json::write_metrics_json(&mut line, &batch().body).unwrap();
        let found: serde_json::Value = serde_json::from_str(&line).unwrap();
        let metrics = &found["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
        let sum = &metrics[0]["sum"];
        assert_eq!((&sum["aggregationTemporality"], &sum["isMonotonic"]), (&1.into(), &true.into()));
        assert_eq!(sum["dataPoints"][0]["asInt"], "7");
        assert_eq!(metrics[1]["sum"]["dataPoints"][0]["asDouble"], -0.5);
        let point = &metrics[2]["histogram"]["dataPoints"][0];
        assert_eq!(point["bucketCounts"], serde_json::json!(["2", "0", "1"]));
        assert_eq!(point["explicitBounds"], serde_json::json!([0.5, 1.0]));
        assert_eq!((&point["count"], &point["max"]), (&"3".into(), &1.25.into()));
    }
}
