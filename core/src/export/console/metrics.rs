//! Metrics on the console: a line for each series.

use core::fmt::Write as _;
use std::io::Write;

use super::ConsoleSink;
use super::preview::{preview, shorten};
use crate::export::{Encoder, Outcome, SendContext, Sink};
use crate::frame::record::RecordContext;
use crate::frame::view::SpanView;
use crate::metrics::data::{MetricData, MetricPoint, MetricsData, PointValue};

/// Characters of a label that are shown.
const VALUE_CHARS: usize = 100;

/// Collects lines until they are printed.
#[derive(Debug, Default)]
pub(crate) struct ConsoleMetricEncoder {
    lines: String,
    points: u32,
}

/// Lines to print, and the data points they show.
#[derive(Debug)]
pub(crate) struct MetricLines {
    lines: String,
    points: u32,
}

impl Encoder for ConsoleMetricEncoder {
    type Batch = MetricLines;

    /// Spans are not for it.
    fn push(&mut self, _: &SpanView<'_>, _: &RecordContext<'_>) {}

    fn push_metrics(&mut self, data: &MetricsData) {
        self.points += data.points();
        for metric in &data.metrics {
            for point in &metric.points {
                put_line(&mut self.lines, metric, point);
            }
        }
    }

    fn spans(&self) -> u32 {
        self.points
    }

    fn bytes(&self) -> usize {
        self.lines.len()
    }

    fn take(&mut self) -> MetricLines {
        let points = core::mem::take(&mut self.points);
        MetricLines { lines: core::mem::take(&mut self.lines), points }
    }
}

impl<W: Write + Send + 'static> Sink<MetricLines> for ConsoleSink<W> {
    async fn send(&mut self, MetricLines { lines, points }: MetricLines, context: &SendContext) -> Outcome {
        self.print(points, move || lines, context).await
    }
}

/// `metric name{label=value, …} 7 {token}`; of a histogram how many values, their mean, the smallest and the largest.
fn put_line(out: &mut String, metric: &MetricData, point: &MetricPoint) {
    let _ = write!(out, "metric {}", metric.name);
    let mut separate = '{';
    for (key, value) in &point.attributes {
        let _ = write!(out, "{separate}{}={}", shorten(key, VALUE_CHARS), preview(value, VALUE_CHARS));
        separate = ',';
    }
    if separate == ',' {
        out.push('}');
    }
    let unit = metric.unit.as_str();
    // Writing to a text cannot fail.
    let _ = match &point.value {
        PointValue::Integer(value) => writeln!(out, " {value} {unit}"),
        PointValue::Number(value) => writeln!(out, " {value} {unit}"),
        PointValue::Histogram(histogram) => {
            let mean = histogram.sum / histogram.count.max(1) as f64;
            let (min, max) = (histogram.min.unwrap_or(mean), histogram.max.unwrap_or(mean));
            let count = histogram.count;
            writeln!(out, " {count} values, {mean:.3} {unit} each ({min:.3} to {max:.3})")
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::data::{HistogramValue, MetricShape, Temporality};

    fn line(labels: &[(&str, &str)], value: PointValue) -> String {
        let metric = MetricData {
            name: "tokens".to_owned(),
            description: String::new(),
            unit: "{token}".to_owned(),
            shape: MetricShape::Histogram,
            temporality: Temporality::Delta,
            points: Vec::new(),
        };
        let attributes = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned().into()));
        let point =
            MetricPoint { attributes: attributes.collect(), start_unix_nanos: 0, time_unix_nanos: 1, value };
        let mut out = String::new();
        put_line(&mut out, &metric, &point);
        out
    }

    #[test]
    fn a_series_is_a_line() {
        let labels = [("model", "gpt\n5"), ("type", "input")];
        let shown = line(&labels, PointValue::Integer(7));
        assert_eq!(shown, "metric tokens{model=gpt\\n5,type=input} 7 {token}\n");
        let histogram =
            HistogramValue { count: 4, sum: 2.0, min: Some(0.25), max: Some(1.0), ..Default::default() };
        let shown = line(&[], PointValue::Histogram(histogram));
        assert_eq!(shown, "metric tokens 4 values, 0.500 {token} each (0.250 to 1.000)\n");
    }
}
