//! A set of permissions as bits: the warm path's whole knowledge of what somebody may.

use std::sync::Arc;

/// A set of small numbers, one bit each. A clone of a large one takes no memory of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bits(Words);

/// Most services have no more than 64 permissions, and there is one set to every account that is
/// remembered: those take no memory of their own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Words {
    One([u64; 1]),
    Many(Arc<[u64]>),
}

impl Default for Words {
    fn default() -> Self {
        Self::One([0])
    }
}

impl Bits {
    /// The numbers below `len` for which the test holds.
    pub fn collect(len: usize, mut test: impl FnMut(u32) -> bool) -> Self {
        let mut words = vec![0u64; len.div_ceil(64).max(1)];
        for (number, bit) in (0..len).zip(0u32..) {
            if test(bit) {
                words[number / 64] |= 1 << (number % 64);
            }
        }
        Self(match words[..] {
            [only] => Words::One([only]),
            _ => Words::Many(words.into()),
        })
    }

    fn words(&self) -> &[u64] {
        match &self.0 {
            Words::One(one) => one,
            Words::Many(many) => many,
        }
    }

    /// How many clones share the memory of this set; `None` for one so small that it has its own.
    pub fn sharers(&self) -> Option<usize> {
        match &self.0 {
            Words::One(_) => None,
            Words::Many(many) => Some(Arc::strong_count(many)),
        }
    }

    /// Whether the number is in the set.
    pub fn contains(&self, number: u32) -> bool {
        let word = self.words().get(number as usize / 64).copied().unwrap_or(0);
        word >> (number % 64) & 1 == 1
    }

    /// Whether every number of the other set is in this one.
    pub fn covers(&self, other: &Self) -> bool {
        let own = self.words();
        let covered = |(at, word): (usize, &u64)| word & !own.get(at).copied().unwrap_or(0) == 0;
        other.words().iter().enumerate().all(covered)
    }

    /// The numbers in the set, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0u32..).take(self.words().len() * 64).filter(|number| self.contains(*number))
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn a_small_set_takes_no_memory_of_its_own() {
        assert_eq!(size_of::<Bits>(), 16);
    }

    #[test]
    fn sets_of_any_size_hold_what_was_collected() {
        for len in [0, 1, 63, 64, 65, 200] {
            let set = Bits::collect(len, |number| number % 3 == 0);
            let held: Vec<u32> = (0u32..300).filter(|number| set.contains(*number)).collect();
            let expected: Vec<u32> = (0u32..).take(len).filter(|number| number % 3 == 0).collect();
            assert_eq!(held, expected, "{len}");
            assert_eq!(set.iter().collect::<Vec<_>>(), expected, "{len}");
            assert!(set.covers(&Bits::collect(len, |number| number % 6 == 0)));
            assert!(len < 2 || !set.covers(&Bits::collect(len, |number| number == 1)));
        }
        assert!(Bits::default().covers(&Bits::collect(100, |_| false)));
    }
}
