//! A sensitive name in text and the value behind it, however the two are joined: `key=value`, `key: value`,
//! `"key": ...`, `'key' => ...`, `("key", ...)`, `<key>value</key>`, `--key value`.

use super::credentials;
use super::label::Label;
use super::lex::{self, Quote};
use super::names::{Doubt, Group, Verdict, is_no_value, is_other_token};
use super::prose;
use super::text::{Edit, Name, Scanner};
use super::tokens::is_mixed;
use super::url;

/// What joins a name and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Join {
    Colon,
    Equals,
    /// `=>`
    Arrow,
    /// `==`: a comparison.
    Compare,
    /// The comma between the two items of a pair.
    Comma,
    /// `>` of an opening XML tag.
    Tag,
}

/// What may stand between a name and its colon: `API key provided: x`.
const GIVEN: [&[u8]; 5] = [b"provided", b"given", b"supplied", b"received", b"used"];

/// How a sentence joins them.
const SAID: [&[u8]; 3] = [b"is: ", b"is ", b"was "];

/// What stands before a name whose value follows in quotation marks: `wrong password 'x'`.
const BEFORE_QUOTED: [&[u8]; 7] =
    [b" with", b" encrypted", b" set", b" wrong", b" invalid", b" incorrect", b" bad"];

/// What holds a value and nothing else, as it is printed: `Some(x)`, `Secret(x)`.
const WRAPPERS: [&str; 8] = ["Some", "Ok", "Just", "Optional", "Secret", "Password", "Token", "Sensitive"];

/// A name whose value is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'t> {
    pub(super) name: Name<'t>,
    pub(super) label: Label,
    pub(super) doubt: Option<Doubt>,
}

impl<'t> Scanner<'t, '_> {
    /// Looks for a value behind the name. True if the matter is decided, whatever came of it.
    pub(super) fn follow(&mut self, name: &Name<'t>) -> bool {
        let Some((join, at)) = self.join(name) else { return self.spaced(name) };
        let wanted = match self.verdict(name) {
            Verdict::Plain => return join == Join::Equals && self.parameter(name, at),
            Verdict::Allowed => {
                self.pass(name, at);
                return true;
            }
            Verdict::Group(group) => {
                self.members(name, group, at);
                return false;
            }
            Verdict::Secret(label) => Wanted { name: *name, label, doubt: None },
            Verdict::Maybe(label, doubt) => Wanted { name: *name, label, doubt: Some(doubt) },
        };
        if !name.closed && self.is_none_by_its_words(&wanted, join, at) {
            return true;
        }
        match join {
            Join::Tag => self.tagged(&wanted, at),
            Join::Comma => self.second_of_two(&wanted, at),
            _ => self.value(&wanted, join, at),
        }
        true
    }

    /// What joins the name to a value, and where the value begins.
    fn join(&self, name: &Name<'t>) -> Option<(Join, usize)> {
        let text = self.text;
        let quote = name.quote.filter(|_| name.closed);
        let mut at = name.end + quote.map_or(0, |quote| quote.0.len());
        if self.byte(at) == Some(b']') {
            // `form[password]=`, `headers["Authorization"] =`
            at += 1;
        }
        if matches!(self.byte(at), Some(b'?' | b'!')) && self.byte(at + 1) == Some(b':') {
            at += 1;
        }
        let blanks = |at| match quote {
            Some(quote) => lex::skip_blanks(text, at, quote.escapes() > 0),
            None => skip_spaces(text, at),
        };
        at = blanks(at);
        if quote.is_none() {
            let rest = self.slice(at, at + 9);
            let given = GIVEN.iter().find(|word| rest.starts_with(word));
            at = given.map_or(at, |word| skip_spaces(text, at + word.len()));
        }
        let next = self.byte(at + 1);
        let (join, length) = match self.byte(at)? {
            b':' if matches!(next, Some(b':')) || self.slice(at, at + 3) == b"://" => return None,
            b':' if next == Some(b'=') => (Join::Equals, 2),
            b':' => (Join::Colon, 1),
            b'=' if next == Some(b'>') => (Join::Arrow, 2),
            b'=' if next == Some(b'=') => {
                (Join::Compare, if self.byte(at + 2) == Some(b'=') { 3 } else { 2 })
            }
            b'=' => (Join::Equals, 1),
            b'-' if next == Some(b'>') => (Join::Colon, 2),
            b',' if name.closed => (Join::Comma, 1),
            b'>' if at == name.end && self.opens_tag(name) => return Some((Join::Tag, at + 1)),
            0xef if self.slice(at, at + 3) == "：".as_bytes() => (Join::Colon, 3),
            _ => return None,
        };
        Some((join, blanks(at + length)))
    }

    /// Whether the word before an unquoted name makes it something else: `next token:`. One that only says that the value
    /// is wrong or wanted (`invalid password: x`) does not, but for a token: parsers complain of such too.
    fn is_none_by_its_words(&mut self, wanted: &Wanted<'t>, join: Join, at: usize) -> bool {
        let name = &wanted.name;
        let Some(word) = self.word_before(name) else { return false };
        if is_no_value(&word.to_ascii_lowercase()) && !is_other_token(&word.to_ascii_lowercase()) {
            let value = self.slice(at, lex::end_of_bare(self.text, at));
            return wanted.label == Label::TOKEN && join == Join::Colon && is_plain(value);
        }
        self.judge(self.slice(name.start - word.len() - 1, name.end)) == Verdict::Plain
    }

    /// The word that a blank parts from the name behind it.
    fn word_before(&self, name: &Name<'t>) -> Option<&'t [u8]> {
        let before = self.text.get(name.start.saturating_sub(16)..name.start)?.strip_suffix(b" ")?;
        let length = before.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
        before.get(before.len() - length..).filter(|word| !word.is_empty())
    }

    fn value(&mut self, wanted: &Wanted<'t>, join: Join, at: usize) {
        let name = &wanted.name;
        let text = self.text;
        // The letters of `b'…'`, `r"…"`, `rb'…'` and the like.
        let letters = self.slice(at, at + 2).iter().take_while(|byte| b"brufBRUF".contains(byte)).count();
        let place = (0..=letters).rev().find_map(|skip| Some((at + skip, Quote::at(text, at + skip)?)));
        if let Some((at, quote)) = place {
            if name.closed || !self.stands_in(quote, name) {
                self.quoted(wanted, at, quote);
            }
            return;
        }
        if !name.closed && prose::is_template(text, at) {
            return;
        }
        if matches!(self.byte(at), Some(b'{' | b'[' | b'(')) {
            return self.bracketed(wanted, at);
        }
        if matches!(join, Join::Compare) || join == Join::Arrow && !name.closed {
            return;
        }
        if name.closed { self.literal(wanted, at) } else { self.bare(wanted, join == Join::Colon, at) }
    }

    /// The value of a parameter that is a secret in URLs and forms only: a signature, the code of a redirect.
    fn parameter(&mut self, name: &Name<'t>, at: usize) -> bool {
        if !url::is_parameter(self.text, name.start) {
            return false;
        }
        let end = lex::end_of_bare(self.text, at);
        let end = at + self.slice(at, end).iter().position(|byte| *byte == b'#').unwrap_or(end - at);
        let value = self.slice(at, end);
        let random = value.len() >= 8 && is_mixed(value) && !prose::is_placeholder(value);
        let label = match self.slice(name.start, name.end).to_ascii_lowercase().as_slice() {
            b"sig" | b"signature" | b"hmac" if random => Label::SIGNATURE,
            b"code" if random && value.len() >= 10 => Label::CODE,
            b"key" if random && value.len() >= 16 => Label::API_KEY,
            _ => return false,
        };
        self.hide(at, end, label);
        true
    }

    /// Leaves out a value that the application allows.
    fn pass(&mut self, name: &Name<'t>, at: usize) {
        let escapes = name.quote.filter(|_| name.closed).map_or(0, Quote::escapes);
        let end = match (Quote::at(self.text, at), self.byte(at)) {
            (Some(quote), _) => quote.close(self.text, at + quote.0.len()).end,
            (None, Some(b'{' | b'[' | b'(')) => lex::close_bracket(self.text, at, escapes),
            _ => lex::end_of_bare(self.text, at),
        };
        self.skip_to(end);
    }

    /// Whether that mark only closes the string that the unquoted name stands in: `"Password: "`.
    fn stands_in(&mut self, quote: Quote<'t>, name: &Name<'t>) -> bool {
        if name.quote == Some(quote) {
            return true;
        }
        let from = name.start.saturating_sub(256);
        if !self.pay(256) {
            return true;
        }
        let before = self.slice(from, name.start);
        let line = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let before = before.get(line..).unwrap_or_default();
        let mark = quote.0.last().copied().unwrap_or(b'"');
        let is_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let marks = before.iter().enumerate().filter(|(at, byte)| {
            let head = || before.get(..*at).unwrap_or_default();
            // An apostrophe opens nothing, and a mark of an outer string is another one.
            let apostrophe = || mark == b'\'' && is_word(head().last()) && is_word(before.get(at + 1));
            let escapes = || head().iter().rev().take_while(|byte| **byte == b'\\').count();
            **byte == mark && escapes() == quote.escapes() && !apostrophe()
        });
        marks.count() % 2 == 1
    }

    /// A value between quotation marks.
    pub(super) fn quoted(&mut self, wanted: &Wanted<'t>, at: usize, quote: Quote<'t>) {
        let start = at + quote.0.len();
        let found = quote.close(self.text, start);
        let value = self.slice(start, found.end);
        let bare = credentials::without_scheme(value);
        if prose::is_nothing(value) || bare.is_empty() || prose::is_placeholder(bare) {
            return;
        }
        let fits = match wanted.doubt {
            None => true,
            Some(Doubt::Digits) => is_code_number(value),
            Some(Doubt::Text) => !is_plain(value),
        };
        if !fits || self.is_piece_of_text(wanted, start, found.after) {
            return;
        }
        if is_fetch_mode(wanted.label, value) {
            return;
        }
        self.hide(start, found.end, wanted.label);
    }

    /// Whether a `token` is one of a model's: its probability stands beside it.
    fn is_piece_of_text(&self, wanted: &Wanted<'t>, start: usize, after: usize) -> bool {
        let near = |from: usize, to: usize| {
            self.slice(from, to.min(self.text.len())).windows(7).any(|w| w == b"logprob")
        };
        wanted.label == Label::TOKEN
            && self.slice(wanted.name.start, wanted.name.end) == b"token"
            && (near(after, after + 32) || near(start.saturating_sub(64), wanted.name.start))
    }

    /// A value in brackets: an object, a list, a tuple.
    pub(super) fn bracketed(&mut self, wanted: &Wanted<'t>, at: usize) {
        let name = &wanted.name;
        let quote = name.quote.filter(|_| name.closed);
        let escapes = quote.map_or(0, Quote::escapes);
        if quote.is_none() {
            let short = self.slice(at, lex::end_of_bare(self.text, at));
            // `{name}`, `(see below)`
            if prose::is_placeholder(short) || self.byte(at) == Some(b'(') && !short.contains(&b',') {
                return;
            }
        }
        let end = lex::close_bracket(self.text, at, escapes);
        let value = self.slice(at, end);
        let inner = value.get(1..).unwrap_or_default();
        let inner = inner.strip_suffix(b"}").or_else(|| inner.strip_suffix(b"]")).unwrap_or(inner);
        let is_object = self.byte(at) == Some(b'{');
        if prose::is_mark(value) {
            return self.skip_to(end);
        }
        // `[text](link)`
        if inner.trim_ascii().is_empty() || quote.is_none() && self.byte(end) == Some(b'(') {
            return;
        }
        match wanted.doubt {
            Some(Doubt::Digits) => return,
            Some(Doubt::Text) if is_object => return self.members(name, Group::Auth, at),
            Some(Doubt::Text) | None => {}
        }
        if is_object && self.is_schema(at, end) {
            return;
        }
        let wrap = quote.map(|quote| (name.end, name.end + quote.0.len()));
        self.put(Edit { start: at, end, label: wanted.label, wrap });
    }

    /// A number, truth value or word behind a quoted name.
    fn literal(&mut self, wanted: &Wanted<'t>, at: usize) {
        let name = &wanted.name;
        let rest = self.text.get(at..).unwrap_or_default();
        let length =
            rest.iter().take_while(|byte| !b",}])\\&\"'`<>".contains(byte) && !byte.is_ascii_whitespace());
        let end = at + length.count();
        let value = self.slice(at, end);
        let number = value.iter().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte));
        let truth = matches!(value, b"true" | b"false" | b"True" | b"False");
        if prose::is_nothing(value) {
            return;
        }
        if !number && !truth {
            return self.bare(wanted, true, at);
        }
        let fits = match wanted.doubt {
            None => true,
            Some(Doubt::Digits) => is_code_number(value),
            Some(Doubt::Text) => false,
        };
        let wrap = name.quote.map(|quote| (name.end, name.end + quote.0.len()));
        if fits && !self.is_piece_of_text(wanted, at, end) {
            self.put(Edit { start: at, end, label: wanted.label, wrap });
        }
    }

    /// A value without quotation marks behind a name without any.
    fn bare(&mut self, wanted: &Wanted<'t>, colon: bool, at: usize) {
        let text = self.text;
        let label = wanted.label;
        match label {
            Label::AUTHORIZATION if credentials::authorization(self, &wanted.name, at) => return,
            Label::COOKIE if colon => return credentials::cookies(self, &wanted.name, at),
            _ => {}
        }
        if let Some(end) = self.printed(at) {
            return self.hide(at, end, label);
        }
        let end = lex::end_of_bare(text, at);
        let value = self.slice(at, end);
        let key = self.slice(wanted.name.start, wanted.name.end);
        if prose::is_nothing(value)
            || prose::is_placeholder(credentials::without_scheme(value))
            || prose::is_word(value)
            || prose::is_code(text, at, end, key)
            || is_working_directory(key, value)
            || is_fetch_mode(label, value)
        {
            return;
        }
        let digits = value.iter().all(|byte| byte.is_ascii_digit() || *byte == b':');
        let counts = matches!(label, Label::TOKEN | Label::SECRET | Label::COOKIE | Label::CREDENTIAL);
        let fits = match wanted.doubt {
            Some(Doubt::Digits) => is_code_number(value),
            Some(Doubt::Text) => !is_plain(value) && !digits,
            // Few digits are a number of secrets rather than one.
            None => {
                !digits
                    || label.is_own()
                    || !value.contains(&b':') && value.len() > if counts { 6 } else { 3 }
            }
        };
        if !fits {
            return;
        }
        if colon && value.iter().all(u8::is_ascii_alphabetic) {
            let line = self.slice(at, lex::end_of_line(text, at));
            if let Some(length) = prose::phrase(line) {
                return self.hide(at, at + length, label);
            }
            if prose::is_sentence(line) || label == Label::AUTHORIZATION {
                return;
            }
        }
        self.hide(at, end, label);
    }

    /// The end of a value as a debugger prints it: `Some("x")`, `Secret { value: "x" }`.
    fn printed(&self, at: usize) -> Option<usize> {
        let rest = self.text.get(at..)?;
        let length = rest
            .iter()
            .take(64)
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"_:".contains(byte))
            .count();
        if !rest.first()?.is_ascii_uppercase() {
            return None;
        }
        let name = rest.get(..length)?;
        let open =
            at + length + usize::from(rest.get(length) == Some(&b' ') && rest.get(length + 1) == Some(&b'{'));
        let holds = WRAPPERS.iter().any(|wrapper| name.starts_with(wrapper.as_bytes()));
        match self.byte(open)? {
            b'(' | b'{' => {}
            b'[' if holds => {}
            _ => return None,
        }
        let end = lex::close_bracket(self.text, open, 0);
        let inner = self.slice(open + 1, end.saturating_sub(1));
        let Some(mark) = inner.iter().position(|byte| matches!(byte, b'"' | b'\'')) else {
            return (holds && inner.iter().any(u8::is_ascii_digit)).then_some(end);
        };
        let quote = Quote::at(inner, mark)?;
        let content = quote.close(inner, mark + quote.0.len());
        let shown = inner.get(mark + quote.0.len()..content.end).unwrap_or_default();
        (!prose::is_nothing(shown)).then_some(end)
    }

    /// `("password", "x")` and `["password", "x"]`, alone or in a list of such.
    fn second_of_two(&mut self, wanted: &Wanted<'t>, at: usize) {
        let name = &wanted.name;
        let Some(quote) = name.quote else { return };
        let text = self.text;
        let is_option = name.dashes >= 2;
        let start = name.start - name.dashes - quote.0.len();
        let head = self.slice(start.saturating_sub(8), start);
        let head = head.strip_suffix(b"b").unwrap_or(head).trim_ascii_end();
        let opens = matches!(head.last(), Some(b'[' | b'(' | b'{'));
        let outside = head.split_last().map_or(&[][..], |(_, rest)| rest.trim_ascii_end());
        let nested = matches!(outside.last(), Some(b'[' | b'(' | b',' | b'{'));
        let letters = self.slice(at, at + 2).iter().take_while(|byte| b"brubBR".contains(byte)).count();
        let found = (0..=letters).rev().find_map(|skip| Some((at + skip, Quote::at(text, at + skip)?)));
        let Some((at, inner)) = found else {
            let closes = lex::close_bracket(text, start.saturating_sub(1), quote.escapes());
            if opens && nested && closes > at {
                self.literal(wanted, at);
            }
            return;
        };
        let value = inner.close(text, at + inner.0.len());
        let behind = self.byte(lex::skip_blanks(text, value.after, true));
        let two = opens && matches!(behind, Some(b']' | b')' | b'}') | None);
        let content = self.slice(at + inner.0.len(), value.end);
        if is_option && !content.starts_with(b"-") || two && (nested || !is_plain(content)) {
            self.quoted(wanted, at, inner);
        }
    }

    /// Whether the name is that of an XML element which opens here.
    fn opens_tag(&self, name: &Name<'t>) -> bool {
        let before = self.text.get(name.start.saturating_sub(24)..name.start).unwrap_or_default();
        let prefix = before.strip_suffix(b":").map_or(before, |rest| {
            let length = rest.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            rest.get(..rest.len() - length).unwrap_or_default()
        });
        name.dashes == 0 && prefix.last() == Some(&b'<')
    }

    /// The content of an XML element.
    fn tagged(&mut self, wanted: &Wanted<'t>, at: usize) {
        let rest = self.text.get(at..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'<');
        let value = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
        let is_cut = length.is_none() && !value.iter().any(u8::is_ascii_whitespace);
        let closes = length.is_some_and(|length| matches!(rest.get(length + 1), Some(b'/') | None));
        let fits = match wanted.doubt {
            None => true,
            Some(Doubt::Digits) => is_code_number(value),
            Some(Doubt::Text) => !is_plain(value),
        };
        if (closes || is_cut)
            && fits
            && !prose::is_nothing(value.trim_ascii())
            && !prose::is_placeholder(value)
        {
            self.hide(at, at + value.len(), wanted.label);
        }
    }

    /// A name with only a blank behind it: `--password x`, `login bob password x`, `the password is x`.
    fn spaced(&mut self, name: &Name<'t>) -> bool {
        if name.closed || self.byte(name.end) != Some(b' ') {
            return false;
        }
        let text = self.text;
        let mut at = skip_spaces(text, name.end);
        let rest = self.slice(at, at + 5);
        let said = SAID.iter().find(|word| rest.starts_with(word));
        let before = self.slice(name.start.saturating_sub(64), name.start - name.dashes);
        let login = before.windows(6).any(|window| window == b"login ")
            || rest.starts_with(b"'") && {
                let word = before.trim_ascii_end().to_ascii_lowercase();
                BEFORE_QUOTED.iter().any(|before| word.ends_with(before))
            };
        if name.dashes == 0 && said.is_none() && !login {
            return false;
        }
        let Verdict::Secret(label) = self.verdict(name) else { return false };
        let wanted = Wanted { name: *name, label, doubt: None };
        at = skip_spaces(text, at + said.map_or(0, |word| word.len()));
        if let Some(quote) = Quote::at(text, at) {
            if !self.stands_in(quote, name) {
                self.quoted(&wanted, at, quote);
            }
            return true;
        }
        let end = lex::end_of_bare(text, at);
        let value = self.slice(at, end);
        let value = value.strip_suffix(b".").or_else(|| value.strip_suffix(b",")).unwrap_or(value);
        let shouted = value.iter().all(|byte| byte.is_ascii_uppercase() || b"_[]".contains(byte));
        let fits = match said {
            Some(_) => is_random(value),
            None => {
                !shouted && !value.starts_with(b"-") && !matches!(value, b"flag" | b"option" | b"argument")
            }
        };
        let key = self.slice(name.start, name.end);
        let other = prose::is_nothing(value)
            || prose::is_word(value)
            || prose::is_placeholder(value)
            || prose::is_code(text, at, at + value.len(), key);
        if fits && !other {
            self.hide(at, at + value.len(), label);
        }
        true
    }
}

/// What the browser's `fetch` may do with credentials.
fn is_fetch_mode(label: Label, value: &[u8]) -> bool {
    label == Label::CREDENTIAL && matches!(value, b"include" | b"omit" | b"same-origin")
}

/// The shell's variables that are called so: `PWD=/srv/app`.
pub(super) fn is_working_directory(name: &[u8], value: &[u8]) -> bool {
    matches!(name, b"PWD" | b"OLDPWD") && value.starts_with(b"/")
}

fn skip_spaces(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take(32).take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Four to ten digits.
pub(super) fn is_code_number(value: &[u8]) -> bool {
    // Three for the code on a card.
    (3..=10).contains(&value.len()) && value.iter().all(u8::is_ascii_digit)
}

/// A word or a number, as no secret is that deserves the name.
pub(super) fn is_plain(value: &[u8]) -> bool {
    let word = value.iter().all(|byte| byte.is_ascii_alphabetic() || b"_- /@".contains(byte));
    let number = value.iter().all(|byte| byte.is_ascii_digit() || b".,%/-+ ".contains(byte));
    word || number
        || matches!(value, b"oauth2" | b"oauth1" | b"OAuth2" | b"sigv4" | b"auth0" | b"saml2" | b"base64")
}

/// Letters and digits or signs, as people are told to choose passwords.
fn is_random(value: &[u8]) -> bool {
    let letter = value.iter().any(u8::is_ascii_alphabetic);
    let other = value.iter().any(|byte| byte.is_ascii_digit() || b"!@#$%^&*+=~".contains(byte));
    value.len() >= 6 && letter && other
}
