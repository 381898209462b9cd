//! Registering permissions and telling what somebody holds.

use serde_json::json;

use super::{
    authority::Authority,
    error::{AdminError, AdminResult},
    record::{Target, record},
};
use crate::{
    cx::OpCx,
    domain::{
        change::Change,
        level::Action,
        object::{DeleteRule, ObjectType},
        page::{Page, PageRequest},
        permission::{Permission, PermissionCode},
        rights,
    },
    id::UserId,
    policy::{decide::whole_permissions, facts::Facts},
    ports::store::Store,
};

/// A permission as the service that checks it describes it.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Its name.
    pub code: String,
    /// What it allows, for people.
    pub description: String,
    /// Which kind of object it concerns and what is done to it, when sharing levels speak of it.
    pub on: Option<(String, Action)>,
}

/// Registers permissions and tells what somebody holds.
pub struct Permissions {
    store: Store,
}

impl Permissions {
    /// Over the store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// All registered permissions, by code; anybody who is logged in may know them.
    pub async fn list(&self, cx: &OpCx) -> AdminResult<Vec<Permission>> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                Authority::load(tx, &cx)?;
                Ok(tx.permissions()?)
            })
            .await
    }

    /// A page of them, of those whose code or description has this in it, in any case. Decisions
    /// read them all anyway, so a page is cut from what they read.
    pub async fn page(
        &self,
        cx: &OpCx,
        search: Option<String>,
        request: PageRequest<()>,
    ) -> AdminResult<Page<Permission>> {
        let wanted = search.unwrap_or_default().to_lowercase();
        let has_it = |permission: &Permission| {
            permission.code.as_str().to_lowercase().contains(&wanted)
                || permission.description.to_lowercase().contains(&wanted)
        };
        let mut found: Vec<Permission> = self.list(cx).await?.into_iter().filter(has_it).collect();
        if request.descending {
            found.reverse();
        }
        let count = found.len() as u64;
        let before = usize::try_from(request.offset()).unwrap_or(usize::MAX);
        let items = found.into_iter().skip(before).take(request.size as usize).collect();
        Ok(Page { count, items })
    }

    /// Registers what a service checks. Registering the same again changes nothing; permissions
    /// that the service no longer names stay, with their grants, until they are removed.
    pub async fn register(
        &self,
        cx: &OpCx,
        service: &str,
        registrations: Vec<Registration>,
        delete_rules: Vec<(String, DeleteRule)>,
    ) -> AdminResult<()> {
        let now = cx.now();
        let permissions: Vec<Permission> = registrations
            .into_iter()
            .map(|r| {
                let on = match r.on {
                    Some((kind, action)) => Some((ObjectType::parse(&kind)?, action)),
                    None => None,
                };
                Ok(Permission {
                    code: PermissionCode::parse(&r.code)?,
                    description: crate::domain::group::parse_description(&r.description)?,
                    service: service.to_owned(),
                    on,
                    registered_at: now,
                })
            })
            .collect::<AdminResult<_>>()?;
        let rules: Vec<_> = delete_rules
            .into_iter()
            .map(|(kind, rule)| Ok((ObjectType::parse(&kind)?, rule)))
            .collect::<AdminResult<_>>()?;
        if self.is_registered(&permissions, &rules).await? {
            return Ok(());
        }
        let (cx, service) = (cx.clone(), service.to_owned());
        self.store
            .write(move |tx| {
                tx.announce(Change::Everyone, now)?;
                let right = Authority::load(tx, &cx)?.require(rights::REGISTER_PERMISSION)?;
                let mut new = Vec::new();
                for permission in &permissions {
                    if tx.put_permission(permission)? {
                        new.push(permission.code.as_str());
                    }
                }
                for (kind, rule) in &rules {
                    tx.put_delete_rule(kind, *rule)?;
                }
                let details = json!({ "permissions": new });
                let target = Target::new("service", &service, &service);
                record(tx, &cx, "permission.registered", target, right, details)?;
                Ok(())
            })
            .await
    }

    /// A start that registers nothing new takes no lock and writes nothing.
    async fn is_registered(
        &self,
        permissions: &[Permission],
        rules: &[(ObjectType, DeleteRule)],
    ) -> AdminResult<bool> {
        let (permissions, rules) = (permissions.to_vec(), rules.to_vec());
        self.store
            .read(move |tx| {
                let there = tx.permissions()?;
                let rules_there = tx.delete_rules()?;
                let same = |a: &Permission, b: &Permission| {
                    a.code == b.code
                        && a.description == b.description
                        && a.service == b.service
                        && a.on == b.on
                };
                Ok(permissions.iter().all(|p| there.iter().any(|q| same(p, q)))
                    && rules.iter().all(|rule| rules_there.contains(rule)))
            })
            .await
    }

    /// Removes a permission with all its grants.
    pub async fn remove(&self, cx: &OpCx, code: &str) -> AdminResult<()> {
        let (cx, code) = (cx.clone(), PermissionCode::parse(code)?);
        self.store
            .write(move |tx| {
                tx.announce(Change::Everyone, cx.now())?;
                let authority = Authority::load(tx, &cx)?;
                let right = authority.require(rights::REGISTER_PERMISSION)?;
                authority.require_superuser()?;
                let missing = || AdminError::NotFound("permission");
                let permission = tx.permission(&code)?.ok_or_else(missing)?;
                if permission.service == rights::SERVICE {
                    let message = "the server itself asks for this permission";
                    return Err(AdminError::conflict("own_permission", message));
                }
                tx.delete_permission(&code)?;
                let target = Target::new("permission", &code, &code);
                record(tx, &cx, "permission.removed", target, right, json!({}))?;
                Ok(())
            })
            .await
    }

    /// Everything a user holds as a whole, by code: what Django calls `get_all_permissions`.
    /// One's own always, others' by permission.
    pub async fn effective(&self, cx: &OpCx, user: UserId) -> AdminResult<Vec<String>> {
        let cx = cx.clone();
        self.store
            .read(move |tx| {
                let authority = Authority::load(tx, &cx)?;
                if !authority.is(user) {
                    authority.require(rights::CHECK_ACCESS)?;
                }
                let facts = Facts::load(tx, &authority.catalogue, user, cx.now())?
                    .ok_or(AdminError::NotFound("user"))?;
                let held = whole_permissions(&facts, &authority.catalogue, cx.now());
                let all = authority.catalogue.permissions();
                let codes = held.iter().filter_map(|bit| all.get(bit as usize));
                Ok(codes.map(|permission| permission.code.to_string()).collect())
            })
            .await
    }
}
