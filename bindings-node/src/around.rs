//! What spans inside a context inherit: TypeScript says what is added, the engine what follows from it.

use std::sync::Arc;

use napi_derive::napi;
use polyspan::Surroundings;
use polyspan::hosted;

use crate::entry::guarded;

/// Immutable and shared by all spans inside.
#[napi]
pub struct Ambient(pub(crate) Arc<Surroundings>);

#[napi]
impl Ambient {
    /// The baggage, flat: key, value, properties, and so on.
    #[napi]
    pub fn baggage(&self) -> Vec<String> {
        guarded(None, Vec::new, || hosted::flat_baggage(self.0.baggage()))
    }
}

/// What is inherited inside `outer` once a context or span adds what `added` holds, a map as [`hosted::surround`] has
/// it.
#[napi]
pub fn surround(outer: Option<&Ambient>, added: &[u8]) -> Surrounded {
    let outer = outer.map(|outer| &outer.0);
    let unchanged = || Surrounded { ambient: Ambient(outer.cloned().unwrap_or_default()), refused: 0 };
    guarded(None, unchanged, || {
        let (around, refused) = hosted::surround(outer, added);
        Surrounded { ambient: Ambient(Arc::new(around)), refused }
    })
}

/// An [`Ambient`], and how much of what was given could not be used.
#[napi(object, object_from_js = false)]
pub struct Surrounded {
    /// What spans inside inherit.
    pub ambient: Ambient,
    /// What was left out.
    pub refused: u32,
}
