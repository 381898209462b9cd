//! Where groups and memberships are kept.

use super::store::StoreResult;
use crate::{
    domain::{
        group::{Group, Membership, Nesting},
        page::{Page, PageRequest},
        user::User,
    },
    id::{GroupId, UserId},
};

/// By what a list of groups may be ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupOrder {
    /// By name.
    #[default]
    Name,
    /// By when it was made.
    CreatedAt,
}

/// Where groups and memberships are kept.
pub trait GroupRepo {
    /// The group with this id.
    fn group_by_id(&mut self, id: GroupId) -> StoreResult<Option<Group>>;

    /// The groups with these ids, in no particular order; unknown ids are left out.
    fn groups_by_ids(&mut self, ids: &[GroupId]) -> StoreResult<Vec<Group>>;

    /// The group whose name has this key.
    fn group_by_name_key(&mut self, key: &str) -> StoreResult<Option<Group>>;

    /// A page of groups whose name contains the text (or of all), ignoring case.
    fn group_page(
        &mut self,
        search: Option<&str>,
        request: &PageRequest<GroupOrder>,
    ) -> StoreResult<Page<Group>>;

    /// Adds a group. A conflict when the name is taken.
    fn insert_group(&mut self, group: &Group) -> StoreResult<()>;

    /// Writes a group. A conflict when the name is taken.
    fn update_group(&mut self, group: &Group) -> StoreResult<bool>;

    /// Removes a group with its memberships, nestings and grants. A conflict (reference) while it
    /// owns objects.
    fn delete_group(&mut self, id: GroupId) -> StoreResult<bool>;

    /// One membership, expired ones included.
    fn membership(&mut self, group: GroupId, user: UserId) -> StoreResult<Option<Membership>>;

    /// The user's direct memberships, expired ones included.
    fn memberships_of(&mut self, user: UserId) -> StoreResult<Vec<Membership>>;

    /// A page of a group's direct members with their accounts, by login name.
    fn member_page(
        &mut self,
        group: GroupId,
        request: &PageRequest<()>,
    ) -> StoreResult<Page<(Membership, User)>>;

    /// Adds a membership, or replaces the one there is. Answers whether there was none.
    fn put_membership(&mut self, membership: &Membership) -> StoreResult<bool>;

    /// Ends a membership, wherever it came from.
    fn delete_membership(&mut self, group: GroupId, user: UserId) -> StoreResult<bool>;

    /// Every nesting there is: few enough to be held at once.
    fn nestings(&mut self) -> StoreResult<Vec<Nesting>>;

    /// Adds a nesting. A conflict when it is there already.
    fn insert_nesting(&mut self, nesting: Nesting) -> StoreResult<()>;

    /// Ends a nesting.
    fn delete_nesting(&mut self, nesting: Nesting) -> StoreResult<bool>;
}
