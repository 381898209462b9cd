//! Whether what is referred to exists, and what must not go in circles does not.

use std::collections::{HashMap, HashSet};

use diesel::{dsl::max, prelude::*, sql_types::Binary};
use vestibule_core::domain::group::MAX_NESTING;

use super::{
    VerifyError, Walk,
    rows::{database, hex},
};
use crate::{
    dialect,
    schema::{change_counter, changes, nestings},
};

/// What has a foreign key. Links of imports are not among them: an import remembers what was
/// removed here since.
///
/// (table, what names its row, column, the table it refers to, the key there)
const LINKS: [(&str, &str, &str, &str, &str); 22] = [
    ("memberships", "user_id", "group_id", "groups", "id"),
    ("memberships", "user_id", "user_id", "users", "id"),
    ("membership_sources", "user_id", "group_id", "groups", "id"),
    ("membership_sources", "user_id", "user_id", "users", "id"),
    ("identities", "user_id", "user_id", "users", "id"),
    ("entitlements", "user_id", "user_id", "users", "id"),
    ("nestings", "child_id", "parent_id", "groups", "id"),
    ("nestings", "child_id", "child_id", "groups", "id"),
    ("grants", "id", "user_id", "users", "id"),
    ("grants", "id", "group_id", "groups", "id"),
    ("grants", "id", "permission", "permissions", "code"),
    ("objects", "owner_id", "owner_id", "users", "id"),
    ("objects", "owner_id", "group_id", "groups", "id"),
    ("sessions", "id", "user_id", "users", "id"),
    ("backend_checks", "user_id", "user_id", "users", "id"),
    ("upstream_sessions", "session_id", "session_id", "sessions", "id"),
    ("tickets", "user_id", "user_id", "users", "id"),
    ("invitations", "id", "invited_by", "users", "id"),
    ("invitation_groups", "invitation_id", "invitation_id", "invitations", "id"),
    ("invitation_groups", "invitation_id", "group_id", "groups", "id"),
    ("consents", "user_id", "user_id", "users", "id"),
    ("browsers", "user_id", "user_id", "users", "id"),
];

#[derive(QueryableByName)]
struct Dangling {
    #[diesel(sql_type = Binary)]
    row_name: Vec<u8>,
}

pub(super) fn check(walk: &mut Walk<'_>) -> Result<(), VerifyError> {
    (walk.progress)("references");
    for (table, name, column, target, key) in LINKS {
        let quoted = |word| dialect::quoted(walk.conn, word);
        let (from, to) = (quoted(table), quoted(target));
        let question = format!(
            "SELECT a.{name} AS row_name FROM {from} a LEFT JOIN {to} b ON a.{column} = b.{key} \
             WHERE a.{column} IS NOT NULL AND b.{key} IS NULL LIMIT 1000"
        );
        let rows: Vec<Dangling> =
            diesel::sql_query(question).load(walk.conn).map_err(|error| database(table, error))?;
        for row in rows {
            let problem = format!("{column} refers to something that is not in {target}");
            walk.found(table, hex(&row.row_name), problem);
        }
    }
    nesting(walk)?;
    counter(walk)
}

/// Groups must not contain themselves, nor lie deeper than a decision looks.
fn nesting(walk: &mut Walk<'_>) -> Result<(), VerifyError> {
    (walk.progress)("groups within groups");
    let edges: Vec<(Vec<u8>, Vec<u8>)> = nestings::table
        .select((nestings::parent_id, nestings::child_id))
        .load(walk.conn)
        .map_err(|error| database("nestings", error))?;
    let mut parents: HashMap<&[u8], Vec<&[u8]>> = HashMap::new();
    for (parent, child) in &edges {
        parents.entry(child).or_default().push(parent);
    }
    // Depth of a group: the longest chain of groups above it. `None` while it is being worked out,
    // so that meeting such a one again is a circle.
    let mut depths: HashMap<&[u8], Option<usize>> = HashMap::new();
    let mut circular: HashSet<&[u8]> = HashSet::new();
    for start in parents.keys() {
        let mut stack = vec![*start];
        while let Some(group) = stack.last().copied() {
            let above = parents.get(group).map_or(&[][..], Vec::as_slice);
            if depths.contains_key(group) && depths[group].is_some() {
                stack.pop();
                continue;
            }
            depths.insert(group, None);
            let mut deepest = 0;
            let mut waits_for = None;
            for parent in above {
                match depths.get(parent) {
                    Some(Some(depth)) => deepest = deepest.max(depth + 1),
                    Some(None) => {
                        circular.insert(group);
                    }
                    None => {
                        waits_for = Some(*parent);
                        break;
                    }
                }
            }
            if let Some(parent) = waits_for {
                stack.push(parent);
            } else {
                depths.insert(group, Some(deepest));
                stack.pop();
            }
        }
    }
    for group in circular {
        walk.found("nestings", hex(group), "the group contains itself, through others");
    }
    for (group, depth) in depths {
        if depth.is_some_and(|depth| depth > MAX_NESTING) {
            let problem = format!("lies below more than {MAX_NESTING} groups");
            walk.found("nestings", hex(group), problem);
        }
    }
    Ok(())
}

/// The counter must be at the last change, or caches would miss the next.
fn counter(walk: &mut Walk<'_>) -> Result<(), VerifyError> {
    (walk.progress)("change_counter");
    let failed = |error| database("change_counter", error);
    let values: Vec<i64> =
        change_counter::table.select(change_counter::value).load(walk.conn).map_err(failed)?;
    let newest: Option<i64> =
        changes::table.select(max(changes::number)).first(walk.conn).map_err(failed)?;
    match values[..] {
        [value] if newest.is_some_and(|newest| newest > value) => {
            let problem = format!("is at {value} though there is a change {}", newest.unwrap_or(0));
            walk.found("change_counter", "1", problem);
        }
        [value] if newest.is_some_and(|newest| newest < value) => {
            let problem =
                format!("is at {value} though the last change is {}", newest.unwrap_or(0));
            walk.found("change_counter", "1", problem);
        }
        [_] => {}
        _ => walk.found("change_counter", "", "has not exactly one row"),
    }
    Ok(())
}
