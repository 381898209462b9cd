//! The context of a request's operation.

use std::sync::Arc;

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, web};
use futures_util::future::LocalBoxFuture;
use vestibule_core::{Client, OpCx, id::RequestId, usecase::principal::Authenticated};

use super::session_of;
use crate::{client::client_of, problem::Problem, site::Site};

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

/// The context of a request before anybody was recognised in it.
pub(crate) fn anonymous(req: &HttpRequest) -> Result<(web::Data<Site>, OpCx), Problem> {
    let site = req.app_data::<web::Data<Site>>().ok_or_else(Problem::not_mounted)?.clone();
    let client = match req.extensions().get::<Client>() {
        Some(client) => client.clone(),
        None => client_of(req, &site.proxies)?,
    };
    let mut op = OpCx::for_request(client, Arc::clone(&site.clock), Arc::clone(&site.entropy));
    if let Some(request) = req.extensions().get::<RequestId>() {
        op.request = *request;
    }
    Ok((site, op))
}
