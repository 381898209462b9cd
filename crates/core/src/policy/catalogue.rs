//! What decisions are made against and everybody shares: the registered permissions, the rules of
//! kinds of objects, which groups contain which.

use std::collections::HashMap;

use crate::{
    domain::{
        group::Nesting,
        level::Action,
        object::{DeleteRule, ObjectType},
        permission::{Permission, PermissionCode},
    },
    id::GroupId,
    ports::store::{StoreResult, Tx},
};

/// The registered permissions, the rules of kinds of objects, which groups contain which.
#[derive(Debug, Default)]
pub struct Catalogue {
    permissions: Vec<Permission>,
    bits: HashMap<PermissionCode, u32>,
    delete_rules: HashMap<ObjectType, DeleteRule>,
    parents: HashMap<GroupId, Vec<GroupId>>,
}

impl Catalogue {
    /// Reads all of it: three queries, whatever there is.
    pub fn load(tx: &mut dyn Tx) -> StoreResult<Self> {
        Ok(Self::new(tx.permissions()?, tx.delete_rules()?, &tx.nestings()?))
    }

    /// Puts it together.
    pub fn new(
        permissions: Vec<Permission>,
        delete_rules: Vec<(ObjectType, DeleteRule)>,
        nestings: &[Nesting],
    ) -> Self {
        let bits = (0..).zip(&permissions).map(|(bit, p)| (p.code.clone(), bit)).collect();
        let mut parents: HashMap<_, Vec<_>> = HashMap::new();
        for nesting in nestings {
            parents.entry(nesting.child).or_default().push(nesting.parent);
        }
        for of_one in parents.values_mut() {
            of_one.sort_unstable();
        }
        Self { permissions, bits, delete_rules: delete_rules.into_iter().collect(), parents }
    }

    /// All permissions, by code.
    pub fn permissions(&self) -> &[Permission] {
        &self.permissions
    }

    /// One permission by its code.
    pub fn permission(&self, code: &str) -> Option<&Permission> {
        self.bit(code).and_then(|bit| self.permissions.get(bit as usize))
    }

    /// A permission's place in a [bit set](super::bits::Bits).
    pub fn bit(&self, code: &str) -> Option<u32> {
        self.bits.get(code).copied()
    }

    /// What a permission does to objects of a kind, when sharing levels speak about it.
    pub fn action_on(&self, permission: &Permission, kind: &ObjectType) -> Option<Action> {
        permission.on.as_ref().filter(|(own, _)| own == kind).map(|(_, action)| *action)
    }

    /// The permissions that stand for an action on a kind of object.
    pub fn permissions_for<'a>(
        &'a self,
        kind: &'a ObjectType,
        action: Action,
    ) -> impl Iterator<Item = &'a Permission> {
        self.permissions.iter().filter(move |p| self.action_on(p, kind) == Some(action))
    }

    /// Who may remove objects of a kind.
    pub fn delete_rule(&self, kind: &ObjectType) -> DeleteRule {
        self.delete_rules.get(kind).copied().unwrap_or_default()
    }

    /// The groups that directly contain this one.
    pub fn parents(&self, group: GroupId) -> &[GroupId] {
        self.parents.get(&group).map_or(&[], Vec::as_slice)
    }
}
