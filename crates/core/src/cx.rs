//! The context of an operation: who acts, from where, when, and by which clock and chance.

use std::{fmt, sync::Arc};

use crate::{
    entropy::Entropy,
    id::{RequestId, SessionId, UserId},
    secret::{Secret, TokenDigest, base64url},
    time::{Clock, Timestamp},
};

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person who is logged in.
    User {
        /// The account.
        id: UserId,
        /// Its login name, for the audit log.
        username: Arc<str>,
        /// The session it acts in, if it acts in one.
        session: Option<SessionId>,
        /// When the person last proved who they are.
        authenticated_at: Timestamp,
    },
    /// The operator at the command line, or a job of the server; may do everything.
    System(&'static str),
    /// Nobody who is known.
    Anonymous,
}

impl Actor {
    /// The account that acts, if one does.
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(*id),
            Self::System(_) | Self::Anonymous => None,
        }
    }

    /// The name that stands in the audit log.
    pub fn name(&self) -> &str {
        match self {
            Self::User { username, .. } => username,
            Self::System(name) => name,
            Self::Anonymous => "anonymous",
        }
    }
}

/// Where a request came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// The network address, already seen through trusted proxies.
    pub address: String,
    /// How the browser or program describes itself.
    pub user_agent: String,
    /// What the cookie is recognised by that browsers keep from their first login on.
    pub browser: Option<TokenDigest>,
}

/// The context that every use case is given first.
#[derive(Clone)]
pub struct OpCx {
    /// Who acts.
    pub actor: Actor,
    /// From where.
    pub client: Client,
    /// In which request.
    pub request: RequestId,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl OpCx {
    /// The context of a request; anonymous until somebody is recognised.
    pub fn for_request(client: Client, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self::new(Actor::Anonymous, client, clock, entropy)
    }

    /// The context of a command that the operator gives.
    pub fn for_cli(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self::new(Actor::System("command line"), Client::default(), clock, entropy)
    }

    /// The context of work that the server does by itself.
    pub fn for_job(name: &'static str, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self::new(Actor::System(name), Client::default(), clock, entropy)
    }

    fn new(actor: Actor, client: Client, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let request = RequestId::generate(clock.now(), &*entropy);
        Self { actor, client, request, clock, entropy }
    }

    /// The same operation, done by somebody who has been recognised.
    #[must_use]
    pub fn acting_as(mut self, actor: Actor) -> Self {
        self.actor = actor;
        self
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The clock, for work that outlives the call.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Where unpredictable bytes come from.
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }

    /// A fresh token of 256 random bits, written as base64url.
    pub fn new_token(&self) -> Secret {
        let mut bytes = [0; 32];
        self.entropy.fill(&mut bytes);
        Secret::new(base64url(&bytes))
    }
}

impl fmt::Debug for OpCx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpCx({} in {})", self.actor.name(), self.request)
    }
}
