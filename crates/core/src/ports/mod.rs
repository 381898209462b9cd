//! What the domain needs from outside, as traits that adapters fill.
//!
//! Repository methods begin with the noun they are about (`user_by_id`), because they all meet in
//! one [`Tx`](store::Tx). `insert_…` fails with a conflict when the row is there already;
//! `update_…` and `delete_…` answer whether there was such a row. Nothing here decides anything:
//! rules are in the use cases, and so is the audit event.

pub mod announcements;
pub mod audit;
pub mod backend;
pub mod changes;
pub mod checks;
pub mod grants;
pub mod groups;
pub mod hasher;
pub mod identities;
pub mod imports;
pub mod invitations;
pub mod judge;
pub mod login_steps;
pub mod objects;
pub mod outbox;
pub mod permissions;
pub mod registrations;
pub mod sessions;
pub mod store;
pub mod throttle;
pub mod tickets;
pub mod users;
