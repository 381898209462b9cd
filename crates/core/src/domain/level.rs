//! How far the members of an object's group reach.

use std::{fmt, str::FromStr};

/// What somebody does to an object, as far as sharing levels tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Look at it and everything below it.
    View,
    /// Add to it without changing it: comments, tags.
    Annotate,
    /// Change it.
    Edit,
    /// Remove it.
    Delete,
    /// Decide who else may: owner, group, level, shares.
    Manage,
}

/// How far members of the owning group reach on each other's objects (OMERO's four levels).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Members see only their own; managers of the group see all.
    Private,
    /// Members see each other's.
    ReadOnly,
    /// Members see and annotate each other's.
    ReadAnnotate,
    /// Members see, annotate, edit and delete each other's.
    ReadWrite,
}

impl Level {
    /// Whether a member of the owning group may do this to somebody else's object.
    pub fn lets_members(self, action: Action) -> bool {
        match action {
            Action::View => self >= Self::ReadOnly,
            Action::Annotate => self >= Self::ReadAnnotate,
            Action::Edit | Action::Delete => self == Self::ReadWrite,
            Action::Manage => false,
        }
    }

    /// Whether a manager of the owning group may do this to somebody else's object.
    /// In a private group nobody but the owner of the data annotates it; superusers stand above
    /// levels and are not asked about here.
    pub fn lets_managers(self, action: Action) -> bool {
        action != Action::Annotate || self != Self::Private
    }
}

/// Text that names none of the known values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is none of {expected}")]
pub struct UnknownWord {
    /// The words that are known.
    pub expected: &'static str,
}

macro_rules! words {
    ($name:ident: $($variant:ident = $word:literal),+; $all:literal) => {
        impl $name {
            /// The word that stands for it in the API, on the command line and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text { $($word => Ok(Self::$variant),)+ _ => Err(UnknownWord { expected: $all }) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words!(Action: View = "view", Annotate = "annotate", Edit = "edit", Delete = "delete",
    Manage = "manage"; "view, annotate, edit, delete, manage");
words!(Level: Private = "private", ReadOnly = "read-only", ReadAnnotate = "read-annotate",
    ReadWrite = "read-write"; "private, read-only, read-annotate, read-write");
