//! What an application may say about redaction.

/// What stands where a secret was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RedactionStyle {
    /// `[REDACTED]`; the default.
    #[default]
    Full,
    /// The first three and the last three characters with `…` between them; `[REDACTED]` for secrets of fewer
    /// than twelve characters, and for lists and objects.
    Partial,
    /// `[API_KEY_1]`: within a trace the same for the same secret, and different for different ones, as long as
    /// it has no more than 1,000 of them.
    Indexed,
}

impl RedactionStyle {
    /// The name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
            Self::Indexed => "indexed",
        }
    }

    /// Reads a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Full, Self::Partial, Self::Indexed].into_iter().find(|style| style.as_str() == name)
    }
}

/// What is personal rather than secret, and only redacted where that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Personal {
    /// Addresses of electronic mail.
    Email,
    /// Addresses of the Internet Protocol, both versions.
    Ip,
    /// Telephone numbers with a country code, or as North America writes them.
    Phone,
}

impl Personal {
    pub(super) const ALL: [Self; 3] = [Self::Email, Self::Ip, Self::Phone];

    /// The name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Ip => "ip",
            Self::Phone => "phone",
        }
    }

    /// Reads a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// How secrets are redacted. Everything is checked when the rules are made of it:
/// [`Redactor::new`](super::Redactor::new), or `init`.
///
/// ```
/// # use polyspan::privacy::{Redaction, RedactionStyle, Redactor};
/// # fn main() -> Result<(), polyspan::Error> {
/// let redaction = Redaction::new()
///     .style(RedactionStyle::Full)
///     .key("employee_id")
///     .pattern("ticket", r"\bTCK-\d{6}\b");
/// let redactor = Redactor::new(&redaction)?;
/// assert_eq!(redactor.text("employeeId=7, see TCK-123456"), "employeeId=[REDACTED], see [REDACTED]");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction {
    pub(crate) enabled: bool,
    pub(crate) style: RedactionStyle,
    pub(crate) keys: Vec<String>,
    pub(crate) patterns: Vec<(String, String)>,
    pub(crate) personal: Vec<Personal>,
    pub(crate) allow_keys: Vec<String>,
    pub(crate) allow_patterns: Vec<String>,
}

impl Default for Redaction {
    fn default() -> Self {
        Self {
            enabled: true,
            style: RedactionStyle::Full,
            keys: Vec::new(),
            patterns: Vec::new(),
            personal: Vec::new(),
            allow_keys: Vec::new(),
            allow_patterns: Vec::new(),
        }
    }
}

impl Redaction {
    /// The default: on, in full, with the built-in rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// No redaction at all.
    pub fn off() -> Self {
        Self { enabled: false, ..Self::default() }
    }

    /// What stands where a secret was. Default: [`RedactionStyle::Full`].
    #[must_use]
    pub fn style(mut self, style: RedactionStyle) -> Self {
        self.style = style;
        self
    }

    /// A further name whose values are secrets, matched by its words wherever they stand in a name:
    /// `employee_id` is in `employeeId` and in `X-Employee-ID`.
    #[must_use]
    pub fn key(mut self, name: impl Into<String>) -> Self {
        self.keys.push(name.into());
        self
    }

    /// A regular expression whose matches are secrets, in the syntax of the crate `regex`, with the name that
    /// the indexed style shows. If it has a group, only that is replaced. It is looked for in all text.
    #[must_use]
    pub fn pattern(mut self, name: impl Into<String>, expression: impl Into<String>) -> Self {
        self.patterns.push((name.into(), expression.into()));
        self
    }

    /// Redacts something personal too.
    #[must_use]
    pub fn personal(mut self, kind: Personal) -> Self {
        self.personal.push(kind);
        self
    }

    /// A name whose values are left as they are, whatever they hold; matched by all of its words, in any style.
    #[must_use]
    pub fn allow_key(mut self, name: impl Into<String>) -> Self {
        self.allow_keys.push(name.into());
        self
    }

    /// A regular expression; a secret that it matches as a whole is left as it is.
    #[must_use]
    pub fn allow_pattern(mut self, expression: impl Into<String>) -> Self {
        self.allow_patterns.push(expression.into());
        self
    }
}
