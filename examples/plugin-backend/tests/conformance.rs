//! The backend against a double of the laboratory's service, case by case.

use std::sync::Arc;

use example_plugin_backend::CryolabFactory;
use serde_json::{Value, json};
use vestibule_auth::testkit::{
    Asked, Reply, Service,
    conformance::{self, Fixture},
};
use vestibule_core::{Secret, ports::backend::Section};

fn cryolab(asked: &Asked) -> Reply {
    let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
    let login = body["login"].as_str().unwrap_or_default().to_lowercase();
    match (login.as_str(), body["password"].as_str()) {
        ("ann", Some("liquid helium at 4 kelvin")) => Reply::json(&json!({
            "badge": 4711, "login": "ann", "mail": "ann@cryolab.example", "dewars": ["dewar-3"]
        })),
        ("bert", Some("liquid nitrogen at 77 kelvin")) => {
            Reply::json(&json!({ "badge": 4712, "login": "bert", "mail": null, "dewars": [] }))
        }
        ("carl", Some("dry ice")) => Reply::status(423),
        _ => Reply::status(403),
    }
}

#[tokio::test]
async fn seed_kt_26_it_does_what_is_expected_of_a_backend() -> std::io::Result<()> {
    let service = Service::start(cryolab)?;
    let section = Section::of(json!({ "url": service.url("/session") }))
        .with_secret("token", Secret::new("token-of-the-hall"));
    let pair = |name: &str, password: &str| (name.to_owned(), password.to_owned());
    let report = conformance::run(&Fixture {
        factory: Box::new(CryolabFactory),
        section,
        service,
        script: Arc::new(cryolab),
        right: pair("ann", "liquid helium at 4 kelvin"),
        subject: "4711".to_owned(),
        spellings: vec!["Ann".to_owned(), "ANN".to_owned()],
        other: pair("bert", "liquid nitrogen at 77 kelvin"),
        unknown: "nobody".to_owned(),
        disabled: Some(pair("carl", "dry ice")),
        secrets: vec!["token-of-the-hall".to_owned()],
    })
    .await;
    println!("{report}");
    report.expect_all_well();
    Ok(())
}
