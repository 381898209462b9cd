//! What is known here of a name that somebody typed, before anybody is asked.

use super::{Login, door::Ties};
use crate::{
    domain::{email::Email, user::User, username::Username},
    id::UserId,
    ports::{
        store::{StoreError, Tx},
        throttle::WindowCount,
    },
    usecase::throttle::CountKey,
};

/// What is known here about the name that somebody typed.
pub(super) struct Addressed {
    pub(super) account: Option<User>,
    /// By which doors that account is entered.
    pub(super) ties: Option<Ties>,
    pub(super) failures: Option<WindowCount>,
}

impl Addressed {
    /// Nobody typed a name.
    pub(super) const fn nobody() -> Self {
        Self { account: None, ties: None, failures: None }
    }
}

impl Login {
    pub(super) async fn addressed(&self, typed: &str) -> Result<Addressed, StoreError> {
        let typed = typed.to_owned();
        // Where nobody comes from elsewhere, nobody is bound to it.
        let may_be_bound = self.doors.iter().any(|door| !door.is_local());
        self.store
            .lookup(move |tx| {
                let account = account_named(tx, &typed)?;
                // For nobody's name as much is read as for somebody's.
                let id = account.as_ref().map_or(UserId::NOBODY, |user| user.id);
                let ties = may_be_bound.then(|| ties_of(tx, id)).transpose()?;
                let ties = ties.filter(|_| account.is_some());
                let mut addressed = Addressed { account, ties, failures: None };
                let key = failure_key(&addressed, &typed);
                addressed.failures = tx.window_count(key.as_bytes())?;
                Ok(addressed)
            })
            .await
    }
}

/// The account that is addressed by a name or a mail address, in any case.
fn account_named(tx: &mut dyn Tx, typed: &str) -> Result<Option<User>, StoreError> {
    let typed = typed.trim();
    let by_name = tx.user_by_username_key(&Username::key_of(typed))?;
    let by_address =
        if typed.contains('@') { tx.user_by_email_key(&Email::key_of(typed))? } else { None };
    Ok(by_name.or(by_address))
}

fn ties_of(tx: &mut dyn Tx, user: UserId) -> Result<Ties, StoreError> {
    let identities = tx.identities_of(user)?;
    let password = tx.user_password(user)?;
    Ok(Ties {
        elsewhere: identities.into_iter().map(|known| (known.backend, known.subject)).collect(),
        has_password: password.is_some_and(|hash| hash.is_usable()),
    })
}

pub(super) fn failure_key(addressed: &Addressed, typed: &str) -> CountKey {
    match &addressed.account {
        Some(user) => CountKey::of_account(user.id),
        None => CountKey::of_name(typed),
    }
}
