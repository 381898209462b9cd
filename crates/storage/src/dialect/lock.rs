//! One migration at a time, whichever process begins it.

use diesel::{
    QueryResult, QueryableByName, RunQueryDsl,
    result::{DatabaseErrorKind, Error},
    sql_query,
    sql_types::{BigInt, Nullable},
};

use super::kind;
use crate::{conn::AnyConnection, url::Kind};

/// Any number that others are unlikely to lock.
const POSTGRES_LOCK: &str = "8388607001";

/// The right to migrate, held by the connection. `SQLite` needs none: each migration begins with
/// an exclusive transaction.
pub(crate) struct MigrationLock(());

#[derive(QueryableByName)]
struct Got {
    #[diesel(sql_type = Nullable<BigInt>)]
    got: Option<i64>,
}

impl MigrationLock {
    /// Waits until nobody else migrates, five minutes at most.
    pub(crate) fn take(conn: &mut AnyConnection) -> QueryResult<Self> {
        let got = match kind(conn) {
            Kind::Sqlite => Some(1),
            Kind::Postgres => {
                // A migration may take longer than any query of the running server.
                sql_query("SET lock_timeout = '300s'").execute(conn)?;
                sql_query("SET statement_timeout = 0").execute(conn)?;
                let lock = format!(
                    "SELECT 1::bigint AS got FROM (SELECT pg_advisory_lock({POSTGRES_LOCK})) AS l"
                );
                sql_query(lock).get_result::<Got>(conn)?.got
            }
            Kind::Mysql => {
                // Neither server knows the other's name for it.
                if sql_query("SET SESSION max_statement_time = 0").execute(conn).is_err() {
                    sql_query("SET SESSION max_execution_time = 0").execute(conn)?;
                }
                let lock = "SELECT CAST(GET_LOCK(CONCAT('vestibule ', MD5(DATABASE())), 300) \
                            AS SIGNED) AS got";
                sql_query(lock).get_result::<Got>(conn)?.got
            }
        };
        if got == Some(1) {
            Ok(Self(()))
        } else {
            Err(Error::DatabaseError(
                DatabaseErrorKind::Unknown,
                Box::new("lock timeout: another migration has been running for minutes".to_owned()),
            ))
        }
    }

    /// Gives it back. A connection that ends does so by itself.
    pub(crate) fn release(self, conn: &mut AnyConnection) -> QueryResult<()> {
        let Self(()) = self;
        match kind(conn) {
            Kind::Sqlite => Ok(()),
            Kind::Postgres => sql_query(format!("SELECT pg_advisory_unlock({POSTGRES_LOCK})"))
                .execute(conn)
                .map(drop),
            Kind::Mysql => sql_query("DO RELEASE_LOCK(CONCAT('vestibule ', MD5(DATABASE())))")
                .execute(conn)
                .map(drop),
        }
    }
}
