//! Names of spans as labels: what tells one call from the next is taken out, so that they stay few.

use std::borrow::Cow;

/// Longest name as a label, in bytes.
const MAX_BYTES: usize = 200;
/// What an id becomes.
const ID: &str = "{id}";

/// The name without ids: UUIDs, long hexadecimal and mixed tokens, numbers. `GET /users/4711` and
/// `GET /users/4712` are one name, `gpt-5` and `step 3` stay as they are.
pub fn plain(name: &str) -> Cow<'_, str> {
    let name = crate::frame::write::cut(name, MAX_BYTES);
    if !name.bytes().any(|byte| byte.is_ascii_digit()) {
        return Cow::Borrowed(name);
    }
    let mut out = String::new();
    let mut changed = false;
    let mut rest = name;
    let mut before = ' ';
    while !rest.is_empty() {
        let length = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
        let (token, behind) = rest.split_at(length);
        if is_id(token, before) {
            out.push_str(ID);
            changed = true;
        } else {
            changed |= push_parts(&mut out, token);
        }
        let mut separators = behind.chars();
        if let Some(separator) = separators.next() {
            out.push(separator);
            before = separator;
        }
        rest = separators.as_str();
    }
    if !changed {
        return Cow::Borrowed(name);
    }
    Cow::Owned(crate::frame::write::cut(&out, MAX_BYTES).to_owned())
}

/// Whether a character belongs to a token; `-` does, since UUIDs and dates have it.
fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_'
}

/// Whether a whole token stands for one thing among many.
fn is_id(token: &str, before: char) -> bool {
    let digits = token.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 {
        return false;
    }
    let hex = token.bytes().filter(u8::is_ascii_hexdigit).count();
    let is_uuid = token.len() == 36 && hex == 32 && token.bytes().filter(|byte| *byte == b'-').count() == 4;
    // A number that is the value of something, or a part of a path.
    let is_number = digits == token.len() && (digits >= 4 || matches!(before, '/' | '#' | '='));
    let is_hex = hex == token.len() && token.len() >= 8;
    is_uuid || is_number || is_hex || is_mixed(token)
}

/// A long run of letters and digits that no word looks like, such as `chatcmpl-A1b2C3d4E5f6G7h8` has.
fn is_mixed(part: &str) -> bool {
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    let plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain && part.len() >= 16 && digits >= 3 && digits < part.len()
}

/// The parts of a token that is none as a whole. True if one of them is an id.
fn push_parts(out: &mut String, token: &str) -> bool {
    let mut changed = false;
    for (place, part) in token.split_inclusive(['-', '_']).enumerate() {
        let (word, mark) = part
            .strip_suffix(['-', '_'])
            .map_or((part, ""), |word| (word, part.get(word.len()..).unwrap_or_default()));
        let hex = word.len() >= 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_id = place > 0 && hex && word.bytes().any(|byte| byte.is_ascii_digit()) || is_mixed(word);
        out.push_str(if is_id { ID } else { word });
        out.push_str(mark);
        changed |= is_id;
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_taken_out_and_words_stay() {
        for (name, expected) in [
            ("answer", "answer"),
            ("chat gpt-5", "chat gpt-5"),
            ("claude-3-5-sonnet", "claude-3-5-sonnet"),
            ("claude-sonnet-4-20250514", "claude-sonnet-4-{id}"),
            ("step 3", "step 3"),
            ("GET /v1/users/7", "GET /v1/users/{id}"),
            ("GET /users/4711/orders/12?page=3", "GET /users/{id}/orders/{id}?page={id}"),
            ("job 123e4567-e89b-12d3-a456-426614174000", "job {id}"),
            ("task deadbeef01", "task {id}"),
            ("deadbeef", "deadbeef"),
            ("order 20251121", "order {id}"),
            ("chatcmpl-A1b2C3d4E5f6G7h8", "chatcmpl-{id}"),
            ("tool_call_9f8e7d6c5b4a", "tool_call_{id}"),
            ("sha256", "sha256"),
            ("größe 12", "größe 12"),
            ("", ""),
        ] {
            assert_eq!(plain(name), expected, "{name}");
        }
        assert_eq!(plain(&"ä".repeat(150)).len(), 200);
    }

    proptest::proptest! {
        #[test]
        fn numbers_do_not_make_names_many(word in "[a-z]{1,9}", id in 1_000_u64.., other in 1_000_u64..) {
            let (first, second) = (format!("{word} {id}"), format!("{word} {other}"));
            proptest::prop_assert_eq!(plain(&first), plain(&second));
        }

        #[test]
        fn any_name_stays_short(name in "\\PC{0,300}") {
            proptest::prop_assert!(plain(&name).len() <= MAX_BYTES);
        }
    }
}
