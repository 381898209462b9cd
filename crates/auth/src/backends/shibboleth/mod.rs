//! A Shibboleth service provider (or any other single sign-on) in front of us, which says in the
//! headers of a request who the visitor is. Made for Umbrella, where that is a hash: `EAAHash`.
//!
//! Headers come here only from a trusted proxy and only at this backend's own address; the host
//! sees to that. Whom the hash belongs to is said by the facility's user office, where there is one
//! to ask, and by what was bound to it before. Nothing else in the headers finds an account.

mod form;
mod headers;
mod office;
mod settings;

use std::{fmt::Write, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use vestibule_core::{
    domain::identity::{BackendName, Subject},
    ports::backend::{
        AssertedEmail, Assertion, Attempt, Backend, BackendCx, BackendFactory, Challenge,
        CredentialKind, Descriptor, Fault, Groups, Method, NotMine, Probe, RejectReason, Rejection,
        Section, SectionError, SignOn, Verdict,
    },
};

use self::{
    headers::{Told, Unusable},
    settings::Settings,
};

/// Makes backends of the kind `shibboleth`.
#[derive(Clone, Copy, Debug)]
pub struct ShibbolethFactory;

impl ShibbolethFactory {
    /// What the configuration calls it.
    pub const KIND: &'static str = "shibboleth";

    /// Where the service provider's own configuration is, where the operator told.
    pub fn sp_config(section: &Section) -> Option<PathBuf> {
        settings::sp_config(section)
    }
}

impl BackendFactory for ShibbolethFactory {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn build(&self, name: BackendName, section: Section) -> Result<Arc<dyn Backend>, SectionError> {
        let settings = Settings::read(section)?;
        let mut descriptor = Descriptor::new(name, Self::KIND, [CredentialKind::Headers]);
        let (login, logout) = (settings.login.clone(), settings.logout.clone());
        descriptor.sign_on = SignOn { login, logout };
        Ok(Arc::new(Shibboleth { descriptor, settings }))
    }
}

/// A single sign-on in front of us.
struct Shibboleth {
    descriptor: Descriptor,
    settings: Settings,
}

impl Shibboleth {
    async fn judge(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Result<Verdict, Fault> {
        let Attempt::Headers(headers) = attempt else {
            return Ok(Verdict::NotMine(NotMine::WrongKind));
        };
        let told = match self.settings.names.read(headers) {
            Ok(told) => told,
            Err(unusable) => return Ok(self.turn_away(unusable)),
        };
        let subject = Subject::parse(&told.hash).map_err(|error| Fault::Bug(error.message))?;
        let mut assertion = Assertion::new(subject).with_factor(Method::Unknown, cx.op.now());
        match &self.settings.office {
            Some(office) => match office.whose(&told.hash).await? {
                Some(name) => {
                    assertion.username = Some(name.clone());
                    assertion.account = Some(name);
                }
                None => return Ok(Verdict::rejected(RejectReason::NotLinked)),
            },
            None => assertion.username = Some(self.proposed_name(&told)),
        }
        assertion.first_name = told.first_name;
        assertion.last_name = told.last_name;
        let is_verified = self.settings.mail_is_verified;
        assertion.emails =
            told.mails.into_iter().map(|address| AssertedEmail { address, is_verified }).collect();
        assertion.groups = told.groups.map_or(Groups::Unknown, Groups::Known);
        Ok(Verdict::Verified(Box::new(assertion)))
    }

    /// Whoever the proxy does not know is sent to log in where that is known; whatever cannot be
    /// relied on is refused, and nobody is asked about it.
    fn turn_away(&self, unusable: Unusable) -> Verdict {
        match (unusable, &self.settings.login) {
            (Unusable::Nobody(_), Some(path)) => Verdict::Challenge(Challenge::redirect(path, "")),
            (Unusable::Nobody(what) | Unusable::Odd(what), _) => {
                Verdict::Rejected(Rejection::new(RejectReason::BadOrUnknown).because(what))
            }
        }
    }

    /// What an account is called that is made for somebody: the name they have there, else one that
    /// does not show the hash, by which other facilities may let people in.
    fn proposed_name(&self, told: &Told) -> String {
        told.uid.clone().unwrap_or_else(|| {
            let name = &self.descriptor.name;
            let digest = Sha256::new().chain_update(name.as_str()).chain_update([0]);
            let digest = digest.chain_update(&told.hash).finalize();
            digest.iter().take(6).fold(format!("{name}-"), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
        })
    }
}

#[async_trait]
impl Backend for Shibboleth {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn authenticate(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Verdict {
        self.judge(attempt, cx).await.unwrap_or_else(Verdict::Fault)
    }

    fn probe(&self) -> Option<&dyn Probe> {
        self.settings.office.is_some().then_some(self)
    }
}

#[async_trait]
impl Probe for Shibboleth {
    async fn look(&self) -> Result<String, Fault> {
        match &self.settings.office {
            Some(office) => office.look().await,
            None => Ok("asks nobody".to_owned()),
        }
    }
}
