//! Bodies and query strings, refused with the name of the field that does not hold.

use std::{any::type_name, ops::Deref};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    error::PayloadError,
    http::{StatusCode, header},
    web,
};
use futures_util::{StreamExt, future::LocalBoxFuture};
use serde::de::DeserializeOwned;

use super::UserCx;
use crate::{config::LimitsSettings, problem::Problem, site::Site};

/// A JSON or form body.
#[derive(Debug)]
pub(crate) struct Body<T>(pub T);

impl<T> Deref for Body<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, mut payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let site = Site::of(&req).ok_or_else(Problem::not_mounted)?;
            let kind = media_type(&req)?;
            let bytes = collect(&req, &mut payload, &site.settings.limits).await?;
            match kind {
                Media::Json => {
                    require_object(&bytes)?;
                    parse(&mut serde_json::Deserializer::from_slice(&bytes))
                }
                Media::Form => {
                    let pairs = url::form_urlencoded::parse(&bytes);
                    let mut object = serde_json::Map::new();
                    for (name, value) in pairs {
                        // Whoever reads the other of the two would read another request.
                        if object.insert(name.to_string(), value.into()).is_some() {
                            return Err(Problem::malformed_field(&name, "is given twice"));
                        }
                    }
                    parse(serde_json::Value::Object(object))
                }
            }
            .map(Self)
        })
    }
}

/// A body from somebody who is logged in. Who they are is asked first: what is wrong with a body
/// is not told to strangers.
pub(crate) struct Posted<T>(pub(crate) UserCx, pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Posted<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, mut payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let cx = UserCx::from_request(&req, &mut Payload::None).await?;
            let Body(body) = Body::from_request(&req, &mut payload).await?;
            Ok(Self(cx, body))
        })
    }
}

/// A body as it came, whatever it is.
pub(crate) struct RawBody(pub(crate) web::BytesMut);

impl FromRequest for RawBody {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, mut payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let site = Site::of(&req).ok_or_else(Problem::not_mounted)?;
            collect(&req, &mut payload, &site.settings.limits).await.map(Self)
        })
    }
}

enum Media {
    Json,
    Form,
}

fn media_type(req: &HttpRequest) -> Result<Media, Problem> {
    let declared = req.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = declared.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        "application/json" => Ok(Media::Json),
        "application/x-www-form-urlencoded" => Ok(Media::Form),
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "send application/json (or application/x-www-form-urlencoded)",
        )),
    }
}

/// All of the body, within its size and its time: whoever sends one byte now and then takes a
/// connection away from everybody else.
async fn collect(
    req: &HttpRequest,
    payload: &mut Payload,
    limits: &LimitsSettings,
) -> Result<web::BytesMut, Problem> {
    let collected = collect_within(req, payload, limits.body_size);
    let in_time = tokio::time::timeout(limits.body_timeout, collected).await;
    in_time.unwrap_or_else(|_| {
        let seconds = limits.body_timeout.as_secs();
        let detail = format!("the body did not come within {seconds} seconds");
        Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", detail))
    })
}

async fn collect_within(
    req: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
) -> Result<web::BytesMut, Problem> {
    let too_large = || {
        let detail = format!("the body has more than {limit} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
    };
    let declared = req.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
    if declared.and_then(|length| length.parse::<usize>().ok()).is_some_and(|n| n > limit) {
        return Err(too_large());
    }
    let mut body = web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| match error {
            PayloadError::Overflow => too_large(),
            _ => Problem::malformed("the body broke off"),
        })?;
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A list would be read as the fields in the order that the program happens to have them in.
fn require_object(body: &[u8]) -> Result<(), Problem> {
    match body.trim_ascii_start().first() {
        Some(b'{') => Ok(()),
        Some(_) => Err(Problem::malformed("the body is not a JSON object")),
        None => Err(Problem::malformed("the body is empty: send a JSON object")),
    }
}

fn parse<'de, T, D>(deserializer: D) -> Result<T, Problem>
where
    T: DeserializeOwned,
    D: serde::Deserializer<'de, Error = serde_json::Error>,
{
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        if !error.inner().is_data() {
            // It says where, and shows nothing of it.
            return Problem::malformed(format!("the body is not JSON: {}", error.inner()));
        }
        let path = error.path().to_string();
        let message = plain(error.inner());
        // What is missing or unknown is named in the message, not by the path to it.
        let named = message.split('`').nth(1).filter(|_| path == ".").map(str::to_owned);
        match named {
            Some(field) => Problem::malformed_field(&field, message),
            None if path == "." => Problem::malformed(message),
            None => Problem::malformed_field(&path, message),
        }
    })
}

/// The reason without the value: what was sent may be a secret.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    match text.split_once(", expected ") {
        Some((found, expected)) if found.starts_with("invalid") => format!("expected {expected}"),
        _ if text.starts_with("unknown variant") => {
            let expected = text.split_once(", ").map_or("", |(_, rest)| rest);
            format!("unknown value, {expected}")
        }
        _ => text.to_owned(),
    }
}

/// A query string.
#[derive(Debug)]
pub(crate) struct Query<T>(pub T);

impl<T> Deref for Query<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Query<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(read_query(req.query_string()).map(Self))
    }
}

/// What a query string holds. No name and no text to look for has a NUL, and `PostgreSQL` takes
/// none.
pub(super) fn read_query<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    if text.contains("%00") {
        return Err(Problem::malformed("the query string does not hold: it contains a NUL"));
    }
    let read = web::Query::<T>::from_query(text);
    read.map(web::Query::into_inner).map_err(|error| {
        tracing::debug!(query = type_name::<T>(), %error, "unreadable query");
        Problem::malformed(format!("the query string does not hold: {error}"))
    })
}
