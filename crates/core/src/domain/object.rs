//! Objects of the services we guard, as far as we know them: a kind, an id, an owner.

use std::fmt;

use super::{invalid::FieldError, level::Level, text};
use crate::{
    id::{GroupId, UserId},
    time::Timestamp,
};

/// A kind of object, such as `calc` or `image`: letters, digits, `_`, `-` and `.`, at most 100.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectType(Box<str>);

impl ObjectType {
    /// Reads a kind.
    pub fn parse(input: &str) -> Result<Self, FieldError> {
        let holds = (1..=100).contains(&input.len())
            && input
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
        if holds {
            Ok(Self(input.into()))
        } else {
            Err(FieldError::new(
                "object",
                "invalid_object_type",
                "the type has other characters than letters, digits, _, - and ., or over 100",
            ))
        }
    }

    /// A kind read back from storage.
    pub fn from_stored(name: String) -> Self {
        Self(name.into())
    }

    /// The kind's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ObjectType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One object: its kind and its id in the service that owns it, written `type:id`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef {
    /// The kind.
    pub kind: ObjectType,
    /// The id; may be a path such as `/base1/t1/`.
    pub id: Box<str>,
}

impl ObjectRef {
    /// The most bytes an id may have.
    pub const MAX_ID_BYTES: usize = 255;

    /// From its two parts.
    pub fn new(kind: &str, id: &str) -> Result<Self, FieldError> {
        let kind = ObjectType::parse(kind)?;
        if id.is_empty() || id.len() > Self::MAX_ID_BYTES {
            return Err(FieldError::new(
                "object",
                "invalid_object_id",
                "the id has no bytes or over 255",
            ));
        }
        let id = text::line("object", id, Self::MAX_ID_BYTES)?;
        if id.starts_with('/') && !is_plain_path(&id) {
            return Err(FieldError::new(
                "object",
                "invalid_object_path",
                "the path has empty, `.` or `..` segments",
            ));
        }
        Ok(Self {
            kind,
            id: id.into(),
        })
    }

    /// From `type:id`.
    pub fn parse(input: &str) -> Result<Self, FieldError> {
        let (kind, id) = input.split_once(':').ok_or_else(|| {
            FieldError::new("object", "invalid_object", "is not of the form type:id")
        })?;
        Self::new(kind, id)
    }

    /// An object read back from storage.
    pub fn from_stored(kind: String, id: String) -> Self {
        Self {
            kind: ObjectType::from_stored(kind),
            id: id.into(),
        }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

impl fmt::Debug for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// All objects of a kind whose path lies below this one: `/base1/` covers `/base1`, `/base1/` and
/// `/base1/t1/`, never `/base10/`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectPrefix {
    /// The kind.
    pub kind: ObjectType,
    /// The path, beginning and ending with `/`.
    pub path: Box<str>,
}

impl ObjectPrefix {
    /// From its two parts; the closing `/` is added when it is missing.
    pub fn new(kind: &str, path: &str) -> Result<Self, FieldError> {
        let mut object = ObjectRef::new(kind, path)?;
        if !object.id.starts_with('/') {
            return Err(FieldError::new(
                "prefix",
                "invalid_prefix",
                "does not begin with /",
            ));
        }
        if !object.id.ends_with('/') {
            object.id = format!("{}/", object.id).into();
        }
        Ok(Self {
            kind: object.kind,
            path: object.id,
        })
    }

    /// A prefix read back from storage.
    pub fn from_stored(kind: String, path: String) -> Self {
        Self {
            kind: ObjectType::from_stored(kind),
            path: path.into(),
        }
    }

    /// Whether the object lies at or below the path.
    pub fn covers(&self, object: &ObjectRef) -> bool {
        self.kind == object.kind
            && (object.id.starts_with(&*self.path)
                || self.path.strip_suffix('/') == Some(&object.id))
    }
}

impl fmt::Display for ObjectPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}*", self.kind, self.path)
    }
}

impl fmt::Debug for ObjectPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn is_plain_path(path: &str) -> bool {
    let inner = path.strip_prefix('/').unwrap_or(path);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    path == "/"
        || inner
            .split('/')
            .all(|segment| !matches!(segment, "" | "." | ".."))
}

/// What we keep about an object of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Which object.
    pub object: ObjectRef,
    /// Who owns it.
    pub owner: UserId,
    /// Whose members see it, when anyone's do.
    pub group: Option<GroupId>,
    /// How far those members reach; without one of its own it has its group's level.
    pub level: Option<Level>,
    /// When we were first told of it.
    pub created_at: Timestamp,
}

/// Who may remove objects of a kind, and whether superusers stand above its rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeleteRule {
    /// The owner, managers of the group, members where the level is read-write, superusers.
    #[default]
    ByLevel,
    /// The owner, and whoever was granted it by name; not even superusers (OpenQuake's rule).
    OwnerOnly,
}

super::level::words!(DeleteRule: ByLevel = "by-level", OwnerOnly = "owner-only"; "by-level, owner-only");
use std::str::FromStr;

use super::level::UnknownWord;
