//! Where we keep what we know of the services' objects.

use super::store::StoreResult;
use crate::{
    domain::{
        level::Level,
        object::{Object, ObjectPrefix, ObjectRef, ObjectType},
        page::{Page, PageRequest},
    },
    id::{GroupId, UserId},
};

/// Which objects somebody may see, worked out beforehand so that the database can answer in one
/// query: see `policy::visible`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visibility {
    /// Everything of the kind but for what is denied.
    pub everything: bool,
    /// Objects of this owner.
    pub owner: Option<UserId>,
    /// Objects of these groups, as far as their level lets this user.
    pub groups: Vec<VisibleGroup>,
    /// These objects.
    pub objects: Vec<Box<str>>,
    /// Objects below these paths.
    pub prefixes: Vec<ObjectPrefix>,
    /// But never these objects.
    pub denied_objects: Vec<Box<str>>,
    /// Nor any below these paths.
    pub denied_prefixes: Vec<ObjectPrefix>,
}

/// A group some of whose objects are visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VisibleGroup {
    /// Which group owns them.
    pub group: GroupId,
    /// The level of those of its objects that have none of their own.
    pub default_level: Level,
    /// The lowest level of an object that makes it visible.
    pub min_level: Level,
}

/// Which of the visible objects are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectFilter {
    /// By their owner.
    pub owner: Option<OwnedBy>,
    /// By a part of their owner's login name.
    pub search: Option<String>,
}

/// Whose objects are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnedBy {
    /// This user's.
    User(UserId),
    /// Anybody else's.
    Others(UserId),
}

/// Where we keep what we know of the services' objects.
pub trait ObjectRepo {
    /// One object.
    fn object(&mut self, object: &ObjectRef) -> StoreResult<Option<Object>>;

    /// Adds an object. A conflict when it is there already, or owner or group do not exist.
    fn insert_object(&mut self, object: &Object) -> StoreResult<()>;

    /// Writes owner, group and level. A conflict when owner or group do not exist.
    fn update_object(&mut self, object: &Object) -> StoreResult<bool>;

    /// Forgets an object.
    fn delete_object(&mut self, object: &ObjectRef) -> StoreResult<bool>;

    /// A page of the objects of a kind that are visible and wanted, by id.
    fn visible_objects(
        &mut self,
        kind: &ObjectType,
        visibility: &Visibility,
        filter: &ObjectFilter,
        request: &PageRequest<()>,
    ) -> StoreResult<Page<Object>>;
}
