//! What a row of the route table says.

use actix_web::{Route, web};
use utoipa::{
    ToSchema,
    openapi::{RefOr, schema::Schema},
};

/// One operation.
pub struct Endpoint {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// Below `{prefix}`, with parameters in braces.
    pub path: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// Who may.
    pub guard: Guard,
    /// What the query string may hold.
    pub query: &'static [(&'static str, &'static str)],
    /// What the body holds.
    pub input: Option<Input>,
    /// The status of success and what its body holds.
    pub output: (u16, Option<Output>),
    /// The handler, as a route of its method.
    pub route: fn() -> Route,
}

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Anybody.
    Open,
    /// Whoever is logged in.
    LoggedIn,
    /// Whoever holds this permission as a whole, beside superusers.
    Permission(&'static str),
    /// Whoever is logged in, as far as their relation to the thing in the path goes; the
    /// permission opens it for all things.
    Related(&'static str),
}

/// A schema by its name, with all it refers to.
#[derive(Clone, Copy)]
pub struct SchemaOf {
    /// Its name in the document.
    pub name: fn() -> String,
    /// Adds it and what it refers to.
    pub collect: fn(&mut Vec<(String, RefOr<Schema>)>),
}

/// A body that goes in.
pub type Input = SchemaOf;

/// A body that comes out.
#[derive(Clone, Copy)]
pub enum Output {
    /// One.
    One(SchemaOf),
    /// A page of many.
    Page(SchemaOf),
    /// All of them.
    List(SchemaOf),
}

/// The schema of a wire type.
pub(crate) const fn of<T: ToSchema>() -> SchemaOf {
    SchemaOf {
        name: || T::name().into_owned(),
        collect: |into| {
            T::schemas(into);
            into.push((T::name().into_owned(), T::schema()));
        },
    }
}

/// Registers rows, path by path; other methods on a known path are answered 405.
pub(crate) fn register(endpoints: &'static [Endpoint], cfg: &mut web::ServiceConfig) {
    let mut paths: Vec<&str> = Vec::new();
    for endpoint in endpoints {
        if !paths.contains(&endpoint.path) {
            paths.push(endpoint.path);
        }
    }
    for path in paths {
        let mut resource = web::resource(path);
        for endpoint in endpoints.iter().filter(|endpoint| endpoint.path == path) {
            resource = resource.route((endpoint.route)());
        }
        cfg.service(resource.default_service(web::to(method_not_allowed)));
    }
}

async fn method_not_allowed() -> Result<actix_web::HttpResponse, crate::Problem> {
    let status = actix_web::http::StatusCode::METHOD_NOT_ALLOWED;
    Err(crate::Problem::new(status, "method_not_allowed", "this address takes other methods"))
}
