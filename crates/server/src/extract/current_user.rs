//! Who asks.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{self, HeaderValue},
    web,
};
use futures_util::future::{Either, LocalBoxFuture};
use vestibule_core::{
    Actor, Secret, TokenDigest,
    id::UserId,
    usecase::{
        principal::{Authenticated, sole_cookie},
        programs::Pair,
    },
};

use super::{
    cross_site::require_csrf,
    program::{brought, prove, recall},
};
use crate::{problem::Problem, site::Site};

/// The person who is logged in; a handler that takes it answers 401 to everybody else, and sends
/// browsers that ask for a page to the login page.
///
/// Take `Option<CurrentUser>` to serve both. On an unsafe method the request must also carry the
/// session's CSRF token, so a handler that takes this is safe from forged requests.
#[derive(Clone, Debug)]
pub struct CurrentUser(pub(crate) Authenticated);

impl CurrentUser {
    /// The account.
    pub fn id(&self) -> UserId {
        self.0.principal.user
    }

    /// Its login name.
    pub fn username(&self) -> &str {
        &self.0.principal.username
    }

    /// Whether it holds every permission.
    pub fn is_superuser(&self) -> bool {
        self.0.principal.is_superuser
    }

    /// Whether it holds this permission as a whole; costs a few nanoseconds.
    pub fn has(&self, permission: &str) -> bool {
        self.0.principal.has(permission)
    }
}

type Extracting<T> = Either<Ready<Result<T, Problem>>, LocalBoxFuture<'static, Result<T, Problem>>>;

impl FromRequest for CurrentUser {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        match warm(req) {
            Warm::Found(session) => Either::Left(ready(Ok(Self(session)))),
            Warm::Nobody => Either::Left(ready(Err(Problem::log_in_first(req)))),
            Warm::Problem(problem) => Either::Left(ready(Err(problem))),
            Warm::Unknown(site, token) => {
                let req = req.clone();
                Either::Right(Box::pin(async move {
                    let session = cold(&req, &site, &token).await?;
                    session.map(Self).ok_or_else(|| Problem::log_in_first(&req))
                }))
            }
            Warm::Unproved(pair) => {
                let req = req.clone();
                Either::Right(Box::pin(async move { prove(&req, pair).await.map(Self) }))
            }
        }
    }
}

/// The session of a request, if it has one: what extractors other than [`CurrentUser`] ask for.
pub(crate) async fn session_of(req: &HttpRequest) -> Result<Option<Authenticated>, Problem> {
    match warm(req) {
        Warm::Found(session) => Ok(Some(session)),
        Warm::Nobody => Ok(None),
        Warm::Problem(problem) => Err(problem),
        Warm::Unknown(site, token) => cold(req, &site, &token).await,
        Warm::Unproved(pair) => prove(req, pair).await.map(Some),
    }
}

/// Who asked, where something failed that need not have looked.
pub(crate) async fn actor_of(req: &HttpRequest) -> Actor {
    match warm(req) {
        Warm::Found(session) => session.actor(),
        Warm::Unknown(site, token) => actor_by(&site, token.expose()).await,
        Warm::Nobody | Warm::Problem(_) | Warm::Unproved(_) => Actor::Anonymous,
    }
}

/// The same, when there is nothing left of the request but its cookies.
pub(crate) async fn actor_in(site: &Site, cookies: Option<&HeaderValue>) -> Actor {
    let cookies = cookies.into_iter().map(HeaderValue::as_bytes);
    match sole_cookie(cookies, site.cookie_name()) {
        Some(token) if site.services.principals.seal().is_genuine(token) => {
            actor_by(site, token).await
        }
        _ => Actor::Anonymous,
    }
}

async fn actor_by(site: &Site, token: &[u8]) -> Actor {
    let session = site.services.principals.recognise(token, &*site.clock).await;
    session.ok().flatten().map_or(Actor::Anonymous, |session| session.actor())
}

/// The session token of a request, if its cookies hold exactly one.
pub(crate) fn token_of(req: &HttpRequest, site: &Site) -> Option<Secret> {
    token_in(req, site).map(Secret::new)
}

fn token_in<'r>(req: &'r HttpRequest, site: &Site) -> Option<&'r [u8]> {
    let cookies = req.headers().get_all(header::COOKIE).map(header::HeaderValue::as_bytes);
    sole_cookie(cookies, site.cookie_name())
}

enum Warm {
    Found(Authenticated),
    Nobody,
    Problem(Problem),
    Unknown(web::Data<Site>, Secret),
    Unproved(Pair),
}

/// What can be said without input or output.
fn warm(req: &HttpRequest) -> Warm {
    let Some(site) = req.app_data::<web::Data<Site>>() else {
        return Warm::Problem(Problem::not_mounted());
    };
    // What a program brings on purpose goes before a cookie that happens to be there.
    match brought(req, site) {
        Ok(None) => {}
        Ok(Some(pair)) => {
            return match recall(site, &pair) {
                Some(program) => Warm::Found(program),
                None => Warm::Unproved(pair),
            };
        }
        Err(problem) => return Warm::Problem(problem),
    }
    let Some(token) = token_in(req, site) else {
        return Warm::Nobody;
    };
    let principals = &site.services.principals;
    // First of all: a flood of made-up cookies shall cost no more than this.
    if !principals.seal().is_genuine(token) {
        return Warm::Nobody;
    }
    match principals.recall(&TokenDigest::of(token), site.clock.now()) {
        Some(session) => match require_csrf(req, site, token) {
            Ok(()) => Warm::Found(session),
            Err(problem) => Warm::Problem(problem),
        },
        None => Warm::Unknown(site.clone(), Secret::new(token)),
    }
}

async fn cold(
    req: &HttpRequest,
    site: &Site,
    token: &Secret,
) -> Result<Option<Authenticated>, Problem> {
    let session = site.services.principals.recognise(token.expose(), &*site.clock).await?;
    if session.is_some() {
        require_csrf(req, site, token.expose())?;
    }
    Ok(session)
}
