//! Operations on an agent's memory.

use super::{AttributeInfo, Content, Form, PLAIN, PROCESSING, SERVER, TypeInfo, known, own};
use crate::kinds::{SpanKind, SpanType};

const RECORDS: &[AttributeInfo] = &[
    known("operation", "gen_ai.operation.name", Form::Text, "`search_memory`, `upsert_memory` and the like"),
    known("provider", "gen_ai.provider.name", Form::Provider, "service that keeps the memory"),
    known("store_id", "gen_ai.memory.store.id", Form::Text, "id of the store"),
    known("record_id", "gen_ai.memory.record.id", Form::Text, "id of the record"),
    known("record_count", "gen_ai.memory.record.count", Form::Integer, "how many records"),
];

pub(super) const TYPES: &[TypeInfo] = &[
    TypeInfo {
        span_type: SpanType::MemoryLookup,
        about: "A search of memory",
        operation: Some("search_memory"),
        kind: SpanKind::Client,
        openinference: "RETRIEVER",
        input: Content::Text("gen_ai.memory.query.text"),
        output: Content::List("gen_ai.memory.records"),
        attributes: &[
            RECORDS,
            &[
                known("query", "gen_ai.memory.query.text", Form::Text, "what is searched for"),
                own("top_k", Form::Integer, "most records to return"),
                own("min_score", Form::Number, "lowest similarity to return"),
            ],
            SERVER,
        ],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::MemoryUpdate,
        about: "A change of memory",
        operation: Some("update_memory"),
        kind: SpanKind::Client,
        input: Content::List("gen_ai.memory.records"),
        attributes: &[RECORDS, SERVER],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::MemoryOperation,
        about: "Any other operation on memory",
        attributes: &[
            PROCESSING,
            &[
                own(
                    "operation_type",
                    Form::Text,
                    "`recall`, `save`, `delete`, `update`, `observe` or `reflect`",
                ),
                own("message_count", Form::Integer, "messages that were recalled or saved"),
                own("embedding_tokens", Form::Integer, "tokens that were embedded"),
                own("vector_result_count", Form::Integer, "results of the vector search"),
                own("input_tokens", Form::Integer, "tokens that were observed"),
                own("semantic_recall_enabled", Form::Truth, "whether semantic recall is on"),
                own("working_memory_enabled", Form::Truth, "whether working memory is on"),
                own("multi_thread", Form::Truth, "whether several threads are searched"),
                own("last_messages", Form::Any, "how many last messages, or false"),
                own("selected_model", Form::Text, "model that observes or reflects"),
            ],
        ],
        ..PLAIN
    },
];
