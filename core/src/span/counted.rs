//! What is kept of an open span that sampling left out, where metrics are on: what they count, and no more.

use crate::frame::unsampled::Unsampled;
use crate::frame::write::cut;
use crate::kinds::{SpanFlags, SpanKind, SpanType, StatusCode};

/// As much of a name is kept as a label shows.
const NAME_BYTES: usize = 200;

/// An open span that does not record but is counted.
#[derive(Debug)]
pub(crate) struct Counted {
    name: String,
    start_unix_nanos: u64,
    span_type: SpanType,
    kind: SpanKind,
    flags: SpanFlags,
    status: StatusCode,
}

impl Counted {
    /// `flags` say whether the kind was given.
    pub(crate) fn new(
        name: &str,
        start_unix_nanos: u64,
        span_type: SpanType,
        kind: SpanKind,
        flags: SpanFlags,
    ) -> Self {
        let flags =
            if flags.contains(SpanFlags::KIND_GIVEN) { SpanFlags::KIND_GIVEN } else { SpanFlags::empty() };
        let name = cut(name, NAME_BYTES).to_owned();
        Self { name, start_unix_nanos, span_type, kind, flags, status: StatusCode::Unset }
    }

    pub(crate) fn rename(&mut self, name: &str) {
        self.name.clear();
        self.name.push_str(cut(name, NAME_BYTES));
    }

    /// `Ok` is final, and `Unset` is ignored, as for spans that record.
    pub(crate) fn status(&mut self, code: StatusCode) {
        if self.status != StatusCode::Ok && code != StatusCode::Unset {
            self.status = code;
        }
    }

    pub(crate) fn kind_of(&mut self, span_type: SpanType) {
        self.span_type = span_type;
    }

    pub(crate) fn kind(&mut self, kind: SpanKind) {
        self.kind = kind;
        self.flags = SpanFlags::KIND_GIVEN;
    }

    /// What its event says when it ends.
    pub(crate) fn ended(&self, end_unix_nanos: u64) -> Unsampled<'_> {
        Unsampled {
            name: self.name.as_str().into(),
            nanos: end_unix_nanos.saturating_sub(self.start_unix_nanos),
            span_type: self.span_type,
            flags: self.flags,
            kind: self.kind,
            status: self.status,
        }
    }
}
