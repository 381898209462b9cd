//! What an operator tells about PAM.

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde::Deserialize;
use vestibule_core::ports::backend::{Section, SectionError};

use super::names::{Pattern, is_service};

/// The keys of a `[[backend]]` of the kind `pam`, as they hold.
pub(super) struct Settings {
    pub(super) service: String,
    pub(super) helper: Arc<Helper>,
    pub(super) timeout: Duration,
    pub(super) at_once: usize,
    pub(super) min_uid: u32,
    pub(super) allow: Vec<Pattern>,
    pub(super) deny: Vec<Pattern>,
    pub(super) subject: SubjectIs,
    pub(super) without_root: bool,
}

/// Where the helper is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Helper {
    /// A program, started for each question.
    Program {
        /// Where it lies.
        path: PathBuf,
        /// Where the service files lie, if not where the system has them.
        service_dir: Option<PathBuf>,
    },
    /// A socket; whoever listens there starts it for each connection.
    Socket(PathBuf),
}

/// By what a person is known for good.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum SubjectIs {
    /// The name: what people and directories go by. Numbers are given out again.
    #[default]
    Name,
    /// The number: stays when somebody is renamed.
    Uid,
}

#[derive(Deserialize)]
struct Keys {
    #[serde(default = "vestibule")]
    service: String,
    helper: Option<String>,
    #[serde(default = "eight_seconds")]
    timeout_seconds: f64,
    #[serde(default = "eight")]
    at_once: usize,
    #[serde(default = "thousand")]
    min_uid: u32,
    allow: Option<Vec<Pattern>>,
    #[serde(default)]
    deny: Vec<Pattern>,
    #[serde(default)]
    subject: SubjectIs,
    service_dir: Option<PathBuf>,
    #[serde(default)]
    without_root: bool,
}

fn vestibule() -> String {
    "vestibule".to_owned()
}

fn eight_seconds() -> f64 {
    8.0
}

fn eight() -> usize {
    8
}

fn thousand() -> u32 {
    1000
}

/// The host gives up after ten seconds; what it gave up on says less than what ended by itself.
const TIMEOUTS: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(9);

impl Settings {
    pub(super) fn read(section: Section) -> Result<Self, SectionError> {
        let keys: Keys = section.read()?;
        let refuse = |key, reason: &str| Err(SectionError::of_key(key, reason));
        if !is_service(&keys.service) {
            return refuse(
                "service",
                "expected a file name of small letters, digits, `-`, `_`, `.`",
            );
        }
        let timeout = Duration::try_from_secs_f64(keys.timeout_seconds);
        let Some(timeout) = timeout.ok().filter(|timeout| TIMEOUTS.contains(timeout)) else {
            return refuse("timeout_seconds", "expected from 0.1 to 9");
        };
        if !(1..=32).contains(&keys.at_once) {
            return refuse("at_once", "expected from 1 to 32");
        }
        let helper = match keys.helper.as_deref().map(|text| (text, text.strip_prefix("unix:"))) {
            Some((_, Some(_))) if keys.service_dir.is_some() => {
                let reason = "is the helper's own to know: --service-dir where it is started";
                return refuse("service_dir", reason);
            }
            Some((_, Some(socket))) => Helper::Socket(PathBuf::from(socket)),
            Some((program, None)) => {
                Helper::Program { path: PathBuf::from(program), service_dir: keys.service_dir }
            }
            None => Helper::Program { path: beside_us()?, service_dir: keys.service_dir },
        };
        let (Helper::Socket(path) | Helper::Program { path, .. }) = &helper;
        if !path.is_absolute() {
            return refuse("helper", "expected a path from the root, or unix: and such a path");
        }
        if let Helper::Program { service_dir: Some(folder), .. } = &helper
            && !folder.is_absolute()
        {
            return refuse("service_dir", "expected a path from the root");
        }
        Ok(Self {
            service: keys.service,
            helper: Arc::new(helper),
            timeout,
            at_once: keys.at_once,
            min_uid: keys.min_uid,
            allow: keys.allow.unwrap_or_else(|| vec![Pattern::everybody()]),
            deny: keys.deny,
            subject: keys.subject,
            without_root: keys.without_root,
        })
    }
}

/// `vestibule-pam-helper` in the folder of the program that runs.
fn beside_us() -> Result<PathBuf, SectionError> {
    let own = std::env::current_exe();
    let own = own.map_err(|_| SectionError::of_key("helper", "is missing"))?;
    Ok(own.with_file_name("vestibule-pam-helper"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_hold_is_refused_by_its_key() {
        let bad = [
            (json!({ "service": "../sshd" }), "service"),
            (json!({ "service": "Login" }), "service"),
            (json!({ "timeout_seconds": 10 }), "timeout_seconds"),
            (json!({ "timeout_seconds": -1 }), "timeout_seconds"),
            (json!({ "timeout": "8s" }), "timeout"),
            (json!({ "at_once": 0 }), "at_once"),
            (json!({ "at_once": 33 }), "at_once"),
            (json!({ "min_uid": -1 }), "min_uid"),
            (json!({ "helper": "helper" }), "helper"),
            (json!({ "helper": "unix:run/pam" }), "helper"),
            (json!({ "helper": "unix:/run/pam", "service_dir": "/srv" }), "service_dir"),
            (json!({ "service_dir": "pam.d" }), "service_dir"),
            (json!({ "subject": "gecos" }), "subject"),
            (json!({ "groups_of": 1 }), "groups_of"),
        ];
        for (keys, key) in bad {
            let error = Settings::read(Section::of(keys.clone())).err().expect("refused");
            assert_eq!(error.key.as_deref(), Some(key), "{keys}: {error}");
        }
    }

    #[test]
    fn without_any_key_it_is_what_most_want() {
        let settings = Settings::read(Section::default()).unwrap();
        assert_eq!(settings.service, "vestibule");
        assert_eq!((settings.timeout, settings.at_once), (Duration::from_secs(8), 8));
        assert_eq!((settings.min_uid, settings.subject), (1000, SubjectIs::Name));
        let Helper::Program { path, service_dir: None } = &*settings.helper else { panic!() };
        assert!(path.is_absolute() && path.ends_with("vestibule-pam-helper"), "{path:?}");
        assert!(settings.allow.iter().any(|pattern| pattern.matches("anybody")));
    }
}
