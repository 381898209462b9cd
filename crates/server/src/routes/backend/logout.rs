//! A provider tells that somebody's session there has ended (`OpenID` Connect Back-Channel Logout
//! 1.0 section 2.5).

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Path,
};
use url::form_urlencoded;
use vestibule_core::usecase::login::EndError;

use crate::{
    extract::{RawBody, anonymous},
    problem::Problem,
};

pub(super) async fn end(
    req: HttpRequest,
    backend: Path<String>,
    RawBody(body): RawBody,
) -> Result<HttpResponse, Problem> {
    let (site, op) = anonymous(&req)?;
    let is_form = req.headers().get(header::CONTENT_TYPE).is_some_and(|kind| {
        let kind = kind.as_bytes();
        kind.starts_with(b"application/x-www-form-urlencoded")
    });
    if !is_form {
        return Err(Problem::malformed("expected a form"));
    }
    let mut tokens = form_urlencoded::parse(&body).filter(|(name, _)| name == "logout_token");
    let (Some((_, token)), None) = (tokens.next(), tokens.next()) else {
        return Err(Problem::malformed_field("logout_token", "expected one"));
    };
    match site.services.login.end_upstream(&op, &backend, &token).await {
        Ok(ended) => {
            tracing::info!(target: "vestibule::login", backend = %*backend, ended, "logout elsewhere");
            Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).finish())
        }
        Err(error) => {
            if let EndError::Unbelieved(fault) = &error {
                // A provider tells of as many logouts as there are; strangers may try as often as
                // they may log in.
                site.rates.login(&op.client.address, op.now())?;
                let fault = fault.as_ref().map_or_else(String::new, ToString::to_string);
                let (backend, address) = (&*backend, &op.client.address);
                tracing::warn!(target: "vestibule::login", %backend, %address, %fault, "logout not believed");
            }
            Err(error.into())
        }
    }
}

impl From<EndError> for Problem {
    fn from(error: EndError) -> Self {
        match error {
            EndError::UnknownBackend(_) => Self::not_found("backend that tells of logouts"),
            EndError::Unbelieved(_) => {
                Self::new(StatusCode::BAD_REQUEST, "logout_token_invalid", error.to_string())
            }
            EndError::Unavailable { retry_after } => Self::later("logout_unavailable", retry_after),
            EndError::Store(error) => error.into(),
        }
    }
}
