//! Secrets in URLs and connection strings: the password before the host, signatures and codes in the query,
//! webhooks whose path is the secret.

use super::label::Label;
use super::lex;
use super::prose;
use super::text::Scanner;
use super::tokens::is_mixed;

/// The longest stretch between `://` and `@` that is looked at.
const USERINFO: usize = 512;

impl Scanner<'_, '_> {
    /// `://` was found at `at`.
    pub(super) fn url(&mut self, at: usize) {
        let start = at + 3;
        let rest = self.text.get(start..).unwrap_or_default();
        let rest = rest.get(..USERINFO).unwrap_or(rest);
        let reach = rest.iter().position(|byte| lex::is(*byte, lex::URL_END)).unwrap_or(rest.len());
        let rest = rest.get(..reach).unwrap_or_default();
        if self.userinfo(start, rest) {
            return;
        }
        self.webhook(start, rest);
    }

    /// The password, or the only name, before the host. `rest` begins behind `://`.
    fn userinfo(&mut self, start: usize, rest: &[u8]) -> bool {
        let authority = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
        let host = rest.get(..authority).unwrap_or_default();
        let mut at_sign = host.iter().rposition(|byte| *byte == b'@');
        let colon = host.iter().position(|byte| *byte == b':');
        if let (None, Some(colon)) = (at_sign, colon) {
            // A password with a slash in it, unless what follows the colon is a port.
            let port = rest.get(colon + 1..authority).unwrap_or_default();
            if !port.iter().all(u8::is_ascii_digit) && host.first() != Some(&b'[') {
                at_sign = rest.iter().rposition(|byte| *byte == b'@');
            }
        }
        let Some(at_sign) = at_sign else {
            // Cut in the middle of the password: nothing but the end of the text follows.
            return colon.is_some_and(|colon| self.cut_password(start, rest, colon));
        };
        match colon.filter(|colon| *colon < at_sign) {
            Some(colon) => {
                let password = rest.get(colon + 1..at_sign).unwrap_or_default();
                if !prose::is_nothing(password) && !is_template(password) {
                    self.hide(start + colon + 1, start + at_sign, Label::PASSWORD);
                }
            }
            None => {
                let user = rest.get(..at_sign).unwrap_or_default();
                if user.len() >= 16 && is_mixed(user) {
                    self.hide(start, start + at_sign, Label::TOKEN);
                }
            }
        }
        true
    }

    fn cut_password(&mut self, start: usize, rest: &[u8], colon: usize) -> bool {
        let password = rest.get(colon + 1..).unwrap_or_default();
        let is_last = start + rest.len() == self.text.len() && rest.len() < USERINFO;
        let host = rest.get(..colon).unwrap_or_default();
        if !is_last
            || password.iter().all(u8::is_ascii_digit)
            || password.contains(&b'/')
            || host.first() == Some(&b'[')
            || host.contains(&b'.')
            || is_template(password)
        {
            return false;
        }
        self.hide(start + colon + 1, start + rest.len(), Label::PASSWORD);
        true
    }

    /// Addresses that let whoever knows them post.
    fn webhook(&mut self, start: usize, rest: &[u8]) {
        let hooks: [(&[u8], usize); 5] = [
            (b"hooks.slack.com/services/", 0),
            (b"hooks.slack.com/workflows/", 0),
            (b"discord.com/api/webhooks/", 1),
            (b"discordapp.com/api/webhooks/", 1),
            (b"api.telegram.org/bot", 0),
        ];
        for (prefix, kept) in hooks {
            let Some(path) = rest.strip_prefix(prefix) else { continue };
            let skipped = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at + 1);
            let from = if kept == 0 { Some(0) } else { skipped.take(kept).last() };
            let Some(from) = from else { return };
            let secret = path.get(from..).unwrap_or_default();
            let length = secret.iter().take_while(|byte| !matches!(byte, b'?' | b'#' | b')' | b',')).count();
            let length = if prefix.ends_with(b"/bot") {
                secret.iter().position(|byte| *byte == b'/').unwrap_or(length)
            } else {
                length
            };
            let secret = secret.get(..length).unwrap_or_default();
            if secret.len() >= 8 && !is_template(secret) {
                let from = start + prefix.len() + from;
                self.hide(from, from + secret.len(), Label::WEBHOOK);
            }
            return;
        }
    }
}

fn is_template(text: &[u8]) -> bool {
    prose::is_placeholder(text) || text.starts_with(b"${") || text.starts_with(b"{") || text.starts_with(b"<")
}

/// Whether a name stands in the query of a URL, in a form, or behind the hash sign of a redirect.
pub(super) fn is_parameter(text: &[u8], start: usize) -> bool {
    match start.checked_sub(1).and_then(|before| text.get(before)) {
        None | Some(b'?' | b'&' | b'#') => true,
        Some(b';') => text.get(..start).is_some_and(|head| head.ends_with(b"&amp;")),
        // What Go makes of an ampersand in JSON.
        Some(_) => text.get(..start).is_some_and(|head| head.ends_with(b"\\u0026")),
    }
}
