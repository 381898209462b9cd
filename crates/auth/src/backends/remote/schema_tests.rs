//! The published schema and what is read here are one: whatever is taken here the schema allows, so
//! that whatever the schema refuses is refused here.

use jsonschema::Validator;
use serde_json::{Map, Value, json};
use vestibule_core::{
    ports::backend::{Groups, Method, NotMine, RejectReason, Step, Verdict},
    time::Timestamp,
};

use super::{Asked, METHODS, NOT_MINE, REASONS, read, ready, verdict};

const SCHEMA: &str = include_str!("../../../../../docs/remote-backend.schema.json");

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// For one of the schema's definitions.
fn validator(of: &str) -> Validator {
    let mut schema = schema();
    schema.as_object_mut().unwrap().remove("anyOf").unwrap();
    schema["$ref"] = json!(format!("#/$defs/{of}"));
    jsonschema::validator_for(&schema).unwrap()
}

/// Of a question to which any answer may be given.
fn asked() -> Asked {
    Asked {
        now: Timestamp::from_micros(2_000_000_000_000_000),
        method: Some(Method::Password),
        may_redirect: true,
        may_ask: true,
    }
}

fn takes(value: &Value) -> Option<Verdict> {
    read(value.to_string().as_bytes(), "q1").and_then(|told| verdict(told, asked())).ok()
}

fn of(rest: &Value) -> Value {
    let mut all = json!({ "version": 1, "id": "q1" });
    all.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    all
}

/// Answers with all that there is in each.
fn full() -> Vec<Value> {
    let all = [
        json!({
            "verdict": "verified", "subject": "4711", "username": "ann", "first_name": "Ann",
            "last_name": "Able", "emails": [{ "address": "ann@cryolab.example", "verified": true }],
            "groups": ["dewar-3"], "attributes": { "room": ["2.17", "2.18"] },
            "factors": [{ "method": "pwd" }, { "method": "otp", "at": 1_700_000_000 }],
        }),
        json!({ "verdict": "verified", "subject": "4711", "groups": "unchanged" }),
        json!({ "verdict": "rejected", "reason": "locked", "detail": "until noon" }),
        json!({ "verdict": "not_mine", "reason": "unknown_subject" }),
        json!({ "verdict": "challenge", "step": "code", "prompt": "The code", "state": "s" }),
        json!({ "verdict": "challenge", "step": "redirect", "url": "https://id.example/", "state": "s" }),
        json!({ "verdict": "fault", "kind": "unavailable", "what": "no disk", "retry_after": 30 }),
    ];
    all.iter().map(of).collect()
}

/// What may be put in any place.
fn wrong_values(there: &Value) -> Vec<Value> {
    let mut values = vec![
        json!(true),
        json!(0),
        json!(-1),
        json!(0.5),
        json!(1e300),
        json!(""),
        json!("x"),
        json!("unknown"),
        json!("a\nb"),
        json!("a".repeat(256)),
        json!("a".repeat(5000)),
        json!("ftp://x/"),
        json!("http://id.example/"),
        json!([]),
        json!({}),
        json!([[]]),
        json!({ "pwd": {} }),
        json!([1]),
        json!([there]),
        json!({ "x": there }),
        json!({ "verified": true, "address": "x", "more": 1 }),
    ];
    match there {
        Value::Object(map) => {
            values.push(map.values().cloned().collect());
            for key in map.keys() {
                let mut less = map.clone();
                less.remove(key);
                values.push(Value::Object(less));
            }
            let mut more = map.clone();
            more.insert("more".to_owned(), json!("x"));
            values.push(Value::Object(more));
        }
        Value::String(word) => {
            values.extend([json!(word.to_uppercase()), json!(format!(" {word}"))]);
            // As serde reads the words of an enum.
            values.push(Value::Object(Map::from_iter([(word.clone(), json!({}))])));
        }
        Value::Number(number) => values.push(json!(number.to_string())),
        _ => {}
    }
    values
}

/// Everything that comes of putting something else in one place.
fn changed(value: &Value) -> Vec<Value> {
    let mut all = wrong_values(value);
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                all.extend(changed(inner).into_iter().map(|inner| {
                    let mut map = map.clone();
                    map.insert(key.clone(), inner);
                    Value::Object(map)
                }));
            }
        }
        Value::Array(items) => {
            for (at, inner) in items.iter().enumerate() {
                all.extend(changed(inner).into_iter().map(|inner| {
                    let mut items = items.clone();
                    items[at] = inner;
                    Value::Array(items)
                }));
            }
        }
        _ => {}
    }
    all
}

#[test]
fn whatever_is_taken_here_the_schema_allows() {
    let schema = validator("answer");
    let (mut taken, mut refused) = (0, 0);
    for sound in full() {
        assert!(schema.is_valid(&sound), "{sound}");
        assert!(takes(&sound).is_some(), "{sound}");
        for answer in changed(&sound) {
            let (allowed, is_taken) = (schema.is_valid(&answer), takes(&answer).is_some());
            assert!(allowed || !is_taken, "taken, and not by the schema: {answer}");
            // The schema counts characters, cannot tell which host is this machine, and knows of
            // no question to which this is the answer.
            let is_beyond = answer["id"] != "q1" || answer["url"] == "http://id.example/";
            assert!(!allowed || is_taken || is_beyond, "refused, and not by the schema: {answer}");
            if is_taken { taken += 1 } else { refused += 1 }
        }
    }
    assert!(taken > 20 && refused > 500, "{taken} taken, {refused} refused");
}

#[test]
fn probes_are_answered_by_the_schema_too() {
    let schema = validator("probe_answer");
    let takes = |value: &Value| read(value.to_string().as_bytes(), "q1").and_then(ready).is_ok();
    let sound = of(&json!({ "verdict": "ready", "about": "Cryolab" }));
    assert!(takes(&sound) && schema.is_valid(&sound));
    for answer in changed(&sound) {
        assert!(schema.is_valid(&answer) || !takes(&answer), "{answer}");
    }
    assert!(!takes(&full()[0]), "a person is no answer to a probe");
    let fault = full().pop().unwrap();
    assert!(schema.is_valid(&fault) && !takes(&fault));
}

#[test]
fn each_word_of_the_schema_has_its_meaning() {
    let schema = schema();
    let words = |path: &str| -> Vec<String> {
        let found = schema.pointer(path).unwrap().as_array().unwrap().iter();
        found.map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let known: Vec<_> = REASONS.iter().map(|(word, _)| *word).collect();
    assert_eq!(words("/$defs/rejected/properties/reason/enum"), known);
    let known: Vec<_> = NOT_MINE.iter().map(|(word, _)| *word).collect();
    assert_eq!(words("/$defs/not_mine/properties/reason/enum"), known);
    let known: Vec<_> = METHODS.iter().map(|(word, _)| *word).collect();
    let methods = "/$defs/verified/properties/factors/items/properties/method/enum";
    assert_eq!(words(methods), known);

    let meant = |reason: &str| takes(&of(&json!({ "verdict": "rejected", "reason": reason })));
    for (word, reason) in [
        ("bad", RejectReason::Bad),
        ("bad_or_unknown", RejectReason::BadOrUnknown),
        ("locked", RejectReason::Locked),
        ("disabled", RejectReason::Disabled),
        ("expired", RejectReason::Expired),
        ("must_change", RejectReason::MustChange),
        ("not_entitled", RejectReason::NotEntitled),
        ("replay", RejectReason::Replay),
    ] {
        let verdict = meant(word).unwrap();
        assert!(matches!(verdict, Verdict::Rejected(ref said) if said.reason == reason), "{word}");
    }
    for (word, why) in [
        ("wrong_kind", NotMine::WrongKind),
        ("wrong_realm", NotMine::WrongRealm),
        ("unknown_subject", NotMine::UnknownSubject),
    ] {
        let verdict = takes(&of(&json!({ "verdict": "not_mine", "reason": word })));
        assert!(matches!(verdict, Some(Verdict::NotMine(said)) if said == why), "{word}");
    }
    for word in words("/$defs/fault/properties/kind/enum") {
        let verdict = takes(&of(&json!({ "verdict": "fault", "kind": word })));
        assert!(matches!(verdict, Some(Verdict::Fault(ref fault)) if fault.as_str() == word));
    }
}

#[test]
fn all_that_is_told_of_a_person_arrives() {
    let Some(Verdict::Verified(person)) = takes(&full()[0]) else { panic!("not verified") };
    assert_eq!(person.subject.as_str(), "4711");
    assert_eq!(person.username.as_deref(), Some("ann"));
    assert_eq!((person.first_name.as_str(), person.last_name.as_str()), ("Ann", "Able"));
    assert_eq!(person.emails[0].address, "ann@cryolab.example");
    assert!(person.emails[0].is_verified);
    assert_eq!(person.groups, Groups::Known(vec!["dewar-3".to_owned()]));
    assert_eq!(person.attributes["room"], ["2.17", "2.18"]);
    let factors: Vec<_> = person.factors.iter().map(|f| (f.method, f.at.as_micros())).collect();
    let told = (Method::OneTimeCode, 1_700_000_000_000_000);
    assert_eq!(factors, [(Method::Password, asked().now.as_micros()), told]);
    assert_eq!(person.account, None, "who is who here is not for the service to say");

    for (groups, meant) in [("unchanged", Groups::Unchanged), ("unknown", Groups::Unknown)] {
        let told = json!({ "verdict": "verified", "subject": "1", "groups": groups });
        let Some(Verdict::Verified(person)) = takes(&of(&told)) else { panic!("not verified") };
        assert_eq!(person.groups, meant);
    }
    let Some(Verdict::Verified(person)) =
        takes(&of(&json!({ "verdict": "verified", "subject": "1" })))
    else {
        panic!("not verified")
    };
    assert_eq!(person.groups, Groups::Unknown);
    assert_eq!(person.factors[0].method, Method::Password);
}

#[test]
fn a_proof_is_no_fresher_than_now() {
    let factors = json!([{ "method": "mfa", "at": 253_402_300_799_u64 }]);
    let told = json!({ "verdict": "verified", "subject": "1", "factors": factors });
    let Some(Verdict::Verified(person)) = takes(&of(&told)) else { panic!("not verified") };
    assert_eq!(person.factors[0].at, asked().now);
}

#[test]
fn further_steps_go_with_what_was_asked() {
    let (code, redirect) = (&full()[4], &full()[5]);
    let Some(Verdict::Challenge(asks)) = takes(code) else { panic!("no challenge") };
    assert_eq!(asks.step, Step::Code { prompt: "The code".to_owned() });
    assert_eq!(asks.state.expose_str(), Some("s"));
    let Some(Verdict::Challenge(sends)) = takes(redirect) else { panic!("no challenge") };
    assert_eq!(sends.step, Step::Redirect { url: "https://id.example/".to_owned() });
    assert_eq!(sends.state.expose_str(), Some("s"));
    let judging = Asked { may_redirect: false, may_ask: false, ..asked() };
    for step in [code, redirect] {
        let told = read(step.to_string().as_bytes(), "q1").unwrap();
        assert!(verdict(told, judging).is_err(), "{step}");
    }
}
