//! The groups that somebody is in, also by way of other groups.

use std::collections::{BTreeSet, HashSet};

use ldap3::Scope;
use vestibule_core::ports::backend::{self, Fault};

use super::{
    connection::{Ask, Entry, Limit},
    names,
    people::Person,
    pool::Pool,
    results,
    settings::{Groups, GroupsFrom},
    template::{Hole, Template, escape},
};

/// How many groups are asked about in one question.
const AT_ONCE: usize = 40;

/// Who asks, and how much is taken.
pub(super) struct Asking<'a> {
    pub(super) pool: &'a Pool,
    pub(super) page_size: i32,
    pub(super) most: usize,
}

/// What was found so far. Each group is looked at once, however the groups are nested.
#[derive(Default)]
struct Seen {
    dns: HashSet<String>,
    names: BTreeSet<String>,
}

impl Groups {
    /// The attribute of a person that has to be read along.
    pub(super) fn attribute(&self) -> Option<&str> {
        match &self.from {
            GroupsFrom::Attribute(attribute) => Some(attribute),
            GroupsFrom::Nothing | GroupsFrom::Search { .. } => None,
        }
    }

    /// All groups of somebody. A list that is not whole would take memberships away, and one that
    /// is not told would leave them: what cannot be found out is a fault.
    pub(super) async fn of(
        &self,
        person: &Person,
        asking: &Asking<'_>,
    ) -> Result<backend::Groups, Fault> {
        let mut seen = Seen::default();
        match &self.from {
            GroupsFrom::Nothing => return Ok(backend::Groups::Unknown),
            GroupsFrom::Attribute(attribute) => {
                let listed = person.entry.texts(attribute).map(str::to_owned).collect();
                self.listed(attribute, listed, &mut seen, asking).await?;
            }
            GroupsFrom::Search { filter, nested } => {
                self.searched(person, (filter, nested), &mut seen, asking).await?;
            }
        }
        Ok(backend::Groups::Known(seen.names.into_iter().collect()))
    }

    /// Those that an attribute lists, and those that it lists of them.
    async fn listed(
        &self,
        attribute: &str,
        mut listed: Vec<String>,
        seen: &mut Seen,
        asking: &Asking<'_>,
    ) -> Result<(), Fault> {
        for depth in 0..=self.nested_depth {
            let mut next = Vec::new();
            for value in listed {
                if !self.is_below_base(&value) || !seen.dns.insert(names::normal(&value)) {
                    continue;
                }
                seen.names.insert(self.name_in(&value));
                expect_at_most(asking.most, seen)?;
                let is_asked = depth < self.nested_depth && names::first_part(&value).is_some();
                if is_asked {
                    next.extend(self.lists_of(&value, attribute, asking).await?);
                }
            }
            listed = next;
        }
        Ok(())
    }

    /// What the entry of a group lists itself; nothing when there is none.
    async fn lists_of(
        &self,
        dn: &str,
        attribute: &str,
        asking: &Asking<'_>,
    ) -> Result<Vec<String>, Fault> {
        let ask = Ask {
            what: "the search for a group",
            base: dn,
            scope: Scope::Base,
            filter: "(objectClass=*)",
            attributes: &[attribute],
            limit: Limit::Entries(1),
        };
        let found = asking.pool.search(&ask).await?;
        if found.code == 32 {
            return Ok(Vec::new());
        }
        results::of_search(found.code, ask.what)?;
        Ok(found
            .entries
            .iter()
            .flat_map(|entry| entry.texts(attribute))
            .map(str::to_owned)
            .collect())
    }

    /// Those that list the person, and those that list them.
    async fn searched(
        &self,
        person: &Person,
        (filter, nested): (&Template, &Template),
        seen: &mut Seen,
        asking: &Asking<'_>,
    ) -> Result<(), Fault> {
        let dn = &person.entry.dn;
        let filled = filter.fill(|hole| match hole {
            Hole::Dn => escape(dn.as_bytes()),
            Hole::Username => escape(person.username.as_deref().unwrap_or_default().as_bytes()),
        });
        let mut level = self.matching(&filled, seen, asking).await?;
        for _ in 0..self.nested_depth {
            let mut next = Vec::new();
            for some in level.chunks(AT_ONCE) {
                let each = some.iter().map(|dn| nested.fill(|_| escape(dn.as_bytes())));
                let filled = format!("(|{})", each.collect::<String>());
                next.extend(self.matching(&filled, seen, asking).await?);
            }
            if next.is_empty() {
                break;
            }
            level = next;
        }
        Ok(())
    }

    /// The groups of a filter that were not seen yet, by their names in the directory.
    async fn matching(
        &self,
        filter: &str,
        seen: &mut Seen,
        asking: &Asking<'_>,
    ) -> Result<Vec<String>, Fault> {
        let ask = Ask {
            what: "the search for groups",
            base: self.base.as_deref().unwrap_or_default(),
            scope: Scope::Subtree,
            filter,
            attributes: &[if self.name.eq_ignore_ascii_case("dn") { "1.1" } else { &self.name }],
            limit: Limit::Pages { size: asking.page_size, most: asking.most },
        };
        let found = asking.pool.search(&ask).await?;
        results::of_search(found.code, ask.what)?;
        let mut new = Vec::new();
        for entry in found.entries {
            if seen.dns.insert(names::normal(&entry.dn)) {
                seen.names.extend(self.name_of(&entry));
                expect_at_most(asking.most, seen)?;
                new.push(entry.dn);
            }
        }
        Ok(new)
    }

    fn is_below_base(&self, dn: &str) -> bool {
        self.base.as_ref().is_none_or(|base| names::is_below(dn, base))
    }

    /// By what a group goes that is known by its entry: one name, the same each time. Of several
    /// it is the one in its name in the directory.
    fn name_of(&self, entry: &Entry) -> Option<String> {
        if self.name.eq_ignore_ascii_case("dn") {
            return Some(entry.dn.clone());
        }
        let named = names::first_part(&entry.dn)
            .filter(|(attribute, _)| attribute.eq_ignore_ascii_case(&self.name))
            .map(|(_, value)| value);
        let own = |name: &String| entry.texts(&self.name).any(|value| value == name);
        named.filter(own).or_else(|| entry.texts(&self.name).min().map(str::to_owned))
    }

    /// By what a group goes that is known by a value: what its name says, or the value as it is.
    fn name_in(&self, value: &str) -> String {
        let named = names::first_part(value)
            .filter(|(attribute, _)| attribute.eq_ignore_ascii_case(&self.name));
        named.map_or_else(|| value.to_owned(), |(_, name)| name)
    }
}

fn expect_at_most(most: usize, seen: &Seen) -> Result<(), Fault> {
    if seen.dns.len() > most {
        return Err(Fault::Misconfigured(format!("somebody is in more than {most} groups")));
    }
    Ok(())
}
