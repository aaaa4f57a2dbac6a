//! Secrets that show by their form: tokens and keys whose issuers gave them a beginning of their own.
//!
//! A token is taken whole, from its beginning to the last character it may hold. Where the text ends a shorter
//! one is enough: the rest may have been cut off.

use super::label::Label;

/// What the characters behind a prefix may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// Letters and digits.
    Alnum,
    /// Upper-case letters and digits.
    Upper,
    /// Letters, digits, `-` and `_`.
    Url,
    /// Hexadecimal digits in lower case.
    Hex,
    /// Letters, digits, `-`, `_` and `.`.
    Dotted,
}

/// A form of token.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) prefix: &'static str,
    alphabet: Alphabet,
    /// The fewest characters behind the prefix.
    least: u8,
    /// The most; 0 for any number.
    most: u8,
    pub(super) label: Label,
}

const fn form(prefix: &'static str, alphabet: Alphabet, least: u8, label: Label) -> Form {
    Form { prefix, alphabet, least, most: 0, label }
}

const fn exactly(prefix: &'static str, alphabet: Alphabet, length: u8, label: Label) -> Form {
    Form { prefix, alphabet, least: length, most: length, label }
}

use Alphabet::{Alnum, Dotted, Hex, Upper, Url};

/// All forms. Of two prefixes that both fit the longer stands first.
pub(super) static FORMS: &[Form] = &[
    // Amazon Web Services
    exactly("AKIA", Upper, 16, Label::API_KEY),
    exactly("ASIA", Upper, 16, Label::API_KEY),
    exactly("ABIA", Upper, 16, Label::API_KEY),
    exactly("ACCA", Upper, 16, Label::API_KEY),
    // GitHub, GitLab
    form("ghp_", Alnum, 30, Label::TOKEN),
    form("gho_", Alnum, 30, Label::TOKEN),
    form("ghu_", Alnum, 30, Label::TOKEN),
    form("ghs_", Alnum, 30, Label::TOKEN),
    form("ghr_", Alnum, 30, Label::TOKEN),
    form("github_pat_", Url, 20, Label::TOKEN),
    form("glpat-", Url, 16, Label::TOKEN),
    form("gldt-", Url, 16, Label::TOKEN),
    form("glrt-", Url, 16, Label::TOKEN),
    form("glptt-", Url, 16, Label::TOKEN),
    form("glsoat-", Url, 16, Label::TOKEN),
    // Model providers
    form("sk-ant-", Url, 8, Label::API_KEY),
    form("sk-proj-", Url, 8, Label::API_KEY),
    form("sk-svcacct-", Url, 8, Label::API_KEY),
    form("sk-admin-", Url, 8, Label::API_KEY),
    form("sk-or-v1-", Url, 8, Label::API_KEY),
    form("sk-lf-", Url, 8, Label::API_KEY),
    form("sk-", Url, 20, Label::API_KEY),
    form("hf_", Alnum, 30, Label::TOKEN),
    form("gsk_", Alnum, 20, Label::API_KEY),
    form("xai-", Alnum, 20, Label::API_KEY),
    form("pplx-", Alnum, 20, Label::API_KEY),
    form("r8_", Alnum, 30, Label::TOKEN),
    form("nvapi-", Url, 20, Label::API_KEY),
    form("tvly-", Url, 16, Label::API_KEY),
    form("lsv2_", Url, 20, Label::API_KEY),
    form("pcsk_", Url, 20, Label::API_KEY),
    // Google
    form("AIza", Url, 30, Label::API_KEY),
    form("ya29.", Dotted, 16, Label::TOKEN),
    form("GOCSPX-", Url, 20, Label::SECRET),
    // Payments, messages, mail
    form("sk_live_", Alnum, 10, Label::API_KEY),
    form("sk_test_", Alnum, 10, Label::API_KEY),
    form("rk_live_", Alnum, 10, Label::API_KEY),
    form("rk_test_", Alnum, 10, Label::API_KEY),
    form("whsec_", Alnum, 16, Label::SECRET),
    form("xoxb-", Url, 10, Label::TOKEN),
    form("xoxp-", Url, 10, Label::TOKEN),
    form("xoxa-", Url, 10, Label::TOKEN),
    form("xoxr-", Url, 10, Label::TOKEN),
    form("xoxs-", Url, 10, Label::TOKEN),
    form("xoxc-", Url, 10, Label::TOKEN),
    form("xoxd-", Url, 10, Label::TOKEN),
    form("xoxe.", Dotted, 10, Label::TOKEN),
    form("xoxe-", Url, 10, Label::TOKEN),
    form("xapp-", Url, 10, Label::TOKEN),
    form("SG.", Dotted, 40, Label::API_KEY),
    exactly("SK", Hex, 32, Label::API_KEY),
    form("shpat_", Alnum, 30, Label::TOKEN),
    form("shpss_", Alnum, 30, Label::TOKEN),
    form("shpca_", Alnum, 30, Label::TOKEN),
    form("shppa_", Alnum, 30, Label::TOKEN),
    form("sq0atp-", Url, 20, Label::TOKEN),
    form("sq0csp-", Url, 20, Label::SECRET),
    // Registries, clouds, tools
    form("npm_", Alnum, 30, Label::TOKEN),
    form("pypi-", Url, 30, Label::TOKEN),
    form("rubygems_", Hex, 40, Label::API_KEY),
    form("dckr_pat_", Url, 20, Label::TOKEN),
    form("dop_v1_", Hex, 40, Label::TOKEN),
    form("doo_v1_", Hex, 40, Label::TOKEN),
    form("hvs.", Url, 20, Label::TOKEN),
    form("hvb.", Url, 20, Label::TOKEN),
    form("dp.pt.", Alnum, 30, Label::TOKEN),
    form("glc_", Alnum, 30, Label::TOKEN),
    form("glsa_", Url, 30, Label::TOKEN),
    form("sntrys_", Url, 30, Label::TOKEN),
    form("figd_", Url, 20, Label::TOKEN),
    form("lin_api_", Alnum, 30, Label::API_KEY),
    form("phx_", Alnum, 30, Label::API_KEY),
    form("ATATT3", Url, 30, Label::TOKEN),
    form("AGE-SECRET-KEY-1", Upper, 40, Label::PRIVATE_KEY),
];

/// So many characters behind a prefix are enough where a text ends of which nobody says that it was cut.
const BEGINNING: usize = 6;

/// The end of the token of that form that begins at `at`, if one does; `cut` says that the text went on.
pub(super) fn end_of(text: &[u8], cut: bool, at: usize, number: u8) -> Option<(usize, Label)> {
    let form = FORMS.get(usize::from(number))?;
    if !is_edge(text, at) {
        return None;
    }
    let from = at + form.prefix.len();
    let rest = text.get(from..)?;
    let length = rest.iter().take_while(|byte| form.alphabet.holds(**byte)).count();
    let body = rest.get(..length)?;
    let is_last = length == rest.len();
    let least = usize::from(form.least);
    if form.most > 0 && length > usize::from(form.most) {
        return None;
    }
    let beginning = is_last && (cut && length > 0 || length >= BEGINNING && is_mixed(body));
    if beginning && length < least {
        return Some((from + length, form.label));
    }
    // Words joined by hyphens are no token, however long.
    let plausible = match form.alphabet {
        Alphabet::Url | Alphabet::Dotted if form.prefix.len() <= 5 => is_mixed(body),
        _ => true,
    };
    (length >= least && plausible).then_some((from + length, form.label))
}

/// Whether no letter or digit stands before that place, so that what begins there is no part of a longer word.
pub(super) fn is_edge(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    match before {
        None => true,
        // An escaped line break or tab: its letter belongs to the escape.
        Some(b'n' | b'r' | b't') => at >= 2 && text.get(at - 2) == Some(&b'\\'),
        Some(byte) => !byte.is_ascii_alphanumeric(),
    }
}

/// Whether there are letters and digits, as in anything drawn at random.
pub(super) fn is_mixed(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit) && text.iter().any(u8::is_ascii_alphabetic)
}

impl Alphabet {
    fn holds(self, byte: u8) -> bool {
        match self {
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Self::Hex => byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'),
            Self::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'),
        }
    }
}
