//! The numbers that bound an engine, with their defaults.

use core::ops::RangeInclusive;
use core::time::Duration;

/// What [`Batching::max_queue_spans`] may be.
pub(super) const QUEUE_SPANS: RangeInclusive<usize> = 1..=1 << 24;
/// What [`Batching::max_batch_bytes`] may be: beyond, no OTLP receiver has to take a request.
pub(super) const BATCH_BYTES: RangeInclusive<usize> = 1 << 10..=64 << 20;
/// What the limits at capture may be: the frame's lengths have 32 bits.
pub(super) const CAPTURE_BYTES: RangeInclusive<usize> = 64..=1 << 30;
/// The longest time that may be set; far from where adding it to a clock overflows.
pub(super) const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How finished spans are gathered before they are sent, for each exporter by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batching {
    /// Spans an exporter may have waiting; later ones are dropped and counted as `queue_full`.
    /// Default: 65,536. At most 16,777,216.
    pub max_queue_spans: usize,
    /// Spans of one request. Default: 512, or `max_queue_spans` where that is less.
    pub max_batch_spans: usize,
    /// Bytes of one request before compression; a single larger span travels alone. Default: 4 MiB.
    /// 1 KiB to 64 MiB.
    pub max_batch_bytes: usize,
    /// How long a span waits for others; zero sends at once. Default: 5 s.
    pub schedule_delay: Duration,
    /// How long a batch may take until it is given up, repetitions included. Default: 30 s for an exporter of the
    /// application; for OTLP what its retry options say (`max_elapsed`), unless this is set too.
    pub export_timeout: Duration,
    /// The same where somebody has set it.
    pub(crate) retry_within: Option<Duration>,
}

impl Batching {
    /// The defaults of log records: as those of spans, but for a `schedule_delay` of 1 s.
    pub fn of_logs() -> Self {
        Self { schedule_delay: Duration::from_secs(1), ..Self::default() }
    }
}

impl Default for Batching {
    fn default() -> Self {
        Self {
            max_queue_spans: 65_536,
            max_batch_spans: 512,
            max_batch_bytes: 4 << 20,
            schedule_delay: Duration::from_secs(5),
            export_timeout: Duration::from_secs(30),
            retry_within: None,
        }
    }
}

/// What one span may hold (OpenTelemetry trace SDK, "Span Limits").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanLimits {
    /// Attributes of a span. Default: 128.
    pub attributes: usize,
    /// Characters of a string value, bytes of a byte value; `None` for any number. Default: `None`.
    pub attribute_value_length: Option<usize>,
    /// Events of a span. Default: 128.
    pub events: usize,
    /// Links of a span. Default: 128.
    pub links: usize,
    /// Attributes of an event. Default: 128.
    pub event_attributes: usize,
    /// Attributes of a link. Default: 128.
    pub link_attributes: usize,
}

impl Default for SpanLimits {
    fn default() -> Self {
        Self {
            attributes: 128,
            attribute_value_length: None,
            events: 128,
            links: 128,
            event_attributes: 128,
            link_attributes: 128,
        }
    }
}

/// What all spans together may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryLimits {
    /// Bytes for finished spans until they are delivered, for the whole process. Default: 32 MiB. At
    /// least 1 MiB.
    pub budget_bytes: usize,
    /// Spans open at the same time; more do not record and are counted as `open_limit`. Default: 100,000.
    pub open_spans: usize,
    /// Bytes of open spans, with the same consequence. Default: 64 MiB. At least 1 MiB.
    pub open_span_bytes: usize,
}

impl Default for MemoryLimits {
    fn default() -> Self {
        Self { budget_bytes: 32 << 20, open_spans: 100_000, open_span_bytes: 64 << 20 }
    }
}

/// The coarse cut when a value is set, so that a huge object costs its caller what is kept and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaptureLimits {
    /// Bytes of one value. Default: 1 MiB. 64 to 1 GiB.
    pub value_bytes: usize,
    /// Bytes of one span. Default: 4 MiB. 1 KiB to 1 GiB.
    pub span_bytes: usize,
}

impl Default for CaptureLimits {
    fn default() -> Self {
        Self { value_bytes: 1 << 20, span_bytes: 4 << 20 }
    }
}

/// What the engine tells the host's logger about itself (`OTEL_LOG_LEVEL`). What an application logs has its own
/// threshold, [`LogLevel`](crate::LogLevel).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum DiagnosticLevel {
    /// Nothing.
    None,
    /// What failed.
    Error,
    /// And what was lost or ignored.
    Warn,
    /// And what the user may want to know, such as where spans go; the default.
    #[default]
    Info,
    /// And what helps to find a fault.
    Debug,
}

impl DiagnosticLevel {
    /// The name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }

    /// Reads a name in any case, with the other names that OpenTelemetry's SDKs take.
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "none" | "off" => Some(Self::None),
            "error" | "fatal" | "critical" => Some(Self::Error),
            "warn" | "warning" => Some(Self::Warn),
            "info" => Some(Self::Info),
            "debug" | "verbose" | "trace" | "all" => Some(Self::Debug),
            _ => None,
        }
    }
}

/// Settings of [`Batching`] that may be absent.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct BatchSettings {
    pub max_queue_spans: Option<usize>,
    pub max_batch_spans: Option<usize>,
    pub max_batch_bytes: Option<usize>,
    pub schedule_delay: Option<Duration>,
    pub export_timeout: Option<Duration>,
}

impl BatchSettings {
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            max_queue_spans: self.max_queue_spans.or(other.max_queue_spans),
            max_batch_spans: self.max_batch_spans.or(other.max_batch_spans),
            max_batch_bytes: self.max_batch_bytes.or(other.max_batch_bytes),
            schedule_delay: self.schedule_delay.or(other.schedule_delay),
            export_timeout: self.export_timeout.or(other.export_timeout),
        }
    }

    pub(super) fn resolve(self, default: Batching) -> Batching {
        let max_queue_spans = self.max_queue_spans.unwrap_or(default.max_queue_spans);
        Batching {
            max_queue_spans,
            max_batch_spans: self.max_batch_spans.unwrap_or(default.max_batch_spans).min(max_queue_spans),
            max_batch_bytes: self.max_batch_bytes.unwrap_or(default.max_batch_bytes),
            schedule_delay: self.schedule_delay.unwrap_or(default.schedule_delay),
            export_timeout: self.export_timeout.unwrap_or(default.export_timeout),
            retry_within: self.export_timeout,
        }
    }
}

/// Settings of [`SpanLimits`] that may be absent.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct LimitSettings {
    pub attributes: Option<usize>,
    /// The inner `None` says "no limit" in so many words.
    pub attribute_value_length: Option<Option<usize>>,
    pub events: Option<usize>,
    pub links: Option<usize>,
    pub event_attributes: Option<usize>,
    pub link_attributes: Option<usize>,
}

impl LimitSettings {
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            attributes: self.attributes.or(other.attributes),
            attribute_value_length: self.attribute_value_length.or(other.attribute_value_length),
            events: self.events.or(other.events),
            links: self.links.or(other.links),
            event_attributes: self.event_attributes.or(other.event_attributes),
            link_attributes: self.link_attributes.or(other.link_attributes),
        }
    }

    pub(super) fn resolve(self) -> SpanLimits {
        let default = SpanLimits::default();
        SpanLimits {
            attributes: self.attributes.unwrap_or(default.attributes),
            attribute_value_length: self.attribute_value_length.unwrap_or(default.attribute_value_length),
            events: self.events.unwrap_or(default.events),
            links: self.links.unwrap_or(default.links),
            event_attributes: self.event_attributes.unwrap_or(default.event_attributes),
            link_attributes: self.link_attributes.unwrap_or(default.link_attributes),
        }
    }
}
