//! Accounts.

use vestibule_core::{
    Timestamp, Username,
    domain::{
        group::Membership,
        object::ObjectRef,
        page::PageRequest,
        user::{PersonName, User},
    },
    ports::{
        hasher::PasswordHash,
        store::{Constraint, StoreErrorKind},
        users::{UserFilter, UserOrder},
    },
};

use crate::support::{NOW, Site, after, email, hash, object, on_every_database};

/// An account with something in every column.
fn full(site: &Site) -> User {
    User {
        email: Some(email("Chloé.D@Example.org")),
        email_verified: true,
        first_name: PersonName::parse("first_name", "Chloé").unwrap(),
        last_name: PersonName::parse("last_name", "D\u{F6}ring \u{1F600}").unwrap(),
        is_staff: true,
        is_superuser: true,
        expires_at: Some(after(60)),
        last_login_at: Some(after(-5)),
        password_changed_at: Some(after(-50)),
        ..site.user("Chloé Dubois")
    }
}

fn names(site: &Site, filter: UserFilter, request: PageRequest<UserOrder>) -> (u64, Vec<String>) {
    let page = site.read(move |tx| tx.user_page(&filter, &request));
    let names = page.items.iter().map(|user| user.username.to_string());
    (page.count, names.collect())
}

fn found(site: &Site, text: &str) -> Vec<String> {
    let filter = UserFilter { search: Some(text.to_owned()), ..UserFilter::default() };
    names(site, filter, PageRequest::default()).1
}

fn ordered(site: &Site, order: UserOrder, descending: bool) -> Vec<String> {
    let request = PageRequest { order, descending, ..PageRequest::default() };
    names(site, UserFilter::default(), request).1
}

on_every_database! {
    fn what_is_stored_comes_back(site) {
        let user = full(site);
        site.put_user(&user);
        let (id, key) = (user.id, user.username.key().to_owned());
        assert_eq!(site.lookup(move |tx| tx.user_by_id(id)), Some(user.clone()));
        assert_eq!(site.lookup(move |tx| tx.user_by_username_key(&key)), Some(user.clone()));
        let key = user.email.as_ref().unwrap().key().to_owned();
        assert_eq!(site.lookup(move |tx| tx.user_by_email_key(&key)), Some(user.clone()));
        assert_eq!(site.read(move |tx| tx.users_by_ids(&[id])), [user]);
        assert_eq!(site.lookup(|tx| tx.user_by_username_key("nobody")), None);
    }

    fn a_name_is_taken_whatever_its_case(site) {
        site.stored_user("Anna");
        let other = site.user("aNNA");
        let error = site.try_write(move |tx| tx.insert_user(&other, &hash("x"))).unwrap_err();
        assert!(error.is_duplicate(), "{error}");
        assert_eq!(site.read(|tx| tx.user_count()), 1);
    }

    fn a_mail_address_is_taken_but_many_have_none(site) {
        let with_mail = |name| User { email: Some(email("a@example.org")), ..site.user(name) };
        site.put_user(&with_mail("anna"));
        site.stored_user("bert");
        let mut other = site.stored_user("carl");
        other.email = Some(email("A@Example.org"));
        let error = site.try_write(move |tx| tx.update_user(&other)).unwrap_err();
        assert!(error.is_duplicate(), "{error}");
    }

    fn a_conflict_leaves_the_transaction_usable(site) {
        site.stored_user("anna");
        let (again, other) = (site.user("Anna"), site.user("bert"));
        site.write(move |tx| {
            let refused = tx.insert_user(&again, &hash("x"));
            assert!(refused.is_err_and(|error| error.is_duplicate()));
            tx.insert_user(&other, &hash("x"))
        });
        assert_eq!(site.read(|tx| tx.user_count()), 2);
    }

    fn everything_but_the_password_is_written(site) {
        let before = full(site);
        site.put_user(&before);
        let after = User { id: before.id, ..site.user("Other Name") };
        let (id, written) = (before.id, after.clone());
        assert!(site.write(move |tx| tx.update_user(&written)));
        assert_eq!(site.read(move |tx| tx.user_by_id(id)), Some(after));
        assert_eq!(site.read(move |tx| tx.user_password(id)), Some(hash("one")));
        let nobody = site.user("nobody");
        assert!(!site.write(move |tx| tx.update_user(&nobody)));
    }

    fn writing_the_same_again_still_finds_the_row(site) {
        let user = site.stored_user("anna");
        assert!(site.write(move |tx| tx.update_user(&user)));
    }

    fn a_password_is_replaced_and_dated(site) {
        let id = site.stored_user("anna").id;
        assert!(site.write(move |tx| tx.update_user_password(id, &hash("two"), Some(after(9)))));
        let user = site.read(move |tx| tx.user_by_id(id)).unwrap();
        assert_eq!(user.password_changed_at, Some(after(9)));
        assert!(site.write(move |tx| tx.update_user_password(id, &hash("three"), None)));
        let user = site.read(move |tx| tx.user_by_id(id)).unwrap();
        assert_eq!(user.password_changed_at, Some(after(9)));
        assert_eq!(site.read(move |tx| tx.user_password(id)), Some(hash("three")));
    }

    fn an_upgrade_does_not_undo_a_change(site) {
        let id = site.stored_user("anna").id;
        let upgraded = move |old: &'static str| {
            site.write(move |tx| tx.upgrade_user_password(id, &hash(old), &hash("better")))
        };
        assert!(!upgraded("stale"));
        assert_eq!(site.read(move |tx| tx.user_password(id)), Some(hash("one")));
        assert!(upgraded("one"));
        assert_eq!(site.read(move |tx| tx.user_password(id)), Some(hash("better")));
    }

    fn logins_are_recorded(site) {
        let id = site.stored_user("anna").id;
        assert!(site.write(move |tx| tx.update_user_last_login(id, after(3))));
        let user = site.read(move |tx| tx.user_by_id(id)).unwrap();
        assert_eq!(user.last_login_at, Some(after(3)));
    }

    fn other_superusers_must_be_live(site) {
        let root = |name| User { is_superuser: true, ..site.user(name) };
        let first = root("first");
        site.put_user(&first);
        site.put_user(&User { is_active: false, ..root("disabled") });
        site.put_user(&User { expires_at: Some(NOW), ..root("expired") });
        site.stored_user("anna");
        let others = move || site.read(move |tx| tx.other_live_superusers(first.id, NOW));
        assert_eq!(others(), 0);
        site.put_user(&User { expires_at: Some(after(1)), ..root("second") });
        site.put_user(&root("third"));
        assert_eq!(others(), 2);
        let lasting = site.read(move |tx| tx.other_live_superusers(first.id, Timestamp::MAX));
        assert_eq!(lasting, 1);
    }

    fn one_hash_of_each_scheme_and_cost_is_shown(site) {
        for (name, stored) in [
            ("a", "pbkdf2_sha256$1000$s1$d"),
            ("b", "pbkdf2_sha256$1000$s2$d"),
            ("c", "pbkdf2_sha256$9000$s3$d"),
            ("d", "$argon2id$v=19$m=19456,t=2,p=1$s4$d"),
            ("e", "!"),
        ] {
            let user = site.user(name);
            site.write(move |tx| tx.insert_user(&user, &PasswordHash::from_stored(stored)));
        }
        let samples = site.read(|tx| tx.user_password_samples());
        let mut schemes: Vec<_> = samples.iter().map(|s| s.expose()[..14].to_owned()).collect();
        schemes.sort();
        assert_eq!(schemes, ["$argon2id$v=19", "pbkdf2_sha256$", "pbkdf2_sha256$"]);
    }

    fn removing_an_account_takes_along_what_is_its_own(site) {
        let user = site.stored_user("anna");
        let group = site.stored_group("lab");
        let session = site.session(&user, "token");
        let (id, digest) = (user.id, session.digest);
        site.write(move |tx| {
            tx.put_membership(&Membership {
                group: group.id, user: id, is_manager: false, expires_at: None, since: NOW,
            })?;
            tx.insert_session(&session)
        });
        assert!(site.write(move |tx| tx.delete_user(id)));
        assert!(!site.write(move |tx| tx.delete_user(id)));
        assert_eq!(site.read(move |tx| tx.memberships_of(id)), []);
        assert_eq!(site.read(move |tx| tx.session_by_digest(&digest)), None);
    }

    fn an_owner_of_objects_stays(site) {
        let user = site.stored_user("anna");
        let owned = object("1", &user);
        site.write(move |tx| tx.insert_object(&owned));
        let error = site.try_write(move |tx| tx.delete_user(user.id)).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Conflict(Constraint::Reference));
        let kept = ObjectRef::new("calc", "1").unwrap();
        assert!(site.read(move |tx| tx.object(&kept)).is_some());
    }

    fn a_list_comes_in_pages(site) {
        for name in ["dora", "anna", "carl", "Bert"] {
            site.stored_user(name);
        }
        let page = |page, size| {
            let request = PageRequest { page, size, ..PageRequest::default() };
            names(site, UserFilter::default(), request)
        };
        assert_eq!(page(1, 3), (4, vec!["anna".into(), "Bert".into(), "carl".into()]));
        assert_eq!(page(2, 3), (4, vec!["dora".into()]));
        assert_eq!(page(3, 3), (4, vec![]));
    }

    fn a_list_is_ordered_alike_everywhere(site) {
        let put = |name, mail: Option<&str>, created, login| {
            site.put_user(&User {
                email: mail.map(email),
                created_at: after(created),
                last_login_at: login,
                ..site.user(name)
            });
        };
        put("anna", Some("z@example.org"), 3, None);
        put("Bert", None, 1, Some(after(1)));
        put("\u{e9}mile", Some("A@example.org"), 2, Some(after(2)));
        assert_eq!(ordered(site, UserOrder::Username, false), ["anna", "Bert", "\u{e9}mile"]);
        assert_eq!(ordered(site, UserOrder::Username, true), ["\u{e9}mile", "Bert", "anna"]);
        assert_eq!(ordered(site, UserOrder::Email, false), ["Bert", "\u{e9}mile", "anna"]);
        assert_eq!(ordered(site, UserOrder::Email, true), ["anna", "\u{e9}mile", "Bert"]);
        assert_eq!(ordered(site, UserOrder::CreatedAt, false), ["Bert", "\u{e9}mile", "anna"]);
        assert_eq!(ordered(site, UserOrder::LastLoginAt, false), ["anna", "Bert", "\u{e9}mile"]);
        assert_eq!(ordered(site, UserOrder::LastLoginAt, true), ["\u{e9}mile", "Bert", "anna"]);
    }

    fn a_search_looks_into_names_and_mail_whatever_the_case(site) {
        site.put_user(&full(site));
        site.stored_user("bert");
        for text in ["dubois", "CHLO\u{c9}", "d\u{f6}ring", "chloe\u{301} D", ".D@EXAMPLE", "\u{1F600}"] {
            assert_eq!(found(site, text), ["Chlo\u{e9} Dubois"], "{text}");
        }
        assert_eq!(found(site, "zzz"), Vec::<String>::new());
        assert_eq!(found(site, "").len(), 2);
    }

    fn atk_a240_wildcards_in_a_search_are_literal(site) {
        for name in ["100%", "under_score", "back\\slash", "bang!", "plain"] {
            site.stored_user(name);
        }
        assert_eq!(found(site, "%"), ["100%"]);
        assert_eq!(found(site, "_"), ["under_score"]);
        assert_eq!(found(site, "\\"), ["back\\slash"]);
        assert_eq!(found(site, "!"), ["bang!"]);
        assert_eq!(found(site, "%lain"), Vec::<String>::new());
        assert_eq!(found(site, "' OR 1=1 --"), Vec::<String>::new());
    }

    fn a_list_is_filtered(site) {
        let member = site.stored_user("anna");
        site.put_user(&User { is_active: false, ..site.user("bert") });
        site.put_user(&User { is_superuser: true, ..site.user("carl") });
        let group = site.stored_group("lab");
        let membership = Membership {
            group: group.id, user: member.id, is_manager: false, expires_at: None, since: NOW,
        };
        site.write(move |tx| tx.put_membership(&membership));
        let of = |filter| names(site, filter, PageRequest::default());
        let one = |name: &str| (1, vec![name.to_owned()]);
        assert_eq!(of(UserFilter { is_active: Some(false), ..UserFilter::default() }), one("bert"));
        assert_eq!(of(UserFilter { is_superuser: Some(true), ..UserFilter::default() }), one("carl"));
        assert_eq!(of(UserFilter { member_of: Some(group.id), ..UserFilter::default() }), one("anna"));
    }

    fn blanks_and_accents_tell_keys_apart(site) {
        // Some databases compare `a` and `a ` as equal, or `e` and `\u{e9}`.
        site.stored_user("rene");
        site.stored_user("ren\u{e9}");
        assert_eq!(site.lookup(|tx| tx.user_by_username_key("rene ")), None);
        let key = Username::key_of("REN\u{c9}");
        let user = site.lookup(move |tx| tx.user_by_username_key(&key)).unwrap();
        assert_eq!(user.username.as_str(), "ren\u{e9}");
    }
}
