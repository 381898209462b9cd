//! What an operator tells about a service.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use vestibule_core::{
    Secret,
    ports::backend::{CredentialKind, Fault, Section, SectionError},
};

use crate::{
    backends::timeout,
    http::{Address, HttpClient},
};

/// A service as it is asked.
pub(super) struct Service {
    pub(super) client: HttpClient,
    pub(super) authenticate: Address,
    pub(super) judge: Address,
    pub(super) probe: Address,
    pub(super) token: Option<Secret>,
    pub(super) socket: Option<PathBuf>,
    pub(super) takes: Vec<CredentialKind>,
    pub(super) entitlement: bool,
}

#[derive(Deserialize)]
struct Keys {
    url: String,
    #[serde(default = "passwords")]
    takes: Vec<Takes>,
    #[serde(default)]
    entitlement: bool,
    #[serde(default = "five")]
    timeout_seconds: f64,
    /// Certificates that are believed beside the system's, as PEM.
    certificates: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Takes {
    Password,
    Redirect,
}

fn passwords() -> Vec<Takes> {
    vec![Takes::Password]
}

fn five() -> f64 {
    5.0
}

const SHORTEST_TOKEN: usize = 16;

impl Service {
    pub(super) fn read(mut section: Section) -> Result<Self, SectionError> {
        let token = section.take_secret("token")?;
        let keys: Keys = section.read()?;
        let refuse = |key, reason: String| SectionError::of_key(key, reason);
        let timeout = timeout("timeout_seconds", keys.timeout_seconds)?;
        let socket = match keys.url.strip_prefix("unix:").map(PathBuf::from) {
            Some(path) if path.is_absolute() => Some(path),
            Some(_) => {
                let reason = "expected unix: and a path from the root, unix:/run/x.sock";
                return Err(refuse("url", reason.to_owned()));
            }
            None => None,
        };
        match &token {
            Some(token) => token_holds(token).map_err(|reason| refuse("token", reason))?,
            // Whoever may open the socket may ask, and nobody else.
            None if socket.is_some() => {}
            None => {
                let reason = "is missing: without it everybody could try passwords there";
                return Err(refuse("token_file", reason.to_owned()));
            }
        }
        let certificates = keys.certificates.as_deref().map(str::as_bytes);
        let client = match &socket {
            Some(path) => HttpClient::over_socket(timeout, path),
            None => HttpClient::new(timeout, certificates),
        };
        let client = client.map_err(|error| refuse("certificates", error.to_string()))?;
        let base = if socket.is_some() { "http://localhost" } else { keys.url.as_str() };
        if base.contains(['?', '#']) {
            return Err(refuse("url", "expected an address without ? and #".to_owned()));
        }
        let of = |path: &str| {
            let address = format!("{}/{path}", base.trim_end_matches('/')).parse::<Address>();
            address.map_err(|error| refuse("url", error.to_string()))
        };
        if keys.takes.is_empty() && !keys.entitlement {
            let reason = "is empty, and entitlement is false: there is nothing to ask";
            return Err(refuse("takes", reason.to_owned()));
        }
        Ok(Self {
            authenticate: of("authenticate")?,
            judge: of("judge")?,
            probe: of("probe")?,
            client,
            token,
            socket,
            takes: keys.takes.into_iter().map(CredentialKind::from).collect(),
            entitlement: keys.entitlement,
        })
    }

    /// Refuses a socket that anybody could have put there: they would be told passwords.
    pub(super) fn require_own_socket(&self) -> Result<(), Fault> {
        let Some(folder) = self.socket.as_deref().and_then(Path::parent) else { return Ok(()) };
        match folder.metadata() {
            Ok(about) if about.permissions().mode() & 0o002 != 0 => {
                let folder = folder.display();
                Err(Fault::Misconfigured(format!("everybody may put a socket into {folder}")))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(Fault::unavailable(format!("{}: {error}", folder.display()))),
        }
    }
}

impl From<Takes> for CredentialKind {
    fn from(takes: Takes) -> Self {
        match takes {
            Takes::Password => Self::Password,
            Takes::Redirect => Self::Redirect,
        }
    }
}

/// RFC 6750 section 2.1: what a bearer token is made of.
fn token_holds(token: &Secret) -> Result<(), String> {
    let is_of_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
    if token.len() < SHORTEST_TOKEN {
        return Err(format!("is shorter than {SHORTEST_TOKEN} characters"));
    }
    if !token.expose().iter().all(is_of_token) {
        return Err("expected letters, digits and -._~+/= alone".to_owned());
    }
    Ok(())
}
