//! Which of a database's tables are Django's, and which of them holds the accounts.

use std::collections::{BTreeMap, BTreeSet};

use super::{super::error::ImportError, Connection, Source};

/// The columns of `AbstractUser` (Django's `contrib/auth/models.py`), in the order in which they
/// are read.
pub(in crate::django) const USER_COLUMNS: [&str; 11] = [
    "id",
    "username",
    "email",
    "password",
    "first_name",
    "last_name",
    "is_active",
    "is_staff",
    "is_superuser",
    "date_joined",
    "last_login",
];

/// What every Django site with accounts has.
const NEEDED: [(&str, &[&str]); 4] = [
    ("django_content_type", &["id", "app_label", "model"]),
    ("auth_permission", &["id", "content_type_id", "codename", "name"]),
    ("auth_group", &["id", "name"]),
    ("auth_group_permissions", &["id", "group_id", "permission_id"]),
];

const GUARDIAN: [(&str, &str); 2] =
    [("guardian_userobjectpermission", "user_id"), ("guardian_groupobjectpermission", "group_id")];

/// The tables that are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::django) struct Found {
    /// The accounts: `auth_user`, or the site's own.
    pub(in crate::django) users: String,
    /// Who is in which group, and its column that names the user.
    pub(in crate::django) user_groups: (String, String),
    /// Who has which permission, and its column that names the user.
    pub(in crate::django) user_permissions: (String, String),
    /// Whether django-guardian keeps permissions of users on objects.
    pub(in crate::django) user_objects: bool,
    /// Whether it keeps those of groups.
    pub(in crate::django) group_objects: bool,
}

type Tables = BTreeMap<String, BTreeSet<String>>;

/// Finds the tables; `user_table` says which holds the accounts where that is not plain.
pub(in crate::django) fn find(
    source: &mut Source,
    user_table: Option<&str>,
) -> Result<Found, ImportError> {
    let tables = source.tables()?;
    let missing = missing(&tables);
    if !missing.is_empty() {
        return Err(ImportError::NotDjango {
            source_name: source.name().to_owned(),
            missing: missing.join(", "),
        });
    }
    let has = |(table, subject): (&str, &str)| {
        let columns = ["id", subject, "permission_id", "content_type_id", "object_pk"];
        tables.get(table).is_some_and(|own| columns.iter().all(|column| own.contains(*column)))
    };
    let (user_objects, group_objects) = (has(GUARDIAN[0]), has(GUARDIAN[1]));
    let users = match user_table {
        Some(name) => name.to_owned(),
        None => source.user_table(&tables)?,
    };
    let refused =
        |reason: String| ImportError::UserTable { source_name: source.name().to_owned(), reason };
    let own = tables.get(&users).ok_or_else(|| refused(format!("there is no table {users}")))?;
    let lacking: Vec<_> =
        USER_COLUMNS.into_iter().filter(|column| !own.contains(*column)).collect();
    if !lacking.is_empty() {
        return Err(refused(format!(
            "table {users} lacks the columns {} of Django's AbstractUser",
            lacking.join(", ")
        )));
    }
    let through = |suffix: &str, target: &str| {
        let name = format!("{users}_{suffix}");
        let column = tables
            .get(&name)
            .filter(|own| own.contains(target))
            .and_then(|own| own.iter().find(|column| *column != target && column.ends_with("_id")));
        match column {
            Some(column) => Ok((name, column.clone())),
            None => {
                Err(refused(format!("there is no table {name} that links {users} with {target}")))
            }
        }
    };
    Ok(Found {
        user_groups: through("groups", "group_id")?,
        user_permissions: through("user_permissions", "permission_id")?,
        users,
        user_objects,
        group_objects,
    })
}

fn missing(tables: &Tables) -> Vec<String> {
    let mut missing = Vec::new();
    for (table, columns) in NEEDED {
        let Some(own) = tables.get(table) else {
            missing.push(format!("table {table}"));
            continue;
        };
        let lacking = columns.iter().filter(|column| !own.contains(**column));
        missing.extend(lacking.map(|column| format!("column {table}.{column}")));
    }
    missing
}

/// Tables that may hold accounts.
fn candidates(tables: &Tables) -> Vec<&str> {
    tables
        .iter()
        .filter(|(_, columns)| {
            ["username", "password", "is_active"].iter().all(|column| columns.contains(*column))
        })
        .map(|(name, _)| name.as_str())
        .collect()
}

impl Source {
    fn tables(&mut self) -> Result<Tables, ImportError> {
        let query = match self.connection {
            Connection::Sqlite(_) => {
                "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c \
                 WHERE m.type IN ('table', 'view')"
            }
            #[cfg(feature = "postgres")]
            Connection::Postgres(_) => {
                "SELECT table_name::text, column_name::text FROM information_schema.columns \
                 WHERE table_schema = ANY (current_schemas(false))"
            }
            #[cfg(feature = "mysql")]
            Connection::Mysql(_) => {
                "SELECT CAST(table_name AS char), CAST(column_name AS char) \
                 FROM information_schema.columns WHERE table_schema = DATABASE()"
            }
        };
        let mut tables = Tables::new();
        for row in self.query("the list of tables", query.to_owned())? {
            if let (Ok(table), Ok(column)) = (row.text(0), row.text(1)) {
                let columns = tables.entry(table.to_owned()).or_default();
                columns.insert(column.to_owned());
            }
        }
        Ok(tables)
    }

    /// The one table with accounts. Where a site changed to a table of its own in mid-life,
    /// `auth_user` may still be there: then it is the table that the logs of Django's
    /// administration, or guardian, refer to.
    fn user_table(&mut self, tables: &Tables) -> Result<String, ImportError> {
        let candidates = candidates(tables);
        let reason = match candidates[..] {
            [only] => return Ok(only.to_owned()),
            [] => "no table has the columns username, password and is_active".to_owned(),
            _ => {
                let mut referred = Vec::new();
                for table in ["django_admin_log", GUARDIAN[0].0, "authtoken_token"] {
                    if tables.contains_key(table) {
                        referred.extend(self.user_reference(table)?);
                    }
                }
                let found = referred.into_iter().find(|table| candidates.contains(&table.as_str()));
                if let Some(table) = found {
                    return Ok(table);
                }
                format!("several could be it, say which (--user-table): {}", candidates.join(", "))
            }
        };
        Err(ImportError::UserTable { source_name: self.name().to_owned(), reason })
    }

    /// The table that the column `user_id` of this one refers to. The name is one of our own
    /// constants, so it may stand in the query as it is.
    fn user_reference(&mut self, table: &str) -> Result<Option<String>, ImportError> {
        let query = match self.connection {
            Connection::Sqlite(_) => format!(
                "SELECT \"table\" FROM pragma_foreign_key_list('{table}') WHERE \"from\" = 'user_id'"
            ),
            #[cfg(feature = "postgres")]
            Connection::Postgres(_) => format!(
                "SELECT target.relname::text FROM pg_constraint AS rule \
                 JOIN pg_class AS target ON target.oid = rule.confrelid \
                 JOIN pg_attribute AS col ON col.attrelid = rule.conrelid \
                   AND col.attnum = ANY (rule.conkey) \
                 WHERE rule.contype = 'f' AND col.attname = 'user_id' \
                   AND rule.conrelid = to_regclass('{table}')"
            ),
            #[cfg(feature = "mysql")]
            Connection::Mysql(_) => format!(
                "SELECT CAST(referenced_table_name AS char) \
                 FROM information_schema.key_column_usage \
                 WHERE table_schema = DATABASE() AND table_name = '{table}' \
                   AND column_name = 'user_id' AND referenced_table_name IS NOT NULL"
            ),
        };
        let rows = self.query(table, query)?;
        let name = rows.first().and_then(|row| row.text(0).ok());
        Ok(name.map(str::to_owned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(list: &[(&str, &[&str])]) -> Tables {
        list.iter()
            .map(|(name, columns)| {
                let columns = columns.iter().map(|&column| column.to_owned());
                ((*name).to_owned(), columns.collect())
            })
            .collect()
    }

    #[test]
    fn what_is_missing_is_named_by_table_and_column() {
        let mut some = tables(&NEEDED);
        assert!(missing(&some).is_empty());
        some.remove("auth_group");
        some.get_mut("auth_permission").unwrap().remove("codename");
        assert_eq!(missing(&some), ["column auth_permission.codename", "table auth_group"]);
    }

    #[test]
    fn a_table_with_names_and_passwords_may_hold_accounts() {
        let some = tables(&[
            ("accounts_user", &USER_COLUMNS),
            ("shop_terminal", &["id", "username", "password"]),
        ]);
        assert_eq!(candidates(&some), ["accounts_user"]);
    }
}
