//! Registered permissions.

use diesel::prelude::*;
use vestibule_core::{
    domain::{
        object::{DeleteRule, ObjectType},
        permission::{Permission, PermissionCode},
    },
    ports::{permissions::PermissionRepo, store::StoreResult},
};

use crate::{
    conn::AnyConnection,
    dialect,
    error::DbResult,
    rows::{
        permissions::{DeleteRuleRow, PermissionRow},
        value, values,
    },
    schema::{delete_rules, permissions},
    tx::DieselTx,
};

fn find(conn: &mut AnyConnection, code: &str) -> DbResult<Option<Permission>> {
    let row = permissions::table
        .filter(permissions::code.eq(code))
        .select(PermissionRow::as_select())
        .get_result(conn)
        .optional()?;
    value(row)
}

impl PermissionRepo for DieselTx<'_> {
    fn permission(&mut self, code: &PermissionCode) -> StoreResult<Option<Permission>> {
        self.call("permissions", |conn| find(conn, code.as_str()))
    }

    fn permissions(&mut self) -> StoreResult<Vec<Permission>> {
        self.call("permissions", |conn| {
            let rows = permissions::table
                .select(PermissionRow::as_select())
                .order(permissions::code)
                .load(conn)?;
            values(rows)
        })
    }

    fn put_permission(&mut self, permission: &Permission) -> StoreResult<bool> {
        self.put("permissions", |conn| {
            let stored = find(conn, permission.code.as_str())?;
            let same = stored.as_ref().is_some_and(|stored| {
                let registered_at = stored.registered_at;
                *stored == Permission { registered_at, ..permission.clone() }
            });
            if same {
                return Ok(false);
            }
            dialect::put(
                conn,
                |conn| {
                    // It stays registered since it was first.
                    let new = PermissionRow::from(permission);
                    let row = permissions::table.filter(permissions::code.eq(&new.code));
                    Ok(diesel::update(row)
                        .set((
                            permissions::description.eq(&new.description),
                            permissions::service.eq(&new.service),
                            permissions::object_kind.eq(&new.object_kind),
                            permissions::object_action.eq(&new.object_action),
                        ))
                        .execute(conn)?)
                },
                |conn| {
                    Ok(diesel::insert_into(permissions::table)
                        .values(PermissionRow::from(permission))
                        .execute(conn)?)
                },
            )?;
            Ok(true)
        })
    }

    fn delete_permission(&mut self, code: &PermissionCode) -> StoreResult<bool> {
        self.call("permissions", |conn| {
            let row = permissions::table.filter(permissions::code.eq(code.as_str()));
            Ok(diesel::delete(row).execute(conn)? > 0)
        })
    }

    fn delete_rules(&mut self) -> StoreResult<Vec<(ObjectType, DeleteRule)>> {
        self.call("delete_rules", |conn| {
            values(delete_rules::table.select(DeleteRuleRow::as_select()).load(conn)?)
        })
    }

    fn put_delete_rule(&mut self, kind: &ObjectType, rule: DeleteRule) -> StoreResult<bool> {
        self.put("delete_rules", |conn| {
            let of_kind = delete_rules::object_kind.eq(kind.as_str());
            let stored: Option<String> = delete_rules::table
                .filter(of_kind)
                .select(delete_rules::delete_rule)
                .get_result(conn)
                .optional()?;
            let before = stored.as_deref().unwrap_or(DeleteRule::default().as_str());
            if before == rule.as_str() {
                return Ok(false);
            }
            dialect::put(
                conn,
                |conn| {
                    Ok(diesel::update(delete_rules::table.filter(of_kind))
                        .set(delete_rules::delete_rule.eq(rule.as_str()))
                        .execute(conn)?)
                },
                |conn| {
                    let row = DeleteRuleRow {
                        object_kind: kind.as_str().to_owned(),
                        delete_rule: rule.as_str().to_owned(),
                    };
                    Ok(diesel::insert_into(delete_rules::table).values(row).execute(conn)?)
                },
            )?;
            Ok(true)
        })
    }
}
