//! Permissions on single objects, as django-guardian keeps them.

use std::collections::HashSet;

use vestibule_core::domain::{
    grant::{Effect, Grant, Scope},
    object::ObjectRef,
    permission::PermissionCode,
};

use super::{Halt, Planner, Wrong, grants::Giving, left_out, referred, values::text};
use crate::django::{
    report::{Kind, Reason},
    source::{RawRow, Source},
};

impl Planner<'_> {
    pub(super) fn plan_object_grants(&mut self, source: &mut Source) -> Result<(), Halt> {
        let giving = |table: &str, subject: &str, to_groups| Giving {
            kind: Kind::ObjectGrants,
            table: table.to_owned(),
            subject: subject.to_owned(),
            to_groups,
        };
        let mut givings = Vec::new();
        if self.found.group_objects {
            givings.push(giving("guardian_groupobjectpermission", "group_id", true));
        }
        if self.found.user_objects {
            givings.push(giving("guardian_userobjectpermission", "user_id", false));
        }
        let mut total = 0;
        for giving in &givings {
            total += source.count(&giving.table)?;
        }
        self.begin(Kind::ObjectGrants, total)?;
        for giving in &givings {
            let mut seen = HashSet::new();
            let columns = ["id", &giving.subject, "permission_id", "content_type_id", "object_pk"];
            source.rows(&giving.table, &columns, |row| {
                if let Err(wrong) = self.plan_object_grant(&row, giving, &mut seen) {
                    self.leave_grant_out(&row, giving, wrong);
                }
                self.row_done()
            })?;
        }
        self.end()
    }

    fn plan_object_grant(
        &mut self,
        row: &RawRow,
        giving: &Giving,
        seen: &mut HashSet<String>,
    ) -> Result<(), Wrong> {
        let (grantee, fresh) = self.grantee(row, giving);
        let on = self.permission_on_object(row);
        let given = match &on {
            Ok((code, object)) => format!("{}/{object}", code.as_str()),
            Err(_) => format!("{}/{}/{}", row.shown(2), row.shown(3), row.shown(4)),
        };
        let key = giving.key(row.shown(1), &given);
        let was_known = self.known.object_grants.remove(&key).is_some();
        let (permission, object) = on?;
        let grant = Grant {
            id: self.ids.grant(),
            subject: grantee?,
            permission,
            effect: Effect::Allow,
            scope: Scope::Object(object),
            expires_at: None,
            granted_by: None,
            granted_at: self.now,
        };
        self.give(giving.kind, key, grant, fresh, was_known, seen);
        Ok(())
    }

    fn permission_on_object(&self, row: &RawRow) -> Result<(PermissionCode, ObjectRef), Wrong> {
        let permission = self.given_permission(row)?;
        let content_type = text(row, 3, "content_type_id");
        let (app, model) = referred(&self.content_types, content_type.clone(), "content type")?;
        let code = permission.code.clone().ok_or_else(|| left_out("permission"))?;
        // Guardian itself finds no such row when it is asked.
        if content_type != Ok(&*permission.content_type) {
            return Err((
                Reason::Dangling,
                "the permission is not one of the object's model".to_owned(),
            ));
        }
        let object = ObjectRef::new(&format!("{app}.{model}"), text(row, 4, "object_pk")?)
            .map_err(|error| (Reason::InvalidObject, format!("object_pk {}", error.message)))?;
        Ok((code, object))
    }
}
