//! The ways to log in that come with Vestibule.

mod local;

pub use local::LocalBackend;
