//! Databases that are behind, ahead, damaged or not there, and `verify`.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::support::{Desk, Server, bare_command, fed};

/// The folders of the migrations, in their order.
fn migrations() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../storage/migrations/sqlite");
    let mut all: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    all.sort();
    all
}

/// A hall of the release before the newest migration.
fn behind_by_one() -> Desk {
    let desk = Desk::furnished();
    let last = migrations().pop().unwrap();
    let mut connection = desk.connection();
    connection.execute(&fs::read_to_string(last.join("down.sql")).unwrap());
    connection.execute(
        "delete from __diesel_schema_migrations where version =
         (select max(version) from __diesel_schema_migrations)",
    );
    desk
}

/// A hall of a release that is still to come.
fn ahead() -> Desk {
    let desk = Desk::furnished();
    desk.connection()
        .execute("insert into __diesel_schema_migrations (version) values ('29991231000000')");
    desk
}

#[test]
fn seed_cn_47_check_tells_that_nothing_was_migrated_and_makes_nothing() {
    let desk = Desk::bare();
    let all = migrations().len();
    let ran = desk.run(&["migrate", "--check"]).expect(1);
    let told = format!("the database is behind by {all} migrations: run `vestibule migrate`\n");
    assert_eq!(ran.out, told);
    assert!(!desk.database.file().exists());
}

#[test]
fn seed_cn_47_check_tells_whether_a_migration_is_missing() {
    let desk = behind_by_one();
    desk.run(&["migrate", "--check"]).expect(1).prints("the database is behind by 1 migration:");
    let listed = desk.succeed(&["migrate", "--list", "--json"]).json();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), migrations().len());
    assert!(listed[..listed.len() - 1].iter().all(|one| one["applied"] == true), "{listed:?}");
    assert_eq!(listed.last().unwrap()["applied"], false);
    assert_eq!(desk.succeed(&["migrate"]).out.lines().count(), 1);
    assert_eq!(desk.succeed(&["migrate", "--check"]).out, "the database is up to date\n");
    assert_eq!(desk.names(), ["anna", "ben", "root"]);
}

#[test]
fn seed_cn_47_commands_refuse_a_database_that_is_behind() {
    let desk = behind_by_one();
    for arguments in [&["user", "list"][..], &["verify"]] {
        desk.run(arguments)
            .expect(1)
            .says("is behind: 1 migration pending")
            .says("`vestibule migrate`");
    }
    let ran = desk.run(&["check"]).expect(1);
    assert!(ran.out.contains("vst.E002") && ran.out.contains("is behind"), "{ran:?}");
    desk.run(&["migrate", "--check"]).expect(1);
}

#[test]
fn seed_cn_47_serve_brings_an_embedded_database_up_to_date() {
    let desk = behind_by_one();
    drop(Server::start(&desk));
    desk.succeed(&["migrate", "--check"]);
    assert_eq!(desk.names(), ["anna", "ben", "root"]);
}

#[test]
fn flt_f13_every_command_refuses_a_database_of_a_newer_release() {
    let desk = ahead();
    let before = fs::read(desk.database.file()).unwrap();
    for arguments in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["migrate"],
        &["migrate", "--check"],
        &["migrate", "--list"],
        &["user", "list"],
        &["user", "add", "new", "--no-password"],
        &["verify"],
    ] {
        let ran = desk.run(arguments).expect(1).says("was made by a newer release");
        assert!(ran.err.contains("29991231000000") && ran.out.is_empty(), "{ran:?}");
    }
    desk.run(&["check"]).expect(1).prints("was made by a newer release");
    assert!(before == fs::read(desk.database.file()).unwrap(), "the file was changed");
}

#[test]
fn flt_f15_a_file_that_is_no_database_is_refused_and_left_alone() {
    let desk = Desk::bare();
    let text = "these are somebody's notes, and not a database\n".repeat(200);
    fs::write(desk.database.file(), &text).unwrap();
    for arguments in [&["serve"][..], &["migrate"], &["migrate", "--check"], &["user", "list"]] {
        let ran = desk.run(arguments).expect(1);
        let last = ran.err.lines().last().unwrap();
        assert!(last.starts_with("vestibule: ") && last.contains("is damaged"), "{ran:?}");
        assert!(last.contains("not a database") && last.contains("a backup"), "{ran:?}");
    }
    assert_eq!(fs::read_to_string(desk.database.file()).unwrap(), text);
}

#[test]
fn flt_f15_a_damaged_file_is_refused_at_the_start_and_found_by_verify() {
    let desk = Desk::furnished();
    let mut bytes = fs::read(desk.database.file()).unwrap();
    for page in bytes.chunks_mut(4096).skip(4).step_by(3) {
        page[..64].fill(0xA5);
    }
    fs::write(desk.database.file(), bytes).unwrap();
    for arguments in [&["serve"][..], &["user", "list"]] {
        desk.run(arguments).expect(1).says("is damaged").says("restore it from a backup");
    }
    desk.run(&["verify"]).expect(1).prints("the file");
}

#[test]
fn a_database_in_a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["migrate"][..], &["user", "list"]] {
        let mut command = bare_command(folder.path(), arguments);
        let ran = fed(command.env("VESTIBULE_STORAGE__URL", "sqlite:nowhere/v.db"), "").expect(1);
        assert!(ran.err.contains("sqlite:nowhere/v.db"), "{ran:?}");
        assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_in_the_databases_place_is_refused() {
    let desk = Desk::bare();
    fs::create_dir(desk.database.file()).unwrap();
    for arguments in [&["migrate"][..], &["user", "list"], &["verify"]] {
        desk.run(arguments).expect(1).says("vestibule.db");
    }
}

/// Whoever may write everything, as root may, finds no file read-only.
#[test]
fn a_read_only_file_is_refused_and_only_looked_through() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::furnished();
    let file = desk.database.file();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
    if fs::OpenOptions::new().write(true).open(&file).is_ok() {
        // Then SQLite itself is told: this header says that only a newer one may write.
        let mut bytes = fs::read(&file).unwrap();
        (bytes[18], bytes[19]) = (3, 1);
        fs::write(&file, bytes).unwrap();
    }
    for arguments in [&["serve"][..], &["migrate"], &["user", "add", "new", "--no-password"]] {
        desk.run(arguments).expect(1).says("is read-only: ");
    }
    desk.succeed(&["verify"]).prints("everything holds together");
}

#[test]
fn a_database_server_that_is_not_there_is_named_without_its_password() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    for kind in ["postgres", "mysql"] {
        let url = format!("{kind}://hall:hunter22hunter@127.0.0.1:{port}/hall");
        for arguments in [&["migrate"][..], &["user", "list"], &["check"], &["config", "get"]] {
            let mut command = bare_command(folder.path(), arguments);
            let ran = fed(command.env("VESTIBULE_STORAGE__URL", &url), "");
            assert!(!ran.all().contains("hunter22"), "{ran:?}");
            assert!(ran.all().contains(kind), "{ran:?}");
            assert_eq!(ran.status, i32::from(arguments[0] != "config"), "{ran:?}");
        }
    }
}

#[test]
fn verify_finds_nothing_in_a_good_database() {
    let desk = Desk::furnished();
    assert_eq!(desk.succeed(&["verify"]).out, "everything holds together\n");
    assert_eq!(desk.succeed(&["verify", "--json"]).json(), json!([]));
}

#[test]
fn verify_names_what_was_broken_behind_its_back() {
    let desk = Desk::furnished();
    let anna = desk.succeed(&["user", "show", "anna", "--json"]).json();
    let id = anna["id"].as_str().unwrap().replace('-', "");
    let mut connection = desk.connection();
    connection.execute("update users set username_key = 'nonsense' where username = 'anna'");
    connection.execute("pragma foreign_keys = off");
    connection.execute("delete from groups where name = 'outer'");
    let ran = desk.run(&["verify"]).expect(1);
    let row = format!("{id}  username_key is not the key of username");
    assert!(ran.out.lines().any(|line| line.starts_with("users ") && line.ends_with(&row)));
    let findings = desk.run(&["verify", "--json"]).expect(1).json();
    let mut tables: Vec<_> =
        findings.as_array().unwrap().iter().map(|f| f["table"].as_str().unwrap()).collect();
    tables.dedup();
    assert_eq!(tables, ["grants", "nestings", "users"], "{findings}");
}

#[test]
fn import_django_takes_its_address_from_the_standard_input() {
    let desk = Desk::new();
    let site = format!("sqlite:{}/../../tests/django/site.sqlite3", env!("CARGO_MANIFEST_DIR"));
    desk.feed(&["import", "django", "-", "--dry-run"], &format!("{site}\n")).expect(0);
    assert_eq!(desk.count("users"), 0);
    desk.feed(&["import", "django", "-"], &site).expect(0);
    assert!(desk.count("users") > 40);
    let nothing = desk.feed(&["import", "django", "-"], "").expect(2);
    assert!(nothing.err.contains("the standard input holds no address"), "{nothing:?}");
}

#[test]
fn import_django_from_a_copy_is_gone_on_with_from_the_site_under_the_same_name() {
    let desk = Desk::new();
    let fixture = format!("{}/../../tests/django/site.sqlite3", env!("CARGO_MANIFEST_DIR"));
    let (copy, site) = (desk.path("copy.sqlite3"), desk.path("site.sqlite3"));
    fs::copy(&fixture, &copy).unwrap();
    fs::copy(&fixture, &site).unwrap();
    let import = |file: &Path, more: &[&str]| {
        let arguments = ["import", "django", file.to_str().unwrap(), "--json"];
        let report = desk.succeed(&[&arguments, more].concat()).json();
        report["counts"]["users"].clone()
    };
    let named = ["--source", "the portal"];
    assert_eq!(import(&copy, &named)["new"], 61);
    let again = import(&site, &named);
    assert_eq!((&again["unchanged"], &again["left_out"]), (&json!(61), &json!(0)));
    // Without the name it is another site, whose people are not to be taken for those here.
    assert_eq!(import(&site, &[])["left_out"], 61);
}

#[test]
fn import_django_is_told_which_table_has_the_accounts() {
    let desk = Desk::new();
    let site = format!("sqlite:{}/../../tests/django/site.sqlite3", env!("CARGO_MANIFEST_DIR"));
    let report = desk.succeed(&["import", "django", &site, "--json", "--user-table", "auth_user"]);
    assert_eq!(report.json()["user_table"], "auth_user");
    desk.run(&["import", "django", &site, "--user-table", "people"])
        .expect(1)
        .says("there is no table people");
}
