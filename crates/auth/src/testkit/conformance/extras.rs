//! What else there is to try, where a backend has it.

use std::time::Duration;

use async_trait::async_trait;
use vestibule_core::ports::backend::{Attempt, Backend, Verdict};

/// What else there is to try, where a backend has it; all of it may be left out.
pub struct Extras {
    /// What is behind the backend, where that is not the fixture's service.
    pub peer: Option<Box<dyn Peer>>,
    /// Who asks the backend, for those that need more of their host than a clock: a store, a
    /// hasher, the account that a name belongs to.
    pub host: Option<Box<dyn Asks>>,
    /// Has the service tell these groups of the fixture's right person from now on, as the backend
    /// names them; `None`: it does not say, or cannot find out. Says no where it cannot be made to.
    pub tell_groups: Option<TellGroups>,
    /// One-time codes, where the service asks for them.
    pub code: Option<Code>,
    /// How people come back from elsewhere, for backends that send them there.
    pub visits: Option<ComeBack>,
    /// What the proxy says of people, for backends that believe one.
    pub headers: Option<Vouch>,
    /// How long an answer may take: two seconds.
    pub patience: Duration,
}

/// Has a service tell these groups, or none that could be relied upon.
pub type TellGroups = Box<dyn Fn(Option<&[&str]>) -> bool + Send + Sync>;

/// With which parameters somebody comes back who was sent to this address, and who has this login
/// name there. Each call is a visit of its own. Whom the service does not know, or has switched
/// off, it sends back with an error.
pub type ComeBack = Box<dyn Fn(&str, &str) -> Vec<(String, String)> + Send + Sync>;

/// Which headers the proxy sets for somebody of this login name, all of them: whatever has another
/// name may have come from a visitor.
pub type Vouch = Box<dyn Fn(&str) -> Vec<(String, Vec<u8>)> + Send + Sync>;

impl Default for Extras {
    fn default() -> Self {
        Self {
            peer: None,
            host: None,
            tell_groups: None,
            code: None,
            visits: None,
            headers: None,
            patience: Duration::from_secs(2),
        }
    }
}

/// What is behind a backend: it can be made to fail, and to work again.
pub trait Peer: Send + Sync {
    /// From now on, works.
    fn works(&self);

    /// The ways in which it can be made to fail, by name. The first one is that it is away.
    fn failures(&self) -> Vec<String>;

    /// From now on, fails in this way.
    fn fails(&self, how: &str);

    /// From now on, takes questions and answers nothing. Says no where it cannot be made to.
    fn hangs(&self) -> bool;
}

/// What is behind a backend that asks nobody: nothing that could fail.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Peer for Nobody {
    fn works(&self) {}

    fn failures(&self) -> Vec<String> {
        Vec::new()
    }

    fn fails(&self, _: &str) {}

    fn hangs(&self) -> bool {
        false
    }
}

/// Who asks a backend.
#[async_trait]
pub trait Asks: Send + Sync {
    /// Asks it about what a visitor brings, as the host would.
    async fn ask(&self, backend: &dyn Backend, attempt: &Attempt) -> Verdict;
}

/// A service that asks for one-time codes.
pub struct Code {
    /// Whom it asks for one: a login name and its password.
    pub person: (String, String),
    /// Which code it takes of them, as often as it is brought with a state that is good.
    pub right: String,
    /// Another one whom it asks, with another code.
    pub other: (String, String),
    /// The other one's code.
    pub other_code: String,
}
