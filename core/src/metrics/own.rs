//! The engine's counts under the names of OpenTelemetry's SDK metrics (semantic conventions, "OpenTelemetry
//! SDK metrics"): exported with the span metrics, and for whoever reports them otherwise.

use std::borrow::Cow;

use crate::stats::{DropReason, LogStats, MetricStats, Stats};

/// What kind of number a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    UpDownCounter,
}

/// One number of the engine about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// The name, such as `otel.sdk.span.started`.
    pub name: &'static str,
    /// Counter or up-down counter.
    pub kind: MetricKind,
    /// The unit, such as `{span}`.
    pub unit: &'static str,
    /// Attributes.
    pub attributes: Vec<(&'static str, Cow<'static, str>)>,
    /// The value now.
    pub value: u64,
}

impl Stats {
    /// The counts as OpenTelemetry's SDK metrics.
    pub fn self_metrics(&self) -> Vec<Metric> {
        let mut metrics = Vec::new();
        let processor = || ("otel.component.type", Cow::Borrowed("batching_span_processor"));
        let mut add = |name, kind, attributes: Vec<(&'static str, Cow<'static, str>)>, value| {
            metrics.push(Metric { name, kind, unit: "{span}", attributes, value });
        };
        let result = |text: &'static str| ("otel.span.sampling_result", Cow::Borrowed(text));
        let sampled = self.started.saturating_sub(self.not_recording);
        add("otel.sdk.span.started", MetricKind::Counter, vec![result("RECORD_AND_SAMPLE")], sampled);
        add("otel.sdk.span.started", MetricKind::Counter, vec![result("DROP")], self.not_recording);
        add("otel.sdk.span.live", MetricKind::UpDownCounter, vec![result("RECORD_AND_SAMPLE")], self.live);
        add("otel.sdk.processor.span.queue.size", MetricKind::UpDownCounter, vec![processor()], self.pending);
        add("otel.sdk.processor.span.processed", MetricKind::Counter, vec![processor()], self.accepted);
        for (reason, count) in &self.dropped {
            let attributes = vec![processor(), error_type(*reason)];
            add("otel.sdk.processor.span.processed", MetricKind::Counter, attributes, *count);
        }
        for exporter in &self.exporters {
            let component = |more: Option<(&'static str, Cow<'static, str>)>| {
                let kind = match exporter.name.as_str() {
                    "otlp_http" => Cow::Borrowed("otlp_http_span_exporter"),
                    other => Cow::Owned(format!("{other}_span_exporter")),
                };
                let mut attributes = vec![("otel.component.type", kind)];
                attributes.extend(more);
                attributes
            };
            let exported = "otel.sdk.exporter.span.exported";
            add(
                "otel.sdk.exporter.span.inflight",
                MetricKind::UpDownCounter,
                component(None),
                exporter.pending,
            );
            add(exported, MetricKind::Counter, component(None), exporter.exported);
            for (reason, count) in &exporter.dropped {
                add(exported, MetricKind::Counter, component(Some(error_type(*reason))), *count);
            }
        }
        self.logs.add_metrics(&mut metrics);
        self.metrics.add_metrics(&mut metrics);
        metrics
    }
}

impl LogStats {
    fn add_metrics(&self, metrics: &mut Vec<Metric>) {
        let processor = || ("otel.component.type", Cow::Borrowed("batching_log_processor"));
        let mut add = |name, kind, attributes: Vec<(&'static str, Cow<'static, str>)>, value| {
            metrics.push(Metric { name, kind, unit: "{log_record}", attributes, value });
        };
        add("otel.sdk.log.created", MetricKind::Counter, Vec::new(), self.emitted);
        add("otel.sdk.processor.log.queue.size", MetricKind::UpDownCounter, vec![processor()], self.pending);
        let processed = "otel.sdk.processor.log.processed";
        add(processed, MetricKind::Counter, vec![processor()], self.accepted);
        for (reason, count) in &self.dropped {
            add(processed, MetricKind::Counter, vec![processor(), error_type(*reason)], *count);
        }
        for exporter in &self.exporters {
            let component = || ("otel.component.type", Cow::Owned(format!("{}_log_exporter", exporter.name)));
            let (inflight, exported) = ("otel.sdk.exporter.log.inflight", "otel.sdk.exporter.log.exported");
            add(inflight, MetricKind::UpDownCounter, vec![component()], exporter.pending);
            add(exported, MetricKind::Counter, vec![component()], exporter.exported);
            for (reason, count) in &exporter.dropped {
                add(exported, MetricKind::Counter, vec![component(), error_type(*reason)], *count);
            }
        }
    }
}

impl MetricStats {
    fn add_metrics(&self, metrics: &mut Vec<Metric>) {
        let mut add = |name, kind, attributes: Vec<(&'static str, Cow<'static, str>)>, value| {
            metrics.push(Metric { name, kind, unit: "{data_point}", attributes, value });
        };
        for exporter in &self.exporters {
            let component = || {
                let kind = match exporter.name.as_str() {
                    "otlp_http" => Cow::Borrowed("otlp_http_metric_exporter"),
                    other => Cow::Owned(format!("{other}_metric_exporter")),
                };
                ("otel.component.type", kind)
            };
            let inflight = "otel.sdk.exporter.metric_data_point.inflight";
            let exported = "otel.sdk.exporter.metric_data_point.exported";
            add(inflight, MetricKind::UpDownCounter, vec![component()], exporter.pending);
            add(exported, MetricKind::Counter, vec![component()], exporter.exported);
            for (reason, count) in &exporter.dropped {
                add(exported, MetricKind::Counter, vec![component(), error_type(*reason)], *count);
            }
        }
    }
}

/// The conventions know `queue_full` and `already_shutdown`; ours are added to them.
fn error_type(reason: DropReason) -> (&'static str, Cow<'static, str>) {
    let text = if reason == DropReason::BufferFull { "queue_full" } else { reason.as_str() };
    ("error.type", Cow::Borrowed(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::ExporterStats;

    #[test]
    fn every_count_has_its_name() {
        let stats = Stats {
            started: 10,
            not_recording: 4,
            live: 1,
            ended: 9,
            pending: 1,
            accepted: 3,
            dropped: [(DropReason::BufferFull, 1)].into(),
            exporters: vec![ExporterStats {
                name: "otlp_http".into(),
                accepted: 3,
                exported: 2,
                dropped: [(DropReason::Rejected, 1)].into(),
                ..ExporterStats::default()
            }],
            logs: LogStats {
                emitted: 8,
                accepted: 7,
                dropped: [(DropReason::AlreadyShutdown, 1)].into(),
                exporters: vec![ExporterStats {
                    name: "otlp_http".into(),
                    accepted: 7,
                    exported: 5,
                    dropped: [(DropReason::QueueFull, 2)].into(),
                    ..ExporterStats::default()
                }],
                ..LogStats::default()
            },
            metrics: MetricStats {
                exporters: vec![ExporterStats {
                    name: "otlp_http".into(),
                    accepted: 4,
                    exported: 4,
                    ..ExporterStats::default()
                }],
                ..MetricStats::default()
            },
            ..Stats::default()
        };
        let metrics = stats.self_metrics();
        let value = |name: &str, attribute: &str| {
            let found = metrics.iter().find(|metric| {
                metric.name == name && metric.attributes.iter().any(|(_, value)| value == attribute)
            });
            found.map(|metric| metric.value)
        };
        assert_eq!(value("otel.sdk.span.started", "RECORD_AND_SAMPLE"), Some(6));
        assert_eq!(value("otel.sdk.span.started", "DROP"), Some(4));
        assert_eq!(value("otel.sdk.processor.span.processed", "queue_full"), Some(1));
        assert_eq!(value("otel.sdk.exporter.span.exported", "otlp_http_span_exporter"), Some(2));
        assert_eq!(value("otel.sdk.exporter.span.exported", "rejected"), Some(1));
        assert_eq!(value("otel.sdk.processor.log.processed", "already_shutdown"), Some(1));
        assert_eq!(value("otel.sdk.exporter.log.exported", "otlp_http_log_exporter"), Some(5));
        assert_eq!(value("otel.sdk.exporter.log.exported", "queue_full"), Some(2));
        assert_eq!(
            value("otel.sdk.exporter.metric_data_point.exported", "otlp_http_metric_exporter"),
            Some(4)
        );
        let created = metrics.iter().find(|metric| metric.name == "otel.sdk.log.created").unwrap();
        assert_eq!((created.value, created.unit), (8, "{log_record}"));
    }
}
