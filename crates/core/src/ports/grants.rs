//! Where grants are kept.

use super::store::StoreResult;
use crate::{
    domain::{
        grant::{Grant, Subject},
        object::ObjectRef,
        page::{Page, PageRequest},
        permission::PermissionCode,
    },
    id::GrantId,
};

/// Which grants a list holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantFilter {
    /// Made to this subject.
    pub subject: Option<Subject>,
    /// Of this permission.
    pub permission: Option<PermissionCode>,
    /// On exactly this object.
    pub object: Option<ObjectRef>,
}

/// Where grants are kept.
pub trait GrantRepo {
    /// One grant.
    fn grant_by_id(&mut self, id: GrantId) -> StoreResult<Option<Grant>>;

    /// All grants made to any of these subjects, expired ones included, in no particular order.
    fn grants_to(&mut self, subjects: &[Subject]) -> StoreResult<Vec<Grant>>;

    /// All grants of a permission as a whole, expired ones included, in no particular order.
    fn whole_grants_of(&mut self, permission: &PermissionCode) -> StoreResult<Vec<Grant>>;

    /// A page of grants, oldest first.
    fn grant_page(
        &mut self,
        filter: &GrantFilter,
        request: &PageRequest<()>,
    ) -> StoreResult<Page<Grant>>;

    /// The grant with this subject, permission, effect and scope, if there is one.
    fn grant_like(&mut self, grant: &Grant) -> StoreResult<Option<Grant>>;

    /// Adds a grant. A conflict when one with the same subject, permission, effect and scope is
    /// there already, or when subject or permission do not exist.
    fn insert_grant(&mut self, grant: &Grant) -> StoreResult<()>;

    /// Writes a grant's expiry and by whom and when it was made.
    fn update_grant(&mut self, grant: &Grant) -> StoreResult<bool>;

    /// Takes a grant back.
    fn delete_grant(&mut self, id: GrantId) -> StoreResult<bool>;

    /// All denials on exactly this object, expired ones included, in no particular order.
    fn denials_on(&mut self, object: &ObjectRef) -> StoreResult<Vec<Grant>>;

    /// Takes back all grants on exactly this object.
    fn delete_grants_on(&mut self, object: &ObjectRef) -> StoreResult<u64>;
}
