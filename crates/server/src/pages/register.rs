//! The form by which people make an account for themselves.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, ResponseError, http::StatusCode};
use minijinja::context;
use serde::Deserialize;
use vestibule_core::{OpCx, Secret, Timestamp, usecase::users::NewUser};

use super::view::{message, page, refused, when};
use crate::{
    extract::{Body, RequestCx, anonymous, require_own_form},
    pace::Pace,
    problem::Problem,
    site::Site,
};

/// Nobody reads and fills the form in less.
const TOO_FAST: Duration = Duration::from_secs(3);

/// What the form sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Form {
    username: String,
    email: String,
    first_name: String,
    last_name: String,
    password: String,
    password_again: String,
    policy: Option<String>,
    /// When the form was asked for, in microseconds.
    began: String,
    /// No person sees this field.
    website: String,
}

impl Form {
    /// Whether a program filled it in that fills in all forms it finds. Whoever programs for this
    /// very form gets past it: this only keeps the noise out.
    fn is_by_a_program(&self, now: Timestamp) -> bool {
        let began = self.began.parse().map(Timestamp::from_micros);
        let is_slow = began.is_ok_and(|began| now.since(began) >= TOO_FAST);
        !self.website.is_empty() || !is_slow
    }
}

pub(super) async fn show(cx: RequestCx) -> Result<HttpResponse, Problem> {
    if let Err(closed) = cx.site.services.registrations.require_open() {
        return Ok(message(&cx.site, StatusCode::FORBIDDEN, "No accounts", &capital(&closed)));
    }
    let form = Form { began: cx.op.now().as_micros().to_string(), ..Form::default() };
    Ok(filled(&cx.site, StatusCode::OK, &form, None))
}

pub(super) async fn submit(
    req: HttpRequest,
    Body(sent): Body<Form>,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    require_own_form(&req, &site)?;
    site.services.registrations.require_open()?;
    if let Err(error) = site.rates.register(&op.client.address) {
        return Ok(refused(&site, &error.into()));
    }
    if sent.password != sent.password_again {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(filled(&site, status, &sent, Some("the two passwords differ")));
    }
    let pace = Pace::begin();
    let done = register(&site, &op, &sent).await;
    pace.end().await;
    if let Err(problem) = done {
        let answer = filled(&site, problem.status_code(), &sent, Some(problem.detail()));
        return Ok(when(answer, &problem));
    }
    let text = "If the name and the address are free, a mail with a link is on its way.";
    Ok(message(&site, StatusCode::ACCEPTED, "Look into your mail", text))
}

async fn register(site: &Site, op: &OpCx, sent: &Form) -> Result<(), Problem> {
    if sent.is_by_a_program(op.now()) {
        metrics::counter!("vestibule_registrations_by_programs_total").increment(1);
        return Ok(());
    }
    let new = NewUser {
        username: sent.username.clone(),
        email: Some(sent.email.clone()),
        password: Some(Secret::from(sent.password.as_str())),
        first_name: sent.first_name.clone(),
        last_name: sent.last_name.clone(),
        ..NewUser::default()
    };
    Ok(site.services.registrations.register(op, new, sent.policy.as_deref()).await?)
}

fn filled(site: &Site, status: StatusCode, form: &Form, error: Option<&str>) -> HttpResponse {
    let settings = &site.settings.registration;
    let own = context! {
        error,
        username => &form.username,
        email => &form.email,
        first_name => &form.first_name,
        last_name => &form.last_name,
        began => &form.began,
        min_length => site.settings.password.min_length,
        policy => &settings.policy_version,
        policy_url => &settings.policy_url,
    };
    page(site, status, "register.html", own)
}

/// As a sentence.
pub(super) fn capital(error: &impl ToString) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}
