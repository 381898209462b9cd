//! A site whose mail goes to a given server.

use std::{net::SocketAddr, path::PathBuf};

use actix_web::{App, HttpServer};
use vestibule_auth::hashing::{Scheme, hash_blocking};
use vestibule_benches::{Result, world};
use vestibule_core::{Secret, SystemEntropy};
use vestibule_server::{
    LocalBackend, Vestibule,
    config::{Settings, Sources},
};

/// Where it listens, where its mail goes, and how many people it knows.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    listen: SocketAddr,
    port: u16,
    database: PathBuf,
    users: usize,
}

pub(crate) fn run(arguments: Arguments) -> Result<()> {
    actix_web::rt::System::new().block_on(serve(arguments))
}

async fn serve(arguments: Arguments) -> Result<()> {
    let environment = [
        ("SITE__BASE_URL", format!("http://{}", arguments.listen)),
        ("STORAGE__URL", format!("sqlite:{}", arguments.database.display())),
        ("PASSWORD__SCHEME", "bcrypt".to_owned()),
        ("MAIL__TRANSPORT", "smtp".to_owned()),
        ("MAIL__HOST", "127.0.0.1".to_owned()),
        ("MAIL__PORT", arguments.port.to_string()),
        ("LIMITS__MAIL_PER_ADDRESS", "unlimited".to_owned()),
        ("LIMITS__MAIL_PER_SITE", "unlimited".to_owned()),
        // What the mail server says is not what this is about.
        ("LOG__FILTER", "off".to_owned()),
    ];
    let environment =
        environment.map(|(key, value)| (format!("VESTIBULE_{key}").into(), value.into()));
    let settings = Settings::load(&Sources::new(None, environment))?;
    let vestibule =
        Vestibule::builder().settings(settings).backend(LocalBackend::default()).build().await?;
    let password = hash_blocking(Scheme::BCRYPT, &Secret::new("unused"), None, &SystemEntropy)?;
    let store = &vestibule.site().services.store;
    world::settle(store, arguments.users, &password, 0).await?;
    HttpServer::new(move || App::new().configure(vestibule.mount("")))
        .workers(1)
        .bind(arguments.listen)?
        .run()
        .await?;
    Ok(())
}
