//! Pages of long lists.

/// Which page of a list is wanted, and in what order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest<O> {
    /// Counted from 1.
    pub page: u32,
    /// How many to a page.
    pub size: u32,
    /// By what the list is ordered.
    pub order: O,
    /// From last to first.
    pub descending: bool,
}

impl<O> PageRequest<O> {
    /// How many rows come before the page.
    pub fn offset(&self) -> i64 {
        i64::from(self.page.saturating_sub(1)) * i64::from(self.size)
    }
}

impl<O: Default> Default for PageRequest<O> {
    fn default() -> Self {
        Self { page: 1, size: 50, order: O::default(), descending: false }
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// How many there are on all pages together.
    pub count: u64,
    /// The ones on this page.
    pub items: Vec<T>,
}

impl<T> Page<T> {
    /// The same page with every item turned into something else.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { count: self.count, items: self.items.into_iter().map(f).collect() }
    }
}
