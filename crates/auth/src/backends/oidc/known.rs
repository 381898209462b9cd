//! What is known of a provider, and for how long.

use std::{sync::Arc, time::Duration};

use tokio::sync::Mutex;
use vestibule_core::{Timestamp, ports::backend::Fault};

use super::{
    discovery::{self, Metadata},
    keys::{self, Key},
    settings::Provider,
};

/// After this time the metadata are asked for again.
const METADATA_FRESH: Duration = Duration::from_hours(1);
/// After this time the keys are asked for again: so soon a key that is announced and not yet used
/// is known when it is.
const KEYS_FRESH: Duration = Duration::from_mins(5);
/// So long what was known is used while it cannot be had anew.
const OLDEST: Duration = Duration::from_hours(24);
/// So long a provider that did not answer is left alone while the old will do.
const PAUSE: Duration = Duration::from_secs(30);

/// What is known of a provider. Whoever needs something that nobody has asks for it; all others
/// wait for the same answer.
#[derive(Default)]
pub(super) struct Known {
    metadata: Mutex<Kept<Metadata>>,
    keys: Mutex<Kept<Vec<Key>>>,
    /// When an unknown key last made us ask again: in a login, and in what anybody may have sent.
    asked_in_login: Mutex<Option<Timestamp>>,
    asked_by_stranger: Mutex<Option<Timestamp>>,
}

/// Where a token came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// The provider gave it to us itself.
    Login,
    /// Anybody may have sent it: what strangers make up must not use up what logins need.
    Stranger,
}

struct Kept<T> {
    value: Option<(Arc<T>, Timestamp)>,
    failed_at: Option<Timestamp>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { value: None, failed_at: None }
    }
}

impl<T> Kept<T> {
    /// What is known, if it need not be asked for.
    fn good(&self, fresh: Duration, now: Timestamp) -> Option<Arc<T>> {
        let (value, at) = self.value.as_ref()?;
        let is_resting = self.failed_at.is_some_and(|failed| now.since(failed) < PAUSE);
        let age = now.since(*at);
        (age < fresh || (is_resting && age < OLDEST)).then(|| Arc::clone(value))
    }

    /// Takes an answer in; where there is none, what is known will do for a while.
    fn settle(&mut self, answer: Result<T, Fault>, now: Timestamp) -> Result<Arc<T>, Fault> {
        match answer {
            Ok(value) => {
                let value = Arc::new(value);
                (self.value, self.failed_at) = (Some((Arc::clone(&value), now)), None);
                Ok(value)
            }
            Err(fault) => {
                self.failed_at = Some(now);
                let old = self.value.as_ref().filter(|(_, at)| now.since(*at) < OLDEST);
                let Some((old, _)) = old else { return Err(fault) };
                tracing::warn!(
                    target: "vestibule::backend",
                    %fault,
                    "the provider tells nothing new of itself; what it told before is used"
                );
                Ok(Arc::clone(old))
            }
        }
    }
}

impl Known {
    /// What the provider says about itself.
    pub(super) async fn metadata(
        &self,
        provider: &Provider,
        now: Timestamp,
    ) -> Result<Arc<Metadata>, Fault> {
        let mut kept = self.metadata.lock().await;
        if let Some(good) = kept.good(METADATA_FRESH, now) {
            return Ok(good);
        }
        let answer = async {
            let said = provider.document(&provider.discovery).await?;
            discovery::read(&said, &provider.issuer, &provider.reach)
        };
        kept.settle(answer.await, now)
    }

    /// The keys by which the provider signs.
    pub(super) async fn keys(
        &self,
        provider: &Provider,
        metadata: &Metadata,
        now: Timestamp,
    ) -> Result<Arc<Vec<Key>>, Fault> {
        let mut kept = self.keys.lock().await;
        if let Some(good) = kept.good(KEYS_FRESH, now) {
            return Ok(good);
        }
        let answer = async { keys::read(&provider.document(&metadata.keys).await?) };
        kept.settle(answer.await, now)
    }

    /// The keys once more, because a token names one that is not among them: the provider may have
    /// changed it a moment ago. Once in a while, so that made-up names make nobody ask for ever.
    pub(super) async fn keys_again(
        &self,
        provider: &Provider,
        metadata: &Metadata,
        from: From,
        now: Timestamp,
    ) -> Result<Option<Arc<Vec<Key>>>, Fault> {
        let mut asked = match from {
            From::Login => self.asked_in_login.lock().await,
            From::Stranger => self.asked_by_stranger.lock().await,
        };
        if asked.is_some_and(|at| now.since(at) < KEYS_FRESH) {
            return Ok(None);
        }
        *asked = Some(now);
        let mut kept = self.keys.lock().await;
        let answer = async { keys::read(&provider.document(&metadata.keys).await?) };
        kept.settle(answer.await, now).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vestibule_core::{Timestamp, ports::backend::Section};

    use super::{From, KEYS_FRESH, Known, Metadata, PAUSE, Provider, discovery};
    use crate::testkit::{Asked, Reply, Service};

    /// A point of the curve P-256 that is published in RFC 7517 appendix A.1.
    fn keys(_: &Asked) -> Reply {
        Reply::json(&json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "use": "sig", "kid": "1",
            "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        }] }))
    }

    fn provider(service: &Service) -> (Provider, Metadata) {
        let section = Section::of(json!({ "issuer": service.url(""), "client_id": "hall" }));
        let provider = Provider::read(section).unwrap();
        let said = json!({
            "issuer": service.url(""),
            "authorization_endpoint": service.url("/authorize"),
            "token_endpoint": service.url("/token"),
            "jwks_uri": service.url("/keys"),
        });
        let metadata = discovery::read(&said, &provider.issuer, &provider.reach).unwrap();
        (provider, metadata)
    }

    #[tokio::test]
    async fn atk_a111_what_strangers_make_up_uses_up_no_look_that_a_login_needs() {
        let service = Service::start(keys).unwrap();
        let ((provider, metadata), known) = (provider(&service), Known::default());
        let now = Timestamp::from_micros(1_767_225_600_000_000);
        let again = async |from, now| {
            known.keys_again(&provider, &metadata, from, now).await.unwrap().is_some()
        };
        assert!(again(From::Stranger, now).await);
        for _ in 0..20 {
            assert!(!again(From::Stranger, now).await, "they made us ask again");
        }
        assert!(again(From::Login, now).await, "a login has a look of its own");
        assert!(!again(From::Login, now).await);
        assert_eq!(service.asked().len(), 2);
        let later = now.plus(KEYS_FRESH);
        assert!(again(From::Login, later).await && again(From::Stranger, later).await);
    }

    #[tokio::test]
    async fn flt_f41_a_provider_that_fails_is_left_alone_for_a_while_when_the_old_will_do() {
        let service = Service::start(keys).unwrap();
        let ((provider, metadata), known) = (provider(&service), Known::default());
        let begun = Timestamp::from_micros(1_767_225_600_000_000);
        let keys_at =
            async |now| known.keys(&provider, &metadata, now).await.map(|keys| keys.len());
        assert_eq!(keys_at(begun).await, Ok(1));
        service.always(Reply::status(500));
        let later = begun.plus(KEYS_FRESH);
        for _ in 0..20 {
            assert_eq!(keys_at(later).await, Ok(1), "what was known is used");
        }
        assert_eq!(service.asked().len(), 2, "it was asked once more, and then left alone");
        keys_at(later.plus(PAUSE)).await.unwrap();
        assert_eq!(service.asked().len(), 1);
    }
}
