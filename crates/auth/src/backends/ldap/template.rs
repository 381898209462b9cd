//! Filters with places that are filled in (RFC 4515).

use std::fmt::Write as _;

/// What is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hole {
    /// `{username}`
    Username,
    /// `{dn}`
    Dn,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Hole(Hole),
}

/// A filter as an operator writes it: `(&(uid={username})(objectClass=person))`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

impl Template {
    /// Reads one that has only these places, and at least one of them. They stand in values,
    /// behind a `=`, where what is filled in can be written so that it has no other meaning.
    pub(super) fn read(text: &str, allowed: &[Hole]) -> Result<Self, &'static str> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, behind) = rest.split_at(at);
            let (hole, after) = [(Hole::Username, "{username}"), (Hole::Dn, "{dn}")]
                .into_iter()
                .filter(|(hole, _)| allowed.contains(hole))
                .find_map(|(hole, word)| Some((hole, behind.strip_prefix(word)?)))
                .ok_or(match allowed {
                    [Hole::Username] => "has a { or } that is not of {username}",
                    [Hole::Dn] => "has a { or } that is not of {dn}",
                    _ => "has a { or } that is neither of {username} nor of {dn}",
                })?;
            parts.extend([Part::Text(before.to_owned()), Part::Hole(hole)]);
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        let template = Self(parts);
        if template.holes().next().is_none() {
            return Err(match allowed {
                [Hole::Username] => "has no {username}",
                [Hole::Dn] => "has no {dn}",
                _ => "has neither {username} nor {dn}",
            });
        }
        template.expect_holes_in_values()?;
        let tried = template.fill(|_| escape(b"x"));
        if ldap3::parse_filter(tried).is_err() {
            return Err("is no filter, such as (uid={username})");
        }
        Ok(template)
    }

    /// With what stands in its places, which has to be [escaped](escape).
    pub(super) fn fill(&self, mut of: impl FnMut(Hole) -> String) -> String {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Hole(hole) => of(*hole),
        });
        parts.collect()
    }

    /// Whether a filter that has `*` in place of each name still is one, and still means less and
    /// not more: what else it demands is then demanded of somebody who is known by other means.
    pub(super) fn holds_for_anybody(&self) -> bool {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Hole(_) => {
                    let item = text.rsplit('(').next().unwrap_or_default();
                    let is_equality = item
                        .split_once('=')
                        .is_some_and(|(left, _)| !left.ends_with([':', '<', '>', '~']));
                    if !is_equality || is_negated(&text) {
                        return false;
                    }
                }
            }
        }
        ldap3::parse_filter(self.fill(|_| "*".to_owned())).is_ok()
    }

    fn holes(&self) -> impl Iterator<Item = Hole> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Hole(hole) => Some(*hole),
        })
    }

    fn expect_holes_in_values(&self) -> Result<(), &'static str> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Hole(_) => {
                    let item = text.rsplit(['(', ')']).next().unwrap_or_default();
                    if !item.contains('=') {
                        return Err("has a place to be filled that is not behind a =");
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether what follows is within a `(!…)`.
fn is_negated(before: &str) -> bool {
    let mut open = Vec::new();
    for (at, c) in before.char_indices() {
        match c {
            '(' => open.push(before[at + 1..].trim_start().starts_with('!')),
            ')' => drop(open.pop()),
            _ => {}
        }
    }
    open.contains(&true)
}

/// A value written so that it is nothing but itself (RFC 4515 section 3): letters and digits as
/// they are, each other byte as two digits.
pub(super) fn escape(value: &[u8]) -> String {
    let mut escaped = String::with_capacity(value.len());
    for byte in value {
        if byte.is_ascii_alphanumeric() {
            escaped.push(char::from(*byte));
        } else {
            let _ = write!(escaped, "\\{byte:02x}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{Hole, Template, escape};

    fn user(text: &str) -> Result<Template, &'static str> {
        Template::read(text, &[Hole::Username])
    }

    #[test]
    fn a_value_has_no_other_meaning_than_itself() {
        assert_eq!(escape(b"ann7"), "ann7");
        assert_eq!(escape(b"*)(uid=*"), "\\2a\\29\\28uid\\3d\\2a");
        assert_eq!(escape("ä\0\\".as_bytes()), "\\c3\\a4\\00\\5c");
        let filter = user("(uid={username})").unwrap();
        let filled = filter.fill(|_| escape("*)(|(uid=*".as_bytes()));
        assert_eq!(filled, "(uid=\\2a\\29\\28\\7c\\28uid\\3d\\2a)");
    }

    #[test]
    fn a_filter_that_is_none_is_refused() {
        for (text, says) in [
            ("(uid=ann)", "has no {username}"),
            ("(uid={user})", "has a { or } that is not of {username}"),
            ("(member={dn})", "has a { or } that is not of {username}"),
            ("({username}=x)", "has a place to be filled that is not behind a ="),
            ("(uid=x)({username})", "has a place to be filled that is not behind a ="),
            ("(uid={username}", "is no filter, such as (uid={username})"),
            ("(&(uid={username}))x", "is no filter, such as (uid={username})"),
        ] {
            assert_eq!(user(text).unwrap_err(), says, "{text}");
        }
        assert!(Template::read("(memberUid={username})", &[Hole::Dn, Hole::Username]).is_ok());
        assert!(Template::read("(member:1.2.840.113556.1.4.1941:={dn})", &[Hole::Dn]).is_ok());
    }

    #[test]
    fn a_filter_is_asked_of_somebody_who_is_known_by_other_means() {
        for text in [
            "(uid={username})",
            "(&(!(uid=root))(uid={username}))",
            "(&(objectClass=person)(|(uid={username})(mail={username}@x))(!(state=off)))",
        ] {
            assert!(user(text).unwrap().holds_for_anybody(), "{text}");
        }
        for text in ["(!(uid={username}))", "(uid:caseExactMatch:={username})", "(uid>={username})"]
        {
            assert!(!user(text).unwrap().holds_for_anybody(), "{text}");
        }
    }
}
