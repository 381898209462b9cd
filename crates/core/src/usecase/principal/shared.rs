//! What many accounts have in common, kept once.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::policy::bits::Bits;

/// The sets of permissions that accounts hold: those of the same groups hold the same.
#[derive(Default)]
pub(super) struct SharedSets(Mutex<HashSet<Bits>>);

impl SharedSets {
    /// The same set, in the memory of one like it where there is one.
    pub(super) fn share(&self, set: Bits) -> Bits {
        if set.sharers().is_none() {
            return set;
        }
        let mut kept = self.lock();
        if let Some(known) = kept.get(&set) {
            return known.clone();
        }
        kept.insert(set.clone());
        set
    }

    /// Forgets those that nobody holds any more.
    pub(super) fn tidy(&self) {
        self.lock().retain(|set| set.sharers() > Some(1));
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<Bits>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::SharedSets;
    use crate::policy::bits::Bits;

    #[test]
    fn large_sets_that_are_alike_take_their_memory_once() {
        let shared = SharedSets::default();
        let set = |step: u32| shared.share(Bits::collect(1000, |number| number % step == 0));
        let (one, same, other) = (set(3), set(3), set(5));
        assert!(one == same && one != other);
        // Two here, and what is kept.
        assert_eq!((one.sharers(), other.sharers()), (Some(3), Some(2)));
        drop(other);
        shared.tidy();
        assert_eq!(shared.lock().len(), 1, "the one that is in use");
        drop((one, same));
        shared.tidy();
        assert!(shared.lock().is_empty());
    }

    #[test]
    fn small_sets_are_not_kept() {
        let shared = SharedSets::default();
        shared.share(Bits::collect(64, |_| true));
        assert!(shared.lock().is_empty());
    }
}
