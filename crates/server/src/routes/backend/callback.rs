//! Back from a provider.

use actix_web::{HttpRequest, HttpResponse, web::Path};
use url::form_urlencoded;
use vestibule_core::usecase::login::{Arrival, Arrived, LoginError};

use super::{assert::require_navigation, browser_of};
use crate::{
    again, browser,
    extract::RequestCx,
    pages::{login::turned_away, view::see_other},
    problem::Problem,
    routes::api::login::{add, admit},
};

/// More than any provider brings.
const MOST_PARAMETERS: usize = 32;

pub(super) async fn arrive(
    req: HttpRequest,
    cx: RequestCx,
    backend: Path<String>,
) -> Result<HttpResponse, Problem> {
    require_navigation(&req)?;
    let site = &cx.site;
    site.rates.login(&cx.op.client.address, cx.op.now())?;
    let parameters = form_urlencoded::parse(req.query_string().as_bytes())
        .take(MOST_PARAMETERS)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let arrival = Arrival { backend: &backend, parameters, browser: browser_of(&req, site) };
    let (next, opened) = match site.services.login.arrive(&cx.op, arrival).await {
        Ok(Arrived::Linked { next, .. }) => (next, None),
        Ok(Arrived::LoggedIn { grant, next }) => {
            let previous = cx.session.as_ref().and_then(|session| session.session);
            match admit(site, &cx.op, previous, Ok(grant)).await {
                Ok(opened) => (next, Some(opened)),
                Err(problem) => return Ok(turned_away(site, &problem, None)),
            }
        }
        Err(LoginError::Link(error)) => return Err(error.into()),
        // Nobody pressed anything, so nobody is told that it did not work.
        Err(LoginError::NotAgain { next }) => {
            let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
            let mut answer = see_other(&site.path(&format!("/login?next={next}")));
            add(&mut answer, again::forget(&req, site));
            return Ok(answer);
        }
        Err(error) => {
            let refused = admit(site, &cx.op, None, Err(error)).await;
            let problem = refused.err().unwrap_or_else(Problem::internal);
            return Ok(turned_away(site, &problem, None));
        }
    };
    let mut answer = see_other(&next);
    if let Some(opened) = opened {
        for cookie in browser::cookies(site, &opened) {
            add(&mut answer, Some(cookie));
        }
        add(&mut answer, again::cookie(&req, site, &opened));
    }
    Ok(answer)
}
