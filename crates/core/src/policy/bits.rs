//! A set of permissions as bits: the warm path's whole knowledge of what somebody may.

/// A set of small numbers, one bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits(Box<[u64]>);

impl Bits {
    /// The numbers below `len` for which the test holds.
    pub fn collect(len: usize, mut test: impl FnMut(u32) -> bool) -> Self {
        let mut words = vec![0u64; len.div_ceil(64)];
        for (number, bit) in (0..len).zip(0u32..) {
            if test(bit) {
                words[number / 64] |= 1 << (number % 64);
            }
        }
        Self(words.into())
    }

    /// Whether the number is in the set.
    pub fn contains(&self, number: u32) -> bool {
        let word = self.0.get(number as usize / 64).copied().unwrap_or(0);
        word >> (number % 64) & 1 == 1
    }

    /// Whether every number of the other set is in this one.
    pub fn covers(&self, other: &Self) -> bool {
        other
            .0
            .iter()
            .enumerate()
            .all(|(at, word)| word & !self.0.get(at).copied().unwrap_or(0) == 0)
    }

    /// The numbers in the set, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0u32..).take(self.0.len() * 64).filter(|number| self.contains(*number))
    }
}
