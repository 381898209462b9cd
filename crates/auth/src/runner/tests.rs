use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use vestibule_core::ports::backend::{Fault, Probe};

use super::{Guarded, Limits};
use crate::backends::LocalBackend;
use vestibule_core::ports::backend::{Attempt, Backend, BackendCx, Descriptor, Verdict};

/// Does what it is told when it is looked at.
struct Scripted {
    descriptor: Descriptor,
    mode: Arc<Mode>,
}

#[derive(Default)]
struct Mode {
    fails: AtomicBool,
    hangs: AtomicBool,
    panics: AtomicBool,
    asked: AtomicUsize,
    under_way: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Backend for Scripted {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn authenticate(&self, _: &Attempt, _: &BackendCx<'_>) -> Verdict {
        unreachable!("the questions of these tests need no visitor")
    }

    fn probe(&self) -> Option<&dyn Probe> {
        Some(self)
    }
}

#[async_trait]
impl Probe for Scripted {
    async fn look(&self) -> Result<String, Fault> {
        let mode = &self.mode;
        mode.asked.fetch_add(1, Ordering::SeqCst);
        let now = mode.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        mode.most.fetch_max(now, Ordering::SeqCst);
        assert!(!mode.panics.load(Ordering::SeqCst), "hunter2");
        if mode.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        mode.under_way.fetch_sub(1, Ordering::SeqCst);
        if mode.fails.load(Ordering::SeqCst) {
            return Err(Fault::unavailable("the port is closed"));
        }
        Ok("well".to_owned())
    }
}

fn scripted(limits: Limits) -> (Arc<Guarded>, Arc<Mode>) {
    let mode = Arc::new(Mode::default());
    let descriptor = LocalBackend::default().descriptor().clone();
    let inner = Scripted { descriptor, mode: Arc::clone(&mode) };
    (Arc::new(Guarded::new(Arc::new(inner), limits)), mode)
}

/// As `authenticate` and `judge` ask.
async fn ask(guarded: &Guarded) -> Result<String, Fault> {
    let inner = guarded.inner.probe().unwrap();
    guarded.ask(inner.look(), |answer| answer.as_ref().err()).await?
}

#[tokio::test(start_paused = true)]
async fn flt_f31_what_never_answers_is_given_up_at_its_deadline() {
    let (guarded, mode) = scripted(Limits::default());
    mode.hangs.store(true, Ordering::SeqCst);
    let began = tokio::time::Instant::now();
    assert_eq!(ask(&guarded).await, Err(Fault::Timeout));
    assert_eq!(began.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_bug_and_what_it_said_is_told_nobody() {
    let (guarded, mode) = scripted(Limits::default());
    mode.panics.store(true, Ordering::SeqCst);
    let fault = ask(&guarded).await.unwrap_err();
    assert_eq!(fault, Fault::Bug("it panicked".to_owned()));
    mode.panics.store(false, Ordering::SeqCst);
    assert_eq!(ask(&guarded).await.as_deref(), Ok("well"));
}

#[tokio::test(start_paused = true)]
async fn flt_f38_after_five_faults_it_rests_and_is_then_tried_one_question_at_a_time() {
    let (guarded, mode) = scripted(Limits::default());
    mode.fails.store(true, Ordering::SeqCst);
    for _ in 0..5 {
        ask(&guarded).await.unwrap_err();
    }
    assert_eq!(mode.asked.load(Ordering::SeqCst), 5);
    for _ in 0..20 {
        let Err(Fault::Unavailable { retry_after, .. }) = ask(&guarded).await else { panic!() };
        assert!((1..=11).contains(&retry_after), "{retry_after}");
    }
    assert_eq!(mode.asked.load(Ordering::SeqCst), 5, "it is left alone");

    // It fails still: one question finds out, and it rests again.
    tokio::time::advance(Duration::from_secs(10)).await;
    crowd(&guarded).await;
    assert_eq!(mode.asked.load(Ordering::SeqCst), 6);

    // It answers again: one finds out, then all are let through.
    mode.fails.store(false, Ordering::SeqCst);
    tokio::time::advance(Duration::from_secs(10)).await;
    crowd(&guarded).await;
    assert_eq!(mode.asked.load(Ordering::SeqCst), 7);
    crowd(&guarded).await;
    assert_eq!(mode.asked.load(Ordering::SeqCst), 27);
}

/// Twenty at once.
async fn crowd(guarded: &Guarded) {
    futures_util::future::join_all((0..20).map(|_| ask(guarded))).await;
}

#[tokio::test(start_paused = true)]
async fn a_trial_that_the_visitor_breaks_off_does_not_keep_others_from_trying() {
    let (guarded, mode) = scripted(Limits { faults: 1, ..Limits::default() });
    mode.fails.store(true, Ordering::SeqCst);
    ask(&guarded).await.unwrap_err();
    tokio::time::advance(Duration::from_secs(10)).await;
    mode.fails.store(false, Ordering::SeqCst);
    mode.hangs.store(true, Ordering::SeqCst);
    let hangs_up = tokio::time::timeout(Duration::from_secs(1), ask(&guarded)).await;
    assert!(hangs_up.is_err());
    mode.hangs.store(false, Ordering::SeqCst);
    assert_eq!(ask(&guarded).await.as_deref(), Ok("well"));
}

#[tokio::test(start_paused = true)]
async fn no_more_are_under_way_than_may_be_and_the_rest_wait_their_turn() {
    let (guarded, mode) = scripted(Limits { at_once: 3, ..Limits::default() });
    let answers = futures_util::future::join_all((0..50).map(|_| ask(&guarded))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(mode.most.load(Ordering::SeqCst), 3);
}
