//! A site whose mail goes to a given server.

use std::{net::SocketAddr, path::PathBuf};

use actix_web::{App, HttpResponse, HttpServer, error::ErrorInternalServerError, web};
use vestibule_benches::{Result, world};
use vestibule_core::{
    Email, domain::notice::Notice, ports::store::StoreError, usecase::post::Post,
};
use vestibule_server::{
    LocalBackend, Site, Vestibule,
    config::{Settings, Sources},
};

/// Where it listens, where its mail goes, and where it keeps it.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    listen: SocketAddr,
    port: u16,
    database: PathBuf,
}

pub(crate) fn run(arguments: Arguments) -> Result<()> {
    actix_web::rt::System::new().block_on(serve(arguments))
}

async fn serve(arguments: Arguments) -> Result<()> {
    let environment = [
        ("SITE__BASE_URL", format!("http://{}", arguments.listen)),
        ("STORAGE__URL", format!("sqlite:{}", arguments.database.display())),
        ("MAIL__TRANSPORT", "smtp".to_owned()),
        ("MAIL__HOST", "127.0.0.1".to_owned()),
        ("MAIL__PORT", arguments.port.to_string()),
        // What the mail server says is not what this is about.
        ("LOG__FILTER", "off".to_owned()),
    ];
    let environment =
        environment.map(|(key, value)| (format!("VESTIBULE_{key}").into(), value.into()));
    let settings = Settings::load(&Sources::new(None, environment))?;
    let vestibule =
        Vestibule::builder().settings(settings).backend(LocalBackend::default()).build().await?;
    HttpServer::new(move || {
        App::new().route("/tell/{name}", web::get().to(tell)).configure(vestibule.mount(""))
    })
    .workers(1)
    .bind(arguments.listen)?
    .run()
    .await?;
    Ok(())
}

/// A request that has somebody told something: a mail in its transaction, and nothing else.
///
/// Where strangers have mail sent every answer takes a quarter of a second, so that none tells
/// more than another; that would hide what is looked for here.
async fn tell(site: web::Data<Site>, name: web::Path<String>) -> actix_web::Result<HttpResponse> {
    let (cx, postbox) = (world::cx(), site.services.outbox.postbox().clone());
    let to = Email::from_stored(format!("{name}@example.org"));
    let told = site.services.store.write::<_, StoreError>(move |tx| {
        postbox.post(tx, &cx, Post::to(to.clone(), Notice::Test))?;
        Ok(())
    });
    told.await.map_err(ErrorInternalServerError)?;
    Ok(HttpResponse::Accepted().finish())
}
