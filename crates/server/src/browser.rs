//! The cookie by which a browser is known with the accounts that were logged in to from it. It lets
//! nobody in: whoever has it is spared a mail, and nothing else.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time},
    http::header,
};
use vestibule_core::{
    Secret, TokenDigest,
    usecase::{principal::sole_cookie, sessions::Opened},
};

use crate::{routes::api::login::cookie as session_cookie, site::Site};

/// As long as browsers keep any cookie.
const KEPT: time::Duration = time::Duration::days(400);
/// How many characters a token has.
const LENGTH: usize = 43;

/// What the request's browser is known by, if it has such a cookie.
pub(crate) fn digest_of(req: &HttpRequest, site: &Site) -> Option<TokenDigest> {
    let cookies = req.headers().get_all(header::COOKIE).map(header::HeaderValue::as_bytes);
    let token = sole_cookie(cookies, name(site))?;
    (token.len() == LENGTH).then(|| TokenDigest::of(token))
}

/// The cookies of a login: the session's, and the browser's where it had none.
pub(crate) fn cookies(site: &Site, opened: &Opened) -> Vec<Cookie<'static>> {
    let mut cookies = vec![session_cookie(site, &opened.token)];
    if let Some(browser) = &opened.browser {
        cookies.push(cookie(site, browser));
    }
    cookies
}

/// `__Host-` as the session's, and for the same reasons.
fn name(site: &Site) -> &'static str {
    if site.settings.site.base_url.is_https() {
        "__Host-vestibule-browser"
    } else {
        "vestibule-browser"
    }
}

fn cookie(site: &Site, token: &Secret) -> Cookie<'static> {
    Cookie::build(name(site), token.expose_str().unwrap_or_default().to_owned())
        .path("/")
        .http_only(true)
        .secure(site.settings.site.base_url.is_https())
        .same_site(SameSite::Lax)
        .max_age(KEPT)
        .finish()
}
