//! What handlers take from a request: who asks, what they may, what they sent.

mod access;
mod body;
mod cross_site;
mod current_user;
mod cx;
mod program;

pub use self::{
    access::{Access, IntoObject},
    current_user::CurrentUser,
    cx::RequestCx,
};
pub(crate) use self::{
    body::{Body, Posted, Query, RawBody},
    cross_site::{refuse_cross_site, require_own_form},
    current_user::{actor_in, actor_of, session_of, token_of},
    cx::{UserCx, anonymous},
    program::Turns,
};
