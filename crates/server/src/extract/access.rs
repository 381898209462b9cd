//! What the person who asks may do.

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::StatusCode};
use futures_util::future::LocalBoxFuture;
use vestibule_core::{
    domain::{invalid::FieldError, object::ObjectRef},
    usecase::check,
};

use super::{CurrentUser, RequestCx};
use crate::problem::Problem;

/// Asks whether the person behind the request may do something, and answers for the handler when
/// they may not: 401 when nobody is logged in, 404 when they may not know of the object, else 403.
///
/// ```no_run
/// # use vestibule_server::{Access, Problem};
/// async fn show(access: Access, id: actix_web::web::Path<u64>) -> Result<String, Problem> {
///     access.require("calc.view", ("calc", id.to_string())).await?;
///     Ok(format!("calculation {id}"))
/// }
/// ```
pub struct Access(RequestCx);

impl Access {
    /// Goes on only if the permission is held on the object; pass `()` to ask about the
    /// permission as a whole.
    pub async fn require(&self, permission: &str, object: impl IntoObject) -> Result<(), Problem> {
        match self.ask(permission, object).await? {
            check::Access::Allowed(_) => Ok(()),
            check::Access::Hidden(_) => Err(Problem::not_found("object")),
            check::Access::Forbidden(decision) => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "permission_denied",
                format!("this needs the permission {permission}: {}", decision.reason),
            )),
        }
    }

    /// Whether the permission is held on the object, without answering for the handler.
    pub async fn allows(&self, permission: &str, object: impl IntoObject) -> Result<bool, Problem> {
        Ok(matches!(self.ask(permission, object).await?, check::Access::Allowed(_)))
    }

    /// The person behind the request.
    pub fn user(&self) -> Result<CurrentUser, Problem> {
        let session = self.0.session.clone().ok_or_else(Problem::unauthenticated)?;
        Ok(CurrentUser(session))
    }

    /// The context to call use cases with.
    pub fn cx(&self) -> &RequestCx {
        &self.0
    }

    async fn ask(
        &self,
        permission: &str,
        object: impl IntoObject,
    ) -> Result<check::Access, Problem> {
        let object = object.into_object().map_err(|error| {
            // An object that cannot exist is one that does not.
            tracing::debug!(%error.message, "not an object");
            Problem::not_found("object")
        })?;
        let session = self.0.session.as_ref().ok_or_else(Problem::unauthenticated)?;
        let services = &self.0.site.services;
        let (principals, principal) = (&services.principals, &session.principal);
        Ok(services
            .check
            .access(&self.0.op, principals, principal, permission, object.as_ref())
            .await?)
    }
}

impl FromRequest for Access {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let cx = RequestCx::from_request(req, payload);
        Box::pin(async move { cx.await.map(Self) })
    }
}

/// What an access question can be about: `("calc", id)`, an [`ObjectRef`], or `()` for the
/// permission as a whole.
pub trait IntoObject {
    /// The object, if it is about one.
    fn into_object(self) -> Result<Option<ObjectRef>, FieldError>;
}

impl IntoObject for () {
    fn into_object(self) -> Result<Option<ObjectRef>, FieldError> {
        Ok(None)
    }
}

impl IntoObject for ObjectRef {
    fn into_object(self) -> Result<Option<ObjectRef>, FieldError> {
        Ok(Some(self))
    }
}

impl<K: AsRef<str>, I: AsRef<str>> IntoObject for (K, I) {
    fn into_object(self) -> Result<Option<ObjectRef>, FieldError> {
        ObjectRef::new(self.0.as_ref(), self.1.as_ref()).map(Some)
    }
}
