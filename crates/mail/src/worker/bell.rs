//! What wakes a worker.

use std::sync::Arc;

use tokio::sync::Notify;
use vestibule_core::{
    domain::{change::Change, notice::Lane},
    ports::store::ChangeObserver,
};

/// Rings when mail was posted in this process.
#[derive(Clone, Default)]
pub struct Bell(Arc<[Notify; 2]>);

impl Bell {
    /// Rings.
    pub fn ring(&self) {
        for waiting in self.0.iter() {
            waiting.notify_one();
        }
    }

    pub(super) async fn rung(&self, lane: Lane) {
        let [personal, bulk] = &*self.0;
        match lane {
            Lane::Personal => personal.notified().await,
            Lane::Bulk => bulk.notified().await,
        }
    }
}

impl ChangeObserver for Bell {
    fn committed(&self, changes: &[Change]) {
        if changes.contains(&Change::Mail) {
            self.ring();
        }
    }
}
