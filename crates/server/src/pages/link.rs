//! Links that come by mail. A mail program, a scanner or a preview may open them: GET changes
//! nothing, but takes what the link holds out of the address bar, the history and every `Referer`
//! into a cookie that the page's own form brings back.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time},
    http::{StatusCode, header},
};
use vestibule_core::{Secret, usecase::principal::sole_cookie};

use super::view::{message, see_other};
use crate::site::Site;

/// For how long the browser keeps what a link holds.
const KEPT: Duration = Duration::from_mins(30);
/// Longer than any token.
const LONGEST: usize = 100;

/// One kind of link.
#[derive(Clone, Copy)]
pub(super) struct Link {
    /// The page that it leads to, below the prefix; the token follows.
    pub(super) page: &'static str,
    /// What the cookie is called.
    pub(super) cookie: &'static str,
}

impl Link {
    /// The link was opened: on to its page, without the token.
    pub(super) fn open(self, site: &Site, token: &str) -> HttpResponse {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if token.len() > LONGEST || !token.bytes().all(is_plain) {
            return self.dead(site);
        }
        let mut cookie = self.cookie_of(site, token.to_owned());
        cookie.set_max_age(time::Duration::seconds(i64::try_from(KEPT.as_secs()).unwrap_or(0)));
        let mut response = see_other(&site.path(self.page));
        set(&mut response, &cookie);
        response
    }

    /// What the browser kept, if it did.
    pub(super) fn token(self, req: &HttpRequest, site: &Site) -> Option<Secret> {
        let cookies = req.headers().get_all(header::COOKIE).map(header::HeaderValue::as_bytes);
        sole_cookie(cookies, &self.name(site)).map(Secret::new)
    }

    /// The link was used: on to another page, and the cookie goes.
    pub(super) fn used(self, site: &Site, mut response: HttpResponse) -> HttpResponse {
        let mut cookie = self.cookie_of(site, String::new());
        cookie.make_removal();
        set(&mut response, &cookie);
        response
    }

    /// There is no such link (any more), and no cookie either.
    pub(super) fn dead(self, site: &Site) -> HttpResponse {
        let text = "This link was used already, or is too old. If you have just opened it from a \
                    mail, open it once more in a browser that keeps cookies, or ask for another.";
        self.used(site, message(site, StatusCode::NOT_FOUND, "The link is dead", text))
    }

    /// `__Host-` as the session's, and for the same reasons.
    fn name(self, site: &Site) -> String {
        let prefix = if site.settings.site.base_url.is_https() { "__Host-" } else { "" };
        format!("{prefix}{}", self.cookie)
    }

    /// Lax: a mail is another site to the browser, and the redirect from there brings it.
    fn cookie_of(self, site: &Site, value: String) -> Cookie<'static> {
        Cookie::build(self.name(site), value)
            .path("/")
            .http_only(true)
            .secure(site.settings.site.base_url.is_https())
            .same_site(SameSite::Lax)
            .finish()
    }
}

fn set(response: &mut HttpResponse, cookie: &Cookie<'_>) {
    if let Err(error) = response.add_cookie(cookie) {
        tracing::error!(%error, "the cookie of a link could not be set");
    }
}
