//! Scorers, classifiers and other evaluations.

use super::{AttributeInfo, Form, PLAIN, TypeInfo, known, own};
use crate::kinds::SpanType;

const RESULT: &[AttributeInfo] = &[
    known("score", "gen_ai.evaluation.score.value", Form::Number, "score that was given"),
    known("label", "gen_ai.evaluation.score.label", Form::Text, "what the score means"),
    known("explanation", "gen_ai.evaluation.explanation", Form::Text, "why it was given"),
    known("response_id", "gen_ai.response.id", Form::Text, "answer that was judged"),
];

pub(super) const TYPES: &[TypeInfo] = &[
    TypeInfo {
        span_type: SpanType::ScorerRun,
        about: "One run of a scorer",
        name_is: Some("gen_ai.evaluation.name"),
        openinference: "EVALUATOR",
        attributes: &[
            &[
                own("scorer_id", Form::Text, "id of the scorer"),
                known(
                    "scorer_name",
                    "gen_ai.evaluation.name",
                    Form::Text,
                    "name of the scorer; the span's by default",
                ),
                own("score_source", Form::Text, "`live`, `trace` or `experiment`"),
                own("target_scope", Form::Text, "`span` or `trajectory`"),
                own("target_entity_type", Form::Text, "what was scored"),
                own("scorer_definition", Form::Text, "`code`, `stored` or `fs`"),
            ],
            RESULT,
        ],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::ScorerStep,
        about: "A step of a scorer",
        openinference: "EVALUATOR",
        attributes: &[&[
            own("step", Form::Text, "name of the step"),
            own("step_type", Form::Text, "`function` or `prompt`"),
            own("prompt", Form::Text, "prompt of the step"),
            own("judge_model", Form::Text, "model that judges"),
        ]],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::Evaluation,
        about: "An evaluation by any other framework",
        name_is: Some("gen_ai.evaluation.name"),
        openinference: "EVALUATOR",
        attributes: &[
            &[known(
                "evaluation_name",
                "gen_ai.evaluation.name",
                Form::Text,
                "what is evaluated; the span's name by default",
            )],
            RESULT,
        ],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::ClassifierEvaluation,
        about: "The evaluation of a classifier",
        openinference: "EVALUATOR",
        attributes: &[&[
            own("classifier_id", Form::Text, "id of the classifier"),
            known("model_id", "gen_ai.request.model", Form::Text, "model that classifies"),
            known("provider", "gen_ai.provider.name", Form::Provider, "provider of that model"),
            known("error_type", "error.type", Form::Text, "what failed"),
            own("question_types", Form::Texts, "kinds of questions"),
            own("question_count", Form::Integer, "how many questions"),
            own("max_retries", Form::Integer, "most attempts after the first"),
            own("attempt_count", Form::Integer, "attempts that were made"),
            own("retry_count", Form::Integer, "those after the first"),
            own("duration_ms", Form::Number, "time it took, in milliseconds"),
            own("usage", Form::Usage, "token counts; see below"),
        ]],
        ..PLAIN
    },
];
