//! Name patterns: `*` stands for any run of characters, `?` for exactly one.

/// A pattern that a whole text must match; case counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// Takes the pattern as the user wrote it.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// The pattern as the user wrote it.
    pub fn pattern(&self) -> &str {
        &self.0
    }

    /// Whether the whole of `text` fits the pattern.
    ///
    /// Never allocates, and takes at most pattern length times text length steps: after a mismatch only
    /// the latest `*` has to grow, for an earlier one could only take what the later takes as well.
    pub fn matches(&self, text: &str) -> bool {
        let mut pattern = self.0.chars();
        let mut rest = text.chars();
        // Where to go on after the latest `*` has taken one character more.
        let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
        loop {
            let mut after = pattern.clone();
            let fits = match after.next() {
                Some('*') => {
                    pattern = after;
                    retry = Some((pattern.clone(), rest.clone()));
                    continue;
                }
                None if rest.as_str().is_empty() => return true,
                None => false,
                Some(wanted) => {
                    let mut ahead = rest.clone();
                    let fits = ahead.next().is_some_and(|found| wanted == '?' || wanted == found);
                    if fits {
                        rest = ahead;
                    }
                    fits
                }
            };
            if fits {
                pattern = after;
                continue;
            }
            let Some((from, taken)) = retry.as_mut() else { return false };
            if taken.next().is_none() {
                return false;
            }
            pattern = from.clone();
            rest = taken.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything at all", true),
            ("GET *", "GET /users", true),
            ("GET *", "POST /users", false),
            ("*/health", "GET /health", true),
            ("*/health", "GET /healthz", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a?c", "aéc", true),
            ("a*b*c", "axxbyybzzc", true),
            ("a*b*c", "axxbyybzz", false),
            ("**a**", "a", true),
            ("Chat", "chat", false),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern:?} on {text:?}");
        }
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let pattern = format!("{}b", "a*".repeat(200));
        assert!(!Glob::new(pattern).matches(&"a".repeat(2_000)));
    }

    /// The definition, by recursion.
    fn by_definition(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, rest) => rest.is_none(),
            (Some(('*', after)), rest) => {
                by_definition(after, text) || rest.is_some_and(|(_, rest)| by_definition(pattern, rest))
            }
            (Some((wanted, after)), Some((found, rest))) => {
                (*wanted == '?' || wanted == found) && by_definition(after, rest)
            }
            (Some(_), None) => false,
        }
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab*?é]{0,8}", text in "[abé]{0,10}") {
            let expected = by_definition(
                &pattern.chars().collect::<Vec<_>>(),
                &text.chars().collect::<Vec<_>>(),
            );
            proptest::prop_assert_eq!(Glob::new(pattern).matches(&text), expected);
        }
    }
}
