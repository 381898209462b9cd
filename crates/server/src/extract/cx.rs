//! The context of a request's operation.

use std::{ops::Deref, sync::Arc};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::Uri, web};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use vestibule_core::{Client, OpCx, id::RequestId, usecase::principal::Authenticated};

use super::{body::read_query, session_of};
use crate::{again::nobody, browser, client::client_of, problem::Problem, site::Site};

/// Who asks, from where and when, with the site that is asked: what every use case is given.
pub struct RequestCx {
    /// The site.
    pub site: web::Data<Site>,
    /// The operation's context.
    pub op: OpCx,
    /// The session, if there is one.
    pub session: Option<Authenticated>,
}

impl FromRequest for RequestCx {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move {
            let session = session_of(&req).await?;
            let (site, op) = anonymous(&req)?;
            let op = match &session {
                Some(session) => op.acting_as(session.actor()),
                None => op,
            };
            Ok(Self { site, op, session })
        })
    }
}

/// As [`RequestCx`], of somebody who is logged in; strangers are answered 401 before anything they
/// sent is looked at.
pub(crate) struct UserCx {
    cx: RequestCx,
    req: HttpRequest,
}

impl UserCx {
    /// The request's address.
    pub(crate) fn uri(&self) -> &Uri {
        self.req.uri()
    }

    /// What the query string holds.
    pub(crate) fn query<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        read_query(self.req.query_string())
    }
}

impl Deref for UserCx {
    type Target = RequestCx;
    fn deref(&self) -> &RequestCx {
        &self.cx
    }
}

impl FromRequest for UserCx {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, cx) = (req.clone(), RequestCx::from_request(req, payload));
        Box::pin(async move {
            let cx = cx.await?;
            if cx.session.is_none() {
                return Err(nobody(&req));
            }
            Ok(Self { cx, req })
        })
    }
}

/// The context of a request before anybody was recognised in it.
pub(crate) fn anonymous(req: &HttpRequest) -> Result<(web::Data<Site>, OpCx), Problem> {
    let site = req.app_data::<web::Data<Site>>().ok_or_else(Problem::not_mounted)?.clone();
    let client = match req.extensions().get::<Client>() {
        Some(client) => client.clone(),
        None => client_of(req, &site.proxies)?,
    };
    let mut op = OpCx::for_request(client, Arc::clone(&site.clock), Arc::clone(&site.entropy));
    op.client.browser = browser::digest_of(req, &site);
    if let Some(request) = req.extensions().get::<RequestId>() {
        op.request = *request;
    }
    Ok((site, op))
}
