//! A service in any language that is asked what a backend is asked, as JSON over HTTPS or a Unix
//! socket. `docs/remote-backend.md` is for those who write one.

mod answer;
mod object;
mod settings;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use serde_json::{Value, json};
use vestibule_core::{
    Secret,
    domain::identity::BackendName,
    ports::backend::{
        Attempt, Backend, BackendCx, BackendFactory, Descriptor, Entitlement, Fault, Method,
        NotMine, Probe, RejectReason, Section, SectionError, Verdict,
    },
};

use self::{answer::Asked, object::Object, settings::Service};
use crate::http::Address;

/// Makes backends of the kind `remote`.
#[derive(Clone, Copy, Debug)]
pub struct RemoteFactory;

impl RemoteFactory {
    /// What the configuration calls it.
    pub const KIND: &'static str = "remote";
}

impl BackendFactory for RemoteFactory {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn build(&self, name: BackendName, section: Section) -> Result<Arc<dyn Backend>, SectionError> {
        let service = Service::read(section)?;
        let descriptor = Descriptor::new(name, Self::KIND, service.takes.iter().copied());
        Ok(Arc::new(Remote { descriptor, service, looks: AtomicU64::new(0) }))
    }
}

/// A service, by the protocol of version 1.
struct Remote {
    descriptor: Descriptor,
    service: Service,
    looks: AtomicU64,
}

impl Remote {
    async fn log_in(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Result<Verdict, Fault> {
        if !self.descriptor.takes.contains(&attempt.kind()) {
            return Ok(Verdict::NotMine(NotMine::WrongKind));
        }
        let credential = match attempt {
            Attempt::Password { username, password, answer } => {
                let Some(password) = password.expose_str() else {
                    return Ok(Verdict::rejected(RejectReason::BadOrUnknown));
                };
                let mut told =
                    json!({ "kind": "password", "username": username, "password": password });
                if let Some(answer) = answer {
                    let Some(code) = answer.code.expose_str() else {
                        return Ok(Verdict::rejected(RejectReason::BadOrUnknown));
                    };
                    told["code"] = json!(code);
                    if let Some(state) = &answer.state {
                        told["state"] = json!(kept(state)?);
                    }
                }
                told
            }
            Attempt::Visit { callback, token, .. } => {
                json!({ "kind": "visit", "callback": callback, "token": token })
            }
            Attempt::Return { callback, parameters, state } => json!({
                "kind": "return",
                "callback": callback,
                "parameters": parameters,
                "state": kept(state)?,
            }),
            _ => return Ok(Verdict::NotMine(NotMine::WrongKind)),
        };
        let mut question = json!({ "credential": credential });
        if let Some(subject) = cx.known_as {
            question["known_as"] = json!(subject.as_str());
        }
        let told = self.ask(&self.service.authenticate, question, cx).await?;
        let is_password = matches!(attempt, Attempt::Password { .. });
        let asked = Asked {
            now: cx.op.now(),
            method: Some(if is_password { Method::Password } else { Method::Unknown }),
            may_redirect: matches!(attempt, Attempt::Visit { .. }),
            may_ask: is_password,
        };
        answer::verdict(told, asked)
    }

    async fn may_enter(&self, username: &str, cx: &BackendCx<'_>) -> Result<Verdict, Fault> {
        let mut question = json!({ "username": username });
        if let Some(subject) = cx.known_as {
            question["known_as"] = json!(subject.as_str());
        }
        let told = self.ask(&self.service.judge, question, cx).await?;
        let asked = Asked { now: cx.op.now(), method: None, may_redirect: false, may_ask: false };
        answer::verdict(told, asked)
    }

    /// Asks, and opens the answer that belongs to this question.
    async fn ask(
        &self,
        address: &Address,
        mut question: Value,
        cx: &BackendCx<'_>,
    ) -> Result<Object, Fault> {
        // No other question has this id, so that no answer passes for that to another one.
        let id = cx.op.new_token();
        if !cx.op.client.address.is_empty() {
            question["from"] = json!(cx.op.client.address);
        }
        self.post(address, id.expose_str().unwrap_or_default(), question).await
    }

    async fn post(
        &self,
        address: &Address,
        id: &str,
        mut question: Value,
    ) -> Result<Object, Fault> {
        self.service.require_own_socket()?;
        question["version"] = json!(answer::VERSION);
        question["id"] = json!(id);
        question["backend"] = json!(self.descriptor.name.as_str());
        let token = self.service.token.as_ref();
        let answer = self.service.client.post_as_bearer(address, &question, token).await?;
        answer::open(&answer, id)
    }
}

/// A state as the service gave it.
fn kept(state: &Secret) -> Result<&str, Fault> {
    state.expose_str().ok_or_else(|| Fault::Bug("the state that was kept is no text".to_owned()))
}

const WITHHELD: &str = "(withheld: it holds what the visitor typed)";

/// Without the service's own words where it put into them what it was told in confidence.
fn discreet(verdict: Verdict, attempt: &Attempt) -> Verdict {
    let Attempt::Password { password, answer, .. } = attempt else { return verdict };
    let secrets = [Some(password), answer.as_ref().map(|answer| &answer.code)];
    let tells = |text: &str| {
        let mut secrets = secrets.iter().flatten().filter_map(|secret| secret.expose_str());
        secrets.any(|secret| !secret.is_empty() && text.contains(secret))
    };
    match verdict {
        Verdict::Rejected(mut rejection) if rejection.detail.as_deref().is_some_and(tells) => {
            rejection.detail = Some(WITHHELD.into());
            Verdict::Rejected(rejection)
        }
        Verdict::Fault(fault) if tells(&fault.to_string()) => Verdict::Fault(match fault {
            Fault::Unavailable { retry_after, .. } => {
                Fault::Unavailable { what: WITHHELD.to_owned(), retry_after }
            }
            Fault::Misconfigured(_) => Fault::Misconfigured(WITHHELD.to_owned()),
            Fault::Bug(_) => Fault::Bug(WITHHELD.to_owned()),
            Fault::Timeout => Fault::Timeout,
            _ => Fault::protocol(WITHHELD),
        }),
        other => other,
    }
}

#[async_trait]
impl Backend for Remote {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn authenticate(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Verdict {
        let verdict = self.log_in(attempt, cx).await.unwrap_or_else(Verdict::Fault);
        discreet(verdict, attempt)
    }

    fn entitlement(&self) -> Option<&dyn Entitlement> {
        self.service.entitlement.then_some(self)
    }

    fn probe(&self) -> Option<&dyn Probe> {
        Some(self)
    }
}

#[async_trait]
impl Entitlement for Remote {
    async fn judge(&self, username: &str, cx: &BackendCx<'_>) -> Verdict {
        self.may_enter(username, cx).await.unwrap_or_else(Verdict::Fault)
    }
}

#[async_trait]
impl Probe for Remote {
    async fn look(&self) -> Result<String, Fault> {
        let id = format!("look-{}", self.looks.fetch_add(1, Ordering::Relaxed));
        let told = self.post(&self.service.probe, &id, json!({})).await?;
        answer::ready(told)
    }
}
