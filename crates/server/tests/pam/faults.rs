//! Modules that hang and crash, helpers that do not start.

use std::time::{Duration, Instant};

use serde_json::json;
use vestibule_core::ports::backend::{Fault, RejectReason, Verdict};

use crate::world::{Pam, SAID, Services, fault, lives, rejected, told, until, user, verified};

#[tokio::test]
async fn flt_f60_a_module_that_hangs_is_ended_in_time_and_its_place_is_free() {
    let name = user("OK").0;
    let hangs = ["ask", "ask stubborn", "ask spin", "ask talk", "in=account ask"];
    for how in hangs {
        let services = Services::new();
        services.module("login", "hang", how);
        if how.contains("account") {
            let path = services.path().join("login");
            let text = std::fs::read_to_string(&path).unwrap();
            let line = text.lines().next().unwrap().strip_prefix("auth").unwrap();
            std::fs::write(path, format!("auth required pam_permit.so\naccount{line}\n")).unwrap();
        }
        let pam = services.backend("login", &json!({ "timeout_seconds": 0.5, "at_once": 1 }));
        let began = Instant::now();
        let verdict = pam.log_in(&name, SAID).await;
        assert_eq!(fault(&verdict), &Fault::Timeout, "{how}");
        assert!(began.elapsed() < Duration::from_secs(2), "{how}: {:?}", began.elapsed());
        let process = services.last_pid().unwrap();
        until(|| !lives(&process));
        // In the only place there is.
        services.people("login", &[(&name, SAID, "")], "password");
        assert_eq!(verified(&pam.log_in(&name, SAID).await), name, "{how}");
    }
}

#[tokio::test]
async fn flt_f60_a_visitor_who_hangs_up_leaves_no_helper_behind() {
    let (services, name) = (Services::new(), user("OK").0);
    services.module("login", "hang", "ask stubborn");
    let pam = services.backend("login", &json!({ "at_once": 1 }));
    let gone = tokio::time::timeout(Duration::from_millis(300), pam.log_in(&name, SAID)).await;
    assert!(gone.is_err());
    let (process, began) = (services.last_pid().unwrap(), Instant::now());
    until(|| !lives(&process));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    services.people("login", &[(&name, SAID, "")], "password");
    assert_eq!(verified(&pam.log_in(&name, SAID).await), name);
}

#[tokio::test]
async fn atk_a188_a_module_that_crashes_takes_its_own_login_along_and_nothing_else() {
    let name = user("OK").0;
    for how in ["abort", "segv", "exit", "kill", "stack", "memory", "files"] {
        for service in [format!("crash-{how}"), format!("crash-account-{how}")] {
            let verdict = Pam::of(&service).log_in(&name, SAID).await;
            let words = fault(&verdict).to_string();
            let expected = if how == "exit" { "exit status 0" } else { "signal" };
            assert!(words.contains("without an answer") && words.contains(expected), "{words}");
        }
    }
    let services = Services::new();
    services.module("login", "crash", "ask how=segv");
    let pam = services.backend("login", &json!({ "at_once": 1 }));
    for _ in 0..3 {
        fault(&pam.log_in(&name, SAID).await);
    }
    services.people("login", &[(&name, SAID, "")], "password");
    assert_eq!(verified(&pam.log_in(&name, SAID).await), name);
}

#[tokio::test]
async fn codes_that_say_nothing_about_the_visitor_are_faults() {
    let name = user("OK").0;
    let faults = ["authinfo-unavail", "system-err", "service-err", "buf-err", "abort", "conv-err"];
    for code in faults {
        for phase in ["auth", "account"] {
            let verdict = Pam::of(&format!("{phase}-{code}")).log_in(&name, SAID).await;
            let words = fault(&verdict).to_string().to_lowercase().replace('_', "-");
            assert!(words.contains(code), "{phase}-{code}: {words}");
        }
    }
    for (service, reason) in [
        ("auth-maxtries", RejectReason::Locked),
        ("auth-perm-denied", RejectReason::NotEntitled),
        ("account-perm-denied", RejectReason::NotEntitled),
        ("account-acct-expired", RejectReason::Expired),
        ("account-new-authtok-reqd", RejectReason::MustChange),
    ] {
        let verdict = Pam::of(service).log_in(&name, SAID).await;
        assert_eq!(rejected(&verdict).0, reason, "{service}");
    }
}

/// In a folder of its own: a file with this text and this mode.
fn program(text: &str, mode: u32) -> (tempfile::TempDir, String) {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("helper");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    let path = path.display().to_string();
    (folder, path)
}

async fn with_helper(helper: &str) -> Verdict {
    let (name, password) = user("OK");
    let some = json!({ "service": "unix", "helper": helper, "timeout_seconds": 1 });
    Pam::new(&some, &json!({})).log_in(&name, &password).await
}

#[tokio::test]
async fn flt_f63_a_helper_that_cannot_start_is_a_fault_that_says_why() {
    let (_one, plain) = program("not executable", 0o644);
    let (_two, noise) = program("no program at all", 0o755);
    for helper in ["/nowhere/vestibule-pam-helper", "/etc", &plain, &noise] {
        let verdict = with_helper(helper).await;
        let Fault::Misconfigured(words) = fault(&verdict) else { panic!("{verdict:?}") };
        assert!(words.starts_with(&format!("{helper} cannot be started: ")), "{words}");
        let look = Pam::new(&json!({ "helper": helper }), &json!({}));
        let looked = look.backend.probe().unwrap().look().await;
        assert!(matches!(looked, Err(Fault::Misconfigured(_))), "{looked:?}");
    }
    let verdict = with_helper("unix:/nowhere/pam.sock").await;
    assert!(matches!(fault(&verdict), Fault::Unavailable { .. }), "{verdict:?}");
}

#[tokio::test]
async fn flt_f63_a_helper_that_says_nothing_or_nonsense_is_a_fault() {
    let words = fault(&with_helper("/bin/true").await).to_string();
    assert_eq!(words, "the helper ended without an answer (exit status 0)");
    // What is asked, sent back.
    let (_folder, echo) = program("#!/bin/sh\nexec cat >&0\n", 0o755);
    let echo = with_helper(&echo).await;
    assert!(matches!(fault(&echo), Fault::Protocol(_)), "{echo:?}");
    let (_folder, noise) = program("#!/bin/sh\necho '{\"verdict\":\"verified\"}' >&0\n", 0o755);
    assert!(matches!(fault(&with_helper(&noise).await), Fault::Protocol(_)));
    let (_folder, silence) = program("#!/bin/sh\nexec sleep 60\n", 0o755);
    let began = Instant::now();
    assert_eq!(fault(&with_helper(&silence).await), &Fault::Timeout);
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn seed_oq_30_a_look_says_whether_logins_could_work() {
    let looked = Pam::of("unix").backend.probe().unwrap().look().await.unwrap();
    let expected = format!("the helper runs as root, by {}/unix", told("CONFDIR"));
    assert_eq!(looked, expected);
    let missing = Pam::of("no-such-service").backend.probe().unwrap().look().await;
    let Err(Fault::Misconfigured(words)) = missing else { panic!("{missing:?}") };
    assert!(words.starts_with("there is no service file "), "{words}");
}
