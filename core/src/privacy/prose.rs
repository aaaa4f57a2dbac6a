//! What stands behind a sensitive name and is no secret all the same: nothing, a mark of ours, a placeholder,
//! a word of a sentence, a piece of a program.

use super::names::{Group, Verdict, judge};
use super::words::Words;

/// Stands where a secret was.
pub(crate) const MARK: &str = "[REDACTED]";
/// Stands between the first and the last characters of a secret in the partial style.
pub(super) const BETWEEN: &str = "…";

/// Whether the value is what redaction left there: a mark, a numbered mark, or first and last characters.
pub(super) fn is_mark(value: &[u8]) -> bool {
    if let Some(inner) = value.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")) {
        let number = inner.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let name = inner.get(..inner.len() - number).unwrap_or_default();
        let named =
            |byte: &u8| byte.is_ascii_uppercase() || *byte == b'_' || byte.is_ascii_digit() || *byte >= 0x80;
        return inner == b"REDACTED"
            || number > 0 && name.len() > 1 && name.ends_with(b"_") && name.iter().all(named);
    }
    // Three characters on either side, of up to four bytes; the fourth byte at the latest is none of ASCII's.
    let length = BETWEEN.len();
    (length + 6..=length + 24).contains(&value.len())
        && !value.first_chunk::<4>().is_some_and(|bytes| bytes.is_ascii())
        && core::str::from_utf8(value)
            .ok()
            .and_then(|text| text.split_once(BETWEEN))
            .is_some_and(|(first, last)| first.chars().count() == 3 && last.chars().count() == 3)
}

/// Whether there is no value: none, or one character over and over, as masks are.
pub(super) fn is_nothing(value: &[u8]) -> bool {
    let Some(first) = value.first() else { return true };
    if is_mark(value) {
        return true;
    }
    let is_mask = matches!(first, b'*' | b'x' | b'X' | b'.' | b'#' | b'_' | b'-' | b'?');
    is_mask && value.len() >= 3 && value.iter().all(|byte| byte == first)
        || matches!(value, b"null" | b"None" | b"nil" | b"undefined" | b"NULL" | b"NaN" | b"-")
        || !first.is_ascii_alphanumeric()
            && core::str::from_utf8(value)
                .is_ok_and(|text| text.chars().all(|c| matches!(c, '•' | '●' | '·' | '*')))
}

/// Whether the value is to be filled in by somebody else: `${NAME}`, `{{ name }}`, `<name>`, `%s`, `$NAME`.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    // Of those below only one begins with a letter, and none with a digit.
    if value.first().is_some_and(|byte| byte.is_ascii_alphanumeric() && byte | 0x20 != b'y') {
        return false;
    }
    let name = |inner: &[u8]| {
        !inner.is_empty() && inner.iter().all(|byte| is_word_byte(*byte) || b" .-:?[]'\"()/".contains(byte))
    };
    let within = |open: &[u8], close: &[u8]| {
        value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).is_some_and(name)
    };
    let shouted = |text: &[u8]| {
        text.first().is_some_and(u8::is_ascii_uppercase)
            && text.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
    };
    let yours = |text: &[u8]| {
        let lower: Vec<u8> = text.iter().take(5).map(u8::to_ascii_lowercase).collect();
        matches!(lower.get(..5), Some(b"your_" | b"your-" | b"your "))
            && text.iter().all(|b| !b.is_ascii_digit())
    };
    within(b"${", b"}")
        || within(b"$(", b")")
        || within(b"{", b"}")
        || within(b"<", b">")
        || within(b"%(", b")s")
        || within(b"%", b"%")
        || value.strip_prefix(b"$").is_some_and(|rest| shouted(rest) || rest.iter().all(u8::is_ascii_digit))
        || value.strip_prefix(b":").or_else(|| value.strip_prefix(b"@")).is_some_and(|rest| {
            !rest.is_empty() && rest.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        })
        || matches!(value, b"%s" | b"%v" | b"%r" | b"%q" | b"%d" | b"{}" | b"?" | b"..." | b"{:?}")
        || value == "…".as_bytes()
        || yours(value)
}

/// Whether an unquoted value is a word that says something about the secret instead of being it.
#[rustfmt::skip]
pub(super) fn is_word(value: &[u8]) -> bool {
    let value = value.strip_suffix(b".").or_else(|| value.strip_suffix(b"!")).unwrap_or(value);
    let value = value.strip_suffix(b",").or_else(|| value.strip_suffix(b"?")).unwrap_or(value);
    if value.len() > 13
        || !value.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'\'' | b'/'))
    {
        return false;
    }
    let lower = value.to_ascii_lowercase();
    matches!(
        lower.as_slice(),
        // Values that are none.
        b"true" | b"false" | b"yes" | b"no" | b"on" | b"off" | b"none" | b"null" | b"nil" | b"undefined" | b"empty"
            | b"n/a" | b"unset" | b"missing" | b"required" | b"optional" | b"invalid" | b"valid" | b"incorrect"
            | b"wrong" | b"expired" | b"unknown" | b"hidden" | b"masked" | b"redacted" | b"encrypted" | b"hashed"
            | b"changed" | b"updated" | b"reset" | b"set" | b"ok" | b"failed" | b"success" | b"needed"
            | b"mandatory" | b"enabled" | b"disabled" | b"default" | b"protected" | b"removed" | b"revoked"
            | b"omit" | b"include" | b"same"
            // Names of types.
            | b"string" | b"str" | b"bytes" | b"bool" | b"boolean" | b"int" | b"integer" | b"number" | b"float"
            | b"any" | b"object" | b"text" | b"char" | b"varchar" | b"uuid" | b"secretstr" | b"list" | b"dict"
            | b"map" | b"array" | b"unknown;" | b"void" | b"never" | b"self" | b"this"
            // Words of a program.
            | b"await" | b"new" | b"async" | b"function" | b"lambda" | b"yield" | b"typeof" | b"not" | b"if"
            // Words of a sentence.
            | b"the" | b"a" | b"an" | b"is" | b"are" | b"was" | b"were" | b"be" | b"must" | b"should" | b"may"
            | b"might" | b"can" | b"cannot" | b"could" | b"will" | b"would" | b"to" | b"for" | b"of" | b"in"
            | b"at" | b"by" | b"with" | b"without" | b"from" | b"and" | b"or" | b"but" | b"when" | b"while"
            | b"your" | b"my" | b"our" | b"their" | b"his" | b"her" | b"its" | b"it" | b"this's" | b"that"
            | b"these" | b"those" | b"you" | b"we" | b"they" | b"i" | b"he" | b"she" | b"please" | b"enter"
            | b"use" | b"using" | b"click" | b"see" | b"contact" | b"check" | b"try" | b"has" | b"have" | b"had"
            | b"do" | b"does" | b"did" | b"don't" | b"can't" | b"only" | b"how" | b"what" | b"why" | b"where"
            | b"which" | b"who" | b"there" | b"here" | b"all" | b"each" | b"every" | b"some" | b"minimum"
            | b"maximum" | b"least" | b"most" | b"between" | b"characters" | b"choose" | b"create" | b"forgot"
            | b"make" | b"keep" | b"as" | b"expected" | b"got" | b"found" | b"user" | b"authentication"
            | b"authorization" | b"permission" | b"access" | b"unauthorized" | b"forbidden" | b"denied"
    )
}

/// Whether what begins at `from` and ends at `end` is an expression of a program: a call, an index, a path of
/// names, or the name of a variable that holds such a secret, be it the `key` itself.
pub(super) fn is_code(text: &[u8], from: usize, end: usize, key: &[u8]) -> bool {
    let rest = text.get(from..).unwrap_or_default();
    let rest = rest.strip_prefix(b"&").or_else(|| rest.strip_prefix(b"*")).unwrap_or(rest);
    let path =
        rest.iter().take_while(|byte| is_word_byte(**byte) || **byte == b'.' || **byte == b':').count();
    let name = rest.get(..path).unwrap_or_default();
    if !name.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
        return false;
    }
    match rest.get(path) {
        Some(b'(') => return true,
        Some(b'<') if is_type_argument(rest.get(path + 1..).unwrap_or_default()) => return true,
        Some(b'[') if !name.contains(&b':') => return true,
        Some(b'?' | b'!') if rest.get(path + 1) == Some(&b'.') => return true,
        _ => {}
    }
    let value = text.get(from..end).unwrap_or_default();
    if path < value.len() || name.iter().any(|byte| byte.is_ascii_digit() || *byte == b':') {
        return false;
    }
    let parts = || name.split(|byte| *byte == b'.').filter(|part| !part.is_empty());
    let root = parts().next().unwrap_or_default();
    if parts().count() > 1 && ROOTS.split(' ').any(|known| known.as_bytes() == root) {
        return true;
    }
    // A variable's name tells what it holds.
    let last = parts().next_back().unwrap_or_default();
    (last.contains(&b'_') || last.iter().any(u8::is_ascii_uppercase) || parts().count() > 1 || last == key)
        && last.iter().any(u8::is_ascii_lowercase)
        && judge(&Words::of(last), Group::None) != Verdict::Plain
}

/// Where paths of names begin in programs.
const ROOTS: &str = "self this os process config settings args env request req ctx context params options opts props \
                     state app cfg conf user body data form credentials secrets";

/// What stands behind the angle bracket of `Option<String>`, as opposed to that of `x<br>`.
fn is_type_argument(rest: &[u8]) -> bool {
    rest.first().is_some_and(|byte| byte.is_ascii_uppercase() || *byte == b'&')
        || ["str", "u8", "dyn "].iter().any(|name| rest.starts_with(name.as_bytes()))
}

/// Whether a template's expression begins there, to be filled in by somebody else: `{{ name }}`, `${NAME}`.
pub(super) fn is_template(text: &[u8], at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default();
    if !matches!(rest.first(), Some(b'$' | b'{' | b'#' | b'<')) {
        return false;
    }
    let rest = rest.get(..rest.len().min(80)).unwrap_or_default();
    let forms: [(&[u8], &[u8]); 6] =
        [(b"${{", b"}}"), (b"{{", b"}}"), (b"${", b"}"), (b"$(", b")"), (b"#{", b"}"), (b"<%", b"%>")];
    forms.iter().any(|(open, close)| {
        rest.strip_prefix(*open).is_some_and(|rest| {
            let inner = rest.windows(close.len()).position(|window| window == *close);
            let inner = inner.and_then(|length| rest.get(..length)).unwrap_or_default();
            !inner.is_empty() && inner.iter().all(|byte| is_word_byte(*byte) || b" .-:?=|'()".contains(byte))
        })
    })
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether the words behind a value that is a plain word belong to a sentence.
pub(super) fn is_sentence(line: &[u8]) -> bool {
    let words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).take(6);
    words.skip(1).any(is_function_word)
}

#[rustfmt::skip]
fn is_function_word(word: &[u8]) -> bool {
    let lower = word.to_ascii_lowercase();
    matches!(
        lower.as_slice(),
        b"the" | b"a" | b"an" | b"is" | b"are" | b"was" | b"must" | b"should" | b"can" | b"will" | b"to"
            | b"for" | b"of" | b"in" | b"on" | b"at" | b"by" | b"with" | b"from" | b"and" | b"or" | b"your"
            | b"my" | b"our" | b"it" | b"that" | b"this" | b"you" | b"we" | b"they" | b"not" | b"be"
            | b"has" | b"have" | b"as"
    )
}

/// How long a run of plain words is that begins the line, if it is all that the line holds: a pass phrase.
pub(super) fn phrase(line: &[u8]) -> Option<usize> {
    let trimmed = line.trim_ascii_end();
    let words = || trimmed.split(|byte| *byte == b' ');
    let plain = |word: &[u8]| !word.is_empty() && word.iter().all(|byte| byte.is_ascii_lowercase());
    let count = words().count();
    ((2..=24).contains(&count) && words().all(plain) && !words().any(is_function_word))
        .then_some(trimmed.len())
}
