//! Groups, who is in them and which contain which.

use std::fmt;

use super::{invalid::FieldError, level::Level, text};
use crate::{
    id::{GroupId, UserId},
    time::Timestamp,
};

/// How deep groups may nest; a chain longer than this is refused.
pub const MAX_NESTING: usize = 16;

/// A set of users that grants can be made to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The group's id.
    pub id: GroupId,
    /// Its name, unique ignoring case.
    pub name: GroupName,
    /// What it is for; may be empty.
    pub description: String,
    /// The sharing level of its objects that have none of their own.
    pub level: Level,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A group's name: kept as spelt, found ignoring case.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct GroupName {
    name: String,
    key: String,
}

impl GroupName {
    /// The most characters a name may have.
    pub const MAX_CHARS: usize = 150;

    /// Reads a name.
    pub fn parse(input: &str) -> Result<Self, FieldError> {
        let name = text::name("name", input, Self::MAX_CHARS)?;
        let key = Self::key_of(&name);
        Ok(Self { name, key })
    }

    /// A name read back from storage.
    pub fn from_stored(name: String, key: String) -> Self {
        Self { name, key }
    }

    /// The name as spelt.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// What it is found by.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The key of whatever somebody typed.
    pub fn key_of(typed: &str) -> String {
        text::key(typed)
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GroupName({:?})", self.name)
    }
}

/// A group's description: one line, at most 500 characters.
pub fn parse_description(input: &str) -> Result<String, FieldError> {
    text::line("description", input.trim(), 500)
}

/// That a user is in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The group.
    pub group: GroupId,
    /// Who is in it.
    pub user: UserId,
    /// Whether the user may add and remove others and manage the group's objects.
    pub is_manager: bool,
    /// From when on it does not count any more.
    pub expires_at: Option<Timestamp>,
    /// When it began.
    pub since: Timestamp,
}

impl Membership {
    /// Whether it counts at this instant.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// That the members of one group are members of another too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Nesting {
    /// The group that contains.
    pub parent: GroupId,
    /// The group whose members count as the parent's.
    pub child: GroupId,
}
