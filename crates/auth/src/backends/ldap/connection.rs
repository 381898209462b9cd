//! One connection to a directory, and what it is asked.

use std::sync::{Arc, OnceLock};

use ldap3::{
    DerefAliases, Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Scope, SearchEntry,
    SearchOptions, StdStream,
    controls::{PagedResults, RawControl},
};
use tokio::{net::UnixStream, task::AbortHandle, time::Instant};
use vestibule_core::ports::backend::Fault;

use super::{
    ber,
    guard::{Io, Noticed, pass},
    results::Bound,
};

/// Asks for the password policy's reasons (draft-behera-ldap-password-policy-11 section 6.1).
const PASSWORD_POLICY: &str = "1.3.6.1.4.1.42.2.27.8.5.1";
const PAGES: &str = "1.2.840.113556.1.4.319";

/// One search.
pub(super) struct Ask<'a> {
    /// What is looked for, for the log.
    pub(super) what: &'static str,
    pub(super) base: &'a str,
    pub(super) scope: Scope,
    pub(super) filter: &'a str,
    pub(super) attributes: &'a [&'a str],
    pub(super) limit: Limit,
}

/// How many entries are taken.
#[derive(Clone, Copy)]
pub(super) enum Limit {
    /// No more than this are asked for, at once.
    Entries(i32),
    /// All, so many at a time; more than `most` in all are a fault.
    Pages { size: i32, most: usize },
}

/// What a search found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) entries: Vec<Entry>,
    pub(super) code: u32,
}

/// An entry of the directory, as far as it was asked for.
pub(super) struct Entry {
    pub(super) dn: String,
    attributes: Vec<(String, Vec<Vec<u8>>)>,
}

impl Entry {
    fn of(found: SearchEntry) -> Self {
        let texts = found.attrs.into_iter().map(|(name, values)| {
            (name, values.into_iter().map(String::into_bytes).collect::<Vec<_>>())
        });
        Self { dn: found.dn, attributes: texts.chain(found.bin_attrs).collect() }
    }

    /// The values of an attribute, whose name is in any case.
    pub(super) fn bytes(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let named = self.attributes.iter().filter(move |(own, _)| own.eq_ignore_ascii_case(name));
        named.flat_map(|(_, values)| values.iter().map(Vec::as_slice))
    }

    /// The same, as far as they are text.
    pub(super) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.bytes(name).filter_map(|value| std::str::from_utf8(value).ok())
    }
}

/// A connection. Whatever is under way on it when it is dropped ends with it.
pub(super) struct Connection {
    ldap: Ldap,
    noticed: Noticed,
    tasks: [AbortHandle; 2],
    pub(super) idle_since: Instant,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Connection {
    /// Over a way that is there already.
    pub(super) async fn over(server: Box<dyn Io>) -> Result<Self, Fault> {
        let failed = |error: std::io::Error| Fault::Bug(error.to_string());
        let (near, far) = UnixStream::pair().map_err(failed)?;
        let far = far.into_std().map_err(failed)?;
        let settings = LdapConnSettings::new().set_std_stream(StdStream::Unix(far));
        // The address says no more than that it is a socket of this machine.
        let (driver, ldap) = LdapConnAsync::with_settings(settings, "ldapi:///")
            .await
            .map_err(|error| Fault::Bug(error.to_string()))?;
        let noticed: Noticed = Arc::new(OnceLock::new());
        let guard = tokio::spawn(pass(server, near, Arc::clone(&noticed)));
        let driver = tokio::spawn(async move { driver.drive().await.is_ok() });
        let tasks = [guard.abort_handle(), driver.abort_handle()];
        Ok(Self { ldap, noticed, tasks, idle_since: Instant::now() })
    }

    /// Whether the other side has hung up, as far as is known.
    pub(super) fn is_closed(&mut self) -> bool {
        self.ldap.is_closed() || self.noticed.get().is_some()
    }

    /// Says who one is. An empty password would be a wish to stay anonymous, and is never sent
    /// with a name (RFC 4513 section 5.1.2).
    pub(super) async fn bind(&mut self, dn: &str, password: &str) -> Result<Bound, Fault> {
        if password.is_empty() != dn.is_empty() {
            return Err(Fault::Bug("a login without a name or a password".to_owned()));
        }
        let control = RawControl { ctype: PASSWORD_POLICY.to_owned(), crit: false, val: None };
        let answer = self.ldap.with_controls(control).simple_bind(dn, password).await;
        let LdapResult { rc, text, ctrls, .. } = answer.map_err(|error| self.lost(&error))?;
        let policy = ctrls.iter().find(|control| control.1.ctype == PASSWORD_POLICY);
        let policy = policy.and_then(|control| control.1.val.as_deref());
        Ok(Bound { code: rc, text, policy: policy.and_then(ber::policy_error) })
    }

    /// Searches. References to other servers are left where they are.
    pub(super) async fn search(&mut self, ask: &Ask<'_>) -> Result<Found, Fault> {
        let mut found = Found::default();
        let mut cookie = Vec::new();
        loop {
            let (limit, most) = match ask.limit {
                Limit::Entries(limit) => (limit, usize::MAX),
                Limit::Pages { size, most } => {
                    self.ldap.with_controls(PagedResults { size, cookie });
                    (0, most)
                }
            };
            let options = SearchOptions::new().deref(DerefAliases::Never).sizelimit(limit);
            let opened = self
                .ldap
                .with_search_options(options)
                .streaming_search(ask.base, ask.scope, ask.filter, ask.attributes)
                .await;
            let mut stream = opened.map_err(|error| self.lost(&error))?;
            while let Some(item) = stream.next().await.map_err(|error| self.lost(&error))? {
                if item.is_ref() || item.is_intermediate() {
                    continue;
                }
                if found.entries.len() >= most {
                    let what = format!("more than {most} answers to {}", ask.what);
                    return Err(Fault::Misconfigured(what));
                }
                found.entries.push(Entry::of(SearchEntry::construct(item)));
            }
            let LdapResult { rc, ctrls, .. } = stream.finish().await;
            found.code = rc;
            let page = ctrls.iter().find(|control| control.1.ctype == PAGES);
            let next = page.and_then(|control| control.1.val.as_deref()).map(ber::page_cookie);
            cookie = match (ask.limit, next) {
                (Limit::Pages { .. }, Some(Some(next))) if rc == 0 && !next.is_empty() => next,
                (_, Some(None)) => return Err(Fault::protocol("the directory's page is nonsense")),
                _ => return Ok(found),
            };
        }
    }

    /// What it means that no answer came.
    fn lost(&self, error: &LdapError) -> Fault {
        match (self.noticed.get(), error) {
            (Some(what), _) => Fault::protocol(format!("the directory {what}")),
            (None, LdapError::FilterParsing) => Fault::Bug("a filter that is none".to_owned()),
            (None, _) => Fault::unavailable("the directory has hung up"),
        }
    }
}
