//! Ways to get a letter out of the house.

pub mod console;
pub mod file;
pub mod memory;
pub mod smtp;

use async_trait::async_trait;

use crate::{
    classify::{Failure, Verdict},
    message::Letter,
};

/// A way to get a letter out of the house.
#[async_trait]
pub trait Transport: Send + Sync {
    /// What it is called: `smtp`, `file`, `console`.
    fn name(&self) -> &'static str;

    /// Hands the letter over. `Ok` with the answer once somebody else is responsible for it.
    async fn deliver(&self, letter: &Letter) -> Result<String, Failure>;

    /// Looks whether a letter could be handed over. Answers what was found.
    async fn probe(&self) -> Result<String, Failure>;

    /// Takes leave of whoever is still on the line.
    async fn close(&self) {}
}

/// What it means when a letter cannot be written down: nothing is wrong with it.
fn not_written(error: &impl std::fmt::Display) -> Failure {
    Failure::new(Verdict::ServerDown, error.to_string())
}
