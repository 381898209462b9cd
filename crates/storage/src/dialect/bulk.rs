//! Many rows at once: each database has its own way, none of which is among what all connections
//! have in common.

#[cfg(feature = "postgres")]
use diesel::ExecuteCopyFromDsl as _;
use diesel::{
    QueryResult, RunQueryDsl, SqliteConnection,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{BigInt, Binary, Bool, Nullable, Text},
    sqlite::Sqlite,
};

#[cfg(any(feature = "postgres", feature = "mysql"))]
use crate::schema::{grants, groups, import_links, memberships, users};
use crate::{
    conn::AnyConnection,
    error::DbResult,
    rows::{
        grants::GrantRow,
        groups::{GroupRow, MembershipRow},
        misc::ImportLinkRow,
        users::NewUserRow,
    },
};

/// How many rows one statement inserts on a server, which stays below its bound on parameters.
#[cfg(any(feature = "postgres", feature = "mysql"))]
const ON_SERVER: usize = 500;

/// How many rows one statement inserts on `SQLite`, where each statement puts aside the pages it
/// changes, in case one of its rows is refused: fewer rows and that is all it does.
const EMBEDDED: usize = 500;

/// A row that can be inserted beside others.
trait Embedded {
    /// The statement up to its values.
    const HEAD: &'static str;

    /// Its values.
    fn values<'b>(&'b self, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()>;
}

/// The statement that inserts some rows. Diesel prepares its own anew each time, which takes half
/// as long as inserting; this one is kept, by its text.
struct Insert<'a, R>(&'a [R]);

impl<R: Embedded> QueryFragment<Sqlite> for Insert<'_, R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(R::HEAD);
        for (place, row) in self.0.iter().enumerate() {
            out.push_sql(if place == 0 { "(" } else { ", (" });
            row.values(&mut out)?;
            out.push_sql(")");
        }
        Ok(())
    }
}

impl<R> QueryId for Insert<'_, R> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<R: Embedded> RunQueryDsl<SqliteConnection> for Insert<'_, R> {}

fn insert_embedded<R: Embedded>(conn: &mut SqliteConnection, rows: &[R]) -> QueryResult<()> {
    let whole = rows.chunks_exact(EMBEDDED);
    let rest = whole.remainder();
    // One by one, so that there are two statements to a table and not one for each length.
    for some in whole.chain(rest.chunks(1)) {
        Insert(some).execute(conn)?;
    }
    Ok(())
}

macro_rules! insert_many {
    (
        $(#[$doc:meta])*
        $name:ident, $table:ident as $quoted:literal, $row:ty,
        $first:ident: $first_type:ty $(, $column:ident: $type:ty)*
    ) => {
        impl Embedded for $row {
            const HEAD: &'static str = concat!(
                "INSERT INTO ", $quoted, " (", stringify!($first), $(", ", stringify!($column),)*
                ") VALUES "
            );

            fn values<'b>(&'b self, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
                out.push_bind_param::<$first_type, _>(&self.$first)?;
                $(
                    out.push_sql(", ");
                    out.push_bind_param::<$type, _>(&self.$column)?;
                )*
                Ok(())
            }
        }

        $(#[$doc])*
        pub(crate) fn $name(conn: &mut AnyConnection, rows: Vec<$row>) -> DbResult<()> {
            match conn {
                AnyConnection::Sqlite(conn) => insert_embedded(conn, &rows)?,
                #[cfg(feature = "postgres")]
                AnyConnection::Postgres(conn) if rows.len() >= ON_SERVER => {
                    // COPY takes masses of rows several times as fast.
                    diesel::copy_from($table::table).from_insertable(rows).execute(conn)?;
                }
                #[cfg(feature = "postgres")]
                AnyConnection::Postgres(conn) => {
                    diesel::insert_into($table::table).values(rows).execute(conn)?;
                }
                #[cfg(feature = "mysql")]
                AnyConnection::Mysql(conn) => {
                    let mut rows = rows;
                    while !rows.is_empty() {
                        let rest = rows.split_off(rows.len().min(ON_SERVER));
                        diesel::insert_into($table::table).values(rows).execute(conn)?;
                        rows = rest;
                    }
                }
            }
            Ok(())
        }
    };
}

insert_many!(
    /// Adds accounts.
    insert_users, users as "users", NewUserRow,
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
    /// Adds links of an import.
    insert_import_links, import_links as "import_links", ImportLinkRow,
    source: Text, kind: Text, foreign_key: Text, local_id: Binary, fingerprint: Binary
);
