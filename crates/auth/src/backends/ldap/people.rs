//! Finding somebody in the directory.

use std::fmt::Write as _;

use ldap3::Scope;
use vestibule_core::{
    domain::identity::Subject,
    ports::backend::{Assertion, Fault},
};

use super::{
    connection::{Ask, Entry, Limit},
    pool::Pool,
    results,
    settings::People,
    template::escape,
};

/// By what somebody is looked for.
#[derive(Clone, Copy)]
pub(super) enum By<'a> {
    /// The name that was typed.
    Name(&'a str),
    /// What the directory knows them by for good.
    Subject(&'a Subject),
}

/// Who was found.
pub(super) enum Looked {
    Nobody,
    /// Nobody can tell which of them is meant.
    Several,
    One(Box<Person>),
}

/// Somebody in the directory.
pub(super) struct Person {
    pub(super) entry: Entry,
    /// What is wrong with it is said after the password was right, so that nobody without one
    /// makes faults.
    pub(super) subject: Result<Subject, Fault>,
    pub(super) username: Option<String>,
}

impl People {
    /// Looks for somebody.
    pub(super) async fn find(
        &self,
        pool: &Pool,
        by: By<'_>,
        more: Option<&str>,
    ) -> Result<Looked, Fault> {
        let filter = match by {
            By::Name(name) => self.filter.fill(|_| escape(name.as_bytes())),
            By::Subject(subject) => {
                let Some(value) = self.written(subject) else { return Ok(Looked::Nobody) };
                // What the filter demands besides the name is demanded all the same.
                let rest = self.filter.fill(|_| "*".to_owned());
                format!("(&({}={}){rest})", self.subject, escape(&value))
            }
        };
        let mut attributes =
            vec![&*self.subject, &*self.username, &*self.mail, &*self.first_name, &*self.last_name];
        attributes.extend(more);
        let what = "the search for a person";
        let ask = Ask {
            what,
            base: &self.base,
            scope: Scope::Subtree,
            filter: &filter,
            attributes: &attributes,
            limit: Limit::Entries(2),
        };
        let found = pool.search(&ask).await?;
        let mut entries = found.entries.into_iter();
        let (first, is_only_one) = (entries.next(), entries.next().is_none());
        match (first, is_only_one, found.code) {
            (Some(_), false, 0 | 4) | (Some(_), true, 4) => Ok(Looked::Several),
            (Some(entry), true, 0) => self.take(entry, by),
            (None, _, 0) => Ok(Looked::Nobody),
            (_, _, code) => Err(results::of_search(code, what)
                .err()
                .unwrap_or_else(|| Fault::protocol("the directory's answer is none"))),
        }
    }

    fn take(&self, entry: Entry, by: By<'_>) -> Result<Looked, Fault> {
        let names = || entry.texts(&self.username);
        let username = match by {
            By::Name(typed) if self.match_case && !names().any(|name| name == typed) => {
                return Ok(Looked::Nobody);
            }
            By::Name(typed) => {
                let lower = typed.to_lowercase();
                names().find(|name| name.to_lowercase() == lower).or_else(|| names().min())
            }
            By::Subject(_) => names().min(),
        };
        let username = username.map(str::to_owned);
        let subject = self.subject_of(&entry);
        let is_meant = match by {
            By::Name(_) => true,
            By::Subject(known) => subject.as_ref().is_ok_and(|subject| subject == known),
        };
        // To come in under no name is to come in as anybody.
        if !is_meant || entry.dn.trim().is_empty() {
            return Err(Fault::protocol("the directory answered with somebody else's entry"));
        }
        Ok(Looked::One(Box::new(Person { entry, subject, username })))
    }

    fn subject_of(&self, entry: &Entry) -> Result<Subject, Fault> {
        let wrong = |reason: &str| {
            Fault::Misconfigured(format!("an entry's {}, its subject, {reason}", self.subject))
        };
        let mut values = entry.bytes(&self.subject);
        let value = values.next().ok_or_else(|| wrong("is missing"))?;
        if values.next().is_some() {
            return Err(wrong("has several values"));
        }
        let text = if self.is_subject_binary {
            digits(value)
        } else {
            String::from_utf8(value.to_vec()).map_err(|_| wrong("is no text"))?
        };
        Subject::parse(&text).map_err(|error| wrong(&error.message))
    }

    /// A subject as the directory writes it; none when it cannot be one of the directory's.
    fn written(&self, subject: &Subject) -> Option<Vec<u8>> {
        let text = subject.as_str();
        if !self.is_subject_binary {
            return Some(text.as_bytes().to_vec());
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
            _ => None,
        });
        pairs.collect()
    }

    /// What is said of somebody, but for the groups and the proof.
    pub(super) fn assertion(&self, person: &Person) -> Result<Assertion, Fault> {
        let entry = &person.entry;
        let first = |attribute: &str| entry.texts(attribute).next().unwrap_or_default().to_owned();
        let mut assertion = Assertion::new(person.subject.clone()?);
        assertion.username.clone_from(&person.username);
        assertion.first_name = first(&self.first_name);
        assertion.last_name = first(&self.last_name);
        for mail in entry.texts(&self.mail) {
            assertion = assertion.with_email(mail, self.are_mails_verified);
        }
        Ok(assertion)
    }
}

fn digits(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}
