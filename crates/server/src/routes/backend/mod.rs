//! The ways in that lead elsewhere: `{prefix}/auth/{backend}/…`.

mod assert;
mod callback;
mod login;
mod logout;

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
    web,
};
use vestibule_core::{OpCx, Secret};

pub(crate) use self::assert::returning;
use crate::site::Site;

/// Registers the ways in that lead elsewhere.
pub(crate) fn register(cfg: &mut web::ServiceConfig) {
    cfg.service(
        web::scope("/auth/{backend}")
            .route("/login", web::get().to(login::depart))
            .route("/assert", web::get().to(assert::enter))
            .route("/assert", web::post().to(assert::link))
            .route("/callback", web::get().to(callback::arrive))
            .route("/backchannel-logout", web::post().to(logout::end)),
    );
}

/// Where the provider sends the visitor back to: one address to a backend, so that no provider can
/// pass off another's answer as its own (RFC 9700 section 4.4).
pub(crate) fn callback_url(site: &Site, backend: &str) -> String {
    let origin = site.settings.site.base_url.origin();
    format!("{origin}{}", site.path(&format!("/auth/{backend}/callback")))
}

fn cookie_name(site: &Site) -> &'static str {
    let is_https = site.settings.site.base_url.is_https();
    if is_https { "__Host-vestibule-login" } else { "vestibule-login" }
}

/// What a browser is known by while it is elsewhere; `None` where it is not known.
fn browser_of(req: &HttpRequest, site: &Site) -> Option<Secret> {
    let cookie = req.cookie(cookie_name(site))?;
    let is_ours = cookie.value().len() == 43 && cookie.value().is_ascii();
    is_ours.then(|| Secret::new(cookie.value()))
}

/// What the browser is known by, and the cookie that keeps it for as long as a login waits. Several
/// logins may be under way in one browser.
pub(crate) fn known_browser(
    req: &HttpRequest,
    site: &Site,
    op: &OpCx,
) -> (Secret, Cookie<'static>) {
    let browser = browser_of(req, site).unwrap_or_else(|| op.new_token());
    let value = browser.expose_str().unwrap_or_default().to_owned();
    let cookie = Cookie::build(cookie_name(site), value)
        .path("/")
        .http_only(true)
        .secure(site.settings.site.base_url.is_https())
        // The provider's page is another site, and what leads back from it is a link.
        .same_site(SameSite::Lax)
        .max_age(Duration::minutes(10))
        .finish();
    (browser, cookie)
}
