//! Objects, and which of them somebody may see.

use vestibule_core::{
    domain::{
        group::Group,
        level::Level,
        object::{Object, ObjectPrefix, ObjectRef, ObjectType},
        page::PageRequest,
        user::User,
    },
    ports::{
        objects::{ObjectFilter, Visibility, VisibleGroup},
        store::{Constraint, StoreErrorKind},
    },
};

use crate::support::{Site, object, on_every_database};

fn put(site: &Site, object: &Object) {
    let object = object.clone();
    site.write(move |tx| tx.insert_object(&object));
}

fn shared(id: &str, owner: &User, group: &Group, level: Option<Level>) -> Object {
    Object { group: Some(group.id), level, ..object(id, owner) }
}

fn seen(site: &Site, visibility: &Visibility) -> Vec<String> {
    let kind = ObjectType::parse("calc").unwrap();
    let visibility = visibility.clone();
    let request = PageRequest { size: 1000, ..PageRequest::default() };
    let page = site
        .read(move |tx| tx.visible_objects(&kind, &visibility, &ObjectFilter::default(), &request));
    assert_eq!(usize::try_from(page.count).unwrap(), page.items.len());
    page.items.iter().map(|object| object.object.id.to_string()).collect()
}

fn prefix(path: &str) -> ObjectPrefix {
    ObjectPrefix::new("calc", path).unwrap()
}

fn boxed<const N: usize>(ids: [&str; N]) -> Vec<Box<str>> {
    ids.into_iter().map(Into::into).collect()
}

on_every_database! {
    fn what_is_stored_comes_back(site) {
        let (anna, bert) = (site.stored_user("anna"), site.stored_user("bert"));
        let group = site.stored_group("lab");
        let before = shared("\u{fc}ber/1", &anna, &group, Some(Level::ReadAnnotate));
        put(site, &before);
        let of = before.object.clone();
        assert_eq!(site.lookup(move |tx| tx.object(&of)), Some(before.clone()));
        let after = Object { owner: bert.id, group: None, level: None, ..before };
        let (of, stored) = (after.object.clone(), after.clone());
        assert!(site.write(move |tx| tx.update_object(&stored)));
        assert_eq!(site.lookup(move |tx| tx.object(&of)), Some(after.clone()));
        let of = after.object.clone();
        assert!(site.write(move |tx| tx.delete_object(&of)));
        let of = after.object.clone();
        assert!(!site.write(move |tx| tx.delete_object(&of)));
        assert!(!site.write(move |tx| tx.update_object(&after)));
    }

    fn an_object_is_made_once_and_needs_its_owner(site) {
        let anna = site.stored_user("anna");
        put(site, &object("1", &anna));
        let again = object("1", &anna);
        assert!(site.try_write(move |tx| tx.insert_object(&again)).unwrap_err().is_duplicate());
        let orphan = object("2", &site.user("nobody"));
        let error = site.try_write(move |tx| tx.insert_object(&orphan)).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Conflict(Constraint::Reference));
        let moved = Object { owner: site.user("nobody").id, ..object("1", &anna) };
        let error = site.try_write(move |tx| tx.update_object(&moved)).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Conflict(Constraint::Reference));
    }

    fn ids_are_compared_byte_by_byte(site) {
        let anna = site.stored_user("anna");
        for id in ["a", "A", "a ", "\u{e4}"] {
            put(site, &object(id, &anna));
        }
        for id in ["a", "A", "a ", "\u{e4}"] {
            let of = ObjectRef::new("calc", id).unwrap();
            let found = site.lookup(move |tx| tx.object(&of)).unwrap();
            assert_eq!(&*found.object.id, id);
        }
        let of = ObjectRef::new("calc", "a  ").unwrap();
        assert_eq!(site.lookup(move |tx| tx.object(&of)), None);
        let granted = Visibility { objects: boxed(["a "]), ..Visibility::default() };
        assert_eq!(seen(site, &granted), ["a "]);
    }

    fn nothing_is_visible_by_default(site) {
        let anna = site.stored_user("anna");
        put(site, &object("1", &anna));
        assert_eq!(seen(site, &Visibility::default()), Vec::<String>::new());
        let everything = Visibility { everything: true, ..Visibility::default() };
        assert_eq!(seen(site, &everything), ["1"]);
    }

    fn owners_see_their_own_of_this_kind(site) {
        let (anna, bert) = (site.stored_user("anna"), site.stored_user("bert"));
        put(site, &object("1", &anna));
        put(site, &object("2", &bert));
        put(site, &Object { object: ObjectRef::new("image", "3").unwrap(), ..object("3", &anna) });
        let own = Visibility { owner: Some(anna.id), ..Visibility::default() };
        assert_eq!(seen(site, &own), ["1"]);
    }

    fn members_see_as_far_as_the_level_reaches(site) {
        let anna = site.stored_user("anna");
        let (lab, other) = (site.stored_group("lab"), site.stored_group("other"));
        put(site, &shared("default", &anna, &lab, None));
        put(site, &shared("private", &anna, &lab, Some(Level::Private)));
        put(site, &shared("read-only", &anna, &lab, Some(Level::ReadOnly)));
        put(site, &shared("read-write", &anna, &lab, Some(Level::ReadWrite)));
        put(site, &shared("other", &anna, &other, Some(Level::ReadWrite)));
        put(site, &object("ungrouped", &anna));
        let see = |default_level, min_level| {
            let groups = vec![VisibleGroup { group: lab.id, default_level, min_level }];
            seen(site, &Visibility { groups, ..Visibility::default() }).join(" ")
        };
        assert_eq!(see(Level::Private, Level::Private), "default private read-only read-write");
        assert_eq!(see(Level::Private, Level::ReadOnly), "read-only read-write");
        assert_eq!(see(Level::ReadOnly, Level::ReadOnly), "default read-only read-write");
        assert_eq!(see(Level::ReadOnly, Level::ReadWrite), "read-write");
        assert_eq!(see(Level::ReadWrite, Level::ReadWrite), "default read-write");
    }

    fn each_group_has_a_level_of_its_own(site) {
        let anna = site.stored_user("anna");
        let (lab, other) = (site.stored_group("lab"), site.stored_group("other"));
        for (name, group) in [("lab", &lab), ("other", &other)] {
            put(site, &shared(&format!("{name} default"), &anna, group, None));
            put(site, &shared(&format!("{name} private"), &anna, group, Some(Level::Private)));
        }
        let groups = vec![
            VisibleGroup { group: lab.id, default_level: Level::Private, min_level: Level::Private },
            VisibleGroup { group: other.id, default_level: Level::ReadOnly, min_level: Level::ReadOnly },
        ];
        let found = seen(site, &Visibility { groups, ..Visibility::default() });
        assert_eq!(found, ["lab default", "lab private", "other default"]);
    }

    fn a_path_covers_what_is_below_it_and_no_namesake(site) {
        let anna = site.stored_user("anna");
        for id in ["/base1", "/base1/", "/base1/t1/", "/base1/\u{e9}", "/base10/", "/base2/", "/", "base1/"] {
            put(site, &object(id, &anna));
        }
        let below = |paths: &[&str]| {
            let prefixes = paths.iter().map(|path| prefix(path)).collect();
            seen(site, &Visibility { prefixes, ..Visibility::default() })
        };
        assert_eq!(below(&["/base1/"]), ["/base1", "/base1/", "/base1/t1/", "/base1/\u{e9}"]);
        assert_eq!(below(&["/base1/", "/base1/t1/"]).len(), 4);
        assert_eq!(below(&["/"]).len(), 7);
    }

    fn atk_a240_a_path_is_no_pattern(site) {
        let anna = site.stored_user("anna");
        for id in ["/a_b/x", "/aXb/x", "/a%/x", "/abc/x"] {
            put(site, &object(id, &anna));
        }
        let prefixes = vec![prefix("/a_b/"), prefix("/a%/")];
        let found = seen(site, &Visibility { prefixes, ..Visibility::default() });
        assert_eq!(found, ["/a%/x", "/a_b/x"]);
    }

    fn a_denial_wins_over_everything(site) {
        let anna = site.stored_user("anna");
        let lab = site.stored_group("lab");
        for id in ["1", "2", "/a/1", "/a/b/2", "/c/"] {
            put(site, &shared(id, &anna, &lab, Some(Level::ReadWrite)));
        }
        let denied = Visibility {
            owner: Some(anna.id),
            groups: vec![VisibleGroup {
                group: lab.id,
                default_level: Level::ReadWrite,
                min_level: Level::Private,
            }],
            objects: boxed(["1", "/c/"]),
            denied_objects: boxed(["1"]),
            denied_prefixes: vec![prefix("/a/")],
            ..Visibility::default()
        };
        assert_eq!(seen(site, &denied), ["/c/", "2"]);
        let everything = Visibility { everything: true, ..denied };
        assert_eq!(seen(site, &everything), ["/c/", "2"]);
    }

    fn a_list_comes_in_pages_by_id(site) {
        let anna = site.stored_user("anna");
        for id in ["3", "1", "2"] {
            put(site, &object(id, &anna));
        }
        let kind = ObjectType::parse("calc").unwrap();
        let page = |page, descending| {
            let (kind, all) = (kind.clone(), Visibility { everything: true, ..Visibility::default() });
            let request = PageRequest { page, size: 2, order: (), descending };
            let page = site.read(move |tx| tx.visible_objects(&kind, &all, &ObjectFilter::default(), &request));
            let ids: Vec<_> = page.items.iter().map(|o| o.object.id.to_string()).collect();
            (page.count, ids.join(" "))
        };
        assert_eq!(page(1, false), (3, "1 2".to_owned()));
        assert_eq!(page(2, false), (3, "3".to_owned()));
        assert_eq!(page(1, true), (3, "3 2".to_owned()));
    }

    fn tens_of_thousands_of_grants_are_one_query(site) {
        let anna = site.stored_user("anna");
        let lab = site.stored_group("lab");
        for id in ["7", "39999", "/p/1500/x", "/q/", "hidden"] {
            put(site, &object(id, &anna));
        }
        put(site, &shared("shared", &anna, &lab, None));
        let visibility = Visibility {
            objects: (0..40_000).map(|n| n.to_string().into()).chain(boxed(["/q/"])).collect(),
            prefixes: (0..3_000).map(|n| prefix(&format!("/p/{n}/"))).collect(),
            groups: (0..20_000)
                .map(|_| site.group("x").id)
                .chain([lab.id])
                .map(|group| VisibleGroup {
                    group, default_level: Level::ReadOnly, min_level: Level::ReadOnly,
                })
                .collect(),
            denied_objects: (50_000..90_000).map(|n| n.to_string().into()).chain(boxed(["7"])).collect(),
            denied_prefixes: (0..3_000).map(|n| prefix(&format!("/q{n}/"))).collect(),
            ..Visibility::default()
        };
        assert_eq!(seen(site, &visibility), ["/p/1500/x", "/q/", "39999", "shared"]);
    }
}
