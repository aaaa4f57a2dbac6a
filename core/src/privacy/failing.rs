//! What happens when a rule fails: tests plant a fault in the rules, and look whether anything of the text that it
//! concerns gets out.

use std::cell::RefCell;

thread_local! {
    static PLANTED: RefCell<Option<&'static [u8]>> = const { RefCell::new(None) };
}

/// Panics where a text holds what a test has planted.
pub(super) fn fail_at(text: &[u8]) {
    let planted = PLANTED.with(|planted| *planted.borrow());
    if let Some(planted) = planted {
        assert!(!text.windows(planted.len()).any(|part| part == planted), "a rule fails");
    }
}

/// Runs `test` while the rules fail at `text` on this thread.
fn while_failing_at<T>(text: &'static str, test: impl FnOnce() -> T) -> T {
    PLANTED.with(|planted| *planted.borrow_mut() = Some(text.as_bytes()));
    let result = test();
    PLANTED.with(|planted| *planted.borrow_mut() = None);
    result
}

use super::{Redaction, Redactor};
use crate::value::Value;

/// A text that rules look at, with the fault in it and something to find again.
const TEXT: &str = "token=abc123def BOOM plans";

#[test]
fn nothing_of_a_text_or_value_gets_out() {
    let redactor = Redactor::new(&Redaction::new()).unwrap();
    while_failing_at("BOOM", || {
        assert_eq!(redactor.text(TEXT), "[REDACTED]");
        assert_eq!(redactor.value("note", &TEXT.into()), Some("[REDACTED]".into()));
        let nested = Value::from_iter([("a", Value::from("fine")), ("b", Value::from(TEXT))]);
        assert_eq!(redactor.value("", &nested), Some("[REDACTED]".into()));
        let mut attributes = vec![("a".to_owned(), TEXT.into()), ("b".to_owned(), "fine".into())];
        redactor.attributes(&mut attributes);
        assert_eq!(attributes[0].1, "[REDACTED]".into());
        assert_eq!(attributes[1].1, "fine".into());
        let mut baggage = crate::propagation::Baggage::new();
        baggage.insert("note", TEXT);
        assert_eq!(redactor.baggage(&baggage).get("note"), Some("[REDACTED]"));
    });
    assert_eq!(redactor.text(TEXT), "token=[REDACTED] BOOM plans");
}

#[cfg(feature = "engine")]
mod spans {
    use std::sync::Arc;

    use super::*;
    use crate::context::SpanContext;
    use crate::frame::record::{RecordContext, SpanData};
    use crate::frame::view::SpanView;
    use crate::frame::write::{self, AttributeList, Head};
    use crate::frame::{EVENT_HEADER, EventKind};
    use crate::id::{SpanId, TraceId};
    use crate::pipeline::redact::{Hidden, Redact, RedactCounts};

    /// A span with that text wherever one can stand, and one fine attribute.
    fn record() -> Vec<u8> {
        let head = Head {
            trace_id: TraceId::from_bytes([1; 16]),
            span_id: SpanId::from_bytes([2; 8]),
            ..Head::default()
        };
        let mut buf = Vec::new();
        write::begin_span(&mut buf);
        write::name(&mut buf, TEXT);
        write::status_message(&mut buf, TEXT);
        write::attribute(&mut buf, "note", &TEXT.into());
        write::attribute(&mut buf, "fine", &"fine".into());
        write::metadata(&mut buf, "note", &TEXT.into());
        write::trace_tag(&mut buf, TEXT);
        write::input_tag(&mut buf);
        write::put_value(&mut buf, &Value::Array(vec!["fine".into(), TEXT.into()]));
        write::output_tag(&mut buf);
        write::put_value(&mut buf, &TEXT.into());
        for name in [TEXT, "fine"] {
            let mut event = AttributeList::event(&mut buf, name, 7, 0);
            event.attribute(&mut buf, "note", &TEXT.into());
            event.close(&mut buf);
        }
        let to = SpanContext { trace_id: head.trace_id, span_id: head.span_id, ..SpanContext::default() };
        let mut link = AttributeList::link(&mut buf, &to, 0);
        link.attribute(&mut buf, "note", &TEXT.into());
        link.close(&mut buf);
        write::finish_span(&mut buf, EventKind::SpanEnded, 0, &head);
        buf.split_off(EVENT_HEADER)
    }

    fn redacted(redact: &mut Redact) -> (SpanData, RedactCounts) {
        let body = record();
        let mut seen = None;
        let passed = redact.apply(&SpanView::new(&body).unwrap(), |span| {
            let (scope, resource) = Default::default();
            let context = RecordContext { scope: &scope, scope_id: 0, resource: &resource };
            seen = Some(SpanData::from_view(span, &context));
            Ok(())
        });
        passed.unwrap();
        (seen.unwrap(), redact.take_counts())
    }

    #[test]
    fn every_field_that_fails_goes_as_a_whole_and_is_counted() {
        let redactor = Arc::new(Redactor::new(&Redaction::new()).unwrap());
        for mut redact in [Redact::new(&redactor, Hidden::default()), Redact::of_logs(&redactor)] {
            let (span, counts) = while_failing_at("BOOM", || redacted(&mut redact));
            let said = format!("{span:?}");
            assert!(!["abc123def", "BOOM", "plans"].iter().any(|part| said.contains(part)), "{said}");
            assert_eq!(counts.failed, 10, "{said}");
            assert!(span.attributes.contains(&("fine".to_owned(), "fine".into())));
            assert_eq!((span.name.as_str(), span.output), ("[REDACTED]", Some("[REDACTED]".into())));
            assert_eq!(span.context.span_id, SpanId::from_bytes([2; 8]));
            let (span, counts) = redacted(&mut redact);
            assert_eq!((span.name.as_str(), counts.failed), ("token=[REDACTED] BOOM plans", 0));
        }
    }
}
