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
    rows::{each, hex},
};
use crate::{
    rows::users::{UserRow, names_key, password_scheme},
    schema::{grants, groups, objects, permissions, users},
};

pub(super) fn check(walk: &mut Walk<'_>) -> Result<(), VerifyError> {
    (walk.progress)("names and what they are found by");
    users(walk)?;
    groups(walk)?;
    codes(walk)
}

fn users(walk: &mut Walk<'_>) -> Result<(), VerifyError> {
    each(
        walk,
        "users",
        |conn, limit, offset| {
            users::table
                .select((UserRow::as_select(), users::password, users::password_scheme))
                .order(users::id)
                .limit(limit)
                .offset(offset)
                .load::<(UserRow, String, String)>(conn)
        },
        |walk, (row, password, scheme)| {
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
        },
    )
}

fn groups(walk: &mut Walk<'_>) -> Result<(), VerifyError> {
    each(
        walk,
        "groups",
        |conn, limit, offset| {
            groups::table
                .select((groups::id, groups::name, groups::name_key))
                .order(groups::id)
                .limit(limit)
                .offset(offset)
                .load::<(Vec<u8>, String, String)>(conn)
        },
        |walk, (id, name, key)| {
            if key != GroupName::key_of(&name) {
                walk.found("groups", hex(&id), "name_key is not the key of name");
            }
        },
    )
}

fn codes(walk: &mut Walk<'_>) -> Result<(), VerifyError> {
    each(
        walk,
        "permissions",
        |conn, limit, offset| {
            permissions::table
                .select(permissions::code)
                .order(permissions::code)
                .limit(limit)
                .offset(offset)
                .load::<String>(conn)
        },
        |walk, code| {
            if PermissionCode::parse(&code).is_err() {
                walk.found("permissions", &code, "code is not of the form app.codename");
            }
        },
    )?;
    each(
        walk,
        "grants",
        |conn, limit, offset| {
            grants::table
                .select((grants::id, grants::scope_kind, grants::object_kind, grants::object_id))
                .order(grants::id)
                .limit(limit)
                .offset(offset)
                .load::<(Vec<u8>, String, String, String)>(conn)
        },
        |walk, (id, scope, kind, object)| {
            let holds = match scope.as_str() {
                "whole" => true,
                "prefix" => ObjectPrefix::new(&kind, &object).is_ok_and(|p| *p.path == *object),
                _ => ObjectRef::new(&kind, &object).is_ok_and(|o| *o.id == *object),
            };
            if !holds {
                walk.found("grants", hex(&id), "the scope is not a valid object or path");
            }
        },
    )?;
    each(
        walk,
        "objects",
        |conn, limit, offset| {
            objects::table
                .select((objects::kind, objects::id))
                .order((objects::kind, objects::id))
                .limit(limit)
                .offset(offset)
                .load::<(String, String)>(conn)
        },
        |walk, (kind, id)| {
            if ObjectRef::new(&kind, &id).is_err() {
                walk.found("objects", format!("{kind}:{id}"), "is not a valid type:id");
            }
        },
    )
}
