//! The ids of a trace on their way to other processes: entries of baggage under the names that they have as
//! attributes, and the session also as a header of its own, which proxies and browsers can set.

use super::{Baggage, Extracted, Getter, Setter};
use crate::carried::{CarriedId, CarriedSet};

/// The header of the session.
pub const SESSION_HEADER: &str = "x-polyspan-session-id";
/// Another product's header of the same meaning, read where ours is not there.
const OTHER_SESSION_HEADER: &str = "x-mastra-session-id";
/// A longer session is none of ours.
const MAX_SESSION_BYTES: usize = 256;

/// Puts the ids into the baggage that is about to be written. True if the session is among them.
pub(crate) fn put<'a>(ids: impl Iterator<Item = (CarriedId, &'a str)>, baggage: &mut Baggage) -> bool {
    let mut session = false;
    for (id, value) in ids {
        baggage.insert(id.key(), value);
        session |= id == CarriedId::Session;
    }
    session
}

/// Writes the session's header as the baggage has it, redacted by now. False if a header cannot hold it.
pub(crate) fn write_session(baggage: &Baggage, carrier: &mut dyn Setter) -> bool {
    let value = baggage.get(CarriedId::Session.key()).unwrap_or_default();
    let fits = !value.is_empty()
        && value.len() <= MAX_SESSION_BYTES
        && value.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        carrier.set(SESSION_HEADER, value);
    }
    fits
}

/// Reads the session's header, and takes the ids that are allowed to travel out of the baggage.
pub(crate) fn read(carrier: &dyn Getter, allowed: CarriedSet, into: &mut Extracted) {
    for id in CarriedId::all().filter(|id| allowed.contains(*id)) {
        if let Some(entry) = into.baggage.remove(id.key())
            && !entry.value.is_empty()
        {
            into.ids.push((id, entry.value));
        }
    }
    for header in [SESSION_HEADER, OTHER_SESSION_HEADER] {
        let mut found = None;
        carrier.get_all(header, &mut |value| found = found.take().or_else(|| session(value)));
        if let Some(session) = found {
            into.ids.retain(|(id, _)| *id != CarriedId::Session);
            into.ids.push((CarriedId::Session, session));
            return;
        }
    }
}

/// What can be a session.
fn session(value: &[u8]) -> Option<String> {
    let text = core::str::from_utf8(value).ok()?.trim();
    let fits = !text.is_empty() && text.len() <= MAX_SESSION_BYTES && !text.contains(char::is_control);
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn found(headers: &[(&str, &str)], allowed: CarriedSet) -> Vec<(CarriedId, String)> {
        let carrier: HashMap<&str, &str> = headers.iter().copied().collect();
        let mut into = Extracted::default();
        into.baggage.insert("session.id", "baggage");
        into.baggage.insert("user.id", "u");
        into.baggage.insert("other", "x");
        read(&carrier, allowed, &mut into);
        assert_eq!(into.baggage.get("other"), Some("x"));
        assert_eq!(into.baggage.get("user.id").is_some(), !allowed.contains(CarriedId::User));
        into.ids
    }

    #[test]
    fn a_header_goes_before_baggage_and_ours_before_others() {
        let session = |value: &str| (CarriedId::Session, value.to_owned());
        let user = (CarriedId::User, "u".to_owned());
        let all = CarriedSet::travelling();
        assert_eq!(found(&[], all), [session("baggage"), user.clone()]);
        assert_eq!(found(&[("x-mastra-session-id", "m")], all), [user.clone(), session("m")]);
        let both = [("x-mastra-session-id", "m"), ("X-Polyspan-Session-Id", " p ")];
        assert_eq!(found(&both, all), [user, session("p")]);
        assert_eq!(found(&both, CarriedSet::EMPTY), [session("p")]);
    }

    #[test]
    fn what_cannot_be_a_session_is_none() {
        for value in ["", "  ", "a\nb", &"x".repeat(257)] {
            assert_eq!(found(&[("x-polyspan-session-id", value)], CarriedSet::EMPTY), []);
        }
    }

    #[test]
    fn what_a_header_cannot_hold_travels_as_baggage() {
        let mut carrier: HashMap<String, String> = HashMap::new();
        let mut baggage = Baggage::new();
        let ids = [(CarriedId::Session, "ä"), (CarriedId::User, "u")];
        assert!(put(ids.into_iter(), &mut baggage));
        assert!(!write_session(&baggage, &mut carrier));
        assert!(carrier.is_empty());
        assert_eq!((baggage.get("session.id"), baggage.get("user.id")), (Some("ä"), Some("u")));
        assert!(!put([(CarriedId::User, "u")].into_iter(), &mut baggage));
        assert!(put([(CarriedId::Session, "s-42")].into_iter(), &mut baggage));
        assert!(write_session(&baggage, &mut carrier));
        assert_eq!(carrier.get(SESSION_HEADER).map(String::as_str), Some("s-42"));
    }
}
