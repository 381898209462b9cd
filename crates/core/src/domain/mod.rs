//! The values of the domain and what always holds of them. No input or output.

pub mod announcement;
pub mod audit;
pub mod change;
pub mod email;
pub mod grant;
pub mod group;
pub mod identity;
pub mod invalid;
pub mod invitation;
pub mod level;
pub mod login_step;
pub mod notice;
pub mod object;
pub mod page;
pub mod permission;
pub mod registration;
pub mod rights;
pub mod session;
mod text;
pub mod ticket;
pub mod user;
pub mod username;
