//! Under what things are counted that may happen so often within a time: failed logins, mails that
//! strangers ask for, what administrators are told.

use sha2::{Digest, Sha256};

use crate::{
    domain::identity::{BackendName, Subject},
    id::{RegistrationId, UserId},
};

/// What something is counted under: a digest, so that a password typed into the name field is not
/// kept readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CountKey([u8; 32]);

impl CountKey {
    fn new(what: &str, whose: impl AsRef<[u8]>) -> Self {
        Self(Sha256::new().chain_update(what).chain_update(whose).finalize().into())
    }

    /// Of failures of an account, by whichever of its names it was addressed.
    pub fn of_account(user: UserId) -> Self {
        Self::new("account", user.as_bytes())
    }

    /// Of failures of a name that belongs to nobody here.
    pub fn of_name(typed: &str) -> Self {
        Self::new("name", crate::Username::key_of(typed.trim()))
    }

    /// Of failures of a person whom a backend knows and who has no account here, by whatever name.
    pub fn of_person(backend: &BackendName, subject: &Subject) -> Self {
        Self::new("person", [backend.as_str(), subject.as_str()].join("\0"))
    }

    /// Of wrong guesses at the password that a registration waits with.
    pub fn of_registration(waiting: RegistrationId) -> Self {
        Self::new("registration", waiting.as_bytes())
    }

    /// Of the mails that strangers had sent to an address. `anna+one@` and `anna+two@` are most
    /// likely one mailbox, and count as one.
    pub fn of_mail_to(address: &crate::Email) -> Self {
        Self::new("mail to", mailbox(address))
    }

    /// Of those among them that only tell something, and lead nowhere.
    pub fn of_news_to(address: &crate::Email) -> Self {
        Self::new("news to", mailbox(address))
    }

    /// Of the addresses that somebody wanted to have instead of their own.
    pub fn of_changes_by(user: UserId) -> Self {
        Self::new("address of", user.as_bytes())
    }

    /// Of the mails that strangers had sent to anybody.
    pub fn of_all_mail() -> Self {
        Self::new("all mail", "")
    }

    /// Of the mails that were given up.
    pub fn of_given_up_mail() -> Self {
        Self::new("given up mail", "")
    }

    /// Of the logins of an account from browsers that are new to it.
    pub fn of_new_browser(user: UserId) -> Self {
        Self::new("new browser", user.as_bytes())
    }

    /// Of the accounts that administrators were told of.
    pub fn of_new_accounts() -> Self {
        Self::new("new accounts", "")
    }

    /// Of the logins of an account that failed and that administrators were told of.
    pub fn of_watched(user: UserId) -> Self {
        Self::new("watched", user.as_bytes())
    }

    /// Of the requests that failed at one place and were kept.
    pub fn of_kept_failures(place: &str) -> Self {
        Self::new("kept failures", place)
    }

    /// Of the reports that something failed at one place.
    pub fn of_error_report(place: &str) -> Self {
        Self::new("error report", place)
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What an address is counted as.
fn mailbox(address: &crate::Email) -> String {
    let (local, domain) = address.key().rsplit_once('@').unwrap_or((address.key(), ""));
    let name = local.split_once('+').map(|(name, _)| name).filter(|name| !name.is_empty());
    format!("{}@{domain}", name.unwrap_or(local))
}

#[cfg(test)]
mod tests {
    use super::CountKey;

    #[test]
    fn tags_behind_a_plus_are_one_mailbox() {
        let key = |address: &str| CountKey::of_mail_to(&crate::Email::parse(address).unwrap());
        assert_eq!(key("anna+one@example.org"), key("Anna+two+more@example.org"));
        assert_eq!(key("anna+one@example.org"), key("anna@example.org"));
        assert_ne!(key("+one@example.org"), key("+two@example.org"));
        assert_ne!(key("anna@example.org"), key("anna@other.example"));
        let known = crate::Email::parse("anna@example.org").unwrap();
        assert_ne!(CountKey::of_mail_to(&known), CountKey::of_news_to(&known));
    }

    #[test]
    fn a_name_is_not_readable_in_its_key() {
        let shown = format!("{:?}", CountKey::of_name("hunter2").as_bytes());
        let readable = format!("{:?}", b"hunter2");
        assert!(!shown.contains(readable.trim_matches(['[', ']'])));
    }
}
