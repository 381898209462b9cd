//! Sessions that end with a provider's word, and go on when it gives it again.
//!
//! A browser whose session has run out so is known by a cookie that names the backend and whose
//! session it was. It opens nothing: it has the login page ask the provider first, without a word to
//! the visitor (`prompt=none`, `OpenID` Connect Core 1.0 section 3.1.2.1), and nobody but that person
//! comes in by the answer.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
    http::StatusCode,
};
use vestibule_core::{domain::identity::BackendName, id::UserId, usecase::sessions::Opened};

use crate::{problem::Problem, site::Site};

/// Whose session has run out, and at which backend it was opened.
pub(crate) struct Hint {
    pub(crate) backend: BackendName,
    pub(crate) user: UserId,
}

fn name(site: &Site) -> &'static str {
    let is_https = site.settings.site.base_url.is_https();
    if is_https { "__Host-vestibule-again" } else { "vestibule-again" }
}

/// What the browser is known by, if it is.
pub(crate) fn hint(req: &HttpRequest, site: &Site) -> Option<Hint> {
    let cookie = req.cookie(name(site))?;
    let (backend, user) = cookie.value().split_once('.')?;
    let (backend, user) = (backend.parse().ok()?, user.parse().ok()?);
    let is_there = site.services.login.buttons().any(|door| *door.name() == backend);
    is_there.then_some(Hint { backend, user })
}

/// The cookie of a session that may go on; without one, the end of what was there before.
pub(crate) fn cookie(req: &HttpRequest, site: &Site, opened: &Opened) -> Option<Cookie<'static>> {
    if !opened.again {
        return forget(req, site);
    }
    let age = i64::try_from(site.settings.session.cookie_age.as_secs()).unwrap_or(i64::MAX);
    let mut cookie = base(site, format!("{}.{}", opened.session.backend, opened.user.id));
    cookie.set_max_age(Duration::seconds(age));
    Some(cookie)
}

/// Takes the cookie away, where there is one.
pub(crate) fn forget(req: &HttpRequest, site: &Site) -> Option<Cookie<'static>> {
    req.cookie(name(site))?;
    let mut cookie = base(site, String::new());
    cookie.make_removal();
    Some(cookie)
}

fn base(site: &Site, value: String) -> Cookie<'static> {
    Cookie::build(name(site), value)
        .path("/")
        .http_only(true)
        .secure(site.settings.site.base_url.is_https())
        .same_site(SameSite::Lax)
        .finish()
}

/// Nobody is logged in: what a program of a page is told, which cannot ask the provider itself.
pub(crate) fn nobody(req: &HttpRequest) -> Problem {
    if Site::of(req).and_then(|site| hint(req, site)).is_none() {
        return Problem::unauthenticated();
    }
    let detail =
        "the word of the provider has run out: go to a page, or to /login, to have it again";
    Problem::new(StatusCode::UNAUTHORIZED, "login_again", detail)
}
