// Span types: the table of `core/src/kinds.rs`, as `tests/vectors/semantics.json` pins it.
//
// Written by `tools/tables.py`.

package dev.polyspan

/** What a span stands for. Each type has its conventions on the wire (docs/ai-spans.md). */
public enum class SpanType(
    internal val number: Int,
    /** Its name in every language, such as `model_generation`. */
    public val wireName: String,
    private val aliases: Array<String> = emptyArray(),
) {
    /** Any operation. */
    Generic(0, "generic"),

    /** One run of an agent. */
    Agent(1, "agent", arrayOf("agent_run")),

    /** One run of a workflow. */
    Workflow(2, "workflow", arrayOf("workflow_run")),

    /** A step of a workflow. */
    WorkflowStep(3, "workflow_step"),

    /** A branching point of a workflow. */
    WorkflowConditional(4, "workflow_conditional"),

    /** The evaluation of one condition of a branching point. */
    WorkflowConditionalEval(5, "workflow_conditional_eval", arrayOf("workflow_conditional_evaluation")),

    /** Parallel branches of a workflow. */
    WorkflowParallel(6, "workflow_parallel"),

    /** A loop of a workflow. */
    WorkflowLoop(7, "workflow_loop"),

    /** A pause of a workflow. */
    WorkflowSleep(8, "workflow_sleep"),

    /** A wait for an event in a workflow. */
    WorkflowWaitEvent(9, "workflow_wait_event"),

    /** A call of a model as the application sees it, with all its steps. */
    ModelGeneration(10, "model_generation", arrayOf("llm_generation")),

    /** One step of a generation: an answer of the model and the tools it asked for. */
    ModelStep(11, "model_step", arrayOf("llm_step")),

    /** One request to a model provider. */
    ModelInference(12, "model_inference", arrayOf("llm_inference")),

    /** A run of streamed model output of one kind. */
    ModelChunk(13, "model_chunk", arrayOf("llm_chunk")),

    /** A tool run by the application. */
    Tool(14, "tool", arrayOf("tool_call")),

    /** A tool run through the Model Context Protocol. */
    McpTool(15, "mcp_tool", arrayOf("mcp_tool_call")),

    /** A tool run by the model provider. */
    ProviderTool(16, "provider_tool", arrayOf("provider_tool_call")),

    /** A tool run by the client of the application. */
    ClientTool(17, "client_tool", arrayOf("client_tool_call")),

    /** A request served by a Model Context Protocol server. */
    McpServerRequest(18, "mcp_server_request"),

    /** A processor of input or output, guardrails among them. */
    Processor(19, "processor", arrayOf("processor_run", "guardrail")),

    /** A search of memory. */
    MemoryLookup(20, "memory_lookup"),

    /** A change of memory. */
    MemoryUpdate(21, "memory_update"),

    /** Any other operation on memory. */
    MemoryOperation(22, "memory_operation"),

    /** A query of a retrieval pipeline. */
    RagQuery(23, "rag_query"),

    /** The ingestion of documents. */
    RagIngestion(24, "rag_ingestion"),

    /** Embeddings made for retrieval. */
    RagEmbedding(25, "rag_embedding"),

    /** An operation on a vector store. */
    RagVectorOperation(26, "rag_vector_operation", arrayOf("rag_vector")),

    /** Chunking, metadata extraction or reranking. */
    RagAction(27, "rag_action"),

    /** Embeddings made for any other use. */
    EmbeddingGeneration(28, "embedding_generation", arrayOf("embedding")),

    /** One run of a scorer. */
    ScorerRun(29, "scorer_run", arrayOf("scorer")),

    /** A step of a scorer. */
    ScorerStep(30, "scorer_step"),

    /** An evaluation by any other framework. */
    Evaluation(31, "evaluation", arrayOf("eval_execution")),

    /** A mapping between the values of two steps. */
    Mapping(32, "mapping"),

    /** An action in a workspace: files, sandbox, search. */
    WorkspaceAction(33, "workspace_action", arrayOf("workspace")),

    /** A skill resolved, searched, read, injected or activated. */
    SkillAction(34, "skill_action", arrayOf("skill", "skill_resolution")),

    /** An action on a knowledge graph. */
    GraphAction(35, "graph_action", arrayOf("graph")),

    /** The evaluation of a classifier. */
    ClassifierEvaluation(36, "classifier_evaluation"),

    /** A signal that an agent received or sent. */
    AgentSignal(37, "agent_signal"),
    ;

    public companion object {
        private val names = entries.flatMap { type -> (type.aliases.toList() + type.wireName).map { it to type } }.toMap()

        /** The type of that name, by any of its names; `null` if it is none. */
        @JvmStatic
        public fun of(name: String?): SpanType? = names[name]
    }
}
