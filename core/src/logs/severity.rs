//! How serious a log record is, and from which severity on records are kept.

use core::fmt;

/// A severity as OpenTelemetry numbers it (logs data model, "Field: SeverityNumber"): four steps of each of six
/// ranges, 1 to 24; 0 where none is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Severity(u8);

/// The short names of the six ranges.
const RANGES: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

impl Severity {
    /// None is known.
    pub const UNSPECIFIED: Self = Self(0);
    /// The finest.
    pub const TRACE: Self = Self(1);
    /// For whoever looks for a fault.
    pub const DEBUG: Self = Self(5);
    /// An event of the usual course.
    pub const INFO: Self = Self(9);
    /// Something that may become an error.
    pub const WARN: Self = Self(13);
    /// Something that failed.
    pub const ERROR: Self = Self(17);
    /// Something after which the program does not go on.
    pub const FATAL: Self = Self(21);

    /// The severity of that number; a number beyond 24 is the highest.
    pub const fn from_number(number: u8) -> Self {
        Self(if number > 24 { 24 } else { number })
    }

    /// The number, 0 to 24.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The short name: `INFO`, `INFO2` and so on; empty where none is known.
    pub fn name(self) -> &'static str {
        const STEPS: [[&str; 3]; 6] = [
            ["TRACE2", "TRACE3", "TRACE4"],
            ["DEBUG2", "DEBUG3", "DEBUG4"],
            ["INFO2", "INFO3", "INFO4"],
            ["WARN2", "WARN3", "WARN4"],
            ["ERROR2", "ERROR3", "ERROR4"],
            ["FATAL2", "FATAL3", "FATAL4"],
        ];
        let Some(place) = self.0.checked_sub(1).map(usize::from) else { return "" };
        let step = place % 4;
        let named = match step.checked_sub(1) {
            None => RANGES.get(place / 4),
            Some(later) => STEPS.get(place / 4).and_then(|names| names.get(later)),
        };
        named.copied().unwrap_or("")
    }

    /// The severity of that name in any case: one of the short names, or what loggers call the same.
    pub fn from_name(name: &str) -> Option<Self> {
        let upper = name.trim().to_ascii_uppercase();
        match upper.as_str() {
            "WARNING" => Some(Self::WARN),
            "CRITICAL" => Some(Self::FATAL),
            _ => (1..=24).map(Self).find(|severity| severity.name() == upper),
        }
    }

    /// The severity of a level of Python's `logging` (10 debug, 20 info, 30 warning, 40 error, 50 critical; numbers
    /// between them are the steps of the range below). Lower ones are traces, 0 is not known.
    pub const fn from_python_level(level: i64) -> Self {
        match level {
            i64::MIN..=0 => Self::UNSPECIFIED,
            1..=9 => Self::TRACE,
            // 54 and above are the last step of the highest range.
            54.. => Self(24),
            _ => {
                let (range, step) = (level / 10, level % 10);
                Self((1 + range * 4 + if step > 3 { 3 } else { step }) as u8)
            }
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// From which severity on log records are kept.
///
/// A record whose severity is not known is kept unless the level is [`LogLevel::None`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum LogLevel {
    /// Everything.
    Trace,
    /// Debug and above.
    Debug,
    /// Info and above; the default.
    #[default]
    Info,
    /// Warnings and above.
    Warn,
    /// Errors and above.
    Error,
    /// Fatal records alone.
    Fatal,
    /// Nothing.
    None,
}

impl LogLevel {
    const ALL: [Self; 7] =
        [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Fatal, Self::None];

    /// The name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
            Self::None => "none",
        }
    }

    /// Reads a name in any case, with the other names that loggers give the same levels.
    pub fn from_name(name: &str) -> Option<Self> {
        let lower = name.trim().to_ascii_lowercase();
        match lower.as_str() {
            "warning" => Some(Self::Warn),
            "critical" => Some(Self::Fatal),
            "verbose" | "all" | "notset" => Some(Self::Trace),
            "off" | "silent" => Some(Self::None),
            name => Self::ALL.into_iter().find(|level| level.as_str() == name),
        }
    }

    /// The level that keeps the records of `logging` from that level of Python's on.
    pub const fn from_python_level(level: i64) -> Self {
        match level {
            ..=9 => Self::Trace,
            10 => Self::Debug,
            11..=20 => Self::Info,
            21..=30 => Self::Warn,
            31..=40 => Self::Error,
            41..=50 => Self::Fatal,
            _ => Self::None,
        }
    }

    /// The least severity that is kept; 255 for none.
    pub const fn threshold(self) -> u8 {
        match self {
            Self::Trace => 1,
            Self::Debug => 5,
            Self::Info => 9,
            Self::Warn => 13,
            Self::Error => 17,
            Self::Fatal => 21,
            Self::None => u8::MAX,
        }
    }

    /// The level of that threshold.
    pub(crate) fn from_threshold(threshold: u8) -> Self {
        Self::ALL.into_iter().find(|level| level.threshold() >= threshold).unwrap_or(Self::None)
    }

    /// Whether a record of that severity is kept.
    pub const fn keeps(self, severity: Severity) -> bool {
        keeps(self.threshold(), severity)
    }
}

/// Whether a record of that severity is kept under a threshold.
pub(crate) const fn keeps(threshold: u8, severity: Severity) -> bool {
    severity.0 >= threshold || (severity.0 == 0 && threshold != u8::MAX)
}
