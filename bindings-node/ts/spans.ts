// Spans by their type: for each a function that records one, with its attributes as typed options.
//
// `tool('search', { toolCallId: 'c1', input: query }, body)` is `span('search', { type: 'tool', ... }, body)` with
// options that an editor completes and the compiler knows. What the attributes are called on the wire stands in
// `docs/ai-spans.md`.
//
// Written by `tools/spans.mjs` from the table of span types.

import { typed } from './typed'

/** What the tokens of the input or output are. */
export interface TokenDetails {
  text?: number
  image?: number
  audio?: number
  cacheRead?: number
  cacheWrite?: number
  cacheWrite5m?: number
  cacheWrite1h?: number
  reasoning?: number
}

/** Token counts of a call. The names that providers and libraries use are understood as well. */
export interface Usage {
  /** tokens of the input, cached ones included */
  inputTokens?: number
  /** tokens of the output, reasoning included */
  outputTokens?: number
  totalTokens?: number
  inputDetails?: TokenDetails
  outputDetails?: TokenDetails
}

/** Attributes of spans of type `agent`. */
export interface AgentAttributes {
  /** name of the agent; the span's name by default */
  agentName?: string
  /** id of an agent hosted by a provider */
  agentId?: string
  /** what the agent is for */
  agentDescription?: string
  /** version of the agent */
  agentVersion?: string
  /** conversation it belongs to */
  conversationId?: string
  /** instructions of the agent */
  instructions?: string | readonly unknown[]
  /** tools it may use, by name or definition */
  availableTools?: readonly unknown[] | Readonly<Record<string, unknown>>
  /** prompt it was given */
  prompt?: string
  /** most steps it may take */
  maxSteps?: number
  /** version that was chosen */
  resolvedVersionId?: string
  /** model it was told to use */
  model?: string
  /** provider of a remote agent */
  provider?: string
  /** why it stopped */
  finishReason?: string | readonly string[]
  /** token counts of all its calls; see below */
  usage?: Usage | Readonly<Record<string, unknown>>
  /** why it was stopped: reason, processor, metadata */
  tripwireAbort?: unknown
}

/** One run of an agent. */
export const agent = typed<AgentAttributes>('agent')

/** Attributes of spans of type `workflow`. */
export interface WorkflowAttributes {
  /** name of the workflow; the span's by default */
  workflowName?: string
  /** id of the workflow */
  workflowId?: string
  /** `success`, `failed`, `suspended` and the like */
  status?: string
}

/** One run of a workflow. */
export const workflow = typed<WorkflowAttributes>('workflow')

/** Attributes of spans of type `workflow_step`. */
export interface WorkflowStepAttributes {
  /** id of the step */
  stepId?: string
  /** `success`, `failed`, `suspended` and the like */
  status?: string
  /** id of the entry */
  entryId?: string
  /** what the entry is for */
  entryDescription?: string
  /** metadata of the entry */
  entryMetadata?: unknown
}

/** A step of a workflow. */
export const workflowStep = typed<WorkflowStepAttributes>('workflow_step')

/** Attributes of spans of type `workflow_conditional`. */
export interface WorkflowConditionalAttributes {
  /** how many conditions there are */
  conditionCount?: number
  /** places of those that held */
  truthyIndexes?: unknown
  /** steps that were chosen */
  selectedSteps?: string | readonly string[]
  /** id of the entry */
  entryId?: string
  /** what the entry is for */
  entryDescription?: string
  /** metadata of the entry */
  entryMetadata?: unknown
}

/** A branching point of a workflow. */
export const workflowConditional = typed<WorkflowConditionalAttributes>('workflow_conditional')

/** Attributes of spans of type `workflow_conditional_eval`. */
export interface WorkflowConditionalEvalAttributes {
  /** place of the condition, from 0 */
  conditionIndex?: number
  /** whether it held */
  result?: boolean
}

/** The evaluation of one condition of a branching point. */
export const workflowConditionalEval = typed<WorkflowConditionalEvalAttributes>('workflow_conditional_eval')

/** Attributes of spans of type `workflow_parallel`. */
export interface WorkflowParallelAttributes {
  /** how many branches there are */
  branchCount?: number
  /** their steps */
  parallelSteps?: string | readonly string[]
  /** id of the entry */
  entryId?: string
  /** what the entry is for */
  entryDescription?: string
  /** metadata of the entry */
  entryMetadata?: unknown
}

/** Parallel branches of a workflow. */
export const workflowParallel = typed<WorkflowParallelAttributes>('workflow_parallel')

/** Attributes of spans of type `workflow_loop`. */
export interface WorkflowLoopAttributes {
  /** `foreach`, `dowhile` or `dountil` */
  loopType?: string
  /** iteration at hand */
  iteration?: number
  /** how many there are */
  totalIterations?: number
  /** how many run at the same time */
  concurrency?: number
  /** id of the entry */
  entryId?: string
  /** what the entry is for */
  entryDescription?: string
  /** metadata of the entry */
  entryMetadata?: unknown
}

/** A loop of a workflow. */
export const workflowLoop = typed<WorkflowLoopAttributes>('workflow_loop')

/** Attributes of spans of type `workflow_sleep`. */
export interface WorkflowSleepAttributes {
  /** length of the pause, in milliseconds */
  durationMs?: number
  /** when it ends */
  untilDate?: Date | number | string
  /** `fixed` or `dynamic` */
  sleepType?: string
  /** id of the entry */
  entryId?: string
  /** what the entry is for */
  entryDescription?: string
  /** metadata of the entry */
  entryMetadata?: unknown
}

/** A pause of a workflow. */
export const workflowSleep = typed<WorkflowSleepAttributes>('workflow_sleep')

/** Attributes of spans of type `workflow_wait_event`. */
export interface WorkflowWaitEventAttributes {
  /** event that is waited for */
  eventName?: string
  /** longest wait, in milliseconds */
  timeoutMs?: number
  /** whether it came */
  eventReceived?: boolean
  /** length of the wait, in milliseconds */
  waitDurationMs?: number
}

/** A wait for an event in a workflow. */
export const workflowWaitEvent = typed<WorkflowWaitEventAttributes>('workflow_wait_event')

/** Attributes of spans of type `model_generation`. */
export interface ModelGenerationAttributes {
  /** model that was asked for */
  model?: string
  /** provider, such as `openai` */
  provider?: string
  /** model that answered */
  responseModel?: string
  /** temperature */
  temperature?: number
  /** nucleus sampling */
  topP?: number
  /** top-k sampling */
  topK?: number
  /** most tokens of the answer */
  maxTokens?: number
  /** the same */
  maxOutputTokens?: number
  /** frequency penalty */
  frequencyPenalty?: number
  /** presence penalty */
  presencePenalty?: number
  /** texts at which to stop */
  stopSequences?: string | readonly string[]
  /** seed of the sampling */
  seed?: number
  /** how many answers */
  choiceCount?: number
  /** formats of embeddings */
  encodingFormats?: string | readonly string[]
  /** effort of reasoning */
  reasoningLevel?: string
  /** answer that this one continues */
  previousResponseId?: string
  /** token counts; see below */
  usage?: Usage | Readonly<Record<string, unknown>>
  /** tokens of the input, cached ones included */
  inputTokens?: number
  /** tokens of the output */
  outputTokens?: number
  /** `chat`, `generate_content` or `text_completion` */
  operation?: string
  /** id of the answer */
  responseId?: string
  /** why the model stopped */
  finishReason?: string | readonly string[]
  /** the same, for each choice */
  finishReasons?: string | readonly string[]
  /** whether the answer was streamed */
  streaming?: boolean
  /** when the first output came */
  completionStartTime?: Date | number | string
  /** seconds until the first output */
  timeToFirstChunk?: number
  /** request parameters by name, as a map */
  parameters?: Readonly<Record<string, unknown>>
  /** system instructions */
  instructions?: string | readonly unknown[]
  /** tools the model may ask for */
  tools?: readonly unknown[] | Readonly<Record<string, unknown>>
  /** conversation it belongs to */
  conversationId?: string
  /** id of the agent that calls */
  agentId?: string
  /** name of the agent that calls */
  agentName?: string
  /** `text`, `json`, `image` or `speech` */
  outputType?: string
  /** name of the prompt */
  promptName?: string
  /** version of the prompt */
  promptVersion?: string
  /** `tool_selection`, `response_generation`, `reasoning` or `planning` */
  resultType?: string
  /** estimated cost, its unit and what it is based on */
  costContext?: unknown
  /** host name or address of the server */
  serverAddress?: string
  /** port of the server */
  serverPort?: number
}

/** A call of a model as the application sees it, with all its steps. */
export const modelGeneration = typed<ModelGenerationAttributes>('model_generation')

/** Attributes of spans of type `model_step`. */
export interface ModelStepAttributes {
  /** place of the step, from 0 */
  stepIndex?: number
  /** token counts of the step; see below */
  usage?: Usage | Readonly<Record<string, unknown>>
  /** why the step ended */
  finishReason?: string
  /** whether another step follows */
  isContinued?: boolean
  /** what the provider warned of */
  warnings?: unknown
}

/** One step of a generation: an answer of the model and the tools it asked for. */
export const modelStep = typed<ModelStepAttributes>('model_step')

/** Attributes of spans of type `model_inference`. */
export interface ModelInferenceAttributes {
  /** model that was asked for */
  model?: string
  /** provider, such as `openai` */
  provider?: string
  /** model that answered */
  responseModel?: string
  /** temperature */
  temperature?: number
  /** nucleus sampling */
  topP?: number
  /** top-k sampling */
  topK?: number
  /** most tokens of the answer */
  maxTokens?: number
  /** the same */
  maxOutputTokens?: number
  /** frequency penalty */
  frequencyPenalty?: number
  /** presence penalty */
  presencePenalty?: number
  /** texts at which to stop */
  stopSequences?: string | readonly string[]
  /** seed of the sampling */
  seed?: number
  /** how many answers */
  choiceCount?: number
  /** formats of embeddings */
  encodingFormats?: string | readonly string[]
  /** effort of reasoning */
  reasoningLevel?: string
  /** answer that this one continues */
  previousResponseId?: string
  /** token counts; see below */
  usage?: Usage | Readonly<Record<string, unknown>>
  /** tokens of the input, cached ones included */
  inputTokens?: number
  /** tokens of the output */
  outputTokens?: number
  /** `chat`, `generate_content` or `text_completion` */
  operation?: string
  /** id of the answer */
  responseId?: string
  /** why the model stopped */
  finishReason?: string | readonly string[]
  /** the same, for each choice */
  finishReasons?: string | readonly string[]
  /** whether the answer was streamed */
  streaming?: boolean
  /** when the first output came */
  completionStartTime?: Date | number | string
  /** seconds until the first output */
  timeToFirstChunk?: number
  /** request parameters by name, as a map */
  parameters?: Readonly<Record<string, unknown>>
  /** system instructions */
  instructions?: string | readonly unknown[]
  /** tools the model may ask for */
  tools?: readonly unknown[] | Readonly<Record<string, unknown>>
  /** conversation it belongs to */
  conversationId?: string
  /** id of the agent that calls */
  agentId?: string
  /** name of the agent that calls */
  agentName?: string
  /** `text`, `json`, `image` or `speech` */
  outputType?: string
  /** name of the prompt */
  promptName?: string
  /** version of the prompt */
  promptVersion?: string
  /** `tool_selection`, `response_generation`, `reasoning` or `planning` */
  resultType?: string
  /** estimated cost, its unit and what it is based on */
  costContext?: unknown
  /** host name or address of the server */
  serverAddress?: string
  /** port of the server */
  serverPort?: number
  /** step of the generation it belongs to, from 0 */
  stepIndex?: number
  /** what the provider warned of */
  warnings?: unknown
  /** options that only this provider has */
  providerOptions?: unknown
  /** names of the tools on offer */
  availableTools?: string | readonly string[]
  /** `auto`, `none`, `required` or one tool */
  toolChoice?: unknown
  /** `text`, `json` or a schema */
  responseFormat?: unknown
}

/** One request to a model provider. */
export const modelInference = typed<ModelInferenceAttributes>('model_inference')

/** Attributes of spans of type `model_chunk`. */
export interface ModelChunkAttributes {
  /** `text`, `reasoning`, `tool-call` or `object` */
  chunkType?: string
  /** place in the stream, from 0 */
  sequenceNumber?: number
}

/** A run of streamed model output of one kind. */
export const modelChunk = typed<ModelChunkAttributes>('model_chunk')

/** Attributes of spans of type `tool`. */
export interface ToolAttributes {
  /** name of the tool; the span's name by default */
  toolName?: string
  /** `function`, `extension` or `datastore` */
  toolType?: string
  /** what the tool is for */
  toolDescription?: string
  /** id of the call that the model made */
  toolCallId?: string
  /** whether the tool did what it was asked for */
  success?: boolean
}

/** A tool run by the application. */
export const tool = typed<ToolAttributes>('tool')

/** Attributes of spans of type `mcp_tool`. */
export interface McpToolAttributes {
  /** name of the tool; the span's name by default */
  toolName?: string
  /** `function`, `extension` or `datastore` */
  toolType?: string
  /** what the tool is for */
  toolDescription?: string
  /** id of the call that the model made */
  toolCallId?: string
  /** whether the tool did what it was asked for */
  success?: boolean
  /** method of the protocol */
  mcpMethod?: string
  /** name of the server */
  mcpServer?: string
  /** version of the server */
  serverVersion?: string
  /** session of the protocol */
  mcpSessionId?: string
  /** version of the protocol */
  mcpProtocolVersion?: string
  /** id of the request */
  jsonrpcRequestId?: string
  /** resource that was read */
  resourceUri?: string
  /** `pipe`, `tcp` or `quic` */
  networkTransport?: string
  /** host name or address of the server */
  serverAddress?: string
  /** port of the server */
  serverPort?: number
}

/** A tool run through the Model Context Protocol. */
export const mcpTool = typed<McpToolAttributes>('mcp_tool')

/** Attributes of spans of type `provider_tool`. */
export interface ProviderToolAttributes {
  /** name of the tool; the span's name by default */
  toolName?: string
  /** `function`, `extension` or `datastore` */
  toolType?: string
  /** what the tool is for */
  toolDescription?: string
  /** id of the call that the model made */
  toolCallId?: string
  /** whether the tool did what it was asked for */
  success?: boolean
}

/** A tool run by the model provider. */
export const providerTool = typed<ProviderToolAttributes>('provider_tool')

/** Attributes of spans of type `client_tool`. */
export interface ClientToolAttributes {
  /** name of the tool; the span's name by default */
  toolName?: string
  /** `function`, `extension` or `datastore` */
  toolType?: string
  /** what the tool is for */
  toolDescription?: string
  /** id of the call that the model made */
  toolCallId?: string
  /** whether the tool did what it was asked for */
  success?: boolean
  /** where it ran, such as `browser` */
  clientEnvironment?: string
}

/** A tool run by the client of the application. */
export const clientTool = typed<ClientToolAttributes>('client_tool')

/** Attributes of spans of type `mcp_server_request`. */
export interface McpServerRequestAttributes {
  /** method of the protocol */
  mcpMethod?: string
  /** name of the server */
  mcpServer?: string
  /** version of the server */
  serverVersion?: string
  /** session of the protocol */
  mcpSessionId?: string
  /** version of the protocol */
  mcpProtocolVersion?: string
  /** id of the request */
  jsonrpcRequestId?: string
  /** resource that was read */
  resourceUri?: string
  /** `pipe`, `tcp` or `quic` */
  networkTransport?: string
  /** tool that was called */
  toolName?: string
  /** prompt that was asked for */
  promptName?: string
  /** tool or prompt, whichever the method is about */
  targetName?: string
  /** name of the client */
  clientName?: string
  /** version of the client */
  clientVersion?: string
  /** address of the client */
  clientAddress?: string
}

/** A request served by a Model Context Protocol server. */
export const mcpServerRequest = typed<McpServerRequestAttributes>('mcp_server_request')

/** Attributes of spans of type `processor`. */
export interface ProcessorAttributes {
  /** `workflow` or `legacy` */
  processorExecutor?: string
  /** place of the processor in its chain */
  processorIndex?: number
  /** which hook ran, such as `input` or `outputStream` */
  processorPhase?: string
  /** time in the hook, in milliseconds */
  hookDurationMs?: number
  /** what was added to or removed from the messages */
  messageListMutations?: unknown
  /** why processing was stopped: reason, retry, metadata */
  tripwireAbort?: unknown
}

/** A processor of input or output, guardrails among them. */
export const processor = typed<ProcessorAttributes>('processor')

/** Attributes of spans of type `memory_lookup`. */
export interface MemoryLookupAttributes {
  /** `search_memory`, `upsert_memory` and the like */
  operation?: string
  /** service that keeps the memory */
  provider?: string
  /** id of the store */
  storeId?: string
  /** id of the record */
  recordId?: string
  /** how many records */
  recordCount?: number
  /** what is searched for */
  query?: string
  /** most records to return */
  topK?: number
  /** lowest similarity to return */
  minScore?: number
  /** host name or address of the server */
  serverAddress?: string
  /** port of the server */
  serverPort?: number
}

/** A search of memory. */
export const memoryLookup = typed<MemoryLookupAttributes>('memory_lookup')

/** Attributes of spans of type `memory_update`. */
export interface MemoryUpdateAttributes {
  /** `search_memory`, `upsert_memory` and the like */
  operation?: string
  /** service that keeps the memory */
  provider?: string
  /** id of the store */
  storeId?: string
  /** id of the record */
  recordId?: string
  /** how many records */
  recordCount?: number
  /** host name or address of the server */
  serverAddress?: string
  /** port of the server */
  serverPort?: number
}

/** A change of memory. */
export const memoryUpdate = typed<MemoryUpdateAttributes>('memory_update')

/** Attributes of spans of type `memory_operation`. */
export interface MemoryOperationAttributes {
  /** `workflow` or `legacy` */
  processorExecutor?: string
  /** place of the processor in its chain */
  processorIndex?: number
  /** which hook ran, such as `input` or `outputStream` */
  processorPhase?: string
  /** time in the hook, in milliseconds */
  hookDurationMs?: number
  /** what was added to or removed from the messages */
  messageListMutations?: unknown
  /** why processing was stopped: reason, retry, metadata */
  tripwireAbort?: unknown
  /** `recall`, `save`, `delete`, `update`, `observe` or `reflect` */
  operationType?: string
  /** messages that were recalled or saved */
  messageCount?: number
  /** tokens that were embedded */
  embeddingTokens?: number
  /** results of the vector search */
  vectorResultCount?: number
  /** tokens that were observed */
  inputTokens?: number
  /** whether semantic recall is on */
  semanticRecallEnabled?: boolean
  /** whether working memory is on */
  workingMemoryEnabled?: boolean
  /** whether several threads are searched */
  multiThread?: boolean
  /** how many last messages, or false */
  lastMessages?: unknown
  /** model that observes or reflects */
  selectedModel?: string
}

/** Any other operation on memory. */
export const memoryOperation = typed<MemoryOperationAttributes>('memory_operation')

/** Attributes of spans of type `rag_query`. */
export interface RagQueryAttributes {
  /** what is searched */
  dataSourceId?: string
  /** what is searched for */
  query?: string
  /** most documents to return */
  topK?: number
  /** what was found: `id`, `score`, `content` */
  documents?: unknown
  /** service that searches */
  provider?: string
  /** model that embeds the query */
  model?: string
  /** vector store */
  store?: string
  /** index of the store */
  indexName?: string
  /** lowest relevance to return */
  minScore?: number
  /** host name or address of the server */
  serverAddress?: string
  /** port of the server */
  serverPort?: number
}

/** A query of a retrieval pipeline. */
export const ragQuery = typed<RagQueryAttributes>('rag_query')

/** Attributes of spans of type `rag_ingestion`. */
export interface RagIngestionAttributes {
  /** name of the pipeline */
  pipelineName?: string
  /** vector store */
  vectorStore?: string
  /** index of the store */
  indexName?: string
  /** model that embeds */
  embeddingModel?: string
  /** provider of that model */
  embeddingProvider?: string
  /** how many documents */
  sourceCount?: number
}

/** The ingestion of documents. */
export const ragIngestion = typed<RagIngestionAttributes>('rag_ingestion')

/** Attributes of spans of type `rag_embedding`. */
export interface RagEmbeddingAttributes {
  /** model that was asked for */
  model?: string
  /** provider, such as `openai` */
  provider?: string
  /** model that answered */
  responseModel?: string
  /** length of a vector */
  dimensions?: number
  /** formats of the vectors */
  encodingFormats?: string | readonly string[]
  /** how many texts */
  inputCount?: number
  /** `ingest` or `query` */
  mode?: string
  /** token counts; see below */
  usage?: Usage | Readonly<Record<string, unknown>>
  /** tokens of the input */
  inputTokens?: number
  /** host name or address of the server */
  serverAddress?: string
  /** port of the server */
  serverPort?: number
}

/** Embeddings made for retrieval. */
export const ragEmbedding = typed<RagEmbeddingAttributes>('rag_embedding')

/** Attributes of spans of type `rag_vector_operation`. */
export interface RagVectorOperationAttributes {
  /** `query`, `upsert`, `delete` or `fetch` */
  operation?: string
  /** vector store */
  store?: string
  /** index of the store */
  indexName?: string
  /** most results to return */
  topK?: number
  /** length of a vector */
  dimensions?: number
  /** host name or address of the server */
  serverAddress?: string
  /** port of the server */
  serverPort?: number
}

/** An operation on a vector store. */
export const ragVectorOperation = typed<RagVectorOperationAttributes>('rag_vector_operation')

/** Attributes of spans of type `rag_action`. */
export interface RagActionAttributes {
  /** `chunk`, `extract_metadata` or `rerank` */
  action?: string
  /** how text is cut into chunks */
  strategy?: string
  /** size of a chunk */
  chunkSize?: number
  /** what chunks have in common */
  chunkOverlap?: number
  /** what extracts the metadata */
  extractor?: string
  /** model that extracts or ranks */
  model?: string
  /** provider of that model */
  provider?: string
  /** documents to rank */
  candidateCount?: number
  /** documents to keep */
  topN?: number
  /** what ranks */
  scorer?: string
}

/** Chunking, metadata extraction or reranking. */
export const ragAction = typed<RagActionAttributes>('rag_action')

/** Attributes of spans of type `embedding_generation`. */
export interface EmbeddingGenerationAttributes {
  /** model that was asked for */
  model?: string
  /** provider, such as `openai` */
  provider?: string
  /** model that answered */
  responseModel?: string
  /** length of a vector */
  dimensions?: number
  /** formats of the vectors */
  encodingFormats?: string | readonly string[]
  /** how many texts */
  inputCount?: number
  /** `ingest` or `query` */
  mode?: string
  /** token counts; see below */
  usage?: Usage | Readonly<Record<string, unknown>>
  /** tokens of the input */
  inputTokens?: number
  /** host name or address of the server */
  serverAddress?: string
  /** port of the server */
  serverPort?: number
}

/** Embeddings made for any other use. */
export const embeddingGeneration = typed<EmbeddingGenerationAttributes>('embedding_generation')

/** Attributes of spans of type `scorer_run`. */
export interface ScorerRunAttributes {
  /** id of the scorer */
  scorerId?: string
  /** name of the scorer; the span's by default */
  scorerName?: string
  /** `live`, `trace` or `experiment` */
  scoreSource?: string
  /** `span` or `trajectory` */
  targetScope?: string
  /** what was scored */
  targetEntityType?: string
  /** `code`, `stored` or `fs` */
  scorerDefinition?: string
  /** score that was given */
  score?: number
  /** what the score means */
  label?: string
  /** why it was given */
  explanation?: string
  /** answer that was judged */
  responseId?: string
}

/** One run of a scorer. */
export const scorerRun = typed<ScorerRunAttributes>('scorer_run')

/** Attributes of spans of type `scorer_step`. */
export interface ScorerStepAttributes {
  /** name of the step */
  step?: string
  /** `function` or `prompt` */
  stepType?: string
  /** prompt of the step */
  prompt?: string
  /** model that judges */
  judgeModel?: string
}

/** A step of a scorer. */
export const scorerStep = typed<ScorerStepAttributes>('scorer_step')

/** Attributes of spans of type `evaluation`. */
export interface EvaluationAttributes {
  /** what is evaluated; the span's name by default */
  evaluationName?: string
  /** score that was given */
  score?: number
  /** what the score means */
  label?: string
  /** why it was given */
  explanation?: string
  /** answer that was judged */
  responseId?: string
}

/** An evaluation by any other framework. */
export const evaluation = typed<EvaluationAttributes>('evaluation')

/** Attributes of spans of type `mapping`. */
export interface MappingAttributes {
  /** kind of mapping */
  mappingType?: string
  /** call of a tool it belongs to */
  toolCallId?: string
}

/** A mapping between the values of two steps. */
export const mapping = typed<MappingAttributes>('mapping')

/** Attributes of spans of type `workspace_action`. */
export interface WorkspaceActionAttributes {
  /** `workflow` or `legacy` */
  processorExecutor?: string
  /** place of the processor in its chain */
  processorIndex?: number
  /** which hook ran, such as `input` or `outputStream` */
  processorPhase?: string
  /** time in the hook, in milliseconds */
  hookDurationMs?: number
  /** what was added to or removed from the messages */
  messageListMutations?: unknown
  /** why processing was stopped: reason, retry, metadata */
  tripwireAbort?: unknown
  /** `filesystem`, `sandbox`, `search`, `skill`, `mount` or `computer` */
  category?: string
  /** id of the workspace */
  workspaceId?: string
  /** name of the workspace */
  workspaceName?: string
  /** what runs the sandbox */
  sandboxProvider?: string
  /** what keeps the files */
  filesystemProvider?: string
  /** whether it was done */
  success?: boolean
}

/** An action in a workspace: files, sandbox, search. */
export const workspaceAction = typed<WorkspaceActionAttributes>('workspace_action')

/** Attributes of spans of type `skill_action`. */
export interface SkillActionAttributes {
  /** `workflow` or `legacy` */
  processorExecutor?: string
  /** place of the processor in its chain */
  processorIndex?: number
  /** which hook ran, such as `input` or `outputStream` */
  processorPhase?: string
  /** time in the hook, in milliseconds */
  hookDurationMs?: number
  /** what was added to or removed from the messages */
  messageListMutations?: unknown
  /** why processing was stopped: reason, retry, metadata */
  tripwireAbort?: unknown
  /** `resolve`, `inject`, `activate`, `search` or `read` */
  operation?: string
  /** agent that uses it */
  agentId?: string
  /** name of the skill */
  skillName?: string
  /** form in which it is stored */
  skillFormat?: string
  /** how many were found */
  skillCount?: number
  /** whether it was done */
  success?: boolean
}

/** A skill resolved, searched, read, injected or activated. */
export const skillAction = typed<SkillActionAttributes>('skill_action')

/** Attributes of spans of type `graph_action`. */
export interface GraphActionAttributes {
  /** `build`, `traverse`, `update` or `prune` */
  action?: string
  /** nodes of the graph */
  nodeCount?: number
  /** edges of the graph */
  edgeCount?: number
  /** lowest similarity for an edge */
  threshold?: number
  /** nodes to start from */
  startNodes?: number
  /** longest way from there */
  maxDepth?: number
}

/** An action on a knowledge graph. */
export const graphAction = typed<GraphActionAttributes>('graph_action')

/** Attributes of spans of type `classifier_evaluation`. */
export interface ClassifierEvaluationAttributes {
  /** id of the classifier */
  classifierId?: string
  /** model that classifies */
  modelId?: string
  /** provider of that model */
  provider?: string
  /** what failed */
  errorType?: string
  /** kinds of questions */
  questionTypes?: string | readonly string[]
  /** how many questions */
  questionCount?: number
  /** most attempts after the first */
  maxRetries?: number
  /** attempts that were made */
  attemptCount?: number
  /** those after the first */
  retryCount?: number
  /** time it took, in milliseconds */
  durationMs?: number
  /** token counts; see below */
  usage?: Usage | Readonly<Record<string, unknown>>
}

/** The evaluation of a classifier. */
export const classifierEvaluation = typed<ClassifierEvaluationAttributes>('classifier_evaluation')

/** Attributes of spans of type `agent_signal`. */
export interface AgentSignalAttributes {
  /** state it is about */
  stateId?: string
  /** tag it is sent under */
  tagName?: string
  /** processor that sent it */
  processorId?: string
  /** `snapshot` or `delta` */
  mode?: string
}

/** A signal that an agent received or sent. */
export const agentSignal = typed<AgentSignalAttributes>('agent_signal')
