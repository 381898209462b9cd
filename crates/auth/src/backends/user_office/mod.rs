//! A facility's user office: a REST service that knows who may use the facility.

mod desk;
mod experiments;
mod place;
mod settings;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use vestibule_core::{
    domain::identity::{BackendName, Subject},
    ports::backend::{
        Assertion, Attempt, Backend, BackendCx, BackendFactory, CredentialKind, Descriptor,
        Entitlement, Fault, Method, NotMine, Probe, RejectReason, Rejection, Section, SectionError,
        Verdict,
    },
};

use self::settings::Office;
pub use self::{
    desk::{Asking, Desk, Listed},
    experiments::{Experiment, Session},
    place::{PlaceError, holds_a_name},
};
use crate::http::Answer;

/// Makes backends of the kind `user_office`.
#[derive(Clone, Copy, Debug)]
pub struct UserOfficeFactory;

impl UserOfficeFactory {
    /// What the configuration calls it.
    pub const KIND: &'static str = "user_office";
}

impl BackendFactory for UserOfficeFactory {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn build(&self, name: BackendName, section: Section) -> Result<Arc<dyn Backend>, SectionError> {
        let office = Office::read(section)?;
        if office.login.is_none() && office.authorized.is_none() && !office.default_authorization {
            let reason = "is missing, and so is authorized_url: there is nothing to ask";
            return Err(SectionError::of_key("login_url", reason));
        }
        let takes = office.login.iter().map(|_| CredentialKind::Password);
        let descriptor = Descriptor::new(name, Self::KIND, takes);
        Ok(Arc::new(UserOffice { descriptor, office }))
    }
}

/// A user office.
struct UserOffice {
    descriptor: Descriptor,
    office: Office,
}

impl UserOffice {
    async fn log_in(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Result<Verdict, Fault> {
        let (Some(url), Attempt::Password { username, password, .. }) =
            (&self.office.login, attempt)
        else {
            return Ok(Verdict::NotMine(NotMine::WrongKind));
        };
        // Whoever was here before is asked about by the name the office knows, however it is
        // typed today; nobody else's name is bent in any way.
        let typed = username.trim();
        let name = cx.known_as.map_or(typed, Subject::as_str);
        let (Ok(subject), Some(password)) = (Subject::parse(name), password.expose_str()) else {
            return Ok(Verdict::rejected(RejectReason::BadOrUnknown));
        };
        let body = json!({ "username": name, "password": password });
        let answer = self.office.client.post(url, &body, None).await?;
        match answer.status {
            200 => {
                require_assent(&answer)?;
                let assertion = Assertion::new(subject)
                    .with_username(name)
                    .with_factor(Method::Password, cx.op.now());
                Ok(Verdict::Verified(Box::new(assertion)))
            }
            401 => Ok(Verdict::rejected(RejectReason::BadOrUnknown)),
            400 => Ok(Verdict::Rejected(
                Rejection::new(RejectReason::BadOrUnknown).because("called malformed there"),
            )),
            status => Err(unexpected(status)),
        }
    }

    async fn may_enter(&self, username: &str) -> Result<Verdict, Fault> {
        let verified = || match Subject::parse(username) {
            Ok(subject) => Verdict::Verified(Box::new(Assertion::new(subject))),
            Err(_) => Verdict::rejected(RejectReason::NotEntitled),
        };
        let may_enter = self.office.may_enter(username).await?;
        Ok(if may_enter { verified() } else { Verdict::rejected(RejectReason::NotEntitled) })
    }
}

impl Office {
    /// Whether the person of this login name may use the facility. What does not clearly say yes or
    /// no is a fault.
    async fn may_enter(&self, username: &str) -> Result<bool, Fault> {
        if self.default_authorization {
            return Ok(true);
        }
        let Some((url, basic)) = &self.authorized else {
            return Err(Fault::Misconfigured("authorized_url is not set".to_owned()));
        };
        let body = json!({ "login": username });
        let answer = self.client.post(url, &body, Some(basic)).await?;
        match (answer.status, answer.status == 200 && !answer.is_page()) {
            (200, true) => match answer.json()?.get("result") {
                Some(Value::Bool(may_enter)) => Ok(*may_enter),
                _ => Err(Fault::protocol("`result` is neither true nor false")),
            },
            (401 | 403, _) => Err(refuses_us()),
            (200, false) => Err(Fault::protocol("the service answered a page")),
            (status, _) => Err(unexpected(status)),
        }
    }
}

fn refuses_us() -> Fault {
    Fault::Misconfigured("the service refuses our own credentials".to_owned())
}

/// 200 means yes; a portal in between, or a body that says no, does not.
fn require_assent(answer: &Answer) -> Result<(), Fault> {
    if answer.is_page() {
        return Err(Fault::protocol("the service answered a page"));
    }
    let no = || Fault::protocol("the service answered 200 and something that does not mean yes");
    if answer.body().iter().all(u8::is_ascii_whitespace) {
        return Ok(());
    }
    let Ok(said) = serde_json::from_slice::<Value>(answer.body()) else {
        // Plain text, as small services have it: `OK`.
        let is_no = answer.body().to_ascii_lowercase().starts_with(b"fals");
        return if answer.media_type == "application/json" || is_no { Err(no()) } else { Ok(()) };
    };
    let means_yes = match said {
        Value::Bool(yes) => yes,
        Value::Object(told) => !told.is_empty() && told.values().all(|v| *v != Value::Bool(false)),
        Value::String(text) => !["", "false", "no", "null"].contains(&&*text.trim().to_lowercase()),
        Value::Null | Value::Number(_) | Value::Array(_) => false,
    };
    if means_yes { Ok(()) } else { Err(no()) }
}

fn unexpected(status: u16) -> Fault {
    Fault::protocol(format!("the service answered {status}"))
}

#[async_trait]
impl Backend for UserOffice {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn authenticate(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Verdict {
        self.log_in(attempt, cx).await.unwrap_or_else(Verdict::Fault)
    }

    fn entitlement(&self) -> Option<&dyn Entitlement> {
        let can_tell = self.office.authorized.is_some() || self.office.default_authorization;
        can_tell.then_some(self)
    }

    fn probe(&self) -> Option<&dyn Probe> {
        Some(self)
    }
}

#[async_trait]
impl Entitlement for UserOffice {
    async fn judge(&self, username: &str, _: &BackendCx<'_>) -> Verdict {
        self.may_enter(username).await.unwrap_or_else(Verdict::Fault)
    }
}

#[async_trait]
impl Probe for UserOffice {
    async fn look(&self) -> Result<String, Fault> {
        let authorized = self.office.authorized.as_ref().map(|(url, _)| url);
        for url in self.office.login.iter().chain(authorized) {
            // Whatever it says to a question it does not know, it is there.
            self.office.client.get(url).await?;
        }
        Ok("answers".to_owned())
    }
}
