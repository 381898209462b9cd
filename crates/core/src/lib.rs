//! The ground floor of Vestibule: who gets in, and what they may do there, as rules over values.
//!
//! One function decides, and says why:
//!
//! ```
//! use vestibule_core::{
//!     SystemClock, SystemEntropy, Clock, Username,
//!     domain::{
//!         grant::{Effect, Grant, Scope, Subject},
//!         object::{ObjectPrefix, ObjectRef},
//!         permission::{Permission, PermissionCode},
//!         user::{PersonName, User},
//!     },
//!     id::{GrantId, UserId},
//!     policy::{catalogue::Catalogue, decide::{Question, decide}, facts::Facts},
//! };
//!
//! # fn main() -> Result<(), vestibule_core::domain::invalid::FieldError> {
//! let now = SystemClock.now();
//! let code = PermissionCode::parse("trace.view")?;
//! let permission = Permission {
//!     code: code.clone(),
//!     description: "See traces".to_owned(),
//!     service: "trace".to_owned(),
//!     on: None,
//!     registered_at: now,
//! };
//! let user = User {
//!     id: UserId::generate(now, &SystemEntropy),
//!     username: Username::parse("ada")?,
//!     email: None,
//!     email_verified: false,
//!     first_name: PersonName::default(),
//!     last_name: PersonName::default(),
//!     is_active: true,
//!     is_staff: false,
//!     is_superuser: false,
//!     expires_at: None,
//!     created_at: now,
//!     last_login_at: None,
//!     password_changed_at: None,
//! };
//! let grant = Grant {
//!     id: GrantId::generate(now, &SystemEntropy),
//!     subject: Subject::User(user.id),
//!     permission: code,
//!     effect: Effect::Allow,
//!     scope: Scope::Prefix(ObjectPrefix::new("trace", "/base1/")?),
//!     expires_at: None,
//!     granted_by: None,
//!     granted_at: now,
//! };
//! let catalogue = Catalogue::new(vec![permission], Vec::new(), &[]);
//! let facts = Facts::new(user, &[], &[], vec![grant], &catalogue, now);
//!
//! let object = ObjectRef::parse("trace:/base1/t1/")?;
//! let question = Question { permission: "trace.view", object: Some(&object), known: None };
//! let decision = decide(&facts, &catalogue, question, now);
//! assert!(decision.allowed);
//! assert!(decision.reason.to_string().starts_with("granted to the user on all below"));
//! # Ok(())
//! # }
//! ```
//!
//! [`domain`] holds the values and what always holds of them, [`policy`] the decisions, [`usecase`]
//! what can be done, [`ports`] what is needed from outside. There is no input or output here, no
//! web and no database.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod cx;
pub mod domain;
pub mod entropy;
pub mod id;
pub mod policy;
pub mod ports;
pub mod secret;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod time;
pub mod usecase;

pub use crate::{
    cx::{Actor, Client, OpCx},
    domain::{email::Email, username::Username},
    entropy::{Entropy, SystemEntropy},
    secret::{Secret, TokenDigest},
    time::{Clock, SystemClock, Timestamp},
};
