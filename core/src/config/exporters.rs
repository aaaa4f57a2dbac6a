//! Where finished spans go.

#[cfg(feature = "engine")]
use super::custom::CustomExporter;
#[cfg(feature = "engine")]
use super::host::HostExporter;
#[cfg(feature = "otlp-http")]
use super::otlp::OtlpOptions;
#[cfg(feature = "otlp-http")]
use crate::export::otlp::OtlpHttpOptions;
#[cfg(feature = "engine")]
use crate::export::{file::FileOptions, memory::MemoryStore};
#[cfg(feature = "engine")]
use crate::host::HostHandler;
use crate::semantics::Dialect;

/// An exporter as the application asks for it; several may stand side by side.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ExporterOptions {
    /// OTLP over HTTP with protobuf.
    #[cfg(feature = "otlp-http")]
    OtlpHttp(OtlpOptions),
    /// A readable tree of each trace on the standard error stream.
    Console(ConsoleOptions),
    /// OTLP as lines of JSON in files.
    #[cfg(feature = "engine")]
    File(FileOptions),
    /// Objects in memory, for tests.
    #[cfg(feature = "engine")]
    Memory(MemoryStore),
    /// An exporter of the application's own.
    #[cfg(feature = "engine")]
    Custom(CustomExporter),
    /// An exporter written in the language of the host.
    #[cfg(feature = "engine")]
    Host(HostExporter),
    /// Another one, whose copy of each span the host changes first.
    #[cfg(feature = "engine")]
    Formatted(HostHandler, Box<ExporterOptions>),
    /// Nowhere: spans are recorded and counted only.
    None,
}

/// Options of the console exporter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsoleOptions {
    /// Whether types, durations and errors are coloured. Default: automatic.
    pub colour: Colour,
}

/// When the console is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set; the default.
    #[default]
    Auto,
    /// Always, into files and pipes too.
    Always,
    /// Never.
    Never,
}

impl Colour {
    /// The name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Auto, Self::Always, Self::Never].into_iter().find(|colour| colour.as_str() == name)
    }
}

/// An exporter with nothing left to decide.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ResolvedExporter {
    /// OTLP over HTTP with protobuf.
    #[cfg(feature = "otlp-http")]
    OtlpHttp(OtlpHttpOptions),
    /// A readable tree.
    Console(ConsoleOptions),
    /// Lines of JSON.
    #[cfg(feature = "engine")]
    File(FileOptions),
    /// Objects.
    #[cfg(feature = "engine")]
    Memory(MemoryStore),
    /// The application's own.
    #[cfg(feature = "engine")]
    Custom(CustomExporter),
    /// The host's.
    #[cfg(feature = "engine")]
    Host(HostExporter),
    /// Another one behind formatters.
    #[cfg(feature = "engine")]
    Formatted(HostHandler, Box<ResolvedExporter>),
}

impl ResolvedExporter {
    /// Whose names it uses, where it sends names.
    fn dialect(&mut self) -> Option<&mut Dialect> {
        match self {
            #[cfg(feature = "otlp-http")]
            Self::OtlpHttp(options) => Some(&mut options.semantics),
            #[cfg(feature = "engine")]
            Self::File(options) => Some(&mut options.semantics),
            _ => None,
        }
    }

    /// What its kind is called in [`Stats`](crate::Stats) and messages.
    #[cfg(feature = "engine")]
    fn name(&self) -> &str {
        match self {
            #[cfg(feature = "otlp-http")]
            Self::OtlpHttp(options) => &options.name,
            Self::Console(_) => "console",
            Self::File(_) => "file",
            Self::Memory(_) => "memory",
            Self::Custom(exporter) => exporter.name(),
            Self::Host(exporter) => &exporter.name,
            Self::Formatted(_, exporter) => exporter.name(),
        }
    }

    /// The names of an engine's exporters of one signal, each unlike the others: a second `otlp_http` is
    /// `otlp_http#2`. Hosts keep their counts by name, and messages are said once for each.
    #[cfg(feature = "engine")]
    pub(crate) fn names(exporters: &[Self]) -> Vec<String> {
        let mut names: Vec<String> = Vec::with_capacity(exporters.len());
        for exporter in exporters {
            let name = exporter.name();
            let mut unlike = name.to_owned();
            let mut number = 1;
            // An exporter of the application's own may be called what another one gets.
            while names.contains(&unlike) {
                number += 1;
                unlike = format!("{name}#{number}");
            }
            names.push(unlike);
        }
        names
    }

    /// Brings spans of other instrumentations to the newest version of the GenAI conventions too.
    pub(super) fn rename_everywhere(&mut self) {
        if let Some(dialect) = self.dialect()
            && *dialect == Dialect::GenAi
        {
            *dialect = Dialect::GenAiEverywhere;
        }
    }
}
