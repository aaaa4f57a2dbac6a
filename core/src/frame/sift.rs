//! Strangers' frames: what of them may enter an engine, written anew.
//!
//! A browser or an edge runtime has no engine and posts its frames to a relay of the application's own server
//! (`Engine::relay`). Whoever can reach that server can post there too, so nothing is taken on trust: each event is
//! read to its end, only spans that have ended come through, and of their heads only what a page may say.

use std::collections::BTreeMap;

use super::batch::{Events, StringTable};
use super::check::TextBudget;
use super::view::{Field, SpanView};
use super::write::{self, Head};
use super::{EventKind, SPAN_HEAD, VERSION};
use crate::id::SpanId;
use crate::kinds::SpanFlags;

/// The attribute of every span that came through a relay: where from, as the relay knows it. A span that brings it
/// along is refused.
pub const SOURCE: &str = "polyspan.relay.source";

/// Spans of one frame at most.
pub const MAX_SPANS: usize = 4096;
/// All texts of a frame, table entries counted wherever they are referred to, are at most so much longer than it: a
/// page has no use for more, and the rules of redaction walk every one of them.
const EXPANSION: usize = 1024 * 1024;

/// What a page may say of its span; being a root is found out here.
const SAID: u16 = SpanFlags::LOCAL_ROOT.bits()
    | SpanFlags::PARENT_REMOTE.bits()
    | SpanFlags::EVENT.bits()
    | SpanFlags::HIDE_INPUT.bits()
    | SpanFlags::HIDE_OUTPUT.bits()
    | SpanFlags::KIND_GIVEN.bits();

/// Why a relay took something not. The first ones refuse a request, the others a part of its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RelayRefusal {
    /// Another method than POST.
    Method,
    /// A body that does not say it is a frame.
    ContentType,
    /// A page of another origin.
    Origin,
    /// The token is missing or wrong.
    Token,
    /// Too many requests, of one client or of all.
    Rate,
    /// A body that is too long.
    Size,
    /// A body that did not arrive in time, or broke off.
    Body,
    /// The engine is short of memory, shut down, or does not run.
    Busy,
    /// What follows in the frame cannot be read.
    BadFrame,
    /// An event of a kind that no relay takes.
    Kind,
    /// A span that cannot be read, or has no ids.
    BadSpan,
    /// A span that has not ended, or ended before it began.
    Time,
    /// A span larger than one may be.
    TooLarge,
    /// A span that says itself where it came from.
    Source,
    /// A span beyond the number that a frame may hold.
    TooMany,
}

impl RelayRefusal {
    /// Every reason, in order.
    pub const ALL: [Self; 15] = [
        Self::Method,
        Self::ContentType,
        Self::Origin,
        Self::Token,
        Self::Rate,
        Self::Size,
        Self::Body,
        Self::Busy,
        Self::BadFrame,
        Self::Kind,
        Self::BadSpan,
        Self::Time,
        Self::TooLarge,
        Self::Source,
        Self::TooMany,
    ];

    /// The name in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::ContentType => "content_type",
            Self::Origin => "origin",
            Self::Token => "token",
            Self::Rate => "rate",
            Self::Size => "size",
            Self::Body => "body",
            Self::Busy => "busy",
            Self::BadFrame => "bad_frame",
            Self::Kind => "kind",
            Self::BadSpan => "bad_span",
            Self::Time => "time",
            Self::TooLarge => "too_large",
            Self::Source => "source",
            Self::TooMany => "too_many",
        }
    }

    /// The reason of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// What holds for a stranger's frame.
#[derive(Debug, Clone, Copy)]
pub struct SiftTerms<'a> {
    /// The engine's number, for the headers of what comes through.
    pub slot: u16,
    /// Where the frame came from, as the relay knows it.
    pub source: &'a str,
    /// A longer span is refused.
    pub span_bytes: usize,
    /// False for an engine that samples nothing: then nothing that comes through is sampled.
    pub samples: bool,
}

/// What became of a frame.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sifted {
    /// The frame for the engine.
    pub frame: Vec<u8>,
    /// Spans in it.
    pub spans: u64,
    /// What was left out, by reason.
    pub refused: BTreeMap<RelayRefusal, u64>,
}

impl Sifted {
    fn refuse(&mut self, reason: RelayRefusal) {
        *self.refused.entry(reason).or_default() += 1;
    }
}

/// Reads a stranger's frame to its end and writes anew what of it an engine may take.
pub fn sift(frame: &[u8], terms: &SiftTerms<'_>) -> Sifted {
    let mut sifted = Sifted::default();
    let mut table = StringTable::new();
    let mut texts = TextBudget::longer_by(frame.len(), EXPANSION);
    let mut events = Events::new(frame);
    let mut left = MAX_SPANS;
    loop {
        let event = match events.next_event() {
            Ok(Some(event)) => event,
            Ok(None) => break,
            // The rest of the frame is lost.
            Err(_) => {
                sifted.refuse(RelayRefusal::BadFrame);
                break;
            }
        };
        match event.kind {
            Some(EventKind::StringEntry) => {
                if table.define(event.body).is_err() {
                    // Later references would mean other texts than they were given.
                    sifted.refuse(RelayRefusal::BadFrame);
                    break;
                }
                put_event(&mut sifted.frame, EventKind::StringEntry, terms.slot, event.body);
            }
            Some(EventKind::SpanEnded) => {
                let taken = match left.checked_sub(1) {
                    None => Err(RelayRefusal::TooMany),
                    Some(fewer) => {
                        left = fewer;
                        judge(event.body, &table, &mut texts, terms)
                    }
                };
                match taken {
                    Ok(head) => {
                        put_span(&mut sifted.frame, event.body, &head, terms);
                        sifted.spans += 1;
                    }
                    Err(reason) => sifted.refuse(reason),
                }
            }
            // Open spans, log records and the like are for the application's own hosts, and later kinds for nobody.
            _ => sifted.refuse(RelayRefusal::Kind),
        }
    }
    sifted
}

/// The head of a span that may enter, as it enters.
fn judge(
    body: &[u8],
    table: &StringTable<'_>,
    texts: &mut TextBudget,
    terms: &SiftTerms<'_>,
) -> Result<Head, RelayRefusal> {
    if body.len() > terms.span_bytes.saturating_add(SPAN_HEAD) {
        return Err(RelayRefusal::TooLarge);
    }
    let span = SpanView::in_frame(body, table).map_err(|_| RelayRefusal::BadSpan)?;
    span.check_within(texts).map_err(|_| RelayRefusal::BadSpan)?;
    let head = *span.head();
    if head.end_unix_nanos == 0 || head.end_unix_nanos < head.start_unix_nanos {
        return Err(RelayRefusal::Time);
    }
    let mut fields = span.fields();
    if fields.any(|field| matches!(field, Field::Attribute(key, _) if key == SOURCE.as_bytes())) {
        return Err(RelayRefusal::Source);
    }
    let mut flags = SpanFlags::from_bits(head.flags.bits() & SAID);
    if head.parent_span_id == SpanId::INVALID {
        flags = flags.with(SpanFlags::ROOT).with(SpanFlags::LOCAL_ROOT);
    }
    let trace_flags = head.trace_flags.with_sampled(head.trace_flags.is_sampled() && terms.samples);
    Ok(Head { trace_flags, flags, scope: 0, severity: 0, ..head })
}

fn put_event(frame: &mut Vec<u8>, kind: EventKind, slot: u16, body: &[u8]) {
    put_header(frame, kind, slot, body.len());
    frame.extend_from_slice(body);
}

fn put_header(frame: &mut Vec<u8>, kind: EventKind, slot: u16, length: usize) {
    frame.extend_from_slice(&(length as u32).to_le_bytes());
    frame.extend_from_slice(&[kind as u8, VERSION]);
    frame.extend_from_slice(&slot.to_le_bytes());
}

/// The source stands first, so that no limit on the number of attributes cuts it.
fn put_span(frame: &mut Vec<u8>, body: &[u8], head: &Head, terms: &SiftTerms<'_>) {
    let fields = body.get(SPAN_HEAD..).unwrap_or_default();
    let mut source = Vec::with_capacity(SOURCE.len() + terms.source.len() + 8);
    write::attribute(&mut source, SOURCE, &terms.source.into());
    put_header(frame, EventKind::SpanEnded, terms.slot, SPAN_HEAD + source.len() + fields.len());
    write::head(frame, head);
    frame.extend_from_slice(&source);
    frame.extend_from_slice(fields);
}
