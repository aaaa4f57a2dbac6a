//! What spans inside a context inherit: the host says what is added, the engine what follows from it.

use std::sync::Arc;

use polyspan::Surroundings;
use polyspan::hosted;

use crate::table::Table;

/// What is inherited, by the numbers under which JNI knows it.
pub(crate) static AMBIENTS: Table<Arc<Surroundings>> = Table::new();

/// Immutable and shared by all spans inside.
#[derive(uniffi::Object)]
pub struct Ambient(pub(crate) Arc<Surroundings>);

#[uniffi::export]
impl Ambient {
    /// The baggage, flat: key, value, properties, and so on.
    pub fn baggage(&self) -> Vec<String> {
        hosted::flat_baggage(self.0.baggage())
    }

    /// A number under which JNI knows it from now on, until it is released there.
    pub fn handle(&self) -> i64 {
        AMBIENTS.put(Arc::clone(&self.0))
    }
}

/// An [`Ambient`], and how much of what was given could not be used.
#[derive(uniffi::Record)]
pub struct Surrounded {
    /// What spans inside inherit.
    pub ambient: Arc<Ambient>,
    /// What was left out.
    pub refused: i32,
}

/// What is inherited inside `outer` once a context or span adds what `added` holds, a map as [`hosted::surround`] has
/// it.
#[uniffi::export]
pub fn surround(outer: Option<Arc<Ambient>>, added: &[u8]) -> Surrounded {
    let (around, refused) = hosted::surround(inner(outer.as_ref()), added);
    Surrounded {
        ambient: Arc::new(Ambient(Arc::new(around))),
        refused: i32::try_from(refused).unwrap_or(i32::MAX),
    }
}

/// What JNI knows under that number.
#[uniffi::export]
pub fn ambient_of_handle(handle: i64) -> Option<Arc<Ambient>> {
    AMBIENTS.get(handle).map(|around| Arc::new(Ambient(around)))
}

/// What the engine works with.
pub(crate) fn inner(around: Option<&Arc<Ambient>>) -> Option<&Arc<Surroundings>> {
    around.map(|around| &around.0)
}
