//! What an operator tells about a provider.

use std::time::Duration;

use serde::Deserialize;
use vestibule_core::ports::backend::{Section, SectionError};

use crate::{
    backends::{oauth2::client::Client, timeout},
    http::{Address, HttpClient},
    reach::Reach,
};

/// A provider as it is asked.
pub(super) struct Provider {
    pub(super) issuer: String,
    pub(super) discovery: Address,
    pub(super) client: Client,
    /// Where the secret goes; as the provider announces where it is not told.
    pub(super) client_auth: Option<ClientAuth>,
    pub(super) http: HttpClient,
    pub(super) reach: Reach,
    pub(super) names: ClaimNames,
    pub(super) userinfo: bool,
    /// How long ago the visitor may have proved who they are, there.
    pub(super) max_age: Option<Duration>,
    /// The strengths of authentication that are asked for; one of them has to come back.
    pub(super) acr_values: Vec<String>,
    /// Whether sessions end with the ID token, unless the provider gives another.
    pub(super) recheck: bool,
    /// Whether whoever logs out here is led to log out there.
    pub(super) logout: bool,
}

/// Which claims say what.
pub(super) struct ClaimNames {
    pub(super) username: String,
    pub(super) groups: Option<String>,
}

/// How we prove who we are (`OpenID` Connect Core 1.0 section 9).
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum ClientAuth {
    ClientSecretBasic,
    ClientSecretPost,
    None,
}

#[derive(Deserialize)]
struct Keys {
    issuer: String,
    client_id: String,
    client_auth: Option<ClientAuth>,
    #[serde(default = "scopes")]
    scopes: Vec<String>,
    #[serde(default = "preferred_username")]
    username_claim: String,
    #[serde(default = "groups")]
    groups_claim: String,
    #[serde(default = "yes")]
    userinfo: bool,
    max_age_seconds: Option<u32>,
    #[serde(default)]
    acr_values: Vec<String>,
    #[serde(default)]
    recheck: bool,
    #[serde(default)]
    logout: bool,
    /// Hosts of the provider's that are not public, beside the issuer's own.
    #[serde(default)]
    hosts: Vec<String>,
    #[serde(default = "five")]
    timeout_seconds: f64,
    /// Certificates that are believed beside the system's, as PEM.
    certificates: Option<String>,
}

fn scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(str::to_owned).into()
}

fn preferred_username() -> String {
    "preferred_username".to_owned()
}

fn groups() -> String {
    "groups".to_owned()
}

fn yes() -> bool {
    true
}

fn five() -> f64 {
    5.0
}

impl Provider {
    pub(super) fn read(mut section: Section) -> Result<Self, SectionError> {
        let secret = section.take_secret("client_secret")?;
        let keys: Keys = section.read()?;
        let wrong = |key: &str, reason: &str| Err(SectionError::of_key(key, reason));
        let issuer: Address = keys.issuer.parse().map_err(|error: crate::http::HttpError| {
            SectionError::of_key("issuer", error.to_string())
        })?;
        if keys.issuer.contains(['?', '#']) {
            return wrong("issuer", "has a query or a fragment");
        }
        let discovery =
            format!("{}/.well-known/openid-configuration", keys.issuer.trim_end_matches('/'));
        let discovery = discovery.parse().map_err(|error: crate::http::HttpError| {
            SectionError::of_key("issuer", error.to_string())
        })?;
        if keys.client_id.is_empty() {
            return wrong("client_id", "is empty");
        }
        if !keys.scopes.iter().any(|scope| scope == "openid") {
            return wrong("scopes", "expected openid among them");
        }
        match (keys.client_auth, &secret) {
            (Some(ClientAuth::None), Some(_)) => {
                return wrong("client_secret", "is given, and client_auth is none");
            }
            (Some(ClientAuth::ClientSecretBasic | ClientAuth::ClientSecretPost), None) => {
                return wrong("client_secret", "is missing: client_auth wants it");
            }
            _ => {}
        }
        let named: Result<Vec<Address>, _> =
            keys.hosts.iter().map(|host| format!("https://{host}").parse()).collect();
        let Ok(named) = named else { return wrong("hosts", "expected names of hosts") };
        let reach = Reach::new(named.iter().chain([&issuer]));
        let timeout = timeout("timeout_seconds", keys.timeout_seconds)?;
        let certificates = keys.certificates.as_deref().map(str::as_bytes);
        let http = HttpClient::within(reach.clone(), timeout, certificates)
            .map_err(|error| SectionError::of_key("certificates", error.to_string()))?;
        let client = Client { id: keys.client_id, secret, scopes: keys.scopes };
        Ok(Self {
            issuer: keys.issuer,
            discovery,
            client,
            client_auth: keys.client_auth,
            http,
            reach,
            names: ClaimNames {
                username: keys.username_claim,
                groups: Some(keys.groups_claim).filter(|path| !path.is_empty()),
            },
            userinfo: keys.userinfo,
            max_age: keys.max_age_seconds.map(|seconds| Duration::from_secs(seconds.into())),
            acr_values: keys.acr_values,
            recheck: keys.recheck,
            logout: keys.logout,
        })
    }
}
