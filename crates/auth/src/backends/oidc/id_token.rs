//! Tokens that the provider signs: ID tokens (`OpenID` Connect Core 1.0 section 3.1.3.7) and logout
//! tokens (`OpenID` Connect Back-Channel Logout 1.0 section 2.6).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, crypto};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha384, Sha512};
use vestibule_core::{Timestamp, ports::backend::Fault};

use super::keys::Key;
use crate::json;

/// The signatures that are checked here: by keys that only the provider has. Never `none`, and
/// never one whose key we would share (RFC 8725 section 3.2).
pub(super) const ALGORITHMS: [&str; 9] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

/// By how much clocks may differ, in seconds.
const SKEW: i64 = 60;

/// The longest token that is looked at.
const LONGEST: usize = 64 * 1024;

/// A token whose signature has been found right.
#[derive(Debug)]
pub(super) struct Verified {
    pub(super) claims: Map<String, Value>,
    /// What kind of token it says it is.
    pub(super) kind: Option<String>,
    algorithm: &'static str,
}

/// Why a token is not believed.
#[derive(Debug)]
pub(super) enum Unverified {
    /// No key of those that are known has the id that the token names.
    UnknownKey,
    /// Anything else, for the log.
    Bad(&'static str),
}

impl From<Unverified> for Fault {
    fn from(why: Unverified) -> Self {
        Self::protocol(match why {
            Unverified::UnknownKey => "the token names a key that the provider does not have",
            Unverified::Bad(what) => what,
        })
    }
}

/// Checks the signature of a token.
pub(super) fn verify(
    token: &str,
    keys: &[Key],
    allowed: &[&'static str],
) -> Result<Verified, Unverified> {
    let bad = Unverified::Bad;
    if token.len() > LONGEST {
        return Err(bad("the token is longer than any"));
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        return Err(bad("the token does not have three parts"));
    };
    let Some(Value::Object(header)) = decoded(header) else {
        return Err(bad("the token's header cannot be read"));
    };
    // Whatever is critical there is unknown here (RFC 7515 section 4.1.11).
    if header.contains_key("crit") || header.contains_key("b64") || header.contains_key("zip") {
        return Err(bad("the token demands an extension that nobody knows"));
    }
    let said = header.get("alg").and_then(Value::as_str).unwrap_or_default();
    let Some(algorithm) = allowed.iter().copied().find(|known| *known == said) else {
        return Err(bad("the token's signature is of a kind that is not accepted"));
    };
    let id = match header.get("kid") {
        None => None,
        Some(Value::String(id)) => Some(id.as_str()),
        Some(_) => return Err(bad("the token names its key by something that is no text")),
    };
    let candidates: Vec<&Key> =
        keys.iter().filter(|key| id.is_none() || key.id.as_deref() == id).collect();
    if candidates.is_empty() {
        return Err(Unverified::UnknownKey);
    }
    let library: Algorithm = algorithm.parse().map_err(|_| bad("an unknown kind of signature"))?;
    let message = &token.as_bytes()[..token.len() - signature.len() - 1];
    let is_right = |key: &&Key| {
        key.algorithm.as_deref().is_none_or(|own| own == algorithm)
            && crypto::verify(signature, message, &key.verifies, library).unwrap_or(false)
    };
    if signature.is_empty() || !candidates.iter().any(is_right) {
        return Err(bad("the token's signature is wrong"));
    }
    let Some(Value::Object(claims)) = decoded(claims) else {
        return Err(bad("the token's claims cannot be read"));
    };
    let kind = header.get("typ").and_then(Value::as_str).map(str::to_ascii_lowercase);
    Ok(Verified { claims, kind, algorithm })
}

fn decoded(part: &str) -> Option<Value> {
    json::strict(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

impl Verified {
    /// A claim that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// Checks what both kinds of tokens have: who made it, for whom, and when.
    pub(super) fn require_ours(
        &self,
        issuer: &str,
        client: &str,
        now: Timestamp,
    ) -> Result<(), Unverified> {
        let bad = |what| Err(Unverified::Bad(what));
        if self.text("iss") != Some(issuer) {
            return bad("the token is another issuer's");
        }
        let is_for_us_alone = match self.claims.get("aud") {
            Some(Value::String(audience)) => audience == client,
            // Whoever else it is for could have brought it here.
            Some(Value::Array(audience)) => {
                matches!(&audience[..], [Value::String(one)] if one == client)
            }
            _ => false,
        };
        if !is_for_us_alone {
            return bad("the token is for somebody else");
        }
        if self.claims.get("azp").is_some_and(|party| party.as_str() != Some(client)) {
            return bad("the token was made for another client");
        }
        let now = now.as_micros() / 1_000_000;
        match (self.seconds("exp"), self.seconds("iat")) {
            (Some(expires), Some(made)) => {
                if expires + SKEW <= now {
                    return bad("the token has expired, or the clocks differ by over a minute");
                }
                if made - SKEW > now {
                    return bad("the token is from the future: the clocks differ by over a minute");
                }
            }
            (None, _) => return bad("the token does not say when it expires"),
            (_, None) => return bad("the token does not say when it was made"),
        }
        if self.claims.contains_key("nbf") && self.seconds("nbf").is_none_or(|at| at - SKEW > now) {
            return bad("the token is not valid yet");
        }
        Ok(())
    }

    /// An instant, in seconds since 1970. A number that no clock shows is none.
    pub(super) fn seconds(&self, name: &str) -> Option<i64> {
        let value = self.claims.get(name)?;
        if let Some(whole) = value.as_i64() {
            return (0..1 << 40).contains(&whole).then_some(whole);
        }
        let number = value.as_f64().filter(|number| (0.0..1e12).contains(number))?;
        #[expect(clippy::cast_possible_truncation, reason = "it is within bounds")]
        Some(number as i64)
    }

    /// Whether the access token is the one that came with this token, where it says so
    /// (section 3.1.3.8).
    pub(super) fn is_of(&self, access_token: &[u8]) -> bool {
        let Some(said) = self.claims.get("at_hash") else { return true };
        let digest = match self.algorithm {
            "RS384" | "PS384" | "ES384" => Sha384::digest(access_token).to_vec(),
            "RS512" | "PS512" | "EdDSA" => Sha512::digest(access_token).to_vec(),
            _ => Sha256::digest(access_token).to_vec(),
        };
        let half = URL_SAFE_NO_PAD.encode(&digest[..digest.len() / 2]);
        said.as_str() == Some(&half)
    }
}
