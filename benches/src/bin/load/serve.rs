//! The measured servers: a bare handler, a session check written out by hand, and ours.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, http::header, web};
use clap::ValueEnum;
use sha2::{Digest, Sha256};
use vestibule_auth::hashing::{Scheme, hash_blocking};
use vestibule_benches::{Result, world};
use vestibule_core::{Secret, SystemEntropy, usecase::principal::sole_cookie};
use vestibule_server::{
    Access, CurrentUser, LocalBackend, Problem, RequirePermission, Site, Vestibule,
    config::{Settings, Sources},
};

/// The password of everybody on our site.
pub(crate) const PASSWORD: &str = "drawn-otter-lamp-27";
/// Below which path our site is mounted.
pub(crate) const PREFIX: &str = "/accounts";

/// Which server, where, and how it is filled.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    kind: Kind,
    #[arg(long)]
    listen: SocketAddr,
    /// Where the tokens of the open sessions are written, one a line
    #[arg(long, default_value = "/dev/null")]
    tokens: PathBuf,
    #[arg(long, default_value = "bench.db")]
    database: PathBuf,
    #[arg(long, default_value_t = 0)]
    users: usize,
    #[arg(long, default_value_t = 0)]
    sessions: usize,
    #[arg(long, default_value_t = 1)]
    workers: usize,
    #[arg(long, default_value_t = 1)]
    hash_threads: usize,
    #[arg(long, default_value_t = 256)]
    hash_queue: usize,
}

/// What there is to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// An empty answer
    Bare,
    /// Cookie, SHA-256, a map, a bit: as little as a session check can be
    ByHand,
    /// Ours, within an application of its own
    Vestibule,
}

pub(crate) fn run(arguments: Arguments) -> Result<()> {
    actix_web::rt::System::new().block_on(async {
        match arguments.kind {
            Kind::Bare => bare(arguments).await,
            Kind::ByHand => by_hand(arguments).await,
            Kind::Vestibule => vestibule(arguments).await,
        }
    })
}

async fn bare(arguments: Arguments) -> Result<()> {
    HttpServer::new(|| App::new().route("/", web::get().to(HttpResponse::Ok)))
        .workers(arguments.workers)
        .bind(arguments.listen)?
        .run()
        .await?;
    Ok(())
}

/// A session as the check written by hand knows it.
struct Known {
    username: String,
    expires_at: std::time::Instant,
    permissions: [u64; 16],
}

type Sessions = papaya::HashMap<[u8; 32], Arc<Known>>;

async fn by_hand(arguments: Arguments) -> Result<()> {
    let sessions = Sessions::new();
    let mut tokens = String::new();
    let expires_at = std::time::Instant::now() + std::time::Duration::from_hours(24);
    for number in 0..arguments.sessions {
        let token = format!("{number:064}");
        let known =
            Known { username: world::username(number), expires_at, permissions: [u64::MAX; 16] };
        let digest = Sha256::digest(&token).into();
        sessions.pin().insert(digest, Arc::new(known));
        tokens += &token;
        tokens.push('\n');
    }
    std::fs::write(&arguments.tokens, tokens)?;
    let sessions = web::Data::new(sessions);
    HttpServer::new(move || {
        App::new().app_data(sessions.clone()).route("/check", web::get().to(check_by_hand))
    })
    .workers(arguments.workers)
    .bind(arguments.listen)?
    .run()
    .await?;
    Ok(())
}

async fn check_by_hand(req: HttpRequest, sessions: web::Data<Sessions>) -> HttpResponse {
    let headers = req.headers().get_all(header::COOKIE);
    let Some(token) = sole_cookie(headers.map(header::HeaderValue::as_bytes), "vestibule") else {
        return HttpResponse::Unauthorized().finish();
    };
    let digest: [u8; 32] = Sha256::digest(token).into();
    let known = sessions.pin().get(&digest).cloned();
    match known {
        Some(known)
            if std::time::Instant::now() < known.expires_at && known.permissions[3] & 2 == 2 =>
        {
            HttpResponse::Ok().insert_header(("X-User", known.username.as_str())).finish()
        }
        _ => HttpResponse::Unauthorized().finish(),
    }
}

async fn vestibule(arguments: Arguments) -> Result<()> {
    let vestibule = Vestibule::builder()
        .settings(settings(&arguments)?)
        .backend(LocalBackend::default())
        .build()
        .await?;
    fill(&vestibule, &arguments).await?;
    HttpServer::new(move || {
        App::new()
            .configure(vestibule.mount(PREFIX))
            .route("/check", web::get().to(check))
            .route("/access", web::get().to(access))
            .route("/forget", web::get().to(forget))
            .service(
                web::scope("/walled")
                    .wrap(RequirePermission::new(world::PERMISSION))
                    .route("", web::get().to(HttpResponse::Ok)),
            )
    })
    .workers(arguments.workers)
    .bind(arguments.listen)?
    .run()
    .await?;
    Ok(())
}

fn settings(arguments: &Arguments) -> Result<Settings> {
    let environment = [
        ("SITE__BASE_URL", format!("http://{}", arguments.listen)),
        ("STORAGE__URL", format!("sqlite:{}", arguments.database.display())),
        ("PASSWORD__SCHEME", "bcrypt".to_owned()),
        ("PASSWORD__HASH_THREADS", arguments.hash_threads.to_string()),
        ("PASSWORD__HASH_QUEUE", arguments.hash_queue.to_string()),
        // All load comes from one address.
        ("LIMITS__LOGIN_PER_ADDRESS", "unlimited".to_owned()),
        ("LIMITS__LOGIN_FAILURES_PER_ACCOUNT", "unlimited".to_owned()),
    ];
    let environment =
        environment.map(|(key, value)| (format!("VESTIBULE_{key}").into(), value.into()));
    Ok(Settings::load(&Sources::new(None, environment))?)
}

async fn fill(vestibule: &Vestibule, arguments: &Arguments) -> Result<()> {
    let services = &vestibule.site().services;
    let password = hash_blocking(Scheme::BCRYPT, &Secret::new(PASSWORD), None, &SystemEntropy)?;
    let users = world::settle(&services.store, arguments.users, &password, 1000).await?;
    let seal = services.principals.seal();
    let tokens = world::open_sessions(&services.store, seal, &users, arguments.sessions).await?;
    std::fs::write(&arguments.tokens, tokens.join("\n"))?;
    Ok(())
}

async fn check(user: CurrentUser) -> HttpResponse {
    if user.has(world::PERMISSION) {
        HttpResponse::Ok().insert_header(("X-User", user.username())).finish()
    } else {
        HttpResponse::Forbidden().finish()
    }
}

async fn access(access: Access) -> Result<HttpResponse, Problem> {
    access.require(world::PERMISSION, ()).await?;
    Ok(HttpResponse::Ok().finish())
}

/// Has the next check of each session find nothing remembered.
async fn forget(site: web::Data<Site>) -> HttpResponse {
    let principals = &site.services.principals;
    principals.tidy(site.clock.now(), std::time::Duration::ZERO);
    HttpResponse::Ok().finish()
}
