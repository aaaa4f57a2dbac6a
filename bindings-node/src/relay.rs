//! The relay's door: frames that strangers posted, and requests that the handler refused.

use std::borrow::Cow;

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use polyspan::hosted::write_value;
use polyspan::sampling::PageRule;
use polyspan::value::Value;
use polyspan::{Engine, PageTerms, RelayRefusal};

use crate::engine::NativeEngine;
use crate::entry::{always, throwing};

/// What became of a stranger's frame.
#[napi(object, object_from_js = false)]
pub struct Relayed {
    /// Spans that were taken in.
    pub spans: u32,
    /// Whether the engine could take nothing now.
    pub busy: bool,
    /// Whether the bytes are no frame, or end inside one.
    pub torn: bool,
}

#[napi]
impl NativeEngine {
    /// Takes in a stranger's frame; what may not enter is left out and counted.
    #[napi]
    pub fn relay(&self, frame: &[u8], source: String) -> Relayed {
        // A frame at which the engine fails is as bad as one that is none.
        let failed = || Relayed { spans: 0, busy: false, torn: true };
        always(Some(&self.0), failed, || {
            let report = self.0.relay(frame, &source);
            Relayed {
                spans: u32::try_from(report.spans).unwrap_or(u32::MAX),
                busy: report.refused.contains_key(&RelayRefusal::Busy),
                torn: report.refused.contains_key(&RelayRefusal::BadFrame),
            }
        })
    }

    /// What pages are told, as a map.
    #[napi]
    pub fn page_terms(&self) -> napi::Result<Buffer> {
        throwing(Some(&self.0), || Ok(page_terms(&self.0).into()))
    }

    /// Counts a request that was refused before its frame was read.
    #[napi]
    pub fn relay_refused(&self, reason: String) {
        always(Some(&self.0), Default::default, || {
            if let Some(reason) = RelayRefusal::from_name(&reason) {
                self.0.relay_refused(reason);
            }
        });
    }
}

/// What pages are told.
fn page_terms(engine: &Engine) -> Vec<u8> {
    let PageTerms { roots, capture } = engine.page_terms();
    let number = |number: usize| Value::I64(i64::try_from(number).unwrap_or(i64::MAX));
    let threshold = match roots {
        PageRule::All => "".into(),
        PageRule::None => Value::Null,
        PageRule::Threshold(threshold) => format!("{threshold:014x}").into(),
    };
    let entries = [
        ("threshold", threshold),
        ("valueBytes", number(capture.value_bytes)),
        ("spanBytes", number(capture.span_bytes)),
        ("depth", number(capture.depth)),
        ("arrayItems", number(capture.array_items)),
        ("objectKeys", number(capture.object_keys)),
    ];
    let entries = entries.into_iter().map(|(key, value)| (Cow::Borrowed(key), value)).collect();
    write_value(&Value::Map(entries))
}
