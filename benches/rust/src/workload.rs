//! The data of the workload (`benches/workload.json`): the texts a trace carries, made once before the
//! clock runs. Each subject under `subjects/` spells the eight spans out in its own words.

use std::error::Error;

use serde_json::Value;

/// Spans in one trace.
pub const SPANS_PER_TRACE: u64 = 8;

const PAGE: &str = include_str!("../../workload.json");

/// What one span carries beside its name.
pub struct Facts {
    pub request: String,
    pub component: String,
    pub region: String,
    pub attempt: i64,
    pub score: f64,
    pub cached: bool,
}

/// What a call of a model carries on top.
pub struct ModelFacts {
    pub input: String,
    pub output: String,
    pub position: i64,
    pub finish: String,
    pub tokens: i64,
    pub unit: String,
}

/// The data of one trace, in the order of the page.
pub struct Turn {
    pub agent: Facts,
    pub plan: Facts,
    pub lookup: Facts,
    pub query: Facts,
    pub answer: Facts,
    pub recall: Facts,
    pub notify: Facts,
    pub calendar: Facts,
    pub plan_model: ModelFacts,
    pub answer_model: ModelFacts,
}

/// A linear congruential generator (Knuth's MMIX constants): the same texts in every run and language.
struct Words<'a> {
    state: u64,
    words: Vec<&'a str>,
}

impl Words<'_> {
    fn next(&mut self) -> u64 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.state >> 33
    }

    fn text(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length + 16);
        while text.len() < length {
            let at = usize::try_from(self.next()).unwrap_or(0) % self.words.len();
            text.push_str(self.words.get(at).copied().unwrap_or_default());
            text.push(' ');
        }
        text.truncate(length);
        text
    }

    fn facts(&mut self) -> Facts {
        Facts {
            request: self.text(20),
            component: self.text(20),
            region: self.text(20),
            attempt: i64::try_from(self.next() % 100).unwrap_or(0),
            score: (self.next() % 10_000) as f64 / 10_000.0,
            cached: self.next() & 1 == 0,
        }
    }

    fn model(&mut self) -> ModelFacts {
        ModelFacts {
            input: self.text(1000),
            output: self.text(1000),
            position: i64::try_from(self.next() % 1000).unwrap_or(0),
            finish: self.text(20),
            tokens: i64::try_from(self.next() % 5000).unwrap_or(0),
            unit: self.text(20),
        }
    }
}

/// The turns of the page; runs go round them, so that compression finds no trace twice in its window.
///
/// # Errors
/// The page is not as expected.
pub fn turns() -> Result<Vec<Turn>, Box<dyn Error>> {
    let page: Value = serde_json::from_str(PAGE)?;
    let text = page.get("text").ok_or("workload.json: no `text`")?;
    let words: Vec<&str> = text
        .get("words")
        .and_then(Value::as_array)
        .ok_or("workload.json: no `words`")?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let state = text.get("seed").and_then(Value::as_u64).ok_or("workload.json: no `seed`")?;
    let count = text.get("turns").and_then(Value::as_u64).ok_or("workload.json: no `turns`")?;
    let mut words = Words { state, words };
    Ok((0..count)
        .map(|_| Turn {
            agent: words.facts(),
            plan: words.facts(),
            lookup: words.facts(),
            query: words.facts(),
            answer: words.facts(),
            recall: words.facts(),
            notify: words.facts(),
            calendar: words.facts(),
            plan_model: words.model(),
            answer_model: words.model(),
        })
        .collect())
}
