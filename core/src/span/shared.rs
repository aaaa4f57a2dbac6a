//! Spans with several owners, which know their open children: what an agent framework holds while callbacks
//! from anywhere write to its spans, and what `end_tree` closes.
//!
//! A child still open when its parent ends belongs from then on to its nearest open ancestor. The parent id
//! on the wire was fixed at the start and never changes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::{Span, SpanBuilder};
use crate::clock;
use crate::context::SpanContext;
use crate::engine::Engine;

/// An open span that can be cloned, shared between threads, and closed with everything below it.
#[derive(Debug, Clone)]
pub struct SharedSpan(Arc<Node>);

#[derive(Debug)]
struct Node {
    engine: Option<Engine>,
    context: SpanContext,
    span: Mutex<Span>,
    family: Mutex<Family>,
}

/// Lock order: a child's family before its parent's, never two children's at once.
#[derive(Debug, Default)]
struct Family {
    /// The nearest ancestor that was open when last looked at.
    parent: Option<Arc<Node>>,
    children: Vec<Weak<Node>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SpanBuilder<'_> {
    /// Starts a span with several owners at the top of a tree.
    pub fn start_shared(self) -> SharedSpan {
        let engine = self.engine.cloned();
        SharedSpan::new(self.start(), engine, None)
    }

    /// Records a span that stands for an instant: it starts and ends now, and carries what was given to the
    /// builder.
    pub fn emit(self) {
        let mut span = self.as_event().start();
        let at = span.start_unix_nanos();
        span.end_at((at > 0).then_some(at));
    }
}

impl SharedSpan {
    fn new(span: Span, engine: Option<Engine>, parent: Option<Arc<Node>>) -> Self {
        let context = span.context().clone();
        let node = Arc::new(Node {
            engine,
            context,
            span: Mutex::new(span),
            family: Mutex::new(Family { parent: parent.clone(), children: Vec::new() }),
        });
        if let Some(parent) = parent {
            parent.adopt(&node);
        }
        Self(node)
    }

    /// Starts a child: `change` completes its builder.
    pub fn child(&self, name: &str, change: impl FnOnce(SpanBuilder<'_>) -> SpanBuilder<'_>) -> Self {
        let (surroundings, home) = {
            let span = locked(&self.0.span);
            (span.surroundings().cloned(), span.home())
        };
        let engine = self.0.engine.as_ref();
        let builder = SpanBuilder::new(engine, name).parent(&self.0.context);
        let builder = builder.surroundings(surroundings.as_ref()).home(home);
        let span = change(builder).start();
        Self::new(span, engine.cloned(), self.0.nearest_open())
    }

    /// Ids, flags and tracestate.
    pub fn context(&self) -> &SpanContext {
        &self.0.context
    }

    /// Writes to the span while no other owner does.
    pub fn with<R>(&self, write: impl FnOnce(&mut Span) -> R) -> R {
        write(&mut locked(&self.0.span))
    }

    /// Ends the span now; the first end counts. Children that are still open go to the nearest open
    /// ancestor.
    pub fn end(&self) {
        self.end_at(None);
    }

    /// Ends the span at a time, in nanoseconds since the Unix epoch, or now.
    pub fn end_at(&self, unix_nanos: Option<u64>) {
        locked(&self.0.span).end_at(unix_nanos);
        let children = core::mem::take(&mut locked(&self.0.family).children);
        let heir = self.0.nearest_open();
        for child in children.iter().filter_map(Weak::upgrade) {
            locked(&child.family).parent.clone_from(&heir);
            if let Some(heir) = &heir {
                heir.adopt(&child);
            }
        }
    }

    /// Ends every open span below this one, the deepest first, and then this one, all at the same moment.
    pub fn end_tree(&self) {
        let now = clock::now_unix_nanos();
        // Without recursion: a tree may be as deep as memory allows.
        let mut open = vec![self.clone()];
        let mut at = 0;
        while let Some(node) = open.get(at) {
            let children = core::mem::take(&mut locked(&node.0.family).children);
            open.extend(children.iter().filter_map(Weak::upgrade).map(SharedSpan));
            at += 1;
        }
        for span in open.into_iter().rev() {
            locked(&span.0.span).end_at_most(now);
        }
    }
}

impl Node {
    fn adopt(self: &Arc<Self>, child: &Arc<Self>) {
        let mut family = locked(&self.family);
        // Children that ended or were dropped make room now and then.
        if family.children.len() == family.children.capacity() {
            family
                .children
                .retain(|known| known.upgrade().is_some_and(|known| !locked(&known.span).has_ended()));
        }
        family.children.push(Arc::downgrade(child));
    }

    /// This span, or the nearest of its ancestors that is still open.
    fn nearest_open(self: &Arc<Self>) -> Option<Arc<Self>> {
        let mut node = Arc::clone(self);
        while locked(&node.span).has_ended() {
            let parent = locked(&node.family).parent.clone();
            node = parent?;
        }
        Some(node)
    }
}
