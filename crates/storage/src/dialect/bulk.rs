//! Many rows at once: each database has its own way, none of which is among what all connections
//! have in common.

use std::marker::PhantomData;

#[cfg(feature = "postgres")]
use diesel::{ExecuteCopyFromDsl as _, pg::CopyFormat};
use diesel::{
    QueryResult, RunQueryDsl, SqliteConnection,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{BigInt, Binary, Bool, Nullable, Text},
    sqlite::Sqlite,
};

#[cfg(feature = "postgres")]
use super::copy;
use crate::schema::{grants, groups, import_links, memberships, users};
use crate::{
    conn::AnyConnection,
    error::DbResult,
    rows::{
        grants::GrantRow,
        groups::{GroupRow, MembershipRow},
        misc::NewImportLinkRow,
        users::NewUserRow,
    },
};

/// How many rows one statement inserts on a server, which stays below its bound on parameters.
#[cfg(any(feature = "postgres", feature = "mysql"))]
const ON_SERVER: usize = 500;

/// How many rows one statement inserts on `SQLite`. With more the list of its parameters is so
/// large that its memory is asked of the system each time.
const EMBEDDED: usize = 128;

/// A row that can be inserted beside others.
trait Embedded {
    /// Its table, which tells the statements that are kept apart.
    type Table: 'static;

    /// The statement up to its values. Where a row is refused those before it stay
    /// (`OR FAIL`), so that no page has to be put aside before it is changed: the transaction has
    /// failed then, and is undone as a whole.
    const HEAD: &'static str;

    /// Its values. Those that all rows have alike are handed over with the first row alone.
    fn values<'b>(&'b self, is_first: bool, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()>;
}

/// The statement that inserts so many rows. Diesel prepares its own anew each time, which takes
/// half as long as inserting; this one is kept, and found again without its text being put
/// together.
struct Insert<'a, R, const ROWS: usize>(&'a [R; ROWS]);

impl<R: Embedded, const ROWS: usize> QueryFragment<Sqlite> for Insert<'_, R, ROWS> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(R::HEAD);
        for (place, row) in self.0.iter().enumerate() {
            out.push_sql(if place == 0 { "(" } else { ", (" });
            row.values(place == 0, &mut out)?;
            out.push_sql(")");
        }
        Ok(())
    }
}

/// What is the same in all statements of one text.
struct Prepared<T, const ROWS: usize>(PhantomData<T>);

impl<R: Embedded, const ROWS: usize> QueryId for Insert<'_, R, ROWS> {
    type QueryId = Prepared<R::Table, ROWS>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<R: Embedded, const ROWS: usize> RunQueryDsl<SqliteConnection> for Insert<'_, R, ROWS> {}

fn insert_embedded<R: Embedded>(
    conn: &mut SqliteConnection,
    mut rows: impl Iterator<Item = R>,
) -> QueryResult<()> {
    let mut some = Vec::with_capacity(EMBEDDED);
    loop {
        some.extend(rows.by_ref().take(EMBEDDED));
        let Some(whole) = some.as_array::<EMBEDDED>() else { break };
        Insert(whole).execute(conn)?;
        some.clear();
    }
    // One by one, so that there are two statements to a table and not one for each length.
    for row in &some {
        Insert(std::array::from_ref(row)).execute(conn)?;
    }
    Ok(())
}

macro_rules! insert_many {
    (
        $(#[$doc:meta])*
        $name:ident, $table:ident as $quoted:literal, $row:ident $(<$life:lifetime>)?,
        $([$($alike:ident: $alike_type:ty = $number:literal),*])?
        $first:ident: $first_type:ty $(, $column:ident: $type:ty)*
    ) => {
        impl $(<$life>)? Embedded for $row $(<$life>)? {
            type Table = $table::table;

            const HEAD: &'static str = concat!(
                "INSERT OR FAIL INTO ", $quoted, " (", $($(stringify!($alike), ", ",)*)?
                stringify!($first), $(", ", stringify!($column),)* ") VALUES "
            );

            fn values<'b>(
                &'b self,
                is_first: bool,
                out: &mut AstPass<'_, 'b, Sqlite>,
            ) -> QueryResult<()> {
                let _ = is_first;
                $($(
                    if is_first {
                        out.push_bind_param::<$alike_type, _>(&self.$alike)?;
                    } else {
                        out.push_sql($number);
                    }
                    out.push_sql(", ");
                )*)?
                out.push_bind_param::<$first_type, _>(&self.$first)?;
                $(
                    out.push_sql(", ");
                    out.push_bind_param::<$type, _>(&self.$column)?;
                )*
                Ok(())
            }
        }

        #[cfg(feature = "postgres")]
        impl $(<$life>)? copy::Copied for $row $(<$life>)? {
            const COLUMNS: &'static [&'static str] = &[
                $($(stringify!($alike),)*)? stringify!($first) $(, stringify!($column))*
            ];

            fn write(&self, out: &mut Vec<u8>) -> std::io::Result<()> {
                $($(copy::Field::write(&self.$alike, out)?;)*)?
                copy::Field::write(&self.$first, out)?;
                $(copy::Field::write(&self.$column, out)?;)*
                Ok(())
            }
        }

        $(#[$doc])*
        pub(crate) fn $name $(<$life>)? (
            conn: &mut AnyConnection,
            rows: impl ExactSizeIterator<Item = $row $(<$life>)?> + Clone,
        ) -> DbResult<()> {
            match conn {
                AnyConnection::Sqlite(conn) => insert_embedded(conn, rows)?,
                #[cfg(feature = "postgres")]
                AnyConnection::Postgres(conn) if rows.len() >= ON_SERVER => {
                    let columns =
                        ($($($table::$alike,)*)? $table::$first $(, $table::$column)*);
                    diesel::copy_from($table::table)
                        .from_raw_data(columns, |out| copy::write(rows.clone(), out))
                        .with_format(CopyFormat::Binary)
                        .execute(conn)?;
                }
                #[cfg(feature = "postgres")]
                AnyConnection::Postgres(conn) => {
                    let rows: Vec<_> = rows.collect();
                    diesel::insert_into($table::table).values(rows).execute(conn)?;
                }
                #[cfg(feature = "mysql")]
                AnyConnection::Mysql(conn) => {
                    let mut rows = rows;
                    while rows.len() > 0 {
                        let some: Vec<_> = rows.by_ref().take(ON_SERVER).collect();
                        diesel::insert_into($table::table).values(some).execute(conn)?;
                    }
                }
            }
            Ok(())
        }
    };
}

insert_many!(
    /// Adds accounts.
    insert_users, users as "users", NewUserRow<'r>,
    id: Binary, username: Text, username_key: Text, email: Nullable<Text>,
    email_key: Nullable<Text>, email_verified: Bool, first_name: Text, last_name: Text,
    names_key: Text, is_active: Bool, is_staff: Bool, is_superuser: Bool,
    expires_at: Nullable<BigInt>, created_at: BigInt, last_login_at: Nullable<BigInt>,
    password_changed_at: Nullable<BigInt>, password: Text, password_scheme: Text
);
insert_many!(
    /// Adds groups.
    insert_groups, groups as "\"groups\"", GroupRow,
    id: Binary, name: Text, name_key: Text, description: Text, level: Text, created_at: BigInt
);
insert_many!(
    /// Adds memberships.
    insert_memberships, memberships as "memberships", MembershipRow,
    group_id: Binary, user_id: Binary, is_manager: Bool, expires_at: Nullable<BigInt>,
    since: BigInt
);
insert_many!(
    /// Adds grants.
    insert_grants, grants as "grants", GrantRow,
    id: Binary, subject_kind: Text, subject_id: Binary, user_id: Nullable<Binary>,
    group_id: Nullable<Binary>, permission: Text, effect: Text, scope_kind: Text,
    object_kind: Text, object_id: Text, expires_at: Nullable<BigInt>,
    granted_by: Nullable<Binary>, granted_at: BigInt
);
insert_many!(
    /// Adds links of an import, all of one source and kind.
    insert_import_links, import_links as "import_links", NewImportLinkRow<'r>,
    [source: Text = "?1", kind: Text = "?2"] foreign_key: Text, local_id: Binary, fingerprint: Binary
);
