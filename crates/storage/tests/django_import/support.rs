//! A site to import from, a database to import into, and ways to look at both.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use diesel::{
    Connection as _, QueryableByName, RunQueryDsl, SqliteConnection, connection::SimpleConnection,
    sql_query, sql_types::Text,
};
use futures_executor::block_on;
use futures_util::future::{BoxFuture, FutureExt as _};
use tempfile::TempDir;
use vestibule_core::{
    OpCx, Username,
    domain::{
        audit::StoredAuditEvent,
        grant::{Grant, Scope, Subject},
        user::User,
    },
    id::GroupId,
    ports::{
        audit::AuditFilter,
        store::{
            ChangeObserver, Mode, Store, StoreError, StoreErrorKind, StorePort, StoreResult, Tx,
            Work,
        },
    },
    testkit::{ManualClock, cx},
};
use vestibule_storage::{
    SqlStore,
    django::{ImportError, Options, Report, import},
    testkit::{Database, TestDatabase},
};

/// A file among the repository's fixtures.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/django").join(name)
}

/// A fresh database to import into.
pub(crate) struct Home {
    pub(crate) database: TestDatabase,
    pub(crate) port: Arc<SqlStore>,
    pub(crate) store: Store,
    clock: Arc<ManualClock>,
    seed: AtomicUsize,
}

impl Home {
    /// On SQLite.
    pub(crate) fn new() -> Self {
        Self::on(Database::Sqlite)
    }

    pub(crate) fn on(kind: Database) -> Self {
        let database = TestDatabase::fresh(kind);
        let port = Arc::new(database.open());
        Self {
            database,
            store: Store::new(Arc::clone(&port) as Arc<dyn StorePort>),
            port,
            clock: Arc::default(),
            seed: AtomicUsize::new(1),
        }
    }

    /// A context with chance of its own each time, as another process would have.
    pub(crate) fn cx(&self) -> OpCx {
        let seed = self.seed.fetch_add(1, Ordering::SeqCst);
        cx(&self.clock, seed as u64)
    }

    pub(crate) fn import(&self, source: &Path) -> Report {
        self.try_import(source, Options::default()).unwrap()
    }

    pub(crate) fn try_import(
        &self,
        source: &Path,
        options: Options,
    ) -> Result<Report, ImportError> {
        import_into(&self.store, &self.cx(), &source.display().to_string(), options)
    }

    pub(crate) fn read<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> StoreResult<T> + Send + 'static,
    ) -> T {
        block_on(self.store.read(work)).unwrap()
    }

    pub(crate) fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> StoreResult<T> + Send + 'static,
    ) -> T {
        block_on(self.store.write(work)).unwrap()
    }

    pub(crate) fn user(&self, name: &str) -> Option<User> {
        user(&self.store, name)
    }

    pub(crate) fn password(&self, name: &str) -> String {
        let id = self.user(name).unwrap().id;
        let hash = self.read(move |tx| tx.user_password(id)).unwrap();
        hash.expose().to_owned()
    }

    /// Every row of every table.
    pub(crate) fn dump(&self) -> BTreeMap<String, Vec<String>> {
        let mut connection = self.database.connection();
        let (tables, columns, row) = match self.port.kind() {
            Database::Sqlite => (
                "SELECT name AS answer FROM sqlite_master WHERE type = 'table' ORDER BY name",
                "SELECT name AS answer FROM pragma_table_info('{table}')",
                "quote({column})",
            ),
            Database::Postgres => (
                "SELECT table_name::text AS answer FROM information_schema.tables
                 WHERE table_schema = current_schema() ORDER BY 1",
                "SELECT column_name::text AS answer FROM information_schema.columns
                 WHERE table_schema = current_schema() AND table_name = '{table}' ORDER BY 1",
                "coalesce({column}::text, 'NULL')",
            ),
            Database::Mysql => (
                "SELECT CAST(table_name AS char) AS answer FROM information_schema.tables
                 WHERE table_schema = DATABASE() ORDER BY 1",
                "SELECT CAST(column_name AS char) AS answer FROM information_schema.columns
                 WHERE table_schema = DATABASE() AND table_name = '{table}' ORDER BY 1",
                "coalesce(hex(`{column}`), 'NULL')",
            ),
        };
        let glue = match self.port.kind() {
            Database::Mysql => ", '|', ",
            Database::Sqlite | Database::Postgres => " || '|' || ",
        };
        let mut dump = BTreeMap::new();
        for table in connection.texts(tables) {
            let columns = connection.texts(&columns.replace("{table}", &table));
            let cells: Vec<_> =
                columns.iter().map(|column| row.replace("{column}", column)).collect();
            let mut cells = cells.join(glue);
            if self.port.kind() == Database::Mysql {
                cells = format!("concat({cells})");
            }
            let rows = format!("SELECT {cells} AS answer FROM {table} ORDER BY 1");
            dump.insert(table, connection.texts(&rows));
        }
        dump
    }

    /// How many rows there are, of a table and a condition.
    pub(crate) fn count(&self, what: &str) -> i64 {
        let query = format!("SELECT count(*) AS answer FROM {what}");
        self.database.connection().number(&query)
    }

    pub(crate) fn audit(&self) -> Vec<StoredAuditEvent> {
        self.read(|tx| tx.audit_after(&AuditFilter::default(), None, 100))
    }

    pub(crate) fn last_change(&self) -> i64 {
        self.read(|tx| tx.last_change())
    }
}

pub(crate) fn import_into(
    store: &Store,
    cx: &OpCx,
    source: &str,
    options: Options,
) -> Result<Report, ImportError> {
    block_on(import(source, store, cx, options, &mut |_| {}))
}

pub(crate) fn user(store: &Store, name: &str) -> Option<User> {
    let key = Username::key_of(name);
    block_on(store.read::<_, StoreError>(move |tx| tx.user_by_username_key(&key))).unwrap()
}

/// What somebody may do: worked out here from the rows alone, with none of the product's rules.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rights {
    pub(crate) groups: BTreeSet<String>,
    pub(crate) permissions: BTreeSet<String>,
    /// `permission on object`.
    pub(crate) objects: BTreeSet<String>,
}

/// The user's rights as they are stored here.
pub(crate) fn rights_here(store: &Store, name: &str) -> Rights {
    let user = user(store, name).unwrap_or_else(|| panic!("{name} was not imported"));
    let (groups, grants) = block_on(store.read::<_, StoreError>(move |tx| {
        let memberships = tx.memberships_of(user.id)?;
        let ids: Vec<GroupId> = memberships.iter().map(|member| member.group).collect();
        let mut subjects = vec![Subject::User(user.id)];
        subjects.extend(ids.iter().map(|&id| Subject::Group(id)));
        Ok((tx.groups_by_ids(&ids)?, tx.grants_to(&subjects)?))
    }))
    .unwrap();
    let mut rights = Rights {
        groups: groups.iter().map(|group| group.name.to_string()).collect(),
        ..Rights::default()
    };
    for Grant { permission, scope, .. } in grants {
        match scope {
            Scope::Whole => rights.permissions.insert(permission.to_string()),
            Scope::Object(object) => rights.objects.insert(format!("{permission} on {object}")),
            Scope::Prefix(prefix) => panic!("Django knows no prefixes: {prefix}"),
        };
    }
    rights
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The texts that a query gives, in its column `line`.
pub(crate) fn lines(path: &Path, query: &str) -> Vec<String> {
    let uri = format!("file:{}?mode=ro", path.display());
    let mut connection = SqliteConnection::establish(&uri).unwrap();
    let rows: Vec<Line> = sql_query(query).load(&mut connection).unwrap();
    rows.into_iter().map(|row| row.line).collect()
}

/// A Django site that a test makes up: the real tables, empty.
pub(crate) struct Site {
    _dir: TempDir,
    pub(crate) path: PathBuf,
}

impl Site {
    pub(crate) fn empty() -> Self {
        let site = Self::without_tables();
        let tables = lines(
            &fixture("site.sqlite3"),
            "SELECT sql AS line FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        );
        site.sql(&tables.join(";"));
        site.sql(
            "INSERT INTO django_content_type VALUES (1, 'calc', 'job'), (2, 'calc', 'output');
             INSERT INTO auth_permission (id, content_type_id, codename, name) VALUES
                (1, 1, 'view_job', 'Can view job'), (2, 1, 'share_job', 'Can share job'),
                (3, 2, 'view_output', 'Can view output')",
        );
        site
    }

    pub(crate) fn without_tables() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("site.sqlite3");
        let site = Self { _dir: dir, path };
        site.sql("CREATE TABLE notes (id integer)");
        site
    }

    /// A copy of a fixture, to be changed.
    pub(crate) fn of(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("site.sqlite3");
        std::fs::copy(fixture(name), &path).unwrap();
        Self { _dir: dir, path }
    }

    pub(crate) fn sql(&self, statements: &str) {
        let mut connection = SqliteConnection::establish(&self.path.display().to_string()).unwrap();
        connection.batch_execute(&format!("PRAGMA foreign_keys = 0; {statements}")).unwrap();
    }

    /// An active user without any rights; the password's hash names its owner.
    pub(crate) fn user(&self, id: u32, name: &str) {
        self.sql(&format!(
            "INSERT INTO auth_user (id, username, email, password, first_name, last_name,
                is_active, is_staff, is_superuser, date_joined, last_login)
             VALUES ({id}, '{name}', '{name}@example.org', 'md5$salt${id:032x}', 'Some', 'Body',
                1, 0, 0, '2019-05-06 07:08:09.000010', NULL)"
        ));
    }

    pub(crate) fn group(&self, id: u32, name: &str) {
        self.sql(&format!("INSERT INTO auth_group VALUES ({id}, '{name}')"));
    }
}

/// What `get_all_permissions` and guardian say of every active user who is no superuser, by plain
/// queries over Django's tables.
pub(crate) fn rights_there(path: &Path, users: &str) -> BTreeMap<String, Rights> {
    let mut all = BTreeMap::<String, Rights>::new();
    let mut collect = |query: &str, add: fn(&mut Rights, String)| {
        for line in lines(path, query) {
            let (user, right) = line.split_once('\u{1}').unwrap();
            add(all.entry(user.to_owned()).or_default(), right.to_owned());
        }
    };
    let permission = "JOIN auth_permission p ON p.id = g.permission_id \
         JOIN django_content_type t ON t.id = p.content_type_id";
    let code = "u.username || char(1) || t.app_label || '.' || p.codename";
    let object = "|| ' on ' || t.app_label || '.' || t.model || ':' || g.object_pk";
    let via_group = format!("JOIN {users}_groups m ON m.user_id = u.id");
    collect(
        &format!(
            "SELECT u.username || char(1) || r.name AS line FROM {users} u {via_group}
             JOIN auth_group r ON r.id = m.group_id"
        ),
        |rights, name| _ = rights.groups.insert(name),
    );
    for query in [
        format!(
            "SELECT {code} AS line FROM {users} u
             JOIN {users}_user_permissions g ON g.user_id = u.id {permission}"
        ),
        format!(
            "SELECT {code} AS line FROM {users} u {via_group}
             JOIN auth_group_permissions g ON g.group_id = m.group_id {permission}"
        ),
    ] {
        collect(&query, |rights, code| _ = rights.permissions.insert(code));
    }
    for query in [
        format!(
            "SELECT {code} {object} AS line FROM {users} u
             JOIN guardian_userobjectpermission g ON g.user_id = u.id {permission}"
        ),
        format!(
            "SELECT {code} {object} AS line FROM {users} u {via_group}
             JOIN guardian_groupobjectpermission g ON g.group_id = m.group_id {permission}"
        ),
    ] {
        collect(&query, |rights, on| _ = rights.objects.insert(on));
    }
    for name in lines(path, &format!("SELECT username AS line FROM {users}")) {
        all.entry(name).or_default();
    }
    all
}

/// A store whose writes fail from the n-th on, as if the process had been killed there: what was
/// committed before stays.
pub(crate) struct DiesAfter {
    inner: Arc<SqlStore>,
    left: AtomicUsize,
}

impl DiesAfter {
    pub(crate) fn writes(inner: &Arc<SqlStore>, left: usize) -> Store {
        Store::new(Arc::new(Self { inner: Arc::clone(inner), left: AtomicUsize::new(left) }))
    }
}

impl StorePort for DiesAfter {
    fn run(&self, mode: Mode, work: Work) -> BoxFuture<'static, StoreResult<()>> {
        let is_dead = mode == Mode::Write
            && self
                .left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                .is_err();
        if is_dead {
            return async { Err(StoreError::new(StoreErrorKind::Unavailable)) }.boxed();
        }
        self.inner.run(mode, work)
    }

    fn observe(&self, observer: Arc<dyn ChangeObserver>) {
        self.inner.observe(observer);
    }
}
