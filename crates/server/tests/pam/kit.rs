//! The kit that every backend is tried with.

use std::sync::Arc;

use serde_json::json;
use vestibule_auth::{
    backends::PamFactory,
    testkit::{
        Reply, Service,
        conformance::{self, Extras, Fixture, Nobody},
    },
};
use vestibule_core::ports::backend::Section;

use crate::world::{Services, helper, user};

/// All of it but for what is done to a service: there is none. What happens while PAM fails is in
/// `faults`.
#[tokio::test(flavor = "multi_thread")]
async fn the_backend_passes() {
    let services = Services::new();
    let (ann, bert) = (user("OK").0, user("GROUPS").0);
    let (right, other) = ("liquid helium at 4 kelvin", "liquid nitrogen at 77 kelvin");
    services.people("kit", &[(&ann, right, ""), (&bert, other, "")], "password");
    let service = Service::start(|_| Reply::status(200)).unwrap();
    let fixture = Fixture {
        factory: Box::new(PamFactory),
        section: Section::of(json!({
            "service": "kit",
            "service_dir": services.path(),
            "helper": helper(),
        })),
        service,
        script: Arc::new(|_| Reply::status(200)),
        right: (ann.clone(), right.to_owned()),
        subject: ann.clone(),
        spellings: vec![format!(" {ann} ")],
        other: (bert, other.to_owned()),
        unknown: "nobody-of-this-name".to_owned(),
        disabled: None,
        secrets: Vec::new(),
    };
    let extras = Extras { peer: Some(Box::new(Nobody)), ..Extras::default() };
    let report = conformance::run_with(&fixture, &extras).await;
    report.expect_all_well();
    assert!(report.findings.len() >= 50, "{report}");
    let left_out = report.to_string();
    for said in ["left out: outages: it asks nobody", "left out: visits: it sends nobody elsewhere"]
    {
        assert!(left_out.contains(said), "{left_out}");
    }
}
