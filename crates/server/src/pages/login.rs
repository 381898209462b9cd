//! The login page.

use actix_web::{HttpRequest, HttpResponse, ResponseError, http::StatusCode};
use minijinja::{Value, context};
use serde::Deserialize;
use url::form_urlencoded;
use vestibule_core::usecase::login::Door;

use super::{
    next::own_path,
    view::{page, see_other},
};
use crate::{
    again, browser,
    doors::takes_headers,
    dto::session::LoginIn,
    extract::{Body, Query, RequestCx, anonymous, require_own_form},
    problem::Problem,
    routes::api::login::{add, open},
    site::Site,
};

/// What the address of the login page may hold. Never a name or a password: what else stands
/// there is not looked at.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    next: Option<String>,
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Form {
    username: Option<String>,
    password: Option<String>,
    otp: Option<String>,
    step: Option<String>,
    next: Option<String>,
}

/// A way in that leads elsewhere, as the page shows it.
fn button(door: &Door) -> Value {
    let backend = door.name().as_str();
    let place = if takes_headers(door) { "assert" } else { "login" };
    context! { backend, place, label => door.label.as_deref().unwrap_or(backend) }
}

pub(super) async fn show(req: HttpRequest, cx: RequestCx, wanted: Query<Wanted>) -> HttpResponse {
    let next = own_path(&cx.site, wanted.next.as_deref());
    if cx.session.is_some() {
        return see_other(&next.unwrap_or_else(|| cx.site.path("/")));
    }
    if let Some(hint) = again::hint(&req, &cx.site) {
        let next = next.unwrap_or_else(|| cx.site.path("/"));
        let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
        let path = format!("/auth/{}/login?again=1&next={next}", hint.backend);
        return see_other(&cx.site.path(&path));
    }
    form(&cx.site, StatusCode::OK, "", next.as_deref(), None)
}

pub(super) async fn submit(
    req: HttpRequest,
    Body(sent): Body<Form>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    require_own_form(&req, &site)?;
    let next = own_path(&site, sent.next.as_deref());
    let username = sent.username.clone().unwrap_or_default();
    let input = LoginIn {
        username: sent.username,
        password: sent.password,
        backend: None,
        otp: sent.otp,
        step: sent.step,
    };
    match open(&req, &site, &op, input).await {
        Ok(opened) => {
            let mut response = see_other(&next.unwrap_or_else(|| site.path("/")));
            for cookie in browser::cookies(&site, &opened) {
                add(&mut response, Some(cookie));
            }
            add(&mut response, again::cookie(&req, &site, &opened));
            Ok(response)
        }
        Err(problem) => Ok(match problem.step() {
            Some(step) => {
                let (token, prompt) = (&step.token, &step.prompt);
                let status = problem.status_code();
                page(&site, status, "code.html", context! { token, prompt, next })
            }
            None => sorry(&site, &username, next.as_deref(), &problem, problem.detail()),
        }),
    }
}

/// The login page once more, with the reason why it is needed.
pub(crate) fn turned_away(site: &Site, problem: &Problem, next: Option<&str>) -> HttpResponse {
    sorry(site, "", next, problem, problem.detail())
}

/// The form again, with what went wrong. What the API says in headers (when to try again), the page
/// says too.
pub(crate) fn sorry(
    site: &Site,
    username: &str,
    next: Option<&str>,
    problem: &Problem,
    text: &str,
) -> HttpResponse {
    let mut answer = form(site, problem.status_code(), username, next, Some(text));
    for (name, value) in problem.error_response().headers() {
        if name == actix_web::http::header::RETRY_AFTER {
            answer.headers_mut().insert(name.clone(), value.clone());
        }
    }
    answer
}

fn form(
    site: &Site,
    status: StatusCode,
    username: &str,
    next: Option<&str>,
    error: Option<&str>,
) -> HttpResponse {
    let escaped = next.map(|next| form_urlencoded::byte_serialize(next.as_bytes()).collect());
    let next_query = escaped.map(|next: String| format!("?next={next}")).unwrap_or_default();
    let buttons: Vec<Value> = site.services.login.buttons().map(button).collect();
    let takes_passwords = site.services.login.takes_passwords();
    let takes_registrations = site.services.registrations.require_open().is_ok();
    let own = context! {
        username, next, next_query, error, buttons, takes_passwords, takes_registrations,
    };
    page(site, status, "login.html", own)
}
