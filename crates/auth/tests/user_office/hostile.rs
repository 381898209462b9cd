//! What a hostile office sends, and what is said of a failing one.

use std::time::Duration;

use vestibule_auth::testkit::Reply;
use vestibule_core::ports::backend::Verdict;

use crate::setting;

#[tokio::test]
async fn atk_a204_bodies_that_bloat_or_drip_are_cut_in_size_and_time() {
    // Little that unpacks to much is little: nothing is unpacked.
    let packed = Reply::of(200, "application/json", "\u{1f}\u{8b}packed")
        .with_header("content-encoding", "gzip");
    for reply in [Reply::Endless, Reply::HangInBody, Reply::CutInBody, packed] {
        let began = std::time::Instant::now();
        for verdict in setting().both(reply.clone()).await {
            assert!(matches!(verdict, Verdict::Fault(_)), "{reply:?}: {verdict:?}");
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{reply:?}");
    }
}

#[tokio::test]
async fn atk_a206_what_is_said_of_a_failure_holds_no_credential() {
    for status in [400, 401, 403, 500, 503] {
        let body = r#"{"error": "no: secret of anna, Basic aGFsbDpodW50ZXIy, hunter2"}"#;
        for verdict in setting().both(Reply::of(status, "application/json", body)).await {
            let mut told = format!("{verdict:?}");
            if let Verdict::Fault(fault) = &verdict {
                told += &fault.to_string();
            }
            for secret in ["secret of anna", "hunter2", "aGFsbDpodW50ZXIy"] {
                assert!(!told.contains(secret), "{status}: {told}");
            }
        }
    }
}
