//! Rows that a transaction keeps for itself.

#[cfg(any(feature = "postgres", feature = "mysql"))]
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};

#[cfg(any(feature = "postgres", feature = "mysql"))]
use crate::schema::{announcements, outbox};
use crate::{conn::AnyConnection, error::DbResult};

macro_rules! hold {
    ($(#[$doc:meta])* $name:ident, $table:ident) => {
        $(#[$doc])*
        pub(crate) fn $name(conn: &mut AnyConnection, ids: &[Vec<u8>]) -> DbResult<()> {
            // In one order, so that no two wait for each other.
            #[cfg(any(feature = "postgres", feature = "mysql"))]
            macro_rules! rows {
                () => {
                    $table::table
                        .filter($table::id.eq_any(ids))
                        .order($table::id)
                        .select($table::id)
                        .for_update()
                };
            }
            match conn {
                // It has everything for itself.
                AnyConnection::Sqlite(_) => {
                    let _ = ids;
                }
                #[cfg(feature = "postgres")]
                AnyConnection::Postgres(conn) => {
                    rows!().load::<Vec<u8>>(conn)?;
                }
                #[cfg(feature = "mysql")]
                AnyConnection::Mysql(conn) => {
                    rows!().load::<Vec<u8>>(conn)?;
                }
            }
            Ok(())
        }
    };
}

hold!(
    /// Nobody else changes or removes these announcements before the transaction ends.
    hold_announcements, announcements
);
hold!(
    /// Nobody else changes or removes these mails before the transaction ends.
    hold_mails, outbox
);
