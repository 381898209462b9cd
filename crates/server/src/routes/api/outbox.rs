//! Mails that wait, were sent or were given up.

use std::time::Duration;

use actix_web::{HttpResponse, web::Path};
use vestibule_core::{
    Email, domain::notice::NoticeState, id::NoticeId, ports::outbox::NoticeFilter,
};

use crate::{
    config::duration::HumanDuration,
    dto::{
        id,
        list::{ListQuery, PageOut},
        outbox::{MailCountOut, MailOut, PurgeQuery},
    },
    extract::UserCx,
    problem::Problem,
};

pub(super) async fn list(cx: UserCx) -> Result<HttpResponse, Problem> {
    let query: ListQuery = cx.query()?;
    let request = query.page(&cx, &[("created_at", ())])?;
    let filter = NoticeFilter {
        state: state(query.state.as_deref())?,
        kind: query.kind.clone(),
        recipient: query.to.as_deref().map(Email::key_of),
    };
    let page = cx.site.services.outbox.list(&cx.op, filter, request.clone()).await?;
    let page = page.map(MailOut::from);
    Ok(HttpResponse::Ok().json(PageOut::new(&cx, &request, page)?))
}

pub(super) async fn get(cx: UserCx, mail: Path<String>) -> Result<HttpResponse, Problem> {
    let mail = cx.site.services.outbox.get(&cx.op, which(&mail)?).await?;
    Ok(HttpResponse::Ok().json(MailOut::from(mail)))
}

pub(super) async fn retry(cx: UserCx, mail: Path<String>) -> Result<HttpResponse, Problem> {
    cx.site.services.outbox.retry(&cx.op, which(&mail)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn retry_dead(cx: UserCx) -> Result<HttpResponse, Problem> {
    let count = cx.site.services.outbox.retry_dead(&cx.op).await?;
    Ok(HttpResponse::Ok().json(MailCountOut { count }))
}

pub(super) async fn remove(cx: UserCx, mail: Path<String>) -> Result<HttpResponse, Problem> {
    cx.site.services.outbox.delete(&cx.op, which(&mail)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn purge(cx: UserCx) -> Result<HttpResponse, Problem> {
    let query: PurgeQuery = cx.query()?;
    let older_than = match query.older_than.as_deref() {
        None => Duration::ZERO,
        Some(text) => {
            let parsed: Result<HumanDuration, _> = text.parse();
            parsed.map_err(|bad| Problem::malformed_field("older_than", bad.to_string()))?.0
        }
    };
    let state = state(query.state.as_deref())?;
    let count = cx.site.services.outbox.purge(&cx.op, state, older_than).await?;
    Ok(HttpResponse::Ok().json(MailCountOut { count }))
}

fn which(mail: &str) -> Result<NoticeId, Problem> {
    id("id", mail)
}

fn state(text: Option<&str>) -> Result<Option<NoticeState>, Problem> {
    text.map(str::parse)
        .transpose()
        .map_err(|_| Problem::malformed_field("state", "must be waiting, sent, dead or expired"))
}
