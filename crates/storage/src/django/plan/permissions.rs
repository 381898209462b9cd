//! Content types and permissions.

use std::collections::HashMap;

use vestibule_core::domain::{
    group::parse_description,
    permission::{Permission, PermissionCode},
    rights,
};

use super::{
    Halt, PlannedPermission, Planner, Wrong,
    key::RowKey,
    referred,
    values::{self, text},
};
use crate::django::{
    report::{Action, Kind, Reason},
    source::{RawRow, Source},
};

/// The service under which a site's permissions are registered.
const SERVICE: &str = "django";

const TABLE: &str = "auth_permission";

impl Planner<'_> {
    pub(super) fn plan_permissions(&mut self, source: &mut Source) -> Result<(), Halt> {
        source.rows(
            "django_content_type",
            &["id", "app_label", "model"],
            |row| -> Result<(), Halt> {
                // One that cannot be read is missed by the permissions that refer to it.
                if let (Ok(key), Ok(app), Ok(model)) = (row.text(0), row.text(1), row.text(2)) {
                    let name = (app.to_owned(), model.to_owned());
                    self.content_types.insert(RowKey::from(key), name);
                }
                Ok(())
            },
        )?;
        self.begin(Kind::Permissions, source.count(TABLE)?)?;
        // By code: the model it was first seen with.
        let mut seen = HashMap::new();
        source.rows(TABLE, &["id", "content_type_id", "codename", "name"], |row| {
            self.plan_permission(&row, &mut seen);
            self.row_done()
        })?;
        self.end()
    }

    fn plan_permission(&mut self, row: &RawRow, seen: &mut HashMap<String, String>) {
        let key = row.shown(0);
        let mut subject = row.shown(2).to_owned();
        let parsed = self.permission(row, &mut subject);
        let (content_type, code) = match &parsed {
            Ok((model, code)) => (model.clone(), Some(code.clone())),
            Err(_) => (row.shown(1).to_owned(), None),
        };
        let planned = PlannedPermission {
            content_type: row.shown(1).into(),
            code: code.clone(),
            name: subject.clone().into(),
        };
        self.permissions.insert(RowKey::from(key), planned);
        let code = match parsed {
            Ok((_, code)) => code,
            Err(wrong) => return self.leave_out(Kind::Permissions, TABLE, key, &subject, wrong),
        };
        if let Some(first) = seen.get(code.as_str()) {
            self.summary.counts.permissions.merged += 1;
            let message = format!(
                "the models {first} and {content_type} have a permission of this name; here, as \
                 in Django's own checks, they are one"
            );
            let wrong = (Reason::PermissionMerged, message);
            return self.note(TABLE, key, &subject, wrong, Action::Merged);
        }
        seen.insert(code.as_str().to_owned(), content_type);
        self.register(row, key, code);
    }

    /// The row's model and code.
    fn permission(
        &self,
        row: &RawRow,
        subject: &mut String,
    ) -> Result<(String, PermissionCode), Wrong> {
        let content_type = text(row, 1, "content_type_id");
        let (app, model) = referred(&self.content_types, content_type, "content type")?;
        let codename = text(row, 2, "codename")?;
        let code = format!("{app}.{codename}");
        subject.clone_from(&code);
        if app == rights::SERVICE {
            let message = "the app's name is kept for Vestibule's own permissions".to_owned();
            return Err((Reason::PermissionReserved, message));
        }
        let parsed = PermissionCode::parse(&code).map_err(|error| {
            let reason = if code.len() > PermissionCode::MAX_BYTES {
                Reason::TooLong
            } else {
                Reason::InvalidName
            };
            (reason, format!("the permission {}", error.message))
        })?;
        Ok((model.clone(), parsed))
    }

    fn register(&mut self, row: &RawRow, key: &str, code: PermissionCode) {
        let description = values::text_or_empty(row, 3, "name").and_then(|name| {
            parse_description(name).map_err(|error| values::refused(&error, "name"))
        });
        let description = description.unwrap_or_else(|wrong| {
            self.note(TABLE, key, code.as_str(), wrong, Action::ImportedWithout);
            String::new()
        });
        let count = &mut self.summary.counts.permissions;
        let permission = match self.known.permissions.get(code.as_str()) {
            Some(own) if own.service != SERVICE => {
                count.unchanged += 1;
                let message = format!("the service {} has registered it here", own.service);
                let wrong = (Reason::PermissionTaken, message);
                return self.note(TABLE, key, code.as_str(), wrong, Action::KeptOurs);
            }
            Some(own) if own.description == description => {
                count.unchanged += 1;
                return;
            }
            Some(own) => {
                count.changed += 1;
                Permission { description, ..own.clone() }
            }
            None => {
                count.new += 1;
                Permission {
                    code,
                    description,
                    service: SERVICE.to_owned(),
                    on: None,
                    registered_at: self.now,
                }
            }
        };
        self.batch.permissions.push(permission);
    }
}
