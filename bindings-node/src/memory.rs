//! The memory exporter, for tests: what arrived, as values that TypeScript decodes.

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::hosted;
use polyspan::value::Value;

use crate::entry::{always, throwing};

/// Keeps finished spans in memory.
#[napi]
pub struct NativeMemory(MemoryStore);

#[napi]
impl NativeMemory {
    /// One for at most so many spans.
    #[napi(constructor)]
    pub fn new(capacity: u32) -> napi::Result<Self> {
        throwing(None, || Ok(Self(MemoryStore::with_capacity(capacity as usize))))
    }

    /// The spans so far, in the order they ended, as a list of maps; with `take` they are removed.
    #[napi]
    pub fn spans(&self, take: bool) -> Buffer {
        always(None, nothing, || hosted::spans_in(&self.0, take)).into()
    }

    /// The log records so far, in the order they were recorded; with `take` they are removed.
    #[napi]
    pub fn logs(&self, take: bool) -> Buffer {
        always(None, nothing, || hosted::logs_in(&self.0, take)).into()
    }

    /// The data points of metrics so far, in the order they were collected; with `take` they are removed.
    #[napi]
    pub fn metrics(&self, take: bool) -> Buffer {
        always(None, nothing, || hosted::metrics_in(&self.0, take)).into()
    }
}

impl NativeMemory {
    pub(crate) fn options(&self) -> ExporterOptions {
        ExporterOptions::Memory(self.0.clone())
    }
}

/// An empty list.
fn nothing() -> Vec<u8> {
    hosted::write_value(&Value::Array(Vec::new()))
}
