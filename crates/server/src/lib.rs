//! The web server: routes, extractors, guards, configuration, and the binary `vestibule`.
//!
//! A service that has an actix-web application of its own adds login, sessions, groups and
//! per-object permissions to it like this:
//!
//! ```no_run
//! use actix_web::{App, HttpServer, Responder, web};
//! use vestibule_server::{Access, CurrentUser, LocalBackend, Problem, Vestibule};
//!
//! #[actix_web::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let vestibule = Vestibule::builder()
//!         .storage("sqlite:site.db")
//!         .backend(LocalBackend::default())
//!         .permission("calc.view", "See calculations")
//!         .build()
//!         .await?;
//!     HttpServer::new(move || {
//!         App::new()
//!             .configure(vestibule.mount("/accounts"))
//!             .route("/calc/{id}", web::get().to(show_calc))
//!     })
//!     .bind("127.0.0.1:8080")?
//!     .run()
//!     .await?;
//!     Ok(())
//! }
//!
//! async fn show_calc(
//!     user: CurrentUser,
//!     access: Access,
//!     id: web::Path<String>,
//! ) -> Result<impl Responder, Problem> {
//!     access.require("calc.view", ("calc", id.as_str())).await?; // 401, 403 or 404 by itself
//!     Ok(format!("calculation {id} for {}", user.username()))
//! }
//! ```

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod again;
mod browser;
pub mod cli;
mod client;
mod compose;
pub mod config;
mod doorkeeper;
mod doors;
mod dto;
mod embed;
mod extract;
mod failures;
mod gate;
mod guard;
mod jobs;
mod mail;
mod office;
pub mod openapi;
mod pace;
mod pages;
mod problem;
mod rate_limit;
pub mod routes;
mod site;
pub mod telemetry;
mod unread;

pub use vestibule_auth::backends::LocalBackend;
pub use vestibule_core as core;

pub use crate::{
    compose::BuildError,
    doors::DoorsError,
    embed::{Builder, Vestibule},
    extract::{Access, CurrentUser, IntoObject, RequestCx},
    guard::{RequireLogin, RequirePermission},
    problem::Problem,
    site::{Services, Site},
};

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/writing-a-backend.md")]
struct WritingABackend;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/service-authors.md")]
struct ServiceAuthors;
