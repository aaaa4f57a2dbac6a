//! Where finished spans go.

use std::path::PathBuf;

#[cfg(feature = "otlp-http")]
use super::otlp::OtlpOptions;
use crate::error::Error;
#[cfg(feature = "engine")]
use crate::export::memory::MemoryStore;
#[cfg(feature = "otlp-http")]
use crate::export::otlp::OtlpHttpOptions;

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
    File(FileOptions),
    /// Objects in memory, for tests.
    #[cfg(feature = "engine")]
    Memory(MemoryStore),
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

/// Options of the file exporter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOptions {
    /// The file; older ones stand beside it with a number added.
    pub path: PathBuf,
    /// Bytes after which a new file is begun. Default: 64 MiB. At least 4 KiB.
    pub max_bytes: u64,
    /// Files kept, the current one among them; the oldest is deleted. Default: 5. 1 to 10,000.
    pub max_files: u32,
}

impl FileOptions {
    /// Writes to `path` with the default sizes.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), max_bytes: 64 << 20, max_files: 5 }
    }

    pub(super) fn check(&self, at: &str) -> Result<(), Error> {
        if self.path.as_os_str().is_empty() {
            return Err(Error::invalid_option(&format!("{at}.path"), "", "the path of a file"));
        }
        if self.max_bytes < 4 << 10 {
            let found = self.max_bytes.to_string();
            return Err(Error::invalid_option(&format!("{at}.max_bytes"), &found, "at least 4096 bytes"));
        }
        if !(1..=10_000).contains(&self.max_files) {
            let found = self.max_files.to_string();
            return Err(Error::invalid_option(&format!("{at}.max_files"), &found, "1 to 10000 files"));
        }
        Ok(())
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
    File(FileOptions),
    /// Objects.
    #[cfg(feature = "engine")]
    Memory(MemoryStore),
}
