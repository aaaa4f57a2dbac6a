//! What an engine has counted, as the map that hosts decode.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::stats::{DropReason, ExporterStats, LogStats, MetricStats, RelayStats, Stats};
use crate::value::Value;

fn number(value: u64) -> Value<'static> {
    Value::I64(i64::try_from(value).unwrap_or(i64::MAX))
}

fn map<'a>(entries: impl IntoIterator<Item = (&'a str, Value<'a>)>) -> Value<'a> {
    Value::Map(entries.into_iter().map(|(key, value)| (Cow::Borrowed(key), value)).collect())
}

fn reasons(counts: &BTreeMap<DropReason, u64>) -> Value<'static> {
    map(counts.iter().map(|(reason, count)| (reason.as_str(), number(*count))))
}

fn exporters(exporters: &[ExporterStats]) -> Value<'_> {
    map(exporters.iter().map(|exporter| {
        let counts = map([
            ("accepted", number(exporter.accepted)),
            ("pending", number(exporter.pending)),
            ("exported", number(exporter.exported)),
            ("onDisk", number(exporter.on_disk)),
            ("dropped", reasons(&exporter.dropped)),
        ]);
        (exporter.name.as_str(), counts)
    }))
}

fn waiting(exporters: &[ExporterStats]) -> u64 {
    exporters.iter().map(|exporter| exporter.pending).max().unwrap_or(0)
}

fn logs(logs: &LogStats) -> Value<'_> {
    map([
        ("emitted", number(logs.emitted)),
        ("pending", number(logs.pending + waiting(&logs.exporters))),
        ("accepted", number(logs.accepted)),
        ("exported", number(logs.exported())),
        ("dropped", reasons(&logs.all_dropped())),
        ("exporters", exporters(&logs.exporters)),
    ])
}

fn metrics(metrics: &MetricStats) -> Value<'_> {
    map([
        ("spans", number(metrics.spans)),
        ("overflowed", number(metrics.overflowed)),
        ("missed", reasons(&metrics.missed)),
        ("collected", number(metrics.collected)),
        ("pending", number(waiting(&metrics.exporters))),
        ("exported", number(metrics.exported())),
        ("dropped", reasons(&metrics.all_dropped())),
        ("exporters", exporters(&metrics.exporters)),
    ])
}

fn relay(relay: &RelayStats) -> Value<'_> {
    map([
        ("frames", number(relay.frames)),
        ("spans", number(relay.spans)),
        ("refused", map(relay.refused.iter().map(|(reason, count)| (reason.as_str(), number(*count))))),
    ])
}

/// The members of `Stats` under the names that hosts give them.
pub fn stats(stats: &Stats) -> Value<'_> {
    map([
        ("started", number(stats.started)),
        ("ended", number(stats.ended)),
        ("pending", number(stats.pending + waiting(&stats.exporters))),
        ("unsampled", number(stats.unsampled)),
        ("internal", number(stats.internal)),
        ("excluded", number(stats.excluded)),
        ("shed", number(stats.shed)),
        ("openLimit", number(stats.open_limit)),
        ("filtered", number(stats.filtered)),
        ("hostErrors", number(stats.host_errors)),
        ("eventsDropped", number(stats.events_dropped)),
        ("accepted", number(stats.accepted)),
        ("exported", number(stats.exported())),
        ("onDisk", number(stats.on_disk())),
        ("dropped", reasons(&stats.all_dropped())),
        ("endedTwice", number(stats.ended_twice)),
        ("altered", number(stats.altered)),
        ("limited", number(stats.limited)),
        ("redacted", number(stats.redacted)),
        ("redactionFailures", number(stats.redaction_failures)),
        ("panics", number(stats.panics)),
        ("addsUp", stats.adds_up().into()),
        ("exporters", exporters(&stats.exporters)),
        ("logs", logs(&stats.logs)),
        ("metrics", metrics(&stats.metrics)),
        ("relay", relay(&stats.relay)),
    ])
}
