//! The keys by which a provider signs (RFC 7517).

use jsonwebtoken::{
    DecodingKey,
    jwk::{Jwk, PublicKeyUse},
};
use serde_json::Value;
use vestibule_core::ports::backend::Fault;

/// The most keys that are looked at: more than anybody has.
const MOST: usize = 100;

/// A key that may verify signatures.
pub(super) struct Key {
    pub(super) id: Option<String>,
    /// The one algorithm that it is for, where it says so.
    pub(super) algorithm: Option<String>,
    pub(super) verifies: DecodingKey,
}

/// Reads a set of keys. Those of kinds that nobody knows here, and broken ones, are passed over
/// (section 5 there); secrets that are published are none.
pub(super) fn read(said: &Value) -> Result<Vec<Key>, Fault> {
    let Some(Value::Array(said)) = said.get("keys") else {
        return Err(Fault::protocol("the provider's keys are no list"));
    };
    if said.len() > MOST {
        return Err(Fault::protocol("the provider has more keys than anybody needs"));
    }
    let keys: Vec<Key> = said.iter().filter_map(key).collect();
    if keys.is_empty() {
        return Err(Fault::protocol("the provider has no key that can be used here"));
    }
    Ok(keys)
}

fn key(said: &Value) -> Option<Key> {
    if said.get("kty").and_then(Value::as_str) == Some("oct") {
        return None;
    }
    let jwk: Jwk = serde_json::from_value(said.clone()).ok()?;
    if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
        return None;
    }
    Some(Key {
        id: jwk.common.key_id.clone(),
        algorithm: said.get("alg").and_then(Value::as_str).map(str::to_owned),
        verifies: DecodingKey::from_jwk(&jwk).ok()?,
    })
}
