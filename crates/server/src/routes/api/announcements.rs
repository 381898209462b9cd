//! Telling many people something by mail.

use actix_web::{HttpResponse, web::Path};
use vestibule_core::id::AnnouncementId;

use crate::{
    dto::{
        announcement::{AnnouncementIn, AnnouncementOut, PreviewOut},
        id,
        list::{ListQuery, PageOut},
    },
    extract::{Posted, UserCx},
    problem::Problem,
};

pub(super) async fn preview(posted: Posted<AnnouncementIn>) -> Result<HttpResponse, Problem> {
    let Posted(cx, body) = posted;
    let preview = cx.site.services.announcements.preview(&cx.op, body.read()?).await?;
    let language = &cx.site.settings.mail.language;
    let written = cx.site.mail.office.preview(&preview.notice, language).map_err(|error| {
        tracing::error!(%error, "a preview cannot be written");
        Problem::internal()
    })?;
    Ok(HttpResponse::Ok().json(PreviewOut {
        people: preview.people,
        without_address: preview.without_address,
        mail: written.into(),
    }))
}

pub(super) async fn send(posted: Posted<AnnouncementIn>) -> Result<HttpResponse, Problem> {
    let Posted(cx, body) = posted;
    let sent = cx.site.services.announcements.send(&cx.op, body.read()?).await?;
    Ok(HttpResponse::Created().json(AnnouncementOut::from(sent)))
}

pub(super) async fn list(cx: UserCx) -> Result<HttpResponse, Problem> {
    let query: ListQuery = cx.query()?;
    let request = query.page(&cx, &[("created_at", ())])?;
    let page = cx.site.services.announcements.list(&cx.op, request.clone()).await?;
    let page = page.map(AnnouncementOut::from);
    Ok(HttpResponse::Ok().json(PageOut::new(&cx, &request, page)?))
}

pub(super) async fn get(cx: UserCx, which: Path<String>) -> Result<HttpResponse, Problem> {
    let found = cx.site.services.announcements.get(&cx.op, announcement(&which)?).await?;
    Ok(HttpResponse::Ok().json(AnnouncementOut::from(found)))
}

pub(super) async fn cancel(cx: UserCx, which: Path<String>) -> Result<HttpResponse, Problem> {
    let after = cx.site.services.announcements.cancel(&cx.op, announcement(&which)?).await?;
    Ok(HttpResponse::Ok().json(AnnouncementOut::from(after)))
}

fn announcement(text: &str) -> Result<AnnouncementId, Problem> {
    id("id", text)
}
