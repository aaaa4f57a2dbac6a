//! The closed sets a span draws from: kind, status, span type, and the flag bits of its record.
//!
//! The numbers are the frame's wire values (`docs/frame.md`); never renumber one.

use core::fmt;

/// What role a span plays in a request (OpenTelemetry trace API, "SpanKind").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum SpanKind {
    /// Work inside the application; the default.
    #[default]
    Internal = 1,
    /// Handles a request of a remote client.
    Server = 2,
    /// A request to a remote service.
    Client = 3,
    /// Hands a message to a broker.
    Producer = 4,
    /// Processes a message of a broker.
    Consumer = 5,
}

impl SpanKind {
    /// Reads the wire value (OTLP's numbering); unknown values become [`SpanKind::Internal`].
    pub const fn from_wire(value: u8) -> Self {
        match value {
            2 => Self::Server,
            3 => Self::Client,
            4 => Self::Producer,
            5 => Self::Consumer,
            _ => Self::Internal,
        }
    }

    /// The lower-case name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }
}

/// How a span ended (OpenTelemetry trace API, "Set Status").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum StatusCode {
    /// Nothing was said; the default.
    #[default]
    Unset = 0,
    /// Declared successful; final.
    Ok = 1,
    /// Failed.
    Error = 2,
}

impl StatusCode {
    /// Reads the wire value (OTLP's numbering); unknown values become [`StatusCode::Unset`].
    pub const fn from_wire(value: u8) -> Self {
        match value {
            1 => Self::Ok,
            2 => Self::Error,
            _ => Self::Unset,
        }
    }
}

macro_rules! span_types {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// What a span stands for in an AI application; [`SpanType::Generic`] when nothing more is known.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        #[repr(u16)]
        #[non_exhaustive]
        pub enum SpanType {
            $($(#[$doc])* $name = $number,)*
        }

        impl SpanType {
            /// Every span type, in wire order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Reads the wire value; unknown values become [`SpanType::Generic`].
            pub const fn from_wire(value: u16) -> Self {
                match value {
                    $($number => Self::$name,)*
                    _ => Self::Generic,
                }
            }

            /// The name in snake case, as users write it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// Finds a type by the name users write, or by another name of it: one of [`ALIASES`], or either
            /// in any case and with `-` for `_`.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$name),)*
                    _ => aliased(name),
                }
            }
        }
    };
}

span_types! {
    /// No AI meaning known.
    #[default]
    Generic = 0, "generic";
    /// One run of an agent.
    Agent = 1, "agent";
    /// One run of a workflow.
    Workflow = 2, "workflow";
    /// A step of a workflow.
    WorkflowStep = 3, "workflow_step";
    /// A branching point of a workflow.
    WorkflowConditional = 4, "workflow_conditional";
    /// The evaluation of one condition of a branching point.
    WorkflowConditionalEval = 5, "workflow_conditional_eval";
    /// Parallel branches of a workflow.
    WorkflowParallel = 6, "workflow_parallel";
    /// A loop of a workflow.
    WorkflowLoop = 7, "workflow_loop";
    /// A pause of a workflow.
    WorkflowSleep = 8, "workflow_sleep";
    /// A wait for an event in a workflow.
    WorkflowWaitEvent = 9, "workflow_wait_event";
    /// A call of a model as the application sees it, with all its steps.
    ModelGeneration = 10, "model_generation";
    /// One step of a generation: a model answer and the tools it asked for.
    ModelStep = 11, "model_step";
    /// One request to a model provider.
    ModelInference = 12, "model_inference";
    /// A run of streamed model output.
    ModelChunk = 13, "model_chunk";
    /// A tool run by the application.
    Tool = 14, "tool";
    /// A tool run through the Model Context Protocol.
    McpTool = 15, "mcp_tool";
    /// A tool run by the model provider.
    ProviderTool = 16, "provider_tool";
    /// A tool run by the client of the application.
    ClientTool = 17, "client_tool";
    /// A request served by a Model Context Protocol server.
    McpServerRequest = 18, "mcp_server_request";
    /// A processor of input or output, guardrails among them.
    Processor = 19, "processor";
    /// A search of memory.
    MemoryLookup = 20, "memory_lookup";
    /// A change of memory.
    MemoryUpdate = 21, "memory_update";
    /// Any other operation on memory.
    MemoryOperation = 22, "memory_operation";
    /// A query of a retrieval pipeline.
    RagQuery = 23, "rag_query";
    /// The ingestion of documents.
    RagIngestion = 24, "rag_ingestion";
    /// Embeddings made for retrieval.
    RagEmbedding = 25, "rag_embedding";
    /// An operation on a vector store.
    RagVectorOperation = 26, "rag_vector_operation";
    /// Chunking, metadata extraction or reranking.
    RagAction = 27, "rag_action";
    /// Embeddings made for any other use.
    EmbeddingGeneration = 28, "embedding_generation";
    /// One run of a scorer.
    ScorerRun = 29, "scorer_run";
    /// A step of a scorer.
    ScorerStep = 30, "scorer_step";
    /// An evaluation.
    Evaluation = 31, "evaluation";
    /// A mapping between the values of two steps.
    Mapping = 32, "mapping";
    /// An action in a workspace: files, sandbox, search.
    WorkspaceAction = 33, "workspace_action";
    /// A skill resolved, read or activated.
    SkillAction = 34, "skill_action";
    /// An action on a knowledge graph.
    GraphAction = 35, "graph_action";
    /// The evaluation of a classifier.
    ClassifierEvaluation = 36, "classifier_evaluation";
    /// A signal an agent received or sent.
    AgentSignal = 37, "agent_signal";
}

/// Other names that spans of some products' types go by, each in lower case with underscores.
pub const ALIASES: &[(&str, SpanType)] = &[
    ("agent_run", SpanType::Agent),
    ("workflow_run", SpanType::Workflow),
    ("workflow_conditional_evaluation", SpanType::WorkflowConditionalEval),
    ("llm_generation", SpanType::ModelGeneration),
    ("llm_step", SpanType::ModelStep),
    ("llm_inference", SpanType::ModelInference),
    ("llm_chunk", SpanType::ModelChunk),
    ("tool_call", SpanType::Tool),
    ("mcp_tool_call", SpanType::McpTool),
    ("provider_tool_call", SpanType::ProviderTool),
    ("client_tool_call", SpanType::ClientTool),
    ("processor_run", SpanType::Processor),
    ("guardrail", SpanType::Processor),
    ("rag_vector", SpanType::RagVectorOperation),
    ("embedding", SpanType::EmbeddingGeneration),
    ("scorer", SpanType::ScorerRun),
    ("eval_execution", SpanType::Evaluation),
    ("workspace", SpanType::WorkspaceAction),
    ("skill", SpanType::SkillAction),
    ("skill_resolution", SpanType::SkillAction),
    ("graph", SpanType::GraphAction),
];

/// Some span types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TypeSet(u64);

impl TypeSet {
    /// None of them.
    pub const EMPTY: Self = Self(0);

    /// The types of a family: `workflow`, `agent`, `tool` or `model`, as frameworks group what is theirs
    /// alone, or `all` four.
    pub fn of_family(name: &str) -> Option<Self> {
        let prefix = |prefix: &str| -> Self {
            SpanType::ALL.iter().copied().filter(|known| known.as_str().starts_with(prefix)).collect()
        };
        Some(match name {
            "workflow" => prefix("workflow"),
            "agent" => prefix("agent"),
            "tool" => [SpanType::Tool, SpanType::McpTool, SpanType::ProviderTool, SpanType::ClientTool]
                .into_iter()
                .collect(),
            "model" => prefix("model"),
            "all" => ["workflow", "agent", "tool", "model"]
                .into_iter()
                .filter_map(Self::of_family)
                .fold(Self::EMPTY, Self::union),
            _ => return None,
        })
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this one is there.
    #[inline]
    pub const fn contains(self, span_type: SpanType) -> bool {
        self.0 & 1 << (span_type as u16 & 63) != 0
    }

    /// Those of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<SpanType> for TypeSet {
    fn from_iter<I: IntoIterator<Item = SpanType>>(types: I) -> Self {
        Self(types.into_iter().fold(0, |set, span_type| set | 1 << (span_type as u16 & 63)))
    }
}

impl SpanType {
    /// Whether a text is this type's name, or another name of it, in any case.
    pub(crate) fn is_called(self, name: &[u8]) -> bool {
        let is = |known: &str| known.as_bytes().eq_ignore_ascii_case(name);
        is(self.as_str())
            || self.may_have_alias(name.len()) && ALIASES.iter().any(|(alias, of)| *of == self && is(alias))
    }

    /// Whether a text of that length may be another name of it.
    #[inline]
    fn may_have_alias(self, length: usize) -> bool {
        ALIAS_LENGTHS.get(self as usize).is_some_and(|lengths| length < 64 && lengths >> length & 1 == 1)
    }
}

/// How long the other names of each type are, a bit for each length, by the types' numbers: most names of spans are
/// told from them by that.
const ALIAS_LENGTHS: [u64; 64] = alias_lengths();

// The compiler does this, and refuses a number that is not below 64.
#[allow(clippy::indexing_slicing)]
const fn alias_lengths() -> [u64; 64] {
    let mut lengths = [0; 64];
    let mut aliases = ALIASES;
    while let [(alias, of), others @ ..] = aliases {
        lengths[*of as usize] |= 1 << alias.len();
        aliases = others;
    }
    lengths
}

/// The names that are not the usual ones.
#[cold]
fn aliased(name: &str) -> Option<SpanType> {
    let plain = name.trim().replace('-', "_").to_ascii_lowercase();
    let known = ALIASES.iter().find(|(alias, _)| *alias == plain).map(|(_, span_type)| *span_type);
    known.or_else(|| SpanType::ALL.iter().copied().find(|span_type| span_type.as_str() == plain))
}

impl fmt::Display for SpanType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Flag bits of a span's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SpanFlags(u16);

impl SpanFlags {
    /// The span has no parent at all.
    pub const ROOT: Self = Self(1);
    /// The span has no parent in this process: its end completes the local part of the trace.
    pub const LOCAL_ROOT: Self = Self(1 << 1);
    /// The parent is a span of another process.
    pub const PARENT_REMOTE: Self = Self(1 << 2);
    /// The span stands for an instant, not for a duration.
    pub const EVENT: Self = Self(1 << 3);
    /// The span is internal to a framework and hidden unless asked for.
    pub const INTERNAL: Self = Self(1 << 4);
    /// The input of the span is not to leave the process: set for a whole trace.
    pub const HIDE_INPUT: Self = Self(1 << 5);
    /// The output of the span is not to leave the process: set for a whole trace.
    pub const HIDE_OUTPUT: Self = Self(1 << 6);
    /// The span is of a type that the engine leaves out.
    pub const EXCLUDED: Self = Self(1 << 7);
    /// The span kind was said by the application, so that the span type does not choose one.
    pub const KIND_GIVEN: Self = Self(1 << 8);
    /// The model calls that a generation is made of are spans of their own; found on the export thread.
    pub const STEPPED: Self = Self(1 << 9);
    /// That the span was started has been said in an event of its own, which may still be on its way.
    pub const ANNOUNCED: Self = Self(1 << 10);

    /// No flag set.
    pub const fn empty() -> Self {
        Self(0)
    }

    /// Reads the wire value; unknown bits are kept.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// The wire value.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether every bit of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn span_types_round_trip() {
        for span_type in SpanType::ALL {
            assert_eq!(SpanType::from_wire(*span_type as u16), *span_type);
            assert_eq!(SpanType::from_name(span_type.as_str()), Some(*span_type));
        }
        assert_eq!(SpanType::from_name("nonsense"), None);
    }

    #[test]
    fn every_type_has_a_bit_of_its_own() {
        assert!(SpanType::ALL.iter().all(|span_type| (*span_type as u16) < 64));
        let all = TypeSet::of_family("all").unwrap();
        for (name, count) in [("workflow", 8), ("agent", 2), ("tool", 4), ("model", 4)] {
            let family = TypeSet::of_family(name).unwrap();
            assert_eq!(SpanType::ALL.iter().filter(|known| family.contains(**known)).count(), count);
            assert_eq!(all.union(family), all);
        }
        assert!(TypeSet::EMPTY.is_empty() && !all.contains(SpanType::Generic));
        assert_eq!(TypeSet::of_family("rag"), None);
    }

    #[test]
    fn other_names_are_no_type_of_their_own() {
        for (alias, span_type) in ALIASES {
            assert_eq!(SpanType::from_name(alias), Some(*span_type));
            assert!(SpanType::ALL.iter().all(|known| known.as_str() != *alias), "{alias}");
        }
        for name in ["AGENT_RUN", "Tool-Call", "MODEL_GENERATION", " rag_query "] {
            assert!(SpanType::from_name(name).is_some(), "{name}");
        }
    }
}
