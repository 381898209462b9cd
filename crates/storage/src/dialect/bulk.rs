//! Many rows at once. Statements with many rows are not among what all connections have in common,
//! so each is written out for each database, by a macro.

use diesel::prelude::*;

use crate::{
    conn::AnyConnection,
    error::DbResult,
    rows::{
        grants::GrantRow,
        groups::{GroupRow, MembershipRow},
        misc::ImportLinkRow,
        users::NewUserRow,
    },
    schema::{grants, groups, import_links, memberships, users},
};

/// How many rows one statement inserts: above a hundred it hardly matters, and 18 columns times
/// this stays below every database's bound on parameters.
pub(crate) const BATCH: usize = 500;

macro_rules! insert_many {
    ($(#[$doc:meta])* $name:ident, $table:ident, $row:ty) => {
        $(#[$doc])*
        pub(crate) fn $name(conn: &mut AnyConnection, mut rows: Vec<$row>) -> DbResult<()> {
            #[cfg(feature = "postgres")]
            if rows.len() >= BATCH
                && let AnyConnection::Postgres(conn) = conn
            {
                // COPY takes masses of rows several times as fast.
                diesel::copy_from($table::table).from_insertable(rows).execute(conn)?;
                return Ok(());
            }
            while !rows.is_empty() {
                let rest = rows.split_off(rows.len().min(BATCH));
                let statement = diesel::insert_into($table::table).values(rows);
                match conn {
                    AnyConnection::Sqlite(conn) => statement.execute(conn)?,
                    #[cfg(feature = "postgres")]
                    AnyConnection::Postgres(conn) => statement.execute(conn)?,
                    #[cfg(feature = "mysql")]
                    AnyConnection::Mysql(conn) => statement.execute(conn)?,
                };
                rows = rest;
            }
            Ok(())
        }
    };
}

insert_many!(
    /// Adds accounts.
    insert_users, users, NewUserRow
);
insert_many!(
    /// Adds groups.
    insert_groups, groups, GroupRow
);
insert_many!(
    /// Adds memberships.
    insert_memberships, memberships, MembershipRow
);
insert_many!(
    /// Adds grants.
    insert_grants, grants, GrantRow
);
insert_many!(
    /// Adds links of an import.
    insert_import_links, import_links, ImportLinkRow
);
