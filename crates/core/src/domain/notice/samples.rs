//! One mail of each kind.

use super::{Notice, SiteNews};
use crate::{
    id::{InvitationId, RegistrationId},
    time::Timestamp,
};

impl Notice {
    /// One of each kind that has words of its own, to try templates with.
    pub fn samples() -> Vec<Self> {
        let at = Timestamp::from_micros(1_767_225_600_000_000);
        let username = || "anna".to_owned();
        vec![
            Self::Test,
            Self::Activate {
                username: username(),
                registration: RegistrationId::from_bytes([7; 16]),
            },
            Self::Reset { username: username() },
            Self::ResetElsewhere { username: username(), ways: vec!["University".to_owned()] },
            Self::Welcome { username: username() },
            Self::AddressKnown { username: username() },
            Self::NameTaken { username: username() },
            Self::EmailChange { username: username() },
            Self::EmailChanged { username: username(), at, address: String::new(), is_done: false },
            Self::EmailChanged {
                username: username(),
                at,
                address: "192.0.2.7".to_owned(),
                is_done: true,
            },
            Self::PasswordChanged { username: username(), at, address: "192.0.2.7".to_owned() },
            Self::Invitation {
                invitation: InvitationId::from_bytes([7; 16]),
                by: "admin".to_owned(),
                groups: vec!["lab".to_owned()],
            },
            Self::Invitation {
                invitation: InvitationId::from_bytes([7; 16]),
                by: "admin".to_owned(),
                groups: Vec::new(),
            },
            Self::RegistrationWaits { username: username(), email: "anna@example.org".to_owned() },
            Self::RegistrationApproved { username: username() },
            Self::RegistrationRefused { username: username(), reason: String::new() },
            Self::RegistrationRefused { username: username(), reason: "who are you?".to_owned() },
            Self::IdentityChanged {
                username: username(),
                way: "University".to_owned(),
                at,
                address: "192.0.2.7".to_owned(),
                is_linked: true,
            },
            Self::IdentityChanged {
                username: username(),
                way: "University".to_owned(),
                at,
                address: String::new(),
                is_linked: false,
            },
            Self::NewBrowser {
                username: username(),
                browser: "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Firefox/145.0".to_owned(),
                at,
                address: "192.0.2.7".to_owned(),
            },
            Self::Message {
                subject: "Maintenance on Monday".to_owned(),
                text: "The site is away from 8 to 10.\n\nSee you later.".to_owned(),
                link: Some("https://example.org/maintenance".to_owned()),
            },
            Self::ErrorReport {
                place: "POST /api/v1/users".to_owned(),
                code: "internal".to_owned(),
                count: 3,
                first: at,
                last: at,
                requests: vec!["019b76da-a800-7000-8000-000000000000".to_owned()],
            },
            Self::SiteNews {
                news: SiteNews::LoginFailed,
                username: username(),
                at,
                address: "192.0.2.7".to_owned(),
                is_last: true,
            },
            Self::Undelivered {
                about: "reset".to_owned(),
                id: "019b76da-a800-7000-8000-000000000000".to_owned(),
                reason: "550 no such user here".to_owned(),
                dead: 1,
            },
        ]
    }
}
