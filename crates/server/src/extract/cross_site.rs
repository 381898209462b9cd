//! Proof that an unsafe request was made by a page of our own.

use actix_web::{
    HttpRequest,
    http::{StatusCode, header},
};
use vestibule_core::usecase::session_token::is_csrf_token;

use crate::{problem::Problem, site::Site};

/// The header in which pages and programs repeat the session's `csrf_token`.
pub(super) const CSRF_HEADER: &str = "x-csrf-token";

/// Refuses a request that a browser says comes from another site: by `Sec-Fetch-Site` (Fetch
/// Metadata) where it sends that, else by `Origin`.
pub(crate) fn refuse_cross_site(req: &HttpRequest, site: &Site) -> Result<(), Problem> {
    let read = |name: &str| req.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    match read("sec-fetch-site") {
        Some("same-origin" | "none") => return Ok(()),
        Some(_) => {
            return Err(forbidden("cross_site", "the request comes from a page of another site"));
        }
        None => {}
    }
    match read(header::ORIGIN.as_str()) {
        Some(origin) if origin != site.settings.site.base_url.origin() => Err(forbidden(
            "cross_site",
            "the request's Origin is not site.base_url; if this is your site, correct that setting",
        )),
        _ => Ok(()),
    }
}

/// As [`refuse_cross_site`], for forms: a browser says where a form comes from, so whoever does not
/// is none.
pub(crate) fn require_own_form(req: &HttpRequest, site: &Site) -> Result<(), Problem> {
    let headers = req.headers();
    if !headers.contains_key("sec-fetch-site") && !headers.contains_key(header::ORIGIN) {
        let detail = "a form comes with an Origin header; programs use the API";
        return Err(forbidden("origin_missing", detail));
    }
    refuse_cross_site(req, site)
}

/// Refuses an unsafe request made with a cookie that does not carry the session's token.
pub(super) fn require_csrf(req: &HttpRequest, site: &Site, token: &[u8]) -> Result<(), Problem> {
    if req.method().is_safe() {
        return Ok(());
    }
    refuse_cross_site(req, site)?;
    let missing = || {
        let detail = "an unsafe request with a session cookie needs the header X-CSRF-Token; \
                      its value is `csrf_token` of GET /api/v1/session";
        forbidden("csrf_token_missing", detail)
    };
    let given = req.headers().get(CSRF_HEADER).ok_or_else(missing)?;
    if is_csrf_token(token, given.as_bytes()) {
        Ok(())
    } else {
        let detail = "X-CSRF-Token is not this session's; ask GET /api/v1/session for it again";
        Err(forbidden("csrf_token_wrong", detail))
    }
}

fn forbidden(code: &'static str, detail: &'static str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, code, detail)
}
