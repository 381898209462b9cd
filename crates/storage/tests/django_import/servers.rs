//! The same site from servers, and what of it can be looked at on any database.

use std::collections::BTreeSet;

use serde_json::Value;
use vestibule_core::ports::store::Store;

use super::support::{rights_here, user};

/// Compares an imported account with a row of `expected.json`.
pub(crate) fn check_expected(store: &Store, row: &Value) {
    let text = |key: &str| row[key].as_str().unwrap();
    let set = |key: &str| -> BTreeSet<String> {
        let list = row[key].as_array().unwrap();
        list.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
    };
    let name = text("username");
    let account = user(store, name).unwrap_or_else(|| panic!("{name} was not imported"));
    assert_eq!(account.username.as_str(), name);
    assert_eq!(Value::Bool(account.is_staff), row["staff"], "{name}");
    assert_eq!(Value::Bool(account.is_superuser), row["superuser"], "{name}");
    let rights = rights_here(store, name);
    assert_eq!(rights.groups, set("groups"), "{name}");
    // Django's answer for those who are inactive is nobody's, and for superusers everything.
    if account.is_active && !account.is_superuser {
        let permissions: BTreeSet<_> = rights.permissions;
        assert_eq!(permissions, set("permissions"), "{name}");
    }
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
mod copies {
    use vestibule_storage::django::Options;

    use super::{
        super::support::{Home, Rights, fixture, import_into, rights_here, rights_there},
        check_expected,
    };

    fn address(variable: &str) -> String {
        std::env::var(variable).unwrap_or_else(|_| {
            panic!(
                "{variable} is not set: it holds the address of a copy of tests/django/site.sqlite3 \
                 (tests/django/copy_site.py makes one; scripts/test does all of it)"
            )
        })
    }

    fn a_copy_gives_what_the_original_gives(variable: &str) {
        let (home, original) = (Home::new(), fixture("site.sqlite3"));
        let cx = home.cx();
        let from_server =
            import_into(&home.store, &cx, &address(variable), Options::default()).unwrap();
        let from_file = Home::new().import(&original);
        assert_eq!(from_server.counts, from_file.counts);
        assert_eq!(from_server.entries, from_file.entries);
        for (name, rights) in rights_there(&original, "auth_user") {
            let here: Rights = rights_here(&home.store, &name);
            assert_eq!(here, rights, "{name}");
        }
        let expected = std::fs::read_to_string(fixture("expected.json")).unwrap();
        let expected: Vec<serde_json::Value> = serde_json::from_str(&expected).unwrap();
        for row in &expected {
            check_expected(&home.store, row);
        }
        let twin = Home::new();
        twin.import(&original);
        for row in &expected {
            let name = row["username"].as_str().unwrap();
            assert_eq!(home.password(name), twin.password(name), "{name}");
            let (mut here, there) = (home.user(name).unwrap(), twin.user(name).unwrap());
            here.id = there.id;
            assert_eq!(here, there);
        }
        let before = home.dump();
        let again = import_into(&home.store, &cx, &address(variable), Options::default()).unwrap();
        assert!(!again.changed_anything());
        assert_eq!(home.dump(), before);
    }

    /// The address with something else in place of one part of it.
    fn changed(variable: &str, change: impl FnOnce(&mut url::Url)) -> String {
        let mut url = url::Url::parse(&address(variable)).unwrap();
        change(&mut url);
        url.to_string()
    }

    fn refusals_keep_the_password(variable: &str) {
        let wrong = changed(variable, |url| url.set_password(Some("hunter2%21")).unwrap());
        let nobody = changed(variable, |url| {
            url.set_password(Some("hunter2%21")).unwrap();
            url.set_port(Some(1)).unwrap();
        });
        for source in [wrong, nobody] {
            let home = Home::new();
            let result = import_into(&home.store, &home.cx(), &source, Options::default());
            let error = result.unwrap_err();
            let said = format!("{error} {error:?}");
            assert!(said.contains("cannot be opened"), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
        let absent = changed(variable, |url| url.set_path("no_such_site"));
        let home = Home::new();
        let error = import_into(&home.store, &home.cx(), &absent, Options::default()).unwrap_err();
        assert!(error.to_string().contains("no_such_site"), "{error}");
    }

    #[cfg(feature = "postgres")]
    mod postgres {
        const COPY: &str = "VESTIBULE_TEST_DJANGO_POSTGRES";

        #[test]
        fn a_copy_gives_what_the_original_gives() {
            super::a_copy_gives_what_the_original_gives(COPY);
        }

        #[test]
        fn refusals_keep_the_password() {
            super::refusals_keep_the_password(COPY);
        }
    }

    #[cfg(feature = "mysql")]
    mod mysql {
        const COPY: &str = "VESTIBULE_TEST_DJANGO_MYSQL";

        #[test]
        fn a_copy_gives_what_the_original_gives() {
            super::a_copy_gives_what_the_original_gives(COPY);
        }

        #[test]
        fn refusals_keep_the_password() {
            super::refusals_keep_the_password(COPY);
        }
    }
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
mod homes {
    use vestibule_storage::testkit::Database;

    use super::super::{
        again::a_second_run_writes_nothing,
        broken::an_odd_password_spoils_its_own_cell_alone,
        cut_off::{killed_between_any_two_transactions, several_at_once},
        support::{Home, fixture, rights_here, rights_there},
    };

    fn everybody_has_the_rights_of_django(kind: Database) {
        let (home, site) = (Home::on(kind), fixture("site.sqlite3"));
        let report = home.import(&site);
        assert_eq!(report, Home::new().import(&site));
        for (name, rights) in rights_there(&site, "auth_user") {
            assert_eq!(rights_here(&home.store, &name), rights, "{name}");
        }
    }

    macro_rules! homes {
        ($($module:ident = $feature:literal, $kind:ident;)*) => {$(
            #[cfg(feature = $feature)]
            mod $module {
                use super::*;

                #[test]
                fn everybody_has_the_rights_of_django() {
                    super::everybody_has_the_rights_of_django(Database::$kind);
                }

                #[test]
                fn a_second_import_writes_nothing() {
                    for site in ["site.sqlite3", "broken.sqlite3"] {
                        a_second_run_writes_nothing(&Home::on(Database::$kind), site);
                    }
                }

                #[test]
                fn an_odd_password_spoils_its_own_cell_alone() {
                    super::an_odd_password_spoils_its_own_cell_alone(&Home::on(Database::$kind));
                }

                #[test]
                fn a_killed_import_is_completed_by_the_next() {
                    killed_between_any_two_transactions(|| Home::on(Database::$kind));
                }

                #[test]
                fn several_imports_at_once_leave_what_one_leaves() {
                    several_at_once(&Home::on(Database::$kind));
                }
            }
        )*};
    }

    homes! {
        postgres = "postgres", Postgres;
        mysql = "mysql", Mysql;
    }
}
