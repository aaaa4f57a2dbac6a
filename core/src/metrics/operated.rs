//! The series of one kind of operation: its labels, and the instruments bound to them.
//!
//! The SDK looks an attribute set up by hashing every key and value of it, which for a call of a model would be done
//! a dozen times; a bound instrument has it done once.

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, BoundHistogram, Histogram};

use super::instruments::{Instruments, Operations, TokenInstruments};
use crate::semantics::operation::{Operation, OperationKind};
use crate::semantics::usage::{Count, Usage};

const MODALITY: &str = "gen_ai.token.modality";
const INPUTS: [(Count, &str); 3] =
    [(Count::InputText, "text"), (Count::InputImage, "image"), (Count::InputAudio, "audio")];
const OUTPUTS: [(Count, &str); 3] =
    [(Count::OutputText, "text"), (Count::OutputImage, "image"), (Count::OutputAudio, "audio")];

/// The series of operations that have the same labels.
pub(crate) struct Operated {
    /// Labels of usage; those of durations say what failed, too.
    base: Vec<KeyValue>,
    with_error: Vec<KeyValue>,
    durations: Vec<BoundHistogram<f64>>,
    first_chunks: Vec<BoundHistogram<f64>>,
    /// Released name: input and output.
    usage: [Option<BoundHistogram<u64>>; 2],
    /// Newest names: input and output of a call.
    of_call: [Option<BoundHistogram<u64>>; 2],
    /// Newest names: each count by what its tokens stand for.
    counters: Vec<((Count, &'static str), BoundCounter<u64>)>,
    cost: Option<BoundCounter<f64>>,
}

impl Operated {
    /// Each instrument is bound when it is first needed, so that no series is there without a value.
    pub(crate) fn new(
        instruments: &mut Instruments,
        kind: OperationKind,
        base: Vec<KeyValue>,
        with_error: Vec<KeyValue>,
    ) -> Self {
        let operations = instruments.operations();
        let durations = durations(operations, kind).map(|duration| duration.bind(&with_error)).collect();
        Self {
            base,
            with_error,
            durations,
            first_chunks: Vec::new(),
            usage: [None, None],
            of_call: [None, None],
            counters: Vec::new(),
            cost: None,
        }
    }

    /// Counts an operation that took so many seconds and cost so much.
    pub(crate) fn record(
        &mut self,
        operations: &Operations,
        operation: &Operation<'_>,
        seconds: f64,
        cost: Option<f64>,
    ) {
        for duration in &self.durations {
            duration.record(seconds);
        }
        let is_inference = operation.kind == OperationKind::Inference;
        if !is_inference && operation.kind != OperationKind::Embeddings {
            return;
        }
        if let Some(first_chunk) = operation.first_chunk {
            if self.first_chunks.is_empty() {
                let each = operations.first_chunk_seconds.iter();
                self.first_chunks = each.map(|instrument| instrument.bind(&self.base)).collect();
            }
            self.first_chunks.iter().for_each(|instrument| instrument.record(first_chunk));
        }
        let usage = &operation.usage;
        if let Some(released) = &operations.token_usage {
            self.count_released(released, usage);
        }
        if let Some(tokens) = &operations.tokens {
            self.count_latest(tokens, usage, is_inference);
        }
        if let Some(cost) = cost {
            self.cost.get_or_insert_with(|| operations.cost.bind(&self.base)).add(cost);
        }
    }

    fn count_released(&mut self, total: &Histogram<u64>, usage: &Usage) {
        let Self { usage: bound, base, .. } = self;
        for (bound, (count, of)) in bound.iter_mut().zip([(Count::Input, "input"), (Count::Output, "output")])
        {
            if let Some(tokens) = usage.get(count) {
                bound.get_or_insert_with(|| total.bind(&with(base, "gen_ai.token.type", of))).record(tokens);
            }
        }
    }

    /// Calls of models that report no tokens are counted as zero, as the conventions ask.
    fn count_latest(&mut self, tokens: &TokenInstruments, usage: &Usage, is_inference: bool) {
        let sides = [
            (Count::Input, &tokens.input_of_call, &INPUTS),
            (Count::Output, &tokens.output_of_call, &OUTPUTS),
        ];
        for (place, (count, of_call, parts)) in sides.into_iter().enumerate() {
            let Some(total) = usage.get(count).or(is_inference.then_some(0)) else { continue };
            self.by_modality(tokens, count, total, usage, parts);
            let Self { of_call: bound, with_error, .. } = self;
            if let Some(bound) = bound.get_mut(place) {
                bound.get_or_insert_with(|| of_call.bind(with_error)).record(total);
            }
        }
        for count in [Count::CacheRead, Count::CacheWrite, Count::Reasoning] {
            if let Some(total) = usage.get(count) {
                self.add(tokens, count, "unknown", total);
            }
        }
    }

    /// Adds tokens by what they stand for, and the rest as unknown.
    fn by_modality(
        &mut self,
        tokens: &TokenInstruments,
        count: Count,
        total: u64,
        usage: &Usage,
        parts: &[(Count, &'static str)],
    ) {
        let mut rest = total;
        for (part, modality) in parts {
            let of_part = usage.get(*part).unwrap_or(0).min(rest);
            if of_part > 0 {
                rest -= of_part;
                self.add(tokens, count, modality, of_part);
            }
        }
        if rest > 0 || total == 0 {
            self.add(tokens, count, "unknown", rest);
        }
    }

    fn add(&mut self, tokens: &TokenInstruments, count: Count, modality: &'static str, total: u64) {
        let key = (count, modality);
        if let Some((_, counter)) = self.counters.iter().find(|(known, _)| *known == key) {
            return counter.add(total);
        }
        let counter = match count {
            Count::Input => &tokens.input,
            Count::Output => &tokens.output,
            Count::CacheRead => &tokens.cache_read,
            Count::CacheWrite => &tokens.cache_write,
            _ => &tokens.reasoning,
        };
        let bound = counter.bind(&with(&self.base, MODALITY, modality));
        bound.add(total);
        self.counters.push((key, bound));
    }
}

/// The durations of that kind of operation, under each name that is wanted.
fn durations(operations: &Operations, kind: OperationKind) -> impl Iterator<Item = &Histogram<f64>> {
    let both = match kind {
        OperationKind::Inference => {
            let released = Some(&operations.client_seconds).filter(|_| operations.has_released());
            [operations.inference_seconds.as_ref(), released]
        }
        OperationKind::Embeddings | OperationKind::Other => [Some(&operations.client_seconds), None],
        OperationKind::Agent => [Some(&operations.agent_seconds), None],
        OperationKind::Tool => [Some(&operations.tool_seconds), None],
        OperationKind::Workflow => [Some(&operations.workflow_seconds), None],
    };
    both.into_iter().flatten()
}

fn with(labels: &[KeyValue], key: &'static str, value: &'static str) -> Vec<KeyValue> {
    let mut all = Vec::with_capacity(labels.len() + 1);
    all.extend_from_slice(labels);
    all.push(KeyValue::new(key, value));
    all
}
