//! Walls around whole scopes of an application.

use std::{
    future::{Future, Ready, ready},
    pin::Pin,
    rc::Rc,
};

use actix_web::{
    Error, ResponseError,
    body::EitherBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::StatusCode,
};

use crate::{extract::session_of, problem::Problem};

/// Lets through only people who are logged in; everybody else is answered 401, and browsers that
/// ask for a page are sent to the login page.
///
/// ```no_run
/// # use actix_web::{App, web};
/// # use vestibule_server::RequireLogin;
/// let inside = web::scope("/inside").wrap(RequireLogin);
/// # let _ = App::new().service(inside);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct RequireLogin;

/// Lets through only people who hold a permission as a whole; others are answered 401 or 403.
///
/// ```no_run
/// # use actix_web::{App, web};
/// # use vestibule_server::RequirePermission;
/// let admin = web::scope("/admin").wrap(RequirePermission::new("calc.administer"));
/// # let _ = App::new().service(admin);
/// ```
#[derive(Clone, Debug)]
pub struct RequirePermission(Rc<str>);

impl RequirePermission {
    /// This permission.
    pub fn new(permission: &str) -> Self {
        Self(permission.into())
    }
}

/// The wall itself, around the service of a scope.
#[derive(Debug)]
pub struct Wall<S> {
    service: Rc<S>,
    permission: Option<Rc<str>>,
}

impl<S, B> Transform<S, ServiceRequest> for RequireLogin
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = Wall<S>;
    type InitError = ();
    type Future = Ready<Result<Wall<S>, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(Wall { service: Rc::new(service), permission: None }))
    }
}

impl<S, B> Transform<S, ServiceRequest> for RequirePermission
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = Wall<S>;
    type InitError = ();
    type Future = Ready<Result<Wall<S>, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        let permission = Some(Rc::clone(&self.0));
        ready(Ok(Wall { service: Rc::new(service), permission }))
    }
}

impl<S, B> Service<ServiceRequest> for Wall<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(service);

    fn call(&self, req: ServiceRequest) -> Self::Future {
        let (service, permission) = (Rc::clone(&self.service), self.permission.clone());
        Box::pin(async move {
            match pass(&req, permission.as_deref()).await {
                Ok(()) => Ok(service.call(req).await?.map_into_left_body()),
                Err(problem) => {
                    let response = problem.error_response();
                    Ok(req.into_response(response).map_into_right_body())
                }
            }
        })
    }
}

async fn pass(req: &ServiceRequest, permission: Option<&str>) -> Result<(), Problem> {
    let session = session_of(req.request()).await?;
    let session = session.ok_or_else(|| Problem::log_in_first(req.request()))?;
    match permission {
        Some(permission) if !session.principal.has(permission) => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "permission_denied",
            format!("this needs the permission {permission}"),
        )),
        _ => Ok(()),
    }
}
