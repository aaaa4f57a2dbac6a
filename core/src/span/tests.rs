//! What a span writes, read back from its buffer.
