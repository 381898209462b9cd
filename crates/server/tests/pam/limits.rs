//! How many helpers run, and who waits for what.

use std::time::{Duration, Instant};

use serde_json::json;
use vestibule_core::ports::backend::{Fault, Verdict};

use crate::world::{Pam, SAID, Services, fault, rejected, user, verified};

#[tokio::test]
async fn flt_f62_the_pause_after_a_refusal_holds_no_helper() {
    let name = user("OK").0;
    let pam = Pam::of("fail-delay");
    let began = Instant::now();
    for verdict in futures_util::future::join_all((0..40).map(|_| pam.log_in(&name, "no"))).await {
        rejected(&verdict);
        let Verdict::Rejected(rejection) = verdict else { unreachable!() };
        let pause = rejection.not_before.unwrap().since(pam.host.cx().op.now());
        // What the module wants is 3 s; libpam makes between half and half more of it.
        let wanted = Duration::from_millis(1400)..Duration::from_millis(4600);
        assert!(wanted.contains(&pause), "{pause:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(verified(&pam.log_in(&name, SAID).await), name);
}

#[tokio::test]
async fn flt_f62_modules_that_take_their_time_wait_in_their_own_places() {
    let (services, name) = (Services::new(), user("OK").0);
    services.module("slow", "hang", "ask");
    let slow = services.backend("slow", &json!({ "at_once": 2, "timeout_seconds": 0.7 }));
    let began = Instant::now();
    let verdicts = futures_util::future::join_all((0..12).map(|_| slow.log_in(&name, SAID))).await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let count = |wanted: &dyn Fn(&Fault) -> bool| {
        verdicts.iter().filter(|verdict| wanted(fault(verdict))).count()
    };
    assert_eq!(count(&|fault| *fault == Fault::Timeout), 2, "{verdicts:?}");
    assert_eq!(count(&|fault| fault.to_string() == "all 2 helpers are busy"), 10, "{verdicts:?}");
    let started = services.notes().iter().filter(|note| note.starts_with("hang ")).count();
    assert_eq!(started, 2);
}

#[tokio::test]
async fn a_refusal_takes_as_long_for_a_name_that_nobody_has() {
    let unix = Pam::of("unix");
    for name in [&user("OK").0, "nobody-of-this-name"] {
        let verdict = unix.log_in(name, "wrong").await;
        rejected(&verdict);
        let Verdict::Rejected(rejection) = verdict else { unreachable!() };
        let pause = rejection.not_before.unwrap().since(unix.host.cx().op.now());
        assert_eq!(pause, Duration::from_millis(500), "{name}");
    }
}
