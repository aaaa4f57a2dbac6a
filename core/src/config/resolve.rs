//! Options and environment together: everything decided and checked.

use std::time::Duration;

use super::content::{ContentLimits, Unrecorded};
use super::env::{EnvExporter, EnvSettings};
use super::exporters::{Colour, ConsoleOptions, ExporterOptions, ResolvedExporter};
#[cfg(feature = "engine")]
use super::host::HostTaps;
use super::limits::{
    BATCH_BYTES, Batching, CAPTURE_BYTES, CaptureLimits, DiagnosticLevel, LONGEST, MemoryLimits, QUEUE_SPANS,
    SpanLimits,
};
use super::metrics::MetricsSettings;
use super::options::Options;
#[cfg(feature = "otlp-http")]
use super::otlp::Signal;
#[cfg(feature = "otlp-http")]
use super::presets;
use super::resource;
use super::trace::TraceSettings;
use crate::error::Error;
use crate::frame::record::Resource;
use crate::logs::LogLevel;
use crate::privacy::Redaction;
use crate::propagation::Propagators;
use crate::sampling::HeadSampler;

/// What an engine starts from. Two equal ones make engines that cannot be told apart.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedConfig {
    /// The engine's name in the registry.
    pub name: String,
    /// Records nothing; propagation stays on.
    pub disabled: bool,
    /// `telemetry.sdk.language`.
    pub language: String,
    /// What every span says about its process.
    pub resource: Resource,
    /// Which spans are recorded and exported.
    pub sampler: HeadSampler,
    /// Names for [`Propagators::from_names`], each once; none for no propagation.
    pub propagators: Vec<String>,
    /// Where spans go; none for nowhere.
    pub exporters: Vec<ResolvedExporter>,
    /// Where log records go; none for nowhere.
    pub log_exporters: Vec<ResolvedExporter>,
    /// How metrics are made out of spans; `None` if they are not.
    pub metrics: Option<MetricsSettings>,
    /// Where metrics go; none for nowhere.
    pub metric_exporters: Vec<ResolvedExporter>,
    /// The console was chosen because nothing else was; the engine says so once.
    pub console_fallback: bool,
    /// How spans are gathered.
    pub batch: Batching,
    /// How log records are gathered.
    pub log_batch: Batching,
    /// What one span may hold.
    pub limits: SpanLimits,
    /// How much of each value is exported.
    pub content: ContentLimits,
    /// What is never recorded.
    pub unrecorded: Unrecorded,
    /// What one log record may hold.
    pub log_limits: SpanLimits,
    /// What all spans may hold.
    pub memory: MemoryLimits,
    /// The coarse cut when a value is set.
    pub capture: CaptureLimits,
    /// How secrets are redacted.
    pub redaction: Redaction,
    /// Whether inputs are left out.
    pub hide_input: bool,
    /// Whether outputs are left out.
    pub hide_output: bool,
    /// What every trace carries, and which spans are left out.
    pub trace: TraceSettings,
    /// How long the end of the process may be held up.
    pub exit_timeout: Duration,
    /// From which severity on log records are kept at first.
    pub log_level: LogLevel,
    /// What the host does with spans on their way.
    #[cfg(feature = "engine")]
    pub host: HostTaps,
    /// What the engine tells the host's logger.
    pub diagnostic_level: DiagnosticLevel,
}

impl Options {
    /// Decides every option: code before environment before default.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`](crate::ErrorCode), naming an option set by code that cannot be used, what
    /// it holds, and what was expected. What the environment holds never fails here: it was checked, and
    /// warned about, when it was read.
    pub fn resolve(self, env: &EnvSettings) -> Result<ResolvedConfig, Error> {
        self.check()?;
        let resource = resource::resolve(&resource::Sources {
            language: &self.language,
            process_name: env.process_name.as_deref(),
            env_attributes: &env.resource,
            env_service: env.service.as_deref(),
            attributes: &self.resource,
            service: self.service.as_deref(),
            environment: self.environment.as_deref(),
            env_environment: env.environment(&self.language),
            schema_url: &self.schema_url,
        })?;
        let propagators = match &self.propagators {
            Some(names) => {
                let (used, unused) = propagator_names(names.iter().map(String::as_str));
                if let Some(name) = unused.first() {
                    let expected = "tracecontext and baggage, or none alone";
                    return Err(Error::invalid_option("propagators", name, expected));
                }
                used
            }
            None => env.propagators.clone().unwrap_or_else(|| propagator_names(DEFAULT_PROPAGATORS).0),
        };
        let (mut exporters, console_fallback) = self.resolve_exporters(env)?;
        if env.gen_ai_latest {
            exporters.iter_mut().for_each(ResolvedExporter::rename_everywhere);
        }
        let log_exporters = self.resolve_log_exporters(env)?;
        let mut metrics = self.metrics.resolve(env)?;
        let mut metric_exporters = Vec::new();
        if let Some(settings) = &mut metrics {
            let (exporters, wish) = self.resolve_metric_exporters(env)?;
            settings.temporality = settings.temporality.or(wish);
            metric_exporters = exporters;
        }
        let diagnostic_level = self.diagnostic_level_with(env);
        Ok(ResolvedConfig {
            disabled: self.disabled.or(env.disabled).unwrap_or(false),
            resource,
            sampler: self.sampler.or_else(|| env.sampler.clone()).unwrap_or_default(),
            propagators,
            exporters,
            log_exporters,
            metrics: metrics.filter(|_| !metric_exporters.is_empty()),
            metric_exporters,
            console_fallback,
            log_batch: self.batch.clone().or(env.log_batch.clone()).resolve(Batching::of_logs()),
            batch: self.batch.or(env.batch.clone()).resolve(Batching::default()),
            log_limits: self.limits.clone().or(env.log_limits.clone()).resolve(),
            limits: self.limits.or(env.limits.clone()).resolve(),
            content: self.content,
            unrecorded: self.unrecorded,
            memory: self.memory,
            capture: self.capture,
            redaction: self.redaction,
            hide_input: self.hide_input,
            hide_output: self.hide_output,
            trace: self.trace,
            exit_timeout: self.exit_timeout,
            log_level: self.log_level.unwrap_or_default(),
            diagnostic_level,
            #[cfg(feature = "engine")]
            host: self.host,
            name: self.name,
            language: self.language,
        })
    }

    /// What the engine tells the host's logger.
    pub(crate) fn diagnostic_level_with(&self, env: &EnvSettings) -> DiagnosticLevel {
        self.diagnostic_level.or(env.diagnostic_level).unwrap_or_default()
    }

    /// The exporters, and whether the console was chosen only because nothing else was.
    fn resolve_exporters(&self, env: &EnvSettings) -> Result<(Vec<ResolvedExporter>, bool), Error> {
        if let Some(wanted) = &self.exporters {
            let mut exporters = Vec::new();
            for (place, exporter) in wanted.iter().enumerate() {
                let at =
                    if wanted.len() == 1 { "exporter".to_owned() } else { format!("exporters[{place}]") };
                let named = |error: Error| Error::new(error.code(), format!("{at}.{}", error.message()));
                exporters.extend(self.resolve_exporter(exporter, env).map_err(named)?);
            }
            #[cfg(feature = "otlp-http")]
            if self.otlp.endpoint.is_some()
                && !exporters.iter().any(|exporter| matches!(exporter, ResolvedExporter::OtlpHttp(_)))
            {
                exporters.push(self.default_otlp_exporter(env)?);
            }
            return Ok((exporters, false));
        }
        #[cfg(feature = "otlp-http")]
        if self.otlp.endpoint.is_some() {
            return Ok((vec![self.default_otlp_exporter(env)?], false));
        }
        if let Some(wanted) = &env.exporters {
            let exporters = wanted
                .iter()
                .map(|exporter| match exporter {
                    #[cfg(feature = "otlp-http")]
                    EnvExporter::Otlp => self.default_otlp_exporter(env),
                    EnvExporter::Console => Ok(console(&ConsoleOptions::default(), env)),
                })
                .collect::<Result<_, _>>()?;
            return Ok((exporters, false));
        }
        #[cfg(feature = "otlp-http")]
        if self.provider || env.otlp.endpoint.is_some() {
            return Ok((vec![self.default_otlp_exporter(env)?], false));
        }
        Ok((vec![console(&ConsoleOptions::default(), env)], true))
    }

    /// One exporter; errors name its option without saying which exporter it belongs to.
    fn resolve_exporter(
        &self,
        wanted: &ExporterOptions,
        env: &EnvSettings,
    ) -> Result<Option<ResolvedExporter>, Error> {
        Ok(Some(match wanted {
            #[cfg(feature = "otlp-http")]
            ExporterOptions::OtlpHttp(options) if options.preset.is_some() => {
                let options = presets::named(options)?.complete(options.clone(), &env.presets)?;
                ResolvedExporter::OtlpHttp(options.resolve(&self.language, Signal::Traces)?)
            }
            #[cfg(feature = "otlp-http")]
            ExporterOptions::OtlpHttp(options) => {
                self.with_environment(options.clone().or(self.otlp.clone()), env)?
            }
            ExporterOptions::Console(options) => console(options, env),
            #[cfg(feature = "engine")]
            ExporterOptions::File(options) => {
                check_file(options)?;
                ResolvedExporter::File(options.clone())
            }
            #[cfg(feature = "engine")]
            ExporterOptions::Memory(store) => ResolvedExporter::Memory(store.clone()),
            #[cfg(feature = "engine")]
            ExporterOptions::Custom(exporter) => ResolvedExporter::Custom(exporter.clone()),
            #[cfg(feature = "engine")]
            ExporterOptions::Host(exporter) => ResolvedExporter::Host(exporter.clone()),
            #[cfg(feature = "engine")]
            ExporterOptions::Formatted(formatters, exporter) => {
                let Some(exporter) = self.resolve_exporter(exporter, env)? else { return Ok(None) };
                ResolvedExporter::Formatted(formatters.clone(), Box::new(exporter))
            }
            ExporterOptions::None => return Ok(None),
        }))
    }

    /// What holds whatever else is chosen.
    fn check(&self) -> Result<(), Error> {
        if self.name.is_empty() {
            return Err(Error::invalid_option("name", "", "the name of the engine"));
        }
        self.trace.check()?;
        if self.language.is_empty() {
            return Err(Error::invalid_option("language", "", "a name such as rust"));
        }
        // Checked by itself, so that what an exporter adds is what its own errors name.
        #[cfg(feature = "otlp-http")]
        self.otlp.clone().resolve(&self.language, Signal::Traces)?;
        let batch = &self.batch;
        within("max_queue_spans", batch.max_queue_spans, *QUEUE_SPANS.start(), *QUEUE_SPANS.end())?;
        let queue = batch.max_queue_spans.unwrap_or(*QUEUE_SPANS.end());
        within("max_batch_spans", batch.max_batch_spans, 1, queue)?;
        within("max_batch_bytes", batch.max_batch_bytes, *BATCH_BYTES.start(), *BATCH_BYTES.end())?;
        within("memory_budget", Some(self.memory.budget_bytes), 1 << 20, usize::MAX)?;
        within("open_spans", Some(self.memory.open_spans), 1, usize::MAX)?;
        within("open_span_bytes", Some(self.memory.open_span_bytes), 1 << 20, usize::MAX)?;
        within("capture_value_bytes", Some(self.capture.value_bytes), 64, *CAPTURE_BYTES.end())?;
        within("capture_span_bytes", Some(self.capture.span_bytes), 1 << 10, *CAPTURE_BYTES.end())?;
        self.content.check()?;
        self.unrecorded.check()?;
        for (option, time) in [
            ("schedule_delay", batch.schedule_delay),
            ("export_timeout", batch.export_timeout),
            ("exit_timeout", Some(self.exit_timeout)),
        ] {
            if let Some(time) = time.filter(|time| *time > LONGEST) {
                let found = format!("{} s", time.as_secs());
                return Err(Error::invalid_option(option, &found, "at most a year (31536000 s)"));
            }
        }
        if batch.export_timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(Error::invalid_option("export_timeout", "0 s", "more than zero"));
        }
        Ok(())
    }
}

#[cfg(feature = "otlp-http")]
impl Options {
    fn default_otlp_exporter(&self, env: &EnvSettings) -> Result<ResolvedExporter, Error> {
        self.with_environment(self.otlp.clone(), env)
    }

    fn with_environment(
        &self,
        options: super::otlp::OtlpOptions,
        env: &EnvSettings,
    ) -> Result<ResolvedExporter, Error> {
        let options = if options.ignores_environment { options } else { options.or(env.otlp.clone()) };
        options.resolve(&self.language, Signal::Traces).map(ResolvedExporter::OtlpHttp)
    }
}

const DEFAULT_PROPAGATORS: [&str; 2] = ["tracecontext", "baggage"];

/// Names of formats that exist, each once and in lower case, and the names of those that do not.
pub(super) fn propagator_names<'a>(names: impl IntoIterator<Item = &'a str>) -> (Vec<String>, Vec<String>) {
    let names: Vec<&str> = names.into_iter().map(str::trim).filter(|name| !name.is_empty()).collect();
    let (_, unused) = Propagators::from_names(names.iter().copied());
    let mut used: Vec<String> = Vec::new();
    for name in names {
        let lower = name.to_ascii_lowercase();
        if lower != "none" && !unused.contains(&name) && !used.contains(&lower) {
            used.push(lower);
        }
    }
    (used, unused.into_iter().map(str::to_owned).collect())
}

pub(super) fn console(options: &ConsoleOptions, env: &EnvSettings) -> ResolvedExporter {
    let plain = options.colour == Colour::Auto && env.no_color;
    ResolvedExporter::Console(ConsoleOptions { colour: if plain { Colour::Never } else { options.colour } })
}

/// What shows without touching the file.
#[cfg(feature = "engine")]
pub(super) fn check_file(options: &crate::export::file::FileOptions) -> Result<(), Error> {
    if options.path.as_os_str().is_empty() {
        return Err(Error::invalid_option("path", "", "the path of a file"));
    }
    if options.max_files == 0 {
        return Err(Error::invalid_option("max_files", "0", "at least 1 file"));
    }
    Ok(())
}

pub(super) fn within(option: &str, found: Option<usize>, least: usize, most: usize) -> Result<(), Error> {
    match found {
        Some(number) if !(least..=most).contains(&number) => {
            let expected =
                if most == usize::MAX { format!("at least {least}") } else { format!("{least} to {most}") };
            Err(Error::invalid_option(option, &number.to_string(), &expected))
        }
        _ => Ok(()),
    }
}
