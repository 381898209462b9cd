//! Telling people of the ways into their accounts.

use crate::{
    cx::OpCx,
    domain::{
        identity::{BackendName, Identity},
        notice::Notice,
        user::User,
    },
    ports::store::{StoreResult, Tx},
    usecase::{
        post::{Post, Postbox},
        record::{Target, record},
    },
};

use super::settle;

/// Tells the owner of an account that there is another way into it, or one less.
pub(in crate::usecase) fn changed(
    tx: &mut dyn Tx,
    cx: &OpCx,
    postbox: &Postbox,
    user: &User,
    way: &str,
    is_linked: bool,
) -> StoreResult<()> {
    let Some(email) = &user.email else { return Ok(()) };
    let notice = Notice::IdentityChanged {
        username: user.username.as_str().to_owned(),
        way: way.to_owned(),
        at: cx.now(),
        address: cx.client.address.clone(),
        is_linked,
    };
    postbox.post(tx, cx, Post::to(email.clone(), notice).about(user.id))?;
    Ok(())
}

/// Ends a link of an account, with the memberships that came by it where it was the last one to
/// that backend. `others` are all links of the account.
pub(in crate::usecase) fn sever(
    tx: &mut dyn Tx,
    cx: &OpCx,
    owner: &User,
    link: &Identity,
    others: &[Identity],
    right: &str,
) -> StoreResult<()> {
    let backend: &BackendName = &link.backend;
    tx.delete_identity(backend, &link.subject)?;
    if others.iter().filter(|other| other.backend == *backend).count() < 2 {
        settle::sync_groups(tx, cx, owner, backend, &[])?;
    }
    let details = serde_json::json!({
        "backend": backend.as_str(), "subject": link.subject.as_str(),
    });
    record(tx, cx, "identity.unlinked", Target::user(owner), right, details)
}
