//! Ids for thousands of rows: ordered as the rows are, so that indexes grow at their end, and
//! without asking the operating system for chance once for each.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use vestibule_core::{
    Entropy, OpCx,
    id::{GrantId, GroupId, UserId},
};

/// How many ids are made at once.
const STOCK: usize = 1000;

/// A stock of fresh ids.
pub(super) struct Ids {
    cx: OpCx,
    stock: VecDeque<[u8; 16]>,
}

impl Ids {
    pub(super) fn new(cx: OpCx) -> Self {
        Self { cx, stock: VecDeque::new() }
    }

    pub(super) fn user(&mut self) -> UserId {
        UserId::from_bytes(self.next())
    }

    pub(super) fn group(&mut self) -> GroupId {
        GroupId::from_bytes(self.next())
    }

    pub(super) fn grant(&mut self) -> GrantId {
        GrantId::from_bytes(self.next())
    }

    fn next(&mut self) -> [u8; 16] {
        loop {
            if let Some(id) = self.stock.pop_front() {
                return id;
            }
            let entropy = Buffered { inner: self.cx.entropy(), stock: Mutex::new(Vec::new()) };
            let now = self.cx.now();
            let mut fresh: Vec<_> =
                (0..STOCK).map(|_| *UserId::generate(now, &entropy).as_bytes()).collect();
            fresh.sort_unstable();
            self.stock.extend(fresh);
        }
    }
}

/// Chance that is drawn in larger pieces; none of it is handed out twice.
struct Buffered<'a> {
    inner: &'a dyn Entropy,
    stock: Mutex<Vec<u8>>,
}

impl Entropy for Buffered<'_> {
    fn fill(&self, buffer: &mut [u8]) {
        let mut stock = self.stock.lock().unwrap_or_else(PoisonError::into_inner);
        if stock.len() < buffer.len() {
            stock.resize(buffer.len().max(4096), 0);
            self.inner.fill(&mut stock);
        }
        let rest = stock.len() - buffer.len();
        buffer.copy_from_slice(&stock[rest..]);
        stock.truncate(rest);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use vestibule_core::{SystemClock, SystemEntropy};

    use super::*;

    #[test]
    fn ids_come_in_order_and_never_twice() {
        let cx =
            OpCx::for_cli(std::sync::Arc::new(SystemClock), std::sync::Arc::new(SystemEntropy));
        let mut ids = Ids::new(cx);
        let made: Vec<_> = (0..STOCK * 3).map(|_| ids.user()).collect();
        assert!(made[..STOCK].is_sorted());
        assert_eq!(made.iter().collect::<BTreeSet<_>>().len(), made.len());
    }
}
