//! A span as it may be seen before it is exported: the stages that leave out, redact and limit, in one call on
//! the calling thread. For the span processors of the OpenTelemetry API, which run where a span ends.

use std::sync::Arc;

use super::fields::FieldFilter;
use super::limits::Limiter;
use super::redact::{Redact, hidden_in};
use crate::config::ResolvedConfig;
use crate::frame::view::SpanView;
use crate::frame::{FrameError, copy};
use crate::privacy::Redactor;

/// These stages of one engine. Indexed tokens are its own: they may be others than those of exported spans.
pub(crate) struct Shown {
    fields: FieldFilter,
    redact: Redact,
    limiter: Limiter,
}

impl Shown {
    pub(crate) fn new(config: &ResolvedConfig, redactor: &Arc<Redactor>) -> Self {
        Self {
            fields: FieldFilter::new(&config.unrecorded),
            redact: Redact::new(redactor, hidden_in(config)),
            limiter: Limiter::new(config),
        }
    }

    /// The body of a span's event, passed through the stages.
    pub(crate) fn apply(&mut self, body: &[u8]) -> Result<Vec<u8>, FrameError> {
        let Self { fields, redact, limiter } = self;
        let mut shown = Vec::with_capacity(body.len());
        fields.apply(&SpanView::new(body)?, |span| {
            redact.apply(span, |span| limiter.apply(span, |span| copy::span(&mut shown, span)))
        })?;
        Ok(shown)
    }
}
