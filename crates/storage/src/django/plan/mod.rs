//! From Django's rows to what is to be written here: everything that can be decided without the
//! own database, on the thread that reads.

mod grants;
mod groups;
mod key;
mod members;
mod objects;
mod password;
mod permissions;
mod users;
mod values;

use std::collections::HashMap;

use vestibule_core::{
    OpCx, Timestamp,
    domain::permission::PermissionCode,
    id::{GroupId, UserId},
};

use self::{key::RowKey, values::Wrong};
use super::{
    Progress,
    batch::Batch,
    error::ImportError,
    ids::Ids,
    known::{Known, Links, kind},
    report::{Action, Counts, Entry, Kind, Reason},
    source::{Found, Source},
};

/// How many rows the first batch takes at most.
const FIRST_BATCH: usize = 2000;

/// What the reading thread says, in this order: what is written comes before the progress that
/// counts it.
pub(super) enum Said {
    /// The table that holds the accounts.
    Found(String),
    /// To be written.
    Batch(Box<Batch>),
    /// So far.
    Progress(Progress),
    /// All is read.
    Done(Box<Summary>),
    /// It could not be read.
    Failed(ImportError),
}

/// What was found out without the own database.
#[derive(Default)]
pub(super) struct Summary {
    pub(super) counts: Counts,
    pub(super) entries: Vec<Entry>,
}

/// Why planning ended early.
pub(super) enum Halt {
    /// It failed.
    Failed(ImportError),
    /// Nobody listens any more.
    Abandoned,
}

impl From<ImportError> for Halt {
    fn from(error: ImportError) -> Self {
        Self::Failed(error)
    }
}

/// What became of a user's or group's row.
enum Subject<I> {
    /// It has an account or group here, `fresh` since this run.
    Here { id: I, name: Box<str>, fresh: bool },
    /// It was left out.
    LeftOut { name: Box<str> },
}

/// What became of a permission's row.
struct PlannedPermission {
    content_type: Box<str>,
    /// `None` when it was left out.
    code: Option<PermissionCode>,
    name: Box<str>,
}

/// Turns rows into batches.
pub(super) struct Planner<'a> {
    found: Found,
    known: Known,
    ids: Ids,
    now: Timestamp,
    /// How many rows the present batch takes, and the largest one.
    batch_rows: usize,
    most_rows: usize,
    batch: Batch,
    say: &'a mut dyn FnMut(Said) -> Result<(), Halt>,
    progress: Progress,
    summary: Summary,
    /// By primary key: `app_label.model`.
    content_types: HashMap<RowKey, (String, String)>,
    permissions: HashMap<RowKey, PlannedPermission>,
    groups: HashMap<RowKey, Subject<GroupId>>,
    users: HashMap<RowKey, Subject<UserId>>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        found: Found,
        known: Known,
        cx: &OpCx,
        batch_rows: usize,
        say: &'a mut dyn FnMut(Said) -> Result<(), Halt>,
    ) -> Self {
        Self {
            found,
            known,
            ids: Ids::new(cx.clone()),
            now: cx.now(),
            // The first ones are small, so that writing begins soon after reading does.
            batch_rows: batch_rows.clamp(1, FIRST_BATCH),
            most_rows: batch_rows.max(1),
            batch: Batch::default(),
            say,
            progress: Progress { kind: Kind::Permissions, done: 0, total: 0 },
            summary: Summary::default(),
            content_types: HashMap::new(),
            permissions: HashMap::new(),
            groups: HashMap::new(),
            users: HashMap::new(),
        }
    }

    /// Reads everything. What grants refer to is read, and written, before them: a run that is
    /// cut short leaves people with fewer rights than they have in Django, never with more.
    pub(super) fn run(mut self, source: &mut Source) -> Result<Summary, Halt> {
        self.plan_permissions(source)?;
        self.plan_groups(source)?;
        self.plan_users(source)?;
        self.plan_memberships(source)?;
        self.plan_grants(source)?;
        self.plan_object_grants(source)?;
        self.report_gone();
        self.flush()?;
        Ok(self.summary)
    }

    /// Begins a kind of rows.
    fn begin(&mut self, kind: Kind, total: u64) -> Result<(), Halt> {
        self.progress = Progress { kind, done: 0, total };
        (self.say)(Said::Progress(self.progress))
    }

    /// Counts a row that has been looked at, and lets a full batch go.
    fn row_done(&mut self) -> Result<(), Halt> {
        self.progress.done += 1;
        if self.batch.len() >= self.batch_rows {
            self.flush()?;
        }
        if self.progress.done.is_multiple_of(1000) {
            (self.say)(Said::Progress(self.progress))?;
        }
        Ok(())
    }

    /// Ends a kind of rows.
    fn end(&mut self) -> Result<(), Halt> {
        self.progress.total = self.progress.done;
        (self.say)(Said::Progress(self.progress))
    }

    fn flush(&mut self) -> Result<(), Halt> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        self.batch_rows = (self.batch_rows * 2).min(self.most_rows);
        (self.say)(Said::Batch(Box::new(batch)))
    }

    fn note(
        &mut self,
        table: &str,
        key: &str,
        subject: &str,
        (reason, message): Wrong,
        action: Action,
    ) {
        let entry = Entry::new(table, key, subject, reason, message, action);
        self.summary.entries.push(entry);
    }

    /// A row that is not taken over.
    fn leave_out(&mut self, kind: Kind, table: &str, key: &str, subject: &str, wrong: Wrong) {
        self.summary.counts.of(kind).left_out += 1;
        self.note(table, key, subject, wrong, Action::LeftOut);
    }

    /// Reports what was imported before and was not read again.
    fn report_gone(&mut self) {
        let Found { users, user_groups, user_permissions, .. } = self.found.clone();
        let known = &mut self.known;
        let kinds: [(Kind, &str, Links); 5] = [
            (Kind::Groups, "auth_group", std::mem::take(&mut known.groups)),
            (Kind::Users, &users, std::mem::take(&mut known.users)),
            (Kind::Memberships, &user_groups.0, std::mem::take(&mut known.memberships)),
            (Kind::Grants, &user_permissions.0, std::mem::take(&mut known.grants)),
            (
                Kind::ObjectGrants,
                "guardian_userobjectpermission",
                std::mem::take(&mut known.object_grants),
            ),
        ];
        for (kind, table, links) in kinds {
            for (key, link) in links {
                self.summary.counts.of(kind).gone += 1;
                let table = match (kind, key.starts_with("g/")) {
                    (Kind::Grants, true) => "auth_group_permissions",
                    (Kind::ObjectGrants, true) => "guardian_groupobjectpermission",
                    _ => table,
                };
                let subject = match kind {
                    Kind::Users => self.known.names.of(&link.local_id).map(|names| &names.0),
                    Kind::Groups => self.known.group_keys.get(&link.local_id),
                    _ => None,
                };
                let subject = subject.cloned().unwrap_or_default();
                let wrong =
                    (Reason::Gone, "was imported before and is no longer in Django".to_owned());
                self.note(table, &key, &subject, wrong, Action::KeptOurs);
            }
        }
    }
}

impl<I: Copy> Subject<I> {
    fn name(&self) -> &str {
        match self {
            Self::Here { name, .. } | Self::LeftOut { name } => name,
        }
    }
}

/// Finds what a row refers to, or says why the row has to be left out.
fn referred<'m, V>(
    map: &'m HashMap<RowKey, V>,
    cell: Result<&str, Wrong>,
    what: &str,
) -> Result<&'m V, Wrong> {
    let key = RowKey::from(cell?);
    map.get(&key)
        .ok_or_else(|| (Reason::Dangling, format!("refers to a {what} that does not exist")))
}

/// The id of a subject that is here.
fn present<I: Copy>(subject: &Subject<I>, what: &str) -> Result<(I, bool), Wrong> {
    match subject {
        Subject::Here { id, fresh, .. } => Ok((*id, *fresh)),
        Subject::LeftOut { .. } => Err(left_out(what)),
    }
}

fn left_out(what: &str) -> Wrong {
    (Reason::RefersToLeftOut, format!("refers to a {what} that was left out"))
}

/// A fingerprint for rows that say all in their key.
const KEY_ONLY: [u8; 32] = {
    let mut print = [0; 32];
    print[0] = 1;
    print
};

/// The kind of link for a kind of grant.
fn link_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::ObjectGrants => kind::OBJECT_GRANT,
        _ => kind::GRANT,
    }
}
