//! Numbers for things of this library, for hosts that keep a number where an object would cost: the JVM over JNI.
//! A number that stands for nothing finds nothing, whatever a host does with it.

use std::sync::{PoisonError, RwLock};

/// Things by numbers. A number is a place and how often that place was used before, so that none is given twice.
pub struct Table<T>(RwLock<Places<T>>);

struct Places<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

struct Place<T> {
    used: u32,
    thing: Option<T>,
}

impl<T: Clone> Table<T> {
    /// An empty one.
    pub const fn new() -> Self {
        Self(RwLock::new(Places { places: Vec::new(), free: Vec::new() }))
    }

    /// Keeps `thing` under a number, which is never 0; 0 where four thousand million are kept.
    pub fn put(&self, thing: T) -> i64 {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let at = match table.free.pop() {
            Some(at) => at,
            None => {
                let Ok(at) = u32::try_from(table.places.len()) else { return 0 };
                table.places.push(Place { used: 0, thing: None });
                at
            }
        };
        let Some(place) = table.places.get_mut(at as usize) else { return 0 };
        place.thing = Some(thing);
        number(at, place.used)
    }

    /// What is kept under that number.
    pub fn get(&self, number: i64) -> Option<T> {
        let (at, used) = parts(number)?;
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let place = table.places.get(at).filter(|place| place.used == used)?;
        place.thing.clone()
    }

    /// Keeps it no longer.
    pub fn remove(&self, number: i64) -> Option<T> {
        let (at, used) = parts(number)?;
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let place = table.places.get_mut(at).filter(|place| place.used == used)?;
        let thing = place.thing.take()?;
        place.used = place.used.wrapping_add(1) & USES;
        table.free.push(at as u32);
        Some(thing)
    }

    /// How many are kept.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        table.places.len() - table.free.len()
    }
}

/// Numbers are positive in Java.
const USES: u32 = 0x7fff_ffff;

fn number(at: u32, used: u32) -> i64 {
    (i64::from(used) << 32 | i64::from(at)) + 1
}

fn parts(number: i64) -> Option<(usize, u32)> {
    let number = u64::try_from(number.checked_sub(1)?).ok()?;
    Some(((number & u64::from(u32::MAX)) as usize, (number >> 32) as u32))
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn numbers_that_are_over_find_nothing() {
        let table = Table::new();
        let first = table.put("first");
        assert_eq!(table.get(first), Some("first"));
        assert_eq!(table.remove(first), Some("first"));
        let second = table.put("second");
        assert_ne!(second, first);
        assert_eq!((table.get(first), table.remove(first)), (None, None));
        assert_eq!(table.get(second), Some("second"));
        for wrong in [0, -1, i64::MIN, i64::MAX, second + 1] {
            assert_eq!(table.get(wrong), None);
        }
    }

    #[test]
    fn places_are_used_again() {
        let table = Table::new();
        for n in 0..1_000 {
            let number = table.put(n);
            assert!(number > 0);
            assert_eq!(table.remove(number), Some(n));
        }
        assert_eq!(table.len(), 0);
        assert_eq!(table.0.read().unwrap().places.len(), 1);
    }
}
