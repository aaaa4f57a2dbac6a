//! All rules of one engine, made ready: the built-in ones and the application's own.

use regex::bytes::{Regex, RegexBuilder};

use super::label::{Label, Labels};
use super::names::{self, Group, Verdict};
use super::options::{Personal, Redaction, RedactionStyle};
use super::text::Edit;
use super::triggers::{Hit, Triggers};
use super::words::Words;
use crate::error::Error;

/// Names and patterns that an application may add, of each kind.
const OWN: usize = 256;
/// Bytes that a compiled pattern may take, and the cache of its automaton.
const PATTERN_BYTES: usize = 1 << 20;

/// What decides about names and text. Shared by all who redact for one engine.
#[derive(Debug)]
pub(super) struct Rules {
    /// Without, nothing is ever found.
    enabled: bool,
    triggers: Triggers,
    pub(super) labels: Labels,
    pub(super) style: RedactionStyle,
    keys: Vec<(Vec<Box<[u8]>>, Label)>,
    patterns: Vec<(Regex, Label)>,
    allow_keys: Vec<Vec<Box<[u8]>>>,
    allow_patterns: Vec<Regex>,
    /// Some own name is too short to be found in text: structures are walked for it.
    short_keys: bool,
}

impl Rules {
    /// Checks and compiles; an error names the option as it is written in data.
    pub(super) fn new(redaction: &Redaction) -> Result<Self, Error> {
        let mut labels = Labels::default();
        count("keys", redaction.keys.len())?;
        count("patterns", redaction.patterns.len())?;
        count("allow_keys", redaction.allow_keys.len())?;
        count("allow_patterns", redaction.allow_patterns.len())?;
        let mut keys = Vec::new();
        for (place, key) in redaction.keys.iter().enumerate() {
            keys.push((own_words(&format!("redaction.keys[{place}]"), key)?, labels.add(key)));
        }
        let mut allow_keys = Vec::new();
        for (place, key) in redaction.allow_keys.iter().enumerate() {
            allow_keys.push(own_words(&format!("redaction.allow_keys[{place}]"), key)?);
        }
        let mut patterns = Vec::new();
        for (name, pattern) in &redaction.patterns {
            if name.is_empty() {
                return Err(Error::invalid_option("redaction.patterns", name, "a name for each pattern"));
            }
            patterns.push((compile(&format!("redaction.patterns.{name}"), pattern)?, labels.add(name)));
        }
        for kind in Personal::ALL.into_iter().filter(|kind| redaction.personal.contains(kind)) {
            let (pattern, label) = personal(kind);
            patterns.push((compile("redaction.personal", pattern)?, label));
        }
        let mut allow_patterns = Vec::new();
        for (place, pattern) in redaction.allow_patterns.iter().enumerate() {
            allow_patterns
                .push(compile(&format!("redaction.allow_patterns[{place}]"), &format!("^(?:{pattern})$"))?);
        }
        let longest = |words: &Vec<Box<[u8]>>| words.iter().max_by_key(|word| word.len()).cloned();
        let found_by: Vec<Box<[u8]>> = keys.iter().filter_map(|(words, _)| longest(words)).collect();
        Ok(Self {
            enabled: redaction.enabled,
            triggers: Triggers::new(found_by.iter().map(|word| &**word)),
            labels,
            style: redaction.style,
            short_keys: found_by.iter().any(|word| word.len() < 3),
            keys,
            patterns,
            allow_keys,
            allow_patterns,
        })
    }

    /// Finds the places of a text that are to be looked at.
    #[inline]
    pub(super) fn find(&self, text: &[u8], hits: &mut Vec<Hit>) {
        if self.enabled {
            self.triggers.find(text, hits);
        }
    }

    /// Whether redaction is off.
    pub(super) fn is_off(&self) -> bool {
        !self.enabled
    }

    /// Whether texts in which nothing was found must be looked at all the same.
    pub(super) fn always(&self) -> bool {
        self.enabled && (self.short_keys || !self.patterns.is_empty())
    }

    /// Whether names in which nothing was found must be judged all the same.
    pub(super) fn judges_all(&self) -> bool {
        self.short_keys || !self.allow_keys.is_empty()
    }

    /// What a name says of its value.
    pub(super) fn judge(&self, name: &[u8], within: Group) -> Verdict {
        if !self.enabled {
            return Verdict::Plain;
        }
        let words = Words::of(name);
        if self.allow_keys.iter().any(|known| known.iter().map(|word| &**word).eq(words.iter())) {
            return Verdict::Allowed;
        }
        let holds = |known: &[Box<[u8]>]| {
            let places = words.len().checked_sub(known.len());
            places.is_some_and(|last| {
                (0..=last)
                    .any(|at| known.iter().enumerate().all(|(place, word)| words.get(at + place) == &**word))
            })
        };
        match self.keys.iter().find(|(known, _)| holds(known)) {
            Some((_, label)) => Verdict::Secret(*label),
            None => names::judge(&words, within),
        }
    }

    /// Adds what the application's own patterns find in a text.
    pub(super) fn own_patterns(&self, text: &[u8], edits: &mut Vec<Edit>) {
        for (pattern, label) in &self.patterns {
            for found in pattern.captures_iter(text) {
                let Some(part) = found.get(1).or_else(|| found.get(0)) else { continue };
                let value = part.as_bytes();
                if !value.is_empty() && !super::prose::is_mark(value) && !self.allows(value) {
                    edits.push(Edit { start: part.start(), end: part.end(), label: *label, wrap: None });
                }
            }
        }
    }

    /// Whether the application lets that value pass.
    pub(super) fn allows(&self, value: &[u8]) -> bool {
        self.allow_patterns.iter().any(|pattern| pattern.is_match(value))
    }
}

fn count(option: &str, found: usize) -> Result<(), Error> {
    if found <= OWN {
        return Ok(());
    }
    Err(Error::invalid_option(&format!("redaction.{option}"), &found.to_string(), "at most 256 entries"))
}

/// The words of a name that an application gives.
fn own_words(option: &str, name: &str) -> Result<Vec<Box<[u8]>>, Error> {
    let words = Words::of(name.as_bytes());
    if words.len() == 0 || name.len() > 64 {
        return Err(Error::invalid_option(option, name, "a name of letters or digits, at most 64 bytes"));
    }
    Ok(words.iter().map(Into::into).collect())
}

fn compile(option: &str, pattern: &str) -> Result<Regex, Error> {
    let compiled = RegexBuilder::new(pattern)
        .unicode(true)
        .size_limit(PATTERN_BYTES)
        .dfa_size_limit(PATTERN_BYTES)
        .nest_limit(64)
        .build();
    compiled.map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim();
        Error::invalid_option(option, pattern, &format!("a regular expression ({reason})"))
    })
}

fn personal(kind: Personal) -> (&'static str, Label) {
    match kind {
        Personal::Email => (
            r"(?i-u)\b[a-z0-9._%+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*\.[a-z]{2,24}\b",
            Label::EMAIL,
        ),
        Personal::Ip => (
            concat!(
                r"(?i-u)(?:^|[^0-9a-z.:])((?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}",
                r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\b",
                r"|(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6})",
            ),
            Label::IP,
        ),
        Personal::Phone => (
            concat!(
                r"(?-u)(?:^|[^0-9A-Za-z+-])(\+[1-9][0-9]{0,2}(?:[ .-]?\(?[0-9]{1,4}\)?){2,5}",
                r"|\(?[2-9][0-9]{2}\)?[ .-][2-9][0-9]{2}[ .-][0-9]{4})\b",
            ),
            Label::PHONE,
        ),
    }
}
