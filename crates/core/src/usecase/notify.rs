//! What services tell their own people: that what they began has finished, or failed.

use super::{
    authority::Authority,
    error::{AdminError, AdminResult},
    post::{Post, Postbox, Posted},
};
use crate::{
    cx::OpCx,
    domain::{announcement::Words, notice::Notice, rights},
    id::{NoticeId, UserId},
    ports::store::Store,
};

/// Sends what services tell their own people.
pub struct Notices {
    store: Store,
    postbox: Postbox,
}

impl Notices {
    /// Over the store.
    pub fn new(store: Store, postbox: Postbox) -> Self {
        Self { store, postbox }
    }

    /// Posts a mail to the owner of an account. `link` is an address that the caller has made sure
    /// is a page of the site. `None`, and no error, when there is no address to send it to or the
    /// account cannot be used. It goes out after what people wait for.
    pub async fn send(
        &self,
        cx: &OpCx,
        user: UserId,
        words: Words,
        link: Option<String>,
    ) -> AdminResult<Option<NoticeId>> {
        let (cx, postbox) = (cx.clone(), self.postbox.clone());
        self.store
            .write(move |tx| {
                Authority::load(tx, &cx)?.require(rights::SEND_ANNOUNCEMENT)?;
                let user = tx.user_by_id(user)?.ok_or(AdminError::NotFound("user"))?;
                let is_live = user.is_live(cx.now());
                let Some(email) = user.email.filter(|_| is_live) else {
                    return Ok(None);
                };
                let Words { subject, text } = words.clone();
                let notice = Notice::Message { subject, text, link: link.clone() };
                let post = Post::to(email, notice).about(user.id).bulk();
                match postbox.post(tx, &cx, post)? {
                    Posted::Queued(id) => Ok(Some(id)),
                    Posted::OverBudget { .. } => Err(AdminError::Busy { retry_after: 60 }),
                }
            })
            .await
    }
}
