//! What changes in the directory between one login and the next.

use serde_json::json;
use vestibule_core::ports::backend::{NotMine, RejectReason, Verdict};

use crate::support::{Newcomer, Proxy, at, exported, fault, refused, verified, with};

#[tokio::test]
async fn seed_om_59_whoever_is_gone_from_the_directory_is_refused() {
    let setting = with(&json!({}));
    let person = Newcomer::called("leaver", "");
    let (name, password) = (person.0.clone(), format!("{}-pass-1", person.0));
    let subject = setting.person(&name).await.subject;
    verified(setting.again((&name, &password), &subject).await);
    person.leave();
    for verdict in
        [setting.log_in(&name, &password).await, setting.again((&name, &password), &subject).await]
    {
        assert!(matches!(verdict, Verdict::NotMine(NotMine::UnknownSubject)), "{verdict:?}");
    }
    assert_eq!(refused(&setting.entitle(&name).await), RejectReason::NotEntitled);
    // The name is given to somebody new, who is not the one that was here before.
    let heir = Newcomer::called("leaver", "");
    let verdict = setting.again((&heir.0, &password), &subject).await;
    assert!(matches!(verdict, Verdict::NotMine(NotMine::UnknownSubject)), "{verdict:?}");
    assert_ne!(setting.person(&heir.0).await.subject, subject);
    heir.leave();
}

#[tokio::test]
async fn whoever_is_renamed_stays_who_they_are() {
    let setting = with(&json!({}));
    let person = Newcomer::called("renamed", "");
    let (name, password) = (person.0.clone(), format!("{}-pass-1", person.0));
    let subject = setting.person(&name).await.subject;
    person.change(&format!("changetype: modrdn\nnewrdn: uid=new-{name}\ndeleteoldrdn: 1"));
    let again = verified(setting.again((&name, &password), &subject).await);
    assert_eq!(again.subject, subject);
    assert_eq!(again.username.as_deref(), Some(&*format!("new-{name}")));
    Newcomer(format!("new-{name}")).leave();
}

#[tokio::test]
async fn wrong_passwords_that_lock_there_are_told_as_a_lock() {
    let setting = with(&json!({}));
    let policy = "pwdPolicySubentry: cn=strict,ou=policies,dc=facility,dc=org";
    let person = Newcomer::called("guessed", policy);
    for _ in 0..3 {
        assert_eq!(refused(&setting.log_in(&person.0, "wrong").await), RejectReason::Bad);
    }
    assert_eq!(refused(&setting.right(&person.0).await), RejectReason::Locked);
    person.leave();
}

#[tokio::test]
async fn an_entry_without_a_subject_is_told_after_the_password() {
    let setting = with(&json!({ "subject_attribute": "employeeNumber" }));
    assert_eq!(refused(&setting.log_in("ann", "wrong").await), RejectReason::Bad);
    let (word, says) = fault(&setting.right("ann").await);
    assert_eq!(word, "misconfigured");
    assert_eq!(says, "an entry's employeeNumber, its subject, is missing");
    let (_, says) = fault(&with(&json!({ "subject_attribute": "objectClass" })).right("ann").await);
    assert_eq!(says, "an entry's objectClass, its subject, has several values");
}

#[tokio::test]
async fn seed_om_59_a_directory_that_cannot_be_reached_is_unavailable() {
    let away = at(&exported("_CLOSED"), &json!({}));
    assert_eq!(fault(&away.right("ann").await).0, "unavailable");
    assert_eq!(fault(&away.right("nobody-here").await).0, "unavailable");
    assert_eq!(fault(&away.entitle("ann").await).0, "unavailable");
    assert!(away.backend.probe().unwrap().look().await.is_err());
    // The next one of several is asked, and from then on asked first.
    let second = at("", &json!({ "url": [exported("_CLOSED"), exported("")] }));
    for _ in 0..2 {
        verified(second.right("ann").await);
    }
    let unresolved = at("ldaps://directory.invalid", &json!({}));
    assert_eq!(fault(&unresolved.right("ann").await).0, "unavailable");
}

#[tokio::test]
async fn searches_share_a_connection_that_stays_our_own() {
    let proxy = Proxy::alone().await;
    let setting = at(&exported("_PROXY"), &json!({ "groups_from": "attribute" }));
    let before = proxy.accepted().await;
    for _ in 0..4 {
        verified(setting.right("ann").await);
        assert_eq!(refused(&setting.log_in("bert", "wrong").await), RejectReason::Bad);
    }
    assert_eq!(proxy.accepted().await - before, 9, "one that searches, and one for each password");
    let asked = proxy.hear("requests?listener=plain").await;
    let asked = asked.as_array().unwrap();
    let own = asked.iter().filter(|note| note["dn"] == exported("_READER_DN"));
    assert_eq!(own.count(), 1);
    // Nobody sees more than the search account does: what a visitor may not read is still read.
    assert_eq!(setting.groups_of("ann").await, ["beamline-a", "crowd", "staff"]);
}

#[tokio::test]
async fn atk_a001_a_name_that_nobody_has_takes_as_many_steps_as_a_wrong_password() {
    let proxy = Proxy::alone().await;
    let setting = at(&exported("_PROXY"), &json!({}));
    verified(setting.right("ann").await);
    let mut steps = Vec::new();
    for (name, password) in [("ann", "canary-1"), ("nobody-here", "canary-2")] {
        proxy.mend().await;
        let before = proxy.accepted().await;
        setting.log_in(name, password).await;
        let asked = proxy.hear("requests?listener=plain").await;
        let asked = asked.as_array().unwrap().iter().map(|note| note["operation"].clone());
        steps.push((asked.collect::<Vec<_>>(), proxy.accepted().await - before));
    }
    assert_eq!(steps[0], (vec![json!("search"), json!("bind")], 1));
    assert_eq!(steps[1], steps[0]);
    // No password is shown to a directory that knows nobody of that name.
    assert_eq!(proxy.hear("seen?text=canary-2").await, json!([]));
}

#[tokio::test]
async fn a_kept_connection_that_broke_is_replaced() {
    let proxy = Proxy::alone().await;
    let setting = at(&exported("_PROXY"), &json!({}));
    verified(setting.right("ann").await);
    for how in ["close", "reset"] {
        proxy.tell("listeners/plain/drop", &json!({ "how": how })).await;
        verified(setting.right("ann").await);
    }
    // It breaks only when it is used: asked once more, over another one.
    proxy.way(&json!({ "way": "reset", "connections": 1 })).await;
    let first = setting.right("bert").await;
    proxy.way(&json!({ "way": "pass" })).await;
    let second = setting.right("bert").await;
    assert!(!matches!(first, Verdict::Rejected(_) | Verdict::NotMine(_)), "{first:?}");
    verified(second);
}

#[tokio::test]
async fn a_password_is_never_sent_twice() {
    let proxy = Proxy::alone().await;
    let setting = at(&exported("_PROXY"), &json!({}));
    verified(setting.right("ann").await);
    let before = proxy.hear("requests?listener=plain").await.as_array().unwrap().len();
    // The connection that searches is there; that of the password dies with the answer on its way.
    proxy.way(&json!({ "way": "cut", "after": 3, "connections": 1 })).await;
    let verdict = setting.log_in("ann", "sent-but-once").await;
    assert_eq!(fault(&verdict).0, "unavailable");
    let asked = proxy.hear("requests?listener=plain").await;
    let sent = asked.as_array().unwrap()[before..].iter();
    assert!(sent.filter(|note| note["password"] == "sent-but-once").count() <= 1);
}
