//! When a failed request is repeated: exponential backoff with jitter, and what `Retry-After` asks for.

use std::time::{Duration, SystemTime};

/// How an exporter repeats what failed for the moment.
///
/// The defaults are the OpenTelemetry Collector's factor, ceiling, jitter and give-up time, with the
/// shorter first wait of the language SDKs (the Collector waits 5 s): 1 s, 1.5 s, 2.25 s ... 30 s, each
/// between half and one and a half of that, for 5 minutes.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryOptions {
    /// The wait before the first repetition. Default: 1 s.
    pub initial: Duration,
    /// The longest wait that the backoff grows to. Default: 30 s.
    pub max: Duration,
    /// By how much each wait is longer than the one before. Default: 1.5.
    pub factor: f64,
    /// How long after the first attempt a batch may still be repeated; zero for never. Default: 5 min.
    pub max_elapsed: Duration,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(1),
            max: Duration::from_secs(30),
            factor: 1.5,
            max_elapsed: Duration::from_secs(300),
        }
    }
}

impl RetryOptions {
    /// Gives up no later than so long after the first attempt.
    pub(crate) fn end_within(&mut self, bound: Option<Duration>) {
        self.max_elapsed = bound.map_or(self.max_elapsed, |bound| self.max_elapsed.min(bound));
    }
}

/// The waits of one batch.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    max: Duration,
    factor: f64,
}

impl Backoff {
    pub(crate) fn new(options: &RetryOptions) -> Self {
        Self { next: options.initial.min(options.max), max: options.max, factor: options.factor.max(1.0) }
    }

    /// The wait before the next attempt: the backoff spread by `random` (0 to 1), and never less than
    /// what the receiver asked for.
    pub(crate) fn wait(&mut self, retry_after: Option<Duration>, random: f64) -> Duration {
        let spread = self.next.mul_f64(0.5 + random);
        let grown = self.next.as_secs_f64() * self.factor;
        self.next = Duration::try_from_secs_f64(grown).unwrap_or(self.max).min(self.max);
        spread.max(retry_after.unwrap_or_default())
    }
}

/// Reads `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date, which counts from the reply's own
/// `Date` when it has one, so that a wrong clock here does not matter.
pub(crate) fn read_retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = date.and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or_else(SystemTime::now);
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_ceiling() {
        let mut backoff = Backoff::new(&RetryOptions { max: Duration::from_secs(2), ..Default::default() });
        let waits: Vec<_> = (0..4).map(|_| backoff.wait(None, 0.5).as_millis()).collect();
        assert_eq!(waits, [1000, 1500, 2000, 2000]);
    }

    #[test]
    fn jitter_spreads_by_half() {
        let mut backoff = Backoff::new(&RetryOptions { factor: 1.0, ..Default::default() });
        assert_eq!(backoff.wait(None, 0.0), Duration::from_millis(500));
        assert_eq!(backoff.wait(None, 1.0), Duration::from_millis(1500));
    }

    #[test]
    fn the_receiver_is_never_asked_too_early() {
        let mut backoff = Backoff::new(&RetryOptions::default());
        assert_eq!(backoff.wait(Some(Duration::from_secs(7)), 0.9), Duration::from_secs(7));
        assert!(backoff.wait(Some(Duration::ZERO), 0.0) >= Duration::from_millis(500));
    }

    #[test]
    fn absurd_options_do_not_overflow() {
        let options = RetryOptions {
            initial: Duration::from_secs(1),
            max: Duration::MAX / 4,
            factor: 1e300,
            ..Default::default()
        };
        let mut backoff = Backoff::new(&options);
        for _ in 0..5 {
            backoff.wait(None, 1.0);
        }
        let mut nan = Backoff::new(&RetryOptions { factor: f64::NAN, ..Default::default() });
        nan.wait(None, 0.5);
        assert_eq!(nan.wait(None, 0.5), Duration::from_secs(1));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(read_retry_after(" 120 ", None), Some(Duration::from_secs(120)));
        let date = Some("Wed, 21 Oct 2026 07:28:00 GMT");
        assert_eq!(read_retry_after("Wed, 21 Oct 2026 07:28:09 GMT", date), Some(Duration::from_secs(9)));
        assert_eq!(read_retry_after("Wed, 21 Oct 2026 07:27:09 GMT", date), Some(Duration::ZERO));
        assert_eq!(read_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", None), Some(Duration::ZERO));
        assert_eq!(read_retry_after("99999999999999999999999", None), Some(Duration::from_secs(u64::MAX)));
        for bad in ["", "soon", "-1", "1.5", "+3"] {
            assert_eq!(read_retry_after(bad, None), None, "{bad}");
        }
    }
}
