//! The repositories, one file per port. Rules are not here: they are in the core.
//!
//! What a unique key finds is taken by `get_result` and not by `first`: that adds `LIMIT ?`, and
//! SQLite prepares a statement anew whenever a limit is bound to it, which costs more than the
//! look-up itself.

mod announcements;
mod audit;
mod changes;
mod checks;
mod grants;
mod groups;
mod identities;
mod imports;
mod invitations;
mod login_steps;
mod objects;
mod outbox;
mod permissions;
mod registrations;
mod sessions;
mod throttle;
mod tickets;
mod users;

use vestibule_core::domain::page::{Page, PageRequest};

use crate::{
    columns::counted,
    error::{DbError, DbResult},
    rows::values,
};

/// How many ids one statement asks for.
const IDS_AT_ONCE: usize = 500;

fn page<R, T>(count: i64, rows: Vec<R>) -> DbResult<Page<T>>
where
    T: TryFrom<R, Error = DbError>,
{
    Ok(Page { count: counted(count), items: values(rows)? })
}

fn limit<O>(request: &PageRequest<O>) -> i64 {
    i64::from(request.size)
}

/// Whether no stored text is this: `PostgreSQL` keeps no NUL, and takes none in a question.
fn no_text_holds(text: &str) -> bool {
    text.contains('\0')
}
