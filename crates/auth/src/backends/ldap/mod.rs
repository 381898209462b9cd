//! A directory (LDAP, RFC 4511): looks for the visitor's entry, and tries the password on it.

mod ber;
mod connection;
mod groups;
mod guard;
mod names;
mod people;
mod pool;
mod results;
mod settings;
mod template;
mod transport;

use std::sync::Arc;

use async_trait::async_trait;
use ldap3::Scope;
use tokio::time::timeout;
use vestibule_core::{
    domain::identity::{BackendName, Subject},
    ports::backend::{
        Assertion, Attempt, Backend, BackendCx, BackendFactory, CredentialKind, Descriptor,
        Entitlement, Fault, Method, NotMine, Probe, RejectReason, Rejection, Section, SectionError,
        Verdict,
    },
};

use self::{
    connection::{Ask, Limit},
    groups::Asking,
    people::{By, Looked, Person},
    pool::Pool,
    settings::Directory,
};

/// Makes backends of the kind `ldap`.
#[derive(Clone, Copy, Debug)]
pub struct LdapFactory;

impl LdapFactory {
    /// What the configuration calls it.
    pub const KIND: &'static str = "ldap";
}

impl BackendFactory for LdapFactory {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn build(&self, name: BackendName, section: Section) -> Result<Arc<dyn Backend>, SectionError> {
        let (directory, servers) = Directory::read(section)?;
        let pool = Pool::new(servers, directory.pool_size);
        let descriptor = Descriptor::new(name, Self::KIND, [CredentialKind::Password]);
        Ok(Arc::new(Ldap { descriptor, directory, pool }))
    }
}

/// A directory.
struct Ldap {
    descriptor: Descriptor,
    directory: Directory,
    pool: Pool,
}

impl Ldap {
    async fn log_in(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Result<Verdict, Fault> {
        let Attempt::Password { username, password, .. } = attempt else {
            return Ok(Verdict::NotMine(NotMine::WrongKind));
        };
        let name = username.trim();
        let is_name = !name.is_empty() && !username.chars().any(char::is_control);
        // What stands behind a NUL some servers do not see: a password may be empty to them.
        let password =
            password.expose_str().filter(|text| !text.is_empty() && !text.contains('\0'));
        let (true, Some(password)) = (is_name, password) else {
            return Ok(Verdict::rejected(RejectReason::BadOrUnknown));
        };
        // Whoever was here before is known by more than a name, which may be another's by now.
        let person = match self.find(name, cx.known_as).await? {
            Looked::One(person) => person,
            Looked::Nobody => {
                self.do_the_same_work().await?;
                return Ok(Verdict::NotMine(NotMine::UnknownSubject));
            }
            Looked::Several => {
                self.do_the_same_work().await?;
                let rejection = Rejection::new(RejectReason::BadOrUnknown);
                return Ok(Verdict::Rejected(rejection.because("several entries have this name")));
            }
        };
        let bound = self.pool.try_password(&person.entry.dn, password).await?;
        if let Some(rejection) = results::of_visitor(&bound)? {
            // However it was spelled, it is this person who is guessed at.
            return Ok(Verdict::Rejected(match &person.subject {
                Ok(subject) => rejection.of(subject.clone()),
                Err(_) => rejection,
            }));
        }
        let assertion = self.assertion(&person).await?.with_factor(Method::Password, cx.op.now());
        Ok(Verdict::Verified(Box::new(assertion)))
    }

    async fn may_enter(&self, username: &str, cx: &BackendCx<'_>) -> Result<Verdict, Fault> {
        match self.find(username.trim(), cx.known_as).await? {
            Looked::One(person) => Ok(Verdict::Verified(Box::new(self.assertion(&person).await?))),
            Looked::Nobody => Ok(Verdict::rejected(RejectReason::NotEntitled)),
            Looked::Several => {
                let rejection = Rejection::new(RejectReason::NotEntitled);
                Ok(Verdict::Rejected(rejection.because("several entries have this name")))
            }
        }
    }

    async fn find(&self, name: &str, known_as: Option<&Subject>) -> Result<Looked, Fault> {
        let by = known_as.map_or(By::Name(name), By::Subject);
        let Directory { people, groups, .. } = &self.directory;
        people.find(&self.pool, by, groups.attribute()).await
    }

    async fn assertion(&self, person: &Person) -> Result<Assertion, Fault> {
        let Directory { people, groups, page_size, max_groups, .. } = &self.directory;
        let asking = Asking { pool: &self.pool, page_size: *page_size, most: *max_groups };
        let mut assertion = people.assertion(person)?;
        assertion.groups = groups.of(person, &asking).await?;
        Ok(assertion)
    }

    /// A login that cannot succeed, of nobody and with no visitor's password, so that a name that
    /// nobody has takes the directory as many steps as one with a wrong password.
    async fn do_the_same_work(&self) -> Result<(), Fault> {
        let nobody = format!("cn=nobody-of-this-name,{}", self.directory.people.base);
        self.pool.try_password(&nobody, "not anybody's password").await.map(drop)
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        // One byte now and then keeps no deadline of the transport's from running out.
        timeout(self.directory.timeout, work).await.unwrap_or(Err(Fault::Timeout))
    }

    async fn look_around(&self) -> Result<String, Fault> {
        let Directory { people, groups, .. } = &self.directory;
        for base in [Some(&people.base), groups.base.as_ref()].into_iter().flatten() {
            let ask = Ask {
                what: "a look at the base",
                base,
                scope: Scope::Base,
                filter: "(objectClass=*)",
                attributes: &["1.1"],
                limit: Limit::Entries(1),
            };
            let found = self.pool.search(&ask).await?;
            results::of_search(found.code, ask.what)?;
        }
        Ok("answers".to_owned())
    }
}

#[async_trait]
impl Backend for Ldap {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn authenticate(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Verdict {
        self.within(self.log_in(attempt, cx)).await.unwrap_or_else(Verdict::Fault)
    }

    fn entitlement(&self) -> Option<&dyn Entitlement> {
        Some(self)
    }

    fn probe(&self) -> Option<&dyn Probe> {
        Some(self)
    }
}

#[async_trait]
impl Entitlement for Ldap {
    async fn judge(&self, username: &str, cx: &BackendCx<'_>) -> Verdict {
        self.within(self.may_enter(username, cx)).await.unwrap_or_else(Verdict::Fault)
    }
}

#[async_trait]
impl Probe for Ldap {
    async fn look(&self) -> Result<String, Fault> {
        self.within(self.look_around()).await
    }
}
