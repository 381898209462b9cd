//! The configuration: `vestibule.toml`, the environment and flags, made into [`Settings`].
//!
//! Every key stands in one table ([`reference::KEYS`]) with its form, range, default and meaning;
//! `docs/settings.md` is that table in print. A key that nothing reads is unknown, a value that
//! does not fit is refused, and the [`ConfigError`] lists all that is wrong with its place, key
//! and reason.
//!
//! ```
//! use vestibule_server::config::{Settings, Sources};
//!
//! let environment = [("VESTIBULE_SESSION__COOKIE_AGE".into(), "8h".into())];
//! let settings = Settings::load(&Sources::new(None, environment))?;
//! assert_eq!(settings.session.cookie_age.as_secs(), 8 * 3600);
//!
//! let environment = [("VESTIBULE_SESSION__COOKIE_AGE".into(), "8 hours".into())];
//! let error = Settings::load(&Sources::new(None, environment)).unwrap_err();
//! assert_eq!(error.problems[0].key.as_deref(), Some("session.cookie_age"));
//! # Ok::<(), vestibule_server::config::ConfigError>(())
//! ```

pub mod backend;
mod check;
mod document;
pub mod duration;
pub mod edit;
mod given;
mod keys;
pub mod kind;
pub mod limits;
pub mod load;
pub mod log;
pub mod mail;
pub mod password;
pub mod rate;
mod raw;
pub mod reference;
pub mod registration;
mod replace;
pub mod report;
mod secret_files;
pub mod server;
pub mod session;
pub mod site;
pub mod size;
pub mod storage;
mod suggest;
pub mod user_office;
mod view;

#[cfg(test)]
mod tests;

pub use self::{
    backend::BackendSettings,
    edit::EditError,
    limits::LimitsSettings,
    load::{FlagValue, Loaded, Sources, load},
    log::{LogFormat, LogSettings},
    mail::{MailSettings, MailTransport},
    password::{PasswordScheme, PasswordSettings},
    rate::RateLimit,
    registration::{RegistrationMode, RegistrationSettings},
    report::{ConfigError, Origin, Problem},
    server::ServerSettings,
    session::SessionSettings,
    site::{BaseUrl, SiteSettings},
    storage::{StorageSettings, StorageUrl},
    user_office::UserOfficeSettings,
    view::Setting,
};

/// All settings, validated, with every default filled in and every secret read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What the site is called and where it is found.
    pub site: SiteSettings,
    /// Where it listens, whom it believes, how it stops.
    pub server: ServerSettings,
    /// Which database.
    pub storage: StorageSettings,
    /// How long a login lasts.
    pub session: SessionSettings,
    /// How passwords are judged and hashed.
    pub password: PasswordSettings,
    /// Who may make an account for themselves.
    pub registration: RegistrationSettings,
    /// How often and how much.
    pub limits: LimitsSettings,
    /// The ways to log in, in their order; none means passwords that are kept here.
    pub backends: Vec<BackendSettings>,
    /// The user office that one of them may ask.
    pub user_office: UserOfficeSettings,
    /// How mail leaves the house.
    pub mail: MailSettings,
    /// What is written about the work.
    pub log: LogSettings,
}

impl Settings {
    /// Reads the settings from their sources; the error lists all that does not hold.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        load(sources).map(|loaded| loaded.settings)
    }
}
