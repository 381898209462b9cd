//! Runs after the first: nothing changed, something changed there, here, or in both.

use vestibule_core::{
    Client, Timestamp, TokenDigest,
    domain::{
        grant::{Effect, Grant, Scope, Subject},
        group::Membership,
        permission::PermissionCode,
        session::Session,
        ticket::{Purpose, Ticket},
        user::User,
    },
    id::{GrantId, SessionId},
    ports::hasher::PasswordHash,
};
use vestibule_storage::django::{Options, Report};

use super::{
    support::{Home, Site, fixture, rights_here},
    whole::reason,
};

fn reasons(report: &Report) -> Vec<String> {
    report.entries.iter().map(reason).collect()
}

#[test]
fn a_second_import_of_what_did_not_change_writes_nothing() {
    for name in ["site.sqlite3", "custom_user.sqlite3", "broken.sqlite3"] {
        a_second_run_writes_nothing(&Home::new(), name);
    }
}

pub(crate) fn a_second_run_writes_nothing(home: &Home, name: &str) {
    let site = fixture(name);
    let first = home.import(&site);
    let before = home.dump();
    let second = home.import(&site);
    assert_eq!(home.dump(), before, "{name}");
    assert!(!second.changed_anything());
    assert_eq!(second.entries, first.entries, "{name}");
    for ((kind, first), (_, second)) in first.counts.all().into_iter().zip(second.counts.all()) {
        assert_eq!(second.unchanged, first.new + first.unchanged, "{name}: {kind}");
        assert_eq!((second.new, second.changed), (0, 0), "{name}: {kind}");
    }
}

#[test]
fn a_dry_run_writes_nothing_and_reports_what_the_import_reports() {
    for name in ["site.sqlite3", "broken.sqlite3"] {
        let (home, site) = (Home::new(), Site::of(name));
        let dry = || Options { dry_run: true, ..Options::default() };
        let empty = home.dump();
        let told = home.try_import(&site.path, dry()).unwrap();
        assert_eq!(home.dump(), empty, "{name}");
        assert_eq!(home.import(&site.path), told, "{name}");
        site.sql(
            "UPDATE auth_user SET first_name = 'Renamed' WHERE id > 105 AND id < 140 OR id < 20;
             DELETE FROM auth_user_groups WHERE id < 3",
        );
        let before = home.dump();
        let told = home.try_import(&site.path, dry()).unwrap();
        assert!(told.counts.users.changed > 5, "{told}");
        assert_eq!(home.dump(), before, "{name}");
        assert_eq!(home.import(&site.path), told, "{name}");
        assert_ne!(home.dump(), before, "{name}");
    }
}

#[test]
fn what_changed_in_django_is_taken_over_and_told_once() {
    let (home, site) = (Home::new(), Site::empty());
    for (id, name) in [(1, "ada"), (2, "bo"), (3, "cy")] {
        site.user(id, name);
    }
    site.group(1, "Lab 1");
    home.import(&site.path);
    site.sql(
        "UPDATE auth_user SET username = 'countess', email = 'countess@example.org' WHERE id = 1;
         UPDATE auth_user SET username = 'ada' WHERE id = 2;
         UPDATE auth_user SET password = 'md5$salt$eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee' WHERE id = 3;
         UPDATE auth_group SET name = 'Lab One' WHERE id = 1;
         UPDATE auth_permission SET name = 'May see jobs' WHERE id = 1;
         INSERT INTO auth_user_groups VALUES (1, 3, 1);
         INSERT INTO auth_group_permissions VALUES (1, 1, 1);
         INSERT INTO guardian_userobjectpermission
            (id, object_pk, content_type_id, permission_id, user_id) VALUES (1, '17', 1, 2, 3)",
    );
    let (was_ada, was_bo) = (home.user("ada").unwrap().id, home.user("bo").unwrap().id);
    let (changes, events) = (home.last_change(), home.audit().len());
    let report = home.import(&site.path);
    assert_eq!(home.user("countess").unwrap().id, was_ada);
    assert_eq!(home.user("ada").unwrap().id, was_bo);
    assert_eq!(home.password("cy"), "md5$salt$eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
    let rights = rights_here(&home.store, "cy");
    assert_eq!(rights.groups.into_iter().collect::<Vec<_>>(), ["Lab One"]);
    assert_eq!(rights.permissions.into_iter().collect::<Vec<_>>(), ["calc.view_job"]);
    assert_eq!(rights.objects.into_iter().collect::<Vec<_>>(), ["calc.share_job on calc.job:17"]);
    let counts = report.counts;
    assert_eq!((counts.users.changed, counts.groups.changed), (3, 1));
    assert_eq!((counts.permissions.changed, counts.memberships.new), (1, 1));
    assert_eq!((counts.grants.new, counts.object_grants.new), (1, 1));
    assert_eq!(home.last_change(), changes + 1);
    assert_eq!(home.audit().len(), events + 1);
    let before = home.dump();
    assert!(!home.import(&site.path).changed_anything());
    assert_eq!(home.dump(), before);
}

#[test]
fn a_password_set_here_stays_and_the_conflict_is_reported_each_time() {
    let (home, site) = (Home::new(), Site::empty());
    site.user(1, "ada");
    home.import(&site.path);
    let id = home.user("ada").unwrap().id;
    home.write(move |tx| {
        let (hash, now) = (PasswordHash::from_stored("$ours$"), Timestamp::from_micros(99));
        tx.update_user_password(id, &hash, Some(now))
    });
    let calm = home.import(&site.path);
    assert_eq!(reasons(&calm), Vec::<String>::new(), "Django's is as it was");
    site.sql("UPDATE auth_user SET password = 'md5$salt$eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee'");
    let before = home.dump();
    for _ in 0..2 {
        let report = home.import(&site.path);
        assert_eq!(reasons(&report), ["password_conflict"]);
        assert_eq!(home.password("ada"), "$ours$");
        assert_eq!(home.dump(), before);
    }
    site.sql("UPDATE auth_user SET first_name = 'Augusta'");
    let report = home.import(&site.path);
    assert_eq!(reasons(&report), ["password_conflict"]);
    assert_eq!(home.user("ada").unwrap().first_name.as_str(), "Augusta");
    assert_eq!(home.password("ada"), "$ours$");
}

#[test]
fn an_upgraded_hash_is_no_change_and_does_not_come_back_down() {
    let (home, site) = (Home::new(), Site::empty());
    site.user(1, "ada");
    home.import(&site.path);
    let id = home.user("ada").unwrap().id;
    home.write(move |tx| {
        let old = tx.user_password(id)?.unwrap();
        tx.upgrade_user_password(id, &old, &PasswordHash::from_stored("$argon2id$better"))
    });
    let before = home.dump();
    let report = home.import(&site.path);
    assert_eq!(report.counts.users.unchanged, 1);
    assert_eq!(home.dump(), before);
    site.sql("UPDATE auth_user SET password = 'md5$salt$eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee'");
    home.import(&site.path);
    assert_eq!(home.password("ada"), "md5$salt$eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
}

#[test]
fn sessions_end_when_the_password_was_changed_in_django() {
    let (home, site) = (Home::new(), Site::empty());
    site.user(1, "ada");
    site.user(2, "bo");
    home.import(&site.path);
    let ids = [home.user("ada").unwrap().id, home.user("bo").unwrap().id];
    home.write(move |tx| {
        for (number, user) in ids.into_iter().enumerate() {
            let byte = u8::try_from(number).unwrap();
            let Client { address, user_agent, .. } = Client::default();
            tx.insert_session(&Session {
                id: SessionId::from_bytes([byte; 16]),
                digest: TokenDigest::from_bytes([byte; 32]),
                user,
                created_at: Timestamp::from_micros(1),
                last_seen_at: Timestamp::from_micros(1),
                expires_at: Timestamp::MAX,
                address,
                user_agent,
                backend: "local".to_owned(),
            })?;
        }
        Ok(())
    });
    site.sql(
        "UPDATE auth_user SET password = 'md5$salt$eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee' WHERE id = 1;
         UPDATE auth_user SET first_name = 'Beau' WHERE id = 2",
    );
    home.import(&site.path);
    let sessions = ids.map(|id| home.read(move |tx| tx.sessions_of(id)).len());
    assert_eq!(sessions, [0, 1]);
}

#[test]
fn what_was_changed_here_stays_when_something_else_changed_there() {
    let (home, site) = (Home::new(), Site::empty());
    site.user(1, "ada");
    site.group(1, "Lab 1");
    site.sql("INSERT INTO auth_user_groups VALUES (1, 1, 1)");
    home.import(&site.path);
    let mut ada = home.user("ada").unwrap();
    ada.is_active = false;
    let id = ada.id;
    home.write(move |tx| {
        tx.update_user(&ada)?;
        let group = tx.memberships_of(id)?[0].group;
        tx.delete_membership(group, id)
    });
    site.sql("UPDATE auth_user SET is_staff = 1, first_name = 'Augusta'");
    home.import(&site.path);
    let ada = home.user("ada").unwrap();
    assert!(!ada.is_active, "disabled here, so it stays");
    assert!(ada.is_staff);
    assert_eq!(ada.first_name.as_str(), "Augusta");
    assert!(rights_here(&home.store, "ada").groups.is_empty());
}

#[test]
fn what_is_gone_from_django_is_reported_and_kept() {
    let (home, site) = (Home::new(), Site::empty());
    site.user(1, "ada");
    site.group(1, "Lab 1");
    site.sql(
        "INSERT INTO auth_user_groups VALUES (1, 1, 1);
         INSERT INTO auth_user_user_permissions VALUES (1, 1, 1);
         INSERT INTO auth_group_permissions VALUES (1, 1, 2)",
    );
    home.import(&site.path);
    let before = home.dump();
    site.sql(
        "DELETE FROM auth_user; DELETE FROM auth_group; DELETE FROM auth_user_groups;
         DELETE FROM auth_user_user_permissions; DELETE FROM auth_group_permissions",
    );
    let report = home.import(&site.path);
    assert_eq!(home.dump(), before);
    let said: Vec<_> = report
        .entries
        .iter()
        .map(|entry| (entry.table.as_str(), entry.key.as_str(), entry.subject.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            ("auth_group", "1", "lab 1"),
            ("auth_user", "1", "ada"),
            ("auth_group_permissions", "g/1/calc.share_job", ""),
            ("auth_user_groups", "1/1", ""),
            ("auth_user_user_permissions", "u/1/calc.view_job", ""),
        ]
    );
    assert!(reasons(&report).iter().all(|reason| reason == "gone"));
    assert_eq!((report.counts.users.gone, report.counts.grants.gone), (1, 2));
}

#[test]
fn what_was_deleted_here_is_not_made_again() {
    let (home, site) = (Home::new(), Site::empty());
    site.user(1, "ada");
    site.group(1, "Lab 1");
    home.import(&site.path);
    let id = home.user("ada").unwrap().id;
    home.write(move |tx| tx.delete_user(id));
    site.sql(
        "UPDATE auth_user SET first_name = 'Augusta'; INSERT INTO auth_user_groups VALUES (1, 1, 1)",
    );
    let report = home.import(&site.path);
    assert_eq!(home.user("ada"), None);
    assert_eq!(reasons(&report), ["deleted_here", "refers_to_left_out"]);
}

#[test]
fn the_last_superuser_here_is_not_lost_to_an_import() {
    let (home, site) = (Home::new(), Site::empty());
    site.user(1, "ada");
    site.user(2, "bo");
    site.sql("UPDATE auth_user SET is_superuser = 1");
    home.import(&site.path);
    site.sql("UPDATE auth_user SET is_superuser = 0, first_name = 'Changed'");
    let report = home.import(&site.path);
    assert_eq!(reasons(&report), ["last_superuser"]);
    let (ada, bo) = (home.user("ada").unwrap(), home.user("bo").unwrap());
    assert!(!ada.is_superuser && bo.is_superuser);
    assert_eq!(bo.first_name.as_str(), "Changed");
    let again = home.import(&site.path);
    assert_eq!(reasons(&again), ["last_superuser"], "until somebody sees to it");
    // One who is there for a time alone is no other.
    let ending = User { is_superuser: true, expires_at: Some(Timestamp::MAX), ..ada };
    home.write(move |tx| tx.update_user(&ending));
    assert_eq!(reasons(&home.import(&site.path)), ["last_superuser"]);
}

#[test]
fn rights_that_somebody_here_gave_already_are_not_given_twice() {
    let (home, site) = (Home::new(), Site::empty());
    site.user(1, "ada");
    site.group(1, "Lab 1");
    home.import(&site.path);
    site.sql(
        "INSERT INTO auth_user_groups VALUES (1, 1, 1);
         INSERT INTO auth_user_user_permissions VALUES (1, 1, 1)",
    );
    home.write(|tx| {
        let user = tx.user_by_username_key("ada")?.unwrap().id;
        let group = tx.group_by_name_key("lab 1")?.unwrap().id;
        tx.put_membership(&Membership {
            group,
            user,
            is_manager: true,
            expires_at: None,
            since: Timestamp::from_micros(1),
        })?;
        tx.insert_grant(&Grant {
            id: GrantId::from_bytes([9; 16]),
            subject: Subject::User(user),
            permission: PermissionCode::parse("calc.view_job").unwrap(),
            effect: Effect::Allow,
            scope: Scope::Whole,
            expires_at: None,
            granted_by: Some(user),
            granted_at: Timestamp::from_micros(1),
        })
    });
    let report = home.import(&site.path);
    assert_eq!(report.counts.memberships.unchanged, 1);
    assert_eq!(report.counts.grants.unchanged, 1);
    let id = home.user("ada").unwrap().id;
    let memberships = home.read(move |tx| tx.memberships_of(id));
    assert!(memberships.len() == 1 && memberships[0].is_manager);
    let before = home.dump();
    home.import(&site.path);
    assert_eq!(home.dump(), before);
}

#[test]
fn atk_a034_links_die_with_a_password_or_an_address_that_an_import_brings() {
    let (home, site) = (Home::new(), Site::empty());
    for (id, name) in [(1, "ada"), (2, "bo"), (3, "cy"), (4, "dee")] {
        site.user(id, name);
    }
    home.import(&site.path);
    let ids = ["ada", "bo", "cy", "dee"].map(|name| home.user(name).unwrap().id);
    home.write(move |tx| {
        for (number, user) in ids.into_iter().enumerate() {
            tx.insert_ticket(&Ticket {
                digest: TokenDigest::from_bytes([u8::try_from(number).unwrap(); 32]),
                purpose: Purpose::Reset,
                user: Some(user),
                expires_at: Timestamp::MAX,
                subject: None,
                email: None,
            })?;
        }
        Ok(())
    });
    site.sql(
        "UPDATE auth_user SET password = 'md5$salt$eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee' WHERE id = 1;
         UPDATE auth_user SET email = 'other@example.org' WHERE id = 2;
         UPDATE auth_user SET is_active = 0 WHERE id = 3;
         UPDATE auth_user SET first_name = 'Delia' WHERE id = 4",
    );
    home.import(&site.path);
    let live = [0, 1, 2, 3].map(|number| {
        let digest = TokenDigest::from_bytes([number; 32]);
        home.read(move |tx| tx.ticket(&digest, Purpose::Reset, Timestamp::from_micros(1))).is_some()
    });
    assert_eq!(live, [false, false, false, true]);
}
