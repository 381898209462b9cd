//! Sessions.

use vestibule_core::{
    Timestamp, TokenDigest,
    domain::session::Session,
    ports::store::{Constraint, StoreErrorKind},
};

use crate::support::{NOW, Site, after, on_every_database};

fn put(site: &Site, session: Session) -> Session {
    let stored = session.clone();
    site.write(move |tx| tx.insert_session(&stored));
    session
}

fn purge(site: &Site, now: Timestamp, idle_since: Option<Timestamp>, limit: u32) -> u64 {
    site.write(move |tx| tx.purge_sessions(now, idle_since, limit))
}

on_every_database! {
    fn what_is_stored_comes_back(site) {
        let user = site.stored_user("anna");
        let session = put(site, site.session(&user, "token"));
        let (id, digest) = (session.id, session.digest);
        assert_eq!(site.lookup(move |tx| tx.session_by_digest(&digest)), Some(session.clone()));
        assert_eq!(site.lookup(move |tx| tx.session_by_id(id)), Some(session));
        let other = TokenDigest::of(b"other");
        assert_eq!(site.lookup(move |tx| tx.session_by_digest(&other)), None);
    }

    fn a_token_opens_one_session_of_somebody(site) {
        let user = site.stored_user("anna");
        put(site, site.session(&user, "token"));
        let again = site.session(&user, "token");
        assert!(site.try_write(move |tx| tx.insert_session(&again)).unwrap_err().is_duplicate());
        let nobodys = site.session(&site.user("nobody"), "other");
        let error = site.try_write(move |tx| tx.insert_session(&nobodys)).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Conflict(Constraint::Reference));
    }

    fn a_users_sessions_are_listed_oldest_first(site) {
        let (anna, bert) = (site.stored_user("anna"), site.stored_user("bert"));
        let at = |seconds, token| Session { created_at: after(seconds), ..site.session(&anna, token) };
        let newer = put(site, at(5, "newer"));
        let older = put(site, Session { expires_at: after(-1), ..at(1, "older") });
        put(site, site.session(&bert, "bert"));
        assert_eq!(site.read(move |tx| tx.sessions_of(anna.id)), [older, newer]);
    }

    fn ended_sessions_are_gone(site) {
        let (anna, bert) = (site.stored_user("anna"), site.stored_user("bert"));
        let [one, two, three] = ["1", "2", "3"].map(|token| put(site, site.session(&anna, token)));
        let other = put(site, site.session(&bert, "4"));
        assert!(site.write(move |tx| tx.delete_session(one.id)));
        assert!(!site.write(move |tx| tx.delete_session(one.id)));
        assert_eq!(site.write(move |tx| tx.delete_sessions_of(anna.id, Some(two.id))), 1);
        assert_eq!(site.read(move |tx| tx.session_by_id(three.id)), None);
        assert_eq!(site.write(move |tx| tx.delete_sessions_of(anna.id, None)), 1);
        assert_eq!(site.read(move |tx| tx.sessions_of(bert.id)), [other]);
    }

    fn last_seen_moves_forward_alone_and_revives_nothing(site) {
        let user = site.stored_user("anna");
        let [one, two] = ["1", "2"].map(|token| put(site, site.session(&user, token)));
        site.write(move |tx| tx.delete_session(two.id));
        let seen_at = |at| {
            site.write(move |tx| tx.touch_sessions(&[(two.id, at), (one.id, at)]));
            site.read(move |tx| tx.session_by_id(one.id)).unwrap().last_seen_at
        };
        assert_eq!(seen_at(after(60)), after(60));
        assert_eq!(seen_at(after(30)), after(60));
        assert_eq!(site.read(move |tx| tx.sessions_of(user.id)).len(), 1);
    }

    fn purging_ends_what_is_over_a_few_at_a_time(site) {
        let user = site.stored_user("anna");
        for (token, expires, seen) in [("1", -9, -90), ("2", -5, -5), ("3", 0, 0), ("4", 9, -60), ("5", 9, 0)] {
            put(site, Session {
                expires_at: after(expires),
                last_seen_at: after(seen),
                ..site.session(&user, token)
            });
        }
        let left = || site.read(move |tx| tx.sessions_of(user.id)).len();
        assert_eq!((purge(site, NOW, None, 2), left()), (2, 3));
        assert_eq!((purge(site, NOW, None, 2), left()), (1, 2));
        assert_eq!((purge(site, NOW, Some(after(-60)), 2), left()), (1, 1));
        assert_eq!((purge(site, NOW, Some(after(-60)), 2), left()), (0, 1));
    }

    fn one_purge_counts_a_session_once(site) {
        let user = site.stored_user("anna");
        for token in ["1", "2"] {
            put(site, Session {
                expires_at: after(-1),
                last_seen_at: after(-90),
                ..site.session(&user, token)
            });
        }
        assert_eq!(purge(site, NOW, Some(after(-60)), 10), 2);
    }
}
