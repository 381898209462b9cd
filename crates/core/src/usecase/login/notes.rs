//! What a login that failed leaves behind: an event, and one more failure.

use std::sync::Arc;

use serde_json::json;

use super::{Login, Trial, person::Person};
use crate::{
    cx::OpCx,
    domain::{identity::BackendName, user::User},
    ports::{
        store::{StoreError, Tx},
        throttle::WindowCount,
    },
    usecase::{
        post::Postbox,
        record::{Target, record},
    },
};

impl Login {
    pub(super) async fn count_failure(
        &self,
        trial: Trial<'_>,
        reason: &str,
        backend: Option<BackendName>,
        guessed_at: Vec<Person>,
    ) -> Result<(), StoreError> {
        let Trial { cx, addressed, guess, .. } = trial;
        let Some((key, place)) = guess else {
            return self.note(cx, "login.failed", addressed.account, reason, backend).await;
        };
        let (now, throttle, own) = (cx.now(), Arc::clone(&self.throttle), cx.clone());
        let (start, reason) = (throttle.window_start(now), reason.to_owned());
        let postbox = self.postbox.clone();
        let count = self
            .store
            .write::<_, StoreError>(move |tx| {
                let count = tx.count_one(key.as_bytes(), now, start)?;
                let account = addressed.account.as_ref();
                noted(tx, &own, &postbox, "login.failed", account, &reason, backend.as_ref())?;
                let mut most = count;
                for person in &guessed_at {
                    let theirs = person.failure_key(tx)?;
                    if theirs != key {
                        most = most.max(tx.count_one(theirs.as_bytes(), now, start)?);
                    }
                }
                if throttle.is_reached(most) {
                    let (details, target) = (json!({ "failures": most }), target(account));
                    let limit = "login_failures_per_account";
                    record(tx, &own, "login.throttled", target, limit, details)?;
                }
                Ok(count)
            })
            .await?;
        place.failed(WindowCount { since: now, count });
        Ok(())
    }

    /// Writes down that somebody who is no trusted proxy claimed to speak for one.
    pub async fn distrust(&self, cx: &OpCx, backend: &str) -> Result<(), StoreError> {
        let reason = "headers of a single sign-on, and not from a trusted proxy";
        self.note(cx, "login.failed", None, reason, backend.parse().ok()).await
    }

    pub(super) async fn note(
        &self,
        cx: &OpCx,
        action: &'static str,
        account: Option<User>,
        reason: &str,
        backend: Option<BackendName>,
    ) -> Result<(), StoreError> {
        let (cx, postbox, reason) = (cx.clone(), self.postbox.clone(), reason.to_owned());
        self.store
            .write(move |tx| {
                noted(tx, &cx, &postbox, action, account.as_ref(), &reason, backend.as_ref())
            })
            .await
    }
}

fn noted(
    tx: &mut dyn Tx,
    cx: &OpCx,
    postbox: &Postbox,
    action: &'static str,
    account: Option<&User>,
    reason: &str,
    backend: Option<&BackendName>,
) -> Result<(), StoreError> {
    if let Some(user) = account.filter(|_| action == "login.failed") {
        postbox.tell_of_failed_login(tx, cx, user)?;
    }
    let details = backend.map_or(json!({}), |name| json!({ "backend": name.as_str() }));
    record(tx, cx, action, target(account), reason, details)
}

/// Whom a login was for. What was typed for a name nobody has is not kept: it may be a password.
fn target(account: Option<&User>) -> Target {
    account.map_or_else(|| Target::new("user", "", "unknown"), Target::user)
}
