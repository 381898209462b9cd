//! The composition root: the only file that names all adapters.

use std::sync::{Arc, OnceLock};

use vestibule_auth::{
    hashing::{HashPool, PoolError, PooledJudge, Scheme},
    passwords::{Blocklist, BlocklistError, MinLengthError, PasswordRules},
};
use vestibule_core::{
    Clock, Entropy, OpCx,
    domain::session::SessionLimits,
    ports::{
        backend::SectionError,
        hasher::{PasswordHash, PasswordHasher},
        store::{Store, StoreError},
    },
    usecase::{
        announcements::Announcements,
        audit::Audit,
        bootstrap::Bootstrap,
        check::Check,
        error::AdminError,
        error_report::ErrorReports,
        grants::Grants,
        groups::Groups,
        housekeeping::Housekeeping,
        invitations::{InvitationRules, Invitations},
        login::{Conversions, Door, Login},
        members::Members,
        news::Starts,
        notify::Notices,
        outbox::Outbox,
        password::Passwords,
        permissions::Permissions,
        post::{PostRules, Postbox},
        principal::Principals,
        programs::Programs,
        readdress::Readdressing,
        recovery::{Recovery, Ways},
        registration::{RegistrationRules, Registrations},
        session_token::TokenSeal,
        sessions::Sessions,
        sharing::Sharing,
        throttle::{FailureLimit, Throttle},
        users::Users,
    },
};
use vestibule_mail::transport::Transport;
use vestibule_storage::{MigrateError, OpenError, StoreOptions, migrate};

use crate::{
    client::TrustedProxies,
    config::{
        ConfigError, PasswordScheme, RateLimit, RegistrationMode, RegistrationSettings, Settings,
    },
    doors::DoorsError,
    extract::Turns,
    failures::Failures,
    mail::{Mailroom, MailroomError},
    office,
    pace::Refusals,
    pages::view::Views,
    rate_limit::RateLimits,
    site::{Services, Site},
};

/// What a site is made of beside its settings.
pub(crate) struct Parts {
    /// The database's URL, where it is not the settings'.
    pub(crate) storage: Option<String>,
    pub(crate) doors: Vec<Door>,
    /// How mail leaves the house, where it is not as the settings say.
    pub(crate) transport: Option<Box<dyn Transport>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) migrate: bool,
}

/// Why a site could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The configuration does not hold.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The backends do not make a way in.
    #[error(transparent)]
    Doors(#[from] DoorsError),
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database cannot be brought up to date.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The hashing threads cannot be started.
    #[error(transparent)]
    Hashing(#[from] PoolError),
    /// The operator's list of passwords cannot be read.
    #[error(transparent)]
    Blocklist(#[from] BlocklistError),
    /// New passwords could be shorter than any site may allow.
    #[error(transparent)]
    MinLength(#[from] MinLengthError),
    /// A permission that is registered does not hold.
    #[error("registering permissions: {0}")]
    Permissions(#[from] AdminError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Mail cannot be sent as the settings say.
    #[error(transparent)]
    Mail(#[from] MailroomError),
    /// The user office cannot be asked as the settings say.
    #[error("user_office.{0}")]
    Office(SectionError),
    /// A thread cannot be started.
    #[error("a thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// Puts a site together: opens the database, starts the hashing threads, wires the use cases.
pub(crate) async fn compose(settings: Settings, mut parts: Parts) -> Result<Site, BuildError> {
    let office = office::desk(&settings).map_err(BuildError::Office)?;
    let url = parts.storage.clone().unwrap_or_else(|| settings.storage.url.expose().to_owned());
    let options = store_options(&settings);
    let bring_up_to_date = parts.migrate;
    let store = tokio::task::spawn_blocking(move || {
        if bring_up_to_date {
            migrate(&url, &mut |_| {})?;
        }
        Ok::<_, BuildError>(vestibule_storage::open(&url, &options)?)
    })
    .await
    .map_err(std::io::Error::other)??;
    let store = store.into_store();
    let samples = store.read::<_, StoreError>(|tx| tx.user_password_samples()).await?;
    let pool = hasher(&settings, &parts, samples.clone())?;
    learn_costs(&pool, samples);
    let postbox = postbox(&settings)?;
    let mounted = Arc::new(OnceLock::new());
    let transport = parts.transport.take();
    let mail = Mailroom::new(&settings, transport, &mounted, &store, &postbox)?;
    let reports = ErrorReports::new(store.clone(), postbox.clone());
    let services = services(&settings, &parts, &store, pool, postbox).await?;
    let asks_elsewhere = services.login.asks_elsewhere();
    Ok(Site {
        services,
        mounted,
        mail,
        office,
        turns: Turns::default(),
        failures: Failures::new(reports, settings.mail.error_reports),
        views: Views::new(),
        proxies: TrustedProxies::new(settings.server.trusted_proxies.clone()),
        rates: RateLimits::new(&settings.limits),
        refusals: Refusals::new(asks_elsewhere),
        clock: parts.clock,
        entropy: parts.entropy,
        settings,
    })
}

/// How the configured database is to be worked with.
pub(crate) fn store_options(settings: &Settings) -> StoreOptions {
    let pool_size = usize::try_from(settings.storage.pool_size).unwrap_or(usize::MAX);
    StoreOptions { pool_size }
}

fn hasher(
    settings: &Settings,
    parts: &Parts,
    samples: Vec<PasswordHash>,
) -> Result<Arc<HashPool>, BuildError> {
    let password = &settings.password;
    let scheme = match password.scheme {
        PasswordScheme::Argon2id => Scheme::Argon2id {
            memory_kib: password.argon2_memory_kib,
            passes: password.argon2_passes,
        },
        PasswordScheme::Bcrypt => Scheme::Bcrypt { cost: password.bcrypt_cost },
    };
    let pool = HashPool::builder()
        .scheme(scheme)
        .threads(password.hash_threads)
        .queue(password.hash_queue)
        .pepper(password.pepper.clone())
        .upgrade(password.upgrade_hashes)
        .clock(Arc::clone(&parts.clock))
        .entropy(Arc::clone(&parts.entropy))
        .check_against(samples)
        .build()?;
    Ok(Arc::new(pool))
}

/// What all mail of the site has in common.
fn postbox(settings: &Settings) -> Result<Postbox, BuildError> {
    let (mail, limits) = (&settings.mail, &settings.limits);
    let domain = mail.from.domain().map_err(MailroomError::From)?;
    let admins = settings.site.admins.iter().map(|admin| admin.email().clone()).collect();
    Ok(Postbox::new(PostRules {
        domain: domain.into(),
        language: mail.language.as_str().into(),
        per_address: failure_limit(limits.mail_per_address),
        per_site: failure_limit(limits.mail_per_site),
        admins,
        news: mail.news.clone(),
    }))
}

fn password_rules(settings: &Settings) -> Result<PasswordRules, BuildError> {
    let blocklist = match &settings.password.blocklist_file {
        Some(file) => Blocklist::with_file(file)?,
        None => Blocklist::shipped_only(),
    };
    let rules = PasswordRules::default().with_min_length(settings.password.min_length)?;
    Ok(rules.with_site(&settings.site.name).with_blocklist(blocklist))
}

async fn services(
    settings: &Settings,
    parts: &Parts,
    store: &Store,
    pool: Arc<HashPool>,
    postbox: Postbox,
) -> Result<Services, BuildError> {
    let cx = OpCx::for_job("start", Arc::clone(&parts.clock), Arc::clone(&parts.entropy));
    let sealing = cx.clone();
    let seal = store.write::<_, StoreError>(move |tx| TokenSeal::load(tx, &sealing)).await?;
    let limits = SessionLimits {
        absolute: settings.session.cookie_age,
        idle: settings.session.idle_timeout,
        per_user: settings.session.max_per_user,
    };
    let principals = Principals::new(store, seal, limits);
    principals.sync(&*parts.clock).await?;
    let throttle = Throttle::new(failure_limit(settings.limits.login_failures_per_account));
    let judge = PooledJudge::new(Arc::clone(&pool), password_rules(settings)?);
    let hasher: Arc<dyn PasswordHasher> = pool;
    let passwords = Passwords::new(
        store.clone(),
        Arc::clone(&hasher),
        Arc::new(judge),
        Arc::clone(&throttle),
        postbox.clone(),
        &settings.site.name,
    );
    let bootstrap = Bootstrap::new(store.clone(), passwords.clone());
    bootstrap.prepare(&cx).await?;
    Ok(Services {
        login: Login::new(
            store.clone(),
            Arc::clone(&hasher),
            parts.doors.clone(),
            office::given_names(settings, &parts.doors),
            Arc::clone(&throttle),
            postbox.clone(),
        ),
        sessions: Sessions::new(
            store.clone(),
            Arc::clone(&principals),
            settings.session.tell_new_browsers.then(|| postbox.clone()),
        ),
        programs: Programs::new(store.clone(), Arc::clone(&principals), &*parts.entropy),
        conversions: Conversions::new(
            store.clone(),
            Arc::clone(&hasher),
            parts.doors.clone(),
            passwords.clone(),
            postbox.clone(),
        ),
        users: Users::new(store.clone(), passwords.clone(), postbox.clone(), ways(&parts.doors)),
        groups: Groups::new(store.clone()),
        members: Members::new(store.clone()),
        permissions: Permissions::new(store.clone()),
        grants: Grants::new(store.clone()),
        sharing: Sharing::new(store.clone()),
        check: Check::new(store.clone()),
        audit: Audit::new(store.clone()),
        recovery: Recovery::new(
            store.clone(),
            passwords.clone(),
            postbox.clone(),
            Arc::clone(&throttle),
            ways(&parts.doors),
        ),
        registrations: Registrations::new(
            store.clone(),
            passwords.clone(),
            postbox.clone(),
            registration_rules(&settings.registration),
        ),
        invitations: Invitations::new(
            store.clone(),
            passwords.clone(),
            postbox.clone(),
            invitation_rules(&settings.registration),
        ),
        readdressing: Readdressing::new(store.clone(), passwords.clone(), postbox.clone()),
        starts: Starts::new(store.clone(), postbox.clone()),
        notices: Notices::new(store.clone(), postbox.clone()),
        announcements: Announcements::new(store.clone(), postbox.clone()),
        outbox: Outbox::new(store.clone(), postbox),
        housekeeping: Housekeeping::new(store.clone(), Arc::clone(&principals), throttle),
        bootstrap,
        passwords,
        principals,
        store: store.clone(),
        hasher,
    })
}

/// Where the passwords are that people may forget.
fn ways(doors: &[Door]) -> Ways {
    let elsewhere = doors.iter().filter(|door| !door.is_local() && !door.only_entitles());
    let called = |door: &Door| door.label.clone().unwrap_or_else(|| door.name().to_string());
    Ways {
        has_local: doors.iter().any(Door::is_local),
        elsewhere: elsewhere.map(|door| (door.name().clone(), called(door))).collect(),
    }
}

fn registration_rules(settings: &RegistrationSettings) -> RegistrationRules {
    let rules = settings.clone();
    RegistrationRules {
        is_open: settings.mode == RegistrationMode::Open,
        life: settings.life,
        admits: Arc::new(move |email| rules.admits(email)),
        is_approved: settings.is_approved,
        policy: settings.policy_version.as_deref().map(Arc::from),
    }
}

fn invitation_rules(settings: &RegistrationSettings) -> InvitationRules {
    InvitationRules {
        is_open: settings.mode != RegistrationMode::Closed,
        life: settings.invitation_life,
        registration: registration_rules(settings),
    }
}

/// Has the pool learn, beside the logins, how long the slowest stored hash takes: until it has,
/// every login that is slower teaches it.
fn learn_costs(pool: &Arc<HashPool>, samples: Vec<PasswordHash>) {
    let pool = Arc::clone(pool);
    tokio::task::spawn(async move {
        if let Err(error) = pool.calibrate(&samples).await {
            tracing::info!(%error, "stored hashes were not measured");
        }
    });
}

fn failure_limit(rate: RateLimit) -> Option<FailureLimit> {
    match rate {
        RateLimit::Unlimited => None,
        RateLimit::Limited { events, window } => Some(FailureLimit { count: events.get(), window }),
    }
}
