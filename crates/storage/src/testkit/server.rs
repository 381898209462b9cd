//! Databases on the servers that tests may use.

use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use url::Url;
use vestibule_core::{Clock, SystemClock};

use crate::{
    conn::{Access, AnyConnection},
    store::connect,
};

/// A database that is dropped with its guard.
pub(super) struct Guard {
    admin: Url,
    name: String,
    url: String,
}

impl Guard {
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    fn make(admin: Url, statement: impl FnOnce(&str) -> String) -> Self {
        let name = unique_name();
        administrate(&admin)
            .batch_execute(&statement(&name))
            .expect("a database for the test is made");
        Self { url: named(&admin, &name), admin, name }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let forced = if self.admin.scheme().starts_with("postgres") { " WITH (FORCE)" } else { "" };
        // A test that failed must not fail again while it is unwound.
        if let Ok(url) = self.admin.as_str().parse()
            && let Ok(mut conn) = connect(&url, Access::ReadWrite)
        {
            let _ = conn.batch_execute(&format!("DROP DATABASE {}{forced}", self.name));
        }
    }
}

fn admin(variable: &str) -> Url {
    let url = std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: it names the server that tests may make databases on")
    });
    Url::parse(&url).unwrap_or_else(|_| panic!("{variable} is not a URL"))
}

fn administrate(admin: &Url) -> AnyConnection {
    let url = admin.as_str().parse().expect("the server's address");
    connect(&url, Access::ReadWrite).expect("the test server answers")
}

fn named(admin: &Url, database: &str) -> String {
    let mut url = admin.clone();
    url.set_path(database);
    url.into()
}

/// A name that no other test has, in this process or in others.
fn unique_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let micros = SystemClock.now().as_micros();
    format!("vst_{}_{micros}_{number}", std::process::id())
}

#[cfg(feature = "mysql")]
pub(super) fn empty_mysql() -> Guard {
    Guard::make(admin("VESTIBULE_TEST_MYSQL"), |name| {
        format!("CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    })
}

#[cfg(feature = "postgres")]
pub(super) fn empty_postgres() -> Guard {
    Guard::make(admin("VESTIBULE_TEST_POSTGRES"), |name| {
        format!("CREATE DATABASE {name} TEMPLATE template0")
    })
}

/// A copy of a database that was migrated once per server: several times faster than migrating.
#[cfg(feature = "postgres")]
pub(super) fn copy_of_template() -> Guard {
    static MADE: std::sync::OnceLock<()> = std::sync::OnceLock::new();
    let template = concat!("vst_template_", env!("VESTIBULE_MIGRATIONS"));
    let admin = admin("VESTIBULE_TEST_POSTGRES");
    MADE.get_or_init(|| make_template(&admin, template));
    Guard::make(admin, |name| format!("CREATE DATABASE {name} TEMPLATE {template}"))
}

#[cfg(feature = "postgres")]
fn make_template(admin: &Url, template: &str) {
    use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt};

    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = BigInt)]
        found: i64,
    }

    let mut conn = administrate(admin);
    // Test processes that start together must not make it twice.
    conn.batch_execute("SET statement_timeout = 0; SET lock_timeout = 0").expect("settings");
    conn.batch_execute("SELECT pg_advisory_lock(8388607002)").expect("the lock on the template");
    let question =
        format!("SELECT COUNT(*) AS found FROM pg_database WHERE datname = '{template}'");
    let found: Found = sql_query(question).get_result(&mut conn).expect("the list of databases");
    if found.found == 0 {
        let unfinished = format!("{template}_new");
        conn.batch_execute(&format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)"))
            .expect("what a killed test left");
        conn.batch_execute(&format!("CREATE DATABASE {unfinished} TEMPLATE template0"))
            .expect("the template is made");
        crate::migrate::migrate(&named(admin, &unfinished), &mut |_| {})
            .expect("the template is migrated");
        // Only a whole one has the name.
        conn.batch_execute(&format!("ALTER DATABASE {unfinished} RENAME TO {template}"))
            .expect("the template gets its name");
    }
    conn.batch_execute("SELECT pg_advisory_unlock(8388607002)").expect("the lock on the template");
}
