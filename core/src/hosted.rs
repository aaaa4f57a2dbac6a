//! What hosts that keep open spans themselves ask of an engine: Node, Kotlin and Swift do, where crossing
//! into native code for every change of a span would cost more than the span.
//!
//! Such a host decides about most spans from what it is handed here ahead ([`HostTerms`], [`Engine::draw_roots`],
//! [`Engine::inherited`]), encodes each one when it ends (`docs/frame.md`), and hands in frames with
//! [`Engine::submit`]. A span about which more than that has to be known is started here, by the same rules as
//! any other ([`start_hosted`]), and goes on as what it has written so far.
//!
//! What crosses besides frames is values, contexts and flat lists. The files below make them, the same for every host;
//! what remains for a binding is to hand bytes over.

mod around;
mod asked;
mod carrier;
mod changed;
mod counted;
mod jobs;
pub mod lines;
mod logging;
mod terms;
mod told;
mod wire;

pub use around::{flat_baggage, surround};
pub use asked::{about, answered};
pub use carrier::{Brought, Written, carrier_fields, extract, inject};
pub use counted::stats;
pub use jobs::{delivered, judge, task_name};
pub use logging::{log, log_enabled, set_log_level};
pub use terms::answer;
pub use told::{logs_in, metrics_in, records_of, spans_in};
pub use wire::{flags_of_host, kept_flags, read_context, read_value, write_context, write_value};

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::config::ResolvedConfig;
use crate::context::SpanContext;
use crate::current::Surroundings;
use crate::engine::Engine;
use crate::frame::view::{self, Field, SpanView};
use crate::kinds::SpanFlags;
use crate::recorder;
use crate::sampling::{HostPlan, RootDraw};
use crate::span::{CaptureBounds, SpanBuilder};
use crate::value::Value;

/// What holds for every span that a host records by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct HostTerms {
    /// The engine's number, for the headers of its events.
    pub slot: u16,
    /// How much of a value is captured.
    pub capture: CaptureBounds,
    /// What the host may decide.
    pub plan: HostPlan,
    /// The sampler looks at attributes, or an exporter at spans as they start: a span that is not decided ahead has
    /// to be started with its content.
    pub reads_content: bool,
    /// No span is left out for its type, and no exporter follows open ones, so that none has to be looked at.
    pub hides_nothing: bool,
    /// An exporter wants to know of spans when they start: they are started with [`start_hosted`] and their input.
    pub shows_starts: bool,
    /// An exporter wants to know of updates of open spans: each one hands in the span so far
    /// ([`EventKind::SpanUpdated`](crate::frame::EventKind::SpanUpdated)).
    pub shows_updates: bool,
    /// Spans that may be open; more do not record.
    pub open_spans: usize,
    /// Metrics count spans that are not sampled: each hands in a compact event ([`crate::frame::unsampled`]) when it
    /// ends, which counts its start and its end, in place of [`HostCounts`].
    pub counts_unsampled: bool,
}

/// What a host has counted since it last said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HostCounts {
    /// Spans that were started and do not record.
    pub not_recording: u64,
    /// Spans that ended and had not recorded.
    pub unsampled: u64,
    /// Those among them whose recording was refused since too many are open.
    pub open_limit: u64,
    /// Calls of end on spans that had ended.
    pub ended_twice: u64,
    /// Values that could not be recorded as they were given.
    pub altered: u64,
    /// What the limits on content cut at capture.
    pub limited: u64,
}

/// What spans inside some surroundings begin with.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InheritedFields {
    /// The fields of each span inside.
    pub fields: Vec<u8>,
    /// Further ones at the top of a trace.
    pub tags: Vec<u8>,
    /// Flags of each span's record.
    pub flags: SpanFlags,
    /// A span inside may be hidden for its type, and the first one of a trace may take metadata out of a request:
    /// these are started with [`start_hosted`].
    pub asks: bool,
}

/// A span that was started for a host.
#[derive(Debug, Clone)]
pub struct HostedSpan {
    /// The engine that it belongs to; `None` where none runs.
    pub slot: Option<u16>,
    /// Its identity for others: its own, or that of its nearest ancestor that is exported.
    pub context: SpanContext,
    /// What spans inside inherit.
    pub surroundings: Option<Arc<Surroundings>>,
    /// The body of its event so far; `None` where it does not record.
    pub body: Option<Vec<u8>>,
}

impl Engine {
    /// What a host needs to record spans of this engine; `None` in a process that is forked too deeply.
    pub fn host_terms(&self) -> Option<HostTerms> {
        let settings = self.settings();
        let ResolvedConfig { trace, memory, .. } = &settings.config;
        Some(HostTerms {
            slot: self.live()?.slot,
            capture: CaptureBounds::of(&settings.config),
            plan: settings.sampler.host_plan(crate::lifecycle::generation() as u64),
            reads_content: settings.sampler_reads_content || settings.following.starts,
            hides_nothing: trace.hiding.internal.is_empty()
                && trace.hiding.excluded.is_empty()
                && !settings.following.starts,
            shows_starts: settings.following.starts,
            shows_updates: settings.following.updates,
            open_spans: memory.open_spans,
            counts_unsampled: settings.counts_unsampled,
        })
    }

    /// Decides about `n` roots ahead, each with a fresh trace id. False, and none, where each has to be asked for:
    /// as the sampler has it, or for want of memory.
    pub fn draw_roots(&self, n: usize, out: &mut Vec<RootDraw>) -> bool {
        if self.is_pressed() {
            return false;
        }
        let sampler = self.sampler();
        recorder::with(|recorder| sampler.draw_roots(n, &mut recorder.ids, out)).unwrap_or(false)
    }

    /// Whether new roots should be left unsampled for want of memory; [`start_hosted`] sees to that.
    pub fn is_pressed(&self) -> bool {
        self.live().is_some_and(|live| live.under_pressure())
    }

    /// What spans inside these surroundings begin with, the defaults of the engine among it.
    pub fn inherited(&self, around: Option<&Surroundings>) -> InheritedFields {
        let mut inherited = InheritedFields::default();
        let defaults = &self.settings().defaults;
        defaults.put(&mut inherited.fields, around);
        inherited.tags.extend_from_slice(defaults.tag_fields());
        if let Some(around) = around {
            around.put(&mut inherited.fields, false);
            inherited.tags.extend_from_slice(around.tag_fields());
            inherited.flags = around.flags();
            inherited.asks = !around.internal_types().is_empty() || around.request().is_some();
        }
        inherited
    }

    /// Adds what a host has counted. Whether spans may still be handed in: false once it is shut down.
    pub fn count_hosted(&self, counts: &HostCounts) -> bool {
        let Some(live) = self.live() else { return false };
        recorder::with(|recorder| {
            let shard = live.shard(recorder.thread);
            shard.not_recording.fetch_add(counts.not_recording, Ordering::Relaxed);
            shard.open_limit.fetch_add(counts.open_limit, Ordering::Relaxed);
            shard.ended_twice.fetch_add(counts.ended_twice, Ordering::Relaxed);
            shard.altered.fetch_add(counts.altered, Ordering::Relaxed);
            shard.limited.fetch_add(counts.limited, Ordering::Relaxed);
            shard.unsampled.fetch_add(counts.unsampled, Ordering::AcqRel);
        });
        !live.stopped.load(Ordering::Relaxed)
    }
}

/// Starts a span for a host that will encode its end itself, by all the rules that [`SpanBuilder::start`] has.
///
/// `described` is the body of an event that says what is known of it: kind, type, start (0 for now) and the flags
/// internal, event and kind-given in the head; name, input, attributes, metadata and links as fields. Nothing else
/// is read. Without an engine it is one of the parent's, or the default one, or the selector's choice. A description
/// that cannot be read starts a span without a name.
pub fn start_hosted(
    engine: Option<&Engine>,
    described: &[u8],
    parent: Option<&SpanContext>,
    around: Option<&Arc<Surroundings>>,
    request: Option<&Value<'_>>,
    trace_id: Option<&str>,
) -> HostedSpan {
    let view = SpanView::new(described).ok();
    let name = view.and_then(|view| {
        view.fields().find_map(|field| match field {
            Field::Name(name) => Some(view::text(name)),
            _ => None,
        })
    });
    let name = name.unwrap_or(Cow::Borrowed(""));
    let mut builder = SpanBuilder::new(engine, &name).surroundings(around);
    if let Some(view) = view {
        builder = described_by(builder, &view);
    }
    builder = match parent {
        Some(parent) => builder.parent(parent),
        None => builder.root(),
    };
    if let Some(request) = request {
        builder = builder.request_context(request);
    }
    if let Some(trace_id) = trace_id {
        builder = builder.trace_id(trace_id);
    }
    let mut span = builder.announce_later().start();
    let input = view.iter().flat_map(|view| view.fields()).find_map(|field| match field {
        Field::Input(value) => Some(value.to_value()),
        _ => None,
    });
    if let Some(input) = input {
        span.input(input);
    }
    span.announce();
    span.into_hosted()
}

fn described_by<'a>(mut builder: SpanBuilder<'a>, view: &SpanView<'a>) -> SpanBuilder<'a> {
    let head = view.head();
    builder = builder.kind_of(head.span_type).scope(head.scope);
    if head.flags.contains(SpanFlags::KIND_GIVEN) {
        builder = builder.kind(head.kind);
    }
    if head.flags.contains(SpanFlags::INTERNAL) {
        builder = builder.internal();
    }
    if head.flags.contains(SpanFlags::EVENT) {
        builder = builder.as_event();
    }
    if head.start_unix_nanos > 0 {
        builder = builder.start_time(head.start_unix_nanos);
    }
    for field in view.fields() {
        builder = match field {
            Field::Attribute(key, value) => builder.attribute(view::text(key), value.to_value()),
            Field::Metadata(key, value) => builder.metadata(view::text(key), value.to_value()),
            Field::Link(link) => match link.link() {
                Ok(link) => {
                    let attributes = link.attributes.iter();
                    let attributes = attributes.map(|(key, value)| (view::text(key), value.to_value()));
                    builder.link_with(link.target(), attributes.collect())
                }
                Err(_) => builder,
            },
            _ => builder,
        };
    }
    builder
}

/// Entropy of the operating system, for ids that a host makes by itself.
pub fn seed() -> [u8; 32] {
    crate::entropy::seed()
}
