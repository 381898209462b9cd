//! Mail: what notices say, how they are sent, and the worker that empties the outbox.
//!
//! A use case posts a [notice](vestibule_core::domain::notice::Notice) in its transaction; a
//! [`Worker`] takes it on, has the [`Office`] write it and hand it to a
//! [`Transport`](transport::Transport), and writes down what came of it. No transaction is open
//! while a mail server is asked, and no request ever waits for one.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod address;
pub mod backoff;
pub mod classify;
pub mod message;
pub mod office;
pub mod render;
pub mod transport;
pub mod worker;

pub use self::{
    address::Mailbox,
    office::Office,
    render::{Renderer, SiteFacts},
    worker::{Bell, Worker, WorkerOptions},
};
