//! Retrieval: queries, ingestion, vector stores, knowledge graphs.

use super::{Content, Form, PLAIN, SERVER, TypeInfo, known, own};
use crate::kinds::{SpanKind, SpanType};

pub(super) const TYPES: &[TypeInfo] = &[
    TypeInfo {
        span_type: SpanType::RagQuery,
        about: "A query of a retrieval pipeline",
        operation: Some("retrieval"),
        kind: SpanKind::Client,
        subject: &["gen_ai.data_source.id"],
        openinference: "RETRIEVER",
        input: Content::Text("gen_ai.retrieval.query.text"),
        output: Content::List("gen_ai.retrieval.documents"),
        attributes: &[
            &[
                known("data_source_id", "gen_ai.data_source.id", Form::Text, "what is searched"),
                known("query", "gen_ai.retrieval.query.text", Form::Text, "what is searched for"),
                known("top_k", "gen_ai.retrieval.top_k", Form::Integer, "most documents to return"),
                known(
                    "documents",
                    "gen_ai.retrieval.documents",
                    Form::Any,
                    "what was found: `id`, `score`, `content`",
                ),
                known("provider", "gen_ai.provider.name", Form::Provider, "service that searches"),
                known("model", "gen_ai.request.model", Form::Text, "model that embeds the query"),
                own("store", Form::Text, "vector store"),
                own("index_name", Form::Text, "index of the store"),
                own("min_score", Form::Number, "lowest relevance to return"),
            ],
            SERVER,
        ],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::RagIngestion,
        about: "The ingestion of documents",
        attributes: &[&[
            own("pipeline_name", Form::Text, "name of the pipeline"),
            own("vector_store", Form::Text, "vector store"),
            own("index_name", Form::Text, "index of the store"),
            own("embedding_model", Form::Text, "model that embeds"),
            own("embedding_provider", Form::Text, "provider of that model"),
            own("source_count", Form::Integer, "how many documents"),
        ]],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::RagVectorOperation,
        about: "An operation on a vector store",
        openinference: "RETRIEVER",
        attributes: &[
            &[
                own("operation", Form::Text, "`query`, `upsert`, `delete` or `fetch`"),
                own("store", Form::Text, "vector store"),
                own("index_name", Form::Text, "index of the store"),
                own("top_k", Form::Integer, "most results to return"),
                own("dimensions", Form::Integer, "length of a vector"),
            ],
            SERVER,
        ],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::RagAction,
        about: "Chunking, metadata extraction or reranking",
        attributes: &[&[
            own("action", Form::Text, "`chunk`, `extract_metadata` or `rerank`"),
            own("strategy", Form::Text, "how text is cut into chunks"),
            own("chunk_size", Form::Integer, "size of a chunk"),
            own("chunk_overlap", Form::Integer, "what chunks have in common"),
            own("extractor", Form::Text, "what extracts the metadata"),
            known("model", "gen_ai.request.model", Form::Text, "model that extracts or ranks"),
            known("provider", "gen_ai.provider.name", Form::Provider, "provider of that model"),
            own("candidate_count", Form::Integer, "documents to rank"),
            own("top_n", Form::Integer, "documents to keep"),
            own("scorer", Form::Text, "what ranks"),
        ]],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::GraphAction,
        about: "An action on a knowledge graph",
        attributes: &[&[
            own("action", Form::Text, "`build`, `traverse`, `update` or `prune`"),
            own("node_count", Form::Integer, "nodes of the graph"),
            own("edge_count", Form::Integer, "edges of the graph"),
            own("threshold", Form::Number, "lowest similarity for an edge"),
            own("start_nodes", Form::Integer, "nodes to start from"),
            own("max_depth", Form::Integer, "longest way from there"),
        ]],
        ..PLAIN
    },
];
