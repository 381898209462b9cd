//! Grants.

use std::collections::HashSet;

use diesel::{dsl::count_star, prelude::*};
use vestibule_core::{
    domain::{
        grant::{Effect, Grant, Scope, Subject},
        object::ObjectRef,
        page::{Page, PageRequest},
        permission::PermissionCode,
    },
    id::GrantId,
    ports::{
        grants::{GrantFilter, GrantRepo},
        store::StoreResult,
    },
};

use super::{IDS_AT_ONCE, limit, page};
use crate::{
    columns::{count, micros},
    conn::MultiBackend,
    dialect,
    rows::{
        grants::{GrantRow, scope_columns, subject_columns},
        value, values,
    },
    schema::grants,
    tx::DieselTx,
};

fn filtered(filter: &GrantFilter) -> grants::BoxedQuery<'static, MultiBackend> {
    let mut query = grants::table.into_boxed();
    if let Some(subject) = &filter.subject {
        let (kind, id) = subject_columns(subject);
        query = query.filter(grants::subject_id.eq(id)).filter(grants::subject_kind.eq(kind));
    }
    if let Some(permission) = &filter.permission {
        query = query.filter(grants::permission.eq(permission.as_str().to_owned()));
    }
    if let Some(object) = &filter.object {
        query = query
            .filter(grants::object_kind.eq(object.kind.as_str().to_owned()))
            .filter(grants::object_id.eq(object.id.to_string()))
            .filter(grants::scope_kind.eq("object"));
    }
    query
}

impl GrantRepo for DieselTx<'_> {
    fn grant_by_id(&mut self, id: GrantId) -> StoreResult<Option<Grant>> {
        self.call("grants", |conn| {
            let row = grants::table
                .filter(grants::id.eq(&id.as_bytes()[..]))
                .select(GrantRow::as_select())
                .get_result(conn)
                .optional()?;
            value(row)
        })
    }

    fn grants_to(&mut self, subjects: &[Subject]) -> StoreResult<Vec<Grant>> {
        self.call("grants", |conn| {
            let mut found = Vec::new();
            for some in subjects.chunks(IDS_AT_ONCE) {
                let ids = some.iter().map(|subject| subject_columns(subject).1);
                let rows = grants::table
                    .filter(grants::subject_id.eq_any(ids))
                    .select(GrantRow::as_select())
                    .load(conn)?;
                found.extend(values::<_, Grant>(rows)?);
            }
            // An id is looked for whatever it is an id of.
            let wanted: HashSet<&Subject> = subjects.iter().collect();
            found.retain(|grant| wanted.contains(&grant.subject));
            Ok(found)
        })
    }

    fn whole_grants_of(&mut self, permission: &PermissionCode) -> StoreResult<Vec<Grant>> {
        self.call("grants", |conn| {
            let rows = grants::table
                .filter(grants::permission.eq(permission.as_str()))
                .filter(grants::scope_kind.eq("whole"))
                .select(GrantRow::as_select())
                .load(conn)?;
            values(rows)
        })
    }

    fn grant_page(
        &mut self,
        filter: &GrantFilter,
        request: &PageRequest<()>,
    ) -> StoreResult<Page<Grant>> {
        self.call("grants", |conn| {
            let count = filtered(filter).select(count_star()).get_result(conn)?;
            let rows = filtered(filter)
                .select(GrantRow::as_select())
                .order(dialect::by("id", "id DESC", request.descending))
                .limit(limit(request))
                .offset(request.offset())
                .load(conn)?;
            page(count, rows)
        })
    }

    fn grant_like(&mut self, grant: &Grant) -> StoreResult<Option<Grant>> {
        self.call("grants", |conn| {
            let (subject_kind, subject_id) = subject_columns(&grant.subject);
            let (scope_kind, object_kind, object_id) = scope_columns(&grant.scope);
            let row = grants::table
                .filter(grants::subject_id.eq(subject_id))
                .filter(grants::subject_kind.eq(subject_kind))
                .filter(grants::permission.eq(grant.permission.as_str()))
                .filter(grants::effect.eq(grant.effect.as_str()))
                .filter(grants::scope_kind.eq(scope_kind))
                .filter(grants::object_kind.eq(object_kind))
                .filter(grants::object_id.eq(object_id))
                .select(GrantRow::as_select())
                .get_result(conn)
                .optional()?;
            value(row)
        })
    }

    fn insert_grant(&mut self, grant: &Grant) -> StoreResult<()> {
        self.guarded("grants", |conn| {
            diesel::insert_into(grants::table).values(GrantRow::from(grant)).execute(conn)?;
            Ok(())
        })
    }

    fn update_grant(&mut self, grant: &Grant) -> StoreResult<bool> {
        self.call("grants", |conn| {
            let row = grants::table.filter(grants::id.eq(&grant.id.as_bytes()[..]));
            let by = grant.granted_by.map(|id| id.as_bytes().to_vec());
            let changed = diesel::update(row)
                .set((
                    grants::expires_at.eq(micros(grant.expires_at)),
                    grants::granted_by.eq(by),
                    grants::granted_at.eq(grant.granted_at.as_micros()),
                ))
                .execute(conn)?;
            Ok(changed > 0)
        })
    }

    fn delete_grant(&mut self, id: GrantId) -> StoreResult<bool> {
        self.call("grants", |conn| {
            let gone = diesel::delete(grants::table.filter(grants::id.eq(&id.as_bytes()[..])))
                .execute(conn)?;
            Ok(gone > 0)
        })
    }

    fn denials_on(&mut self, object: &ObjectRef) -> StoreResult<Vec<Grant>> {
        self.call("grants", |conn| {
            let filter = GrantFilter { object: Some(object.clone()), ..GrantFilter::default() };
            let rows = filtered(&filter)
                .filter(grants::effect.eq(Effect::Deny.as_str()))
                .select(GrantRow::as_select())
                .load(conn)?;
            values(rows)
        })
    }

    fn delete_grants_on(&mut self, object: &ObjectRef) -> StoreResult<u64> {
        self.call("grants", |conn| {
            let scope = Scope::Object(object.clone());
            let (scope_kind, object_kind, object_id) = scope_columns(&scope);
            let rows = grants::table
                .filter(grants::object_kind.eq(object_kind))
                .filter(grants::object_id.eq(object_id))
                .filter(grants::scope_kind.eq(scope_kind));
            Ok(count(diesel::delete(rows).execute(conn)?))
        })
    }
}
