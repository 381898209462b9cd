//! A provider of OAuth 2.0 and of `OpenID` Connect in a few lines: strict where a provider has to
//! be, so that what it lets through was right.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Url;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use vestibule_auth::testkit::{Asked, Reply, Service};

use super::pair;

pub(super) const CLIENT: &str = "the-hall";
pub(super) const SECRET: &str = "secret-between-the-hall-and-the-provider";
/// What all its access tokens begin with: wherever it turns up, one has leaked.
pub(super) const ACCESS_TOKENS: &str = "access-token-of-the-provider";

pub(super) struct Provider {
    issuer: String,
    key: rcgen::KeyPair,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    given: u32,
    /// What each code is good for, once.
    codes: HashMap<String, Grant>,
    /// Whose each access token is.
    tokens: HashMap<String, String>,
    /// The groups that it tells of ann.
    groups: Option<Vec<String>>,
}

/// What was asked for when the visitor came.
struct Grant {
    who: String,
    asked: HashMap<String, String>,
}

/// Its people, by their login names there.
fn id_of(who: &str) -> Option<&'static str> {
    match who.to_lowercase().as_str() {
        "ann" => Some("4711"),
        "bert" => Some("4712"),
        _ => None,
    }
}

impl Provider {
    /// Makes one that answers at this service.
    pub(super) fn at(service: &Service) -> Arc<Self> {
        let (issuer, key) = (service.url(""), rcgen::KeyPair::generate().unwrap());
        Arc::new(Self { issuer, key, known: Mutex::default() })
    }

    pub(super) fn tell_groups(&self, groups: Option<&[&str]>) {
        let groups = groups.map(|names| names.iter().map(|&name| name.to_owned()).collect());
        self.known.lock().unwrap().groups = groups;
    }

    /// Somebody comes who was sent here, proves who they are, and goes back.
    pub(super) fn visited(&self, url: &str, who: &str) -> Vec<(String, String)> {
        let asked: HashMap<String, String> =
            url.parse::<Url>().unwrap().query_pairs().into_owned().collect();
        let state = pair("state", &asked["state"]);
        let is_sound = asked["client_id"] == CLIENT
            && asked["response_type"] == "code"
            && asked["code_challenge_method"] == "S256";
        assert!(is_sound, "{asked:?}");
        let iss = pair("iss", &self.issuer);
        if who == "carl" {
            // Whose account is switched off, and who is told so there.
            return vec![pair("error", "access_denied"), state, iss];
        }
        if id_of(who).is_none() {
            return vec![pair("error", "login_required"), state, iss];
        }
        let mut known = self.known.lock().unwrap();
        known.given += 1;
        let code = format!("code-{}-that-is-good-once", known.given);
        known.codes.insert(code.clone(), Grant { who: who.to_owned(), asked });
        vec![pair("code", &code), state, iss]
    }

    pub(super) fn serve(&self, asked: &Asked) -> Reply {
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/.well-known/openid-configuration") => Reply::json(&json!({
                "issuer": self.issuer,
                "authorization_endpoint": format!("{}/authorize", self.issuer),
                "token_endpoint": format!("{}/token", self.issuer),
                "jwks_uri": format!("{}/keys", self.issuer),
                "userinfo_endpoint": format!("{}/user", self.issuer),
                "id_token_signing_alg_values_supported": ["ES256"],
            })),
            ("GET", "/keys") => Reply::json(&json!({ "keys": [self.public_key()] })),
            ("POST", "/token") => self.trade(asked),
            ("GET", "/user") => self.tell(asked),
            _ => Reply::status(404),
        }
    }

    fn trade(&self, asked: &Asked) -> Reply {
        let refused = |error: &str| {
            Reply::of(400, "application/json", &json!({ "error": error }).to_string())
        };
        let ours = format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD.encode(format!("{CLIENT}:{SECRET}"))
        );
        if asked.header("authorization") != Some(&ours) {
            return refused("invalid_client");
        }
        let form: Url = format!("http://form/?{}", asked.body).parse().unwrap();
        let form: HashMap<String, String> = form.query_pairs().into_owned().collect();
        let of = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let mut known = self.known.lock().unwrap();
        // Whatever comes of it, a code is used up (RFC 6749 section 4.1.2).
        let Some(Grant { who, asked }) = known.codes.remove(of("code")) else {
            return refused("invalid_grant");
        };
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(of("code_verifier")));
        let is_ours = asked["code_challenge"] == challenge
            && asked["redirect_uri"] == of("redirect_uri")
            && of("grant_type") == "authorization_code";
        if !is_ours {
            return refused("invalid_grant");
        }
        known.given += 1;
        let token = format!("{ACCESS_TOKENS}-{}", known.given);
        known.tokens.insert(token.clone(), who.clone());
        let id_token = self.id_token(&who, asked.get("nonce"));
        Reply::json(&json!({ "access_token": token, "token_type": "Bearer", "id_token": id_token }))
    }

    fn tell(&self, asked: &Asked) -> Reply {
        let known = self.known.lock().unwrap();
        let token = asked.header("authorization").and_then(|all| all.strip_prefix("Bearer "));
        let who = token.and_then(|token| known.tokens.get(token));
        let Some(id) = who.and_then(|who| id_of(who)) else { return Reply::status(401) };
        let mut told = json!({ "sub": id, "login": who });
        if let Some(groups) = known.groups.as_ref().filter(|_| id == "4711") {
            told["groups"] = json!(groups);
        }
        Reply::json(&told)
    }

    fn id_token(&self, who: &str, nonce: Option<&String>) -> String {
        let claims = json!({
            "iss": self.issuer, "aud": CLIENT, "sub": id_of(who), "nonce": nonce,
            "iat": 0, "exp": 4_000_000_000_u32,
        });
        let key = EncodingKey::from_ec_der(&self.key.serialize_der());
        jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &key).unwrap()
    }

    fn public_key(&self) -> Value {
        // A point of the curve P-256, not packed: 4, then both coordinates.
        let point = self.key.public_key_raw();
        let (x, y) = point[1..].split_at(32);
        let text = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y), "use": "sig" })
    }
}
