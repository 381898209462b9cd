//! What handlers see: the use cases and the settings that concern requests.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use actix_web::{HttpRequest, web};
use vestibule_auth::backends::user_office::Desk;
use vestibule_core::{
    Clock, Entropy,
    ports::{hasher::PasswordHasher, store::Store},
    usecase::{
        announcements::Announcements, audit::Audit, bootstrap::Bootstrap, check::Check,
        grants::Grants, groups::Groups, housekeeping::Housekeeping, invitations::Invitations,
        login::Conversions, login::Login, members::Members, news::Starts, notify::Notices,
        outbox::Outbox, password::Passwords, permissions::Permissions, principal::Principals,
        programs::Programs, readdress::Readdressing, recovery::Recovery,
        registration::Registrations, sessions::Sessions, sharing::Sharing, users::Users,
    },
};

use crate::{
    client::TrustedProxies, config::Settings, extract::Turns, failures::Failures, mail::Mailroom,
    pace::Refusals, pages::view::Views, rate_limit::RateLimits,
};

/// Everything that can be called, ready to be shared by all workers.
pub struct Services {
    /// See [`Login`].
    pub login: Login,
    /// See [`Conversions`].
    pub conversions: Conversions,
    /// See [`Sessions`].
    pub sessions: Sessions,
    /// See [`Principals`].
    pub principals: Arc<Principals>,
    /// See [`Programs`].
    pub programs: Programs,
    /// See [`Passwords`].
    pub passwords: Passwords,
    /// See [`Users`].
    pub users: Users,
    /// See [`Groups`].
    pub groups: Groups,
    /// See [`Members`].
    pub members: Members,
    /// See [`Permissions`].
    pub permissions: Permissions,
    /// See [`Grants`].
    pub grants: Grants,
    /// See [`Sharing`].
    pub sharing: Sharing,
    /// See [`Check`].
    pub check: Check,
    /// See [`Audit`].
    pub audit: Audit,
    /// See [`Bootstrap`].
    pub bootstrap: Bootstrap,
    /// See [`Recovery`].
    pub recovery: Recovery,
    /// See [`Registrations`].
    pub registrations: Registrations,
    /// See [`Invitations`].
    pub invitations: Invitations,
    /// See [`Readdressing`].
    pub readdressing: Readdressing,
    /// See [`Outbox`].
    pub outbox: Outbox,
    /// See [`Notices`].
    pub notices: Notices,
    /// See [`Starts`].
    pub starts: Starts,
    /// See [`Announcements`].
    pub announcements: Announcements,
    /// See [`Housekeeping`].
    pub housekeeping: Housekeeping,
    /// The store under them, for what is not a use case: health, verification, imports.
    pub store: Store,
    /// The hasher under them, to tell how busy it is.
    pub hasher: Arc<dyn PasswordHasher>,
}

/// What handlers see.
pub struct Site {
    /// What can be called.
    pub services: Services,
    /// The operator's settings.
    pub settings: Settings,
    /// Below which path the routes were mounted; before that `server.prefix` counts.
    pub(crate) mounted: Arc<OnceLock<String>>,
    /// The pages.
    pub(crate) views: Views,
    /// How mail leaves the house.
    pub(crate) mail: Mailroom,
    /// The facility's user office, for people who have logged in.
    pub(crate) office: Desk,
    /// Where programs wait whose name and password is being verified: one at a time to a pair.
    pub(crate) turns: Turns,
    /// What `site.admins` are to be told of.
    pub(crate) failures: Failures,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Whose word about the client's address is believed.
    pub proxies: TrustedProxies,
    /// How often one address may do what.
    pub rates: RateLimits,
    /// How long refused logins take.
    pub(crate) refusals: Refusals,
}

impl Site {
    /// The site that the request belongs to. `None` when the application was never given one.
    pub fn of(req: &HttpRequest) -> Option<&Self> {
        req.app_data::<web::Data<Self>>().map(|data| &***data)
    }

    /// The session cookie's name: `__Host-` binds it to this very host and to TLS
    /// (RFC 6265bis section 4.1.3.2), which a browser takes over https alone.
    pub fn cookie_name(&self) -> &'static str {
        if self.settings.site.base_url.is_https() { "__Host-vestibule" } else { "vestibule" }
    }

    /// How long the cookie is to stay with the browser; `None` until it closes.
    pub fn cookie_life(&self) -> Option<Duration> {
        let session = &self.settings.session;
        (!session.expire_at_browser_close).then_some(session.cookie_age)
    }

    /// Below which path the routes are: empty, or `/accounts`.
    pub fn prefix(&self) -> &str {
        self.mounted.get().unwrap_or(&self.settings.server.prefix)
    }

    /// The address of one of our own pages, from `base_url` and never from a request.
    pub fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.settings.site.base_url.origin(), self.prefix())
    }

    /// The path of one of our own pages.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix())
    }
}
