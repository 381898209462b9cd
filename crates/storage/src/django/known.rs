//! What is here before an import begins: what earlier runs took over, and which names are taken.

use std::collections::HashMap;

use vestibule_core::{
    domain::{page::PageRequest, permission::Permission},
    ports::{
        groups::GroupOrder,
        imports::{ImportLink, LinksOf},
        store::{StoreResult, Tx},
    },
};

/// The kinds of links, as they are stored.
pub(super) mod kind {
    pub(in crate::django) const USER: &str = "user";
    pub(in crate::django) const GROUP: &str = "group";
    pub(in crate::django) const MEMBERSHIP: &str = "membership";
    pub(in crate::django) const GRANT: &str = "grant";
    pub(in crate::django) const OBJECT_GRANT: &str = "object_grant";
    /// Not a row of Django's: what interrupted runs changed and no audit event tells of yet.
    pub(in crate::django) const RUN: &str = "run";
}

/// How many groups are read at once.
const PAGE: u32 = 1000;

/// Links of one kind, by the key of the foreign row.
pub(super) type Links = HashMap<String, ImportLink>;

/// What is here.
#[derive(Default)]
pub(super) struct Known {
    pub(super) users: Links,
    pub(super) groups: Links,
    pub(super) memberships: Links,
    pub(super) grants: Links,
    pub(super) object_grants: Links,
    pub(super) run: Option<ImportLink>,
    pub(super) names: Names,
    pub(super) group_names: HashMap<String, [u8; 16]>,
    pub(super) group_keys: HashMap<[u8; 16], String>,
    pub(super) permissions: HashMap<String, Permission>,
}

impl Known {
    /// Reads all of it in one transaction.
    pub(super) fn read(tx: &mut dyn Tx, source: &str) -> StoreResult<Self> {
        let mut links = |kind: &str| -> StoreResult<Links> {
            let links = tx.import_links(LinksOf { source, kind })?;
            Ok(links.into_iter().map(|link| (link.foreign_key.clone(), link)).collect())
        };
        let mut known = Self {
            users: links(kind::USER)?,
            groups: links(kind::GROUP)?,
            memberships: links(kind::MEMBERSHIP)?,
            grants: links(kind::GRANT)?,
            object_grants: links(kind::OBJECT_GRANT)?,
            run: links(kind::RUN)?.into_values().next(),
            ..Self::default()
        };
        for taken in tx.taken_keys()? {
            let id = *taken.user.as_bytes();
            known.names.take(id, taken.username, taken.email);
        }
        let mut request =
            PageRequest { page: 1, size: PAGE, order: GroupOrder::CreatedAt, descending: false };
        loop {
            let page = tx.group_page(None, &request)?;
            let is_last = page.items.len() < PAGE as usize;
            for group in page.items {
                let (id, key) = (*group.id.as_bytes(), group.name.key().to_owned());
                known.group_names.insert(key.clone(), id);
                known.group_keys.insert(id, key);
            }
            if is_last {
                break;
            }
            request.page += 1;
        }
        for permission in tx.permissions()? {
            let code = permission.code.as_str().to_owned();
            known.permissions.insert(code, permission);
        }
        Ok(known)
    }
}

/// Login names and mail addresses that are taken, by whom. Kept up to date while the import is
/// planned.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_name: HashMap<String, [u8; 16]>,
    by_email: HashMap<String, [u8; 16]>,
    owned: HashMap<[u8; 16], (String, Option<String>)>,
    any_with_at: bool,
}

impl Names {
    /// From now on the account has this name and this address, and no other.
    pub(super) fn take(&mut self, id: [u8; 16], name: String, email: Option<String>) {
        self.release(id);
        self.any_with_at |= name.contains('@');
        self.by_name.insert(name.clone(), id);
        if let Some(email) = &email {
            self.by_email.insert(email.clone(), id);
        }
        self.owned.insert(id, (name, email));
    }

    fn release(&mut self, id: [u8; 16]) {
        if let Some((name, email)) = self.owned.remove(&id) {
            self.by_name.remove(&name);
            if let Some(email) = email {
                self.by_email.remove(&email);
            }
        }
    }

    /// Who has the login name.
    pub(super) fn name(&self, key: &str) -> Option<[u8; 16]> {
        self.by_name.get(key).copied()
    }

    /// Whether any login name could be read as a mail address.
    pub(super) fn any_with_at(&self) -> bool {
        self.any_with_at
    }

    /// Who has the mail address.
    pub(super) fn email(&self, key: &str) -> Option<[u8; 16]> {
        self.by_email.get(key).copied()
    }

    /// The login name and address of an account; `None` when there is no such account.
    pub(super) fn of(&self, id: &[u8; 16]) -> Option<&(String, Option<String>)> {
        self.owned.get(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_account_leaves_its_old_name_to_others() {
        let mut names = Names::default();
        names.take([1; 16], "ada".to_owned(), Some("ada@x.org".to_owned()));
        names.take([1; 16], "countess".to_owned(), None);
        assert_eq!(names.name("ada"), None);
        assert_eq!(names.email("ada@x.org"), None);
        assert_eq!(names.name("countess"), Some([1; 16]));
        assert_eq!(names.of(&[1; 16]).unwrap().0, "countess");
    }
}
