//! From claims to what is asserted of somebody. A claim of a wrong type is as good as absent.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use vestibule_core::{
    Timestamp,
    domain::identity::Subject,
    ports::backend::{Assertion, Fault, Groups, Method},
};

use super::settings::ClaimNames;

/// Who somebody is here: `sub` is unique at its issuer alone, so the issuer is a part of it. An
/// operator who gives a backend's name to another provider lets nobody in as somebody else.
pub(super) fn subject(issuer: &str, sub: &str) -> Result<Subject, Fault> {
    let wrong = |_| Fault::protocol("the subject cannot be one");
    let own = Subject::parse(sub).map_err(wrong)?;
    let whole = format!("{own} {issuer}");
    if whole.len() <= Subject::MAX {
        return Subject::parse(&whole).map_err(wrong);
    }
    let digest = Sha256::digest(&whole).iter().fold(String::from("sha256:"), |mut text, byte| {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
        text
    });
    Subject::parse(&digest).map_err(wrong)
}

/// What the claims say of somebody.
pub(super) fn assertion(
    subject: Subject,
    sub: &str,
    claims: &Map<String, Value>,
    names: &ClaimNames,
    now: Timestamp,
) -> Assertion {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut assertion = Assertion::new(subject);
    assertion.username = Some(text(&names.username).unwrap_or_else(|| sub.to_owned()));
    assertion.first_name = text("given_name").unwrap_or_default();
    assertion.last_name = text("family_name").unwrap_or_default();
    if let Some(address) = text("email") {
        let is_verified = claims.get("email_verified") == Some(&Value::Bool(true));
        assertion = assertion.with_email(address, is_verified);
    }
    assertion.groups = groups(claims, names);
    assertion.session = text("sid");
    let told = claims.get("amr").and_then(Value::as_array);
    let methods: Vec<Method> =
        told.into_iter().flatten().filter_map(Value::as_str).map(method).collect();
    let at = claims.get("auth_time").and_then(Value::as_i64);
    let at = at.and_then(|seconds| seconds.checked_mul(1_000_000));
    let at = at.map_or(now, Timestamp::from_micros);
    if methods.is_empty() {
        return assertion.with_factor(Method::Unknown, at);
    }
    methods.into_iter().fold(assertion, |assertion, method| assertion.with_factor(method, at))
}

/// The groups that a claim names; what is no list of names is unknown, and what was known stays.
fn groups(claims: &Map<String, Value>, names: &ClaimNames) -> Groups {
    let Some(path) = &names.groups else { return Groups::Unknown };
    // A claim may have dots in its own name, as those that are addresses do.
    let found = claims.get(path).or_else(|| {
        let (first, rest) = path.split_once('.')?;
        rest.split('.').try_fold(claims.get(first)?, |inner, name| inner.get(name))
    });
    let Some(found) = found else { return Groups::Unknown };
    let name = |name: &Value| name.as_str().map(str::to_owned);
    let named = found.as_array().and_then(|names| names.iter().map(name).collect());
    named.map_or_else(
        || {
            tracing::warn!(
                target: "vestibule::backend",
                claim = %path,
                "the claim is no list of names; groups that were known stay"
            );
            Groups::Unknown
        },
        Groups::Known,
    )
}

/// How somebody proved who they are (RFC 8176).
fn method(said: &str) -> Method {
    match said {
        "pwd" => Method::Password,
        "otp" => Method::OneTimeCode,
        "mfa" => Method::Several,
        _ => Method::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};
    use vestibule_core::ports::backend::Groups;

    use super::{groups, subject};
    use crate::{backends::oidc::settings::ClaimNames, testkit::log::Lines};

    fn groups_in(claims: &Value, path: &str) -> Groups {
        let names = ClaimNames { username: String::new(), groups: Some(path.to_owned()) };
        groups(claims.as_object().unwrap_or(&Map::new()), &names)
    }

    #[test]
    fn atk_a117_groups_of_a_wrong_type_are_written_down_by_the_claims_name_alone() {
        let log = Lines::default();
        tracing::subscriber::with_default(log.listener(), || {
            groups_in(&json!({ "roles": "canary" }), "roles");
            groups_in(&json!({ "roles": ["canary", 7] }), "roles");
            groups_in(&json!({ "roles": ["canary"], "other": 7 }), "roles");
            groups_in(&json!({}), "roles");
        });
        let lines = log.all();
        assert_eq!(lines.len(), 2, "{lines:?}");
        for line in lines {
            assert!(line.contains("roles") && !line.contains("canary"), "{line}");
        }
    }

    #[test]
    fn atk_a117_groups_of_a_wrong_type_are_unknown_and_none_are_none() {
        for unknown in [
            json!({}),
            json!({ "groups": "admins" }),
            json!({ "groups": { "a": true } }),
            json!({ "groups": ["a", 1] }),
            json!({ "groups": [{ "name": "a" }] }),
            json!({ "groups": null }),
        ] {
            assert_eq!(groups_in(&unknown, "groups"), Groups::Unknown, "{unknown}");
        }
        assert_eq!(groups_in(&json!({ "groups": [] }), "groups"), Groups::Known(Vec::new()));
        let nested = json!({ "realm_access": { "roles": ["user"] } });
        assert_eq!(groups_in(&nested, "realm_access.roles"), Groups::Known(vec!["user".into()]));
        let dotted = json!({ "https://lab.example/groups": ["user"] });
        let known = groups_in(&dotted, "https://lab.example/groups");
        assert_eq!(known, Groups::Known(vec!["user".into()]));
    }

    #[test]
    fn atk_a106_one_sub_of_two_issuers_is_two_people_however_long_it_is() {
        let (one, two) = ("https://a.example", "https://b.example");
        for sub in ["ann".to_owned(), "x".repeat(255)] {
            let (at_one, at_two) = (subject(one, &sub).unwrap(), subject(two, &sub).unwrap());
            assert_ne!(at_one, at_two);
            assert_eq!(at_one, subject(one, &sub).unwrap());
        }
        assert_ne!(subject(one, "ann").unwrap(), subject(one, "ANN").unwrap());
        assert_ne!(subject(one, "ann").unwrap(), subject(one, "ann ").unwrap());
        for bad in ["", "a\0b", &"x".repeat(256)] {
            assert!(subject(one, bad).is_err());
        }
    }
}
