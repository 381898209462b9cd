//! Who is let in, and who is not.

use serde_json::json;
use vestibule_core::ports::backend::{Fault, Groups, RejectReason, Verdict};

use crate::world::{Pam, SAID, Services, fault, rejected, told, user, verified};

#[tokio::test]
async fn seed_oq_26_the_right_unix_password_and_no_other_lets_in() {
    let unix = Pam::of("unix");
    let (name, password) = user("OK");
    let verdict = unix.log_in(&name, &password).await;
    assert_eq!(verified(&verdict), name);
    let Verdict::Verified(assertion) = verdict else { unreachable!() };
    assert_eq!(assertion.username.as_deref(), Some(name.as_str()));
    for wrong in ["wrong", &password.to_uppercase(), &format!("{password} "), &user("GROUPS").1] {
        let verdict = unix.log_in(&name, wrong).await;
        assert_eq!(rejected(&verdict).0, RejectReason::BadOrUnknown);
    }
    let (name, password) = user("LOCKED");
    let verdict = unix.log_in(&name, &password).await;
    let expected =
        (RejectReason::BadOrUnknown, "wrong name or password (PAM_AUTH_ERR from authentication)");
    assert_eq!(rejected(&verdict), expected);
}

#[tokio::test]
async fn seed_oq_28_the_groups_of_the_system_are_told() {
    let (name, password) = user("GROUPS");
    let Verdict::Verified(assertion) = Pam::of("unix").log_in(&name, &password).await else {
        panic!("not let in")
    };
    let Groups::Known(mut groups) = assertion.groups else { panic!("no groups") };
    let mut expected = vec![told("PRIMARY_GROUP"), told("SYSTEM_GROUP")];
    expected.extend(told("EXTRA_GROUPS").split(',').map(str::to_owned));
    groups.sort();
    expected.sort();
    assert_eq!(groups, expected);
}

#[tokio::test]
async fn atk_a180_whoever_the_account_check_refuses_is_not_let_in() {
    let real = [
        ("EXPIRED", RejectReason::Expired, "expired (PAM_ACCT_EXPIRED from the account check)"),
        (
            "MUST_CHANGE",
            RejectReason::MustChange,
            "password must be changed (PAM_NEW_AUTHTOK_REQD from the account check)",
        ),
        (
            "OLD_PASSWORD",
            RejectReason::Expired,
            "expired (PAM_AUTHTOK_EXPIRED from the account check)",
        ),
    ];
    for (who, reason, words) in real {
        let (name, password) = user(who);
        let verdict = Pam::of("unix").log_in(&name, &password).await;
        assert_eq!(rejected(&verdict), (reason, words), "{who}");
        let verdict = Pam::of("unix").log_in(&name, "wrong").await;
        assert_eq!(rejected(&verdict).0, RejectReason::BadOrUnknown, "{who}");
        let verdict = Pam::of("unix").may_enter(&name).await;
        assert_eq!(rejected(&verdict), (reason, words), "{who}");
    }
    let (name, password) = user("OK");
    let services = [
        ("unix-expired", RejectReason::Expired),
        ("unix-must-change", RejectReason::MustChange),
        ("unix-denied", RejectReason::NotEntitled),
        // No account line: `other` says no.
        ("unix-auth-only", RejectReason::NotEntitled),
    ];
    for (service, reason) in services {
        let verdict = Pam::of(service).log_in(&name, &password).await;
        assert_eq!(rejected(&verdict).0, reason, "{service}");
    }
    let verdict = Pam::of("unix").may_enter(&name).await;
    assert_eq!(verified(&verdict), name);
    let verdict = Pam::of("unix").may_enter("nobody-of-this-name").await;
    assert_eq!(rejected(&verdict).0, RejectReason::NotEntitled);
}

#[tokio::test]
async fn atk_a181_the_empty_password_never_reaches_pam() {
    let (services, name) = (Services::new(), user("OK").0);
    services.people("open", &[(&name, "", "")], "password");
    let open = services.backend("open", &json!({}));
    let verdict = open.log_in(&name, "").await;
    assert_eq!(rejected(&verdict).0, RejectReason::BadOrUnknown);
    assert!(services.notes().is_empty(), "{:?}", services.notes());
    let verdict = open.log_in_with(&name, "x", "").await;
    assert_eq!(rejected(&verdict).0, RejectReason::BadOrUnknown);
    assert!(services.notes().is_empty(), "{:?}", services.notes());
}

#[tokio::test]
async fn atk_a182_what_is_longer_than_the_buffers_of_pam_never_reaches_it() {
    let (services, name) = (Services::new(), user("OK").0);
    let longest = "p".repeat(511);
    services.people("long", &[(&name, &longest, "")], "password");
    let long = services.backend("long", &json!({}));
    for password in [format!("{longest}p"), format!("{longest}{longest}"), "p\0p".to_owned()] {
        let verdict = long.log_in(&name, &password).await;
        assert_eq!(rejected(&verdict).0, RejectReason::BadOrUnknown);
    }
    assert!(services.notes().is_empty(), "{:?}", services.notes());
    assert_eq!(verified(&long.log_in(&name, &longest).await), name);
}

/// Names that a module would let in by the password of the service `anyone`.
fn odd_names() -> Vec<String> {
    let names = [
        "root",
        "",
        "-rf",
        "--help",
        "+",
        "..",
        ".",
        "../../etc/shadow",
        "a/b",
        "a:b",
        "an na",
        "a\0b",
        "a\nb",
        "$(id)",
        "`id`",
        "ann;id",
        "*",
        "\u{fc}n\u{ef}",
        "\u{202e}nna",
        "a\u{7f}",
        "daemon",
        "bin",
        "DOMAIN\\..",
    ];
    let mut names: Vec<_> = names.map(str::to_owned).to_vec();
    names.push("n".repeat(257));
    names
}

#[tokio::test]
async fn atk_a183_names_that_do_harm_are_nobodys() {
    let (name, password) = (user("OK").0, told("ANY_PASSWORD"));
    let anyone = Pam::of("anyone");
    assert_eq!(verified(&anyone.log_in(&name, &password).await), name);
    for odd in odd_names() {
        let verdict = anyone.log_in(&odd, &password).await;
        assert_eq!(rejected(&verdict).0, RejectReason::BadOrUnknown, "{odd:?}");
        let verdict = anyone.may_enter(&odd).await;
        assert_eq!(rejected(&verdict).0, RejectReason::NotEntitled, "{odd:?}");
    }
    let (system, _) = user("SYSTEM");
    let verdict = anyone.log_in(&system, &password).await;
    let expected = (RejectReason::BadOrUnknown, "its uid is below `min_uid`");
    assert_eq!(rejected(&verdict), expected);
    // Who has no account of the system is refused although PAM says yes.
    let verdict = anyone.log_in("somebody-else", &password).await;
    assert_eq!(rejected(&verdict).0, RejectReason::NotEntitled);
}

#[tokio::test]
async fn atk_a183_root_is_refused_before_pam_hears_of_it_however_low_the_floor() {
    let services = Services::new();
    services.people("say", &[("*", "the word", "")], "password");
    let low = services.backend("say", &json!({ "min_uid": 0 }));
    let verdict = low.log_in("root", "the word").await;
    let expected = (RejectReason::BadOrUnknown, "root comes in nowhere");
    assert_eq!(rejected(&verdict), expected);
    assert!(services.notes().is_empty(), "{:?}", services.notes());
    let system = user("SYSTEM").0;
    assert_eq!(verified(&low.log_in(&system, "the word").await), system);
}

#[tokio::test]
async fn atk_a183_names_that_differ_in_case_are_not_two_accounts() {
    let (name, password) = (user("OK").0, told("ANY_PASSWORD"));
    let anyone = Pam::of("anyone");
    let twin = name.to_uppercase();
    let verdict = anyone.log_in(&twin, &password).await;
    assert_eq!(rejected(&verdict).0, RejectReason::NotEntitled, "no Unix account of this name");
    // Who was here before is the account they were, however they write it.
    assert_eq!(verified(&anyone.log_in_as(&name, &twin, &password).await), name);
}

#[tokio::test]
async fn atk_a183_a_module_that_makes_somebody_else_of_the_visitor_is_not_believed() {
    let name = user("OK").0;
    for service in ["change-user", "change-user-root", "change-user-empty", "change-user-account"] {
        let verdict = Pam::of(service).log_in(&name, SAID).await;
        assert_eq!(rejected(&verdict).0, RejectReason::NotEntitled, "{service}");
    }
    // Nor when the other one is somebody.
    let (services, other) = (Services::new(), user("GROUPS").0);
    services.people("change", &[(&name, SAID, "")], &format!("password user={other}"));
    let verdict = services.backend("change", &json!({})).log_in(&name, SAID).await;
    assert_eq!(rejected(&verdict).0, RejectReason::NotEntitled);
}

#[tokio::test]
async fn names_can_be_listed_that_may_come_in_or_may_not() {
    let (services, ok, groups) = (Services::new(), user("OK").0, user("GROUPS").0);
    services.people("say", &[("*", "the word", "")], "password");
    let deny = services.backend("say", &json!({ "deny": [format!("{}*", &ok[..ok.len() - 1])] }));
    assert_eq!(rejected(&deny.log_in(&ok, "the word").await).1, "the name is in `deny`");
    let allow = services.backend("say", &json!({ "allow": [ok] }));
    assert_eq!(rejected(&allow.log_in(&groups, "the word").await).1, "the name is not in `allow`");
    assert!(services.notes().is_empty(), "{:?}", services.notes());
    assert_eq!(verified(&deny.log_in(&groups, "the word").await), groups);
    assert_eq!(verified(&allow.log_in(&ok, "the word").await), ok);
}

#[tokio::test]
async fn by_number_who_was_renamed_stays_who_they_are() {
    let (services, ok, groups) = (Services::new(), user("OK").0, user("GROUPS").0);
    services.people("say", &[(&ok, "of ok", ""), (&groups, "of groups", "")], "password");
    let by_uid = services.backend("say", &json!({ "subject": "uid" }));
    let verdict = by_uid.log_in(&ok, "of ok").await;
    let uid = verified(&verdict).to_owned();
    assert!(uid.parse::<u32>().unwrap() >= 1000, "{uid}");
    // Whatever the account is called here, the password is that of whoever has the number.
    assert_eq!(verified(&by_uid.log_in_as(&uid, &groups, "of ok").await), uid);
    let verdict = by_uid.log_in_as(&uid, &groups, "of groups").await;
    assert_eq!(rejected(&verdict).0, RejectReason::BadOrUnknown);
    let verdict = by_uid.log_in_as("4294967294", &ok, "of ok").await;
    assert_eq!(rejected(&verdict).0, RejectReason::NotEntitled, "nobody has the number");
    for odd in ["0", "-1", "1000 ", "root", &ok] {
        let verdict = by_uid.log_in_as(odd, &ok, "of ok").await;
        assert_eq!(rejected(&verdict).0, RejectReason::BadOrUnknown, "{odd}");
    }
}

#[tokio::test]
async fn atk_a185_a_service_that_is_missing_or_broken_lets_nobody_in() {
    let (name, password) = user("OK");
    for service in ["no-such-service", "directory", "missing-module"] {
        let verdict = Pam::of(service).log_in(&name, &password).await;
        // It reads as a fault: everybody's password would be wrong otherwise.
        assert!(matches!(fault(&verdict), Fault::Misconfigured(_)), "{service}: {verdict:?}");
    }
    for service in ["broken-syntax", "broken-control", "empty", "deny", "other"] {
        let verdict = Pam::of(service).log_in(&name, &password).await;
        let is_in = matches!(verdict, Verdict::Verified(_) | Verdict::Challenge(_));
        assert!(!is_in, "{service}: {verdict:?}");
    }
}

#[tokio::test]
async fn atk_a189_each_of_sixty_four_at_once_is_answered_about_themselves() {
    let services = Services::new();
    let people = ["OK", "GROUPS", "EXPIRED", "MUST_CHANGE"].map(|who| user(who).0);
    let lines: Vec<_> =
        people.iter().map(|name| (name.clone(), format!("password of {name}"))).collect();
    let lines: Vec<_> = lines.iter().map(|(n, p)| (n.as_str(), p.as_str(), "")).collect();
    services.people("say", &lines, "password");
    let say = services.backend("say", &json!({}));
    let asks = (0..64).map(|number: usize| {
        let (name, other) = (&people[number % 4], &people[(number / 4) % 4]);
        let password = format!("password of {other}");
        let say = &say;
        async move { (name, other, say.log_in(name, &password).await) }
    });
    for (name, other, verdict) in futures_util::future::join_all(asks).await {
        if name == other {
            assert_eq!(verified(&verdict), name);
        } else {
            assert_eq!(rejected(&verdict).0, RejectReason::BadOrUnknown);
        }
    }
}
