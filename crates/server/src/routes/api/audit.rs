//! Who did what.

use actix_web::{HttpResponse, web::Bytes};
use futures_util::stream::try_unfold;
use vestibule_core::{id::AuditId, ports::audit::AuditFilter, usecase::error::AdminError};

use crate::{
    dto::{
        audit::AuditOut,
        id,
        list::{ListQuery, PageOut},
        optional_time,
    },
    extract::UserCx,
    problem::Problem,
};

/// How many events an export reads at once.
const AT_ONCE: u32 = 500;

pub(super) async fn list(cx: UserCx) -> Result<HttpResponse, Problem> {
    let query: ListQuery = cx.query()?;
    let filter = filter(&query)?;
    match query.format.as_deref() {
        None | Some("json") => {}
        Some("jsonl") => return export(cx, filter).await,
        Some(_) => return Err(Problem::malformed_field("format", "must be json or jsonl")),
    }
    let request = query.page(&cx, &[("at", ())])?;
    let page = cx.site.services.audit.list(&cx.op, filter, request.clone()).await?;
    let page = page.map(AuditOut::from);
    Ok(HttpResponse::Ok().json(PageOut::new(&cx, &request, page)?))
}

fn filter(query: &ListQuery) -> Result<AuditFilter, Problem> {
    Ok(AuditFilter {
        actor: query.actor.as_deref().map(|actor| id("actor", actor)).transpose()?,
        action: query.action.clone(),
        target_kind: query.target_kind.clone(),
        target_id: query.target_id.clone(),
        since: optional_time("since", query.since.as_ref())?,
        until: optional_time("until", query.until.as_ref())?,
    })
}

/// Everything, oldest first, batch by batch: as long as it may be, it never stands in memory.
async fn export(cx: UserCx, filter: AuditFilter) -> Result<HttpResponse, Problem> {
    // The first batch is read before the answer begins, so that a refusal is one.
    let first = batch(&cx, &filter, None).await?;
    let lines = try_unfold((cx, filter, Some(first)), |(cx, filter, pending)| async move {
        let Some((text, last)) = pending else {
            return Ok::<_, Problem>(None);
        };
        let next = match last {
            Some(last) => Some(batch(&cx, &filter, Some(last)).await?),
            None => None,
        };
        Ok(Some((Bytes::from(text), (cx, filter, next))))
    });
    Ok(HttpResponse::Ok().content_type("application/x-ndjson").streaming(lines))
}

/// The text of a batch, and after which event the next begins; none when this was the last.
async fn batch(
    cx: &UserCx,
    filter: &AuditFilter,
    after: Option<AuditId>,
) -> Result<(String, Option<AuditId>), AdminError> {
    let audit = &cx.site.services.audit;
    let events = audit.export(&cx.op, filter.clone(), after, AT_ONCE).await?;
    let is_full = events.len() == AT_ONCE as usize;
    let last = events.last().map(|event| event.id).filter(|_| is_full);
    let mut text = String::new();
    for event in events {
        text.push_str(&serde_json::to_string(&AuditOut::from(event)).unwrap_or_default());
        text.push('\n');
    }
    Ok((text, last))
}
