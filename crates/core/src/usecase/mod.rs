//! What can be done, one struct to a subject. Each call is given the context of the operation
//! first, checks by what right it acts, writes in one transaction and leaves an audit event in it.

pub mod announcements;
pub mod audit;
mod authority;
pub mod bootstrap;
pub mod check;
pub mod delivery;
pub mod error;
pub mod error_report;
pub mod grants;
pub mod groups;
pub mod housekeeping;
pub mod invitations;
pub mod links;
pub mod login;
pub mod members;
pub mod news;
pub mod notify;
pub mod outbox;
pub mod password;
pub mod permissions;
pub mod post;
pub mod principal;
pub mod programs;
pub mod readdress;
mod record;
pub mod recovery;
pub mod registration;
pub mod session_token;
pub mod sessions;
pub mod sharing;
pub mod throttle;
pub mod users;

pub use self::authority::FRESH;
