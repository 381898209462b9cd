//! Errors as clients see them (RFC 9457): the one place that knows status codes.

use std::{borrow::Cow, fmt};

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    body::BoxBody,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use vestibule_core::{
    domain::invalid::{FieldError, Invalid},
    ports::store::{StoreError, StoreErrorKind},
    usecase::{
        error::{AdminError, Forbidden},
        login::LoginError,
        sessions::OpenError,
    },
};

use crate::{
    client::UnreadableForwarding, dto::session::StepBody, rate_limit::TooOften, site::Site,
};

/// An error as it goes over the wire: `application/problem+json`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// Always `about:blank`: `code` says what is meant.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// A stable word for programs.
    code: &'static str,
    /// The reason for people.
    detail: Cow<'static, str>,
    /// What is wrong with which field, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    errors: Option<Value>,
    /// What the visitor has to bring besides, and what with.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<StepBody>,
}

/// What strangers are told, written out: they may come in floods.
const NOT_AUTHENTICATED: &str = r#"{"type":"about:blank","title":"Unauthorized","status":401,"code":"not_authenticated","detail":"log in first: POST api/v1/login"}"#;

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const CHALLENGE: HeaderValue = HeaderValue::from_static("Cookie realm=\"vestibule\"");

/// An error on its way to a client.
#[derive(Debug)]
pub struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    body: ProblemBody,
    retry_after: Option<u64>,
    /// Where a browser is sent instead of being told.
    location: Option<String>,
    /// What the log is told and the client is not.
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Problem {
    /// An error with its stable word and the reason for people.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        let body = ProblemBody {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code,
            detail: detail.into(),
            errors: None,
            step: None,
        };
        Self(Box::new(Inner { status, body, retry_after: None, location: None, cause: None }))
    }

    /// The request cannot be read.
    pub fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", detail)
    }

    /// The request cannot be read because of one field.
    pub fn malformed_field(field: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let errors = serde_json::json!({ field: [{ "code": "malformed", "message": &detail }] });
        let mut problem = Self::malformed(format!("{field}: {detail}"));
        problem.0.body.errors = Some(errors);
        problem
    }

    /// There is no such thing, or the caller may not know of it.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
    }

    /// Nobody is logged in. Strangers are many, so this costs the least of all answers.
    pub fn unauthenticated() -> Self {
        let (code, detail) =
            (Forbidden::NotAuthenticated.code(), "log in first: POST api/v1/login");
        Self::new(StatusCode::UNAUTHORIZED, code, detail)
    }

    /// Nobody is logged in: a browser that asks for a page is sent to the login page and from
    /// there back to it, everybody else is told.
    pub(crate) fn log_in_first(req: &HttpRequest) -> Self {
        let mut problem = crate::again::nobody(req);
        problem.0.location = login_page(req);
        problem
    }

    /// The application was never given a site.
    pub fn not_mounted() -> Self {
        let detail = "the application was not given `vestibule.mount(…)`";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "not_mounted", detail)
    }

    /// It may be possible after these seconds.
    pub(crate) fn later(code: &'static str, retry_after: u32) -> Self {
        let detail = "this is not possible at the moment; try again later";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(retry_after)
    }

    /// Something broke; the log knows what, the client does not.
    pub(crate) fn internal() -> Self {
        let detail = "something went wrong on our side";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// What the visitor has to bring besides.
    pub(crate) fn step(&self) -> Option<&StepBody> {
        self.0.body.step.as_ref()
    }

    /// The stable word.
    pub fn code(&self) -> &'static str {
        self.0.body.code
    }

    /// The reason for people.
    pub fn detail(&self) -> &str {
        &self.0.body.detail
    }

    fn retry_after(mut self, seconds: impl Into<u64>) -> Self {
        self.0.retry_after = Some(seconds.into());
        self
    }

    fn caused_by(mut self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.cause = Some(Box::new(cause));
        self
    }

    pub(crate) fn invalid(errors: &[FieldError]) -> Self {
        let detail = Invalid(errors.to_vec()).to_string();
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail);
        let mut by_field = serde_json::Map::new();
        for error in errors {
            let list = by_field.entry(error.field).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(serde_json::json!({ "code": error.code, "message": error.message }));
            }
        }
        problem.0.body.errors = Some(Value::Object(by_field));
        problem
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.0.body.status, self.0.body.code, self.0.body.detail)
    }
}

impl std::error::Error for Problem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        if self.0.status.is_server_error() {
            tracing::error!(code = self.0.body.code, cause = ?self.0.cause, "request failed");
        }
        if let Some(location) = &self.0.location {
            let mut response = HttpResponse::SeeOther();
            response.insert_header((header::CACHE_CONTROL, "no-store"));
            return response.insert_header((header::LOCATION, location.as_str())).finish();
        }
        let is_stranger = self.0.body.code == "not_authenticated";
        let mut response = if is_stranger {
            HttpResponse::with_body(self.0.status, BoxBody::new(NOT_AUTHENTICATED))
        } else {
            let body = serde_json::to_string(&self.0.body).unwrap_or_default();
            HttpResponse::with_body(self.0.status, BoxBody::new(body))
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
        headers.insert(header::CACHE_CONTROL, NO_STORE);
        if self.0.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, CHALLENGE);
        }
        if let Some(seconds) = self.0.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<Forbidden> for Problem {
    fn from(error: Forbidden) -> Self {
        let status = match error {
            Forbidden::NotAuthenticated => StatusCode::UNAUTHORIZED,
            _ => StatusCode::FORBIDDEN,
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Forbidden(error) => error.into(),
            AdminError::NotFound(what) => Self::not_found(what),
            AdminError::Invalid(Invalid(errors)) => Self::invalid(&errors),
            AdminError::Password(problems) => {
                let errors: Vec<_> = problems
                    .into_iter()
                    .map(|problem| FieldError::new("password", problem.code, problem.help))
                    .collect();
                Self::invalid(&errors)
            }
            AdminError::DeadLink => {
                Self::new(StatusCode::BAD_REQUEST, "dead_link", AdminError::DeadLink.to_string())
            }
            AdminError::Conflict { code, message } => {
                Self::new(StatusCode::CONFLICT, code, message)
            }
            AdminError::TooOften { retry_after } => TooOften { retry_after }.into(),
            AdminError::Busy { retry_after } => busy("busy", retry_after),
            AdminError::Store(error) => error.into(),
            AdminError::Hashing(error) => internal().caused_by(error),
        }
    }
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Refused { .. }
            | LoginError::SignOnFirst { .. }
            | LoginError::NotAgain { .. } => {
                Self::new(StatusCode::UNAUTHORIZED, "login_failed", error.to_string())
            }
            LoginError::Unavailable { retry_after } => busy("login_unavailable", retry_after),
            LoginError::NoAccount { .. } => {
                Self::new(StatusCode::FORBIDDEN, "no_account", error.to_string())
            }
            LoginError::LinkNeeded { .. } => {
                Self::new(StatusCode::FORBIDDEN, "link_needed", error.to_string())
            }
            LoginError::CodeWanted(wanted) => {
                let detail = "a one-time code is wanted as well";
                let mut problem =
                    Self::new(StatusCode::UNAUTHORIZED, "second_factor_required", detail);
                problem.0.body.step = Some(StepBody::from(wanted));
                problem
            }
            LoginError::CodeMissing => {
                Self::new(StatusCode::UNAUTHORIZED, "second_factor_required", error.to_string())
            }
            LoginError::StepLost => {
                Self::new(StatusCode::BAD_REQUEST, "step_lost", error.to_string())
            }
            LoginError::Link(error) => error.into(),
            LoginError::UnknownBackend(name) => {
                Self::malformed_field("backend", format!("there is no backend {name:?}"))
            }
            LoginError::PasswordTooLong { .. } => {
                Self::invalid(&[FieldError::new("password", "too_long", error.to_string())])
            }
            LoginError::Store(error) => error.into(),
        }
    }
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NotLive => Self::new(
                StatusCode::UNAUTHORIZED,
                "login_failed",
                "the name or the password is wrong, or the account cannot be used",
            ),
            OpenError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let problem = match error.kind {
            StoreErrorKind::Conflict(_) => {
                Self::new(StatusCode::CONFLICT, "conflict", "it does not fit with what is there")
            }
            StoreErrorKind::Corrupt { .. } | StoreErrorKind::Other => internal(),
            StoreErrorKind::ReadOnly(_) => busy("read_only", 10u32),
            _ => busy("database_unavailable", 2u32),
        };
        problem.caused_by(error)
    }
}

impl From<TooOften> for Problem {
    fn from(error: TooOften) -> Self {
        let detail = "too many requests from your address";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail)
            .retry_after(error.retry_after)
    }
}

impl From<UnreadableForwarding> for Problem {
    fn from(error: UnreadableForwarding) -> Self {
        tracing::warn!(%error, "request refused");
        Self::malformed(error.to_string())
    }
}

/// Where a browser that asked for a page logs in and comes back from.
fn login_page(req: &HttpRequest) -> Option<String> {
    let site = Site::of(req).filter(|site| wants_page(req, site))?;
    let wanted = req.uri().path_and_query().map_or("/", |wanted| wanted.as_str());
    let next: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
    Some(site.path(&format!("/login?next={next}")))
}

/// Whether a browser asks for something to show to its user.
pub(crate) fn wants_page(req: &HttpRequest, site: &Site) -> bool {
    let accept = req.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    req.method().is_safe()
        && accept.is_some_and(|types| types.contains("text/html"))
        && !req.path().starts_with(&site.path("/api/"))
}

fn busy(code: &'static str, retry_after: u32) -> Problem {
    Problem::later(code, retry_after)
}

fn internal() -> Problem {
    Problem::internal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_are_told_is_what_would_be_written() {
        let body = serde_json::to_string(&Problem::unauthenticated().0.body).unwrap();
        assert_eq!(body, NOT_AUTHENTICATED);
    }
}
