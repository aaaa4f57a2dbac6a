//! Workflows and their control flow.

use super::{AttributeInfo, Content, Form, PLAIN, TypeInfo, known, own};
use crate::kinds::SpanType;

const STATUS: AttributeInfo = own("status", Form::Text, "`success`, `failed`, `suspended` and the like");

/// What every entry of a workflow may say of itself.
const ENTRY: &[AttributeInfo] = &[
    own("entry_id", Form::Text, "id of the entry"),
    own("entry_description", Form::Text, "what the entry is for"),
    own("entry_metadata", Form::Any, "metadata of the entry"),
];

pub(super) const TYPES: &[TypeInfo] = &[
    TypeInfo {
        span_type: SpanType::Workflow,
        about: "One run of a workflow",
        operation: Some("invoke_workflow"),
        subject: &["gen_ai.workflow.name"],
        name_is: Some("gen_ai.workflow.name"),
        input: Content::Chat,
        output: Content::Chat,
        attributes: &[&[
            known(
                "workflow_name",
                "gen_ai.workflow.name",
                Form::Text,
                "name of the workflow; the span's by default",
            ),
            own("workflow_id", Form::Text, "id of the workflow"),
            STATUS,
        ]],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::WorkflowStep,
        about: "A step of a workflow",
        attributes: &[&[own("step_id", Form::Text, "id of the step"), STATUS], ENTRY],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::WorkflowConditional,
        about: "A branching point of a workflow",
        attributes: &[
            &[
                own("condition_count", Form::Integer, "how many conditions there are"),
                own("truthy_indexes", Form::Any, "places of those that held"),
                own("selected_steps", Form::Texts, "steps that were chosen"),
            ],
            ENTRY,
        ],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::WorkflowConditionalEval,
        about: "The evaluation of one condition of a branching point",
        attributes: &[&[
            own("condition_index", Form::Integer, "place of the condition, from 0"),
            own("result", Form::Truth, "whether it held"),
        ]],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::WorkflowParallel,
        about: "Parallel branches of a workflow",
        attributes: &[
            &[
                own("branch_count", Form::Integer, "how many branches there are"),
                own("parallel_steps", Form::Texts, "their steps"),
            ],
            ENTRY,
        ],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::WorkflowLoop,
        about: "A loop of a workflow",
        attributes: &[
            &[
                own("loop_type", Form::Text, "`foreach`, `dowhile` or `dountil`"),
                own("iteration", Form::Integer, "iteration at hand"),
                own("total_iterations", Form::Integer, "how many there are"),
                own("concurrency", Form::Integer, "how many run at the same time"),
            ],
            ENTRY,
        ],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::WorkflowSleep,
        about: "A pause of a workflow",
        attributes: &[
            &[
                own("duration_ms", Form::Number, "length of the pause, in milliseconds"),
                own("until_date", Form::Time, "when it ends"),
                own("sleep_type", Form::Text, "`fixed` or `dynamic`"),
            ],
            ENTRY,
        ],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::WorkflowWaitEvent,
        about: "A wait for an event in a workflow",
        attributes: &[&[
            own("event_name", Form::Text, "event that is waited for"),
            own("timeout_ms", Form::Number, "longest wait, in milliseconds"),
            own("event_received", Form::Truth, "whether it came"),
            own("wait_duration_ms", Form::Number, "length of the wait, in milliseconds"),
        ]],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::Mapping,
        about: "A mapping between the values of two steps",
        attributes: &[&[
            own("mapping_type", Form::Text, "kind of mapping"),
            known("tool_call_id", "gen_ai.tool.call.id", Form::Text, "call of a tool it belongs to"),
        ]],
        ..PLAIN
    },
];
