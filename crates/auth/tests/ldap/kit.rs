//! The kit that tries backends, with a directory whose answers it scripts.

use std::sync::Arc;

use serde_json::{Value, json};
use vestibule_auth::{
    backends::LdapFactory,
    testkit::{
        Asked, Host, Reply, Service,
        conformance::{self, Fixture},
    },
};
use vestibule_core::{Secret, domain::identity::Subject, ports::backend::Section};

use crate::{
    bridge,
    support::{Setting, built, fault, verified},
};

const RIGHT: &str = "liquid helium at 4 kelvin";
const OTHER: &str = "liquid nitrogen at 77 kelvin";
const OWN: &str = "the password of the account that searches";
/// Ann's, as the directory has it and as we write it.
const GUID: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255];
const SUBJECT: &str = "000102030405060708090a0b0c0d0eff";

fn directory(asked: &Asked) -> Reply {
    let question: Value = serde_json::from_str(&asked.body).unwrap_or_default();
    let answer = match (question["op"].as_str(), question["dn"].as_str()) {
        (Some("search"), _) => json!({ "code": 0, "entries": entries(&question["wanted"]) }),
        (_, Some(dn)) => {
            let code = match (dn, question["password"].as_str()) {
                ("cn=reader", Some(OWN))
                | ("uid=ann,dc=x", Some(RIGHT))
                | ("uid=bert,dc=x", Some(OTHER)) => 0,
                ("uid=carl,dc=x", Some("dry ice")) => 53,
                _ => 49,
            };
            json!({ "code": code })
        }
        _ => return Reply::status(400),
    };
    Reply::json(&answer)
}

fn entries(wanted: &Value) -> Vec<Value> {
    let mut bert = GUID;
    bert[0] = 7;
    let all = [("ann", GUID), ("bert", bert), ("carl", [9; 16])];
    let is_wanted = |uid: &str, guid: &[u8]| {
        let digits = bridge::digits(guid);
        wanted.as_array().into_iter().flatten().any(|pair| {
            let value = pair[1].as_str().unwrap();
            value.to_lowercase() == uid || (pair[0] == "objectGUID" && value == digits)
        })
    };
    let found = all.into_iter().filter(|(uid, guid)| is_wanted(uid, guid));
    let entry = |(uid, guid): (&str, [u8; 16])| json!({ "dn": format!("uid={uid},dc=x"), "uid": uid, "objectGUID": guid });
    found.map(entry).collect()
}

fn section(service: &Service) -> Section {
    let address = service.url("");
    let address = bridge::start(address.strip_prefix("http://").unwrap().parse().unwrap());
    Section::of(json!({
        "url": format!("ldap://{address}"),
        "bind_dn": "cn=reader",
        "user_base": "dc=x",
        "subject_attribute": "objectGUID",
        "timeout_seconds": 1.0,
        "connect_timeout_seconds": 0.5,
    }))
    .with_secret("bind_password", Secret::new(OWN))
}

#[tokio::test]
async fn a_directory_passes_the_kit() {
    let service = Service::start(directory).unwrap();
    let pair = |name: &str, password: &str| (name.to_owned(), password.to_owned());
    let report = conformance::run(&Fixture {
        factory: Box::new(LdapFactory),
        section: section(&service),
        service,
        script: Arc::new(directory),
        right: pair("ann", RIGHT),
        subject: SUBJECT.to_owned(),
        spellings: vec!["ANN".to_owned(), "Ann".to_owned()],
        other: pair("bert", OTHER),
        unknown: "nobody".to_owned(),
        disabled: Some(pair("carl", "dry ice")),
        secrets: vec![OWN.to_owned()],
    })
    .await;
    report.expect_all_well();
    assert!(report.findings.len() >= 80, "{report}");
}

#[tokio::test]
async fn a_subject_of_bytes_is_the_same_when_it_is_looked_up() {
    let service = Service::start(directory).unwrap();
    let setting = Setting { backend: built(section(&service)).unwrap(), host: Host::default() };
    let known = Subject::parse(SUBJECT).unwrap();
    let ann = verified(setting.again(("whatever is typed", RIGHT), &known).await);
    assert_eq!((ann.subject, ann.username.as_deref()), (known, Some("ann")));
    for nobody in ["000102030405060708090a0b0c0d0e00", "0", "ann", "zz"] {
        let nobody = Subject::parse(nobody).unwrap();
        let verdict = setting.again(("ann", RIGHT), &nobody).await;
        assert!(format!("{verdict:?}").contains("UnknownSubject"), "{verdict:?}");
    }
    // Where the directory sends what it was not asked for, nobody gets in by it.
    service.does(|asked| {
        let question: Value = serde_json::from_str(&asked.body).unwrap_or_default();
        let ann = json!({ "dn": "uid=ann,dc=x", "uid": "ann", "objectGUID": GUID });
        let entries = if question["op"] == "search" { vec![ann] } else { Vec::new() };
        Reply::json(&json!({ "code": 0, "entries": entries }))
    });
    let other = Subject::parse("ff").unwrap();
    assert_eq!(fault(&setting.again(("ann", RIGHT), &other).await).0, "protocol");
}
