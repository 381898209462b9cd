//! What modules ask and say besides the password.

use serde_json::json;
use vestibule_core::ports::backend::{Fault, Method, RejectReason, Step, Verdict};

use crate::world::{CODE, Pam, SAID, Services, fault, rejected, user, verified};

#[track_caller]
fn prompt(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Challenge(challenge) => match &challenge.step {
            Step::Code { prompt } => prompt,
            Step::Redirect { .. } => panic!("{challenge:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn atk_a186_a_second_prompt_asks_for_a_code_whatever_its_kind() {
    let name = user("OK").0;
    for service in ["otp", "otp-hidden", "otp-first"] {
        let pam = Pam::of(service);
        assert_eq!(prompt(&pam.log_in(&name, SAID).await), "One-time code", "{service}");
        let verdict = pam.log_in_with(&name, SAID, "000000").await;
        assert_eq!(rejected(&verdict).0, RejectReason::BadOrUnknown, "{service}");
        let verdict = pam.log_in_with(&name, "wrong", CODE).await;
        assert_eq!(rejected(&verdict).0, RejectReason::BadOrUnknown, "{service}");
        let verdict = pam.log_in_with(&name, SAID, CODE).await;
        assert_eq!(verified(&verdict), name, "{service}");
        let Verdict::Verified(assertion) = verdict else { unreachable!() };
        let methods: Vec<_> = assertion.factors.iter().map(|factor| factor.method).collect();
        assert_eq!(methods, [Method::Password, Method::OneTimeCode], "{service}");
    }
}

#[tokio::test]
async fn atk_a186_the_code_comes_after_a_real_unix_password() {
    let (name, password) = user("OK");
    for service in ["stack", "stack-requisite", "stack-otp-first"] {
        let pam = Pam::of(service);
        prompt(&pam.log_in(&name, &password).await);
        assert_eq!(verified(&pam.log_in_with(&name, &password, CODE).await), name, "{service}");
        let verdict = pam.log_in_with(&name, "wrong", CODE).await;
        assert_eq!(rejected(&verdict).0, RejectReason::BadOrUnknown, "{service}");
    }
    // Where the service asks for both whatever the password is, nothing tells a wrong one.
    prompt(&Pam::of("stack").log_in(&name, "wrong").await);
    let verdict = Pam::of("stack-requisite").log_in(&name, "wrong").await;
    assert_eq!(rejected(&verdict).0, RejectReason::BadOrUnknown);
    let (name, password) = user("EXPIRED");
    let verdict = Pam::of("stack").log_in_with(&name, &password, CODE).await;
    assert_eq!(rejected(&verdict).0, RejectReason::Expired);
}

#[tokio::test]
async fn atk_a186_asking_for_the_code_is_no_wrong_guess_to_the_modules() {
    let (services, name) = (Services::new(), user("OK").0);
    services.people("otp", &[(&name, SAID, CODE)], "password otp");
    prompt(&services.backend("otp", &json!({})).log_in(&name, SAID).await);
    // The module that asked was not told "no": it was asked for the password and never came back.
    let notes = services.notes();
    assert!(notes.iter().any(|note| note.starts_with("password ")), "{notes:?}");
    assert!(!notes.iter().any(|note| note.starts_with("otp ")), "{notes:?}");
    crate::world::until(|| !crate::world::lives(&services.last_pid().unwrap()));
}

#[tokio::test]
async fn a_code_that_nobody_asks_for_changes_nothing() {
    let name = user("OK").0;
    let Verdict::Verified(assertion) = Pam::of("say").log_in_with(&name, SAID, CODE).await else {
        panic!("not let in")
    };
    assert_eq!(assertion.factors.len(), 1);
}

#[tokio::test]
async fn atk_a186_what_modules_only_say_is_passed_over() {
    let name = user("OK").0;
    for service in ["info", "info-after", "huge-info", "chatter", "null-message"] {
        assert_eq!(verified(&Pam::of(service).log_in(&name, SAID).await), name, "{service}");
        let verdict = Pam::of(service).log_in(&name, "wrong").await;
        assert_eq!(rejected(&verdict).0, RejectReason::BadOrUnknown, "{service}");
    }
}

#[tokio::test]
async fn atk_a186_no_prompt_is_shown_raw() {
    let name = user("OK").0;
    for service in ["hostile", "huge-prompt"] {
        assert_eq!(prompt(&Pam::of(service).log_in(&name, SAID).await), "One-time code");
    }
    let shown = prompt(&Pam::of("ten-prompts").log_in(&name, SAID).await).to_owned();
    assert_eq!(shown, "Question 1 of 10");
}

#[tokio::test]
async fn atk_a186_more_than_a_password_and_a_code_is_a_fault() {
    let name = user("OK").0;
    for service in ["ten-prompts", "endless-prompts", "batch", "hostile"] {
        let verdict = Pam::of(service).log_in_with(&name, SAID, CODE).await;
        assert!(matches!(fault(&verdict), Fault::Misconfigured(_)), "{service}: {verdict:?}");
    }
    for service in ["style-unknown", "style-binary", "batch-none", "batch-too-many"] {
        let verdict = Pam::of(service).log_in_with(&name, SAID, CODE).await;
        let words = fault(&verdict).to_string();
        assert_eq!(words, "PAM_CONV_ERR from authentication", "{service}");
    }
}
