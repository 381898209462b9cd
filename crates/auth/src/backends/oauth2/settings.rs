//! What an operator tells about a provider.

use serde::Deserialize;
use vestibule_core::ports::backend::{Section, SectionError};

use super::client::Client;
use crate::{
    backends::timeout,
    http::{Address, HttpClient, HttpError},
};

/// A provider as it is asked.
pub(super) struct Provider {
    pub(super) authorization: Address,
    pub(super) token: Address,
    /// Where its API says who has an access token.
    pub(super) user: Address,
    pub(super) issuer: Option<String>,
    pub(super) client: Client,
    pub(super) secret_in_form: bool,
    pub(super) fields: Fields,
    pub(super) http: HttpClient,
}

/// In which fields of the API's answer what is found.
pub(super) struct Fields {
    pub(super) subject: String,
    pub(super) username: String,
    pub(super) email: Option<String>,
    pub(super) email_verified: Option<String>,
    pub(super) groups: Option<String>,
}

#[derive(Deserialize)]
struct Keys {
    authorization_url: String,
    token_url: String,
    user_url: String,
    issuer: Option<String>,
    client_id: String,
    #[serde(default)]
    secret_in_form: bool,
    #[serde(default)]
    scopes: Vec<String>,
    subject_field: String,
    username_field: String,
    email_field: Option<String>,
    email_verified_field: Option<String>,
    groups_field: Option<String>,
    #[serde(default = "five")]
    timeout_seconds: f64,
    /// Certificates that are believed beside the system's, as PEM.
    certificates: Option<String>,
}

fn five() -> f64 {
    5.0
}

impl Provider {
    pub(super) fn read(mut section: Section) -> Result<Self, SectionError> {
        let secret = section.take_secret("client_secret")?;
        let keys: Keys = section.read()?;
        if keys.client_id.is_empty() {
            return Err(SectionError::of_key("client_id", "is empty"));
        }
        let timeout = timeout("timeout_seconds", keys.timeout_seconds)?;
        let certificates = keys.certificates.as_deref().map(str::as_bytes);
        let http = HttpClient::new(timeout, certificates)
            .map_err(|error| SectionError::of_key("certificates", error.to_string()))?;
        Ok(Self {
            authorization: address("authorization_url", &keys.authorization_url)?,
            token: address("token_url", &keys.token_url)?,
            user: address("user_url", &keys.user_url)?,
            issuer: keys.issuer,
            client: Client { id: keys.client_id, secret, scopes: keys.scopes },
            secret_in_form: keys.secret_in_form,
            fields: Fields {
                subject: keys.subject_field,
                username: keys.username_field,
                email: keys.email_field,
                email_verified: keys.email_verified_field,
                groups: keys.groups_field,
            },
            http,
        })
    }
}

fn address(key: &str, text: &str) -> Result<Address, SectionError> {
    text.parse().map_err(|error: HttpError| SectionError::of_key(key, error.to_string()))
}
