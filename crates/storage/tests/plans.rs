//! Every list and look-up goes by an index: the statements that the repositories really make are
//! recorded and explained by `SQLite`.

#![expect(clippy::unwrap_used, reason = "what a test relies on fails the test")]

use std::{collections::BTreeSet, sync::Mutex};

use diesel::{
    QueryableByName, RunQueryDsl, SqliteConnection,
    connection::{Connection, Instrumentation, InstrumentationEvent, set_default_instrumentation},
    sql_query,
    sql_types::Text,
};
use vestibule_core::{
    TokenDigest,
    domain::{
        announcement::Progress,
        change::Change,
        grant::{Scope, Subject},
        identity::BackendName,
        notice::{Lane, NoticeState},
        object::{ObjectPrefix, ObjectRef, ObjectType},
        page::PageRequest,
        permission::PermissionCode,
        session::KnownBrowser,
        ticket::{Purpose, Subject as Opened},
    },
    id::{
        AnnouncementId, AuditId, GrantId, GroupId, InvitationId, LeaseId, NoticeId, RegistrationId,
        SessionId, UserId,
    },
    ports::{
        announcements::{Batch, People},
        audit::AuditFilter,
        grants::GrantFilter,
        groups::GroupOrder,
        imports::LinksOf,
        objects::{ObjectFilter, Visibility},
        outbox::{Claim, NoticeFilter, Settlement},
        store::{StoreResult, Tx},
        users::{UserFilter, UserOrder},
    },
};
use vestibule_storage::testkit::{Database, TestDatabase};

#[path = "repositories/support.rs"]
#[expect(dead_code, unused_macros, unused_imports, reason = "made for the larger suite")]
mod support;

use support::{NOW, Site};

static STATEMENTS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

struct Recorder;

impl Instrumentation for Recorder {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            let statement = text.split(" -- binds").next().unwrap_or_default();
            STATEMENTS.lock().unwrap().insert(statement.to_owned());
        }
    }
}

/// What is asked for while somebody waits, with every filter and order there is.
fn ask(tx: &mut dyn Tx, site: &Site) -> StoreResult<()> {
    let user = UserId::generate(NOW, site.chance());
    let group = GroupId::generate(NOW, site.chance());
    let session = SessionId::generate(NOW, site.chance());
    let digest = TokenDigest::of(b"token");
    let code = PermissionCode::from_stored("app.view".to_owned());
    let object = ObjectRef::from_stored("calc".to_owned(), "1".to_owned());
    tx.user_by_id(user)?;
    tx.users_by_ids(&[user])?;
    tx.user_by_username_key("anna")?;
    tx.user_by_email_key("a@b")?;
    tx.user_password(user)?;
    tx.user_password_samples()?;
    tx.other_live_superusers(user, NOW)?;
    tx.identities_due(&BackendName::parse("ldap").unwrap(), NOW, 10)?;
    tx.entitled_due(&BackendName::parse("ldap").unwrap(), NOW, 10)?;
    for order in
        [UserOrder::Username, UserOrder::Email, UserOrder::CreatedAt, UserOrder::LastLoginAt]
    {
        for descending in [false, true] {
            let request = PageRequest { order, descending, ..PageRequest::default() };
            tx.user_page(&UserFilter::default(), &request)?;
        }
    }
    let members = UserFilter { member_of: Some(group), ..UserFilter::default() };
    tx.user_page(&members, &PageRequest::default())?;
    tx.group_by_id(group)?;
    tx.groups_by_ids(&[group])?;
    tx.group_by_name_key("lab")?;
    for order in [GroupOrder::Name, GroupOrder::CreatedAt] {
        tx.group_page(None, &PageRequest { order, ..PageRequest::default() })?;
    }
    tx.membership(group, user)?;
    tx.memberships_of(user)?;
    tx.member_page(group, &PageRequest::default())?;
    tx.permission(&code)?;
    tx.grant_by_id(GrantId::generate(NOW, site.chance()))?;
    tx.grants_to(&[Subject::User(user), Subject::Authenticated])?;
    tx.grant_like(&site.grant(Subject::User(user), &code, Scope::Whole))?;
    let by = GrantFilter::default();
    for filter in [
        by.clone(),
        GrantFilter { subject: Some(Subject::User(user)), ..by.clone() },
        GrantFilter { permission: Some(code), ..by.clone() },
        GrantFilter { object: Some(object.clone()), ..by },
    ] {
        tx.grant_page(&filter, &PageRequest::default())?;
    }
    tx.object(&object)?;
    let prefix = ObjectPrefix::from_stored("calc".to_owned(), "/a/".to_owned());
    let visibility = Visibility {
        owner: Some(user),
        objects: vec!["1".into()],
        prefixes: vec![prefix.clone()],
        denied_objects: vec!["2".into()],
        denied_prefixes: vec![prefix],
        ..Visibility::default()
    };
    let kind = ObjectType::from_stored("calc".to_owned());
    tx.visible_objects(&kind, &visibility, &ObjectFilter::default(), &PageRequest::default())?;
    tx.session_by_digest(&digest)?;
    tx.session_by_id(session)?;
    tx.sessions_of(user)?;
    let by = AuditFilter::default();
    for filter in [
        by.clone(),
        AuditFilter { actor: Some(user), ..by.clone() },
        AuditFilter { action: Some("login.".to_owned()), ..by.clone() },
        AuditFilter { action: Some("login.failed".to_owned()), ..by.clone() },
        AuditFilter {
            target_kind: Some("user".to_owned()),
            target_id: Some("7".to_owned()),
            ..by.clone()
        },
        AuditFilter { since: Some(NOW), until: Some(NOW), ..by },
    ] {
        tx.audit_page(&filter, &PageRequest::default())?;
        tx.audit_after(&filter, Some(AuditId::generate(NOW, site.chance())), 10)?;
    }
    tx.changes_after(7, 10)?;
    tx.oldest_change()?;
    tx.ticket(&digest, Purpose::FirstSuperuser, NOW)?;
    tx.spent_ticket(&digest, Purpose::Activate)?;
    tx.instance_mark("bootstrap")?;
    tx.window_count(&[0; 32])?;
    tx.import_links(LinksOf { source: "django:a", kind: "user" })?;
    ask_of_strangers(tx, site, user)?;
    tx.next_notice_due(Lane::Bulk)?;
    tx.notice_counts()?;
    ask_of_announcements(tx, site, user, group)?;
    tx.notice_by_id(NoticeId::generate(NOW, site.chance()))?;
    for filter in [
        NoticeFilter::default(),
        NoticeFilter { state: Some(NoticeState::Dead), ..NoticeFilter::default() },
        NoticeFilter { kind: Some("reset".to_owned()), ..NoticeFilter::default() },
        NoticeFilter { recipient: Some("a@b".to_owned()), ..NoticeFilter::default() },
    ] {
        tx.notice_page(&filter, &PageRequest::default())?;
    }
    Ok(())
}

/// What is asked about people who are no users yet.
fn ask_of_strangers(tx: &mut dyn Tx, site: &Site, user: UserId) -> StoreResult<()> {
    tx.registration(RegistrationId::generate(NOW, site.chance()), NOW)?;
    tx.registrations_at("a@b")?;
    tx.registration_page(NOW, &PageRequest::default())?;
    tx.consents_of(user)?;
    tx.browsers_of(user)?;
    tx.invitation(InvitationId::generate(NOW, site.chance()), NOW)?;
    tx.invitations_to("a@b", NOW)?;
    tx.invitation_page(None, NOW, &PageRequest::default())?;
    tx.invitation_page(Some(user), NOW, &PageRequest::default())?;
    Ok(())
}

/// What is asked when something is told to many.
fn ask_of_announcements(
    tx: &mut dyn Tx,
    site: &Site,
    user: UserId,
    group: GroupId,
) -> StoreResult<()> {
    tx.whole_grants_of(&PermissionCode::from_stored("app.view".to_owned()))?;
    for which in [People::Superusers, People::MembersOf(vec![group]), People::These(vec![user])] {
        tx.people(&which, NOW, true)?;
    }
    let announcement = AnnouncementId::generate(NOW, site.chance());
    tx.announcement(announcement)?;
    tx.announcement_words(announcement)?;
    tx.announcement_page(&PageRequest::default())?;
    tx.next_announcement_batch()?;
    tx.notices_waiting(Lane::Bulk)?;
    Ok(())
}

/// What is written while somebody waits, and what is purged in the background.
fn change(tx: &mut dyn Tx, site: &Site) -> StoreResult<()> {
    let user = site.user("anna");
    let session = site.session(&user, "token");
    let object = ObjectRef::from_stored("calc".to_owned(), "1".to_owned());
    tx.update_user(&user)?;
    tx.update_user_password(user.id, &support::hash("x"), Some(NOW))?;
    tx.update_user_last_login(user.id, NOW)?;
    let browser = KnownBrowser { digest: session.digest, seen_at: NOW };
    assert!(tx.put_browser(user.id, &browser).is_err(), "of nobody");
    tx.delete_browser(user.id, &session.digest)?;
    tx.purge_browsers(NOW)?;
    tx.delete_user(user.id)?;
    tx.touch_sessions(&[(session.id, NOW)])?;
    tx.delete_session(session.id)?;
    tx.delete_sessions_of(user.id, Some(session.id))?;
    tx.purge_sessions(NOW, Some(NOW), 10)?;
    tx.denials_on(&object)?;
    tx.delete_grants_on(&object)?;
    tx.delete_object(&object)?;
    tx.redeem_ticket(&session.digest, Purpose::FirstSuperuser, NOW)?;
    tx.delete_tickets_of(user.id, None)?;
    tx.delete_tickets_of(user.id, Some(Purpose::Reset))?;
    let waiting = RegistrationId::generate(NOW, site.chance());
    tx.delete_tickets_about(Opened::Registration(waiting))?;
    tx.confirm_registration(waiting, NOW, NOW)?;
    tx.prolong_registration(waiting, NOW)?;
    tx.delete_invitation(InvitationId::generate(NOW, site.chance()))?;
    tx.purge_invitations(NOW)?;
    tx.purge_tickets(NOW)?;
    tx.delete_registration(waiting)?;
    tx.purge_registrations(NOW)?;
    tx.count_one(&[0; 32], NOW, NOW)?;
    tx.purge_counts(NOW)?;
    let (notice, lease) =
        (NoticeId::generate(NOW, site.chance()), LeaseId::generate(NOW, site.chance()));
    tx.claim_notices(&Claim { now: NOW, lease, until: NOW, limit: 10, lane: None, only: None })?;
    tx.claim_notices(&Claim {
        now: NOW,
        lease,
        until: NOW,
        limit: 1,
        lane: None,
        only: Some(notice),
    })?;
    for settlement in [
        Settlement::Sent(String::new()),
        Settlement::Retry(NOW, String::new()),
        Settlement::Dead(String::new()),
    ] {
        tx.settle_notice(notice, lease, NOW, &settlement)?;
    }
    tx.expire_notices(NOW)?;
    tx.expire_notices_about(user.id, &["reset"], NOW)?;
    tx.replace_notices(&site.notice("a@example.org", NOW))?;
    tx.retry_notice(notice, NOW)?;
    tx.retry_dead_notices(NOW)?;
    tx.delete_notice(notice, NOW)?;
    tx.purge_notices(None, NOW, 10)?;
    let announcement = site.announcement(Progress::default());
    tx.insert_announcement(&announcement, &[vec![user.id]])?;
    let batch = Batch { announcement: announcement.id, number: 0, people: vec![user.id] };
    tx.take_announcement_batch(&batch)?;
    tx.count_unreached(announcement.id, 1, 1)?;
    tx.cancel_announcement(announcement.id, NOW)?;
    tx.announce(Change::Everyone, NOW)?;
    tx.purge_changes(NOW)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// Pages in the order of an index whose conditions leave few rows out: what has expired is purged,
/// so that a walk along the index is no longer than the page and what lies between.
const NEARLY_ALL: [&str; 2] = [
    "`registrations`.`confirmed_at` IS NOT NULL",
    "FROM `invitations` WHERE (`invitations`.`expires_at` > ?)",
];

/// Statements whose rows are few or a range, and come in an order that no index of both has.
const SORTED: [&str; 7] = [
    "FROM (`memberships` INNER JOIN `users`",
    "IN (SELECT `memberships`.`user_id`",
    "`grants`.`subject_id` = ?) AND",
    "`audit_events`.`action` >= ?",
    "`audit_events`.`at` >= ?",
    "FROM (`identities` LEFT OUTER JOIN `backend_checks`",
    "FROM (`entitlements` LEFT OUTER JOIN `backend_checks`",
];

/// Steps that walk a whole table or index, or sort what an index could have had in order.
fn slow_steps(conn: &mut SqliteConnection, statement: &str) -> Vec<String> {
    let steps: Vec<Step> = sql_query(format!("EXPLAIN QUERY PLAN {statement}"))
        .load(conn)
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
    let picks = statement.contains(" WHERE ")
        && !(statement.contains(" LIMIT ")
            && NEARLY_ALL.iter().any(|part| statement.contains(part)));
    let may_sort = SORTED.iter().any(|part| statement.contains(part));
    steps
        .into_iter()
        .map(|step| step.detail)
        .filter(|step| {
            // A list without any condition walks the index of its order, up to its limit.
            let in_order = !picks && step.contains("USING");
            // One row, and the list of a statement's own values.
            let is_small = ["change_counter", "CONSTANT ROW", "VIRTUAL TABLE"]
                .iter()
                .any(|word| step.contains(word));
            let walks = step.starts_with("SCAN") && !in_order && !is_small;
            walks || (!may_sort && step.contains("TEMP B-TREE FOR ORDER BY"))
        })
        .collect()
}

#[test]
fn every_list_and_lookup_goes_by_an_index() {
    set_default_instrumentation(|| Some(Box::new(Recorder))).unwrap();
    let site = std::sync::Arc::new(Site::on(Database::Sqlite));
    let asking = std::sync::Arc::clone(&site);
    site.read(move |tx| ask(tx, &asking));
    let changing = std::sync::Arc::clone(&site);
    site.write(move |tx| change(tx, &changing));

    let statements = STATEMENTS.lock().unwrap().clone();
    let explained: Vec<&String> = statements
        .iter()
        .filter(|text| ["SELECT", "UPDATE", "DELETE"].iter().any(|word| text.starts_with(word)))
        .filter(|text| {
            !text.contains("__diesel_schema_migrations") && !text.contains("sqlite_schema")
        })
        .collect();
    assert!(explained.len() > 70, "only {} statements were recorded", explained.len());

    let other = TestDatabase::fresh(Database::Sqlite);
    let path = other.file();
    let mut conn = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
    let mut slow = Vec::new();
    for statement in explained {
        for step in slow_steps(&mut conn, statement) {
            slow.push(format!("{step}\n    in {statement}"));
        }
    }
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}
