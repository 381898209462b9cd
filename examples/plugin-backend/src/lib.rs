//! Logs people in by the account service of a (made-up) cryogenics laboratory.
//!
//! ```toml
//! [[backend]]
//! name = "cryolab"
//! kind = "cryolab"
//! create_users = true
//! groups = { "dewar-3" = "beamline" }
//! url = "https://accounts.cryolab.example/session"
//! token_file = "/etc/vestibule/cryolab"
//! ```

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;
use vestibule_auth::http::{Address, Basic, HttpClient};
use vestibule_core::{
    domain::identity::{BackendName, Subject},
    ports::backend::{
        Assertion, Attempt, Backend, BackendCx, BackendFactory, CredentialKind, Descriptor, Fault,
        Method, NotMine, RejectReason, Section, SectionError, Verdict,
    },
};

/// Makes backends of the kind `cryolab`; `Builder::backend_kind` takes it.
pub struct CryolabFactory;

impl BackendFactory for CryolabFactory {
    fn kind(&self) -> &'static str {
        "cryolab"
    }

    fn build(
        &self,
        name: BackendName,
        mut section: Section,
    ) -> Result<Arc<dyn Backend>, SectionError> {
        #[derive(Deserialize)]
        struct Keys {
            url: String,
        }
        let token = section.take_secret("token")?;
        let token = token.ok_or_else(|| SectionError::of_key("token_file", "is missing"))?;
        let keys: Keys = section.read()?;
        let url = keys.url.parse::<Address>();
        let client = HttpClient::new(Duration::from_secs(5), None);
        Ok(Arc::new(Cryolab {
            descriptor: Descriptor::new(name, self.kind(), [CredentialKind::Password]),
            url: url.map_err(|error| SectionError::of_key("url", error.to_string()))?,
            ours: Basic { username: "vestibule".to_owned(), password: token },
            client: client.map_err(|error| SectionError::of_all(error.to_string()))?,
        }))
    }
}

struct Cryolab {
    descriptor: Descriptor,
    url: Address,
    ours: Basic,
    client: HttpClient,
}

/// What the laboratory answers about somebody whose password is right.
#[derive(Deserialize)]
struct Person {
    badge: u64,
    login: String,
    mail: Option<String>,
    dewars: Vec<String>,
}

impl Cryolab {
    async fn ask(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Result<Verdict, Fault> {
        let Attempt::Password { username, password, .. } = attempt else {
            return Ok(Verdict::NotMine(NotMine::WrongKind));
        };
        let body = json!({ "login": username, "password": password.expose_str() });
        let answer = self.client.post(&self.url, &body, Some(&self.ours)).await?;
        match answer.status {
            200 => {}
            403 => return Ok(Verdict::rejected(RejectReason::BadOrUnknown)),
            423 => return Ok(Verdict::rejected(RejectReason::Disabled)),
            other => return Err(Fault::protocol(format!("the laboratory answered {other}"))),
        }
        let person: Person = serde_json::from_slice(answer.body())
            .map_err(|_| Fault::protocol("the laboratory answered something else than a person"))?;
        // The badge stays when somebody is renamed; what was typed says nothing.
        let subject = Subject::parse(&person.badge.to_string())
            .map_err(|error| Fault::protocol(error.message))?;
        let mut assertion = Assertion::new(subject)
            .with_username(person.login)
            .with_groups(person.dewars)
            .with_factor(Method::Password, cx.op.now());
        if let Some(mail) = person.mail {
            // The laboratory does not make sure of addresses.
            assertion = assertion.with_email(mail, false);
        }
        Ok(Verdict::Verified(Box::new(assertion)))
    }
}

#[async_trait]
impl Backend for Cryolab {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn authenticate(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Verdict {
        self.ask(attempt, cx).await.unwrap_or_else(Verdict::Fault)
    }
}
