//! Where an import reads from: the tables it finds, and what it says when it finds none.

use std::{fs, path::Path};

use vestibule_storage::django::{ImportError, Options};

use super::support::{Home, Site, fixture, lines};

fn refusal(home: &Home, source: &str, options: Options) -> String {
    let before = home.dump();
    let result = home.try_import(Path::new(source), options);
    assert_eq!(home.dump(), before);
    result.unwrap_err().to_string()
}

#[test]
fn a_site_with_a_user_table_of_its_own_is_found_out_and_named() {
    let (home, site) = (Home::new(), fixture("custom_user.sqlite3"));
    let report = home.import(&site);
    assert_eq!(report.user_table, "accounts_user");
    for name in lines(&site, "SELECT username AS line FROM accounts_user") {
        assert!(home.user(&name).is_some(), "{name}");
    }
    assert!(report.counts.memberships.new > 0);
}

#[test]
fn a_user_table_left_over_from_before_a_site_had_its_own_is_told_apart() {
    let (home, site) = (Home::new(), Site::of("custom_user.sqlite3"));
    site.sql(
        "CREATE TABLE auth_user AS SELECT * FROM accounts_user LIMIT 2;
         CREATE TABLE auth_user_groups AS SELECT * FROM accounts_user_groups LIMIT 0;
         CREATE TABLE auth_user_user_permissions AS
            SELECT * FROM accounts_user_user_permissions LIMIT 0",
    );
    assert_eq!(home.import(&site.path).user_table, "accounts_user");
    let asked_for = Options { user_table: Some("auth_user".to_owned()), ..Options::default() };
    let report = Home::new().try_import(&site.path, asked_for).unwrap();
    assert_eq!(report.user_table, "auth_user");
    assert_eq!(report.counts.users.new, 2);
    site.sql("DROP TABLE django_admin_log; DROP TABLE guardian_userobjectpermission");
    let unclear = refusal(&Home::new(), &site.path.display().to_string(), Options::default());
    assert!(unclear.contains("accounts_user, auth_user"), "{unclear}");
}

#[test]
fn a_user_table_that_lacks_columns_is_refused_by_their_names() {
    let site = Site::of("custom_user.sqlite3");
    site.sql(
        "ALTER TABLE accounts_user DROP COLUMN first_name;
         ALTER TABLE accounts_user DROP COLUMN date_joined",
    );
    let said = refusal(&Home::new(), &site.path.display().to_string(), Options::default());
    assert!(said.contains("accounts_user lacks the columns first_name, date_joined"), "{said}");
    site.sql("ALTER TABLE accounts_user RENAME COLUMN username TO login");
    let said = refusal(&Home::new(), &site.path.display().to_string(), Options::default());
    assert!(said.contains("no table has the columns username, password"), "{said}");
}

#[test]
fn a_database_that_is_not_django_s_is_refused_by_what_it_lacks() {
    let home = Home::new();
    let site = Site::without_tables();
    let said = refusal(&home, &site.path.display().to_string(), Options::default());
    assert!(said.contains("is not the database of a Django site"), "{said}");
    assert!(said.contains("table auth_permission"), "{said}");
    let itself = refusal(&home, &home.database.file().display().to_string(), Options::default());
    assert!(itself.contains("is not the database of a Django site"), "{itself}");
}

#[test]
fn what_cannot_be_opened_is_refused_with_the_reason_and_not_made() {
    let home = Home::new();
    let dir = tempfile::tempdir().unwrap();
    let absent = dir.path().join("absent.sqlite3");
    let said = refusal(&home, &format!("sqlite:{}", absent.display()), Options::default());
    assert!(said.contains("absent.sqlite3") && said.contains("No such file"), "{said}");
    assert!(!absent.exists());
    let text = dir.path().join("text.sqlite3");
    fs::write(&text, "username,password\n".repeat(50)).unwrap();
    let said = refusal(&home, &text.display().to_string(), Options::default());
    assert!(said.contains("is not a SQLite database"), "{said}");
    let said = refusal(&home, &dir.path().display().to_string(), Options::default());
    assert!(said.contains("folder"), "{said}");
    let torn = dir.path().join("torn.sqlite3");
    let mut bytes = fs::read(fixture("site.sqlite3")).unwrap();
    bytes.truncate(bytes.len() / 2);
    fs::write(&torn, bytes).unwrap();
    let result = home.try_import(&torn, Options::default());
    assert!(matches!(result, Err(ImportError::Reading { .. })), "{result:?}");
    let said = refusal(&home, "oracle://ann:s3cret@host/site", Options::default());
    assert!(said.contains("sqlite:, postgres:// or mysql://"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
}

#[test]
fn reading_a_site_leaves_no_trace_beside_its_file() {
    for mode in ["delete", "wal"] {
        let site = Site::of("site.sqlite3");
        site.sql(&format!("PRAGMA journal_mode = {mode}; UPDATE auth_user SET first_name = 'x'"));
        let folder = site.path.parent().unwrap();
        let files = || {
            let mut files: Vec<_> =
                fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            files.sort();
            files
        };
        let (before, bytes) = (files(), fs::read(&site.path).unwrap());
        Home::new().import(&site.path);
        assert_eq!(files(), before, "{mode}");
        assert_eq!(fs::read(&site.path).unwrap(), bytes, "{mode}");
    }
}

#[test]
fn a_site_that_is_in_use_in_wal_mode_is_read_as_it_is() {
    use diesel::{Connection as _, connection::SimpleConnection};
    let (home, site) = (Home::new(), Site::of("site.sqlite3"));
    let mut live = diesel::SqliteConnection::establish(&site.path.display().to_string()).unwrap();
    live.batch_execute(
        "PRAGMA journal_mode = wal; PRAGMA wal_autocheckpoint = 0;
         UPDATE auth_user SET first_name = 'Fresh'",
    )
    .unwrap();
    home.import(&site.path);
    let name = lines(&site.path, "SELECT username AS line FROM auth_user WHERE id = 2").remove(0);
    assert_eq!(home.user(&name).unwrap().first_name.as_str(), "Fresh");
}

#[test]
fn a_site_that_has_moved_is_known_by_the_name_it_was_given() {
    let (home, site) = (Home::new(), Site::of("site.sqlite3"));
    let named = || Options { source: Some("beamline portal".to_owned()), ..Options::default() };
    home.try_import(&site.path, named()).unwrap();
    let moved = site.path.with_file_name("moved.sqlite3");
    fs::rename(&site.path, &moved).unwrap();
    let report = home.try_import(&moved, named()).unwrap();
    assert_eq!(report.source, "beamline portal");
    assert!(!report.changed_anything());
    let unnamed = home.import(&moved);
    assert_eq!(unnamed.counts.users.left_out, 61, "another site for all we know");
}

#[cfg(not(feature = "postgres"))]
#[test]
fn a_build_without_the_database_says_which_feature_brings_it() {
    let said = refusal(&Home::new(), "postgres://ann:s3cret@127.0.0.1/site", Options::default());
    assert!(said.contains("feature `postgres`"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
}
