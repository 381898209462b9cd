//! What an import did, what it left out and why: for people and, by serde, for programs.

use std::fmt;

use serde::Serialize;

/// What an import did, or with `dry_run` would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Where it was read from: the address without credentials, as links remember it.
    pub source: String,
    /// The table that held the accounts.
    pub user_table: String,
    /// How many rows of each kind.
    pub counts: Counts,
    /// Every row that was not taken over just as it was, by table and key.
    pub entries: Vec<Entry>,
}

impl Report {
    /// Whether this run wrote anything but its own book-keeping.
    pub fn changed_anything(&self) -> bool {
        self.counts.all().iter().any(|(_, c)| c.new + c.changed > 0)
    }
}

/// How many rows of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Accounts.
    pub users: Count,
    /// Groups.
    pub groups: Count,
    /// Permissions.
    pub permissions: Count,
    /// Who is in which group.
    pub memberships: Count,
    /// Permissions of users and groups as a whole.
    pub grants: Count,
    /// Permissions on single objects, of django-guardian.
    pub object_grants: Count,
}

impl Counts {
    /// The counts with their names, in the order of the import.
    pub fn all(&self) -> [(&'static str, Count); 6] {
        [
            ("permissions", self.permissions),
            ("groups", self.groups),
            ("users", self.users),
            ("memberships", self.memberships),
            ("grants", self.grants),
            ("object grants", self.object_grants),
        ]
    }

    pub(super) fn of(&mut self, kind: Kind) -> &mut Count {
        match kind {
            Kind::Permissions => &mut self.permissions,
            Kind::Groups => &mut self.groups,
            Kind::Users => &mut self.users,
            Kind::Memberships => &mut self.memberships,
            Kind::Grants => &mut self.grants,
            Kind::ObjectGrants => &mut self.object_grants,
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        for kind in Kind::ALL {
            let (mut other, own) = (*other, self.of(kind));
            let more = other.of(kind);
            own.new += more.new;
            own.changed += more.changed;
            own.unchanged += more.unchanged;
            own.merged += more.merged;
            own.left_out += more.left_out;
            own.gone += more.gone;
        }
    }
}

/// How many rows of one kind. All but `gone` together are the rows that Django has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Taken over for the first time.
    pub new: u64,
    /// Taken over before, changed in Django since, and taken over again.
    pub changed: u64,
    /// As they were at the last import.
    pub unchanged: u64,
    /// Saying the same as an earlier row.
    pub merged: u64,
    /// Not taken over; the entries say why.
    pub left_out: u64,
    /// Taken over before and deleted in Django since; kept here.
    pub gone: u64,
}

/// The kinds of rows, in the order in which they are imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What can be allowed.
    Permissions,
    /// Groups.
    Groups,
    /// Accounts.
    Users,
    /// Who is in which group.
    Memberships,
    /// Permissions as a whole.
    Grants,
    /// Permissions on single objects.
    ObjectGrants,
}

impl Kind {
    pub(super) const ALL: [Self; 6] = [
        Self::Permissions,
        Self::Groups,
        Self::Users,
        Self::Memberships,
        Self::Grants,
        Self::ObjectGrants,
    ];

    /// What people call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Permissions => "permissions",
            Self::Groups => "groups",
            Self::Users => "users",
            Self::Memberships => "memberships",
            Self::Grants => "grants",
            Self::ObjectGrants => "object grants",
        }
    }
}

/// One row that was not taken over just as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The row's table in Django's database.
    pub table: String,
    /// Its primary key there; what is known of it where that is unreadable or gone.
    pub key: String,
    /// What it is about, for people: a name, `ada in beamline-1`. Unprintable characters are
    /// written as escapes, so that a report cannot deceive who reads it.
    pub subject: String,
    /// Why, as a stable word for programs.
    pub reason: Reason,
    /// Why, for people.
    pub message: String,
    /// What became of the row.
    pub action: Action,
}

impl Entry {
    pub(super) fn new(
        table: &str,
        key: &str,
        subject: &str,
        reason: Reason,
        message: impl Into<String>,
        action: Action,
    ) -> Self {
        Self {
            table: printable(table),
            key: printable(key),
            subject: printable(subject),
            reason,
            message: message.into(),
            action,
        }
    }
}

/// The most characters of a foreign value that a report repeats.
const SHOWN_CHARS: usize = 160;

/// Foreign text for a terminal: what cannot be seen is written as an escape.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (index, character) in text.chars().enumerate() {
        if index == SHOWN_CHARS {
            shown.push('…');
            break;
        }
        match character {
            '"' | '\'' | '\\' => shown.push(character),
            _ => shown.extend(character.escape_debug()),
        }
    }
    shown
}

/// Why a row was not taken over just as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// A needed value is NULL or empty.
    Missing,
    /// A value has another type than its column, or is not text at all.
    Unreadable,
    /// A value is longer than Django itself allows.
    TooLong,
    /// A name has characters that cannot be seen, or blanks at its ends.
    InvalidName,
    /// The login or group name differs from an earlier row's in case or compatibility forms only.
    NameCollides,
    /// An account or group here, which did not come from this site, has the name.
    NameTaken,
    /// The mail address is no address.
    EmailInvalid,
    /// An earlier row has the mail address.
    EmailCollides,
    /// Another account here has the mail address, or it is somebody else's login name.
    EmailTaken,
    /// The password hash is of a scheme that nobody knows: the person needs a new password.
    PasswordUnknown,
    /// The password was changed in Django and here since the last import.
    PasswordConflict,
    /// Taking the change over would leave nobody who may administer.
    LastSuperuser,
    /// Two models of one app have a permission of the same name; they are one here.
    PermissionMerged,
    /// Another service has registered the permission here.
    PermissionTaken,
    /// The permission's name is kept for Vestibule's own.
    PermissionReserved,
    /// The row refers to one that does not exist.
    Dangling,
    /// The row refers to one that was left out.
    RefersToLeftOut,
    /// The object's kind or id cannot be one.
    InvalidObject,
    /// The row was imported before and is no longer there.
    Gone,
    /// What was imported from the row has been deleted here since.
    DeletedHere,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// It was not imported.
    LeftOut,
    /// It was imported without the value.
    ImportedWithout,
    /// It was imported as it is; the person has to be given a new password.
    NeedsReset,
    /// What is here was kept.
    KeptOurs,
    /// It was counted as one with an earlier row.
    Merged,
}

impl Action {
    /// What people call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LeftOut => "left out",
            Self::ImportedWithout => "imported without it",
            Self::NeedsReset => "needs a new password",
            Self::KeptOurs => "kept as it is here",
            Self::Merged => "merged",
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "source: {} (accounts from {})", self.source, self.user_table)?;
        for (name, count) in self.counts.all() {
            write!(
                f,
                "{name}: {} new, {} changed, {} unchanged",
                count.new, count.changed, count.unchanged
            )?;
            for (number, what) in [
                (count.merged, "merged"),
                (count.left_out, "left out"),
                (count.gone, "gone from Django but kept"),
            ] {
                if number > 0 {
                    write!(f, ", {number} {what}")?;
                }
            }
            writeln!(f)?;
        }
        for entry in &self.entries {
            writeln!(f, "{entry}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.table, self.key)?;
        if !self.subject.is_empty() {
            write!(f, " ({})", self.subject)?;
        }
        write!(f, ": {}; {}", self.message, self.action.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_deceive_whoever_reads_a_report() {
        let shown = printable("ada\u{202E}nimda\u{200B}\u{1B}[2J\n");
        assert_eq!(shown, "ada\\u{202e}nimda\\u{200b}\\u{1b}[2J\\n");
        assert_eq!(printable("Zoë O'Brien 🔬"), "Zoë O'Brien 🔬");
        assert_eq!(printable(&"x".repeat(5000)).chars().count(), SHOWN_CHARS + 1);
    }

    #[test]
    fn programs_read_words_that_stay_the_same() {
        let entry = Entry::new(
            "auth_user",
            "7",
            "Ada",
            Reason::NameCollides,
            "differs from ada in case only",
            Action::LeftOut,
        );
        let json = serde_json::to_value(&entry).unwrap();
        assert_eq!(json["reason"], "name_collides");
        assert_eq!(json["action"], "left_out");
        assert_eq!(entry.to_string(), "auth_user 7 (Ada): differs from ada in case only; left out");
    }
}
