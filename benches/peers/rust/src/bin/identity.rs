//! actix-identity over an encrypted cookie, and a bare handler of the same build.
//! `identity ADDRESS`: `/login` sets the cookie, `/check` wants it.

use actix_identity::{Identity, IdentityMiddleware};
use actix_session::{SessionMiddleware, storage::CookieSessionStore};
use actix_web::{App, HttpMessage, HttpRequest, HttpResponse, HttpServer, cookie::Key, web};

async fn login(req: HttpRequest) -> actix_web::Result<HttpResponse> {
    Identity::login(&req.extensions(), "user0".to_owned())
        .map_err(actix_web::error::ErrorInternalServerError)?;
    Ok(HttpResponse::Ok().finish())
}

async fn check(identity: Identity) -> actix_web::Result<HttpResponse> {
    let user = identity.id().map_err(actix_web::error::ErrorInternalServerError)?;
    Ok(HttpResponse::Ok().insert_header(("X-User", user)).finish())
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_default();
    let key = Key::generate();
    HttpServer::new(move || {
        let sessions = SessionMiddleware::builder(CookieSessionStore::default(), key.clone())
            .cookie_secure(false)
            .build();
        App::new()
            .wrap(IdentityMiddleware::default())
            .wrap(sessions)
            .route("/login", web::get().to(login))
            .route("/check", web::get().to(check))
    })
    .workers(1)
    .bind(address)?
    .run()
    .await
}
