//! What a backend wants of the visitor before it can say more.

use crate::secret::Secret;

/// A further step. The core keeps `state`, sealed, and hands it back with what the visitor brings:
/// once, and to this backend alone.
#[derive(Debug)]
pub struct Challenge {
    /// What the visitor has to do.
    pub step: Step,
    /// What the backend needs to go on; the visitor never sees it.
    pub state: Secret,
}

/// What a visitor has to do before a backend can say more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Go to this address and come back. Answers [`Attempt::Visit`](super::Attempt::Visit), and
    /// [`Attempt::Headers`](super::Attempt::Headers) of whom the proxy does not know yet.
    Redirect {
        /// Where to.
        url: String,
    },
    /// Type a one-time code. Answers [`Attempt::Password`](super::Attempt::Password) alone, when the
    /// name and the password have been found right.
    Code {
        /// What the visitor is asked for, in a few words; empty for a code of no special kind.
        prompt: String,
    },
}

impl Challenge {
    /// Sends the visitor elsewhere.
    pub fn redirect(url: impl Into<String>, state: impl Into<Secret>) -> Self {
        Self { step: Step::Redirect { url: url.into() }, state: state.into() }
    }

    /// Asks for a one-time code. The name and the password are brought again with it: there is
    /// nothing to keep unless the backend has a state of its own.
    pub fn code(prompt: impl Into<String>) -> Self {
        Self { step: Step::Code { prompt: prompt.into() }, state: Secret::new("") }
    }

    /// With something to keep.
    #[must_use]
    pub fn with_state(mut self, state: impl Into<Secret>) -> Self {
        self.state = state.into();
        self
    }
}
