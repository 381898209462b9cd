//! `OpenID` Connect against the providers of `tests/peers/oidc`: a certified one, and one that goes
//! wrong in more than three hundred ways.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod hostile;
mod named;
mod support;
