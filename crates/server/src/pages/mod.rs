//! The plain pages: log in and out, who am I, accounts and what is done by mailed links, the first
//! superuser.

mod account;
mod activate;
mod email;
mod invitation;
mod link;
pub(crate) mod login;
pub(crate) mod next;
mod password;
mod register;
mod setup;
pub(crate) mod view;

use actix_web::{HttpResponse, http::StatusCode, web};

use crate::{routes::look, site::Site};

/// Registers the pages.
pub(crate) fn register(cfg: &mut web::ServiceConfig) {
    cfg.route("", look().to(account::show))
        .route("/", look().to(account::show))
        .route("/login", look().to(login::show))
        .route("/login", web::post().to(login::submit))
        .route("/logout", look().to(account::confirm_logout))
        .route("/logout", web::post().to(account::log_out))
        .route("/setup/{token}", look().to(setup::show))
        .route("/setup/{token}", web::post().to(setup::submit))
        .route("/password/forgot", look().to(password::ask))
        .route("/password/forgot", web::post().to(password::asked))
        .route("/password/reset", look().to(password::show))
        .route("/password/reset", web::post().to(password::submit))
        .route("/password/reset/{token}", look().to(password::open))
        .route("/activate", look().to(activate::show))
        .route("/activate", web::post().to(activate::submit))
        .route("/activate/{token}", look().to(activate::open))
        .route("/activate/again", web::post().to(activate::again))
        .route("/register", look().to(register::show))
        .route("/register", web::post().to(register::submit))
        .route("/invitation", look().to(invitation::show))
        .route("/invitation", web::post().to(invitation::accept))
        .route("/invitation/join", web::post().to(invitation::join))
        .route("/invitation/decline", web::post().to(invitation::decline))
        .route("/invitation/{token}", look().to(invitation::open))
        .route("/email/confirm", look().to(email::show))
        .route("/email/confirm", web::post().to(email::submit))
        .route("/email/confirm/{token}", look().to(email::open))
        .route("/static/vestibule.css", look().to(style));
}

/// For a browser that goes to an address where there is nothing.
pub(crate) fn nothing_here(site: &Site) -> HttpResponse {
    let text = "There is no page at this address.";
    view::message(site, StatusCode::NOT_FOUND, "Not found", text)
}

async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header(("cache-control", "public, max-age=3600"))
        .body(include_str!("../assets/vestibule.css"))
}
