//! The first two stages: internal spans, and spans of excluded types, go no further.

use crate::config::Hiding;
use crate::frame::write::Head;
use crate::kinds::SpanFlags;

/// Why a span is left out of what is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeftOut {
    /// It is internal to a framework.
    Internal,
    /// Its type is excluded.
    Excluded,
}

/// Whether a span is left out.
///
/// A span of this process was marked when it started, since its children already go to another parent. A
/// host that batches frames of its own may not know what the engine excludes.
#[inline]
pub(crate) fn left_out(head: &Head, hiding: &Hiding, from_host: bool) -> Option<LeftOut> {
    let flags = head.flags;
    if flags.contains(SpanFlags::INTERNAL) && !hiding.include_internal {
        return Some(LeftOut::Internal);
    }
    let excluded =
        flags.contains(SpanFlags::EXCLUDED) || from_host && hiding.excluded.contains(head.span_type);
    excluded.then_some(LeftOut::Excluded)
}
