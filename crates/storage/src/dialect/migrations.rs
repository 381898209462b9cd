//! The migrations of each database: different words, the same names.

use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::url::Kind;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
#[cfg(feature = "postgres")]
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
#[cfg(feature = "mysql")]
const MYSQL: EmbeddedMigrations = embed_migrations!("migrations/mysql");

/// All migrations for this database.
pub(crate) fn migrations(kind: Kind) -> EmbeddedMigrations {
    match kind {
        #[cfg(feature = "postgres")]
        Kind::Postgres => POSTGRES,
        #[cfg(feature = "mysql")]
        Kind::Mysql => MYSQL,
        _ => SQLITE,
    }
}
