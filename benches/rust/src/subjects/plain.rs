//! Options without the stages that look into values, so that what these cost is a difference of two runs.

use polyspan::config::{ContentLimits, Options};
use polyspan::privacy::Redaction;

/// The options without redaction, and with limits on content that nothing reaches.
pub fn plain(options: Options) -> Options {
    const MOST: usize = 1 << 30;
    let limits = ContentLimits {
        string_length: MOST,
        depth: 63,
        array_items: MOST,
        object_keys: MOST,
        span_bytes: MOST,
    };
    options.redaction(Redaction::off()).content_limits(limits)
}
