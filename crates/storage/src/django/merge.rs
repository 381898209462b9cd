//! What a row that changed in Django does to an account that lives here: part by part, only what
//! changed there is taken, so that what was changed here stays.

use vestibule_core::{
    Timestamp,
    domain::user::{PersonName, User},
};

use super::{
    batch::ChangedUser,
    fingerprint::{Address, Fingerprint, Part},
};

/// The account as it is to be, and what that means.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Merged {
    pub(super) user: User,
    /// Take the password over too.
    pub(super) takes_password: bool,
    /// The password was changed there and here; the one here is kept.
    pub(super) password_conflict: bool,
    /// What the link is to remember.
    pub(super) after: Fingerprint,
}

/// Merges a changed row into the account.
pub(super) fn merge(current: &User, row: &ChangedUser) -> Merged {
    let (before, mut after, incoming) = (&row.before, row.after, &row.incoming);
    let mut user = current.clone();
    let changed = |part: Part| row.after.differs(before, part);
    if changed(Part::Flags) {
        let (active, staff, superuser) = before.flags();
        let new = |now: bool, before: bool, own: bool| if now == before { own } else { now };
        user.is_active = new(incoming.is_active, active, user.is_active);
        user.is_staff = new(incoming.is_staff, staff, user.is_staff);
        user.is_superuser = new(incoming.is_superuser, superuser, user.is_superuser);
    }
    if changed(Part::Username)
        && let Some(username) = &incoming.username
    {
        user.username = username.clone();
    }
    if changed(Part::Email)
        && let Address::There(email) = &incoming.email
        && user.email != *email
    {
        user.email.clone_from(email);
        user.email_verified = false;
    }
    if changed(Part::Names) {
        user.first_name = PersonName::from_stored(incoming.first_name.clone());
        user.last_name = PersonName::from_stored(incoming.last_name.clone());
    }
    if changed(Part::Times) {
        user.created_at = incoming.joined.unwrap_or(user.created_at);
        user.last_login_at = user.last_login_at.max(incoming.last_login);
    }
    let is_new_password = changed(Part::Password);
    let password_conflict = is_new_password && current.password_changed_at.is_some();
    if password_conflict {
        after.keep(Part::Password, before);
    }
    Merged { user, takes_password: is_new_password && !password_conflict, password_conflict, after }
}

/// Whether the account could administer before and cannot afterwards.
pub(super) fn loses_superuser(before: &User, after: &User, now: Timestamp) -> bool {
    let counts = |user: &User| user.is_superuser && user.is_live(now);
    counts(before) && !counts(after)
}

#[cfg(test)]
mod tests {
    use vestibule_core::{
        Email, Username,
        id::UserId,
        ports::{hasher::PasswordHash, imports::ImportLink},
    };

    use super::{super::fingerprint::Incoming, *};

    fn incoming() -> Incoming {
        Incoming {
            username: Some(Username::from_elsewhere("ada").unwrap()),
            email: Address::There(Some(Email::parse("ada@example.org").unwrap())),
            first_name: "Ada".to_owned(),
            last_name: String::new(),
            is_active: true,
            is_staff: false,
            is_superuser: false,
            joined: Some(Timestamp::from_micros(5)),
            last_login: Some(Timestamp::from_micros(100)),
            password: PasswordHash::from_stored("md5$a$b"),
        }
    }

    fn account() -> User {
        User {
            id: UserId::from_bytes([7; 16]),
            username: Username::from_elsewhere("ada").unwrap(),
            email: Some(Email::parse("ada@example.org").unwrap()),
            email_verified: true,
            first_name: PersonName::from_stored("Ada".to_owned()),
            last_name: PersonName::default(),
            is_active: true,
            is_staff: false,
            is_superuser: false,
            expires_at: None,
            created_at: Timestamp::from_micros(5),
            last_login_at: Some(Timestamp::from_micros(200)),
            password_changed_at: None,
        }
    }

    fn changed(change: impl FnOnce(&mut Incoming)) -> ChangedUser {
        let before = Fingerprint::of(&incoming(), None);
        let mut row = incoming();
        change(&mut row);
        ChangedUser {
            id: UserId::from_bytes([7; 16]),
            table: "auth_user".to_owned(),
            key: "1".to_owned(),
            after: Fingerprint::of(&row, Some(&before)),
            incoming: row,
            before,
            link: ImportLink {
                foreign_key: String::new(),
                local_id: [7; 16],
                fingerprint: before.0,
            },
        }
    }

    #[test]
    fn who_was_disabled_here_stays_so_when_something_else_changed_there() {
        let mut here = account();
        here.is_active = false;
        here.is_staff = true;
        let merged = merge(&here, &changed(|row| row.is_superuser = true));
        assert!(!merged.user.is_active);
        assert!(merged.user.is_staff);
        assert!(merged.user.is_superuser);
    }

    #[test]
    fn a_new_address_has_to_be_proven_anew_and_an_old_one_has_not() {
        let other = Email::parse("countess@example.org").unwrap();
        let merged =
            merge(&account(), &changed(|row| row.email = Address::There(Some(other.clone()))));
        assert_eq!(merged.user.email, Some(other));
        assert!(!merged.user.email_verified);
        let merged = merge(&account(), &changed(|row| "Augusta".clone_into(&mut row.first_name)));
        assert!(merged.user.email_verified);
        assert_eq!(merged.user.first_name.as_str(), "Augusta");
    }

    #[test]
    fn a_login_that_is_older_than_the_one_here_is_forgotten() {
        let earlier = Timestamp::from_micros(150);
        let merged = merge(&account(), &changed(|row| row.last_login = Some(earlier)));
        assert_eq!(merged.user, account());
        let later = Timestamp::from_micros(250);
        let merged = merge(&account(), &changed(|row| row.last_login = Some(later)));
        assert_eq!(merged.user.last_login_at, Some(later));
    }

    #[test]
    fn a_password_changed_here_is_kept_and_looked_at_again_next_time() {
        let row = changed(|row| row.password = PasswordHash::from_stored("md5$c$d"));
        let merged = merge(&account(), &row);
        assert!(merged.takes_password && !merged.password_conflict);
        assert_eq!(merged.after, row.after);
        let mut here = account();
        here.password_changed_at = Some(Timestamp::from_micros(1));
        let merged = merge(&here, &row);
        assert!(!merged.takes_password && merged.password_conflict);
        assert_eq!(merged.after, row.before);
    }

    #[test]
    fn disabling_a_superuser_is_losing_one() {
        let (now, mut before) = (Timestamp::from_micros(1000), account());
        before.is_superuser = true;
        let mut after = before.clone();
        after.is_active = false;
        assert!(loses_superuser(&before, &after, now));
        assert!(!loses_superuser(&after, &after, now));
        assert!(!loses_superuser(&before, &before, now));
    }
}
