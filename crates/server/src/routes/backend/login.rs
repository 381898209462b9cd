//! To a provider.

use actix_web::{HttpRequest, HttpResponse, http::header, web::Path};
use serde::Deserialize;
use vestibule_core::usecase::login::{Again, Departure};

use super::{assert::require_navigation, callback_url, known_browser};
use crate::{
    again::hint,
    extract::{Query, RequestCx},
    pages::{login::turned_away, next::own_path},
    problem::Problem,
    site::Site,
};

/// What the address may hold.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    next: Option<String>,
    /// Set by our own login page, for a browser whose session has run out.
    again: Option<String>,
}

/// Whose session has run out in this browser, if it was opened by this backend.
fn again(req: &HttpRequest, site: &Site, backend: &str) -> Option<Again> {
    let hint = hint(req, site).filter(|hint| hint.backend.as_str() == backend)?;
    Some(Again { user: hint.user, within: site.settings.session.cookie_age })
}

pub(super) async fn depart(
    req: HttpRequest,
    cx: RequestCx,
    backend: Path<String>,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    require_navigation(&req)?;
    let site = &cx.site;
    site.rates.login(&cx.op.client.address, cx.op.now())?;
    let next = own_path(site, wanted.next.as_deref());
    let (browser, cookie) = known_browser(&req, site, &cx.op);
    let departure = Departure {
        backend: &backend,
        callback: callback_url(site, &backend),
        next: next.clone().unwrap_or_else(|| site.path("/")),
        browser: &browser,
        links: false,
        again: wanted.again.as_ref().and_then(|_| again(&req, site, &backend)),
    };
    match site.services.login.depart(&cx.op, departure).await {
        Ok(url) => Ok(HttpResponse::SeeOther()
            .cookie(cookie)
            .insert_header((header::LOCATION, url))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .finish()),
        Err(error) => Ok(turned_away(site, &error.into(), next.as_deref())),
    }
}
