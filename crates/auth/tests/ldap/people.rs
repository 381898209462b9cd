//! Who gets in, as whom, and who does not.

use serde_json::json;
use vestibule_core::ports::backend::{
    AssertedEmail, Groups, Method, NotMine, RejectReason, Verdict,
};

use crate::support::{PEOPLE, exported, fault, log, refused, verified, with};

#[tokio::test]
async fn seed_om_57_the_visitor_is_bound_as_the_entry_that_was_found() {
    let setting = with(&json!({}));
    let ann = setting.person("ann").await;
    assert_eq!(ann.username.as_deref(), Some("ann"));
    assert_eq!((&*ann.first_name, &*ann.last_name), ("Ann", "Able"));
    let mail = AssertedEmail { address: "ann@facility.org".to_owned(), is_verified: false };
    assert_eq!(ann.emails, [mail]);
    assert_eq!(ann.groups, Groups::Unknown);
    assert_eq!(ann.factors[0].method, Method::Password);
    assert_eq!(ann.subject.as_str().len(), 36, "an entryUUID: {}", ann.subject);
    assert_eq!(setting.person("ann").await.subject, ann.subject);
    assert_ne!(setting.person("bert").await.subject, ann.subject);
    assert!(log().contains(&format!("BIND dn=\"uid=ann,{PEOPLE}\" method=128")));
    // Whatever the case, it is the same person, by the name that the directory writes.
    let shouted = verified(setting.log_in("ANN", "ann-pass-1").await);
    assert_eq!((shouted.subject, shouted.username.as_deref()), (ann.subject, Some("ann")));
}

#[tokio::test]
async fn seed_om_57_attributes_are_those_that_the_operator_names() {
    let setting = with(&json!({
        "user_filter": "(&(objectClass=inetOrgPerson)(mail={username}))",
        "subject_attribute": "uid",
        "username_attribute": "CN",
        "first_name_attribute": "displayname",
        "last_name_attribute": "homeDirectory",
        "mails_are_verified": true,
    }));
    let ann = verified(setting.log_in("ann@facility.org", "ann-pass-1").await);
    assert_eq!(ann.subject.as_str(), "ann");
    assert_eq!(ann.username.as_deref(), Some("Ann Able"));
    assert_eq!((&*ann.first_name, &*ann.last_name), ("Ann A. Able", "/home/ann"));
    assert!(ann.emails[0].is_verified);
    let carla = verified(setting.log_in("c.mails@facility.org", "carla-pass-1").await);
    assert_eq!(carla.emails.len(), 3);
    assert_eq!(carla.first_name, "", "who has no such attribute has no such name");
}

#[tokio::test]
async fn seed_om_57_an_empty_password_is_refused_without_asking() {
    // Where nobody listens, whoever asks gets a fault.
    let nobody_there = crate::support::at(&exported("_CLOSED"), &json!({}));
    for password in ["", "\0", "\0ann-pass-1", "ann-pass-1\0"] {
        let verdict = nobody_there.log_in("ann", password).await;
        assert_eq!(refused(&verdict), RejectReason::BadOrUnknown, "{password:?}");
    }
    assert_eq!(fault(&nobody_there.log_in("ann", " ").await).0, "unavailable");
    assert_eq!(refused(&with(&json!({})).log_in("ann", " ").await), RejectReason::Bad);
}

#[tokio::test]
async fn seed_om_57_two_hits_are_refused() {
    let by_mail = with(&json!({ "user_filter": "(mail={username})" }));
    for password in ["twin1-pass-1", "twin2-pass-1"] {
        let verdict = by_mail.log_in("twins@facility.org", password).await;
        let Verdict::Rejected(rejection) = verdict else { panic!("{verdict:?}") };
        assert_eq!(rejection.reason, RejectReason::BadOrUnknown);
        assert_eq!(rejection.for_audit(), "several entries have this name");
    }
    let from_the_top = with(&json!({ "user_base": exported("_SUFFIX") }));
    for password in ["double-pass-1", "double-guest-pass-1"] {
        let verdict = from_the_top.log_in("double", password).await;
        assert_eq!(refused(&verdict), RejectReason::BadOrUnknown);
    }
    assert_eq!(refused(&from_the_top.entitle("double").await), RejectReason::NotEntitled);
    verified(with(&json!({})).right("double").await);
    // More hits than are asked for end the same.
    let all = with(&json!({ "user_filter": "(|(objectClass=person)(uid={username}))" }));
    assert_eq!(refused(&all.right("ann").await), RejectReason::BadOrUnknown);
}

#[tokio::test]
async fn seed_om_58_the_case_of_names_counts_where_the_operator_wants_it() {
    let exact = with(&json!({ "match_case": true }));
    verified(exact.right("ann").await);
    verified(exact.right("UPPER").await);
    for name in ["ANN", "Ann", "upper"] {
        let password = if name == "upper" { "UPPER-pass-1" } else { "ann-pass-1" };
        let verdict = exact.log_in(name, password).await;
        assert!(matches!(verdict, Verdict::NotMine(NotMine::UnknownSubject)), "{verdict:?}");
        verified(with(&json!({})).log_in(name, password).await);
    }
}

#[tokio::test]
async fn a_wrong_password_is_bad_and_a_name_that_nobody_has_is_not_ours() {
    let setting = with(&json!({}));
    for name in ["ann", "nopass", "lone"] {
        assert_eq!(refused(&setting.log_in(name, "wrong").await), RejectReason::Bad, "{name}");
    }
    let verdict = setting.log_in("nobody-here", "nobody-here-pass-1").await;
    assert!(matches!(verdict, Verdict::NotMine(NotMine::UnknownSubject)), "{verdict:?}");
}

#[tokio::test]
async fn a_barred_account_is_refused_for_its_reason() {
    let setting = with(&json!({}));
    assert_eq!(refused(&setting.right("lars").await), RejectReason::Locked);
    assert_eq!(refused(&setting.right("emma").await), RejectReason::Expired);
    assert_eq!(refused(&setting.right("mona").await), RejectReason::MustChange);
    assert_eq!(refused(&setting.log_in("emma", "wrong").await), RejectReason::Bad);
    let without_the_disabled =
        with(&json!({ "user_filter": "(&(uid={username})(!(employeeType=disabled)))" }));
    verified(setting.right("dave").await);
    let subject = setting.person("dave").await.subject;
    let pair = ("dave", "dave-pass-1");
    for verdict in [
        without_the_disabled.right("dave").await,
        // Also of somebody who is looked up by what stays.
        without_the_disabled.again(pair, &subject).await,
    ] {
        assert!(matches!(verdict, Verdict::NotMine(NotMine::UnknownSubject)), "{verdict:?}");
    }
    assert_eq!(refused(&without_the_disabled.entitle("dave").await), RejectReason::NotEntitled);
    verified(without_the_disabled.entitle("ann").await);
}

#[tokio::test]
async fn asvs_v1_2_6_hard_names_are_found_and_are_nobody_else() {
    let setting = with(&json!({}));
    let names = [
        "doe, jane",
        "st*r",
        "par(en)s",
        "back\\slash",
        "#ha+sh;<>\"=",
        "slash/name",
        "jürgen",
        "мария",
        "ann@facility.org",
        "alias",
        "UPPER",
    ];
    let mut subjects = Vec::new();
    for name in names {
        let person = setting.person(name).await;
        assert_eq!(person.username.as_deref(), Some(name));
        subjects.push(person.subject);
    }
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects.len(), names.len());
    let alias = verified(setting.log_in("alias-two", "alias-pass-1").await);
    assert_eq!(alias.username.as_deref(), Some("alias-two"));
    verified(setting.log_in("blank ", "blank-pass-1").await);
}

#[tokio::test]
async fn asvs_v1_2_6_no_name_means_anything_in_a_filter() {
    let setting = with(&json!({}));
    let by_two = with(
        &json!({ "user_filter": "(&(objectClass=person)(|(uid={username})(cn={username})))" }),
    );
    for name in [
        "*",
        "an*",
        "a*n",
        "ann)(objectClass=*",
        "ann)(|(uid=*",
        "*)(uid=ann))(|(uid=*",
        "ann\\",
        "ann\\2a",
        "\\61nn",
        "ann)",
        "(uid=ann)",
        "uid=ann,ou=people,dc=facility,dc=org",
        "{username}",
        "{dn}",
        "st?r",
        "аnn",
        "\u{202e}nna",
    ] {
        for setting in [&setting, &by_two] {
            let verdict = setting.log_in(name, "ann-pass-1").await;
            assert!(
                matches!(verdict, Verdict::NotMine(NotMine::UnknownSubject)),
                "{name}: {verdict:?}"
            );
        }
    }
    for name in ["ann\0", "ann\0)(uid=*", "ann\n", "", "  "] {
        let verdict = setting.log_in(name, "ann-pass-1").await;
        assert_eq!(refused(&verdict), RejectReason::BadOrUnknown, "{name:?}");
    }
}

#[tokio::test]
async fn whoever_may_enter_is_asked_without_a_password() {
    let setting = with(&json!({}));
    let judged = verified(setting.entitle("ann").await);
    assert_eq!(judged.subject, setting.person("ann").await.subject);
    assert!(judged.factors.is_empty());
    assert_eq!(refused(&setting.entitle("nobody-here").await), RejectReason::NotEntitled);
    assert_eq!(setting.backend.probe().unwrap().look().await.unwrap(), "answers");
}
