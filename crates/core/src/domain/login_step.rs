//! Logins that wait for the visitor to do one thing more.

use super::identity::BackendName;
use crate::{secret::TokenDigest, time::Timestamp};

/// A login that waits for the visitor, as it is stored: what there is to go on with is sealed with
/// the token that the visitor brings back, and the token is known by its digest alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginStep {
    /// What its token is recognised by.
    pub digest: TokenDigest,
    /// Which backend asked for it.
    pub backend: BackendName,
    /// The browser that has to bring it back, where it is bound to one.
    pub browser: Option<TokenDigest>,
    /// What there is to go on with.
    pub sealed: Vec<u8>,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}
