//! Objects, and which of them somebody may see.

use diesel::{dsl::count_star, prelude::*};
use vestibule_core::{
    domain::{
        level::Level,
        object::{Object, ObjectPrefix, ObjectRef, ObjectType},
        page::{Page, PageRequest},
        username::Username,
    },
    ports::{
        objects::{ObjectFilter, ObjectRepo, OwnedBy, Visibility, VisibleGroup},
        store::StoreResult,
    },
};

use super::{limit, page};
use crate::{
    conn::MultiBackend,
    dialect::{self, Filter, all_of, any_of, ids_in, ranges_in, texts_in},
    rows::{objects::ObjectRow, value},
    schema::{objects, users},
    tx::DieselTx,
    url::Kind,
};

const LEVELS: [Level; 4] = [Level::Private, Level::ReadOnly, Level::ReadAnnotate, Level::ReadWrite];

/// The paths as ranges of ids without overlap, and the ids of the paths' own objects: below
/// `/a/` is what lies from `/a/` up to `/a0`, as `0` follows `/`; `/a` itself belongs to it too.
fn spans(kind: &ObjectType, prefixes: &[ObjectPrefix]) -> (Vec<(String, String)>, Vec<String>) {
    let mut paths: Vec<&str> =
        prefixes.iter().filter(|prefix| prefix.kind == *kind).map(|prefix| &*prefix.path).collect();
    paths.sort_unstable();
    // What lies below one already kept directly follows it.
    paths.dedup_by(|path, kept| path.starts_with(*kept));
    paths
        .into_iter()
        .map(|path| {
            let itself = path.strip_suffix('/').unwrap_or(path).to_owned();
            ((path.to_owned(), format!("{itself}0")), itself)
        })
        .unzip()
}

/// Objects that are listed or lie below a listed path.
fn listed(
    kind: Kind,
    of: &ObjectType,
    ids: &[Box<str>],
    prefixes: &[ObjectPrefix],
) -> Option<Filter> {
    let (ranges, own) = spans(of, prefixes);
    let ids: Vec<&str> = ids.iter().map(|id| &**id).chain(own.iter().map(String::as_str)).collect();
    let mut filters = Vec::new();
    if !ids.is_empty() {
        filters.push(texts_in(kind, "id", &ids));
    }
    if !ranges.is_empty() {
        filters.push(ranges_in(kind, &ranges));
    }
    any_of(filters)
}

/// Objects of groups whose level reaches far enough: their own, or else the group's.
fn of_groups(kind: Kind, groups: &[VisibleGroup]) -> Option<Filter> {
    let mut filters: Vec<Filter> = Vec::new();
    for lowest in LEVELS {
        let ids: Vec<_> = groups
            .iter()
            .filter(|visible| visible.min_level == lowest)
            .map(|visible| *visible.group.as_bytes())
            .collect();
        if !ids.is_empty() {
            let enough = LEVELS.into_iter().filter(|level| *level >= lowest);
            let has_level = objects::level
                .eq_any(enough.map(|level| level.as_str().to_owned()).collect::<Vec<_>>())
                .assume_not_null();
            let shared: Filter = Box::new(objects::level.is_not_null().and(has_level));
            filters.extend(all_of(vec![ids_in(kind, "group_id", &ids), shared]));
        }
    }
    let by_default: Vec<_> = groups
        .iter()
        .filter(|visible| visible.default_level >= visible.min_level)
        .map(|visible| *visible.group.as_bytes())
        .collect();
    if !by_default.is_empty() {
        let unset: Filter = Box::new(objects::level.is_null());
        filters.extend(all_of(vec![ids_in(kind, "group_id", &by_default), unset]));
    }
    any_of(filters)
}

/// The condition that a description comes to; `None` when it describes nothing.
fn visible(kind: Kind, of: &ObjectType, visibility: &Visibility) -> Option<Filter> {
    let of_kind: Filter = Box::new(objects::kind.eq(of.as_str().to_owned()));
    let mut conditions = vec![of_kind];
    if !visibility.everything {
        let owned = visibility
            .owner
            .map(|owner| -> Filter { Box::new(objects::owner_id.eq(owner.as_bytes().to_vec())) });
        let shared = of_groups(kind, &visibility.groups);
        let granted = listed(kind, of, &visibility.objects, &visibility.prefixes);
        conditions.push(any_of([owned, shared, granted].into_iter().flatten().collect())?);
    }
    let denied = listed(kind, of, &visibility.denied_objects, &visibility.denied_prefixes);
    if let Some(denied) = denied {
        conditions.push(Box::new(diesel::dsl::not(denied)));
    }
    all_of(conditions)
}

/// The condition that a wish comes to; `None` when everything is wanted.
fn wanted(filter: &ObjectFilter) -> Option<Filter> {
    let mut conditions: Vec<Filter> = Vec::new();
    match filter.owner {
        Some(OwnedBy::User(user)) => {
            conditions.push(Box::new(objects::owner_id.eq(user.as_bytes().to_vec())));
        }
        Some(OwnedBy::Others(user)) => {
            conditions.push(Box::new(objects::owner_id.ne(user.as_bytes().to_vec())));
        }
        None => {}
    }
    if let Some(text) = filter.search.as_deref().filter(|text| !text.is_empty()) {
        // By the login name alone: who sees an object sees its owner's, and no more of them.
        let pattern = dialect::contains(&Username::key_of(text.trim()));
        let owners =
            users::table.filter(users::username_key.like(pattern).escape('!')).select(users::id);
        conditions.push(Box::new(objects::owner_id.eq_any(owners)));
    }
    all_of(conditions)
}

fn one(object: &ObjectRef) -> objects::BoxedQuery<'static, MultiBackend> {
    objects::table
        .filter(objects::kind.eq(object.kind.as_str().to_owned()))
        .filter(objects::id.eq(object.id.to_string()))
        .into_boxed()
}

impl ObjectRepo for DieselTx<'_> {
    fn object(&mut self, object: &ObjectRef) -> StoreResult<Option<Object>> {
        self.call("objects", |conn| {
            let row = one(object).select(ObjectRow::as_select()).get_result(conn).optional()?;
            value(row)
        })
    }

    fn insert_object(&mut self, object: &Object) -> StoreResult<()> {
        self.guarded("objects", |conn| {
            diesel::insert_into(objects::table).values(ObjectRow::from(object)).execute(conn)?;
            Ok(())
        })
    }

    fn update_object(&mut self, object: &Object) -> StoreResult<bool> {
        self.guarded("objects", |conn| {
            let new = ObjectRow::from(object);
            let row =
                objects::table.filter(objects::kind.eq(&new.kind)).filter(objects::id.eq(&new.id));
            let changed = diesel::update(row)
                .set((
                    objects::owner_id.eq(&new.owner_id),
                    objects::group_id.eq(&new.group_id),
                    objects::level.eq(&new.level),
                ))
                .execute(conn)?;
            Ok(changed > 0)
        })
    }

    fn delete_object(&mut self, object: &ObjectRef) -> StoreResult<bool> {
        self.call("objects", |conn| {
            let row = objects::table
                .filter(objects::kind.eq(object.kind.as_str()))
                .filter(objects::id.eq(&*object.id));
            Ok(diesel::delete(row).execute(conn)? > 0)
        })
    }

    fn visible_objects(
        &mut self,
        kind: &ObjectType,
        visibility: &Visibility,
        filter: &ObjectFilter,
        request: &PageRequest<()>,
    ) -> StoreResult<Page<Object>> {
        self.call("objects", |conn| {
            let database = dialect::kind(conn);
            let both = || {
                let visible = visible(database, kind, visibility)?;
                all_of([Some(visible), wanted(filter)].into_iter().flatten().collect())
            };
            let (Some(counted), Some(listed)) = (both(), both()) else {
                return Ok(Page { count: 0, items: Vec::new() });
            };
            let count = objects::table.filter(counted).select(count_star()).get_result(conn)?;
            let rows = objects::table
                .filter(listed)
                .select(ObjectRow::as_select())
                .order(dialect::by("objects.id", "objects.id DESC", request.descending))
                .limit(limit(request))
                .offset(request.offset())
                .load(conn)?;
            page(count, rows)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_covers_itself_and_what_is_below_but_no_namesake() {
        let kind = ObjectType::parse("calc").unwrap();
        let prefix = |path| ObjectPrefix::new("calc", path).unwrap();
        let (ranges, own) = spans(&kind, &[prefix("/a/b/"), prefix("/a/"), prefix("/c/")]);
        assert_eq!(own, ["/a", "/c"]);
        let in_range =
            |id: &str| ranges.iter().any(|(low, high)| low.as_str() <= id && id < high.as_str());
        assert!(in_range("/a/") && in_range("/a/b/c") && in_range("/c/x"));
        assert!(!in_range("/a0") && !in_range("/ab") && !in_range("/b/"));
    }
}
