//! `verify` finds what does not hold together, and nothing where everything does.

#![expect(clippy::unwrap_used, reason = "what a test relies on fails the test")]

use std::collections::BTreeSet;

use vestibule_core::{
    domain::{
        announcement::Progress,
        change::Change,
        grant::{Scope, Subject},
        group::{MAX_NESTING, Membership, Nesting},
        identity::{BackendName, Identity, Source, Subject as Person},
        invitation::Invitation,
        notice::{Lane, NoticeState, StoredNotice},
        object::{DeleteRule, ObjectPrefix, ObjectType},
        registration::{Consent, Registration},
        session::KnownBrowser,
        ticket::{Purpose, Subject as Opened, Ticket},
    },
    id::{GroupId, InvitationId, NoticeId, RegistrationId, SessionId, UserId},
    ports::{
        checks::BackendCheck,
        imports::{ImportLink, LinksOf},
        store::{StoreResult, Tx},
    },
};
use vestibule_storage::{Finding, OpenError, VerifyError, testkit::Database, verify};

#[path = "repositories/support.rs"]
#[expect(dead_code, reason = "made for the larger suite")]
mod support;

use support::{NOW, Site, after, email, object, on_every_database};

fn kind(site: &Site) -> Database {
    vestibule_storage::kind(site.database.url()).unwrap()
}

fn findings(site: &Site) -> Vec<Finding> {
    verify(site.database.url(), &mut |_| {}).unwrap()
}

fn problems(site: &Site, table: &str) -> Vec<String> {
    let of_table = findings(site).into_iter().filter(|finding| finding.table == table);
    of_table.map(|finding| finding.problem).collect()
}

/// Something in every table.
fn fill(site: &Site) {
    let mut user = site.user("Chlo\u{e9}");
    user.email = Some(email("C@example.org"));
    site.put_user(&user);
    let (outer, inner) = (site.stored_group("outer"), site.stored_group("inner"));
    let code = site.stored_permission("app.view");
    let session = site.session(&user, "token");
    let mut owned = object("/a/1", &user);
    owned.group = Some(inner.id);
    let prefix = ObjectPrefix::new("calc", "/a/").unwrap();
    let grants = [
        site.grant(Subject::User(user.id), &code, Scope::Whole),
        site.grant(Subject::Group(inner.id), &code, Scope::Object(owned.object.clone())),
        site.grant(Subject::Authenticated, &code, Scope::Prefix(prefix)),
    ];
    let ticket = Ticket {
        digest: session.digest,
        purpose: Purpose::Invitation,
        user: Some(user.id),
        expires_at: after(1),
        subject: Some(Opened::Invitation(InvitationId::generate(NOW, site.chance()))),
        email: None,
    };
    let waiting = Registration {
        id: RegistrationId::generate(NOW, site.chance()),
        username: user.username.clone(),
        email: email("C@example.org"),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        password: support::hash("x"),
        created_at: NOW,
        expires_at: after(1),
        confirmed_at: Some(NOW),
        policy: Some("2026-01".to_owned()),
    };
    let invitation = Invitation {
        id: InvitationId::generate(NOW, site.chance()),
        email: email("d@example.org"),
        groups: vec![inner.id],
        invited_by: Some(user.id),
        created_at: NOW,
        expires_at: after(1),
    };
    let notice = StoredNotice {
        id: NoticeId::generate(NOW, site.chance()),
        message_id: "1@example.org".to_owned(),
        recipient: email("c@example.org"),
        user: Some(user.id),
        announcement: None,
        language: "en".to_owned(),
        lane: Lane::Personal,
        kind: "test".to_owned(),
        data: "{}".to_owned(),
        created_at: NOW,
        expires_at: Some(after(1)),
        state: NoticeState::Waiting,
        attempts: 0,
        due_at: NOW,
        lease: None,
        settled_at: None,
        reason: String::new(),
    };
    let announcement = site.announcement(Progress::default());
    let event = site.event("user.created", NOW);
    site.write(move |tx| {
        tx.announce(Change::User(user.id), NOW)?;
        tx.announce(Change::Everyone, NOW)?;
        tx.put_membership(&Membership {
            group: inner.id,
            user: user.id,
            is_manager: true,
            expires_at: None,
            since: NOW,
        })?;
        tx.insert_nesting(Nesting { parent: outer.id, child: inner.id })?;
        tx.put_delete_rule(&ObjectType::parse("calc").unwrap(), DeleteRule::OwnerOnly)?;
        tx.insert_object(&owned)?;
        for grant in &grants {
            tx.insert_grant(grant)?;
        }
        tx.insert_session(&session)?;
        tx.insert_ticket(&ticket)?;
        tx.insert_registration(&waiting)?;
        tx.insert_invitation(&invitation)?;
        tx.insert_consent(user.id, &Consent { version: "2026-01".to_owned(), at: NOW })?;
        tx.put_browser(user.id, &KnownBrowser { digest: session.digest, seen_at: NOW })?;
        tx.insert_notice(&notice)?;
        tx.insert_announcement(&announcement, &[vec![user.id]])?;
        tx.insert_audit(&event)?;
        tx.set_instance_mark("bootstrap", "done")?;
        tx.count_one(&[3; 32], NOW, NOW)?;
        fill_from_elsewhere(tx, user.id, inner.id, session.id)
    });
}

/// What comes from elsewhere, of a member who is logged in.
fn fill_from_elsewhere(
    tx: &mut dyn Tx,
    user: UserId,
    group: GroupId,
    session: SessionId,
) -> StoreResult<()> {
    let backend = BackendName::parse("sso").unwrap();
    tx.put_membership_source(group, user, &Source::ByHand)?;
    tx.put_membership_source(group, user, &Source::Backend(backend.clone()))?;
    tx.insert_identity(&Identity {
        backend: backend.clone(),
        subject: Person::parse("s1").unwrap(),
        user,
        linked_at: NOW,
        used_at: NOW,
        groups_at: Some(NOW),
    })?;
    tx.put_entitled_at(&backend, user, Some(NOW))?;
    tx.put_backend_check(&backend, user, &BackendCheck { checked_at: NOW, stale_since: None })?;
    tx.insert_upstream_session(session, &backend, "sid")?;
    let link = ImportLink {
        foreign_key: "7".to_owned(),
        local_id: *user.as_bytes(),
        fingerprint: [1; 32],
    };
    tx.put_import_links(LinksOf { source: "django:a", kind: "user" }, &[link])
}

/// `groups` is a word of its own to some.
fn groups(site: &Site) -> &'static str {
    if kind(site) == Database::Mysql { "`groups`" } else { "\"groups\"" }
}

/// Every table of the schema. Where diesel notes its migrations is none of ours.
fn tables(site: &Site) -> Vec<String> {
    let query = match kind(site) {
        Database::Sqlite => {
            "SELECT name AS answer FROM sqlite_master
             WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        }
        Database::Postgres => {
            "SELECT table_name::text AS answer FROM information_schema.tables
             WHERE table_schema = current_schema()"
        }
        Database::Mysql => {
            "SELECT CAST(table_name AS char) AS answer FROM information_schema.tables
             WHERE table_schema = DATABASE()"
        }
    };
    let mut tables = site.database.connection().texts(query);
    tables.retain(|table| table != "__diesel_schema_migrations");
    assert!(tables.len() > 25, "{tables:?}");
    tables
}

on_every_database! {
    fn nothing_is_found_where_everything_holds(site) {
        fill(site);
        let mut steps = Vec::new();
        let found = verify(site.database.url(), &mut |step| steps.push(step.to_owned())).unwrap();
        assert_eq!(found, []);
        let steps: BTreeSet<_> = steps.into_iter().collect();
        let unread: Vec<_> = tables(site).into_iter().filter(|table| !steps.contains(table)).collect();
        assert_eq!(unread, Vec::<String>::new(), "tables that nobody looks at");
    }

    fn keys_that_do_not_match_their_names_are_found(site) {
        fill(site);
        let mut behind = site.database.connection();
        behind.execute("UPDATE users SET username_key = 'other', email_key = 'other', names_key = 'x', password_scheme = 'md5'");
        behind.execute(&format!("UPDATE {} SET name_key = 'x' WHERE name = 'inner'", groups(site)));
        behind.execute("UPDATE objects SET id = '/a//'");
        let mut found = problems(site, "users");
        found.sort();
        assert_eq!(found, [
            "email_key is not the key of email",
            "names_key is not the key of the names",
            "password_scheme is not that of password",
            "username_key is not the key of username",
        ]);
        assert_eq!(problems(site, "groups"), ["name_key is not the key of name"]);
        assert_eq!(problems(site, "objects"), ["is not a valid type:id"]);
    }

    fn rows_that_cannot_be_read_are_found_each(site) {
        fill(site);
        let mut behind = site.database.connection();
        behind.execute(&format!("UPDATE {} SET level = 'everything'", groups(site)));
        behind.execute("UPDATE grants SET effect = 'maybe' WHERE scope_kind = 'whole'");
        behind.execute("UPDATE grants SET scope_kind = 'odd' WHERE scope_kind = 'prefix'");
        behind.execute("UPDATE audit_events SET details = '{'");
        behind.execute("UPDATE tickets SET purpose = 'other'");
        behind.execute("UPDATE registrations SET password = 'häsh'");
        behind.execute("UPDATE outbox SET state = 'lost'");
        behind.execute("UPDATE announcements SET audience = 'somebody'");
        behind.execute("UPDATE announcement_batches SET number = -1");
        behind.execute("UPDATE login_failures SET failures = -1");
        behind.execute("UPDATE permissions SET object_kind = 'calc'");
        behind.execute("UPDATE identities SET subject = ''");
        behind.execute("UPDATE membership_sources SET source = 'A name' WHERE source = 'sso'");
        for table in ["entitlements", "backend_checks", "upstream_sessions"] {
            behind.execute(&format!("UPDATE {table} SET backend = 'A name'"));
        }
        assert_eq!(problems(site, "identities"), ["subject cannot be read"]);
        assert_eq!(problems(site, "membership_sources"), ["source cannot be read"]);
        for table in ["entitlements", "backend_checks", "upstream_sessions"] {
            assert_eq!(problems(site, table), ["backend cannot be read"], "{table}");
        }
        assert_eq!(problems(site, "groups"), ["level cannot be read", "level cannot be read"]);
        let mut of_grants = problems(site, "grants");
        of_grants.sort();
        assert_eq!(of_grants, ["effect cannot be read", "scope_kind cannot be read"]);
        assert_eq!(problems(site, "audit_events"), ["details cannot be read"]);
        assert_eq!(problems(site, "tickets"), ["purpose cannot be read"]);
        assert_eq!(problems(site, "registrations"), ["password cannot be read"]);
        assert_eq!(problems(site, "outbox"), ["state cannot be read"]);
        assert_eq!(problems(site, "announcements"), ["audience cannot be read"]);
        assert_eq!(problems(site, "announcement_batches"), ["number cannot be read"]);
        assert_eq!(problems(site, "login_failures"), ["failures cannot be read"]);
        assert_eq!(problems(site, "permissions"), ["object_action cannot be read"]);
    }

    fn groups_in_a_circle_and_too_deep_are_found(site) {
        let chain: Vec<_> = (0..=MAX_NESTING + 1).map(|n| site.stored_group(&format!("deep {n}"))).collect();
        for pair in chain.windows(2) {
            let nesting = Nesting { parent: pair[0].id, child: pair[1].id };
            site.write(move |tx| tx.insert_nesting(nesting));
        }
        let deep = format!("lies below more than {MAX_NESTING} groups");
        assert_eq!(problems(site, "nestings"), [deep]);
        let circle: Vec<_> = (0..3).map(|n| site.stored_group(&format!("round {n}"))).collect();
        for n in 0..3 {
            let nesting = Nesting { parent: circle[n].id, child: circle[(n + 1) % 3].id };
            site.write(move |tx| tx.insert_nesting(nesting));
        }
        let found = problems(site, "nestings");
        assert!(found.contains(&"the group contains itself, through others".to_owned()), "{found:?}");
    }

    fn a_counter_that_is_not_at_the_last_change_is_found(site) {
        fill(site);
        let mut behind = site.database.connection();
        behind.execute("UPDATE change_counter SET value = 1");
        assert_eq!(problems(site, "change_counter"), ["is at 1 though there is a change 2"]);
        behind.execute("UPDATE change_counter SET value = 9");
        assert_eq!(problems(site, "change_counter"), ["is at 9 though the last change is 2"]);
        behind.execute("DELETE FROM change_counter");
        assert_eq!(problems(site, "change_counter"), ["has not exactly one row"]);
    }
}

#[test]
fn references_to_nothing_are_found() {
    let site = Site::on(Database::Sqlite);
    fill(&site);
    let mut behind = site.database.connection();
    behind.execute(
        "PRAGMA foreign_keys = OFF; DELETE FROM users; DELETE FROM groups; DELETE FROM permissions",
    );
    let tables: BTreeSet<_> = findings(&site).into_iter().map(|finding| finding.table).collect();
    let expected = [
        "backend_checks",
        "browsers",
        "consents",
        "entitlements",
        "grants",
        "identities",
        "invitation_groups",
        "invitations",
        "membership_sources",
        "memberships",
        "nestings",
        "objects",
        "sessions",
        "tickets",
    ];
    assert_eq!(tables.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(problems(&site, "sessions"), ["user_id refers to something that is not in users"]);
}

#[test]
fn one_bad_row_hides_no_other() {
    let site = Site::on(Database::Sqlite);
    fill(&site);
    for name in ["anna", "bert", "carl"] {
        site.stored_user(name);
    }
    let mut behind = site.database.connection();
    behind.execute("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF");
    behind.execute("UPDATE users SET username = CAST(x'FF' AS TEXT) WHERE username = 'anna'");
    behind.execute("UPDATE users SET id = x'00' WHERE username = 'bert'");
    behind.execute("UPDATE sessions SET user_id = x'DEADBEEF'");
    let of_users = problems(&site, "users");
    assert!(of_users.contains(&"username cannot be read".to_owned()), "{of_users:?}");
    assert!(of_users.contains(&"id cannot be read".to_owned()), "{of_users:?}");
    behind.execute("UPDATE users SET username_key = 'other' WHERE username = 'carl'");
    let of_users = problems(&site, "users");
    let key = "username_key is not the key of username".to_owned();
    assert_eq!(of_users.iter().filter(|problem| **problem == key).count(), 1, "{of_users:?}");
    let unreadable = of_users.iter().filter(|problem| *problem == "username cannot be read");
    assert_eq!(unreadable.count(), 1, "told once, whoever reads it: {of_users:?}");
    let of_sessions = problems(&site, "sessions");
    assert!(of_sessions.contains(&"user_id cannot be read".to_owned()), "{of_sessions:?}");
}

#[test]
fn a_name_that_is_no_text_is_a_finding_and_no_end() {
    let site = Site::on(Database::Sqlite);
    fill(&site);
    let mut behind = site.database.connection();
    behind.execute("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF");
    behind.execute("UPDATE groups SET name = CAST(x'FF' AS TEXT) WHERE name = 'outer'");
    behind.execute("UPDATE groups SET name_key = 'x' WHERE name = 'inner'");
    behind.execute("UPDATE objects SET id = CAST(x'FF' AS TEXT)");
    behind.execute("UPDATE permissions SET code = CAST(x'FF' AS TEXT)");
    behind.execute("UPDATE grants SET object_id = CAST(x'FF' AS TEXT) WHERE scope_kind = 'prefix'");
    let mut of_groups = problems(&site, "groups");
    of_groups.sort();
    assert_eq!(of_groups, ["name cannot be read", "name_key is not the key of name"]);
    assert_eq!(problems(&site, "objects"), ["id cannot be read"]);
    assert_eq!(problems(&site, "permissions"), ["code cannot be read"]);
    assert!(problems(&site, "grants").contains(&"object_id cannot be read".to_owned()));
}

#[test]
fn flt_f15_damage_of_the_file_is_a_finding() {
    let site = Site::on(Database::Sqlite);
    fill(&site);
    let file = site.database.file();
    drop(site.store);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 4096 / 2 * 4096;
    bytes[middle..middle + 64].fill(0x5A);
    std::fs::write(&file, bytes).unwrap();
    let found = verify(site.database.url(), &mut |_| {}).unwrap();
    assert!(!found.is_empty() && found.iter().all(|finding| finding.table == "the file"));
}

#[test]
fn a_database_without_the_schema_is_an_error() {
    let database = vestibule_storage::testkit::TestDatabase::empty(Database::Sqlite);
    let error = verify(database.url(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, VerifyError::Open(OpenError::Missing(_))), "{error}");
    std::fs::write(database.file(), b"").unwrap();
    let error = verify(database.url(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, VerifyError::Open(OpenError::Behind { .. })), "{error}");
}
