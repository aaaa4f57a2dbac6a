//! Exporters that the application brings along.

use std::fmt;
use std::sync::Arc;

use super::limits::Batching;
use crate::error::Error;
use crate::export::lane::{ExportLane, Lane, LaneLimits};
use crate::export::{Encoder, Sink};

type Build = dyn Fn(&str, &Batching, LaneLimits) -> Result<Box<dyn ExportLane>, Error> + Send + Sync;

/// An [`Encoder`] and a [`Sink`] of the application's own, or rather how to make them: once when the engine
/// starts and again in each forked child that records.
///
/// Clones are equal; two made by [`CustomExporter::new`] never are.
#[derive(Clone)]
pub struct CustomExporter {
    name: Arc<str>,
    build: Arc<Build>,
}

impl CustomExporter {
    /// `name` is what the exporter is called in [`Stats`](crate::Stats) and messages. `build` is told how
    /// spans are gathered; its error is the error of `init`.
    pub fn new<E, S>(
        name: &str,
        build: impl Fn(&Batching) -> Result<(E, S), Error> + Send + Sync + 'static,
    ) -> Self
    where
        E: Encoder,
        S: Sink<E::Batch>,
    {
        let build = move |name: &str,
                          batching: &Batching,
                          limits: LaneLimits|
              -> Result<Box<dyn ExportLane>, Error> {
            let (encoder, sink) = build(batching)?;
            Ok(Box::new(Lane::new(name, encoder, sink, limits)))
        };
        Self { name: Arc::from(name), build: Arc::new(build) }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Its lane; `name` is the exporter's own, or that with a number.
    pub(crate) fn lane(
        &self,
        name: &str,
        batching: &Batching,
        limits: LaneLimits,
    ) -> Result<Box<dyn ExportLane>, Error> {
        (self.build)(name, batching, limits)
    }
}

impl PartialEq for CustomExporter {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.build, &other.build)
    }
}

impl fmt::Debug for CustomExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CustomExporter").field(&self.name).finish()
    }
}
