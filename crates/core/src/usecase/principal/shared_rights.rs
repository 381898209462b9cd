//! Sets of permissions that accounts have in common.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::policy::bits::Bits;

/// Each set of permissions once: most accounts hold what many others hold, by their groups.
#[derive(Debug, Default)]
pub(super) struct SharedRights(Mutex<HashSet<Bits>>);

impl SharedRights {
    /// An equal set, in the memory of the one that is known already.
    pub(super) fn share(&self, rights: Bits) -> Bits {
        if !rights.has_own_memory() {
            return rights;
        }
        let mut known = self.lock();
        if let Some(same) = known.get(&rights) {
            return same.clone();
        }
        known.insert(rights.clone());
        rights
    }

    /// Forgets sets that nobody else holds any more.
    pub(super) fn tidy(&self) {
        self.lock().retain(|rights| !rights.is_sole());
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<Bits>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sets_take_the_memory_of_one_for_as_long_as_somebody_holds_it() {
        let shared = SharedRights::default();
        let every = |step: u32| Bits::collect(200, move |number| number % step == 0);
        let (first, other) = (shared.share(every(2)), shared.share(every(3)));
        let second = shared.share(every(2));
        assert_eq!((&first, &other), (&every(2), &every(3)));
        assert_eq!(second, first);
        assert_eq!(shared.lock().len(), 2);
        drop(other);
        drop(first);
        shared.tidy();
        assert_eq!(shared.lock().len(), 1);
        assert!(!second.is_sole(), "the one that is left is the one that is kept");
        drop(second);
        shared.tidy();
        assert_eq!(shared.lock().len(), 0);
    }

    #[test]
    fn small_sets_are_not_kept() {
        let shared = SharedRights::default();
        shared.share(Bits::collect(64, |_| true));
        assert_eq!(shared.lock().len(), 0);
    }
}
