//! Whether things are found by what they are called.

use diesel::prelude::*;
use vestibule_core::{
    Email, Username,
    domain::{
        group::GroupName,
        object::{ObjectPrefix, ObjectRef},
        permission::PermissionCode,
        user::User,
    },
    ports::hasher::PasswordHash,
};

use super::{
    VerifyError, Walk,
    rows::{database, hex},
};
use crate::{
    rows::users::{UserRow, names_key, password_scheme},
    schema::{grants, groups, objects, permissions, users},
};

/// How many rows are read at once.
const PAGE: i64 = 500;

pub(super) fn check(walk: &mut Walk<'_>) -> Result<(), VerifyError> {
    (walk.progress)("names and what they are found by");
    users(walk)?;
    groups(walk)?;
    codes(walk)
}

fn users(walk: &mut Walk<'_>) -> Result<(), VerifyError> {
    // From one key to the next, so that a page costs the same wherever it is.
    let mut last: Vec<u8> = Vec::new();
    loop {
        let rows: Vec<(UserRow, String, String)> = match users::table
            .filter(users::id.gt(&last))
            .select((UserRow::as_select(), users::password, users::password_scheme))
            .order(users::id)
            .limit(PAGE)
            .load(walk.conn)
        {
            Ok(rows) => rows,
            // Already a finding of the rows themselves.
            Err(diesel::result::Error::DeserializationError(_)) => return Ok(()),
            Err(error) => return Err(database("users", error)),
        };
        let Some((newest, ..)) = rows.last() else {
            return Ok(());
        };
        last.clone_from(&newest.id);
        for (row, password, scheme) in rows {
            let id = hex(&row.id);
            if row.username_key != Username::key_of(&row.username) {
                walk.found("users", &id, "username_key is not the key of username");
            }
            if row.email_key != row.email.as_deref().map(Email::key_of) {
                walk.found("users", &id, "email_key is not the key of email");
            }
            if scheme != password_scheme(&PasswordHash::from_stored(password)) {
                walk.found("users", &id, "password_scheme is not that of password");
            }
            let stored = row.names_key.clone();
            if User::try_from(row).is_ok_and(|user| names_key(&user) != stored) {
                walk.found("users", &id, "names_key is not the key of the names");
            }
        }
    }
}

fn groups(walk: &mut Walk<'_>) -> Result<(), VerifyError> {
    let rows: Vec<(Vec<u8>, String, String)> = groups::table
        .select((groups::id, groups::name, groups::name_key))
        .load(walk.conn)
        .map_err(|error| database("groups", error))?;
    for (id, name, key) in rows {
        if key != GroupName::key_of(&name) {
            walk.found("groups", hex(&id), "name_key is not the key of name");
        }
    }
    Ok(())
}

fn codes(walk: &mut Walk<'_>) -> Result<(), VerifyError> {
    let codes: Vec<String> = permissions::table
        .select(permissions::code)
        .load(walk.conn)
        .map_err(|error| database("permissions", error))?;
    for code in codes {
        if PermissionCode::parse(&code).is_err() {
            walk.found("permissions", &code, "code is not of the form app.codename");
        }
    }
    let scopes: Vec<(Vec<u8>, String, String, String)> = grants::table
        .filter(grants::scope_kind.ne("whole"))
        .select((grants::id, grants::scope_kind, grants::object_kind, grants::object_id))
        .load(walk.conn)
        .map_err(|error| database("grants", error))?;
    for (id, scope, kind, object) in scopes {
        let holds = match scope.as_str() {
            "prefix" => ObjectPrefix::new(&kind, &object).is_ok_and(|p| *p.path == *object),
            _ => ObjectRef::new(&kind, &object).is_ok_and(|o| *o.id == *object),
        };
        if !holds {
            walk.found("grants", hex(&id), "the scope is not a valid object or path");
        }
    }
    let mut last = (String::new(), String::new());
    loop {
        let page: Vec<(String, String)> = objects::table
            .filter(
                objects::kind
                    .gt(&last.0)
                    .or(objects::kind.eq(&last.0).and(objects::id.gt(&last.1))),
            )
            .select((objects::kind, objects::id))
            .order((objects::kind, objects::id))
            .limit(PAGE)
            .load(walk.conn)
            .map_err(|error| database("objects", error))?;
        let Some(newest) = page.last() else {
            return Ok(());
        };
        last.clone_from(newest);
        for (kind, id) in page {
            if ObjectRef::new(&kind, &id).is_err() {
                walk.found("objects", format!("{kind}:{id}"), "is not a valid type:id");
            }
        }
    }
}
