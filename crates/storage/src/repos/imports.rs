//! Many rows at once, and where they came from.

use std::collections::{BTreeMap, btree_map::Entry};

use diesel::prelude::*;
use vestibule_core::{
    domain::{
        grant::Grant,
        group::{Group, Membership},
        user::User,
    },
    id::UserId,
    ports::{
        hasher::PasswordHash,
        imports::{ImportLink, ImportRepo, TakenKeys},
        store::StoreResult,
    },
};

use super::IDS_AT_ONCE;
use crate::{
    columns::Column,
    dialect,
    rows::{
        grants::GrantRow,
        groups::{GroupRow, MembershipRow},
        misc::ImportLinkRow,
        users::NewUserRow,
        values,
    },
    schema::{import_links, users},
    tx::DieselTx,
};

impl ImportRepo for DieselTx<'_> {
    fn import_links(&mut self, source: &str, kind: &str) -> StoreResult<Vec<ImportLink>> {
        self.call("import_links", |conn| {
            let rows = import_links::table
                .filter(import_links::source.eq(source))
                .filter(import_links::kind.eq(kind))
                .select(ImportLinkRow::as_select())
                .load(conn)?;
            values(rows)
        })
    }

    fn put_import_links(&mut self, links: &[ImportLink]) -> StoreResult<()> {
        self.all_or_none("import_links", |conn| {
            // The last one of the same key counts, as if they were put one after the other.
            let mut by_kind: BTreeMap<(&str, &str), BTreeMap<&str, &ImportLink>> = BTreeMap::new();
            for link in links {
                let of_kind = match by_kind.entry((&link.source, &link.kind)) {
                    Entry::Occupied(entry) => entry.into_mut(),
                    Entry::Vacant(entry) => entry.insert(BTreeMap::new()),
                };
                of_kind.insert(&link.foreign_key, link);
            }
            for ((source, kind), links) in by_kind {
                let links: Vec<&ImportLink> = links.into_values().collect();
                for some in links.chunks(IDS_AT_ONCE) {
                    let keys = some.iter().map(|link| link.foreign_key.as_str());
                    let known = import_links::table
                        .filter(import_links::source.eq(source))
                        .filter(import_links::kind.eq(kind))
                        .filter(import_links::foreign_key.eq_any(keys));
                    diesel::delete(known).execute(conn)?;
                }
                let rows = links.into_iter().map(ImportLinkRow::from).collect();
                dialect::insert_import_links(conn, rows)?;
            }
            Ok(())
        })
    }

    fn insert_import_links(&mut self, links: &[ImportLink]) -> StoreResult<()> {
        self.all_or_none("import_links", |conn| {
            dialect::insert_import_links(conn, links.iter().map(ImportLinkRow::from).collect())
        })
    }

    fn insert_users(&mut self, accounts: &[(User, PasswordHash)]) -> StoreResult<()> {
        self.all_or_none("users", |conn| {
            let rows = accounts.iter().map(|(user, hash)| NewUserRow::new(user, hash));
            dialect::insert_users(conn, rows.collect())
        })
    }

    fn insert_groups(&mut self, many: &[Group]) -> StoreResult<()> {
        self.all_or_none("groups", |conn| {
            dialect::insert_groups(conn, many.iter().map(GroupRow::from).collect())
        })
    }

    fn insert_memberships(&mut self, many: &[Membership]) -> StoreResult<()> {
        self.all_or_none("memberships", |conn| {
            dialect::insert_memberships(conn, many.iter().map(MembershipRow::from).collect())
        })
    }

    fn insert_grants(&mut self, many: &[Grant]) -> StoreResult<()> {
        self.all_or_none("grants", |conn| {
            dialect::insert_grants(conn, many.iter().map(GrantRow::from).collect())
        })
    }

    fn taken_keys(&mut self) -> StoreResult<Vec<TakenKeys>> {
        self.call("users", |conn| {
            let rows: Vec<(String, Option<String>, Vec<u8>)> = users::table
                .select((users::username_key, users::email_key, users::id))
                .load(conn)?;
            rows.into_iter()
                .map(|(username, email, id)| {
                    Ok(TakenKeys {
                        username,
                        email,
                        user: Column("users", "id").bytes(&id, UserId::from_bytes)?,
                    })
                })
                .collect()
        })
    }
}
