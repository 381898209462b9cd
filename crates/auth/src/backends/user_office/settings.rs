//! What an operator tells about a user office.

use serde::Deserialize;
use vestibule_core::ports::backend::{Section, SectionError};

use super::place::Place;
use crate::{
    backends::timeout,
    http::{Address, Basic, HttpClient},
};

/// A user office as it is asked.
pub(super) struct Office {
    pub(super) client: HttpClient,
    pub(super) login: Option<Address>,
    pub(super) authorized: Option<(Address, Basic)>,
    pub(super) experiments: Option<(Place, Basic)>,
    pub(super) default_authorization: bool,
}

#[derive(Deserialize)]
struct Keys {
    login_url: Option<String>,
    authorized_url: Option<String>,
    experiments_url: Option<String>,
    username: Option<String>,
    #[serde(default = "five")]
    timeout_seconds: f64,
    #[serde(default)]
    default_authorization: bool,
    /// Certificates that are believed beside the system's, as PEM.
    certificates: Option<String>,
}

fn five() -> f64 {
    5.0
}

impl Office {
    pub(super) fn read(mut section: Section) -> Result<Self, SectionError> {
        let password = section.take_secret("password")?;
        let keys: Keys = section.read()?;
        let timeout = timeout("timeout", keys.timeout_seconds)?;
        let client = HttpClient::new(timeout, keys.certificates.as_deref().map(str::as_bytes))
            .map_err(|error| SectionError::of_key("certificates", error.to_string()))?;
        let login = address("login_url", keys.login_url)?;
        let authorized = address("authorized_url", keys.authorized_url)?;
        let experiments = keys.experiments_url.as_deref().map(str::parse::<Place>).transpose();
        let experiments = experiments
            .map_err(|error| SectionError::of_key("experiments_url", error.to_string()))?;
        let asking = match (&authorized, &experiments) {
            (Some(_), _) => "authorized_url",
            (None, Some(_)) => "experiments_url",
            (None, None) => "",
        };
        let basic = match (keys.username, password) {
            _ if asking.is_empty() => None,
            (Some(username), Some(password)) => Some(Basic { username, password }),
            (username, _) => {
                let key = if username.is_none() { "username" } else { "password" };
                let reason = format!("is missing: {asking} wants it");
                return Err(SectionError::of_key(key, reason));
            }
        };
        Ok(Self {
            client,
            login,
            authorized: authorized.zip(basic.clone()),
            experiments: experiments.zip(basic),
            default_authorization: keys.default_authorization,
        })
    }
}

fn address(key: &str, text: Option<String>) -> Result<Option<Address>, SectionError> {
    let address = text.map(|text| text.parse()).transpose();
    address.map_err(|error: crate::http::HttpError| SectionError::of_key(key, error.to_string()))
}
