//! Whether somebody holds a right in a scope, and so may give it to others there.

use super::{
    catalogue::Catalogue,
    decide::{Question, decide, only_owner},
    facts::Facts,
};
use crate::{
    domain::{
        grant::{Effect, Scope},
        object::{Object, ObjectPrefix},
        permission::PermissionCode,
    },
    time::Timestamp,
};

/// Whether a permission, wherever it is granted, is held by the user in that scope: what nobody
/// may grant without. Who holds it somewhere may use it everywhere in there: nothing inside is
/// denied to them.
pub fn holds(
    facts: &Facts,
    catalogue: &Catalogue,
    code: &PermissionCode,
    scope: &Scope,
    known: Option<&Object>,
    now: Timestamp,
) -> bool {
    let permission = code.as_str();
    match scope {
        Scope::Whole => {
            decide(facts, catalogue, Question::whole(permission), now).allowed
                && !is_denied(facts, code, |_| true)
        }
        Scope::Object(object) => {
            let object = Some(object);
            let question = Question { permission, object, known };
            decide(facts, catalogue, question, now).allowed
        }
        Scope::Prefix(prefix) => {
            facts.user().is_live(now) && holds_below(facts, catalogue, code, prefix)
        }
    }
}

/// To give all below a path one must hold all below it: as a superuser, or by a grant of the
/// whole, on the path or above it. A grant on the object that the path itself names is not enough.
fn holds_below(
    facts: &Facts,
    catalogue: &Catalogue,
    code: &PermissionCode,
    prefix: &ObjectPrefix,
) -> bool {
    let Some(permission) = catalogue.permission(code.as_str()) else {
        return false;
    };
    let action = catalogue.action_on(permission, &prefix.kind);
    if facts.user().is_superuser && !only_owner(catalogue, &prefix.kind, action) {
        return true;
    }
    let is_given = facts.grants().iter().any(|grant| {
        grant.permission == *code
            && grant.effect == Effect::Allow
            && match &grant.scope {
                Scope::Whole => true,
                Scope::Prefix(outer) => is_within(prefix, outer),
                Scope::Object(_) => false,
            }
    });
    is_given
        && !is_denied(facts, code, |scope| match scope {
            Scope::Whole => true,
            Scope::Prefix(other) => is_within(prefix, other) || is_within(other, prefix),
            Scope::Object(object) => prefix.covers(object),
        })
}

/// Whether the user is denied the permission in a scope that matters. Denials do not bind
/// superusers.
fn is_denied(facts: &Facts, code: &PermissionCode, matters: impl Fn(&Scope) -> bool) -> bool {
    !facts.user().is_superuser
        && facts.grants().iter().any(|grant| {
            grant.permission == *code && grant.effect == Effect::Deny && matters(&grant.scope)
        })
}

fn is_within(inner: &ObjectPrefix, outer: &ObjectPrefix) -> bool {
    inner.kind == outer.kind && inner.path.starts_with(&*outer.path)
}
