//! Where registered permissions are kept.

use super::store::StoreResult;
use crate::domain::{
    object::{DeleteRule, ObjectType},
    permission::{Permission, PermissionCode},
};

/// Where registered permissions and kinds of objects are kept.
pub trait PermissionRepo {
    /// One permission.
    fn permission(&mut self, code: &PermissionCode) -> StoreResult<Option<Permission>>;

    /// All of them, by code.
    fn permissions(&mut self) -> StoreResult<Vec<Permission>>;

    /// Registers a permission, or replaces what was registered under its code. Answers whether
    /// anything is different now.
    fn put_permission(&mut self, permission: &Permission) -> StoreResult<bool>;

    /// Removes a permission with its grants.
    fn delete_permission(&mut self, code: &PermissionCode) -> StoreResult<bool>;

    /// The delete rules of all kinds of objects that have one of their own.
    fn delete_rules(&mut self) -> StoreResult<Vec<(ObjectType, DeleteRule)>>;

    /// Sets the delete rule of a kind. Answers whether it is another than before.
    fn put_delete_rule(&mut self, kind: &ObjectType, rule: DeleteRule) -> StoreResult<bool>;
}
