//! Templates and what they are filled with.

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header::RETRY_AFTER},
};
use minijinja::{Environment, Value, context};

use crate::{problem::Problem, site::Site};

/// The built-in templates, parsed once.
pub(crate) struct Views(Environment<'static>);

impl Views {
    pub(crate) fn new() -> Self {
        let mut environment = Environment::new();
        let templates = [
            ("base.html", include_str!("../templates/base.html")),
            ("login.html", include_str!("../templates/login.html")),
            ("code.html", include_str!("../templates/code.html")),
            ("account.html", include_str!("../templates/account.html")),
            ("logout.html", include_str!("../templates/logout.html")),
            ("link.html", include_str!("../templates/link.html")),
            ("goodbye.html", include_str!("../templates/goodbye.html")),
            ("setup.html", include_str!("../templates/setup.html")),
            ("forgot.html", include_str!("../templates/forgot.html")),
            ("reset.html", include_str!("../templates/reset.html")),
            ("activate.html", include_str!("../templates/activate.html")),
            ("email.html", include_str!("../templates/email.html")),
            ("register.html", include_str!("../templates/register.html")),
            ("invitation.html", include_str!("../templates/invitation.html")),
            ("join.html", include_str!("../templates/join.html")),
            ("decline.html", include_str!("../templates/decline.html")),
            ("policy.html", include_str!("../templates/policy.html")),
            ("expired.html", include_str!("../templates/expired.html")),
            ("message.html", include_str!("../templates/message.html")),
        ];
        for (name, source) in templates {
            if let Err(error) = environment.add_template(name, source) {
                tracing::error!(%error, "a built-in template does not parse");
            }
        }
        Self(environment)
    }
}

/// A page: a template filled with what is particular to it and what is on every page.
pub(crate) fn page(site: &Site, status: StatusCode, template: &str, own: Value) -> HttpResponse {
    let all = context! {
        site_name => &site.settings.site.name,
        prefix => site.prefix(),
        ..own
    };
    let rendered = site.views.0.get_template(template).and_then(|found| found.render(all));
    match rendered {
        Ok(html) => HttpResponse::build(status).content_type("text/html; charset=utf-8").body(html),
        Err(error) => {
            tracing::error!(%error, template, "a page could not be rendered");
            HttpResponse::InternalServerError().content_type("text/plain").body("internal error\n")
        }
    }
}

/// A page that only says something.
pub(crate) fn message(site: &Site, status: StatusCode, title: &str, text: &str) -> HttpResponse {
    page(site, status, "message.html", context! { title, text })
}

/// A page that says why something cannot be done, for people who have no form to be told in.
pub(crate) fn refused(site: &Site, problem: &Problem) -> HttpResponse {
    let text = format!("This was not done: {}.", problem.detail());
    when(message(site, problem.status_code(), "Not now", &text), problem)
}

/// With the header that says when it is worth another try, if the problem has one.
pub(crate) fn when(mut answer: HttpResponse, problem: &Problem) -> HttpResponse {
    if let Some(seconds) = problem.error_response().headers().get(RETRY_AFTER) {
        answer.headers_mut().insert(RETRY_AFTER, seconds.clone());
    }
    answer
}

/// On to another page of ours, with GET (RFC 9110 section 15.4.4).
pub(crate) fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header(("location", location.to_owned())).finish()
}
