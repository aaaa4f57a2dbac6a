//! Spans as a tree: which open span is above one, and ending everything below one.
//!
//! A span knows only the one above it. Whatever is below is found through the garbage collector, which knows every
//! living span: ending a tree is rare, and keeping lists of children would cost every span.

use polyspan::clock;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::face::Face;
use crate::otel::OtelSpan;

/// The span itself if it is open, or else the nearest of those above it that is.
#[inline]
pub fn nearest_open(face: Face<'_>) -> Option<Face<'_>> {
    let at = climb(face)?;
    // What has ended in between need not be kept alive by what has not.
    at.open().settle(|above| Some(climb(Face::of(above)?)?.into_any()), at.py());
    Some(at)
}

fn climb(face: Face<'_>) -> Option<Face<'_>> {
    let mut at = face;
    while !at.open().is_recording() {
        at = above(&at)?;
    }
    Some(at)
}

fn above<'py>(face: &Face<'py>) -> Option<Face<'py>> {
    Face::of(&face.open().above(face.py())?)
}

/// Ends every open span below this one, the deepest first, and then this one, all at the same moment.
///
/// A span whose own parent has ended belongs to the nearest one above that is open.
pub fn end_tree(root: &Face<'_>) -> PyResult<()> {
    let py = root.py();
    let now = clock::now_unix_nanos();
    let living = py.import(intern!(py, "gc"))?.call_method0(intern!(py, "get_objects"))?;
    let mut below: Vec<(usize, Face<'_>)> = Vec::new();
    for object in living.cast::<PyList>()?.iter() {
        let Some(face) = Face::of(&object) else { continue };
        if face.open().is_recording()
            && let Some(depth) = depth_below(&face, root)
        {
            below.push((depth, face));
        }
    }
    below.sort_by_key(|(depth, _)| std::cmp::Reverse(*depth));
    for (_, face) in below {
        end_at(&face, now)?;
    }
    end_at(root, now)
}

/// How many steps up the root is; `None` when it is not above.
fn depth_below(face: &Face<'_>, root: &Face<'_>) -> Option<usize> {
    let mut at = face.clone();
    let mut depth = 0;
    while let Some(next) = above(&at) {
        depth += 1;
        if std::ptr::eq(next.open(), root.open()) {
            return Some(depth);
        }
        at = next;
    }
    None
}

fn end_at(face: &Face<'_>, time: u64) -> PyResult<()> {
    match face {
        // Two faces of one span come here both; the first ends it.
        _ if !face.open().is_recording() => Ok(()),
        Face::Own(span) => {
            span.get().open().end(Some(time));
            Ok(())
        }
        Face::Otel(span) => OtelSpan::finish(span, Some(time)),
    }
}
