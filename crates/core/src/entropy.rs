//! Chance as the domain sees it: bytes that come in from outside.

/// Where unpredictable bytes come from.
pub trait Entropy: Send + Sync {
    /// Fills the buffer.
    ///
    /// # Panics
    /// When the operating system has no randomness to give: nothing secure can be done then.
    fn fill(&self, buffer: &mut [u8]);
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for chance")]
    #[expect(clippy::expect_used, reason = "no secure way to go on without randomness")]
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the operating system gives no randomness");
    }
}
