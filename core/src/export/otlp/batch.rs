//! An encoded `ExportTraceServiceRequest`, or that of another signal, and how it is cut in two when a receiver finds
//! it too large. Their fields have the same numbers down to the record.
//!
//! The encoder makes batches; a sink splits them. Splitting walks the bytes and copies fields whole, so
//! that the encoder keeps no book of positions for a case that hardly ever comes.

use core::ops::Range;

use super::packed::Packed;
use super::wire::{Fields, put_varint, submessages};

/// One `ExportTraceServiceRequest`, or that of another signal, in protobuf; uncompressed wherever a sink is given it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OtlpBatch {
    /// The encoded request.
    pub body: Vec<u8>,
    /// How many spans, log records or data points it holds.
    pub spans: u32,
    /// Whether these are the data points of metrics, which are cut between metrics.
    pub(super) has_points: bool,
    /// What follows `body`, while the batch waits for long.
    pub(super) packed: Vec<Packed>,
}

/// Field numbers of opentelemetry/proto: `resource_spans`, `scope_spans` and `spans`.
const RESOURCE_SPANS: u32 = 1;
const SCOPE_SPANS: u32 = 2;
const SPANS: u32 = 2;
/// `sum` and `histogram` of a metric, and the points of either.
const METRIC_DATA: [u32; 2] = [7, 9];
const POINTS: u32 = 1;

impl OtlpBatch {
    /// Wraps an encoded request that holds `spans` spans.
    pub fn new(body: Vec<u8>, spans: u32) -> Self {
        Self { body, spans, has_points: false, packed: Vec::new() }
    }

    /// Wraps an encoded request of metrics that hold so many data points.
    pub fn of_points(body: Vec<u8>, points: u32) -> Self {
        Self { body, spans: points, has_points: true, packed: Vec::new() }
    }

    /// Cuts the batch into its first and second half by number of spans; resources and scopes are kept
    /// with their spans, and order is kept.
    ///
    /// # Errors
    /// The batch itself, when it holds fewer than two spans or is not a well-formed request.
    pub fn split(self) -> Result<(Self, Self), Self> {
        let Some(total) = count(&self.body).filter(|total| *total >= 2) else { return Err(self) };
        let middle = total / 2;
        let halves = (select(&self.body, 0..middle), select(&self.body, middle..total));
        let (Some(first), Some(second)) = halves else { return Err(self) };
        if !self.has_points {
            return Ok((Self::new(first, middle), Self::new(second, total - middle)));
        }
        match (count_points(&first), count_points(&second)) {
            (Some(before), Some(after)) => {
                Ok((Self::of_points(first, before), Self::of_points(second, after)))
            }
            _ => Err(self),
        }
    }
}

/// How many spans a request holds; `None` when it cannot be read.
fn count(request: &[u8]) -> Option<u32> {
    let mut spans = 0u32;
    for resource_spans in submessages(request, RESOURCE_SPANS) {
        for scope_spans in submessages(resource_spans?, SCOPE_SPANS) {
            for span in submessages(scope_spans?, SPANS) {
                span?;
                spans = spans.checked_add(1)?;
            }
        }
    }
    Some(spans)
}

/// How many data points the metrics of a request have.
fn count_points(request: &[u8]) -> Option<u32> {
    let mut points = 0u32;
    for resource in submessages(request, RESOURCE_SPANS) {
        for scope in submessages(resource?, SCOPE_SPANS) {
            for metric in submessages(scope?, SPANS) {
                let metric = metric?;
                for data in METRIC_DATA.into_iter().flat_map(|field| submessages(metric, field)) {
                    points = points.checked_add(submessages(data?, POINTS).count() as u32)?;
                }
            }
        }
    }
    Some(points)
}

/// The request with those spans only whose running number is in `wanted`; wrappers left empty are gone.
fn select(request: &[u8], wanted: Range<u32>) -> Option<Vec<u8>> {
    let mut number = 0;
    let mut out = Vec::with_capacity(request.len() / 2);
    rewrite(request, RESOURCE_SPANS, &mut out, |resource_spans, out| {
        rewrite(resource_spans, SCOPE_SPANS, out, |scope_spans, out| {
            rewrite(scope_spans, SPANS, out, |span, out| {
                let keep = wanted.contains(&number);
                number += 1;
                if keep {
                    out.extend_from_slice(span);
                }
                Some(keep)
            })
        })
    })?;
    Some(out)
}

/// Copies a message; every submessage with number `field` is written by `each`, which says whether
/// anything of it is left. Returns whether any was.
fn rewrite(
    message: &[u8],
    field: u32,
    out: &mut Vec<u8>,
    mut each: impl FnMut(&[u8], &mut Vec<u8>) -> Option<bool>,
) -> Option<bool> {
    let mut any = false;
    let mut inner = Vec::new();
    for entry in Fields(message) {
        let entry = entry?;
        match entry.content() {
            Some(content) if entry.number == field => {
                inner.clear();
                if each(content, &mut inner)? {
                    any = true;
                    put_varint(out, u64::from(field) << 3 | 2);
                    put_varint(out, inner.len() as u64);
                    out.extend_from_slice(&inner);
                }
            }
            _ => out.extend_from_slice(entry.raw),
        }
    }
    Some(any)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(field: u32, content: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(&mut out, u64::from(field) << 3 | 2);
        put_varint(&mut out, content.len() as u64);
        out.extend_from_slice(content);
        out
    }

    /// A request of two resources; the first has two scopes with 2 and 1 spans, the second one with 2.
    fn request() -> Vec<u8> {
        let span = |name: &str| message(SPANS, &message(5, name.as_bytes()));
        let scope = |name: &str, spans: &[Vec<u8>]| {
            let body =
                [message(1, &message(1, name.as_bytes())), spans.concat(), message(3, b"schema")].concat();
            message(SCOPE_SPANS, &body)
        };
        let resource = |name: &str, scopes: &[Vec<u8>]| {
            let body = [message(1, &message(1, name.as_bytes())), scopes.concat()].concat();
            message(RESOURCE_SPANS, &body)
        };
        [
            resource("first", &[scope("a", &[span("1"), span("2")]), scope("b", &[span("3")])]),
            resource("second", &[scope("c", &[span("4"), span("5")])]),
        ]
        .concat()
    }

    fn span_names(body: &[u8]) -> Vec<String> {
        let mut names = Vec::new();
        for resource_spans in submessages(body, RESOURCE_SPANS) {
            for scope_spans in submessages(resource_spans.unwrap(), SCOPE_SPANS) {
                for span in submessages(scope_spans.unwrap(), SPANS) {
                    let name = submessages(span.unwrap(), 5).next().unwrap().unwrap();
                    names.push(String::from_utf8(name.to_vec()).unwrap());
                }
            }
        }
        names
    }

    #[test]
    fn halves_keep_order_and_wrappers() {
        let (first, second) = OtlpBatch::new(request(), 5).split().unwrap();
        assert_eq!((first.spans, second.spans), (2, 3));
        assert_eq!(span_names(&first.body), ["1", "2"]);
        assert_eq!(span_names(&second.body), ["3", "4", "5"]);
        let holds = |body: &[u8], text: &str| body.windows(text.len()).any(|at| at == text.as_bytes());
        assert!(holds(&first.body, "first") && !holds(&first.body, "second"));
        assert!(
            holds(&second.body, "first") && holds(&second.body, "second") && holds(&second.body, "schema")
        );
    }

    #[test]
    fn splitting_ends_at_single_spans() {
        let mut todo = vec![OtlpBatch::new(request(), 5)];
        let mut names = Vec::new();
        while let Some(batch) = todo.pop() {
            match batch.split() {
                Ok((first, second)) => todo.extend([second, first]),
                Err(single) => names.extend(span_names(&single.body)),
            }
        }
        assert_eq!(names, ["1", "2", "3", "4", "5"]);
    }

    #[test]
    fn what_cannot_be_read_is_given_back() {
        let mut torn = request();
        torn.truncate(torn.len() - 1);
        let batch = OtlpBatch::new(torn, 5);
        assert_eq!(batch.clone().split(), Err(batch));
        assert!(OtlpBatch::default().split().is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_split_or_come_back(body: Vec<u8>) {
            match OtlpBatch::new(body.clone(), 2).split() {
                Ok((first, second)) => {
                    proptest::prop_assert_eq!(count(&first.body), Some(first.spans));
                    proptest::prop_assert_eq!(count(&second.body), Some(second.spans));
                }
                Err(batch) => proptest::prop_assert_eq!(batch.body, body),
            }
        }
    }
}
