//! Accounts.

use std::collections::{HashMap, HashSet};

use vestibule_core::{
    Email, Username,
    domain::user::{PersonName, User},
    id::UserId,
    ports::{hasher::PasswordHash, imports::ImportLink},
};

use super::{
    Halt, Planner, Subject, Wrong,
    key::RowKey,
    password,
    values::{self, flag, text, text_or_empty, time},
};
use crate::django::{
    batch::ChangedUser,
    fingerprint::{Address, Fingerprint, Incoming, Part},
    known::kind,
    report::{Action, Kind, Reason},
    source::{NoText, RawRow, Source, USER_COLUMNS},
};

/// Which names and addresses Django's rows have claimed so far, by their keys. Of rows that
/// collide the first, by primary key, has the name.
#[derive(Default)]
struct Claims {
    names: HashMap<String, RowKey>,
    emails: HashMap<String, RowKey>,
    /// Login names that may be read as mail addresses, of all rows: whose they are.
    names_with_at: HashMap<String, RowKey>,
    /// Accounts that came with earlier imports.
    imported: HashSet<[u8; 16]>,
}

impl Planner<'_> {
    pub(super) fn plan_users(&mut self, source: &mut Source) -> Result<(), Halt> {
        let table = self.found.users.clone();
        self.begin(Kind::Users, source.count(&table)?)?;
        let rows = usize::try_from(self.progress.total).unwrap_or(0);
        self.users.reserve(rows);
        let mut claims = Claims {
            names: HashMap::with_capacity(rows),
            emails: HashMap::with_capacity(rows),
            imported: self.known.users.values().map(|link| link.local_id).collect(),
            ..Claims::default()
        };
        source.rows_with_at(&table, &["id", "username"], |row| -> Result<(), Halt> {
            if let (Ok(id), Ok(name)) = (row.text(0), row.text(1)) {
                let key = Username::key_of(name);
                claims.names_with_at.entry(key).or_insert_with(|| RowKey::from(id));
            }
            Ok(())
        })?;
        source.rows(&table, &USER_COLUMNS, |row| {
            self.plan_user(&table, &row, &mut claims);
            self.row_done()
        })?;
        self.end()
    }

    fn plan_user(&mut self, table: &str, row: &RawRow, claims: &mut Claims) {
        let (key, shown) = (row.shown(0), row.shown(1));
        let row_key = RowKey::from(key);
        let link = self.known.users.remove(key);
        if let Some(link) = &link
            && self.known.names.of(&link.local_id).is_none()
        {
            let wrong = (
                Reason::DeletedHere,
                "the account was deleted here; it is not made again".to_owned(),
            );
            self.summary.counts.users.left_out += 1;
            self.note(table, key, shown, wrong, Action::KeptOurs);
            self.users.insert(row_key, Subject::LeftOut { name: shown.into() });
            return;
        }
        let incoming = self.incoming(table, &row_key, row, link.as_ref(), claims);
        let subject = match (incoming, link) {
            (Ok(incoming), Some(link)) => {
                let id = UserId::from_bytes(link.local_id);
                self.plan_known_user(table, key, incoming, link);
                Subject::Here { id, name: shown.into(), fresh: false }
            }
            (Ok(incoming), None) => {
                let id = self.plan_new_user(key.to_owned(), incoming);
                Subject::Here { id, name: shown.into(), fresh: true }
            }
            // What was imported before stays as it is.
            (Err(wrong), Some(link)) => {
                self.summary.counts.users.unchanged += 1;
                self.note(table, key, shown, wrong, Action::KeptOurs);
                Subject::Here {
                    id: UserId::from_bytes(link.local_id),
                    name: shown.into(),
                    fresh: false,
                }
            }
            (Err(wrong), None) => {
                self.leave_out(Kind::Users, table, key, shown, wrong);
                Subject::LeftOut { name: shown.into() }
            }
        };
        self.users.insert(row_key, subject);
    }

    /// The row's values, without those that cannot be taken (which are reported), or why the row
    /// cannot be taken at all.
    fn incoming(
        &mut self,
        table: &str,
        key: &RowKey,
        row: &RawRow,
        link: Option<&ImportLink>,
        claims: &mut Claims,
    ) -> Result<Incoming, Wrong> {
        let own = link.map(|link| link.local_id);
        text(row, 0, "id")?;
        let name = text(row, 1, "username")?;
        let username =
            Username::from_elsewhere(name).map_err(|error| values::refused(&error, "username"))?;
        let is_active = flag(row, 6, "is_active")?;
        let is_staff = flag(row, 7, "is_staff")?;
        let is_superuser = flag(row, 8, "is_superuser")?;
        let username = match self.free_username(username, own, claims) {
            Ok(username) => {
                claims.names.insert(username.key().to_owned(), key.clone());
                Some(username)
            }
            Err(wrong) if link.is_some() => {
                self.note(table, &key.to_string(), name, wrong, Action::KeptOurs);
                None
            }
            Err(wrong) => return Err(wrong),
        };
        // From here on nothing keeps the account from being imported.
        let mut without = |wrong: Wrong, action: Action| {
            self.summary.entries.push(crate::django::report::Entry::new(
                table,
                &key.to_string(),
                name,
                wrong.0,
                wrong.1,
                action,
            ));
        };
        let mut person = |cell: usize, field: &'static str| {
            let parsed = text_or_empty(row, cell, field).and_then(|text| {
                PersonName::parse(field, text).map_err(|error| values::refused(&error, field))
            });
            let parsed = parsed.map_err(|wrong| without(wrong, Action::ImportedWithout));
            parsed.unwrap_or_default().into_string()
        };
        let (first_name, last_name) = (person(4, "first_name"), person(5, "last_name"));
        let mut instant = |cell: usize, column: &str| {
            time(row, cell, column).unwrap_or_else(|wrong| {
                without(wrong, Action::ImportedWithout);
                None
            })
        };
        let (joined, last_login) = (instant(9, "date_joined"), instant(10, "last_login"));
        let (password, problem) = password_of(row);
        if let Some(wrong) = problem {
            without(wrong, Action::NeedsReset);
        }
        let email = match self.free_email(row, key, own, claims) {
            Ok(email) => {
                if let Some(email) = &email {
                    claims.emails.insert(email.key().to_owned(), key.clone());
                }
                Address::There(email)
            }
            Err(wrong) => {
                let (email, action) = self.without_address(&wrong, key, own, claims);
                self.note(table, &key.to_string(), name, wrong, action);
                email
            }
        };
        Ok(Incoming {
            username,
            email,
            first_name,
            last_name,
            is_active,
            is_staff,
            is_superuser,
            joined,
            last_login,
            password,
        })
    }

    fn free_username(
        &self,
        username: Username,
        own: Option<[u8; 16]>,
        claims: &Claims,
    ) -> Result<Username, Wrong> {
        if let Some(first) = claims.names.get(username.key()) {
            let message = format!("differs from user {first} in case or compatible letters only");
            return Err((Reason::NameCollides, message));
        }
        let taken = |message: &str| Err((Reason::NameTaken, message.to_owned()));
        match self.known.names.name(username.key()) {
            Some(owner) if Some(owner) != own => {
                return taken("an account here that did not come with this row has the name");
            }
            _ => {}
        }
        // Imported accounts give up an address that is somebody's login name, see `free_email`.
        if username.as_str().contains('@')
            && let Some(owner) = self.known.names.email(&Email::key_of(username.as_str()))
            && Some(owner) != own
            && !claims.imported.contains(&owner)
        {
            return taken("it is the mail address of another account here");
        }
        Ok(username)
    }

    /// The row's mail address, when nobody else can be meant by it. Names stand before addresses:
    /// in Django people log in by name, so nobody may lose theirs.
    fn free_email(
        &self,
        row: &RawRow,
        key: &RowKey,
        own: Option<[u8; 16]>,
        claims: &Claims,
    ) -> Result<Option<Email>, Wrong> {
        let address = text_or_empty(row, 2, "email")?.trim();
        if address.is_empty() {
            return Ok(None);
        }
        let email = Email::parse(address).map_err(|error| {
            let (reason, message) = values::refused(&error, "email");
            match reason {
                Reason::TooLong => (reason, message),
                _ => (Reason::EmailInvalid, message),
            }
        })?;
        let taken = |message: &str| Err((Reason::EmailTaken, message.to_owned()));
        // Most sites have no login names that are addresses, and need no keys for asking.
        let as_name = (self.known.names.any_with_at() || !claims.names_with_at.is_empty())
            .then(|| Username::key_of(email.as_str()));
        if let Some(as_name) = &as_name
            && claims.names_with_at.get(as_name).is_some_and(|owner| owner != key)
        {
            return taken("the mail address is the login name of another user");
        }
        if let Some(first) = claims.emails.get(email.key()) {
            let message = format!("user {first} has the same mail address");
            return Err((Reason::EmailCollides, message));
        }
        let is_anothers = |owner: Option<[u8; 16]>| owner.is_some() && owner != own;
        if is_anothers(self.known.names.email(email.key())) {
            return taken("another account here has the mail address");
        }
        if is_anothers(as_name.and_then(|name| self.known.names.name(&name))) {
            return taken("the mail address is the login name of another account here");
        }
        Ok(Some(email))
    }

    /// What becomes of an account whose row's address cannot be taken. What came before keeps the
    /// address it has here where the row's is somebody else's, unless another row logs in by it.
    fn without_address(
        &self,
        wrong: &Wrong,
        key: &RowKey,
        own: Option<[u8; 16]>,
        claims: &Claims,
    ) -> (Address, Action) {
        let without = (Address::There(None), Action::ImportedWithout);
        let here = own.and_then(|id| self.known.names.of(&id));
        let (Some((_, here)), Reason::EmailTaken | Reason::EmailCollides) = (here, wrong.0) else {
            return without;
        };
        let Some(address) = here else {
            return (Address::Ours, Action::ImportedWithout);
        };
        match claims.names_with_at.get(&Username::key_of(address)) {
            Some(owner) if owner != key => without,
            _ => (Address::Ours, Action::KeptOurs),
        }
    }

    fn plan_new_user(&mut self, key: String, incoming: Incoming) -> UserId {
        let id = self.ids.user();
        let print = Fingerprint::of(&incoming, None);
        let link = ImportLink { foreign_key: key, local_id: *id.as_bytes(), fingerprint: print.0 };
        // Only accounts that are here already keep another name or address.
        let (Some(username), Address::There(email)) = (incoming.username, incoming.email) else {
            return id;
        };
        let user = User {
            id,
            username,
            email,
            email_verified: false,
            first_name: PersonName::from_stored(incoming.first_name),
            last_name: PersonName::from_stored(incoming.last_name),
            is_active: incoming.is_active,
            is_staff: incoming.is_staff,
            is_superuser: incoming.is_superuser,
            expires_at: None,
            created_at: incoming.joined.unwrap_or(self.now),
            last_login_at: incoming.last_login,
            password_changed_at: None,
        };
        self.summary.counts.users.new += 1;
        self.batch.users.push((user, incoming.password));
        self.batch.links.push(kind::USER, link);
        id
    }

    fn plan_known_user(&mut self, table: &str, key: &str, incoming: Incoming, link: ImportLink) {
        let before = Fingerprint(link.fingerprint);
        let after = Fingerprint::of(&incoming, Some(&before));
        if after == before {
            self.summary.counts.users.unchanged += 1;
            return;
        }
        if let Some((name, email)) = self.known.names.of(&link.local_id).cloned() {
            let name = match &incoming.username {
                Some(new) if after.differs(&before, Part::Username) => new.key().to_owned(),
                _ => name,
            };
            let email = match &incoming.email {
                Address::There(new) if after.differs(&before, Part::Email) => {
                    new.as_ref().map(|email| email.key().to_owned())
                }
                _ => email,
            };
            self.known.names.take(link.local_id, name, email);
        }
        self.batch.changed_users.push(ChangedUser {
            id: UserId::from_bytes(link.local_id),
            table: table.to_owned(),
            key: key.to_owned(),
            incoming,
            before,
            after,
            link,
        });
    }
}

/// The hash as it stands in the row, and what is wrong with it. What cannot be a hash at all is
/// replaced by the mark of an account without password.
fn password_of(row: &RawRow) -> (PasswordHash, Option<Wrong>) {
    let unusable = |reason: Reason, message: &str| {
        (PasswordHash::unusable(), Some((reason, message.to_owned())))
    };
    match row.text(3) {
        Err(NoText::Null) => unusable(Reason::Missing, "password is NULL"),
        Err(NoText::Unreadable) => {
            unusable(Reason::Unreadable, "password holds bytes that are no text")
        }
        Ok(stored) if stored.len() > password::MAX_BYTES => {
            unusable(Reason::TooLong, "password is longer than any hash")
        }
        Ok(stored) => {
            let problem = password::problem(stored)
                .map(|problem| (Reason::PasswordUnknown, problem.to_owned()));
            // Other text cannot be read here as a hash, and not every database takes it.
            let hash = if password::is_printed(stored) {
                PasswordHash::from_stored(stored)
            } else {
                PasswordHash::unusable()
            };
            (hash, problem)
        }
    }
}
