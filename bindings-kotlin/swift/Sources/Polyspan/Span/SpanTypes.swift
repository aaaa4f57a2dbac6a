// The types of spans, and their attributes as an editor completes them and the compiler knows them:
// `withSpan("search", type: .tool, attributes: .tool(toolCallId: "c1"))`. What the attributes are called on
// the wire stands in `docs/ai-spans.md`.
//
// Written by `scripts/span-types.py` from the table of span types.

import Foundation
import PolyspanNative

/// What a span stands for.
public struct SpanType: Sendable, Hashable {
    let number: UInt16

    init(number: UInt16) {
        self.number = number
    }

    /// By any of its names; nil for text that is none.
    public init?(_ name: String) {
        guard let number = PolyspanNative.spanType(name: name) else { return nil }
        self.number = UInt16(truncatingIfNeeded: number)
    }

    /// No type in particular.
    public static let generic = SpanType(number: 0)
    /// One run of an agent.
    public static let agent = SpanType(number: 1)
    /// One run of a workflow.
    public static let workflow = SpanType(number: 2)
    /// A step of a workflow.
    public static let workflowStep = SpanType(number: 3)
    /// A branching point of a workflow.
    public static let workflowConditional = SpanType(number: 4)
    /// The evaluation of one condition of a branching point.
    public static let workflowConditionalEval = SpanType(number: 5)
    /// Parallel branches of a workflow.
    public static let workflowParallel = SpanType(number: 6)
    /// A loop of a workflow.
    public static let workflowLoop = SpanType(number: 7)
    /// A pause of a workflow.
    public static let workflowSleep = SpanType(number: 8)
    /// A wait for an event in a workflow.
    public static let workflowWaitEvent = SpanType(number: 9)
    /// A call of a model as the application sees it, with all its steps.
    public static let modelGeneration = SpanType(number: 10)
    /// One step of a generation: an answer of the model and the tools it asked for.
    public static let modelStep = SpanType(number: 11)
    /// One request to a model provider.
    public static let modelInference = SpanType(number: 12)
    /// A run of streamed model output of one kind.
    public static let modelChunk = SpanType(number: 13)
    /// A tool run by the application.
    public static let tool = SpanType(number: 14)
    /// A tool run through the Model Context Protocol.
    public static let mcpTool = SpanType(number: 15)
    /// A tool run by the model provider.
    public static let providerTool = SpanType(number: 16)
    /// A tool run by the client of the application.
    public static let clientTool = SpanType(number: 17)
    /// A request served by a Model Context Protocol server.
    public static let mcpServerRequest = SpanType(number: 18)
    /// A processor of input or output, guardrails among them.
    public static let processor = SpanType(number: 19)
    /// A search of memory.
    public static let memoryLookup = SpanType(number: 20)
    /// A change of memory.
    public static let memoryUpdate = SpanType(number: 21)
    /// Any other operation on memory.
    public static let memoryOperation = SpanType(number: 22)
    /// A query of a retrieval pipeline.
    public static let ragQuery = SpanType(number: 23)
    /// The ingestion of documents.
    public static let ragIngestion = SpanType(number: 24)
    /// Embeddings made for retrieval.
    public static let ragEmbedding = SpanType(number: 25)
    /// An operation on a vector store.
    public static let ragVectorOperation = SpanType(number: 26)
    /// Chunking, metadata extraction or reranking.
    public static let ragAction = SpanType(number: 27)
    /// Embeddings made for any other use.
    public static let embeddingGeneration = SpanType(number: 28)
    /// One run of a scorer.
    public static let scorerRun = SpanType(number: 29)
    /// A step of a scorer.
    public static let scorerStep = SpanType(number: 30)
    /// An evaluation by any other framework.
    public static let evaluation = SpanType(number: 31)
    /// A mapping between the values of two steps.
    public static let mapping = SpanType(number: 32)
    /// An action in a workspace: files, sandbox, search.
    public static let workspaceAction = SpanType(number: 33)
    /// A skill resolved, searched, read, injected or activated.
    public static let skillAction = SpanType(number: 34)
    /// An action on a knowledge graph.
    public static let graphAction = SpanType(number: 35)
    /// The evaluation of a classifier.
    public static let classifierEvaluation = SpanType(number: 36)
    /// A signal that an agent received or sent.
    public static let agentSignal = SpanType(number: 37)
}

extension Attributes {
    /// One run of an agent.
    ///
    /// - Parameters:
    ///   - agentName: name of the agent; the span's name by default
    ///   - agentId: id of an agent hosted by a provider
    ///   - agentDescription: what the agent is for
    ///   - agentVersion: version of the agent
    ///   - conversationId: conversation it belongs to
    ///   - instructions: instructions of the agent
    ///   - availableTools: tools it may use, by name or definition
    ///   - prompt: prompt it was given
    ///   - maxSteps: most steps it may take
    ///   - resolvedVersionId: version that was chosen
    ///   - model: model it was told to use
    ///   - provider: provider of a remote agent
    ///   - finishReason: why it stopped
    ///   - usage: token counts of all its calls; see below
    ///   - tripwireAbort: why it was stopped: reason, processor, metadata
    public static func agent(
        agentName: String? = nil,
        agentId: String? = nil,
        agentDescription: String? = nil,
        agentVersion: String? = nil,
        conversationId: String? = nil,
        instructions: Any? = nil,
        availableTools: Any? = nil,
        prompt: String? = nil,
        maxSteps: Int? = nil,
        resolvedVersionId: String? = nil,
        model: String? = nil,
        provider: String? = nil,
        finishReason: Any? = nil,
        usage: Any? = nil,
        tripwireAbort: Any? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("agent_name", agentName)
        found.add("agent_id", agentId)
        found.add("agent_description", agentDescription)
        found.add("agent_version", agentVersion)
        found.add("conversation_id", conversationId)
        found.add("instructions", instructions)
        found.add("available_tools", availableTools)
        found.add("prompt", prompt)
        found.add("max_steps", maxSteps)
        found.add("resolved_version_id", resolvedVersionId)
        found.add("model", model)
        found.add("provider", provider)
        found.add("finish_reason", finishReason)
        found.add("usage", usage)
        found.add("tripwire_abort", tripwireAbort)
        return found
    }

    /// One run of a workflow.
    ///
    /// - Parameters:
    ///   - workflowName: name of the workflow; the span's by default
    ///   - workflowId: id of the workflow
    ///   - status: `success`, `failed`, `suspended` and the like
    public static func workflow(
        workflowName: String? = nil,
        workflowId: String? = nil,
        status: String? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("workflow_name", workflowName)
        found.add("workflow_id", workflowId)
        found.add("status", status)
        return found
    }

    /// A step of a workflow.
    ///
    /// - Parameters:
    ///   - stepId: id of the step
    ///   - status: `success`, `failed`, `suspended` and the like
    ///   - entryId: id of the entry
    ///   - entryDescription: what the entry is for
    ///   - entryMetadata: metadata of the entry
    public static func workflowStep(
        stepId: String? = nil,
        status: String? = nil,
        entryId: String? = nil,
        entryDescription: String? = nil,
        entryMetadata: Any? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("step_id", stepId)
        found.add("status", status)
        found.add("entry_id", entryId)
        found.add("entry_description", entryDescription)
        found.add("entry_metadata", entryMetadata)
        return found
    }

    /// A branching point of a workflow.
    ///
    /// - Parameters:
    ///   - conditionCount: how many conditions there are
    ///   - truthyIndexes: places of those that held
    ///   - selectedSteps: steps that were chosen
    ///   - entryId: id of the entry
    ///   - entryDescription: what the entry is for
    ///   - entryMetadata: metadata of the entry
    public static func workflowConditional(
        conditionCount: Int? = nil,
        truthyIndexes: Any? = nil,
        selectedSteps: Any? = nil,
        entryId: String? = nil,
        entryDescription: String? = nil,
        entryMetadata: Any? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("condition_count", conditionCount)
        found.add("truthy_indexes", truthyIndexes)
        found.add("selected_steps", selectedSteps)
        found.add("entry_id", entryId)
        found.add("entry_description", entryDescription)
        found.add("entry_metadata", entryMetadata)
        return found
    }

    /// The evaluation of one condition of a branching point.
    ///
    /// - Parameters:
    ///   - conditionIndex: place of the condition, from 0
    ///   - result: whether it held
    public static func workflowConditionalEval(
        conditionIndex: Int? = nil,
        result: Bool? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("condition_index", conditionIndex)
        found.add("result", result)
        return found
    }

    /// Parallel branches of a workflow.
    ///
    /// - Parameters:
    ///   - branchCount: how many branches there are
    ///   - parallelSteps: their steps
    ///   - entryId: id of the entry
    ///   - entryDescription: what the entry is for
    ///   - entryMetadata: metadata of the entry
    public static func workflowParallel(
        branchCount: Int? = nil,
        parallelSteps: Any? = nil,
        entryId: String? = nil,
        entryDescription: String? = nil,
        entryMetadata: Any? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("branch_count", branchCount)
        found.add("parallel_steps", parallelSteps)
        found.add("entry_id", entryId)
        found.add("entry_description", entryDescription)
        found.add("entry_metadata", entryMetadata)
        return found
    }

    /// A loop of a workflow.
    ///
    /// - Parameters:
    ///   - loopType: `foreach`, `dowhile` or `dountil`
    ///   - iteration: iteration at hand
    ///   - totalIterations: how many there are
    ///   - concurrency: how many run at the same time
    ///   - entryId: id of the entry
    ///   - entryDescription: what the entry is for
    ///   - entryMetadata: metadata of the entry
    public static func workflowLoop(
        loopType: String? = nil,
        iteration: Int? = nil,
        totalIterations: Int? = nil,
        concurrency: Int? = nil,
        entryId: String? = nil,
        entryDescription: String? = nil,
        entryMetadata: Any? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("loop_type", loopType)
        found.add("iteration", iteration)
        found.add("total_iterations", totalIterations)
        found.add("concurrency", concurrency)
        found.add("entry_id", entryId)
        found.add("entry_description", entryDescription)
        found.add("entry_metadata", entryMetadata)
        return found
    }

    /// A pause of a workflow.
    ///
    /// - Parameters:
    ///   - durationMs: length of the pause, in milliseconds
    ///   - untilDate: when it ends
    ///   - sleepType: `fixed` or `dynamic`
    ///   - entryId: id of the entry
    ///   - entryDescription: what the entry is for
    ///   - entryMetadata: metadata of the entry
    public static func workflowSleep(
        durationMs: Double? = nil,
        untilDate: Date? = nil,
        sleepType: String? = nil,
        entryId: String? = nil,
        entryDescription: String? = nil,
        entryMetadata: Any? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("duration_ms", durationMs)
        found.add("until_date", untilDate)
        found.add("sleep_type", sleepType)
        found.add("entry_id", entryId)
        found.add("entry_description", entryDescription)
        found.add("entry_metadata", entryMetadata)
        return found
    }

    /// A wait for an event in a workflow.
    ///
    /// - Parameters:
    ///   - eventName: event that is waited for
    ///   - timeoutMs: longest wait, in milliseconds
    ///   - eventReceived: whether it came
    ///   - waitDurationMs: length of the wait, in milliseconds
    public static func workflowWaitEvent(
        eventName: String? = nil,
        timeoutMs: Double? = nil,
        eventReceived: Bool? = nil,
        waitDurationMs: Double? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("event_name", eventName)
        found.add("timeout_ms", timeoutMs)
        found.add("event_received", eventReceived)
        found.add("wait_duration_ms", waitDurationMs)
        return found
    }

    /// A call of a model as the application sees it, with all its steps.
    ///
    /// - Parameters:
    ///   - model: model that was asked for
    ///   - provider: provider, such as `openai`
    ///   - responseModel: model that answered
    ///   - temperature: temperature
    ///   - topP: nucleus sampling
    ///   - topK: top-k sampling
    ///   - maxTokens: most tokens of the answer
    ///   - maxOutputTokens: the same
    ///   - frequencyPenalty: frequency penalty
    ///   - presencePenalty: presence penalty
    ///   - stopSequences: texts at which to stop
    ///   - seed: seed of the sampling
    ///   - choiceCount: how many answers
    ///   - encodingFormats: formats of embeddings
    ///   - reasoningLevel: effort of reasoning
    ///   - previousResponseId: answer that this one continues
    ///   - usage: token counts; see below
    ///   - inputTokens: tokens of the input, cached ones included
    ///   - outputTokens: tokens of the output
    ///   - operation: `chat`, `generate_content` or `text_completion`
    ///   - responseId: id of the answer
    ///   - finishReason: why the model stopped
    ///   - finishReasons: the same, for each choice
    ///   - streaming: whether the answer was streamed
    ///   - completionStartTime: when the first output came
    ///   - timeToFirstChunk: seconds until the first output
    ///   - parameters: request parameters by name, as a map
    ///   - instructions: system instructions
    ///   - tools: tools the model may ask for
    ///   - conversationId: conversation it belongs to
    ///   - agentId: id of the agent that calls
    ///   - agentName: name of the agent that calls
    ///   - outputType: `text`, `json`, `image` or `speech`
    ///   - promptName: name of the prompt
    ///   - promptVersion: version of the prompt
    ///   - resultType: `tool_selection`, `response_generation`, `reasoning` or `planning`
    ///   - costContext: estimated cost, its unit and what it is based on
    ///   - serverAddress: host name or address of the server
    ///   - serverPort: port of the server
    public static func modelGeneration(
        model: String? = nil,
        provider: String? = nil,
        responseModel: String? = nil,
        temperature: Double? = nil,
        topP: Double? = nil,
        topK: Int? = nil,
        maxTokens: Int? = nil,
        maxOutputTokens: Int? = nil,
        frequencyPenalty: Double? = nil,
        presencePenalty: Double? = nil,
        stopSequences: Any? = nil,
        seed: Int? = nil,
        choiceCount: Int? = nil,
        encodingFormats: Any? = nil,
        reasoningLevel: String? = nil,
        previousResponseId: String? = nil,
        usage: Any? = nil,
        inputTokens: Int? = nil,
        outputTokens: Int? = nil,
        operation: String? = nil,
        responseId: String? = nil,
        finishReason: Any? = nil,
        finishReasons: Any? = nil,
        streaming: Bool? = nil,
        completionStartTime: Any? = nil,
        timeToFirstChunk: Double? = nil,
        parameters: Any? = nil,
        instructions: Any? = nil,
        tools: Any? = nil,
        conversationId: String? = nil,
        agentId: String? = nil,
        agentName: String? = nil,
        outputType: String? = nil,
        promptName: String? = nil,
        promptVersion: String? = nil,
        resultType: String? = nil,
        costContext: Any? = nil,
        serverAddress: String? = nil,
        serverPort: Int? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("model", model)
        found.add("provider", provider)
        found.add("response_model", responseModel)
        found.add("temperature", temperature)
        found.add("top_p", topP)
        found.add("top_k", topK)
        found.add("max_tokens", maxTokens)
        found.add("max_output_tokens", maxOutputTokens)
        found.add("frequency_penalty", frequencyPenalty)
        found.add("presence_penalty", presencePenalty)
        found.add("stop_sequences", stopSequences)
        found.add("seed", seed)
        found.add("choice_count", choiceCount)
        found.add("encoding_formats", encodingFormats)
        found.add("reasoning_level", reasoningLevel)
        found.add("previous_response_id", previousResponseId)
        found.add("usage", usage)
        found.add("input_tokens", inputTokens)
        found.add("output_tokens", outputTokens)
        found.add("operation", operation)
        found.add("response_id", responseId)
        found.add("finish_reason", finishReason)
        found.add("finish_reasons", finishReasons)
        found.add("streaming", streaming)
        found.add("completion_start_time", completionStartTime)
        found.add("time_to_first_chunk", timeToFirstChunk)
        found.add("parameters", parameters)
        found.add("instructions", instructions)
        found.add("tools", tools)
        found.add("conversation_id", conversationId)
        found.add("agent_id", agentId)
        found.add("agent_name", agentName)
        found.add("output_type", outputType)
        found.add("prompt_name", promptName)
        found.add("prompt_version", promptVersion)
        found.add("result_type", resultType)
        found.add("cost_context", costContext)
        found.add("server_address", serverAddress)
        found.add("server_port", serverPort)
        return found
    }

    /// One step of a generation: an answer of the model and the tools it asked for.
    ///
    /// - Parameters:
    ///   - stepIndex: place of the step, from 0
    ///   - usage: token counts of the step; see below
    ///   - finishReason: why the step ended
    ///   - isContinued: whether another step follows
    ///   - warnings: what the provider warned of
    public static func modelStep(
        stepIndex: Int? = nil,
        usage: Any? = nil,
        finishReason: String? = nil,
        isContinued: Bool? = nil,
        warnings: Any? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("step_index", stepIndex)
        found.add("usage", usage)
        found.add("finish_reason", finishReason)
        found.add("is_continued", isContinued)
        found.add("warnings", warnings)
        return found
    }

    /// One request to a model provider.
    ///
    /// - Parameters:
    ///   - model: model that was asked for
    ///   - provider: provider, such as `openai`
    ///   - responseModel: model that answered
    ///   - temperature: temperature
    ///   - topP: nucleus sampling
    ///   - topK: top-k sampling
    ///   - maxTokens: most tokens of the answer
    ///   - maxOutputTokens: the same
    ///   - frequencyPenalty: frequency penalty
    ///   - presencePenalty: presence penalty
    ///   - stopSequences: texts at which to stop
    ///   - seed: seed of the sampling
    ///   - choiceCount: how many answers
    ///   - encodingFormats: formats of embeddings
    ///   - reasoningLevel: effort of reasoning
    ///   - previousResponseId: answer that this one continues
    ///   - usage: token counts; see below
    ///   - inputTokens: tokens of the input, cached ones included
    ///   - outputTokens: tokens of the output
    ///   - operation: `chat`, `generate_content` or `text_completion`
    ///   - responseId: id of the answer
    ///   - finishReason: why the model stopped
    ///   - finishReasons: the same, for each choice
    ///   - streaming: whether the answer was streamed
    ///   - completionStartTime: when the first output came
    ///   - timeToFirstChunk: seconds until the first output
    ///   - parameters: request parameters by name, as a map
    ///   - instructions: system instructions
    ///   - tools: tools the model may ask for
    ///   - conversationId: conversation it belongs to
    ///   - agentId: id of the agent that calls
    ///   - agentName: name of the agent that calls
    ///   - outputType: `text`, `json`, `image` or `speech`
    ///   - promptName: name of the prompt
    ///   - promptVersion: version of the prompt
    ///   - resultType: `tool_selection`, `response_generation`, `reasoning` or `planning`
    ///   - costContext: estimated cost, its unit and what it is based on
    ///   - serverAddress: host name or address of the server
    ///   - serverPort: port of the server
    ///   - stepIndex: step of the generation it belongs to, from 0
    ///   - warnings: what the provider warned of
    ///   - providerOptions: options that only this provider has
    ///   - availableTools: names of the tools on offer
    ///   - toolChoice: `auto`, `none`, `required` or one tool
    ///   - responseFormat: `text`, `json` or a schema
    public static func modelInference(
        model: String? = nil,
        provider: String? = nil,
        responseModel: String? = nil,
        temperature: Double? = nil,
        topP: Double? = nil,
        topK: Int? = nil,
        maxTokens: Int? = nil,
        maxOutputTokens: Int? = nil,
        frequencyPenalty: Double? = nil,
        presencePenalty: Double? = nil,
        stopSequences: Any? = nil,
        seed: Int? = nil,
        choiceCount: Int? = nil,
        encodingFormats: Any? = nil,
        reasoningLevel: String? = nil,
        previousResponseId: String? = nil,
        usage: Any? = nil,
        inputTokens: Int? = nil,
        outputTokens: Int? = nil,
        operation: String? = nil,
        responseId: String? = nil,
        finishReason: Any? = nil,
        finishReasons: Any? = nil,
        streaming: Bool? = nil,
        completionStartTime: Any? = nil,
        timeToFirstChunk: Double? = nil,
        parameters: Any? = nil,
        instructions: Any? = nil,
        tools: Any? = nil,
        conversationId: String? = nil,
        agentId: String? = nil,
        agentName: String? = nil,
        outputType: String? = nil,
        promptName: String? = nil,
        promptVersion: String? = nil,
        resultType: String? = nil,
        costContext: Any? = nil,
        serverAddress: String? = nil,
        serverPort: Int? = nil,
        stepIndex: Int? = nil,
        warnings: Any? = nil,
        providerOptions: Any? = nil,
        availableTools: Any? = nil,
        toolChoice: Any? = nil,
        responseFormat: Any? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("model", model)
        found.add("provider", provider)
        found.add("response_model", responseModel)
        found.add("temperature", temperature)
        found.add("top_p", topP)
        found.add("top_k", topK)
        found.add("max_tokens", maxTokens)
        found.add("max_output_tokens", maxOutputTokens)
        found.add("frequency_penalty", frequencyPenalty)
        found.add("presence_penalty", presencePenalty)
        found.add("stop_sequences", stopSequences)
        found.add("seed", seed)
        found.add("choice_count", choiceCount)
        found.add("encoding_formats", encodingFormats)
        found.add("reasoning_level", reasoningLevel)
        found.add("previous_response_id", previousResponseId)
        found.add("usage", usage)
        found.add("input_tokens", inputTokens)
        found.add("output_tokens", outputTokens)
        found.add("operation", operation)
        found.add("response_id", responseId)
        found.add("finish_reason", finishReason)
        found.add("finish_reasons", finishReasons)
        found.add("streaming", streaming)
        found.add("completion_start_time", completionStartTime)
        found.add("time_to_first_chunk", timeToFirstChunk)
        found.add("parameters", parameters)
        found.add("instructions", instructions)
        found.add("tools", tools)
        found.add("conversation_id", conversationId)
        found.add("agent_id", agentId)
        found.add("agent_name", agentName)
        found.add("output_type", outputType)
        found.add("prompt_name", promptName)
        found.add("prompt_version", promptVersion)
        found.add("result_type", resultType)
        found.add("cost_context", costContext)
        found.add("server_address", serverAddress)
        found.add("server_port", serverPort)
        found.add("step_index", stepIndex)
        found.add("warnings", warnings)
        found.add("provider_options", providerOptions)
        found.add("available_tools", availableTools)
        found.add("tool_choice", toolChoice)
        found.add("response_format", responseFormat)
        return found
    }

    /// A run of streamed model output of one kind.
    ///
    /// - Parameters:
    ///   - chunkType: `text`, `reasoning`, `tool-call` or `object`
    ///   - sequenceNumber: place in the stream, from 0
    public static func modelChunk(
        chunkType: String? = nil,
        sequenceNumber: Int? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("chunk_type", chunkType)
        found.add("sequence_number", sequenceNumber)
        return found
    }

    /// A tool run by the application.
    ///
    /// - Parameters:
    ///   - toolName: name of the tool; the span's name by default
    ///   - toolType: `function`, `extension` or `datastore`
    ///   - toolDescription: what the tool is for
    ///   - toolCallId: id of the call that the model made
    ///   - success: whether the tool did what it was asked for
    public static func tool(
        toolName: String? = nil,
        toolType: String? = nil,
        toolDescription: String? = nil,
        toolCallId: String? = nil,
        success: Bool? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("tool_name", toolName)
        found.add("tool_type", toolType)
        found.add("tool_description", toolDescription)
        found.add("tool_call_id", toolCallId)
        found.add("success", success)
        return found
    }

    /// A tool run through the Model Context Protocol.
    ///
    /// - Parameters:
    ///   - toolName: name of the tool; the span's name by default
    ///   - toolType: `function`, `extension` or `datastore`
    ///   - toolDescription: what the tool is for
    ///   - toolCallId: id of the call that the model made
    ///   - success: whether the tool did what it was asked for
    ///   - mcpMethod: method of the protocol
    ///   - mcpServer: name of the server
    ///   - serverVersion: version of the server
    ///   - mcpSessionId: session of the protocol
    ///   - mcpProtocolVersion: version of the protocol
    ///   - jsonrpcRequestId: id of the request
    ///   - resourceUri: resource that was read
    ///   - networkTransport: `pipe`, `tcp` or `quic`
    ///   - serverAddress: host name or address of the server
    ///   - serverPort: port of the server
    public static func mcpTool(
        toolName: String? = nil,
        toolType: String? = nil,
        toolDescription: String? = nil,
        toolCallId: String? = nil,
        success: Bool? = nil,
        mcpMethod: String? = nil,
        mcpServer: String? = nil,
        serverVersion: String? = nil,
        mcpSessionId: String? = nil,
        mcpProtocolVersion: String? = nil,
        jsonrpcRequestId: String? = nil,
        resourceUri: String? = nil,
        networkTransport: String? = nil,
        serverAddress: String? = nil,
        serverPort: Int? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("tool_name", toolName)
        found.add("tool_type", toolType)
        found.add("tool_description", toolDescription)
        found.add("tool_call_id", toolCallId)
        found.add("success", success)
        found.add("mcp_method", mcpMethod)
        found.add("mcp_server", mcpServer)
        found.add("server_version", serverVersion)
        found.add("mcp_session_id", mcpSessionId)
        found.add("mcp_protocol_version", mcpProtocolVersion)
        found.add("jsonrpc_request_id", jsonrpcRequestId)
        found.add("resource_uri", resourceUri)
        found.add("network_transport", networkTransport)
        found.add("server_address", serverAddress)
        found.add("server_port", serverPort)
        return found
    }

    /// A tool run by the model provider.
    ///
    /// - Parameters:
    ///   - toolName: name of the tool; the span's name by default
    ///   - toolType: `function`, `extension` or `datastore`
    ///   - toolDescription: what the tool is for
    ///   - toolCallId: id of the call that the model made
    ///   - success: whether the tool did what it was asked for
    public static func providerTool(
        toolName: String? = nil,
        toolType: String? = nil,
        toolDescription: String? = nil,
        toolCallId: String? = nil,
        success: Bool? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("tool_name", toolName)
        found.add("tool_type", toolType)
        found.add("tool_description", toolDescription)
        found.add("tool_call_id", toolCallId)
        found.add("success", success)
        return found
    }

    /// A tool run by the client of the application.
    ///
    /// - Parameters:
    ///   - toolName: name of the tool; the span's name by default
    ///   - toolType: `function`, `extension` or `datastore`
    ///   - toolDescription: what the tool is for
    ///   - toolCallId: id of the call that the model made
    ///   - success: whether the tool did what it was asked for
    ///   - clientEnvironment: where it ran, such as `browser`
    public static func clientTool(
        toolName: String? = nil,
        toolType: String? = nil,
        toolDescription: String? = nil,
        toolCallId: String? = nil,
        success: Bool? = nil,
        clientEnvironment: String? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("tool_name", toolName)
        found.add("tool_type", toolType)
        found.add("tool_description", toolDescription)
        found.add("tool_call_id", toolCallId)
        found.add("success", success)
        found.add("client_environment", clientEnvironment)
        return found
    }

    /// A request served by a Model Context Protocol server.
    ///
    /// - Parameters:
    ///   - mcpMethod: method of the protocol
    ///   - mcpServer: name of the server
    ///   - serverVersion: version of the server
    ///   - mcpSessionId: session of the protocol
    ///   - mcpProtocolVersion: version of the protocol
    ///   - jsonrpcRequestId: id of the request
    ///   - resourceUri: resource that was read
    ///   - networkTransport: `pipe`, `tcp` or `quic`
    ///   - toolName: tool that was called
    ///   - promptName: prompt that was asked for
    ///   - targetName: tool or prompt, whichever the method is about
    ///   - clientName: name of the client
    ///   - clientVersion: version of the client
    ///   - clientAddress: address of the client
    public static func mcpServerRequest(
        mcpMethod: String? = nil,
        mcpServer: String? = nil,
        serverVersion: String? = nil,
        mcpSessionId: String? = nil,
        mcpProtocolVersion: String? = nil,
        jsonrpcRequestId: String? = nil,
        resourceUri: String? = nil,
        networkTransport: String? = nil,
        toolName: String? = nil,
        promptName: String? = nil,
        targetName: String? = nil,
        clientName: String? = nil,
        clientVersion: String? = nil,
        clientAddress: String? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("mcp_method", mcpMethod)
        found.add("mcp_server", mcpServer)
        found.add("server_version", serverVersion)
        found.add("mcp_session_id", mcpSessionId)
        found.add("mcp_protocol_version", mcpProtocolVersion)
        found.add("jsonrpc_request_id", jsonrpcRequestId)
        found.add("resource_uri", resourceUri)
        found.add("network_transport", networkTransport)
        found.add("tool_name", toolName)
        found.add("prompt_name", promptName)
        found.add("target_name", targetName)
        found.add("client_name", clientName)
        found.add("client_version", clientVersion)
        found.add("client_address", clientAddress)
        return found
    }

    /// A processor of input or output, guardrails among them.
    ///
    /// - Parameters:
    ///   - processorExecutor: `workflow` or `legacy`
    ///   - processorIndex: place of the processor in its chain
    ///   - processorPhase: which hook ran, such as `input` or `outputStream`
    ///   - hookDurationMs: time in the hook, in milliseconds
    ///   - messageListMutations: what was added to or removed from the messages
    ///   - tripwireAbort: why processing was stopped: reason, retry, metadata
    public static func processor(
        processorExecutor: String? = nil,
        processorIndex: Int? = nil,
        processorPhase: String? = nil,
        hookDurationMs: Double? = nil,
        messageListMutations: Any? = nil,
        tripwireAbort: Any? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("processor_executor", processorExecutor)
        found.add("processor_index", processorIndex)
        found.add("processor_phase", processorPhase)
        found.add("hook_duration_ms", hookDurationMs)
        found.add("message_list_mutations", messageListMutations)
        found.add("tripwire_abort", tripwireAbort)
        return found
    }

    /// A search of memory.
    ///
    /// - Parameters:
    ///   - operation: `search_memory`, `upsert_memory` and the like
    ///   - provider: service that keeps the memory
    ///   - storeId: id of the store
    ///   - recordId: id of the record
    ///   - recordCount: how many records
    ///   - query: what is searched for
    ///   - topK: most records to return
    ///   - minScore: lowest similarity to return
    ///   - serverAddress: host name or address of the server
    ///   - serverPort: port of the server
    public static func memoryLookup(
        operation: String? = nil,
        provider: String? = nil,
        storeId: String? = nil,
        recordId: String? = nil,
        recordCount: Int? = nil,
        query: String? = nil,
        topK: Int? = nil,
        minScore: Double? = nil,
        serverAddress: String? = nil,
        serverPort: Int? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("operation", operation)
        found.add("provider", provider)
        found.add("store_id", storeId)
        found.add("record_id", recordId)
        found.add("record_count", recordCount)
        found.add("query", query)
        found.add("top_k", topK)
        found.add("min_score", minScore)
        found.add("server_address", serverAddress)
        found.add("server_port", serverPort)
        return found
    }

    /// A change of memory.
    ///
    /// - Parameters:
    ///   - operation: `search_memory`, `upsert_memory` and the like
    ///   - provider: service that keeps the memory
    ///   - storeId: id of the store
    ///   - recordId: id of the record
    ///   - recordCount: how many records
    ///   - serverAddress: host name or address of the server
    ///   - serverPort: port of the server
    public static func memoryUpdate(
        operation: String? = nil,
        provider: String? = nil,
        storeId: String? = nil,
        recordId: String? = nil,
        recordCount: Int? = nil,
        serverAddress: String? = nil,
        serverPort: Int? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("operation", operation)
        found.add("provider", provider)
        found.add("store_id", storeId)
        found.add("record_id", recordId)
        found.add("record_count", recordCount)
        found.add("server_address", serverAddress)
        found.add("server_port", serverPort)
        return found
    }

    /// Any other operation on memory.
    ///
    /// - Parameters:
    ///   - processorExecutor: `workflow` or `legacy`
    ///   - processorIndex: place of the processor in its chain
    ///   - processorPhase: which hook ran, such as `input` or `outputStream`
    ///   - hookDurationMs: time in the hook, in milliseconds
    ///   - messageListMutations: what was added to or removed from the messages
    ///   - tripwireAbort: why processing was stopped: reason, retry, metadata
    ///   - operationType: `recall`, `save`, `delete`, `update`, `observe` or `reflect`
    ///   - messageCount: messages that were recalled or saved
    ///   - embeddingTokens: tokens that were embedded
    ///   - vectorResultCount: results of the vector search
    ///   - inputTokens: tokens that were observed
    ///   - semanticRecallEnabled: whether semantic recall is on
    ///   - workingMemoryEnabled: whether working memory is on
    ///   - multiThread: whether several threads are searched
    ///   - lastMessages: how many last messages, or false
    ///   - selectedModel: model that observes or reflects
    public static func memoryOperation(
        processorExecutor: String? = nil,
        processorIndex: Int? = nil,
        processorPhase: String? = nil,
        hookDurationMs: Double? = nil,
        messageListMutations: Any? = nil,
        tripwireAbort: Any? = nil,
        operationType: String? = nil,
        messageCount: Int? = nil,
        embeddingTokens: Int? = nil,
        vectorResultCount: Int? = nil,
        inputTokens: Int? = nil,
        semanticRecallEnabled: Bool? = nil,
        workingMemoryEnabled: Bool? = nil,
        multiThread: Bool? = nil,
        lastMessages: Any? = nil,
        selectedModel: String? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("processor_executor", processorExecutor)
        found.add("processor_index", processorIndex)
        found.add("processor_phase", processorPhase)
        found.add("hook_duration_ms", hookDurationMs)
        found.add("message_list_mutations", messageListMutations)
        found.add("tripwire_abort", tripwireAbort)
        found.add("operation_type", operationType)
        found.add("message_count", messageCount)
        found.add("embedding_tokens", embeddingTokens)
        found.add("vector_result_count", vectorResultCount)
        found.add("input_tokens", inputTokens)
        found.add("semantic_recall_enabled", semanticRecallEnabled)
        found.add("working_memory_enabled", workingMemoryEnabled)
        found.add("multi_thread", multiThread)
        found.add("last_messages", lastMessages)
        found.add("selected_model", selectedModel)
        return found
    }

    /// A query of a retrieval pipeline.
    ///
    /// - Parameters:
    ///   - dataSourceId: what is searched
    ///   - query: what is searched for
    ///   - topK: most documents to return
    ///   - documents: what was found: `id`, `score`, `content`
    ///   - provider: service that searches
    ///   - model: model that embeds the query
    ///   - store: vector store
    ///   - indexName: index of the store
    ///   - minScore: lowest relevance to return
    ///   - serverAddress: host name or address of the server
    ///   - serverPort: port of the server
    public static func ragQuery(
        dataSourceId: String? = nil,
        query: String? = nil,
        topK: Int? = nil,
        documents: Any? = nil,
        provider: String? = nil,
        model: String? = nil,
        store: String? = nil,
        indexName: String? = nil,
        minScore: Double? = nil,
        serverAddress: String? = nil,
        serverPort: Int? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("data_source_id", dataSourceId)
        found.add("query", query)
        found.add("top_k", topK)
        found.add("documents", documents)
        found.add("provider", provider)
        found.add("model", model)
        found.add("store", store)
        found.add("index_name", indexName)
        found.add("min_score", minScore)
        found.add("server_address", serverAddress)
        found.add("server_port", serverPort)
        return found
    }

    /// The ingestion of documents.
    ///
    /// - Parameters:
    ///   - pipelineName: name of the pipeline
    ///   - vectorStore: vector store
    ///   - indexName: index of the store
    ///   - embeddingModel: model that embeds
    ///   - embeddingProvider: provider of that model
    ///   - sourceCount: how many documents
    public static func ragIngestion(
        pipelineName: String? = nil,
        vectorStore: String? = nil,
        indexName: String? = nil,
        embeddingModel: String? = nil,
        embeddingProvider: String? = nil,
        sourceCount: Int? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("pipeline_name", pipelineName)
        found.add("vector_store", vectorStore)
        found.add("index_name", indexName)
        found.add("embedding_model", embeddingModel)
        found.add("embedding_provider", embeddingProvider)
        found.add("source_count", sourceCount)
        return found
    }

    /// Embeddings made for retrieval.
    ///
    /// - Parameters:
    ///   - model: model that was asked for
    ///   - provider: provider, such as `openai`
    ///   - responseModel: model that answered
    ///   - dimensions: length of a vector
    ///   - encodingFormats: formats of the vectors
    ///   - inputCount: how many texts
    ///   - mode: `ingest` or `query`
    ///   - usage: token counts; see below
    ///   - inputTokens: tokens of the input
    ///   - serverAddress: host name or address of the server
    ///   - serverPort: port of the server
    public static func ragEmbedding(
        model: String? = nil,
        provider: String? = nil,
        responseModel: String? = nil,
        dimensions: Int? = nil,
        encodingFormats: Any? = nil,
        inputCount: Int? = nil,
        mode: String? = nil,
        usage: Any? = nil,
        inputTokens: Int? = nil,
        serverAddress: String? = nil,
        serverPort: Int? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("model", model)
        found.add("provider", provider)
        found.add("response_model", responseModel)
        found.add("dimensions", dimensions)
        found.add("encoding_formats", encodingFormats)
        found.add("input_count", inputCount)
        found.add("mode", mode)
        found.add("usage", usage)
        found.add("input_tokens", inputTokens)
        found.add("server_address", serverAddress)
        found.add("server_port", serverPort)
        return found
    }

    /// An operation on a vector store.
    ///
    /// - Parameters:
    ///   - operation: `query`, `upsert`, `delete` or `fetch`
    ///   - store: vector store
    ///   - indexName: index of the store
    ///   - topK: most results to return
    ///   - dimensions: length of a vector
    ///   - serverAddress: host name or address of the server
    ///   - serverPort: port of the server
    public static func ragVectorOperation(
        operation: String? = nil,
        store: String? = nil,
        indexName: String? = nil,
        topK: Int? = nil,
        dimensions: Int? = nil,
        serverAddress: String? = nil,
        serverPort: Int? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("operation", operation)
        found.add("store", store)
        found.add("index_name", indexName)
        found.add("top_k", topK)
        found.add("dimensions", dimensions)
        found.add("server_address", serverAddress)
        found.add("server_port", serverPort)
        return found
    }

    /// Chunking, metadata extraction or reranking.
    ///
    /// - Parameters:
    ///   - action: `chunk`, `extract_metadata` or `rerank`
    ///   - strategy: how text is cut into chunks
    ///   - chunkSize: size of a chunk
    ///   - chunkOverlap: what chunks have in common
    ///   - extractor: what extracts the metadata
    ///   - model: model that extracts or ranks
    ///   - provider: provider of that model
    ///   - candidateCount: documents to rank
    ///   - topN: documents to keep
    ///   - scorer: what ranks
    public static func ragAction(
        action: String? = nil,
        strategy: String? = nil,
        chunkSize: Int? = nil,
        chunkOverlap: Int? = nil,
        extractor: String? = nil,
        model: String? = nil,
        provider: String? = nil,
        candidateCount: Int? = nil,
        topN: Int? = nil,
        scorer: String? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("action", action)
        found.add("strategy", strategy)
        found.add("chunk_size", chunkSize)
        found.add("chunk_overlap", chunkOverlap)
        found.add("extractor", extractor)
        found.add("model", model)
        found.add("provider", provider)
        found.add("candidate_count", candidateCount)
        found.add("top_n", topN)
        found.add("scorer", scorer)
        return found
    }

    /// Embeddings made for any other use.
    ///
    /// - Parameters:
    ///   - model: model that was asked for
    ///   - provider: provider, such as `openai`
    ///   - responseModel: model that answered
    ///   - dimensions: length of a vector
    ///   - encodingFormats: formats of the vectors
    ///   - inputCount: how many texts
    ///   - mode: `ingest` or `query`
    ///   - usage: token counts; see below
    ///   - inputTokens: tokens of the input
    ///   - serverAddress: host name or address of the server
    ///   - serverPort: port of the server
    public static func embeddingGeneration(
        model: String? = nil,
        provider: String? = nil,
        responseModel: String? = nil,
        dimensions: Int? = nil,
        encodingFormats: Any? = nil,
        inputCount: Int? = nil,
        mode: String? = nil,
        usage: Any? = nil,
        inputTokens: Int? = nil,
        serverAddress: String? = nil,
        serverPort: Int? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("model", model)
        found.add("provider", provider)
        found.add("response_model", responseModel)
        found.add("dimensions", dimensions)
        found.add("encoding_formats", encodingFormats)
        found.add("input_count", inputCount)
        found.add("mode", mode)
        found.add("usage", usage)
        found.add("input_tokens", inputTokens)
        found.add("server_address", serverAddress)
        found.add("server_port", serverPort)
        return found
    }

    /// One run of a scorer.
    ///
    /// - Parameters:
    ///   - scorerId: id of the scorer
    ///   - scorerName: name of the scorer; the span's by default
    ///   - scoreSource: `live`, `trace` or `experiment`
    ///   - targetScope: `span` or `trajectory`
    ///   - targetEntityType: what was scored
    ///   - scorerDefinition: `code`, `stored` or `fs`
    ///   - score: score that was given
    ///   - label: what the score means
    ///   - explanation: why it was given
    ///   - responseId: answer that was judged
    public static func scorerRun(
        scorerId: String? = nil,
        scorerName: String? = nil,
        scoreSource: String? = nil,
        targetScope: String? = nil,
        targetEntityType: String? = nil,
        scorerDefinition: String? = nil,
        score: Double? = nil,
        label: String? = nil,
        explanation: String? = nil,
        responseId: String? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("scorer_id", scorerId)
        found.add("scorer_name", scorerName)
        found.add("score_source", scoreSource)
        found.add("target_scope", targetScope)
        found.add("target_entity_type", targetEntityType)
        found.add("scorer_definition", scorerDefinition)
        found.add("score", score)
        found.add("label", label)
        found.add("explanation", explanation)
        found.add("response_id", responseId)
        return found
    }

    /// A step of a scorer.
    ///
    /// - Parameters:
    ///   - step: name of the step
    ///   - stepType: `function` or `prompt`
    ///   - prompt: prompt of the step
    ///   - judgeModel: model that judges
    public static func scorerStep(
        step: String? = nil,
        stepType: String? = nil,
        prompt: String? = nil,
        judgeModel: String? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("step", step)
        found.add("step_type", stepType)
        found.add("prompt", prompt)
        found.add("judge_model", judgeModel)
        return found
    }

    /// An evaluation by any other framework.
    ///
    /// - Parameters:
    ///   - evaluationName: what is evaluated; the span's name by default
    ///   - score: score that was given
    ///   - label: what the score means
    ///   - explanation: why it was given
    ///   - responseId: answer that was judged
    public static func evaluation(
        evaluationName: String? = nil,
        score: Double? = nil,
        label: String? = nil,
        explanation: String? = nil,
        responseId: String? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("evaluation_name", evaluationName)
        found.add("score", score)
        found.add("label", label)
        found.add("explanation", explanation)
        found.add("response_id", responseId)
        return found
    }

    /// A mapping between the values of two steps.
    ///
    /// - Parameters:
    ///   - mappingType: kind of mapping
    ///   - toolCallId: call of a tool it belongs to
    public static func mapping(
        mappingType: String? = nil,
        toolCallId: String? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("mapping_type", mappingType)
        found.add("tool_call_id", toolCallId)
        return found
    }

    /// An action in a workspace: files, sandbox, search.
    ///
    /// - Parameters:
    ///   - processorExecutor: `workflow` or `legacy`
    ///   - processorIndex: place of the processor in its chain
    ///   - processorPhase: which hook ran, such as `input` or `outputStream`
    ///   - hookDurationMs: time in the hook, in milliseconds
    ///   - messageListMutations: what was added to or removed from the messages
    ///   - tripwireAbort: why processing was stopped: reason, retry, metadata
    ///   - category: `filesystem`, `sandbox`, `search`, `skill`, `mount` or `computer`
    ///   - workspaceId: id of the workspace
    ///   - workspaceName: name of the workspace
    ///   - sandboxProvider: what runs the sandbox
    ///   - filesystemProvider: what keeps the files
    ///   - success: whether it was done
    public static func workspaceAction(
        processorExecutor: String? = nil,
        processorIndex: Int? = nil,
        processorPhase: String? = nil,
        hookDurationMs: Double? = nil,
        messageListMutations: Any? = nil,
        tripwireAbort: Any? = nil,
        category: String? = nil,
        workspaceId: String? = nil,
        workspaceName: String? = nil,
        sandboxProvider: String? = nil,
        filesystemProvider: String? = nil,
        success: Bool? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("processor_executor", processorExecutor)
        found.add("processor_index", processorIndex)
        found.add("processor_phase", processorPhase)
        found.add("hook_duration_ms", hookDurationMs)
        found.add("message_list_mutations", messageListMutations)
        found.add("tripwire_abort", tripwireAbort)
        found.add("category", category)
        found.add("workspace_id", workspaceId)
        found.add("workspace_name", workspaceName)
        found.add("sandbox_provider", sandboxProvider)
        found.add("filesystem_provider", filesystemProvider)
        found.add("success", success)
        return found
    }

    /// A skill resolved, searched, read, injected or activated.
    ///
    /// - Parameters:
    ///   - processorExecutor: `workflow` or `legacy`
    ///   - processorIndex: place of the processor in its chain
    ///   - processorPhase: which hook ran, such as `input` or `outputStream`
    ///   - hookDurationMs: time in the hook, in milliseconds
    ///   - messageListMutations: what was added to or removed from the messages
    ///   - tripwireAbort: why processing was stopped: reason, retry, metadata
    ///   - operation: `resolve`, `inject`, `activate`, `search` or `read`
    ///   - agentId: agent that uses it
    ///   - skillName: name of the skill
    ///   - skillFormat: form in which it is stored
    ///   - skillCount: how many were found
    ///   - success: whether it was done
    public static func skillAction(
        processorExecutor: String? = nil,
        processorIndex: Int? = nil,
        processorPhase: String? = nil,
        hookDurationMs: Double? = nil,
        messageListMutations: Any? = nil,
        tripwireAbort: Any? = nil,
        operation: String? = nil,
        agentId: String? = nil,
        skillName: String? = nil,
        skillFormat: String? = nil,
        skillCount: Int? = nil,
        success: Bool? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("processor_executor", processorExecutor)
        found.add("processor_index", processorIndex)
        found.add("processor_phase", processorPhase)
        found.add("hook_duration_ms", hookDurationMs)
        found.add("message_list_mutations", messageListMutations)
        found.add("tripwire_abort", tripwireAbort)
        found.add("operation", operation)
        found.add("agent_id", agentId)
        found.add("skill_name", skillName)
        found.add("skill_format", skillFormat)
        found.add("skill_count", skillCount)
        found.add("success", success)
        return found
    }

    /// An action on a knowledge graph.
    ///
    /// - Parameters:
    ///   - action: `build`, `traverse`, `update` or `prune`
    ///   - nodeCount: nodes of the graph
    ///   - edgeCount: edges of the graph
    ///   - threshold: lowest similarity for an edge
    ///   - startNodes: nodes to start from
    ///   - maxDepth: longest way from there
    public static func graphAction(
        action: String? = nil,
        nodeCount: Int? = nil,
        edgeCount: Int? = nil,
        threshold: Double? = nil,
        startNodes: Int? = nil,
        maxDepth: Int? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("action", action)
        found.add("node_count", nodeCount)
        found.add("edge_count", edgeCount)
        found.add("threshold", threshold)
        found.add("start_nodes", startNodes)
        found.add("max_depth", maxDepth)
        return found
    }

    /// The evaluation of a classifier.
    ///
    /// - Parameters:
    ///   - classifierId: id of the classifier
    ///   - modelId: model that classifies
    ///   - provider: provider of that model
    ///   - errorType: what failed
    ///   - questionTypes: kinds of questions
    ///   - questionCount: how many questions
    ///   - maxRetries: most attempts after the first
    ///   - attemptCount: attempts that were made
    ///   - retryCount: those after the first
    ///   - durationMs: time it took, in milliseconds
    ///   - usage: token counts; see below
    public static func classifierEvaluation(
        classifierId: String? = nil,
        modelId: String? = nil,
        provider: String? = nil,
        errorType: String? = nil,
        questionTypes: Any? = nil,
        questionCount: Int? = nil,
        maxRetries: Int? = nil,
        attemptCount: Int? = nil,
        retryCount: Int? = nil,
        durationMs: Double? = nil,
        usage: Any? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("classifier_id", classifierId)
        found.add("model_id", modelId)
        found.add("provider", provider)
        found.add("error_type", errorType)
        found.add("question_types", questionTypes)
        found.add("question_count", questionCount)
        found.add("max_retries", maxRetries)
        found.add("attempt_count", attemptCount)
        found.add("retry_count", retryCount)
        found.add("duration_ms", durationMs)
        found.add("usage", usage)
        return found
    }

    /// A signal that an agent received or sent.
    ///
    /// - Parameters:
    ///   - stateId: state it is about
    ///   - tagName: tag it is sent under
    ///   - processorId: processor that sent it
    ///   - mode: `snapshot` or `delta`
    public static func agentSignal(
        stateId: String? = nil,
        tagName: String? = nil,
        processorId: String? = nil,
        mode: String? = nil
    ) -> Attributes {
        var found = Attributes()
        found.add("state_id", stateId)
        found.add("tag_name", tagName)
        found.add("processor_id", processorId)
        found.add("mode", mode)
        return found
    }

    private mutating func add(_ name: String, _ value: Any?) {
        if let value { pairs.append((name, Value(value))) }
    }
}
