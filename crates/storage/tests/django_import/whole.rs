//! A site as it should be, taken over whole.

use std::sync::Mutex;

use futures_executor::block_on;
use serde_json::Value;
use vestibule_core::{
    Timestamp, domain::permission::PermissionCode, ports::store::StoreError,
    usecase::bootstrap::FIRST_SUPERUSER_MARK,
};
use vestibule_storage::django::{Kind, Options, Progress, Report, import};

use super::support::{Home, Site, fixture, lines, rights_here, rights_there, user};

#[test]
fn seed_cn_48_a_live_site_comes_over_with_hashes_groups_permissions_and_guardian_rows() {
    let (home, site) = (Home::new(), fixture("site.sqlite3"));
    let report = home.import(&site);
    let there = |table: &str| {
        let count = format!("SELECT CAST(count(*) AS text) AS line FROM {table}");
        lines(&site, &count)[0].parse::<u64>().unwrap()
    };
    let counts = report.counts;
    assert_eq!(counts.users.new, there("auth_user"));
    assert_eq!(counts.groups.new, there("auth_group"));
    assert_eq!(counts.permissions.new + counts.permissions.merged, there("auth_permission"));
    assert_eq!(counts.memberships.new, there("auth_user_groups"));
    assert_eq!(
        counts.grants.new + counts.grants.merged,
        there("auth_user_user_permissions") + there("auth_group_permissions")
    );
    assert_eq!(
        counts.object_grants.new + counts.object_grants.merged,
        there("guardian_userobjectpermission") + there("guardian_groupobjectpermission")
    );
    let all = "SELECT username || char(1) || password AS line FROM auth_user";
    for line in lines(&site, all) {
        let (name, password) = line.split_once('\u{1}').unwrap();
        assert_eq!(home.password(name), password, "{name}");
    }
    assert_eq!(left_out(&report), 0, "{report}");
}

fn left_out(report: &Report) -> u64 {
    report.counts.all().iter().map(|(_, count)| count.left_out).sum()
}

#[test]
fn everybody_has_exactly_the_rights_that_the_tables_give_in_django() {
    for (name, table) in [("site.sqlite3", "auth_user"), ("custom_user.sqlite3", "accounts_user")] {
        let (home, site) = (Home::new(), fixture(name));
        let report = home.import(&site);
        assert_eq!(report.user_table, table);
        let there = rights_there(&site, table);
        assert!(there.values().any(|rights| rights.permissions.len() > 3));
        assert!(there.values().any(|rights| !rights.objects.is_empty()));
        for (name, rights) in there {
            assert_eq!(rights_here(&home.store, &name), rights, "{name}");
        }
    }
}

#[test]
fn everybody_has_exactly_the_permissions_that_django_computes() {
    for (site, expected) in
        [("site.sqlite3", "expected.json"), ("custom_user.sqlite3", "custom_user_expected.json")]
    {
        let home = Home::new();
        home.import(&fixture(site));
        let expected = std::fs::read_to_string(fixture(expected)).unwrap();
        let expected: Vec<Value> = serde_json::from_str(&expected).unwrap();
        assert!(expected.len() > 10);
        for row in &expected {
            super::servers::check_expected(&home.store, row);
        }
    }
}

#[test]
fn a_row_comes_over_with_all_that_it_says() {
    let (home, site) = (Home::new(), Site::empty());
    site.user(7, "ada");
    site.sql(
        "UPDATE auth_user SET email = 'Ada@Example.org', first_name = 'Ada', last_name = 'Byron',
            is_staff = 1, is_superuser = 1, last_login = '2024-01-02 03:04:05'",
    );
    site.user(8, "bo");
    site.sql("UPDATE auth_user SET is_active = 0, email = '' WHERE id = 8");
    site.group(1, "Lab 1");
    home.import(&site.path);
    let ada = home.user("ada").unwrap();
    let time = |text| Timestamp::parse_rfc3339(text).unwrap();
    assert_eq!(ada.email.as_ref().unwrap().as_str(), "Ada@Example.org");
    assert!(!ada.email_verified);
    assert_eq!((ada.first_name.as_str(), ada.last_name.as_str()), ("Ada", "Byron"));
    assert!(ada.is_active && ada.is_staff && ada.is_superuser);
    assert_eq!(ada.created_at, time("2019-05-06T07:08:09.00001Z"));
    assert_eq!(ada.last_login_at, Some(time("2024-01-02T03:04:05Z")));
    assert_eq!(ada.password_changed_at, None);
    let bo = home.user("bo").unwrap();
    assert!(!bo.is_active && !bo.is_staff && !bo.is_superuser);
    assert_eq!((bo.email, bo.last_login_at), (None, None));
    let code = PermissionCode::parse("calc.view_job").unwrap();
    let permission = home.read(move |tx| tx.permission(&code)).unwrap();
    assert_eq!(permission.description, "Can view job");
    assert_eq!((permission.service.as_str(), permission.on), ("django", None));
}

#[test]
fn the_first_start_s_link_is_worth_nothing_once_a_superuser_was_imported() {
    let (home, site) = (Home::new(), Site::empty());
    site.user(1, "ada");
    site.sql("UPDATE auth_user SET is_superuser = 1, is_active = 0");
    home.import(&site.path);
    let mark = || home.read(|tx| tx.instance_mark(FIRST_SUPERUSER_MARK));
    assert_eq!(mark(), None, "nobody could log in yet");
    site.user(2, "bo");
    site.sql("UPDATE auth_user SET is_superuser = 1 WHERE id = 2");
    home.import(&site.path);
    let id = home.user("bo").unwrap().id.to_string();
    assert_eq!(mark(), Some(id));
}

#[test]
fn one_audit_event_tells_of_a_run_and_caches_hear_of_new_rights() {
    let (home, site) = (Home::new(), fixture("site.sqlite3"));
    let report = home.import(&site);
    let events = home.audit();
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(event.action, "import.django");
    assert_eq!(event.actor, "command line");
    assert_eq!(event.target, report.source);
    let counts = serde_json::to_value(report.counts).unwrap();
    assert_eq!(event.details["counts"], counts);
    assert_eq!(home.last_change(), 1);
}

#[test]
fn the_progress_names_every_kind_and_comes_to_its_end() {
    let (home, site) = (Home::new(), fixture("site.sqlite3"));
    let seen = Mutex::new(Vec::<Progress>::new());
    let address = site.display().to_string();
    let mut progress = |at| seen.lock().unwrap().push(at);
    let cx = home.cx();
    block_on(import(&address, &home.store, &cx, Options::default(), &mut progress)).unwrap();
    let seen = seen.into_inner().unwrap();
    for kind in [
        Kind::Permissions,
        Kind::Groups,
        Kind::Users,
        Kind::Memberships,
        Kind::Grants,
        Kind::ObjectGrants,
    ] {
        let of_kind: Vec<_> = seen.iter().filter(|at| at.kind == kind).collect();
        assert_eq!(of_kind[0].done, 0, "{kind:?}");
        let last = of_kind[of_kind.len() - 1];
        assert_eq!(last.done, last.total, "{kind:?}");
        assert!(last.done > 0, "{kind:?}");
    }
}

#[test]
fn accounts_that_are_here_are_never_overwritten_by_those_of_the_same_name() {
    let (home, other, site) = (Home::new(), Site::empty(), Site::empty());
    other.user(1, "ada");
    other.group(1, "Lab 1");
    home.import(&other.path);
    let before = home.user("ada");
    site.user(1, "ADA");
    site.user(2, "bo");
    site.sql(
        "UPDATE auth_user SET password = 'md5$salt$ffffffffffffffffffffffffffffffff',
            is_superuser = 1 WHERE id = 1;
         UPDATE auth_user SET email = 'ada@EXAMPLE.org' WHERE id = 2;
         INSERT INTO auth_group VALUES (1, 'lab 1');
         INSERT INTO auth_user_groups VALUES (1, 2, 1)",
    );
    let report = home.import(&site.path);
    assert_eq!(home.user("ada"), before);
    assert_eq!(home.password("ada"), "md5$salt$00000000000000000000000000000001");
    let said: Vec<_> = report
        .entries
        .iter()
        .map(|entry| (entry.table.as_str(), entry.key.as_str(), reason(entry)))
        .collect();
    assert_eq!(
        said,
        [
            ("auth_group", "1", "name_taken".to_owned()),
            ("auth_user", "1", "name_taken".to_owned()),
            ("auth_user", "2", "email_taken".to_owned()),
            ("auth_user_groups", "1", "refers_to_left_out".to_owned()),
        ]
    );
    assert_eq!(home.user("bo").unwrap().email, None);
    let store = home.store.clone();
    assert!(rights_here(&store, "bo").groups.is_empty());
}

pub(crate) fn reason(entry: &vestibule_storage::django::Entry) -> String {
    let json = serde_json::to_value(entry.reason).unwrap();
    json.as_str().unwrap().to_owned()
}

#[test]
fn a_login_name_that_reads_as_somebody_else_s_address_is_that_of_its_owner_alone() {
    let (home, site) = (Home::new(), Site::empty());
    site.user(1, "ada");
    site.user(2, "ada@example.org");
    home.import(&site.path);
    assert_eq!(home.user("ada").unwrap().email, None);
    assert!(home.user("ada@example.org").is_some());
    let key = "ada@example.org";
    let by_mail = block_on(home.store.read::<_, StoreError>(move |tx| tx.user_by_email_key(key)));
    assert_eq!(by_mail.unwrap(), None);
}

#[test]
fn permissions_of_other_services_keep_their_description_and_vestibule_s_own_are_out_of_reach() {
    let (home, site) = (Home::new(), Site::empty());
    home.write(|tx| {
        let code = PermissionCode::parse("calc.view_job").unwrap();
        tx.put_permission(&vestibule_core::domain::permission::Permission {
            code,
            description: "See jobs".to_owned(),
            service: "jobs".to_owned(),
            on: None,
            registered_at: Timestamp::from_micros(1),
        })
    });
    site.user(1, "ada");
    site.sql(
        "INSERT INTO django_content_type VALUES (9, 'vestibule', 'user');
         INSERT INTO auth_permission (id, content_type_id, codename, name)
            VALUES (9, 9, 'change_user', 'Change accounts');
         INSERT INTO auth_user_user_permissions VALUES (1, 1, 1), (2, 1, 9)",
    );
    let report = home.import(&site.path);
    let said: Vec<_> = report.entries.iter().map(reason).collect();
    assert_eq!(said, ["permission_taken", "permission_reserved", "refers_to_left_out"]);
    let rights = rights_here(&home.store, "ada");
    assert_eq!(rights.permissions.into_iter().collect::<Vec<_>>(), ["calc.view_job"]);
    let code = PermissionCode::parse("calc.view_job").unwrap();
    let kept = home.read(move |tx| tx.permission(&code)).unwrap();
    assert_eq!((kept.service.as_str(), kept.description.as_str()), ("jobs", "See jobs"));
    assert!(user(&home.store, "ada").is_some());
}
