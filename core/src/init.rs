//! Starting an engine: options and environment in, a registered engine out.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::config::{Batching, Colour, Options, ResolvedConfig, ResolvedExporter, env};
use crate::current::Defaults;
use crate::engine::{Engine, Following, LaneBuilder, Settings};
use crate::error::{Error, ErrorCode};
use crate::export::console::{
    CONSOLE_DELAY, ConsoleEncoder, ConsoleLogEncoder, ConsoleMetricEncoder, ConsoleSink,
};
use crate::export::file::FileSink;
use crate::export::formatted::FormattedLane;
use crate::export::host::HostLane;
use crate::export::lane::{ExportLane, Lane, LaneLimits, Signal};
use crate::export::memory::{DataEncoder, LogDataEncoder, MetricDataEncoder};
use crate::export::otlp::encode::{LogsEncoder, MetricsEncoder, OtlpEncoder};
use crate::frame::record::Scope;
use crate::host::TapBounds;
use crate::lifecycle::{self, MAX_GENERATIONS};
use crate::pipeline::shown::Shown;
use crate::privacy::Redactor;
use crate::propagation::Propagators;
use crate::{registry, runtime, sampling};

/// Held while an engine is made, so that two threads cannot make the same one. One for each fork
/// generation: a child must not wait for a thread that its parent has.
static STARTING: [Mutex<()>; MAX_GENERATIONS] = [const { Mutex::new(()) }; MAX_GENERATIONS];

/// Starts an engine from options and the process's environment and registers it under its name.
///
/// A second call with equal options returns the running engine. With other options it fails, unless
/// [`Options::replace`] was asked for: then the new engine takes the running one's place at once, and that one is
/// drained within the new one's exit bound. An engine that cannot be made replaces nothing.
/// Without exporter or endpoint, from code or environment, traces are shown in the console.
///
/// # Errors
/// [`ErrorCode::InvalidOption`] naming the option, or [`ErrorCode::AlreadyInitialized`].
pub fn init(options: Options) -> Result<Engine, Error> {
    let (environment, warnings) = env::from_process();
    crate::log::set_level(options.diagnostic_level_with(&environment));
    for warning in warnings {
        crate::log::warn_once(
            &format!("variable {} {}", warning.variable, warning.value),
            &warning.to_string(),
        );
    }
    init_with(options, &environment)
}

/// [`init`] with settings read from somewhere else than the process's environment.
///
/// # Errors
/// As [`init`].
pub fn init_with(options: Options, environment: &env::EnvSettings) -> Result<Engine, Error> {
    let replace = options.replaces();
    let config = options.resolve(environment)?;
    let redactor = Arc::new(Redactor::new(&config.redaction)?);
    let starting = STARTING.get(lifecycle::generation()).ok_or_else(Engine::refused)?;
    let one_at_a_time = starting.lock().unwrap_or_else(PoisonError::into_inner);
    let running = registry::engine(&config.name);
    if let Some(running) = &running {
        if running.settings().config == config {
            return Ok(running.clone());
        }
        if !replace {
            let message = format!(
                "an engine named {:?} is running with other options; shut it down first, pass replace, or give \
                 this one another name",
                config.name
            );
            return Err(Error::new(ErrorCode::AlreadyInitialized, message));
        }
    }
    if config.console_fallback && !config.disabled {
        let message = "no exporter or endpoint is configured: traces are shown here. Set OTEL_EXPORTER_OTLP_ENDPOINT \
                       or the option `endpoint` to send them to a collector.";
        crate::log::info_once("console", message);
    }
    let is_alone = registry::engines().iter().all(|other| other.name() == config.name);
    let (budget, exit_timeout) = (config.memory.budget_bytes, config.exit_timeout);
    let engine = Engine::new(settings(config, redactor))?;
    if is_alone {
        runtime::set_budget(budget);
    }
    let replaced = registry::register(&engine, running.as_ref())?;
    drop(one_at_a_time);
    if let Some(replaced) = replaced {
        // What it cannot deliver in time it counts; the new one records meanwhile.
        let _ = replaced.shutdown(exit_timeout);
    }
    Ok(engine)
}

fn settings(config: ResolvedConfig, redactor: Arc<Redactor>) -> Settings {
    let exporters = if config.disabled { &[][..] } else { &config.exporters };
    let log_exporters = if config.disabled { &[][..] } else { &config.log_exporters };
    let metric_exporters = if config.disabled { &[][..] } else { &config.metric_exporters };
    // Half the byte budget is the exporters', an eighth of that log records', and another one metrics'.
    let share = config.memory.budget_bytes / 2;
    let log_share = if log_exporters.is_empty() { 0 } else { share / 8 };
    let metric_share = if metric_exporters.is_empty() { 0 } else { share / 8 };
    let limits = lane_limits(&config.batch, share - log_share - metric_share, exporters.len());
    let log_limits = lane_limits(&config.log_batch, log_share, log_exporters.len());
    let mut lanes: Vec<LaneBuilder> = named(exporters)
        .map(|(name, exporter)| span_lane_builder(name, exporter, limits, &config, &redactor))
        .collect();
    let within = config.log_batch.retry_within;
    lanes.extend(
        named(log_exporters)
            .map(|(name, exporter)| log_lane_builder(name, exporter.clone(), log_limits, within)),
    );
    let within = config.metrics.as_ref().and_then(|metrics| metrics.retry_within);
    // A collection is taken as a whole, however many series there are; bytes bound what waits.
    let metric_limits = LaneLimits {
        queue_spans: u64::from(u32::MAX),
        ..lane_limits(&Batching::default(), metric_share, metric_exporters.len())
    };
    // Without the feature options that ask for metrics are refused, and what their lanes are made of is not linked.
    if cfg!(feature = "metrics") {
        lanes.extend(
            named(metric_exporters)
                .map(|(name, exporter)| metric_lane_builder(name, exporter.clone(), metric_limits, within)),
        );
    }
    let counts_unsampled = config.metrics.is_some() && !config.disabled;
    let sampler = if config.disabled { sampling::HeadSampler::AlwaysOff } else { config.sampler.clone() };
    let propagators = Propagators::from_names(config.propagators.iter().map(String::as_str)).0;
    let mut resource = config.resource.clone();
    redactor.attributes(&mut resource.attributes);
    Settings {
        propagators,
        sampler_inherits: sampler.inherits(),
        // Metrics tell every span apart, the unsampled ones too.
        children_follow: sampler.inherits() && !counts_unsampled,
        counts_unsampled,
        sampler_reads_content: sampler.reads_content(),
        defaults: Defaults::new(&config.trace),
        resource: Arc::new(resource),
        scope: Arc::new(Scope {
            name: "polyspan".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..Scope::default()
        }),
        sampler,
        redactor,
        lanes,
        exports_logs: !log_exporters.is_empty(),
        following: Following::of(exporters),
        config,
    }
}

/// Exporters of one signal with the names of their lanes.
fn named(exporters: &[ResolvedExporter]) -> impl Iterator<Item = (String, &ResolvedExporter)> {
    ResolvedExporter::names(exporters).into_iter().zip(exporters)
}

/// What a lane may hold: an equal share of the bytes that all lanes of its signal have.
fn lane_limits(batch: &Batching, bytes: usize, exporters: usize) -> LaneLimits {
    let usual = Batching::default().max_batch_spans;
    LaneLimits {
        batch_spans: u32::try_from(batch.max_batch_spans).unwrap_or(u32::MAX),
        batch_bytes: batch.max_batch_bytes,
        schedule_delay: batch.schedule_delay,
        queue_spans: batch.max_queue_spans as u64,
        queue_bytes: bytes / exporters.max(1),
        // A batch size that was asked for is kept to.
        joined_bytes: if batch.max_batch_spans == usual {
            JOINED_BYTES.min(batch.max_batch_bytes)
        } else {
            0
        },
    }
}

/// Batches that wait for a slow destination go together up to this size.
const JOINED_BYTES: usize = 2 << 20;

/// The lane of an exporter of spans, behind formatters if it has any.
fn span_lane_builder(
    name: String,
    exporter: &ResolvedExporter,
    limits: LaneLimits,
    config: &ResolvedConfig,
    redactor: &Arc<Redactor>,
) -> LaneBuilder {
    let ResolvedExporter::Formatted(formatters, exporter) = exporter else {
        return lane_builder(name, exporter.clone(), limits, config.batch);
    };
    let bounds = TapBounds {
        batch_records: config.batch.max_batch_spans,
        batch_bytes: FORMAT_BYTES.min(config.batch.max_batch_bytes),
        records: config.batch.max_queue_spans,
        // Half of what the exporter may hold is theirs.
        bytes: limits.queue_bytes / 2,
    };
    let limits = LaneLimits { queue_bytes: limits.queue_bytes / 2, ..limits };
    let inner = span_lane_builder(name, exporter, limits, config, redactor);
    let (formatters, config, redactor) = (formatters.clone(), config.clone(), Arc::clone(redactor));
    Box::new(move || {
        let stages = Shown::new(&config, &redactor);
        Ok(Box::new(FormattedLane::new(formatters.clone(), bounds, inner()?, stages)))
    })
}

/// Batches for formatters are closed at this many bytes.
const FORMAT_BYTES: usize = 1 << 20;

fn lane_builder(
    name: String,
    exporter: ResolvedExporter,
    limits: LaneLimits,
    batch: Batching,
) -> LaneBuilder {
    Box::new(move || -> Result<Box<dyn ExportLane>, Error> {
        let prompt = LaneLimits { schedule_delay: limits.schedule_delay.min(PROMPT), ..limits };
        Ok(match exporter.clone() {
            #[cfg(feature = "otlp-http")]
            ResolvedExporter::OtlpHttp(mut options) => {
                use crate::export::otlp::OtlpHttpSink;
                options.retry.end_within(batch.retry_within);
                let encoder = OtlpEncoder::speaking(options.semantics);
                Box::new(Lane::new(&name, encoder, OtlpHttpSink::new(options)?, limits))
            }
            ResolvedExporter::Memory(store) => Box::new(Lane::new(&name, DataEncoder::new(), store, prompt)),
            ResolvedExporter::Console(options) => {
                let colour = colour(options.colour);
                let limits = LaneLimits { schedule_delay: CONSOLE_DELAY, ..limits };
                Box::new(Lane::new(&name, ConsoleEncoder::new(), ConsoleSink::stderr(colour), limits))
            }
            ResolvedExporter::File(options) => {
                let encoder = OtlpEncoder::speaking(options.semantics);
                Box::new(Lane::new(&name, encoder, FileSink::new(options)?, prompt))
            }
            ResolvedExporter::Custom(exporter) => exporter.lane(&name, &batch, limits)?,
            ResolvedExporter::Host(exporter) => {
                let limits = if exporter.at_once { prompt } else { limits };
                Box::new(HostLane::new(&name, exporter, limits))
            }
            // Formatters stand before a lane that is made by itself.
            ResolvedExporter::Formatted(_, exporter) => {
                lane_builder(name.clone(), *exporter, limits, batch)()?
            }
        })
    })
}

/// The lane of an exporter of log records.
// Only OTLP takes its time from it.
#[cfg_attr(not(feature = "otlp-http"), allow(clippy::only_used_in_recursion))]
fn log_lane_builder(
    name: String,
    exporter: ResolvedExporter,
    limits: LaneLimits,
    within: Option<Duration>,
) -> LaneBuilder {
    Box::new(move || -> Result<Box<dyn ExportLane>, Error> {
        let prompt = LaneLimits { schedule_delay: limits.schedule_delay.min(PROMPT), ..limits };
        Ok(match exporter.clone() {
            #[cfg(feature = "otlp-http")]
            ResolvedExporter::OtlpHttp(mut options) => {
                use crate::export::otlp::OtlpHttpSink;
                options.retry.end_within(within);
                let sink = OtlpHttpSink::new(options)?;
                Box::new(Lane::new(&name, LogsEncoder::new(), sink, limits).of(Signal::Logs))
            }
            ResolvedExporter::Memory(store) => {
                Box::new(Lane::new(&name, LogDataEncoder::default(), store, prompt).of(Signal::Logs))
            }
            ResolvedExporter::Console(options) => {
                let sink = ConsoleSink::stderr(colour(options.colour));
                let limits = LaneLimits { schedule_delay: CONSOLE_DELAY, ..limits };
                Box::new(Lane::new(&name, ConsoleLogEncoder::default(), sink, limits).of(Signal::Logs))
            }
            ResolvedExporter::File(options) => Box::new(
                Lane::new(&name, LogsEncoder::new(), FileSink::of_logs(options)?, prompt).of(Signal::Logs),
            ),
            // Formatters are for spans.
            ResolvedExporter::Formatted(_, exporter) => {
                log_lane_builder(name.clone(), *exporter, limits, within)()?
            }
            ResolvedExporter::Host(exporter) => {
                let limits = if exporter.at_once { prompt } else { limits };
                Box::new(HostLane::of_logs(&name, exporter, limits))
            }
            ResolvedExporter::Custom(_) => {
                let expected = "an exporter that takes log records: otlp, console, file, memory or none";
                return Err(Error::invalid_option("logs_exporter", "an exporter of spans alone", expected));
            }
        })
    })
}

/// The lane of an exporter of metrics. Each collection is a batch of its own.
// Only OTLP takes its time from it.
#[cfg_attr(not(feature = "otlp-http"), allow(clippy::only_used_in_recursion))]
fn metric_lane_builder(
    name: String,
    exporter: ResolvedExporter,
    limits: LaneLimits,
    within: Option<Duration>,
) -> LaneBuilder {
    Box::new(move || -> Result<Box<dyn ExportLane>, Error> {
        Ok(match exporter.clone() {
            #[cfg(feature = "otlp-http")]
            ResolvedExporter::OtlpHttp(mut options) => {
                use crate::export::otlp::OtlpHttpSink;
                options.retry.end_within(within);
                let sink = OtlpHttpSink::new(options)?;
                Box::new(Lane::new(&name, MetricsEncoder::new(), sink, limits).of(Signal::Metrics))
            }
            ResolvedExporter::Memory(store) => {
                Box::new(Lane::new(&name, MetricDataEncoder::default(), store, limits).of(Signal::Metrics))
            }
            ResolvedExporter::Console(options) => {
                let sink = ConsoleSink::stderr(colour(options.colour));
                let encoder = ConsoleMetricEncoder::default();
                Box::new(Lane::new(&name, encoder, sink, limits).of(Signal::Metrics))
            }
            ResolvedExporter::File(options) => {
                let sink = FileSink::of_metrics(options)?;
                Box::new(Lane::new(&name, MetricsEncoder::new(), sink, limits).of(Signal::Metrics))
            }
            // Formatters are for spans.
            ResolvedExporter::Formatted(_, exporter) => {
                metric_lane_builder(name.clone(), *exporter, limits, within)()?
            }
            ResolvedExporter::Custom(_) | ResolvedExporter::Host(_) => {
                let expected = "an exporter that takes metrics: otlp, console, file, memory or none";
                return Err(Error::invalid_option(
                    "metrics_exporter",
                    "an exporter of spans alone",
                    expected,
                ));
            }
        })
    })
}

fn colour(wanted: Colour) -> Option<bool> {
    match wanted {
        Colour::Auto => None,
        Colour::Always => Some(true),
        Colour::Never => Some(false),
    }
}

/// Exporters of this process's own show spans at most this long after they ended.
const PROMPT: Duration = Duration::from_millis(200);
