//! A type for each kind of id, all `UUIDv7` (RFC 9562): ordered by time, made by us and not by a
//! database, so that an insert needs no answer and ids of one kind never pass for another's.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{entropy::Entropy, time::Timestamp};

/// Text that is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid id")]
pub struct InvalidId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A fresh id, ordered after all made at earlier instants.
            pub fn generate(now: Timestamp, entropy: &dyn Entropy) -> Self {
                Self(uuid_v7(now, entropy))
            }

            /// An id read back from storage.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The bytes to store.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The id as a bare UUID.
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    )*};
}

ids! {
    /// Names a user account.
    UserId;
    /// Names a group.
    GroupId;
    /// Names one grant or denial.
    GrantId;
    /// Names a session: what its owner sees in a list, not what lets anyone in.
    SessionId;
    /// Names an audit event.
    AuditId;
    /// Names a notice in the outbox.
    NoticeId;
    /// Names one taking-on of notices by somebody who sends them.
    LeaseId;
    /// Names an announcement.
    AnnouncementId;
    /// Names an account that waits for its owner.
    RegistrationId;
    /// Names an invitation.
    InvitationId;
    /// Names one request from its arrival to its last log line.
    RequestId;
}

impl UserId {
    /// Nobody's: no account has it (the nil UUID, RFC 9562 section 5.9). For looking up somebody
    /// who is not there at the same cost as somebody who is.
    pub const NOBODY: Self = Self::from_bytes([0; 16]);
}

fn uuid_v7(now: Timestamp, entropy: &dyn Entropy) -> Uuid {
    let mut random = [0; 10];
    entropy.fill(&mut random);
    let millis = u64::try_from(now.as_micros() / 1000).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}
