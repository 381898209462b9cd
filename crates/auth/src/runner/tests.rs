use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use vestibule_core::{
    OpCx,
    ports::backend::{
        Attempt, Backend, BackendCx, Descriptor, EndedSession, Fault, Probe, UpstreamLogout,
        Verdict,
    },
};

use super::{Guarded, Limits};
use crate::{backends::LocalBackend, testkit::Host};

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

#[tokio::test(start_paused = true)]
async fn faults_that_do_not_follow_each_other_close_no_door() {
    let (guarded, mode) = scripted(Limits::default());
    for _ in 0..3 {
        mode.fails.store(true, Ordering::SeqCst);
        for _ in 0..4 {
            ask(&guarded).await.unwrap_err();
        }
        mode.fails.store(false, Ordering::SeqCst);
        assert_eq!(ask(&guarded).await.as_deref(), Ok("well"));
    }
    assert_eq!(mode.asked.load(Ordering::SeqCst), 15, "it was asked each time");
}

#[tokio::test(start_paused = true)]
async fn flt_f31_questions_that_were_given_up_give_their_places_back() {
    let limits = Limits { at_once: 2, faults: u32::MAX, ..Limits::default() };
    let (guarded, mode) = scripted(limits);
    mode.hangs.store(true, Ordering::SeqCst);
    for _ in 0..5 {
        assert_eq!(ask(&guarded).await, Err(Fault::Timeout));
    }
    mode.hangs.store(false, Ordering::SeqCst);
    assert_eq!(ask(&guarded).await.as_deref(), Ok("well"));
}

/// Says whatever a visitor brought word of, and of an end that nobody can believe.
struct Hearsay(Descriptor, Arc<AtomicUsize>);

#[async_trait]
impl Backend for Hearsay {
    fn descriptor(&self) -> &Descriptor {
        &self.0
    }

    async fn authenticate(&self, _: &Attempt, _: &BackendCx<'_>) -> Verdict {
        self.1.fetch_add(1, Ordering::SeqCst);
        Verdict::Fault(Fault::Reported("the visitor says that nothing works".to_owned()))
    }

    fn upstream_logout(&self) -> Option<&dyn UpstreamLogout> {
        Some(self)
    }
}

#[async_trait]
impl UpstreamLogout for Hearsay {
    async fn ended(&self, _: &str, _: &OpCx) -> Result<EndedSession, Fault> {
        Err(Fault::protocol("the token is made up"))
    }
}

#[tokio::test]
async fn what_visitors_and_strangers_bring_closes_the_door_to_nobody() {
    let asked = Arc::new(AtomicUsize::new(0));
    let descriptor = LocalBackend::default().descriptor().clone();
    let hearsay = Hearsay(descriptor, Arc::clone(&asked));
    let guarded = Guarded::new(Arc::new(hearsay), Limits::default());
    let host = Host::default();
    for _ in 0..20 {
        let ended = guarded.upstream_logout().unwrap().ended("made up", host.cx().op).await;
        assert!(matches!(ended, Err(Fault::Protocol(_))), "{ended:?}");
    }
    for _ in 0..20 {
        host.log_in(&guarded, "ann", "a password").await;
    }
    assert_eq!(asked.load(Ordering::SeqCst), 20, "each of them was asked about");
}
