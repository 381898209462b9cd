//! The plain pages: log in, log out, who am I, the first superuser.

mod account;
pub(crate) mod login;
pub(crate) mod next;
mod setup;
pub(crate) mod view;

use actix_web::{HttpResponse, web};

/// Registers the pages.
pub(crate) fn register(cfg: &mut web::ServiceConfig) {
    cfg.route("", web::get().to(account::show))
        .route("/", web::get().to(account::show))
        .route("/login", web::get().to(login::show))
        .route("/login", web::post().to(login::submit))
        .route("/logout", web::get().to(account::confirm_logout))
        .route("/logout", web::post().to(account::log_out))
        .route("/setup/{token}", web::get().to(setup::show))
        .route("/setup/{token}", web::post().to(setup::submit))
        .route("/static/vestibule.css", web::get().to(style));
}

async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header(("cache-control", "public, max-age=3600"))
        .body(include_str!("../assets/vestibule.css"))
}
