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

#[cfg(test)]
mod tests {
    use super::{Action, Level};

    const ACTIONS: [Action; 5] =
        [Action::View, Action::Annotate, Action::Edit, Action::Delete, Action::Manage];
    const LEVELS: [Level; 4] =
        [Level::Private, Level::ReadOnly, Level::ReadAnnotate, Level::ReadWrite];

    fn matrix(lets: impl Fn(Level, Action) -> bool) -> [[bool; 5]; 4] {
        LEVELS.map(|level| ACTIONS.map(|action| lets(level, action)))
    }

    #[test]
    fn seed_om_37_to_40_what_members_may_is_exactly_this() {
        let table = [
            // view, annotate, edit, delete, manage
            [false, false, false, false, false],
            [true, false, false, false, false],
            [true, true, false, false, false],
            [true, true, true, true, false],
        ];
        assert_eq!(matrix(Level::lets_members), table);
    }

    #[test]
    fn seed_om_41_what_managers_may_is_exactly_this() {
        let table = [
            [true, false, true, true, true],
            [true, true, true, true, true],
            [true, true, true, true, true],
            [true, true, true, true, true],
        ];
        assert_eq!(matrix(Level::lets_managers), table);
    }

    /// The list of visible objects asks for the lowest level that lets somebody.
    #[test]
    fn a_higher_level_never_lets_less() {
        for pair in LEVELS.windows(2) {
            assert!(pair[0] < pair[1]);
            for action in ACTIONS {
                assert!(pair[0].lets_members(action) <= pair[1].lets_members(action));
                assert!(pair[0].lets_managers(action) <= pair[1].lets_managers(action));
            }
        }
    }

    #[test]
    fn levels_and_actions_are_read_back_from_their_words() {
        for level in LEVELS {
            assert_eq!(level.to_string().parse(), Ok(level));
        }
        for action in ACTIONS {
            assert_eq!(action.to_string().parse(), Ok(action));
        }
        let error = "read_write".parse::<Level>().unwrap_err();
        assert_eq!(error.to_string(), "is none of private, read-only, read-annotate, read-write");
        assert!("View".parse::<Action>().is_err());
    }
}
