//! `vestibule serve`.

use std::{
    io::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{App, HttpServer, web};
use tokio::signal::unix::{SignalKind, signal};
use vestibule_auth::backends::LocalBackend;
use vestibule_storage::{Kind, OpenError};

use super::{CliError, Global};
use crate::{
    compose::BuildError,
    config::{Settings, Sources, load},
    embed::Vestibule,
    routes::ops,
    telemetry::{Metrics, begin_logging},
};

/// Runs the server.
#[derive(clap::Args)]
pub(crate) struct ServeArgs {
    /// Where to listen, instead of `server.listen`
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

pub(super) fn run(global: &Global, args: &ServeArgs) -> Result<u8, CliError> {
    let loaded = load(&sources(global.judged_sources(), args))?;
    begin_logging(&loaded.settings.log)?;
    // Secrets are masked by the view itself.
    for setting in loaded.view() {
        tracing::info!(target: "vestibule::settings", key = setting.key, value = %setting.bare(), "setting");
    }
    let metrics = Metrics::begin()?;
    actix_web::rt::System::new().block_on(serve(loaded.settings, metrics))
}

fn sources(sources: Sources, args: &ServeArgs) -> Sources {
    match &args.listen {
        Some(address) => sources.with_flag("--listen", "server.listen", address.clone()),
        None => sources,
    }
}

async fn serve(settings: Settings, metrics: Metrics) -> Result<u8, CliError> {
    // An embedded database is nobody else's, so it is brought up to date; one that others may be
    // using as well is the operator's to migrate.
    let kind = vestibule_storage::kind(settings.storage.url.expose());
    let migrate = matches!(kind, Ok(Kind::Sqlite));
    let vestibule = build_when_reachable(settings, migrate).await?;
    let settings = &vestibule.site().settings;
    let (prefix, workers) = (settings.server.prefix.clone(), settings.server.workers);
    let timeout = settings.server.shutdown_timeout.as_secs();
    let app = vestibule.clone();
    let server = HttpServer::new(move || App::new().configure(app.mount(&prefix)))
        .workers(workers)
        .client_request_timeout(std::time::Duration::from_secs(10))
        .shutdown_timeout(timeout)
        .bind(settings.server.listen)
        .map_err(|error| cannot_listen("server.listen", settings.server.listen, &error))?;
    for address in server.addrs() {
        tracing::info!(%address, "listening");
    }
    let counting = match settings.server.metrics_listen {
        Some(address) => Some(serve_metrics(address, metrics)?),
        None => None,
    };
    let running = server.run();
    stop_at_hangup(running.handle())?;
    // It heeds signals from its first step on, and is to do so once its address is told.
    let running = actix_web::rt::spawn(running);
    tokio::task::yield_now().await;
    announce(&vestibule).await?;
    let served = running.await.map_err(std::io::Error::other).flatten();
    if let Some(counting) = counting {
        counting.stop(true).await;
    }
    vestibule.shut_down().await;
    tracing::info!("stopped");
    served?;
    Ok(0)
}

/// Builds the site; while its database cannot be reached, as when both start with the machine,
/// tries again for as long as the operator lets it, at growing intervals.
async fn build_when_reachable(settings: Settings, migrate: bool) -> Result<Vestibule, BuildError> {
    let (began, patience) = (Instant::now(), settings.storage.start_timeout);
    let mut pause = Duration::from_millis(250);
    loop {
        let builder = Vestibule::builder().settings(settings.clone()).migrate(migrate);
        // Who names no way to log in means the passwords that are kept here.
        let builder = if settings.backends.is_empty() {
            builder.backend(LocalBackend::default())
        } else {
            builder
        };
        match builder.build().await {
            Err(error @ BuildError::Open(OpenError::Unreachable { .. }))
                if began.elapsed() + pause < patience =>
            {
                tracing::warn!(%error, "waiting for the database");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
            built => return built,
        }
    }
}

/// Who started it at a terminal and closes that has it end as by the other signals, which the
/// server sees to itself.
fn stop_at_hangup(server: actix_web::dev::ServerHandle) -> Result<(), CliError> {
    let mut hangup = signal(SignalKind::hangup())?;
    actix_web::rt::spawn(async move {
        if hangup.recv().await.is_some() {
            tracing::info!("SIGHUP received; starting graceful shutdown");
            server.stop(true).await;
        }
    });
    Ok(())
}

fn serve_metrics(
    address: std::net::SocketAddr,
    metrics: Metrics,
) -> Result<actix_web::dev::ServerHandle, CliError> {
    let metrics = web::Data::from(Arc::new(metrics));
    let server = HttpServer::new(move || {
        App::new().app_data(metrics.clone()).route("/metrics", web::get().to(ops::metrics))
    })
    .workers(1)
    .disable_signals()
    .bind(address)
    .map_err(|error| cannot_listen("server.metrics_listen", address, &error))?
    .run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    Ok(handle)
}

fn cannot_listen(key: &str, address: std::net::SocketAddr, error: &std::io::Error) -> CliError {
    CliError::Failed(format!("{key}: cannot listen on {address}: {error}"))
}

/// Tells where the site is and, until there is a superuser, how to make the first.
async fn announce(vestibule: &Vestibule) -> Result<(), CliError> {
    let site = vestibule.site();
    let mut text = format!("{} is at {}\n", site.settings.site.name, site.url("/"));
    if let Some(link) = vestibule.first_superuser_link(site.prefix()).await? {
        text += "There is no superuser yet. Make the first one here, once, within a day:\n  ";
        text += &link;
        text.push('\n');
    }
    // Nobody has to listen for the server to serve.
    let mut out = std::io::stdout();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        tracing::warn!(%error, "the standard output takes nothing");
    }
    Ok(())
}
