//! Bringing the schema up to date, and saying how far it is.
//!
//! Only one process migrates at a time. A process that is killed leaves whole migrations behind:
//! `SQLite` and `PostgreSQL` undo a half one, on MySQL (which commits every change of the schema by
//! itself) each migration is one change that can be made again.

use std::collections::HashSet;

use diesel::{
    migration::{Migration, MigrationConnection, MigrationSource},
    prelude::*,
};

use crate::{
    conn::{Access, AnyConnection, MultiBackend},
    dialect::{self, MigrationLock},
    error::{MigrateError, OpenError, one_line},
    store::connect,
    url::DatabaseUrl,
};

use self::table::__diesel_schema_migrations::dsl as noted;

mod table {
    diesel::table! {
        /// Where diesel notes which migrations were run.
        __diesel_schema_migrations (version) {
            /// The first part of the migration's name.
            version -> Text,
        }
    }
}

/// One migration and whether it was run.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct MigrationStatus {
    /// Its name.
    pub name: String,
    /// Whether the database has it.
    pub applied: bool,
}

type AnyMigration = Box<dyn Migration<MultiBackend>>;

/// What the database has of this release's migrations, and what it has beyond them.
struct State {
    migrations: Vec<AnyMigration>,
    applied: HashSet<String>,
}

impl State {
    fn read(url: &DatabaseUrl, conn: &mut AnyConnection) -> Result<Self, OpenError> {
        let migrations = all(url)?;
        let applied = applied(conn).map_err(|error| OpenError::from_database(url, &error))?;
        Ok(Self { migrations, applied })
    }

    fn has(&self, migration: &AnyMigration) -> bool {
        self.applied.contains(&version(migration))
    }

    fn pending(&self) -> Vec<&AnyMigration> {
        self.migrations.iter().filter(|m| !self.has(m)).collect()
    }

    /// Fails when the database has migrations that this release does not know.
    fn refuse_newer(&self, url: &DatabaseUrl) -> Result<(), OpenError> {
        let known: HashSet<String> = self.migrations.iter().map(version).collect();
        let mut unknown: Vec<String> = self.applied.difference(&known).cloned().collect();
        unknown.sort();
        if unknown.is_empty() {
            Ok(())
        } else {
            Err(OpenError::Ahead { url: url.clone(), unknown })
        }
    }
}

/// All migrations of this release, in their order.
fn all(url: &DatabaseUrl) -> Result<Vec<AnyMigration>, OpenError> {
    let mut migrations: Vec<AnyMigration> =
        dialect::migrations(url.kind()).migrations().map_err(|error| OpenError::Failed {
            url: url.clone(),
            reason: one_line(&error.to_string()),
        })?;
    migrations.sort_by(|a, b| a.name().version().cmp(&b.name().version()));
    Ok(migrations)
}

fn version(migration: &AnyMigration) -> String {
    migration.name().version().to_string()
}

/// The versions that are noted; none where nothing was ever noted.
fn applied(conn: &mut AnyConnection) -> QueryResult<HashSet<String>> {
    if !dialect::has_table(conn, "__diesel_schema_migrations")? {
        return Ok(HashSet::new());
    }
    let versions: Vec<String> =
        noted::__diesel_schema_migrations.select(noted::version).load(conn)?;
    Ok(versions.into_iter().collect())
}

/// Fails unless the database's schema is exactly this release's.
pub(crate) fn require_current(
    url: &DatabaseUrl,
    conn: &mut AnyConnection,
) -> Result<(), OpenError> {
    let state = State::read(url, conn)?;
    state.refuse_newer(url)?;
    match state.pending().len() {
        0 => Ok(()),
        pending => Err(OpenError::Behind { url: url.clone(), pending }),
    }
}

/// All migrations of this release, in their order, and which of them the database has: none where
/// there is no file yet.
///
/// # Errors
/// When the database cannot be reached or read, or was made by a newer release.
pub fn migrations(url: &str) -> Result<Vec<MigrationStatus>, MigrateError> {
    let url: DatabaseUrl = url.parse()?;
    let state = match connect(&url, Access::ReadWrite) {
        Ok(mut conn) => State::read(&url, &mut conn)?,
        Err(OpenError::Missing(_)) => State { migrations: all(&url)?, applied: HashSet::new() },
        Err(error) => return Err(error.into()),
    };
    state.refuse_newer(&url)?;
    let status = |migration: &AnyMigration| MigrationStatus {
        name: migration.name().to_string(),
        applied: state.has(migration),
    };
    Ok(state.migrations.iter().map(status).collect())
}

/// Runs what the database lacks, and makes the (`SQLite`) file when there is none. `progress` is
/// told the name of each migration before it begins. Answers how many were run.
///
/// # Errors
/// As [`migrations`], and when a migration fails; those before it stay.
pub fn migrate(url: &str, progress: &mut dyn FnMut(&str)) -> Result<usize, MigrateError> {
    let url: DatabaseUrl = url.parse()?;
    make_private_file(&url)?;
    let mut conn = connect(&url, Access::Create)?;
    let failed = |error: diesel::result::Error| OpenError::from_database(&url, &error);
    let lock = MigrationLock::take(&mut conn).map_err(failed)?;
    let run = run_pending(&url, &mut conn, progress);
    // The connection ends here, and a lock that could not be given back with it.
    let _ = lock.release(&mut conn);
    run
}

fn run_pending(
    url: &DatabaseUrl,
    conn: &mut AnyConnection,
    progress: &mut dyn FnMut(&str),
) -> Result<usize, MigrateError> {
    let failed = |error: diesel::result::Error| OpenError::from_database(url, &error);
    let state = State::read(url, conn)?;
    state.refuse_newer(url)?;
    let pending = state.pending();
    if !pending.is_empty() {
        conn.setup().map_err(failed)?;
    }
    let mut done = 0;
    for migration in pending {
        let name = migration.name().to_string();
        progress(&name);
        let ran = run_one(conn, migration).map_err(|reason| MigrateError::Failed {
            url: url.clone(),
            name,
            reason: one_line(&reason),
        })?;
        done += usize::from(ran);
    }
    Ok(done)
}

/// Runs one migration and notes it. Answers whether that was still necessary.
fn run_one(conn: &mut AnyConnection, migration: &AnyMigration) -> Result<bool, String> {
    dialect::begin_migration(conn).map_err(|error| error.to_string())?;
    let result = run_and_note(conn, migration);
    match result {
        Ok(ran) => {
            dialect::commit(conn).map_err(|error| error.to_string())?;
            Ok(ran)
        }
        Err(reason) => {
            let _ = dialect::rollback(conn);
            Err(reason)
        }
    }
}

fn run_and_note(conn: &mut AnyConnection, migration: &AnyMigration) -> Result<bool, String> {
    // Looked at again within the transaction: on SQLite that is where others are shut out.
    let known = applied(conn).map_err(|error| error.to_string())?;
    if known.contains(&version(migration)) {
        return Ok(false);
    }
    migration.run(conn).map_err(|error| error.to_string())?;
    diesel::insert_into(noted::__diesel_schema_migrations)
        .values(noted::version.eq(version(migration)))
        .execute(conn)
        .map_err(|error| error.to_string())?;
    Ok(true)
}

/// Undoes all migrations, the last first.
#[cfg(feature = "testkit")]
pub(crate) fn revert_all(url: &str) -> Result<(), MigrateError> {
    let url: DatabaseUrl = url.parse()?;
    let mut conn = connect(&url, Access::ReadWrite)?;
    for migration in all(&url)?.iter().rev() {
        let row = noted::__diesel_schema_migrations.filter(noted::version.eq(version(migration)));
        let reverted =
            migration.revert(&mut conn).and_then(|()| Ok(diesel::delete(row).execute(&mut conn)?));
        reverted.map_err(|error| MigrateError::Failed {
            url: url.clone(),
            name: migration.name().to_string(),
            reason: one_line(&error.to_string()),
        })?;
    }
    Ok(())
}

/// Makes the file before `SQLite` does, so that nobody but its owner can read the hashes in it.
fn make_private_file(url: &DatabaseUrl) -> Result<(), OpenError> {
    let Some(path) = url.path() else {
        return Ok(());
    };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(OpenError::Unreachable { url: url.clone(), reason: error.to_string() }),
    }
}
