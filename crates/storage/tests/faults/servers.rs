//! Faults between the store and a database server.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Barrier, atomic::AtomicBool},
};

use vestibule_storage::testkit::{TestConnection, TestDatabase};

use super::*;

/// Runs a test on each server of the build.
macro_rules! on_every_server {
    ($(fn $name:ident($site:ident) $body:block)*) => {
        $(fn $name($site: &Site) $body)*

        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[test] fn $name() { super::$name(&super::Site::on(super::Database::Postgres)); })*
        }
        #[cfg(feature = "mysql")]
        mod mysql {
            $(#[test] fn $name() { super::$name(&super::Site::on(super::Database::Mysql)); })*
        }
    };
}

/// Ends all other connections to the database, as an administrator would.
fn cut_connections(url: &str, kind: Database) {
    let mut admin = TestConnection::to(url);
    if kind == Database::Mysql {
        let kill = "SELECT CONCAT('KILL ', id) AS answer FROM information_schema.processlist \
                    WHERE db = DATABASE() AND id <> CONNECTION_ID()";
        for statement in admin.texts(kill) {
            // One may have ended by itself meanwhile.
            let _ = admin.try_execute(&statement);
        }
    } else {
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid() \
             AND backend_type = 'client backend'",
        );
    }
}

/// Stands between the store and the server, and cuts the line at a COMMIT when told to.
struct Proxy {
    url: String,
    cut: Arc<Cut>,
}

#[derive(Default)]
struct Cut {
    /// Cut the line when the next commit comes by.
    armed: AtomicBool,
    /// Let that commit through to the server first.
    after: AtomicBool,
}

impl Proxy {
    fn before(database: &TestDatabase) -> Self {
        let (rest, path) = database.url().rsplit_once('/').unwrap();
        let (credentials, address) = rest.rsplit_once('@').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        // Encrypted, no commit could be seen.
        let plain = if credentials.starts_with("postgres") {
            "?sslmode=disable"
        } else {
            "?ssl_mode=disabled"
        };
        let url = format!("{credentials}@127.0.0.1:{port}/{path}{plain}");
        let cut = Arc::new(Cut::default());
        let (address, shared) = (address.to_owned(), Arc::clone(&cut));
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(&address).unwrap());
                let cut = Arc::clone(&shared);
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || forward(from, to, Some(&cut)));
                thread::spawn(move || forward(server, client, None));
            }
        });
        Self { url, cut }
    }

    fn cut_at_commit(&self, after: bool) {
        self.cut.after.store(after, Ordering::SeqCst);
        self.cut.armed.store(true, Ordering::SeqCst);
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, cut: Option<&Cut>) {
    let mut buffer = vec![0; 65536];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let bytes = &buffer[..read];
        // At its very end, as READ COMMITTED begins a transaction.
        let commits = bytes.ends_with(b"COMMIT") || bytes.ends_with(b"COMMIT\0");
        let cuts = commits && cut.is_some_and(|cut| cut.armed.swap(false, Ordering::SeqCst));
        if cuts && !cut.is_some_and(|cut| cut.after.load(Ordering::SeqCst)) {
            break;
        }
        if to.write_all(bytes).is_err() {
            break;
        }
        if cuts {
            // Half-closed: the server reads the commit, its answer reaches nobody.
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Write);
            return;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

fn through(proxy: &Proxy) -> Store {
    let options = vestibule_storage::StoreOptions { pool_size: 1 };
    vestibule_storage::open(&proxy.url, &options).unwrap().into_store()
}

on_every_server! {
    fn flt_f18_reads_do_not_notice_a_connection_that_was_cut(site) {
        site.stored_user("anna");
        for _ in 0..3 {
            cut_connections(site.database.url(), kind(site));
            assert_eq!(users(&site.store), 1);
            cut_connections(site.database.url(), kind(site));
            assert!(site.lookup(|tx| tx.user_by_username_key("anna")).is_some());
        }
    }

    fn flt_f18_a_read_that_is_cut_in_its_midst_is_run_again(site) {
        site.stored_user("anna");
        let runs = AtomicU32::new(0);
        let (url, database) = (Arc::new(site.database.url().to_owned()), kind(site));
        let count = site.read(move |tx| {
            tx.user_count()?;
            if runs.fetch_add(1, Ordering::SeqCst) == 0 {
                cut_connections(&url, database);
            }
            tx.user_count()
        });
        assert_eq!(count, 1);
    }

    fn flt_f18_a_write_on_a_connection_that_was_cut_while_idle_goes_through(site) {
        cut_connections(site.database.url(), kind(site));
        site.stored_user("anna");
        assert_eq!(users(&site.store), 1);
    }

    fn flt_f04_a_write_that_is_cut_in_its_midst_is_undone(site) {
        let user = site.user("anna");
        let (url, database) = (Arc::new(site.database.url().to_owned()), kind(site));
        let runs = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&runs);
        let error = site.try_write(move |tx| {
            counted.fetch_add(1, Ordering::SeqCst);
            tx.insert_user(&user, &hash("x"))?;
            cut_connections(&url, database);
            Ok(())
        }).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Unavailable);
        assert_eq!(runs.load(Ordering::SeqCst), 1, "a write is not run again behind the caller's back");
        assert_eq!(users(&site.store), 0);
    }

    fn flt_f04_a_commit_that_never_arrived_is_undone(site) {
        let proxy = Proxy::before(&site.database);
        let store = through(&proxy);
        let heard = Arc::new(Heard::default());
        store.observe(Arc::clone(&heard) as Arc<dyn ChangeObserver>);
        let user = site.user("anna");
        proxy.cut_at_commit(false);
        let error = wait(store.write(move |tx| {
            tx.announce(Change::Everyone, NOW)?;
            tx.insert_user(&user, &hash("x"))
        })).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Unavailable);
        assert_eq!(*heard.0.lock().unwrap(), []);
        assert_eq!(users(&site.store), 0);
        assert_eq!(users(&store), 0, "the store goes on with a new connection");
    }

    fn flt_f04_a_commit_whose_answer_was_lost_is_told_as_unknown(site) {
        let proxy = Proxy::before(&site.database);
        let store = through(&proxy);
        let user = site.user("anna");
        let again = user.clone();
        proxy.cut_at_commit(true);
        let error = wait(store.write(move |tx| tx.insert_user(&user, &hash("x")))).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Unavailable);
        // Wholly committed; whoever tries again is told so and nothing is there twice. The server
        // may still be busy with the commit, which the second try waits for.
        let error = wait(store.write(move |tx| tx.insert_user(&again, &hash("x")))).unwrap_err();
        assert!(error.is_duplicate(), "{error}");
        assert_eq!(users(&site.store), 1);
    }

    fn flt_f10_of_two_in_a_deadlock_both_get_through(site) {
        let (anna, bert) = (site.stored_user("anna").id, site.stored_user("bert").id);
        let meet = Arc::new(Barrier::new(2));
        let runs = Arc::new(AtomicU32::new(0));
        let rivals: Vec<_> = [(anna, bert), (bert, anna)].into_iter().map(|(first, second)| {
            let (store, meet, runs) = (site.store.clone(), Arc::clone(&meet), Arc::clone(&runs));
            let mut is_first_run = true;
            thread::spawn(move || wait(store.write(move |tx| {
                runs.fetch_add(1, Ordering::SeqCst);
                tx.update_user_last_login(first, NOW)?;
                if std::mem::take(&mut is_first_run) {
                    meet.wait();
                }
                tx.update_user_last_login(second, NOW)
            })))
        }).collect();
        for rival in rivals {
            assert!(rival.join().unwrap().unwrap());
        }
        assert!(runs.load(Ordering::SeqCst) > 2, "one of them was run again");
    }
}
