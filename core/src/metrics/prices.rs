//! What the tokens of models cost: a table of the application's own, since prices change and none can be built in.

use crate::sampling::Glob;
use crate::semantics::usage::{Count, Usage};

/// What a million tokens of a model cost, in the currency of the table.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Price {
    /// Tokens of the input that no other price is given for.
    pub input: f64,
    /// Tokens of the output, reasoning included.
    pub output: f64,
    /// Input that was read from a cache. Default: as any input.
    pub cache_read: Option<f64>,
    /// Input that was written to a cache. Default: as any input.
    pub cache_write: Option<f64>,
}

impl Price {
    /// What a call cost, as far as its tokens are known; `None` if none were counted.
    pub fn of(&self, usage: &Usage) -> Option<f64> {
        let input = usage.get(Count::Input);
        let output = usage.get(Count::Output);
        if input.is_none() && output.is_none() {
            return None;
        }
        let read = usage.get(Count::CacheRead).unwrap_or(0);
        let written = usage.get(Count::CacheWrite).unwrap_or_else(|| {
            let parts = [Count::CacheWrite5m, Count::CacheWrite1h];
            parts.iter().filter_map(|count| usage.get(*count)).sum()
        });
        // Cached tokens are part of the input; providers that say otherwise were corrected before.
        let plain = input.unwrap_or(0).saturating_sub(read.saturating_add(written));
        let parts = [
            (plain, self.input),
            (read, self.cache_read.unwrap_or(self.input)),
            (written, self.cache_write.unwrap_or(self.input)),
            (output.unwrap_or(0), self.output),
        ];
        Some(parts.iter().map(|(tokens, price)| *tokens as f64 * price / 1e6).sum())
    }
}

/// Prices by model.
///
/// A model is looked up as it calls itself, then without what stands before its last `/`, then without a date or
/// `latest` at its end; names in the table may hold `*`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Prices(Vec<(String, Price)>);

impl Prices {
    /// A table without prices.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the price of a model; of a name that is set twice the later price counts.
    #[must_use]
    pub fn price(mut self, model: impl Into<String>, price: Price) -> Self {
        let model = model.into().to_ascii_lowercase();
        self.0.retain(|(known, _)| *known != model);
        self.0.push((model, price));
        self
    }

    /// How many models have one.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The price of a model.
    pub fn find(&self, model: &str) -> Option<&Price> {
        let given = model.trim().to_ascii_lowercase();
        let bare = given.rsplit_once('/').map_or(given.as_str(), |(_, bare)| bare);
        let names = [given.as_str(), bare, undated(&given), undated(bare)];
        let exact = names.iter().find_map(|name| self.0.iter().find(|(known, _)| known == name));
        let like = || {
            names.iter().find_map(|name| {
                self.0
                    .iter()
                    .find(|(known, _)| known.contains('*') && Glob::new(known.as_str()).matches(name))
            })
        };
        exact.or_else(like).map(|(_, price)| price)
    }
}

/// A model's name without the date (`-20250514`, `-2025-08-07`, `@20250514`) or `-latest` at its end.
fn undated(name: &str) -> &str {
    let bytes = name.as_bytes();
    let dated = |pattern: &[u8]| {
        bytes.len().checked_sub(pattern.len()).filter(|start| {
            let end = bytes.get(*start..).unwrap_or_default();
            end.iter().zip(pattern).all(|(byte, wanted)| match wanted {
                b'd' => byte.is_ascii_digit(),
                b'-' => matches!(byte, b'-' | b'@'),
                other => byte == other,
            })
        })
    };
    let start = dated(b"-dddddddd").or_else(|| dated(b"-dddd-dd-dd"));
    let end = start.or_else(|| name.strip_suffix("-latest").map(str::len));
    end.and_then(|end| name.get(..end)).filter(|rest| !rest.is_empty()).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Prices {
        let input = |input| Price { input, ..Price::default() };
        Prices::new()
            .price("GPT-5", input(1.0))
            .price("claude-sonnet-4", input(2.0))
            .price("azure/gpt-5", input(3.0))
            .price("mistral-*", input(4.0))
            .price("gpt-5", input(5.0))
    }

    #[test]
    fn a_model_is_found_by_what_it_is_called() {
        for (model, expected) in [
            ("gpt-5", Some(5.0)),
            ("GPT-5-2025-08-07", Some(5.0)),
            ("openai/gpt-5", Some(5.0)),
            ("azure/gpt-5", Some(3.0)),
            ("claude-sonnet-4-20250514", Some(2.0)),
            ("claude-sonnet-4@20250514", Some(2.0)),
            ("anthropic/claude-sonnet-4-latest", Some(2.0)),
            ("mistral-large", Some(4.0)),
            ("gpt-5-mini", None),
            ("", None),
            ("-20250514", None),
        ] {
            assert_eq!(table().find(model).map(|price| price.input), expected, "{model}");
        }
    }

    #[test]
    fn each_kind_of_token_has_its_price() {
        let price = Price { input: 10.0, output: 40.0, cache_read: Some(1.0), cache_write: None };
        let mut usage = Usage::default();
        assert_eq!(price.of(&usage), None);
        usage.set(Count::Input, 1_000_000);
        assert_eq!(price.of(&usage), Some(10.0));
        usage.set(Count::Output, 500_000);
        usage.set(Count::CacheRead, 400_000);
        usage.set(Count::CacheWrite5m, 100_000);
        assert_eq!(price.of(&usage), Some(5.0 + 0.4 + 1.0 + 20.0));
        usage.set(Count::CacheRead, 9_000_000);
        assert!(price.of(&usage).is_some_and(|cost| cost > 0.0), "never less than nothing");
    }
}
