//! Groups.

use std::collections::HashMap;

use vestibule_core::{
    domain::{
        group::{Group, GroupName},
        level::Level,
    },
    id::GroupId,
    ports::imports::ImportLink,
};

use super::{
    Halt, Planner, Subject, Wrong,
    key::RowKey,
    values::{self, text},
};
use crate::django::{
    batch::ChangedGroup,
    fingerprint,
    known::kind,
    report::{Action, Kind, Reason},
    source::{RawRow, Source},
};

const TABLE: &str = "auth_group";

impl Planner<'_> {
    pub(super) fn plan_groups(&mut self, source: &mut Source) -> Result<(), Halt> {
        self.begin(Kind::Groups, source.count(TABLE)?)?;
        // By the name's key: the row that has it.
        let mut claimed = HashMap::new();
        source.rows(TABLE, &["id", "name"], |row| {
            self.plan_group(&row, &mut claimed);
            self.row_done()
        })?;
        self.end()
    }

    fn plan_group(&mut self, row: &RawRow, claimed: &mut HashMap<String, RowKey>) {
        let (key, shown) = (row.shown(0), row.shown(1));
        let link = self.known.groups.remove(key);
        let own = link.as_ref().map(|link| link.local_id);
        if let Some(id) = own
            && !self.known.group_keys.contains_key(&id)
        {
            let wrong = (
                Reason::DeletedHere,
                "the group was deleted here; it is not made again".to_owned(),
            );
            self.summary.counts.groups.left_out += 1;
            self.note(TABLE, key, shown, wrong, Action::KeptOurs);
            let subject = Subject::LeftOut { name: shown.into() };
            self.groups.insert(RowKey::from(key), subject);
            return;
        }
        let name = group_name(row).and_then(|name| self.free_group_name(name, own, claimed));
        let subject = match (name, link) {
            (Ok(name), Some(mut link)) => {
                let id = GroupId::from_bytes(link.local_id);
                let after = fingerprint::of_fields(&[name.as_str()]);
                claimed.insert(name.key().to_owned(), RowKey::from(key));
                if link.fingerprint == after {
                    self.summary.counts.groups.unchanged += 1;
                } else {
                    link.fingerprint = after;
                    self.take_group_name(link.local_id, name.key());
                    self.batch.changed_groups.push(ChangedGroup { id, name, link });
                }
                Subject::Here { id, name: shown.into(), fresh: false }
            }
            (Ok(name), None) => {
                claimed.insert(name.key().to_owned(), RowKey::from(key));
                let id = self.new_group(key, name);
                Subject::Here { id, name: shown.into(), fresh: true }
            }
            // What was imported before stays under the name it has.
            (Err(wrong), Some(link)) => {
                self.summary.counts.groups.unchanged += 1;
                self.note(TABLE, key, shown, wrong, Action::KeptOurs);
                Subject::Here {
                    id: GroupId::from_bytes(link.local_id),
                    name: shown.into(),
                    fresh: false,
                }
            }
            (Err(wrong), None) => {
                self.leave_out(Kind::Groups, TABLE, key, shown, wrong);
                Subject::LeftOut { name: shown.into() }
            }
        };
        self.groups.insert(RowKey::from(key), subject);
    }

    fn free_group_name(
        &self,
        name: GroupName,
        own: Option<[u8; 16]>,
        claimed: &HashMap<String, RowKey>,
    ) -> Result<GroupName, Wrong> {
        if let Some(first) = claimed.get(name.key()) {
            let message = format!("differs from group {first} in case or compatible letters only");
            return Err((Reason::NameCollides, message));
        }
        match self.known.group_names.get(name.key()) {
            Some(owner) if Some(*owner) != own => Err((
                Reason::NameTaken,
                "a group here that did not come with this row has the name".to_owned(),
            )),
            _ => Ok(name),
        }
    }

    fn take_group_name(&mut self, id: [u8; 16], key: &str) {
        if let Some(old) = self.known.group_keys.insert(id, key.to_owned()) {
            self.known.group_names.remove(&old);
        }
        self.known.group_names.insert(key.to_owned(), id);
    }

    fn new_group(&mut self, key: &str, name: GroupName) -> GroupId {
        let id = self.ids.group();
        self.summary.counts.groups.new += 1;
        self.take_group_name(*id.as_bytes(), name.key());
        let link = ImportLink {
            foreign_key: key.to_owned(),
            local_id: *id.as_bytes(),
            fingerprint: fingerprint::of_fields(&[name.as_str()]),
        };
        self.batch.links.push(kind::GROUP, link);
        self.batch.groups.push(Group {
            id,
            name,
            description: String::new(),
            level: Level::Private,
            created_at: self.now,
        });
        id
    }
}

fn group_name(row: &RawRow) -> Result<GroupName, Wrong> {
    GroupName::parse(text(row, 1, "name")?).map_err(|error| values::refused(&error, "name"))
}
