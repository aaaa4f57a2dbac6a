//! What a secret is called where its place is marked: `[API_KEY_1]`.

use core::fmt;

/// The kind of a secret, as the number of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Label(u16);

macro_rules! labels {
    ($($name:ident)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[repr(u16)]
        enum Number { $($name),* }

        impl Label {
            $(pub(super) const $name: Self = Self(Number::$name as u16);)*
            const NAMES: &[&str] = &[$(stringify!($name)),*];
        }
    };
}
labels! {
    PASSWORD SECRET TOKEN API_KEY KEY PRIVATE_KEY CREDENTIAL AUTHORIZATION COOKIE JWT CODE PIN CARD_NUMBER
    SECURITY_CODE SSN SIGNATURE WEBHOOK EMAIL IP PHONE
}

impl Label {
    /// Whether the application gave it.
    pub(super) fn is_own(self) -> bool {
        usize::from(self.0) >= Self::NAMES.len()
    }
}

/// The names, the application's own included.
#[derive(Debug, Clone, Default)]
pub(super) struct Labels(Vec<String>);

impl Labels {
    /// The label of that name, new or known; other characters than letters and digits become underscores.
    pub(super) fn add(&mut self, name: &str) -> Label {
        let upper = |c: char| if c.is_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        let name: String = name.chars().take(64).map(upper).collect();
        if let Some(known) = Label::NAMES.iter().position(|known| *known == name) {
            return Label(known as u16);
        }
        let place = self.0.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.0.push(name);
            self.0.len() - 1
        });
        Label(u16::try_from(Label::NAMES.len() + place).unwrap_or(u16::MAX))
    }

    /// The name of a label.
    pub(super) fn name(&self, Label(number): Label) -> &str {
        let number = usize::from(number);
        let own = || self.0.get(number.saturating_sub(Label::NAMES.len())).map(String::as_str);
        Label::NAMES.get(number).copied().or_else(own).unwrap_or("REDACTED")
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::NAMES.get(usize::from(self.0)).copied().unwrap_or("REDACTED"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_are_labels_like_any_other() {
        let mut labels = Labels::default();
        let own = labels.add("employee-id");
        assert_eq!(labels.add("Employee.ID"), own);
        assert_eq!(labels.name(own), "EMPLOYEE_ID");
        assert_eq!(labels.add("api key"), Label::API_KEY);
        assert_eq!(labels.name(Label::API_KEY), "API_KEY");
    }
}
