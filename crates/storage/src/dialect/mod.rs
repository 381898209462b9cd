//! Where the databases differ. Nobody else looks at the variant of a connection.

mod bulk;
#[cfg(feature = "postgres")]
mod copy;
mod hold;
mod lists;
mod lock;
mod migrations;
mod order;
mod put;
mod search;
mod setup;
mod transaction;

pub(crate) use self::{
    bulk::{insert_grants, insert_groups, insert_import_links, insert_memberships, insert_users},
    hold::{hold_announcements, hold_mails},
    lists::{Filter, all_of, any_of, ids_in, ranges_in, texts_in},
    lock::MigrationLock,
    migrations::migrations,
    order::{by, is_superuser, user_order},
    put::put,
    search::contains,
    setup::{has_table, prepare, quoted, refusal_to_write, server_is_slow_to_answer},
    transaction::{begin, begin_migration, commit, guarded, rollback, savepoint},
};

use crate::{conn::AnyConnection, url::Kind};

/// Which database this is a connection to.
pub(crate) fn kind(conn: &AnyConnection) -> Kind {
    match conn {
        AnyConnection::Sqlite(_) => Kind::Sqlite,
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => Kind::Postgres,
        #[cfg(feature = "mysql")]
        AnyConnection::Mysql(_) => Kind::Mysql,
    }
}
