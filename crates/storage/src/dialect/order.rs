//! Orders and conditions as a closed list of texts, so that no caller's word ever gets into a
//! query.

use diesel::{
    dsl::sql,
    expression::SqlLiteral,
    sql_types::{Bool, Untyped},
};
use vestibule_core::ports::users::UserOrder;

use crate::url::Kind;

/// An `ORDER BY` of fixed text.
pub(crate) fn by(
    ascending: &'static str,
    descending: &'static str,
    desc: bool,
) -> SqlLiteral<Untyped> {
    sql(if desc { descending } else { ascending })
}

/// The order of a list of users. Those without a value come first, which `PostgreSQL` has to be
/// told.
pub(crate) fn user_order(kind: Kind, order: UserOrder, desc: bool) -> SqlLiteral<Untyped> {
    let (ascending, descending) = match (order, kind) {
        (UserOrder::Username, _) => ("users.username_key", "users.username_key DESC"),
        (UserOrder::CreatedAt, _) => {
            ("users.created_at, users.id", "users.created_at DESC, users.id DESC")
        }
        (UserOrder::Email, Kind::Postgres) => (
            "users.email_key NULLS FIRST, users.id",
            "users.email_key DESC NULLS LAST, users.id DESC",
        ),
        (UserOrder::Email, _) => {
            ("users.email_key, users.id", "users.email_key DESC, users.id DESC")
        }
        (UserOrder::LastLoginAt, Kind::Postgres) => (
            "users.last_login_at NULLS FIRST, users.id",
            "users.last_login_at DESC NULLS LAST, users.id DESC",
        ),
        (UserOrder::LastLoginAt, _) => {
            ("users.last_login_at, users.id", "users.last_login_at DESC, users.id DESC")
        }
    };
    by(ascending, descending, desc)
}

/// That an account is a superuser's, in the words that the index of the few superusers is known by.
pub(crate) fn is_superuser(kind: Kind) -> SqlLiteral<Bool> {
    sql(match kind {
        Kind::Postgres => "users.is_superuser",
        Kind::Sqlite | Kind::Mysql => "users.is_superuser = 1",
    })
}
