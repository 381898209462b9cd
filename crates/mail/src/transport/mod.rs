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

/// What it means when a file cannot be written: nothing is wrong with the letter.
fn not_written(what: &str, error: &std::io::Error) -> Failure {
    Failure::new(Verdict::ServerDown, format!("{what}: {error}"))
}
