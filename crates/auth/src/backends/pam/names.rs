//! What can be the name of a Unix account or of a PAM service.

use serde::Deserialize;

/// The longest name that is asked about, in bytes.
pub const LONGEST_NAME: usize = 256;

/// The longest password that PAM takes, in bytes (`PAM_MAX_RESP_SIZE`, with its last zero).
pub const LONGEST_PASSWORD: usize = 511;

/// Whether this may be handed to PAM as the name of somebody. Modules make paths, command lines
/// and log lines of names; what could be more than a name there is none here.
///
/// ```
/// use vestibule_auth::backends::pam::is_name;
/// assert!(is_name("anna.b-2") && is_name("FACILITY\\anna") && is_name("anna@facility.org"));
/// assert!(!is_name("-rf") && !is_name("../anna") && !is_name("an na") && !is_name(""));
/// ```
pub fn is_name(text: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || "_.-@$+\\".contains(c);
    (1..=LONGEST_NAME).contains(&text.len())
        && !text.starts_with(['-', '+'])
        && text.chars().all(is_inner)
        && !text.split('\\').any(|part| part == "." || part == "..")
}

/// Whether this may be the name of a PAM service: a file name that means the same folded to small
/// letters, as libpam does it.
pub fn is_service(text: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c);
    (1..=64).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.chars().all(is_inner)
}

/// Some names: `*` stands for any letters, everything else for itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub(super) struct Pattern(String);

impl Pattern {
    pub(super) fn everybody() -> Self {
        Self("*".to_owned())
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
            return false;
        };
        let mut parts = parts.peekable();
        if parts.peek().is_none() {
            return rest.is_empty();
        }
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return rest.ends_with(part);
            }
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, is_service};

    #[test]
    fn a_pattern_matches_whole_names() {
        let matches = |pattern: &str, name| Pattern(pattern.to_owned()).matches(name);
        for (pattern, name) in [
            ("anna", "anna"),
            ("*", ""),
            ("x*", "xenia"),
            ("*-test", "a-test"),
            ("a*b*c", "a1b2bc"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("anna", "annab"),
            ("anna", "ann"),
            ("x*", "axel"),
            ("*-test", "a-test2"),
            ("ab*b", "ab"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_service_is_a_file_name_in_small_letters() {
        assert!(is_service("vestibule") && is_service("vestibule-2.test"));
        for bad in ["", "Vestibule", "../sshd", "/etc/passwd", ".hidden", "-x", "a b", "a\0"] {
            assert!(!is_service(bad), "{bad}");
        }
    }
}
