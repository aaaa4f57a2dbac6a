//! What metrics ask of an operation: which one it was, with what it worked, what it used and cost.
//!
//! Reads attributes under whatever names the application gave them, as `genai` does, but only those that metrics
//! have as labels or numbers.

use std::borrow::Cow;

use super::genai::memory_operation;
use super::renames;
use super::time::seconds_after;
use super::types::{Form, info, is_spelling_of};
use super::usage::Usage;
use crate::frame::view::{Field, SpanView, ValueView, text};
use crate::kinds::{SpanKind, SpanType, StatusCode};

/// What kind of operation it is, as far as metrics tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum OperationKind {
    /// A call of a model.
    Inference,
    /// Embeddings made by a model.
    Embeddings,
    /// A run of an agent.
    Agent,
    /// A run of a tool.
    Tool,
    /// A run of a workflow.
    Workflow,
    /// Anything else that the conventions name.
    Other,
}

/// An operation of the GenAI conventions.
#[derive(Debug)]
pub(crate) struct Operation<'a> {
    pub(crate) kind: OperationKind,
    /// Labels by their names on the wire.
    pub(crate) labels: Vec<(&'static str, Cow<'a, str>)>,
    pub(crate) server_port: Option<i64>,
    /// The model that answered, or else the one that was asked for.
    pub(crate) model: Option<Cow<'a, str>>,
    /// What failed, if it did.
    pub(crate) error: Option<Cow<'a, str>>,
    pub(crate) usage: Usage,
    /// Seconds until the first output.
    pub(crate) first_chunk: Option<f64>,
    /// What the span says it cost.
    pub(crate) cost: Option<f64>,
}

/// Labels of which each is there at most once, with the last value that was given.
#[derive(Default)]
struct Given<'a> {
    operation: Option<&'a [u8]>,
    provider: Option<Cow<'a, str>>,
    request_model: Option<&'a [u8]>,
    response_model: Option<&'a [u8]>,
    server_address: Option<&'a [u8]>,
    server_port: Option<i64>,
    agent: Option<&'a [u8]>,
    tool: Option<&'a [u8]>,
    tool_type: Option<&'a [u8]>,
    workflow: Option<&'a [u8]>,
    error: Option<&'a [u8]>,
    mcp_method: Option<&'a [u8]>,
    memory: Option<&'a [u8]>,
    first_chunk: Option<f64>,
    cost: Option<f64>,
    name: &'a [u8],
}

impl<'a> Operation<'a> {
    /// The operation that a span stands for; `None` if the conventions have none for it, or its calls are spans of
    /// their own.
    pub(crate) fn of(span: &SpanView<'a>, is_stepped: bool) -> Option<Self> {
        let head = span.head();
        if is_stepped || head.span_type == SpanType::ModelStep || head.span_type == SpanType::ModelChunk {
            return None;
        }
        let given = Given::read(span);
        let typed = info(head.span_type);
        let operation = given.operation.map(text).or_else(|| {
            let named = match head.span_type {
                SpanType::MemoryOperation => memory_operation(given.memory?)?,
                SpanType::McpServerRequest => {
                    (given.mcp_method? == b"tools/call").then_some("execute_tool")?
                }
                _ => typed?.operation?,
            };
            Some(Cow::Borrowed(named))
        })?;
        let kind = match operation.as_ref() {
            "embeddings" => OperationKind::Embeddings,
            "chat" | "generate_content" | "text_completion" => OperationKind::Inference,
            "invoke_agent" => OperationKind::Agent,
            "execute_tool" => OperationKind::Tool,
            "invoke_workflow" => OperationKind::Workflow,
            _ if matches!(head.span_type, SpanType::ModelGeneration | SpanType::ModelInference) => {
                OperationKind::Inference
            }
            _ => OperationKind::Other,
        };
        let calls_model = matches!(kind, OperationKind::Inference | OperationKind::Embeddings);
        let failed = head.status == StatusCode::Error;
        let error = given.error.map(text).or_else(|| failed.then_some(Cow::Borrowed("_OTHER")));
        Some(Self {
            kind,
            model: given.response_model.or(given.request_model).map(text).filter(|_| calls_model),
            error: error.filter(|_| failed),
            usage: if calls_model { Usage::of_span(span) } else { Usage::default() },
            first_chunk: given.first_chunk.filter(|_| calls_model),
            cost: given.cost.filter(|_| calls_model),
            server_port: given.server_port.filter(|_| given.server_address.is_some()),
            labels: given.labels(kind, &operation, typed.and_then(|info| info.name_is), head.span_type),
        })
    }
}

impl<'a> Given<'a> {
    fn read(span: &SpanView<'a>) -> Self {
        let head = span.head();
        let typed = info(head.span_type);
        let mut given = Self::default();
        for field in span.fields() {
            let (name, value) = match field {
                Field::Attribute(name, value) => (name, value),
                Field::Name(name) => {
                    given.name = name;
                    continue;
                }
                _ => continue,
            };
            let known = typed.filter(|_| !name.contains(&b'.')).and_then(|info| info.attribute(name));
            if known.is_some_and(|known| known.form == Form::FirstOutput) {
                given.first_chunk = seconds_after(head.start_unix_nanos, value);
                continue;
            }
            let key = match (known, renames::renamed(name)) {
                (Some(known), _) => known.key.unwrap_or(known.name).as_bytes(),
                (None, Some((key, _))) => key.as_bytes(),
                (None, None) => name,
            };
            given.take(key, value);
        }
        given
    }

    fn take(&mut self, key: &[u8], value: ValueView<'a>) {
        match (key, value) {
            (b"gen_ai.provider.name", ValueView::Str(given)) => {
                self.provider = Some(renames::provider(&text(given)));
            }
            (b"server.port", ValueView::I64(port)) => self.server_port = Some(port),
            (b"gen_ai.response.time_to_first_chunk", value) => self.first_chunk = number(value),
            (b"gen_ai.usage.cost" | b"llm.cost.total", value) => self.cost = number(value).or(self.cost),
            (b"cost_context", ValueView::Map(items)) => {
                let estimated = |(name, _): &(&[u8], ValueView<'_>)| is_spelling_of(name, b"estimated_cost");
                self.cost = items.entries().find(estimated).and_then(|(_, cost)| number(cost)).or(self.cost);
            }
            (key, ValueView::Str(given)) => {
                let slot = match key {
                    b"gen_ai.operation.name" => &mut self.operation,
                    b"gen_ai.request.model" => &mut self.request_model,
                    b"gen_ai.response.model" => &mut self.response_model,
                    b"server.address" => &mut self.server_address,
                    b"gen_ai.agent.name" => &mut self.agent,
                    b"gen_ai.tool.name" => &mut self.tool,
                    b"gen_ai.tool.type" => &mut self.tool_type,
                    b"gen_ai.workflow.name" => &mut self.workflow,
                    b"error.type" => &mut self.error,
                    b"mcp.method.name" => &mut self.mcp_method,
                    b"operation_type" => &mut self.memory,
                    _ => return,
                };
                *slot = Some(given);
            }
            _ => {}
        }
    }

    fn labels(
        self,
        kind: OperationKind,
        operation: &str,
        name_is: Option<&str>,
        span_type: SpanType,
    ) -> Vec<(&'static str, Cow<'a, str>)> {
        // A name that only repeats the type says nothing, one that begins with the operation says it twice.
        let named = Some(self.name).filter(|name| !name.is_empty() && !span_type.is_called(name));
        let bare = |name: &'a [u8]| {
            let rest = name.strip_prefix(operation.as_bytes()).and_then(|rest| rest.strip_prefix(b" "));
            rest.filter(|rest| !rest.is_empty()).unwrap_or(name)
        };
        let own = |key: &str, given: Option<&'a [u8]>| {
            given.or_else(|| named.filter(|_| name_is == Some(key)).map(bare)).map(text)
        };
        let found = match kind {
            OperationKind::Agent => [
                ("gen_ai.agent.name", own("gen_ai.agent.name", self.agent)),
                ("gen_ai.request.model", self.request_model.map(text)),
            ]
            .to_vec(),
            OperationKind::Tool => [
                ("gen_ai.tool.name", own("gen_ai.tool.name", self.tool)),
                ("gen_ai.tool.type", self.tool_type.map(text)),
                ("gen_ai.agent.name", self.agent.map(text)),
            ]
            .to_vec(),
            OperationKind::Workflow => {
                vec![("gen_ai.workflow.name", own("gen_ai.workflow.name", self.workflow))]
            }
            OperationKind::Inference | OperationKind::Embeddings | OperationKind::Other => vec![
                ("gen_ai.operation.name", Some(Cow::Owned(operation.to_owned()))),
                ("gen_ai.provider.name", self.provider),
                ("gen_ai.request.model", self.request_model.map(text)),
                ("gen_ai.response.model", self.response_model.map(text)),
                ("server.address", self.server_address.map(text)),
            ],
        };
        found.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

/// The span kind as it is sent: what the application said, or else what the type has.
pub(crate) fn sent_kind(kind: SpanKind, is_given: bool, span_type: SpanType, is_stepped: bool) -> SpanKind {
    if kind != SpanKind::Internal || is_given || is_stepped {
        return kind;
    }
    info(span_type).map_or(SpanKind::Internal, |info| info.kind)
}

/// A number that is not negative, in seconds or money.
fn number(value: ValueView<'_>) -> Option<f64> {
    let number = match value {
        ValueView::I64(number) => number as f64,
        ValueView::F64(number) => number,
        _ => return None,
    };
    (number.is_finite() && number >= 0.0).then_some(number)
}
