//! Under what failures, and mails that strangers ask for, are counted.

use sha2::{Digest, Sha256};

use crate::{
    domain::identity::{BackendName, Subject},
    id::{RegistrationId, UserId},
};

/// What failures are counted under: a digest, so that a password typed into the name field is not
/// kept readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FailureKey([u8; 32]);

impl FailureKey {
    /// Of an account, by whichever of its names it was addressed.
    pub fn of_account(user: UserId) -> Self {
        Self(Sha256::new().chain_update(b"account").chain_update(user.as_bytes()).finalize().into())
    }

    /// Of a name that belongs to nobody here.
    pub fn of_name(typed: &str) -> Self {
        let key = crate::Username::key_of(typed.trim());
        Self(Sha256::new().chain_update(b"name").chain_update(key).finalize().into())
    }

    /// Of a person whom a backend knows and who has no account here, by whatever name.
    pub fn of_person(backend: &BackendName, subject: &Subject) -> Self {
        let digest = Sha256::new().chain_update(b"person").chain_update(backend.as_str());
        Self(digest.chain_update([0]).chain_update(subject.as_str()).finalize().into())
    }

    /// Of the password that a registration waits with.
    pub fn of_registration(waiting: RegistrationId) -> Self {
        let key = Sha256::new().chain_update(b"registration").chain_update(waiting.as_bytes());
        Self(key.finalize().into())
    }

    /// Of the mails that strangers had sent to an address. `anna+one@` and `anna+two@` are most
    /// likely one mailbox, and count as one.
    pub fn of_mail_to(address: &crate::Email) -> Self {
        Self(of_mailbox(Sha256::new().chain_update(b"mail to"), address))
    }

    /// Of those among them that only tell something, and lead nowhere.
    pub fn of_news_to(address: &crate::Email) -> Self {
        Self(of_mailbox(Sha256::new().chain_update(b"news to"), address))
    }

    /// Of the addresses that somebody wanted to have instead of their own.
    pub fn of_changes_by(user: UserId) -> Self {
        let digest = Sha256::new().chain_update(b"address of");
        Self(digest.chain_update(user.as_bytes()).finalize().into())
    }

    /// Of the mails that strangers had sent to anybody.
    pub fn of_all_mail() -> Self {
        Self(Sha256::digest(b"all mail").into())
    }

    /// Of the mails that were given up.
    pub fn of_given_up_mail() -> Self {
        Self(Sha256::digest(b"given up mail").into())
    }

    /// Of the logins of an account from browsers that are new to it.
    pub fn of_new_browser(user: UserId) -> Self {
        let key = Sha256::new().chain_update(b"new browser").chain_update(user.as_bytes());
        Self(key.finalize().into())
    }

    /// Of the accounts that administrators were told of.
    pub fn of_new_accounts() -> Self {
        Self(Sha256::digest(b"new accounts").into())
    }

    /// Of the logins of an account that failed and that administrators were told of.
    pub fn of_watched(user: UserId) -> Self {
        let key = Sha256::new().chain_update(b"watched").chain_update(user.as_bytes());
        Self(key.finalize().into())
    }

    /// Of the requests that failed at one place and were kept.
    pub fn of_kept_failures(place: &str) -> Self {
        Self(Sha256::new().chain_update(b"kept failures").chain_update(place).finalize().into())
    }

    /// Of the reports that something failed at one place.
    pub fn of_error_report(place: &str) -> Self {
        Self(Sha256::new().chain_update(b"error report").chain_update(place).finalize().into())
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

fn of_mailbox(begun: Sha256, address: &crate::Email) -> [u8; 32] {
    let (local, domain) = address.key().rsplit_once('@').unwrap_or((address.key(), ""));
    let name = local.split_once('+').map(|(name, _)| name).filter(|name| !name.is_empty());
    begun
        .chain_update(name.unwrap_or(local))
        .chain_update(b"@")
        .chain_update(domain)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::FailureKey;

    #[test]
    fn tags_behind_a_plus_are_one_mailbox() {
        let key = |address: &str| FailureKey::of_mail_to(&crate::Email::parse(address).unwrap());
        assert_eq!(key("anna+one@example.org"), key("Anna+two+more@example.org"));
        assert_eq!(key("anna+one@example.org"), key("anna@example.org"));
        assert_ne!(key("+one@example.org"), key("+two@example.org"));
        assert_ne!(key("anna@example.org"), key("anna@other.example"));
        let known = crate::Email::parse("anna@example.org").unwrap();
        assert_ne!(FailureKey::of_mail_to(&known), FailureKey::of_news_to(&known));
    }

    #[test]
    fn a_name_is_not_readable_in_its_key() {
        let shown = format!("{:?}", FailureKey::of_name("hunter2").as_bytes());
        let readable = format!("{:?}", b"hunter2");
        assert!(!shown.contains(readable.trim_matches(['[', ']'])));
    }
}
