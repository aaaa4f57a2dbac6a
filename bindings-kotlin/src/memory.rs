//! The memory exporter, for tests: what arrived, as values that the host decodes.

use std::sync::Arc;

use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::hosted;

/// Keeps finished spans in memory.
#[derive(uniffi::Object)]
pub struct NativeMemory(MemoryStore);

#[uniffi::export]
impl NativeMemory {
    /// One for at most so many spans.
    #[uniffi::constructor]
    pub fn new(capacity: i32) -> Arc<Self> {
        Arc::new(Self(MemoryStore::with_capacity(usize::try_from(capacity).unwrap_or(0))))
    }

    /// The spans so far, in the order they ended, as a list of maps; with `take` they are removed.
    pub fn spans(&self, take: bool) -> Vec<u8> {
        hosted::spans_in(&self.0, take)
    }

    /// The log records so far, in the order they were recorded; with `take` they are removed.
    pub fn logs(&self, take: bool) -> Vec<u8> {
        hosted::logs_in(&self.0, take)
    }

    /// The data points of metrics so far, in the order they were collected; with `take` they are removed.
    pub fn metrics(&self, take: bool) -> Vec<u8> {
        hosted::metrics_in(&self.0, take)
    }
}

impl NativeMemory {
    pub(crate) fn options(&self) -> ExporterOptions {
        ExporterOptions::Memory(self.0.clone())
    }
}
