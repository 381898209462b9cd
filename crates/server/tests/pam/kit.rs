//! The kit that every backend is tried with.

use std::sync::Arc;

use serde_json::json;
use vestibule_auth::{
    backends::PamFactory,
    testkit::{
        Reply, Service,
        conformance::{self, Fixture},
    },
};
use vestibule_core::ports::backend::Section;

use crate::world::{Services, helper, user};

/// All of it but for what is done to a service over HTTP: there is none. What happens while PAM
/// fails is in `faults`.
#[tokio::test(flavor = "multi_thread")]
async fn the_backend_passes() {
    let services = Services::new();
    let (ann, bert) = (user("OK").0, user("GROUPS").0);
    let (right, other) = ("liquid helium at 4 kelvin", "liquid nitrogen at 77 kelvin");
    services.people("kit", &[(&ann, right, ""), (&bert, other, "")], "password");
    let service = Service::start(|_| Reply::status(200)).unwrap();
    let report = conformance::run(&Fixture {
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
    })
    .await;
    // It is no service that is asked here, so none can be down or silent.
    let applies = |case: &str| !case.starts_with("outages: ") && !case.contains("silent service");
    let wrong: Vec<_> = report.failures().into_iter().filter(|f| applies(&f.case)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let tried = report.findings.iter().filter(|finding| applies(&finding.case)).count();
    assert!(tried >= 50, "{tried}");
}
