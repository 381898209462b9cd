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
            && input.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
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
        // Counted once it is in NFC, which makes some characters longer.
        let id = text::line("object", id, Self::MAX_ID_BYTES)?;
        if id.is_empty() || id.len() > Self::MAX_ID_BYTES {
            return Err(FieldError::new(
                "object",
                "invalid_object_id",
                "the id has no bytes or over 255",
            ));
        }
        if id.starts_with('/') && !is_plain_path(&id) {
            return Err(FieldError::new(
                "object",
                "invalid_object_path",
                "the path has empty, `.` or `..` segments, or characters that hide a separator",
            ));
        }
        Ok(Self { kind, id: id.into() })
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
        Self { kind: ObjectType::from_stored(kind), id: id.into() }
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
            return Err(FieldError::new("prefix", "invalid_prefix", "does not begin with /"));
        }
        if !object.id.ends_with('/') {
            object.id = format!("{}/", object.id).into();
        }
        if object.id.len() > ObjectRef::MAX_ID_BYTES {
            return Err(FieldError::new(
                "prefix",
                "invalid_prefix",
                "has over 255 bytes with its closing /",
            ));
        }
        Ok(Self { kind: object.kind, path: object.id })
    }

    /// A prefix read back from storage.
    pub fn from_stored(kind: String, path: String) -> Self {
        Self { kind: ObjectType::from_stored(kind), path: path.into() }
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

/// Whether every server reads this path alike: no segment that is empty or a dot, however it is
/// spelled (`%2e`, `..;x`), and no separator in disguise (`\`, `%2f`, `%5c`).
fn is_plain_path(path: &str) -> bool {
    let inner = path.strip_prefix('/').unwrap_or(path);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    path == "/" || inner.split('/').all(is_plain_segment)
}

fn is_plain_segment(segment: &str) -> bool {
    let spelled = segment.to_ascii_lowercase().replace("%2e", ".");
    let name = spelled.split(';').next().unwrap_or_default();
    !matches!(name, "" | "." | "..")
        && !spelled.contains('\\')
        && !["%2f", "%5c", "%25"].iter().any(|hidden| spelled.contains(hidden))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ObjectPrefix, ObjectRef};

    fn code_of(text: &str) -> &'static str {
        ObjectRef::parse(text).map_or_else(|error| error.code, |_| "accepted")
    }

    #[test]
    fn references_are_a_kind_a_colon_and_an_id() {
        for (text, kind, id) in [
            ("calc:1", "calc", "1"),
            ("omero.image:7", "omero.image", "7"),
            ("doc:a:b:c", "doc", "a:b:c"),
            ("page:/", "page", "/"),
            ("page:/base1/t1/", "page", "/base1/t1/"),
            ("page:base1//../t1", "page", "base1//../t1"),
            ("note:Größe 🔬", "note", "Größe 🔬"),
        ] {
            let object = ObjectRef::parse(text).unwrap();
            assert_eq!((object.kind.as_str(), &*object.id), (kind, id), "{text}");
            assert_eq!(object.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_reference_is_refused_with_a_stable_code() {
        for (text, code) in [
            ("", "invalid_object"),
            ("calc", "invalid_object"),
            (":1", "invalid_object_type"),
            ("ca lc:1", "invalid_object_type"),
            ("calc/x:1", "invalid_object_type"),
            ("cälc:1", "invalid_object_type"),
            ("calc:", "invalid_object_id"),
            ("calc:a\0b", "forbidden_character"),
            ("calc:a\u{202E}b", "forbidden_character"),
        ] {
            assert_eq!(code_of(text), code, "{text:?}");
        }
        assert_eq!(code_of(&format!("{}:1", "k".repeat(100))), "accepted");
        let long_kind = format!("{}:1", "k".repeat(101));
        assert_eq!(code_of(&long_kind), "invalid_object_type");
    }

    #[test]
    fn an_id_has_at_most_255_bytes_as_it_is_kept() {
        assert_eq!(code_of(&format!("k:{}", "x".repeat(255))), "accepted");
        assert_eq!(code_of(&format!("k:{}", "x".repeat(256))), "too_long");
        assert_eq!(code_of(&format!("k:{}", "ж".repeat(128))), "invalid_object_id");
        // 240 bytes as typed, 480 in NFC.
        let grows = "\u{958}".repeat(80);
        assert_eq!(code_of(&format!("k:{grows}")), "invalid_object_id");
    }

    #[test]
    fn seed_kt_2_paths_have_no_empty_or_dotted_segments() {
        for path in ["//", "//a", "/a//b", "/a//", "/.", "/./a", "/a/..", "/../a/", "/a/./b"] {
            assert_eq!(code_of(&format!("k:{path}")), "invalid_object_path", "{path}");
            assert!(ObjectPrefix::new("k", path).is_err(), "{path}");
        }
        for path in ["/", "/a", "/a/", "/...", "/.a/b.", "/a..b/"] {
            assert_eq!(code_of(&format!("k:{path}")), "accepted", "{path}");
        }
    }

    #[test]
    fn prefixes_begin_and_end_with_a_slash() {
        for (typed, kept) in [("/", "/"), ("/a", "/a/"), ("/a/", "/a/"), ("/a/b", "/a/b/")] {
            let prefix = ObjectPrefix::new("k", typed).unwrap();
            assert_eq!(&*prefix.path, kept);
            assert_eq!(prefix.to_string(), format!("k:{kept}*"));
        }
        for typed in ["", "a", "a/", "*", "a/*"] {
            assert!(ObjectPrefix::new("k", typed).is_err(), "{typed:?}");
        }
        let longest = format!("/{}", "x".repeat(253));
        assert_eq!(ObjectPrefix::new("k", &longest).unwrap().path.len(), 255);
        let error = ObjectPrefix::new("k", &format!("{longest}x")).unwrap_err();
        assert_eq!((error.field, error.code), ("prefix", "invalid_prefix"));
    }

    #[test]
    fn seed_kt_2_a_prefix_covers_itself_and_what_is_below_never_its_neighbours() {
        let prefix = ObjectPrefix::new("k", "/base1/").unwrap();
        let covers = |text: &str| prefix.covers(&ObjectRef::parse(text).unwrap());
        for text in ["k:/base1", "k:/base1/", "k:/base1/t1", "k:/base1/t1/"] {
            assert!(covers(text), "{text}");
        }
        for text in ["k:/base10/", "k:/base", "k:/", "k:base1/t1", "k:/Base1/", "l:/base1/"] {
            assert!(!covers(text), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..<_>::default() })]

        #[test]
        fn a_reference_is_read_back_from_what_it_is_written_as(text in "[a-c./:]{0,12}") {
            if let Ok(object) = ObjectRef::parse(&text) {
                let again = ObjectRef::parse(&object.to_string());
                prop_assert_eq!(again.as_ref(), Ok(&object));
            }
        }

        #[test]
        fn a_prefix_covers_what_its_segments_begin(path in "(/[ab]{1,2}){1,3}/?", id in "(/[ab]{1,2}){1,4}/?") {
            let segments = |path: &str| {
                path.split('/').filter(|s| !s.is_empty()).map(str::to_owned).collect::<Vec<_>>()
            };
            let prefix = ObjectPrefix::new("k", &path).unwrap();
            let object = ObjectRef::new("k", &id).unwrap();
            let expected = segments(&id).starts_with(&segments(&path));
            prop_assert_eq!(prefix.covers(&object), expected);
        }
    }
}
