//! Errors on a span: a true `exception` event, the status and `error.type` (OpenTelemetry semantic
//! conventions, "Recording errors on spans" and "Exceptions on spans").

use std::borrow::Cow;
use std::error::Error;

use super::Span;
use crate::kinds::StatusCode;
use crate::value::Value;

impl Span {
    /// Records an exception: its type, message and stack trace (empty parts are left out), and whether it
    /// escaped the span. The status is left alone.
    pub fn record_exception(
        &mut self,
        kind: &str,
        message: &str,
        stack_trace: &str,
        escaped: bool,
    ) -> &mut Self {
        let mut attributes: Vec<(Cow<'_, str>, Value<'_>)> = Vec::with_capacity(4);
        let parts =
            [("exception.type", kind), ("exception.message", message), ("exception.stacktrace", stack_trace)];
        attributes.extend(
            parts
                .iter()
                .filter(|(_, text)| !text.is_empty())
                .map(|(key, text)| ((*key).into(), (*text).into())),
        );
        if escaped {
            attributes.push(("exception.escaped".into(), true.into()));
        }
        self.event_with("exception", None, &attributes)
    }

    /// Records an error with its chain of causes and marks the span as failed. The span stays open.
    pub fn error<E: Error + ?Sized>(&mut self, error: &E) -> &mut Self {
        if !self.is_recording() {
            return self.status(StatusCode::Error, "");
        }
        let kind = core::any::type_name::<E>();
        let kind = if kind.starts_with("dyn ") { "error" } else { kind };
        let message = error.to_string();
        let mut causes = String::new();
        let mut source = error.source();
        while let Some(cause) = source {
            causes.push_str("caused by: ");
            causes.push_str(&cause.to_string());
            causes.push('\n');
            source = cause.source();
        }
        self.record_exception(kind, &message, &causes, false);
        self.set("error.type", kind);
        self.status(StatusCode::Error, &message)
    }
}
