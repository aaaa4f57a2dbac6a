//! The struct of every span type. Written by `bindings-python/tools/spans.py` from the table of span types.

use super::*;

span_type! {
    /// One run of an agent.
    Agent {
        /// Name of the agent; the span's name by default.
        agent_name: Text,
        /// Id of an agent hosted by a provider.
        agent_id: Text,
        /// What the agent is for.
        agent_description: Text,
        /// Version of the agent.
        agent_version: Text,
        /// Conversation it belongs to.
        conversation_id: Text,
        /// Instructions of the agent.
        instructions: Any,
        /// Tools it may use, by name or definition.
        available_tools: Any,
        /// Prompt it was given.
        prompt: Text,
        /// Most steps it may take.
        max_steps: Integer,
        /// Version that was chosen.
        resolved_version_id: Text,
        /// Model it was told to use.
        model: Text,
        /// Provider of a remote agent.
        provider: Text,
        /// Why it stopped.
        finish_reason: Texts,
        /// Token counts of all its calls; see below.
        usage: Any,
        /// Why it was stopped: reason, processor, metadata.
        tripwire_abort: Any,
    }
}

span_type! {
    /// One run of a workflow.
    Workflow {
        /// Name of the workflow; the span's by default.
        workflow_name: Text,
        /// Id of the workflow.
        workflow_id: Text,
        /// `success`, `failed`, `suspended` and the like.
        status: Text,
    }
}

span_type! {
    /// A step of a workflow.
    WorkflowStep {
        /// Id of the step.
        step_id: Text,
        /// `success`, `failed`, `suspended` and the like.
        status: Text,
        /// Id of the entry.
        entry_id: Text,
        /// What the entry is for.
        entry_description: Text,
        /// Metadata of the entry.
        entry_metadata: Any,
    }
}

span_type! {
    /// A branching point of a workflow.
    WorkflowConditional {
        /// How many conditions there are.
        condition_count: Integer,
        /// Places of those that held.
        truthy_indexes: Any,
        /// Steps that were chosen.
        selected_steps: Texts,
        /// Id of the entry.
        entry_id: Text,
        /// What the entry is for.
        entry_description: Text,
        /// Metadata of the entry.
        entry_metadata: Any,
    }
}

span_type! {
    /// The evaluation of one condition of a branching point.
    WorkflowConditionalEval {
        /// Place of the condition, from 0.
        condition_index: Integer,
        /// Whether it held.
        result: Truth,
    }
}

span_type! {
    /// Parallel branches of a workflow.
    WorkflowParallel {
        /// How many branches there are.
        branch_count: Integer,
        /// Their steps.
        parallel_steps: Texts,
        /// Id of the entry.
        entry_id: Text,
        /// What the entry is for.
        entry_description: Text,
        /// Metadata of the entry.
        entry_metadata: Any,
    }
}

span_type! {
    /// A loop of a workflow.
    WorkflowLoop {
        /// `foreach`, `dowhile` or `dountil`.
        loop_type: Text,
        /// Iteration at hand.
        iteration: Integer,
        /// How many there are.
        total_iterations: Integer,
        /// How many run at the same time.
        concurrency: Integer,
        /// Id of the entry.
        entry_id: Text,
        /// What the entry is for.
        entry_description: Text,
        /// Metadata of the entry.
        entry_metadata: Any,
    }
}

span_type! {
    /// A pause of a workflow.
    WorkflowSleep {
        /// Length of the pause, in milliseconds.
        duration_ms: Number,
        /// When it ends.
        until_date: Time,
        /// `fixed` or `dynamic`.
        sleep_type: Text,
        /// Id of the entry.
        entry_id: Text,
        /// What the entry is for.
        entry_description: Text,
        /// Metadata of the entry.
        entry_metadata: Any,
    }
}

span_type! {
    /// A wait for an event in a workflow.
    WorkflowWaitEvent {
        /// Event that is waited for.
        event_name: Text,
        /// Longest wait, in milliseconds.
        timeout_ms: Number,
        /// Whether it came.
        event_received: Truth,
        /// Length of the wait, in milliseconds.
        wait_duration_ms: Number,
    }
}

span_type! {
    /// A call of a model as the application sees it, with all its steps.
    ModelGeneration {
        /// Model that was asked for.
        model: Text,
        /// Provider, such as `openai`.
        provider: Text,
        /// Model that answered.
        response_model: Text,
        /// Temperature.
        temperature: Number,
        /// Nucleus sampling.
        top_p: Number,
        /// Top-k sampling.
        top_k: Integer,
        /// Most tokens of the answer.
        max_tokens: Integer,
        /// The same.
        max_output_tokens: Integer,
        /// Frequency penalty.
        frequency_penalty: Number,
        /// Presence penalty.
        presence_penalty: Number,
        /// Texts at which to stop.
        stop_sequences: Texts,
        /// Seed of the sampling.
        seed: Integer,
        /// How many answers.
        choice_count: Integer,
        /// Formats of embeddings.
        encoding_formats: Texts,
        /// Effort of reasoning.
        reasoning_level: Text,
        /// Answer that this one continues.
        previous_response_id: Text,
        /// Token counts; see below.
        usage: Any,
        /// Tokens of the input, cached ones included.
        input_tokens: Integer,
        /// Tokens of the output.
        output_tokens: Integer,
        /// `chat`, `generate_content` or `text_completion`.
        operation: Text,
        /// Id of the answer.
        response_id: Text,
        /// Why the model stopped.
        finish_reason: Texts,
        /// The same, for each choice.
        finish_reasons: Texts,
        /// Whether the answer was streamed.
        streaming: Truth,
        /// When the first output came.
        completion_start_time: Time,
        /// Seconds until the first output.
        time_to_first_chunk: Number,
        /// Request parameters by name, as a map.
        parameters: Any,
        /// System instructions.
        instructions: Any,
        /// Tools the model may ask for.
        tools: Any,
        /// Conversation it belongs to.
        conversation_id: Text,
        /// Id of the agent that calls.
        agent_id: Text,
        /// Name of the agent that calls.
        agent_name: Text,
        /// `text`, `json`, `image` or `speech`.
        output_type: Text,
        /// Name of the prompt.
        prompt_name: Text,
        /// Version of the prompt.
        prompt_version: Text,
        /// `tool_selection`, `response_generation`, `reasoning` or `planning`.
        result_type: Text,
        /// Estimated cost, its unit and what it is based on.
        cost_context: Any,
        /// Host name or address of the server.
        server_address: Text,
        /// Port of the server.
        server_port: Integer,
    }
}

span_type! {
    /// One step of a generation: an answer of the model and the tools it asked for.
    ModelStep {
        /// Place of the step, from 0.
        step_index: Integer,
        /// Token counts of the step; see below.
        usage: Any,
        /// Why the step ended.
        finish_reason: Text,
        /// Whether another step follows.
        is_continued: Truth,
        /// What the provider warned of.
        warnings: Any,
    }
}

span_type! {
    /// One request to a model provider.
    ModelInference {
        /// Model that was asked for.
        model: Text,
        /// Provider, such as `openai`.
        provider: Text,
        /// Model that answered.
        response_model: Text,
        /// Temperature.
        temperature: Number,
        /// Nucleus sampling.
        top_p: Number,
        /// Top-k sampling.
        top_k: Integer,
        /// Most tokens of the answer.
        max_tokens: Integer,
        /// The same.
        max_output_tokens: Integer,
        /// Frequency penalty.
        frequency_penalty: Number,
        /// Presence penalty.
        presence_penalty: Number,
        /// Texts at which to stop.
        stop_sequences: Texts,
        /// Seed of the sampling.
        seed: Integer,
        /// How many answers.
        choice_count: Integer,
        /// Formats of embeddings.
        encoding_formats: Texts,
        /// Effort of reasoning.
        reasoning_level: Text,
        /// Answer that this one continues.
        previous_response_id: Text,
        /// Token counts; see below.
        usage: Any,
        /// Tokens of the input, cached ones included.
        input_tokens: Integer,
        /// Tokens of the output.
        output_tokens: Integer,
        /// `chat`, `generate_content` or `text_completion`.
        operation: Text,
        /// Id of the answer.
        response_id: Text,
        /// Why the model stopped.
        finish_reason: Texts,
        /// The same, for each choice.
        finish_reasons: Texts,
        /// Whether the answer was streamed.
        streaming: Truth,
        /// When the first output came.
        completion_start_time: Time,
        /// Seconds until the first output.
        time_to_first_chunk: Number,
        /// Request parameters by name, as a map.
        parameters: Any,
        /// System instructions.
        instructions: Any,
        /// Tools the model may ask for.
        tools: Any,
        /// Conversation it belongs to.
        conversation_id: Text,
        /// Id of the agent that calls.
        agent_id: Text,
        /// Name of the agent that calls.
        agent_name: Text,
        /// `text`, `json`, `image` or `speech`.
        output_type: Text,
        /// Name of the prompt.
        prompt_name: Text,
        /// Version of the prompt.
        prompt_version: Text,
        /// `tool_selection`, `response_generation`, `reasoning` or `planning`.
        result_type: Text,
        /// Estimated cost, its unit and what it is based on.
        cost_context: Any,
        /// Host name or address of the server.
        server_address: Text,
        /// Port of the server.
        server_port: Integer,
        /// Step of the generation it belongs to, from 0.
        step_index: Integer,
        /// What the provider warned of.
        warnings: Any,
        /// Options that only this provider has.
        provider_options: Any,
        /// Names of the tools on offer.
        available_tools: Texts,
        /// `auto`, `none`, `required` or one tool.
        tool_choice: Any,
        /// `text`, `json` or a schema.
        response_format: Any,
    }
}

span_type! {
    /// A run of streamed model output of one kind.
    ModelChunk {
        /// `text`, `reasoning`, `tool-call` or `object`.
        chunk_type: Text,
        /// Place in the stream, from 0.
        sequence_number: Integer,
    }
}

span_type! {
    /// A tool run by the application.
    Tool {
        /// Name of the tool; the span's name by default.
        tool_name: Text,
        /// `function`, `extension` or `datastore`.
        tool_type: Text,
        /// What the tool is for.
        tool_description: Text,
        /// Id of the call that the model made.
        tool_call_id: Text,
        /// Whether the tool did what it was asked for.
        success: Truth,
    }
}

span_type! {
    /// A tool run through the Model Context Protocol.
    McpTool {
        /// Name of the tool; the span's name by default.
        tool_name: Text,
        /// `function`, `extension` or `datastore`.
        tool_type: Text,
        /// What the tool is for.
        tool_description: Text,
        /// Id of the call that the model made.
        tool_call_id: Text,
        /// Whether the tool did what it was asked for.
        success: Truth,
        /// Method of the protocol.
        mcp_method: Text,
        /// Name of the server.
        mcp_server: Text,
        /// Version of the server.
        server_version: Text,
        /// Session of the protocol.
        mcp_session_id: Text,
        /// Version of the protocol.
        mcp_protocol_version: Text,
        /// Id of the request.
        jsonrpc_request_id: Text,
        /// Resource that was read.
        resource_uri: Text,
        /// `pipe`, `tcp` or `quic`.
        network_transport: Text,
        /// Host name or address of the server.
        server_address: Text,
        /// Port of the server.
        server_port: Integer,
    }
}

span_type! {
    /// A tool run by the model provider.
    ProviderTool {
        /// Name of the tool; the span's name by default.
        tool_name: Text,
        /// `function`, `extension` or `datastore`.
        tool_type: Text,
        /// What the tool is for.
        tool_description: Text,
        /// Id of the call that the model made.
        tool_call_id: Text,
        /// Whether the tool did what it was asked for.
        success: Truth,
    }
}

span_type! {
    /// A tool run by the client of the application.
    ClientTool {
        /// Name of the tool; the span's name by default.
        tool_name: Text,
        /// `function`, `extension` or `datastore`.
        tool_type: Text,
        /// What the tool is for.
        tool_description: Text,
        /// Id of the call that the model made.
        tool_call_id: Text,
        /// Whether the tool did what it was asked for.
        success: Truth,
        /// Where it ran, such as `browser`.
        client_environment: Text,
    }
}

span_type! {
    /// A request served by a Model Context Protocol server.
    McpServerRequest {
        /// Method of the protocol.
        mcp_method: Text,
        /// Name of the server.
        mcp_server: Text,
        /// Version of the server.
        server_version: Text,
        /// Session of the protocol.
        mcp_session_id: Text,
        /// Version of the protocol.
        mcp_protocol_version: Text,
        /// Id of the request.
        jsonrpc_request_id: Text,
        /// Resource that was read.
        resource_uri: Text,
        /// `pipe`, `tcp` or `quic`.
        network_transport: Text,
        /// Tool that was called.
        tool_name: Text,
        /// Prompt that was asked for.
        prompt_name: Text,
        /// Tool or prompt, whichever the method is about.
        target_name: Text,
        /// Name of the client.
        client_name: Text,
        /// Version of the client.
        client_version: Text,
        /// Address of the client.
        client_address: Text,
    }
}

span_type! {
    /// A processor of input or output, guardrails among them.
    Processor {
        /// `workflow` or `legacy`.
        processor_executor: Text,
        /// Place of the processor in its chain.
        processor_index: Integer,
        /// Which hook ran, such as `input` or `outputStream`.
        processor_phase: Text,
        /// Time in the hook, in milliseconds.
        hook_duration_ms: Number,
        /// What was added to or removed from the messages.
        message_list_mutations: Any,
        /// Why processing was stopped: reason, retry, metadata.
        tripwire_abort: Any,
    }
}

span_type! {
    /// A search of memory.
    MemoryLookup {
        /// `search_memory`, `upsert_memory` and the like.
        operation: Text,
        /// Service that keeps the memory.
        provider: Text,
        /// Id of the store.
        store_id: Text,
        /// Id of the record.
        record_id: Text,
        /// How many records.
        record_count: Integer,
        /// What is searched for.
        query: Text,
        /// Most records to return.
        top_k: Integer,
        /// Lowest similarity to return.
        min_score: Number,
        /// Host name or address of the server.
        server_address: Text,
        /// Port of the server.
        server_port: Integer,
    }
}

span_type! {
    /// A change of memory.
    MemoryUpdate {
        /// `search_memory`, `upsert_memory` and the like.
        operation: Text,
        /// Service that keeps the memory.
        provider: Text,
        /// Id of the store.
        store_id: Text,
        /// Id of the record.
        record_id: Text,
        /// How many records.
        record_count: Integer,
        /// Host name or address of the server.
        server_address: Text,
        /// Port of the server.
        server_port: Integer,
    }
}

span_type! {
    /// Any other operation on memory.
    MemoryOperation {
        /// `workflow` or `legacy`.
        processor_executor: Text,
        /// Place of the processor in its chain.
        processor_index: Integer,
        /// Which hook ran, such as `input` or `outputStream`.
        processor_phase: Text,
        /// Time in the hook, in milliseconds.
        hook_duration_ms: Number,
        /// What was added to or removed from the messages.
        message_list_mutations: Any,
        /// Why processing was stopped: reason, retry, metadata.
        tripwire_abort: Any,
        /// `recall`, `save`, `delete`, `update`, `observe` or `reflect`.
        operation_type: Text,
        /// Messages that were recalled or saved.
        message_count: Integer,
        /// Tokens that were embedded.
        embedding_tokens: Integer,
        /// Results of the vector search.
        vector_result_count: Integer,
        /// Tokens that were observed.
        input_tokens: Integer,
        /// Whether semantic recall is on.
        semantic_recall_enabled: Truth,
        /// Whether working memory is on.
        working_memory_enabled: Truth,
        /// Whether several threads are searched.
        multi_thread: Truth,
        /// How many last messages, or false.
        last_messages: Any,
        /// Model that observes or reflects.
        selected_model: Text,
    }
}

span_type! {
    /// A query of a retrieval pipeline.
    RagQuery {
        /// What is searched.
        data_source_id: Text,
        /// What is searched for.
        query: Text,
        /// Most documents to return.
        top_k: Integer,
        /// What was found: `id`, `score`, `content`.
        documents: Any,
        /// Service that searches.
        provider: Text,
        /// Model that embeds the query.
        model: Text,
        /// Vector store.
        store: Text,
        /// Index of the store.
        index_name: Text,
        /// Lowest relevance to return.
        min_score: Number,
        /// Host name or address of the server.
        server_address: Text,
        /// Port of the server.
        server_port: Integer,
    }
}

span_type! {
    /// The ingestion of documents.
    RagIngestion {
        /// Name of the pipeline.
        pipeline_name: Text,
        /// Vector store.
        vector_store: Text,
        /// Index of the store.
        index_name: Text,
        /// Model that embeds.
        embedding_model: Text,
        /// Provider of that model.
        embedding_provider: Text,
        /// How many documents.
        source_count: Integer,
    }
}

span_type! {
    /// Embeddings made for retrieval.
    RagEmbedding {
        /// Model that was asked for.
        model: Text,
        /// Provider, such as `openai`.
        provider: Text,
        /// Model that answered.
        response_model: Text,
        /// Length of a vector.
        dimensions: Integer,
        /// Formats of the vectors.
        encoding_formats: Texts,
        /// How many texts.
        input_count: Integer,
        /// `ingest` or `query`.
        mode: Text,
        /// Token counts; see below.
        usage: Any,
        /// Tokens of the input.
        input_tokens: Integer,
        /// Host name or address of the server.
        server_address: Text,
        /// Port of the server.
        server_port: Integer,
    }
}

span_type! {
    /// An operation on a vector store.
    RagVectorOperation {
        /// `query`, `upsert`, `delete` or `fetch`.
        operation: Text,
        /// Vector store.
        store: Text,
        /// Index of the store.
        index_name: Text,
        /// Most results to return.
        top_k: Integer,
        /// Length of a vector.
        dimensions: Integer,
        /// Host name or address of the server.
        server_address: Text,
        /// Port of the server.
        server_port: Integer,
    }
}

span_type! {
    /// Chunking, metadata extraction or reranking.
    RagAction {
        /// `chunk`, `extract_metadata` or `rerank`.
        action: Text,
        /// How text is cut into chunks.
        strategy: Text,
        /// Size of a chunk.
        chunk_size: Integer,
        /// What chunks have in common.
        chunk_overlap: Integer,
        /// What extracts the metadata.
        extractor: Text,
        /// Model that extracts or ranks.
        model: Text,
        /// Provider of that model.
        provider: Text,
        /// Documents to rank.
        candidate_count: Integer,
        /// Documents to keep.
        top_n: Integer,
        /// What ranks.
        scorer: Text,
    }
}

span_type! {
    /// Embeddings made for any other use.
    EmbeddingGeneration {
        /// Model that was asked for.
        model: Text,
        /// Provider, such as `openai`.
        provider: Text,
        /// Model that answered.
        response_model: Text,
        /// Length of a vector.
        dimensions: Integer,
        /// Formats of the vectors.
        encoding_formats: Texts,
        /// How many texts.
        input_count: Integer,
        /// `ingest` or `query`.
        mode: Text,
        /// Token counts; see below.
        usage: Any,
        /// Tokens of the input.
        input_tokens: Integer,
        /// Host name or address of the server.
        server_address: Text,
        /// Port of the server.
        server_port: Integer,
    }
}

span_type! {
    /// One run of a scorer.
    ScorerRun {
        /// Id of the scorer.
        scorer_id: Text,
        /// Name of the scorer; the span's by default.
        scorer_name: Text,
        /// `live`, `trace` or `experiment`.
        score_source: Text,
        /// `span` or `trajectory`.
        target_scope: Text,
        /// What was scored.
        target_entity_type: Text,
        /// `code`, `stored` or `fs`.
        scorer_definition: Text,
        /// Score that was given.
        score: Number,
        /// What the score means.
        label: Text,
        /// Why it was given.
        explanation: Text,
        /// Answer that was judged.
        response_id: Text,
    }
}

span_type! {
    /// A step of a scorer.
    ScorerStep {
        /// Name of the step.
        step: Text,
        /// `function` or `prompt`.
        step_type: Text,
        /// Prompt of the step.
        prompt: Text,
        /// Model that judges.
        judge_model: Text,
    }
}

span_type! {
    /// An evaluation by any other framework.
    Evaluation {
        /// What is evaluated; the span's name by default.
        evaluation_name: Text,
        /// Score that was given.
        score: Number,
        /// What the score means.
        label: Text,
        /// Why it was given.
        explanation: Text,
        /// Answer that was judged.
        response_id: Text,
    }
}

span_type! {
    /// A mapping between the values of two steps.
    Mapping {
        /// Kind of mapping.
        mapping_type: Text,
        /// Call of a tool it belongs to.
        tool_call_id: Text,
    }
}

span_type! {
    /// An action in a workspace: files, sandbox, search.
    WorkspaceAction {
        /// `workflow` or `legacy`.
        processor_executor: Text,
        /// Place of the processor in its chain.
        processor_index: Integer,
        /// Which hook ran, such as `input` or `outputStream`.
        processor_phase: Text,
        /// Time in the hook, in milliseconds.
        hook_duration_ms: Number,
        /// What was added to or removed from the messages.
        message_list_mutations: Any,
        /// Why processing was stopped: reason, retry, metadata.
        tripwire_abort: Any,
        /// `filesystem`, `sandbox`, `search`, `skill`, `mount` or `computer`.
        category: Text,
        /// Id of the workspace.
        workspace_id: Text,
        /// Name of the workspace.
        workspace_name: Text,
        /// What runs the sandbox.
        sandbox_provider: Text,
        /// What keeps the files.
        filesystem_provider: Text,
        /// Whether it was done.
        success: Truth,
    }
}

span_type! {
    /// A skill resolved, searched, read, injected or activated.
    SkillAction {
        /// `workflow` or `legacy`.
        processor_executor: Text,
        /// Place of the processor in its chain.
        processor_index: Integer,
        /// Which hook ran, such as `input` or `outputStream`.
        processor_phase: Text,
        /// Time in the hook, in milliseconds.
        hook_duration_ms: Number,
        /// What was added to or removed from the messages.
        message_list_mutations: Any,
        /// Why processing was stopped: reason, retry, metadata.
        tripwire_abort: Any,
        /// `resolve`, `inject`, `activate`, `search` or `read`.
        operation: Text,
        /// Agent that uses it.
        agent_id: Text,
        /// Name of the skill.
        skill_name: Text,
        /// Form in which it is stored.
        skill_format: Text,
        /// How many were found.
        skill_count: Integer,
        /// Whether it was done.
        success: Truth,
    }
}

span_type! {
    /// An action on a knowledge graph.
    GraphAction {
        /// `build`, `traverse`, `update` or `prune`.
        action: Text,
        /// Nodes of the graph.
        node_count: Integer,
        /// Edges of the graph.
        edge_count: Integer,
        /// Lowest similarity for an edge.
        threshold: Number,
        /// Nodes to start from.
        start_nodes: Integer,
        /// Longest way from there.
        max_depth: Integer,
    }
}

span_type! {
    /// The evaluation of a classifier.
    ClassifierEvaluation {
        /// Id of the classifier.
        classifier_id: Text,
        /// Model that classifies.
        model_id: Text,
        /// Provider of that model.
        provider: Text,
        /// What failed.
        error_type: Text,
        /// Kinds of questions.
        question_types: Texts,
        /// How many questions.
        question_count: Integer,
        /// Most attempts after the first.
        max_retries: Integer,
        /// Attempts that were made.
        attempt_count: Integer,
        /// Those after the first.
        retry_count: Integer,
        /// Time it took, in milliseconds.
        duration_ms: Number,
        /// Token counts; see below.
        usage: Any,
    }
}

span_type! {
    /// A signal that an agent received or sent.
    AgentSignal {
        /// State it is about.
        state_id: Text,
        /// Tag it is sent under.
        tag_name: Text,
        /// Processor that sent it.
        processor_id: Text,
        /// `snapshot` or `delta`.
        mode: Text,
    }
}

/// Every type with the names of its attributes.
#[cfg(test)]
pub(super) const EVERY: &[(SpanType, &[&str])] = &[
    (Agent::TYPE, Agent::NAMES),
    (Workflow::TYPE, Workflow::NAMES),
    (WorkflowStep::TYPE, WorkflowStep::NAMES),
    (WorkflowConditional::TYPE, WorkflowConditional::NAMES),
    (WorkflowConditionalEval::TYPE, WorkflowConditionalEval::NAMES),
    (WorkflowParallel::TYPE, WorkflowParallel::NAMES),
    (WorkflowLoop::TYPE, WorkflowLoop::NAMES),
    (WorkflowSleep::TYPE, WorkflowSleep::NAMES),
    (WorkflowWaitEvent::TYPE, WorkflowWaitEvent::NAMES),
    (ModelGeneration::TYPE, ModelGeneration::NAMES),
    (ModelStep::TYPE, ModelStep::NAMES),
    (ModelInference::TYPE, ModelInference::NAMES),
    (ModelChunk::TYPE, ModelChunk::NAMES),
    (Tool::TYPE, Tool::NAMES),
    (McpTool::TYPE, McpTool::NAMES),
    (ProviderTool::TYPE, ProviderTool::NAMES),
    (ClientTool::TYPE, ClientTool::NAMES),
    (McpServerRequest::TYPE, McpServerRequest::NAMES),
    (Processor::TYPE, Processor::NAMES),
    (MemoryLookup::TYPE, MemoryLookup::NAMES),
    (MemoryUpdate::TYPE, MemoryUpdate::NAMES),
    (MemoryOperation::TYPE, MemoryOperation::NAMES),
    (RagQuery::TYPE, RagQuery::NAMES),
    (RagIngestion::TYPE, RagIngestion::NAMES),
    (RagEmbedding::TYPE, RagEmbedding::NAMES),
    (RagVectorOperation::TYPE, RagVectorOperation::NAMES),
    (RagAction::TYPE, RagAction::NAMES),
    (EmbeddingGeneration::TYPE, EmbeddingGeneration::NAMES),
    (ScorerRun::TYPE, ScorerRun::NAMES),
    (ScorerStep::TYPE, ScorerStep::NAMES),
    (Evaluation::TYPE, Evaluation::NAMES),
    (Mapping::TYPE, Mapping::NAMES),
    (WorkspaceAction::TYPE, WorkspaceAction::NAMES),
    (SkillAction::TYPE, SkillAction::NAMES),
    (GraphAction::TYPE, GraphAction::NAMES),
    (ClassifierEvaluation::TYPE, ClassifierEvaluation::NAMES),
    (AgentSignal::TYPE, AgentSignal::NAMES),
];
