//! Many rows at once, and where they came from.

use std::collections::BTreeMap;

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
        imports::{ImportLink, ImportRepo, LinksOf, TakenKeys},
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
        misc::{ImportLinkRow, NewImportLinkRow},
        users::NewUserRow,
        values,
    },
    schema::{import_links, users},
    tx::DieselTx,
};

impl ImportRepo for DieselTx<'_> {
    fn import_links(&mut self, of: LinksOf<'_>) -> StoreResult<Vec<ImportLink>> {
        self.call("import_links", |conn| {
            let rows = import_links::table
                .filter(import_links::source.eq(of.source))
                .filter(import_links::kind.eq(of.kind))
                .select(ImportLinkRow::as_select())
                .load(conn)?;
            values(rows)
        })
    }

    fn put_import_links(&mut self, of: LinksOf<'_>, links: &[ImportLink]) -> StoreResult<()> {
        self.call("import_links", |conn| {
            let by_key: BTreeMap<&str, &ImportLink> =
                links.iter().map(|link| (&*link.foreign_key, link)).collect();
            let links: Vec<&ImportLink> = by_key.into_values().collect();
            for some in links.chunks(IDS_AT_ONCE) {
                let keys = some.iter().map(|link| link.foreign_key.as_str());
                let known = import_links::table
                    .filter(import_links::source.eq(of.source))
                    .filter(import_links::kind.eq(of.kind))
                    .filter(import_links::foreign_key.eq_any(keys));
                diesel::delete(known).execute(conn)?;
            }
            let rows = links.iter().map(|link| NewImportLinkRow::new(of, link));
            dialect::insert_import_links(conn, rows)
        })
    }

    fn insert_import_links(&mut self, of: LinksOf<'_>, links: &[ImportLink]) -> StoreResult<()> {
        self.call("import_links", |conn| {
            let rows = links.iter().map(|link| NewImportLinkRow::new(of, link));
            dialect::insert_import_links(conn, rows)
        })
    }

    fn insert_users(&mut self, accounts: &[(User, PasswordHash)]) -> StoreResult<()> {
        self.call("users", |conn| {
            let rows = accounts.iter().map(|(user, hash)| NewUserRow::new(user, hash));
            dialect::insert_users(conn, rows)
        })
    }

    fn insert_groups(&mut self, many: &[Group]) -> StoreResult<()> {
        self.call("groups", |conn| dialect::insert_groups(conn, many.iter().map(GroupRow::from)))
    }

    fn insert_memberships(&mut self, many: &[Membership]) -> StoreResult<()> {
        self.call("memberships", |conn| {
            dialect::insert_memberships(conn, many.iter().map(MembershipRow::from))
        })
    }

    fn insert_grants(&mut self, many: &[Grant]) -> StoreResult<()> {
        self.call("grants", |conn| dialect::insert_grants(conn, many.iter().map(GrantRow::from)))
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
