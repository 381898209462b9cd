//! A small service for calculations that gains accounts; see the README beside it.

#![expect(clippy::print_stderr, reason = "a program that tells its user something")]

use actix_web::{App, HttpServer, Responder, web};
use vestibule_server::core::domain::level::Action;
use vestibule_server::{Access, CurrentUser, LocalBackend, Problem, RequireLogin, Vestibule};

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let vestibule = Vestibule::builder()
        .storage("sqlite:site.db")
        .backend(LocalBackend::default())
        .object_permission("calc.view", "See calculations", "calc", Action::View)
        .build()
        .await?;
    if let Some(link) = vestibule.first_superuser_link("/accounts").await? {
        eprintln!("make the first superuser: {link}");
    }
    HttpServer::new(move || {
        App::new()
            .configure(vestibule.mount("/accounts"))
            .route("/calc/{id}", web::get().to(show_calc))
            .service(web::resource("/inside").wrap(RequireLogin).to(async || "inside\n"))
    })
    .bind(("127.0.0.1", 8080))?
    .run()
    .await?;
    Ok(())
}

async fn show_calc(
    user: CurrentUser,
    access: Access,
    id: web::Path<String>,
) -> Result<impl Responder, Problem> {
    access.require("calc.view", ("calc", id.as_str())).await?; // 401, 403 or 404 by itself
    Ok(format!("calculation {id}, for {}\n", user.username()))
}
