//! How a foreign row looked when it was last taken over, in 32 bytes, part by part: so that a
//! later run takes over only what changed there and leaves alone what was changed here.

use sha2::{Digest, Sha256};
use vestibule_core::{Email, Timestamp, Username, ports::hasher::PasswordHash};

/// Stands first in every fingerprint; another layout has another number.
const LAYOUT: u8 = 1;

/// The mail address of a row.
#[derive(Clone, Debug)]
pub(super) enum Address {
    /// What the row says, or none.
    There(Option<Email>),
    /// It cannot be taken by this account, which keeps the one it has, or has none.
    Ours,
}

/// What came with a user's row, cleaned of what cannot be taken.
#[derive(Clone, Debug)]
pub(super) struct Incoming {
    /// `None`: the name cannot be taken by this account, which keeps the one it has.
    pub(super) username: Option<Username>,
    pub(super) email: Address,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) is_active: bool,
    pub(super) is_staff: bool,
    pub(super) is_superuser: bool,
    pub(super) joined: Option<Timestamp>,
    pub(super) last_login: Option<Timestamp>,
    pub(super) password: PasswordHash,
}

/// A user row's fingerprint.
///
/// | bytes | part |
/// |---|---|
/// | 0 | layout |
/// | 1 | flags as they are: active 1, staff 2, superuser 4 |
/// | 2–6 | login name |
/// | 7–11 | mail address |
/// | 12–16 | given and family name |
/// | 17–21 | when it joined and last logged in |
/// | 22–31 | password hash |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint(pub(super) [u8; 32]);

/// A part of a user's row that is taken over as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Flags,
    Username,
    Email,
    Names,
    Times,
    Password,
}

impl Part {
    const fn bytes(self) -> std::ops::Range<usize> {
        match self {
            Self::Flags => 1..2,
            Self::Username => 2..7,
            Self::Email => 7..12,
            Self::Names => 12..17,
            Self::Times => 17..22,
            Self::Password => 22..32,
        }
    }
}

impl Fingerprint {
    /// Of a user's row; `before` gives the parts that are not taken over this time.
    pub(super) fn of(user: &Incoming, before: Option<&Self>) -> Self {
        let mut print = Self([0; 32]);
        print.0[0] = LAYOUT;
        print.set(Part::Flags, &[flags(user.is_active, user.is_staff, user.is_superuser)]);
        match (&user.username, before) {
            (Some(name), _) => print.digest(Part::Username, &[name.as_str().as_bytes()]),
            (None, Some(before)) => print.keep(Part::Username, before),
            (None, None) => {}
        }
        match (&user.email, before) {
            (Address::There(email), _) => {
                let email = email.as_ref().map_or("", Email::as_str);
                print.digest(Part::Email, &[email.as_bytes()]);
            }
            (Address::Ours, Some(before)) => print.keep(Part::Email, before),
            (Address::Ours, None) => {}
        }
        print.digest(Part::Names, &[user.first_name.as_bytes(), user.last_name.as_bytes()]);
        let micros = |time: Option<Timestamp>| time.map_or(i64::MIN, Timestamp::as_micros);
        print.digest(
            Part::Times,
            &[&micros(user.joined).to_be_bytes(), &micros(user.last_login).to_be_bytes()],
        );
        print.digest(Part::Password, &[user.password.expose().as_bytes()]);
        print
    }

    /// Whether this part is another than before.
    pub(super) fn differs(&self, before: &Self, part: Part) -> bool {
        self.part(part) != before.part(part)
    }

    /// Takes a part back, so that the next run looks at it again.
    pub(super) fn keep(&mut self, part: Part, before: &Self) {
        self.set(part, before.part(part));
    }

    /// The flags active, staff and superuser as they were.
    pub(super) fn flags(&self) -> (bool, bool, bool) {
        let flags = self.0[1];
        (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0)
    }

    fn part(&self, part: Part) -> &[u8] {
        &self.0[part.bytes()]
    }

    fn set(&mut self, part: Part, bytes: &[u8]) {
        self.0[part.bytes()].copy_from_slice(bytes);
    }

    fn digest(&mut self, part: Part, fields: &[&[u8]]) {
        let digest = digest(fields);
        let length = part.bytes().len();
        self.set(part, &digest[..length]);
    }
}

fn flags(active: bool, staff: bool, superuser: bool) -> u8 {
    u8::from(active) | u8::from(staff) << 1 | u8::from(superuser) << 2
}

/// Of a row that is taken over as a whole.
pub(super) fn of_fields(fields: &[&str]) -> [u8; 32] {
    let fields: Vec<_> = fields.iter().map(|field| field.as_bytes()).collect();
    let mut print = digest(&fields);
    print[0] = LAYOUT;
    print
}

/// SHA-256 (FIPS 180-4) over the fields, each with its length before it.
fn digest(fields: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for field in fields {
        hasher.update((field.len() as u64).to_be_bytes());
        hasher.update(field);
    }
    hasher.finalize().into()
}

/// The most bytes of a foreign key that are kept as they are.
const MAX_KEY_BYTES: usize = 120;

/// A key that fits its column: long ones are replaced by their digest.
pub(super) fn fitted(key: String) -> String {
    use std::fmt::Write as _;
    if key.len() <= MAX_KEY_BYTES {
        return key;
    }
    let mut short = "sha256:".to_owned();
    for byte in digest(&[key.as_bytes()]) {
        let _ = write!(short, "{byte:02x}");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming() -> Incoming {
        Incoming {
            username: Some(Username::from_elsewhere("ada").unwrap()),
            email: Address::There(None),
            first_name: "Ada".to_owned(),
            last_name: "Lovelace".to_owned(),
            is_active: true,
            is_staff: true,
            is_superuser: false,
            joined: None,
            last_login: None,
            password: PasswordHash::unusable(),
        }
    }

    const ALL: [Part; 6] =
        [Part::Flags, Part::Username, Part::Email, Part::Names, Part::Times, Part::Password];

    #[test]
    fn a_change_shows_in_its_part_and_in_no_other() {
        type Change = fn(&mut Incoming);
        let before = Fingerprint::of(&incoming(), None);
        let changes: [(Part, Change); 8] = [
            (Part::Flags, |row| row.is_superuser = true),
            (Part::Flags, |row| row.is_active = false),
            (Part::Username, |row| {
                row.username = Some(Username::from_elsewhere("Ada").unwrap());
            }),
            (Part::Email, |row| {
                row.email = Address::There(Some(Email::parse("ada@example.org").unwrap()));
            }),
            (Part::Names, |row| "Adal".clone_into(&mut row.first_name)),
            (Part::Times, |row| row.joined = Some(Timestamp::from_micros(0))),
            (Part::Times, |row| row.last_login = Some(Timestamp::from_micros(0))),
            (Part::Password, |row| row.password = PasswordHash::from_stored("md5$a$b")),
        ];
        for (changed, change) in changes {
            let mut row = incoming();
            change(&mut row);
            let after = Fingerprint::of(&row, None);
            for part in ALL {
                assert_eq!(after.differs(&before, part), part == changed, "{part:?}");
            }
        }
    }

    #[test]
    fn a_name_and_an_address_that_cannot_be_taken_leave_their_parts_as_they_were() {
        let before = Fingerprint::of(&incoming(), None);
        let row = Incoming { username: None, email: Address::Ours, ..incoming() };
        assert_eq!(Fingerprint::of(&row, Some(&before)), before);
    }

    #[test]
    fn moving_a_letter_from_one_field_to_the_next_is_a_change() {
        assert_ne!(of_fields(&["ab", "c"]), of_fields(&["a", "bc"]));
    }

    #[test]
    fn long_keys_become_short_and_stay_different() {
        let (one, two) = ("x".repeat(500), format!("{}y", "x".repeat(499)));
        assert_eq!(fitted("7/9".to_owned()), "7/9");
        assert!(fitted(one.clone()).len() <= MAX_KEY_BYTES);
        assert_ne!(fitted(one), fitted(two));
    }
}
