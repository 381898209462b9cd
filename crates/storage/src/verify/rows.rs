//! Every row of every table is read as the program would read it.

use diesel::prelude::*;
use vestibule_core::{
    domain::{
        announcement::Announcement,
        audit::StoredAuditEvent,
        change::NumberedChange,
        grant::Grant,
        group::{Group, Membership, Nesting},
        invitation::Invitation,
        login_step::LoginStep,
        notice::StoredNotice,
        object::{DeleteRule, Object, ObjectType},
        permission::Permission,
        registration::{Consent, Registration},
        session::{KnownBrowser, Session},
        ticket::Ticket,
        user::User,
    },
    id::{GroupId, InvitationId},
    ports::{announcements::Batch, imports::ImportLink},
};

use super::{VerifyError, Walk};
use crate::{
    columns::Column,
    conn::AnyConnection,
    error::{DbError, DbResult, unreadable_column},
    rows::{
        announcements::{AnnouncementRow, BatchRow},
        audit::AuditRow,
        grants::GrantRow,
        groups::{GroupRow, MembershipRow, NestingRow},
        invitations::{InvitationGroupRow, InvitationRow},
        misc::{ChangeRow, ImportLinkRow, LoginStepRow, TicketRow},
        objects::ObjectRow,
        outbox::NoticeRow,
        permissions::{DeleteRuleRow, PermissionRow},
        registrations::{ConsentRow, RegistrationRow},
        sessions::{BrowserRow, SessionRow},
        users::{UserRow, password},
    },
    schema::{
        announcement_batches, announcements, audit_events, browsers, changes, consents,
        delete_rules, grants, groups, import_links, instance_marks, invitation_groups, invitations,
        login_failures, login_steps, memberships, nestings, objects, outbox, permissions,
        registrations, sessions, tickets, users,
    },
};

/// How many rows are read at once.
const PAGE: i64 = 5000;

/// How a row is named in a finding.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Walks a table and reads each of its rows. A finding calls it by its `name`.
pub(super) fn walk<R, T>(
    walk: &mut Walk<'_>,
    table: &'static str,
    load: impl Fn(&mut AnyConnection, i64, i64) -> QueryResult<Vec<R>>,
    name: impl Fn(&R) -> String,
    read: impl Fn(R) -> DbResult<T>,
) -> Result<(), VerifyError> {
    (walk.progress)(table);
    each(walk, table, load, |walk, row| {
        let row_name = name(&row);
        if let Err(error) = read(row) {
            walk.found(table, row_name, problem(&error));
        }
    })
}

/// Goes through a table in pages by its key. A page that cannot be read as a whole is read row by
/// row, so that one bad row hides no other. Such a row is called by its number, whoever finds it:
/// what loads a table has all of it, in the order of its key.
pub(super) fn each<R>(
    walk: &mut Walk<'_>,
    table: &'static str,
    load: impl Fn(&mut AnyConnection, i64, i64) -> QueryResult<Vec<R>>,
    mut look: impl FnMut(&mut Walk<'_>, R),
) -> Result<(), VerifyError> {
    let mut offset = 0;
    loop {
        let rows = match load(walk.conn, PAGE, offset) {
            Ok(rows) => rows,
            Err(diesel::result::Error::DeserializationError(_)) => {
                one_by_one::<R>(walk, table, &load, offset)?
            }
            Err(error) => return Err(database(table, error)),
        };
        let read = i64::try_from(rows.len()).unwrap_or(PAGE);
        for row in rows {
            look(walk, row);
        }
        offset += PAGE;
        if read < PAGE && is_past_the_end(walk, &load, table, offset)? {
            return Ok(());
        }
    }
}

fn one_by_one<R>(
    walk: &mut Walk<'_>,
    table: &'static str,
    load: &impl Fn(&mut AnyConnection, i64, i64) -> QueryResult<Vec<R>>,
    from: i64,
) -> Result<Vec<R>, VerifyError> {
    let mut rows = Vec::new();
    for offset in from..from + PAGE {
        match load(walk.conn, 1, offset) {
            Ok(row) if row.is_empty() => break,
            Ok(row) => rows.extend(row),
            Err(diesel::result::Error::DeserializationError(error)) => {
                let problem = format!("{} cannot be read", unreadable_column(&*error));
                walk.found(table, format!("number {}", offset + 1), problem);
            }
            Err(error) => return Err(database(table, error)),
        }
    }
    Ok(rows)
}

fn is_past_the_end<R>(
    walk: &mut Walk<'_>,
    load: &impl Fn(&mut AnyConnection, i64, i64) -> QueryResult<Vec<R>>,
    table: &'static str,
    offset: i64,
) -> Result<bool, VerifyError> {
    match load(walk.conn, 1, offset) {
        Ok(rows) => Ok(rows.is_empty()),
        Err(diesel::result::Error::DeserializationError(_)) => Ok(false),
        Err(error) => Err(database(table, error)),
    }
}

pub(super) fn database(table: &'static str, error: diesel::result::Error) -> VerifyError {
    VerifyError::Database { table, source: error.into() }
}

fn problem(error: &DbError) -> String {
    match error {
        DbError::Corrupt { column, .. } => format!("{column} cannot be read"),
        DbError::Database(_) => "cannot be read".to_owned(),
    }
}

macro_rules! walk_table {
    ($walk:expr, $table:ident, $row:ty => $value:ty, by $key:expr, named $name:expr) => {
        walk::<$row, $value>(
            $walk,
            stringify!($table),
            |conn, limit, offset| {
                $table::table
                    .select(<$row>::as_select())
                    .order($key)
                    .limit(limit)
                    .offset(offset)
                    .load(conn)
            },
            $name,
            <$value>::try_from,
        )?
    };
}

/// A password as it is stored, with whose it is.
type PasswordRow = (Vec<u8>, String);

type FailureRow = (Vec<u8>, i64, i32);

fn failure((key, _, failures): FailureRow) -> DbResult<u32> {
    Column("login_failures", "key_digest").bytes(&key, |_: [u8; 32]| ())?;
    u32::try_from(failures).map_err(|_| DbError::corrupt("login_failures", "failures"))
}

pub(super) fn check(w: &mut Walk<'_>) -> Result<(), VerifyError> {
    walk_table!(w, users, UserRow => User, by users::id, named |row| hex(&row.id));
    walk(
        w,
        "users",
        |conn, limit, offset| {
            users::table
                .select((users::id, users::password))
                .order(users::id)
                .limit(limit)
                .offset(offset)
                .load::<PasswordRow>(conn)
        },
        |row| hex(&row.0),
        |row| password(row.1),
    )?;
    walk_table!(w, groups, GroupRow => Group, by groups::id, named |row| hex(&row.id));
    walk_table!(w, memberships, MembershipRow => Membership,
        by (memberships::group_id, memberships::user_id),
        named |row| format!("{} {}", hex(&row.group_id), hex(&row.user_id)));
    walk_table!(w, nestings, NestingRow => Nesting,
        by (nestings::parent_id, nestings::child_id),
        named |row| format!("{} {}", hex(&row.parent_id), hex(&row.child_id)));
    walk_table!(w, permissions, PermissionRow => Permission,
        by permissions::code, named |row| row.code.clone());
    walk_table!(w, delete_rules, DeleteRuleRow => (ObjectType, DeleteRule),
        by delete_rules::object_kind, named |row| row.object_kind.clone());
    walk_table!(w, grants, GrantRow => Grant, by grants::id, named |row| hex(&row.id));
    walk_table!(w, objects, ObjectRow => Object,
        by (objects::kind, objects::id), named |row| format!("{}:{}", row.kind, row.id));
    walk_table!(w, sessions, SessionRow => Session, by sessions::digest, named |row| hex(&row.id));
    walk_table!(w, audit_events, AuditRow => StoredAuditEvent,
        by audit_events::id, named |row| hex(&row.id));
    walk_table!(w, changes, ChangeRow => NumberedChange,
        by changes::number, named |row| row.number.to_string());
    // Digests of one-time links are as good as nothing to a reader, but need not be shown either.
    walk_table!(w, tickets, TicketRow => Ticket, by tickets::digest, named |row| row.purpose.clone());
    walk_table!(w, registrations, RegistrationRow => Registration,
        by registrations::id, named |row| hex(&row.id));
    walk_table!(w, invitations, InvitationRow => Invitation,
        by invitations::id, named |row| hex(&row.id));
    walk_table!(w, invitation_groups, InvitationGroupRow => (InvitationId, GroupId),
        by (invitation_groups::invitation_id, invitation_groups::group_id),
        named |row| hex(&row.invitation_id));
    walk_table!(w, consents, ConsentRow => Consent,
        by (consents::user_id, consents::version), named |row| hex(&row.user_id));
    walk_table!(w, browsers, BrowserRow => KnownBrowser,
        by (browsers::user_id, browsers::digest), named |row| hex(&row.user_id));
    walk_table!(w, login_steps, LoginStepRow => LoginStep,
        by login_steps::digest, named |row| row.backend.clone());
    walk_table!(w, outbox, NoticeRow => StoredNotice, by outbox::id, named |row| hex(&row.id));
    walk_table!(w, announcements, AnnouncementRow => Announcement,
        by announcements::id, named |row| hex(&row.id));
    walk_table!(w, announcement_batches, BatchRow => Batch,
        by (announcement_batches::announcement_id, announcement_batches::number),
        named |row| format!("{} {}", hex(&row.announcement_id), row.number));
    walk_table!(w, import_links, ImportLinkRow => ImportLink,
        by (import_links::source, import_links::kind, import_links::foreign_key),
        named |row| format!("{} {} {}", row.source, row.kind, row.foreign_key));
    walk(
        w,
        "login_failures",
        |conn, limit, offset| {
            login_failures::table
                .order(login_failures::key_digest)
                .limit(limit)
                .offset(offset)
                .load::<FailureRow>(conn)
        },
        |row| hex(&row.0[..row.0.len().min(4)]),
        failure,
    )?;
    walk(
        w,
        "instance_marks",
        |conn, limit, offset| {
            instance_marks::table.order(instance_marks::name).limit(limit).offset(offset).load::<(
                String,
                String,
            )>(
                conn
            )
        },
        |row| row.0.clone(),
        Ok,
    )
}
