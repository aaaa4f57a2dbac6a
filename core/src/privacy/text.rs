//! Finding secrets in text: from each place that [`super::triggers`] found, the rules look around and say which
//! bytes are to be replaced.
//!
//! Every rule looks at a bounded stretch of text, or at what it then replaces, so that the time is linear in the
//! length of the text. What looks farther, for the sibling of a name or the kind of an object, is paid from one
//! budget for each text.

use super::judged::Judged;
use super::label::Label;
use super::lex::{self, Quote};
use super::names::{Verdict, is_no_value};
use super::rules::Rules;
use super::triggers::{Hit, Rule};
use super::{credentials, digits, tokens};

/// Bytes that are to be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) label: Label,
    /// The quotation mark to put around the replacement, where a number or a list was; its place in the text.
    pub(super) wrap: Option<(usize, usize)>,
}

/// What a value cut at capture ends with.
const CUT_MARK: &[u8] = "…[truncated]".as_bytes();
/// The longest name that is looked at, in bytes to each side of what was found of it.
const NAME: usize = 64;

/// A name in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name<'t> {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The quotation mark right before it.
    pub(super) quote: Option<Quote<'t>>,
    /// Whether the same mark stands right behind it.
    pub(super) closed: bool,
    /// Hyphens before it, as before an option of a command.
    pub(super) dashes: usize,
}

/// One text under examination.
pub(super) struct Scanner<'t, 's> {
    pub(super) rules: &'s Rules,
    judged: &'s mut Judged,
    /// Without the mark of a cut.
    pub(super) text: &'t [u8],
    /// Whether it was cut at capture.
    pub(super) cut: bool,
    pub(super) edits: &'s mut Vec<Edit>,
    /// Up to here everything is decided.
    done: usize,
    /// Up to here names have been judged.
    named: usize,
    /// Bytes that rules may still look at beyond their own.
    pub(super) budget: usize,
}

impl<'t, 's> Scanner<'t, 's> {
    /// Finds what is to be replaced in the text, whose hits are counted from `base`.
    pub(super) fn run(
        rules: &'s Rules,
        judged: &'s mut Judged,
        text: &'t [u8],
        hits: &[Hit],
        base: usize,
        edits: &'s mut Vec<Edit>,
    ) {
        let (kept, cut) = match text.strip_suffix(CUT_MARK) {
            Some(kept) => (kept, true),
            None => (text, false),
        };
        let budget = kept.len().saturating_mul(4).saturating_add(64 * 1024);
        let mut scanner = Scanner { rules, judged, text: kept, cut, edits, done: 0, named: 0, budget };
        for hit in hits {
            let Some(at) = hit.at.checked_sub(base).filter(|at| *at < kept.len()) else { continue };
            if at >= scanner.done {
                scanner.look(at, hit.rule);
            }
        }
        rules.own_patterns(kept, scanner.edits);
        settle(scanner.edits);
    }

    fn look(&mut self, at: usize, rule: Rule) {
        match rule {
            Rule::Name => self.name(at),
            Rule::Token(form) => {
                if let Some((end, label)) = tokens::end_of(self.text, self.cut, at, form) {
                    self.hide(at, end, label);
                }
            }
            Rule::Scheme => credentials::scheme(self, at),
            Rule::Jwt => credentials::jwt(self, at),
            Rule::Pem => credentials::pem(self, at),
            Rule::Bot => credentials::bot(self, at),
            Rule::Url => self.url(at),
            Rule::Digits => digits::look(self, at),
            // Seen to by the caller, which decodes the text.
            Rule::Encoded => {}
        }
    }

    /// Notes bytes to replace, unless they are what a replacement left or the application allows them.
    pub(super) fn hide(&mut self, start: usize, end: usize, label: Label) {
        self.put(Edit { start, end, label, wrap: None });
    }

    pub(super) fn put(&mut self, edit: Edit) {
        self.done = self.done.max(edit.end);
        let value = self.text.get(edit.start..edit.end).unwrap_or_default();
        if !value.is_empty() && !super::prose::is_mark(value) && !self.rules.allows(value) {
            self.edits.push(edit);
        }
    }

    /// Says that nothing before that place needs to be looked at again.
    pub(super) fn skip_to(&mut self, end: usize) {
        self.done = self.done.max(end);
    }

    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.text.get(at).copied()
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> &'t [u8] {
        self.text.get(start..end).unwrap_or_default()
    }

    /// Pays for looking at so many bytes; false once the budget is spent.
    pub(super) fn pay(&mut self, bytes: usize) -> bool {
        let paid = self.budget.checked_sub(bytes + 8);
        self.budget = paid.unwrap_or(0);
        paid.is_some()
    }

    /// A word of a name was found at `at`: what is the whole name, and does it have a value?
    fn name(&mut self, at: usize) {
        if at < self.named {
            return;
        }
        let Some(name) = self.name_at(at) else { return };
        self.named = name.end;
        if self.names_a_sibling(&name) || self.follow(&name) {
            return;
        }
        // `API key`, `Social Security number`: words that mean something together only.
        let wider = self.widen(&name);
        if wider.start < name.start || wider.end > name.end {
            self.named = wider.end;
            let _ = self.names_a_sibling(&wider) || self.follow(&wider);
        }
    }

    /// The name that the byte at `at` belongs to.
    pub(super) fn name_at(&self, at: usize) -> Option<Name<'t>> {
        let text = self.text;
        let mut start = at - lex::name_before(text, at, NAME);
        let mut end = at + lex::name_from(text, at, NAME);
        if start > 0 && text.get(start - 1) == Some(&b'\\') {
            // The letter of an escape is none of the name's.
            start += match text.get(start) {
                Some(b'n' | b'r' | b't' | b'b' | b'f') => 1,
                Some(b'u') => 5,
                _ => 0,
            };
        }
        while end > at && matches!(text.get(end - 1), Some(b'-' | b'.')) {
            end -= 1;
        }
        let dashes = text.get(start..end)?.iter().take_while(|byte| **byte == b'-').count();
        start += dashes;
        (start <= at && at < end).then(|| self.named_in(start, end, dashes))
    }

    fn named_in(&self, start: usize, end: usize, dashes: usize) -> Name<'t> {
        let quote = Quote::before(self.text, start - dashes);
        let closed =
            quote.is_some_and(|quote| self.text.get(end..).is_some_and(|rest| rest.starts_with(quote.0)));
        Name { start, end, quote, closed, dashes }
    }

    /// The name with the words beside it, as far as single blanks join them: two to the left, one to the right.
    fn widen(&self, name: &Name<'t>) -> Name<'t> {
        if name.closed || name.dashes > 0 {
            return *name;
        }
        let is_letter = |byte: &u8| byte.is_ascii_alphanumeric();
        let (mut start, mut end) = (name.start, name.end);
        for _ in 0..2 {
            if name.quote.is_some() || start == 0 || self.byte(start - 1) != Some(b' ') {
                break;
            }
            let left = self.text.get(start.saturating_sub(20)..start - 1).unwrap_or_default();
            let word = left.iter().rev().take_while(|byte| is_letter(byte)).count();
            let says = left.get(left.len() - word..).unwrap_or_default().to_ascii_lowercase();
            // `invalid API key`: what is said of it is no part of its name.
            if word == 0 || word == left.len() && word > 18 || is_no_value(&says) {
                break;
            }
            start -= word + 1;
        }
        if self.byte(end) == Some(b' ') {
            let right = self.text.get(end + 1..).unwrap_or_default();
            let word = right.iter().take(16).take_while(|byte| is_letter(byte)).count();
            if matches!(
                right.get(..word),
                Some(
                    b"key"
                        | b"Key"
                        | b"KEY"
                        | b"number"
                        | b"Number"
                        | b"no"
                        | b"code"
                        | b"Code"
                        | b"token"
                        | b"Token"
                        | b"Security"
                        | b"security"
                        | b"phrase"
                        | b"Phrase"
                        | b"secret"
                        | b"Secret"
                )
            ) {
                end += word + 1;
            }
            let right = self.text.get(end..).unwrap_or_default();
            if right.starts_with(b" number") || right.starts_with(b" Number") {
                end += 7;
            }
        }
        self.named_in(start, end, 0)
    }

    /// What a name says, outside of any group.
    pub(super) fn verdict(&mut self, name: &Name<'t>) -> Verdict {
        self.judge(self.slice(name.start, name.end))
    }

    /// The same of any text that is a name.
    pub(super) fn judge(&mut self, name: &[u8]) -> Verdict {
        self.judged.verdict(self.rules, name)
    }
}

/// Brings edits in order and joins those that overlap.
pub(super) fn settle(edits: &mut Vec<Edit>) {
    if edits.windows(2).all(|two| matches!(two, [a, b] if a.end <= b.start)) {
        return;
    }
    edits.sort_by_key(|edit| (edit.start, core::cmp::Reverse(edit.end)));
    let mut joined: Vec<Edit> = Vec::with_capacity(edits.len());
    for edit in edits.drain(..) {
        match joined.last_mut() {
            Some(last) if edit.start < last.end => last.end = last.end.max(edit.end),
            _ => joined.push(edit),
        }
    }
    *edits = joined;
}
