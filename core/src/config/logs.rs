//! Where log records go: what is said of them, or else where spans go as far as log records can go there.

#[cfg(feature = "otlp-http")]
use super::env::EnvExporter;
use super::env::EnvSettings;
use super::exporters::{ConsoleOptions, ExporterOptions, ResolvedExporter};
use super::options::Options;
#[cfg(feature = "otlp-http")]
use super::otlp::{OtlpOptions, Signal};
#[cfg(feature = "otlp-http")]
use super::presets;
use super::resolve::console;
use crate::error::Error;

impl Options {
    /// The exporters of log records: those of code, then those of `OTEL_LOGS_EXPORTER`, then those of spans.
    pub(super) fn resolve_log_exporters(&self, env: &EnvSettings) -> Result<Vec<ResolvedExporter>, Error> {
        if let Some(wanted) = &self.logs_exporters {
            let mut exporters = Vec::new();
            for exporter in wanted {
                let named =
                    |error: Error| Error::new(error.code(), format!("logs_exporter.{}", error.message()));
                let resolved = self.log_exporter(exporter, true, env).map_err(named)?;
                exporters.push(resolved.ok_or_else(|| {
                    let expected = "an exporter that takes log records: otlp, console, file, memory or none";
                    Error::invalid_option("logs_exporter", "an exporter of spans alone", expected)
                })?);
            }
            return Ok(exporters);
        }
        if let Some(wanted) = &env.log_exporters {
            return self.named_by_environment(wanted, env);
        }
        if let Some(wanted) = &self.exporters {
            let resolved = wanted.iter().map(|exporter| self.log_exporter(exporter, false, env));
            #[allow(unused_mut)]
            let mut exporters = resolved.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
            #[cfg(feature = "otlp-http")]
            if self.otlp.endpoint.is_some()
                && !wanted.iter().any(|exporter| matches!(exporter, ExporterOptions::OtlpHttp(_)))
            {
                exporters.extend(self.otlp_of_logs(self.otlp.clone(), false, env)?);
            }
            return Ok(exporters);
        }
        #[cfg(feature = "otlp-http")]
        {
            let chosen = self.otlp.endpoint.is_some() || self.otlp.logs_endpoint.is_some();
            let usual = env.exporters.is_none()
                && (self.provider || env.otlp.endpoint.is_some() || env.otlp_logs.endpoint.is_some());
            if chosen || usual {
                return Ok(self.otlp_of_logs(self.otlp.clone(), usual, env)?.into_iter().collect());
            }
        }
        match &env.exporters {
            Some(wanted) => self.named_by_environment(wanted, env),
            None => Ok(vec![console(&ConsoleOptions::default(), env)]),
        }
    }

    fn named_by_environment(
        &self,
        wanted: &[super::env::EnvExporter],
        env: &EnvSettings,
    ) -> Result<Vec<ResolvedExporter>, Error> {
        let resolved = wanted.iter().map(|exporter| match exporter {
            #[cfg(feature = "otlp-http")]
            EnvExporter::Otlp => self.otlp_of_logs(self.otlp.clone(), true, env),
            _ => Ok(Some(console(&ConsoleOptions::default(), env))),
        });
        resolved.filter_map(Result::transpose).collect()
    }

    /// An exporter for log records; `None` where it takes none.
    #[cfg_attr(not(feature = "otlp-http"), expect(unused_variables))]
    fn log_exporter(
        &self,
        wanted: &ExporterOptions,
        asked_for: bool,
        env: &EnvSettings,
    ) -> Result<Option<ResolvedExporter>, Error> {
        Ok(Some(match wanted {
            #[cfg(feature = "otlp-http")]
            ExporterOptions::OtlpHttp(options) if options.preset.is_some() => {
                // Most of the products that have one take spans alone.
                let preset = presets::find(options.preset.as_deref().unwrap_or_default());
                let Some(preset) = preset.filter(|preset| preset.takes_logs()) else { return Ok(None) };
                return self.otlp_of_logs(preset.complete(options.clone(), &env.presets)?, asked_for, env);
            }
            #[cfg(feature = "otlp-http")]
            ExporterOptions::OtlpHttp(options) => {
                return self.otlp_of_logs(options.clone().or(self.otlp.clone()), asked_for, env);
            }
            ExporterOptions::Console(options) => console(options, env),
            #[cfg(feature = "engine")]
            ExporterOptions::File(options) => {
                super::resolve::check_file(options)?;
                ResolvedExporter::File(options.clone())
            }
            #[cfg(feature = "engine")]
            ExporterOptions::Memory(store) => ResolvedExporter::Memory(store.clone()),
            #[cfg(feature = "engine")]
            ExporterOptions::Host(exporter) if exporter.takes_logs() => {
                ResolvedExporter::Host(exporter.clone())
            }
            _ => return Ok(None),
        }))
    }

    /// An OTLP exporter of log records; `None` where only the receiver of traces is known and nobody asked.
    #[cfg(feature = "otlp-http")]
    fn otlp_of_logs(
        &self,
        options: OtlpOptions,
        asked_for: bool,
        env: &EnvSettings,
    ) -> Result<Option<ResolvedExporter>, Error> {
        let traces_alone = options.endpoint.is_some();
        let options = options.of(Signal::Logs);
        let options = if options.ignores_environment { options } else { options.or(env.otlp_logs.clone()) };
        if options.endpoint.is_none() && traces_alone && !asked_for {
            return Ok(None);
        }
        options.resolve(&self.language, Signal::Logs).map(ResolvedExporter::OtlpHttp).map(Some)
    }
}
