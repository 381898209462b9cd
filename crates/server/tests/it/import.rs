//! A Django site moves in: everybody logs in with the password they have.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use vestibule_server::core::OpCx;
use vestibule_storage::django::{Options, Report, import};

use crate::support::{Db, TestSite, on_every_database, site::block_on};

on_every_database!(
    seed_cn_48_everybody_of_a_django_site_logs_in_with_their_password_and_rights,
    a_second_import_after_logins_changes_nothing,
    seed_cn_16_a_site_that_shares_its_hashes_keeps_them,
);

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/django")
}

fn fixture_url() -> String {
    format!("sqlite:{}", fixtures().join("site.sqlite3").display())
}

fn expected() -> Vec<Value> {
    let text = std::fs::read_to_string(fixtures().join("expected.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn import_from(site: &TestSite, url: &str) -> Report {
    let (store, cx): (_, OpCx) = (&site.vestibule.site().services.store, site.operator());
    block_on(import(url, store, &cx, Options::default(), &mut |_| {})).unwrap()
}

/// Every row logs in exactly when it should, and has exactly the rights Django gives it.
fn assert_as_expected(site: &TestSite) {
    for row in expected() {
        let (name, password) =
            (row["username"].as_str().unwrap(), row["password"].as_str().unwrap());
        let mut visitor = site.visitor();
        let answer = visitor.log_in(name, password);
        if row["login"] == json!(false) {
            answer.expect_problem(401, "login_failed");
            continue;
        }
        let session = answer.expect(200).json();
        assert_eq!(session["groups"], row["groups"], "{name}");
        assert_eq!(session["user"]["is_staff"], row["staff"], "{name}");
        assert_eq!(session["user"]["is_superuser"], row["superuser"], "{name}");
        if row["superuser"] == json!(false) {
            assert_eq!(session["permissions"], row["permissions"], "{name}");
        }
        visitor.log_in(name, &format!("{password}x")).expect(401);
    }
}

fn seed_cn_48_everybody_of_a_django_site_logs_in_with_their_password_and_rights(db: Db) {
    let site = TestSite::start(db);
    import_from(&site, &fixture_url());
    assert_as_expected(&site);
    let logged_in = expected().iter().filter(|row| row["login"] == json!(true)).count();
    let current = "select count(*) as answer from users where password like '$argon2id$%'";
    let current = site.database.connection().number(current);
    assert_eq!(usize::try_from(current).unwrap(), logged_in, "hashes are upgraded at the login");
}

fn a_second_import_after_logins_changes_nothing(db: Db) {
    let site = TestSite::start(db);
    import_from(&site, &fixture_url());
    let row = expected().into_iter().find(|row| row["login"] == json!(true)).unwrap();
    let (name, password) = (row["username"].as_str().unwrap(), row["password"].as_str().unwrap());
    site.visitor().log_in(name, password).expect(200);
    let before =
        site.database.connection().texts("select password as answer from users order by id");
    let report = serde_json::to_value(import_from(&site, &fixture_url())).unwrap();
    for (kind, count) in report["counts"].as_object().unwrap() {
        assert_eq!((&count["new"], &count["changed"]), (&json!(0), &json!(0)), "{kind}");
    }
    let after =
        site.database.connection().texts("select password as answer from users order by id");
    assert_eq!(before, after);
    site.visitor().log_in(name, password).expect(200);
}

fn seed_cn_16_a_site_that_shares_its_hashes_keeps_them(db: Db) {
    let site = TestSite::plan(db).set("password.upgrade_hashes", "false").start();
    import_from(&site, &fixture_url());
    let stored =
        || site.database.connection().texts("select password as answer from users order by id");
    let before = stored();
    let row = expected().into_iter().find(|row| row["login"] == json!(true)).unwrap();
    let (name, password) = (row["username"].as_str().unwrap(), row["password"].as_str().unwrap());
    site.visitor().log_in(name, password).expect(200);
    assert_eq!(stored(), before);
}

#[cfg(feature = "postgres")]
#[test]
fn seed_cn_48_the_same_site_moves_in_from_postgresql() {
    from_server("VESTIBULE_TEST_DJANGO_POSTGRES");
}

#[cfg(feature = "mysql")]
#[test]
fn seed_cn_48_the_same_site_moves_in_from_mariadb() {
    from_server("VESTIBULE_TEST_DJANGO_MYSQL");
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
fn from_server(variable: &str) {
    let url = std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: scripts/test sets it"));
    let site = TestSite::start(Db::Sqlite);
    import_from(&site, &url);
    assert_as_expected(&site);
}
