//! `[registration]`.

use super::key;
use crate::config::{
    kind::Kind, kind::parses, reference::Key, reference::Preset, registration,
    registration::MailDomain,
};

pub(super) const KEYS: &[Key] = &[
    key(
        "registration.mode",
        Kind::Choice(&["closed", "invite", "open"]),
        Preset::Text("closed"),
        "Whether people make accounts for themselves by a link that is mailed to them: nobody, those who were invited, or anybody.",
    ),
    key(
        "registration.activation_days",
        Kind::Number { min: 1, max: 30 },
        Preset::Number(7),
        "For how many days a registration waits to be confirmed.",
    ),
    key(
        "registration.invitation_days",
        Kind::Number { min: 1, max: 90 },
        Preset::Number(14),
        "For how many days an invitation waits, where whoever invites says nothing else.",
    ),
    key(
        "registration.approval",
        Kind::Flag,
        Preset::Flag(false),
        "Whether an administrator is asked before the account of a registration is made; never of an invitation.",
    ),
    key(
        "registration.policy_version",
        Kind::Text { what: "at most 50 characters", check: registration::policy_version_holds },
        Preset::Unset,
        "The version of the policy that people agree to when they make an account; kept with the time.",
    ),
    key(
        "registration.policy_url",
        Kind::Text { what: "an http or https address", check: registration::policy_url_holds },
        Preset::Unset,
        "Where that policy can be read.",
    ),
    key(
        "registration.domains",
        Kind::List { what: "domains", check: parses::<MailDomain> },
        Preset::Nothing,
        "Mail domains that people may register with, all when there are none; `*.example.org` stands for all below it.",
    ),
    key(
        "registration.refused_domains",
        Kind::List { what: "domains", check: parses::<MailDomain> },
        Preset::Nothing,
        "Mail domains that nobody may register with.",
    ),
];
