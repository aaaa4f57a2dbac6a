//! Points in time as applications write them.

use crate::frame::view::{ValueView, text};

/// The seconds from the start of a span to a point in time: text, or nanoseconds since the Unix epoch.
pub(crate) fn seconds_after(start_unix_nanos: u64, value: ValueView<'_>) -> Option<f64> {
    let nanos = match value {
        ValueView::I64(nanos) => u64::try_from(nanos).ok()?,
        ValueView::F64(nanos) if nanos >= 0.0 => nanos as u64,
        ValueView::Str(given) => unix_nanos(&text(given))?,
        _ => return None,
    };
    Some(nanos.checked_sub(start_unix_nanos)? as f64 / 1e9)
}

/// Nanoseconds since the Unix epoch of a date and time in RFC 3339 (`2026-01-02T03:04:05.678Z`), as
/// JavaScript's and Python's ISO forms write it; without a zone it is UTC.
pub(crate) fn unix_nanos(given: &str) -> Option<u64> {
    let given = given.trim().as_bytes();
    let mut rest = given;
    let year = number(&mut rest, 4)?;
    mark(&mut rest, b"-")?;
    let month = number(&mut rest, 2).filter(|month| (1..=12).contains(month))?;
    mark(&mut rest, b"-")?;
    let day = number(&mut rest, 2).filter(|day| (1..=31).contains(day))?;
    mark(&mut rest, b"Tt ")?;
    let hour = number(&mut rest, 2).filter(|hour| *hour < 24)?;
    mark(&mut rest, b":")?;
    let minute = number(&mut rest, 2).filter(|minute| *minute < 60)?;
    mark(&mut rest, b":")?;
    let second = number(&mut rest, 2).filter(|second| *second <= 60)?;
    let mut nanos = 0;
    if mark(&mut rest, b".").is_some() {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, after) = rest.split_at_checked(digits)?;
        rest = after;
        for place in 0..9 {
            nanos = nanos * 10 + fraction.get(place).map_or(0, |digit| i64::from(digit - b'0'));
        }
    }
    let offset = zone(&mut rest)?;
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
    u64::try_from(seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?).ok().filter(|_| rest.is_empty())
}

/// Days since 1970-01-01 of a date of the Gregorian calendar (H. Hinnant, "days_from_civil").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn zone(rest: &mut &[u8]) -> Option<i64> {
    if rest.is_empty() || mark(rest, b"Zz").is_some() {
        return Some(0);
    }
    let sign = if mark(rest, b"+").is_some() { 1 } else { mark(rest, b"-").map(|()| -1)? };
    let hours = number(rest, 2)?;
    let _ = mark(rest, b":");
    let minutes = number(rest, 2)?;
    Some(sign * (hours * 3600 + minutes * 60))
}

fn number(rest: &mut &[u8], digits: usize) -> Option<i64> {
    let (front, after) = rest.split_at_checked(digits)?;
    *rest = after;
    front.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

fn mark(rest: &mut &[u8], one_of: &[u8]) -> Option<()> {
    let (first, after) = rest.split_first()?;
    one_of.contains(first).then(|| *rest = after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_their_usual_forms() {
        for (given, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T12:00:00Z", Some(951_825_600_000_000_000)),
            ("2026-01-02T03:04:05.678Z", Some(1_767_323_045_678_000_000)),
            ("2026-01-02 03:04:05.678901+00:00", Some(1_767_323_045_678_901_000)),
            ("2026-01-02T05:04:05+0200", Some(1_767_323_045_000_000_000)),
            ("1969-12-31T23:59:59Z", None),
            ("2026-13-02T03:04:05Z", None),
            ("2026-01-02", None),
            ("2026-01-02T03:04:05Zx", None),
            ("soon", None),
        ] {
            assert_eq!(unix_nanos(given), expected, "{given}");
        }
    }
}
