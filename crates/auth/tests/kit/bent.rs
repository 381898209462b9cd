//! Backends that would be right but for one thing, which a case has to name.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::Semaphore;
use vestibule_auth::{
    backends::RemoteFactory,
    testkit::conformance::{self, Report},
};
use vestibule_core::{
    Secret,
    domain::identity::BackendName,
    ports::backend::{
        Answer, Attempt, Backend, BackendCx, BackendFactory, Descriptor, Entitlement, Groups,
        Probe, RejectReason, Section, SectionError, Verdict,
    },
};

use super::lab::laboratory;

/// What is wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bend {
    LogsPasswords,
    KeepsOldGroups,
    TakesNotKnownForNone,
    TakesLongerForThoseItKnows,
    LosesPlaces,
    RemembersStatesItself,
    JudgesWhatItDoesNotTake,
    SaysThereIsNobodyToProbe,
}

struct Factory(Bend, RemoteFactory);

impl BackendFactory for Factory {
    fn kind(&self) -> &'static str {
        self.1.kind()
    }

    fn build(&self, name: BackendName, section: Section) -> Result<Arc<dyn Backend>, SectionError> {
        Ok(Arc::new(Bent {
            inner: self.1.build(name, section)?,
            bend: self.0,
            groups: Mutex::default(),
            states: Mutex::default(),
            places: Semaphore::new(32),
        }))
    }
}

struct Bent {
    inner: Arc<dyn Backend>,
    bend: Bend,
    groups: Mutex<BTreeSet<String>>,
    states: Mutex<HashMap<String, Secret>>,
    places: Semaphore,
}

fn name_in(attempt: &Attempt) -> String {
    match attempt {
        Attempt::Password { username, .. } => username.to_lowercase(),
        _ => "visitor".to_owned(),
    }
}

impl Bent {
    /// Before the question.
    fn bend_attempt(&self, attempt: &Attempt) -> Option<Attempt> {
        let kept = self.states.lock().unwrap().get(&name_in(attempt)).cloned()?;
        match attempt {
            Attempt::Password { username, password, answer: Some(answer) } => {
                let answer = Some(Answer { code: answer.code.clone(), state: Some(kept) });
                let (username, password) = (username.clone(), password.clone());
                Some(Attempt::Password { username, password, answer })
            }
            _ => None,
        }
    }

    /// After the answer.
    fn bend_verdict(&self, attempt: &Attempt, verdict: Verdict) -> Verdict {
        match (self.bend, verdict) {
            (Bend::KeepsOldGroups, Verdict::Verified(mut person)) => {
                if let Groups::Known(names) = &mut person.groups {
                    let mut all = self.groups.lock().unwrap();
                    all.extend(names.iter().cloned());
                    *names = all.iter().cloned().collect();
                }
                Verdict::Verified(person)
            }
            (Bend::TakesNotKnownForNone, Verdict::Verified(mut person)) => {
                if person.groups == Groups::Unknown {
                    person.groups = Groups::Known(Vec::new());
                }
                Verdict::Verified(person)
            }
            (Bend::RemembersStatesItself, Verdict::Challenge(asks)) => {
                self.states.lock().unwrap().insert(name_in(attempt), asks.state.clone());
                Verdict::Challenge(asks)
            }
            (Bend::JudgesWhatItDoesNotTake, Verdict::NotMine(_)) => {
                Verdict::rejected(RejectReason::BadOrUnknown)
            }
            (_, verdict) => verdict,
        }
    }
}

#[async_trait]
impl Backend for Bent {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn authenticate(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Verdict {
        if let (Bend::LogsPasswords, Attempt::Password { password, .. }) = (self.bend, attempt) {
            tracing::trace!(password = password.expose_str(), "asking");
        }
        if self.bend == Bend::TakesLongerForThoseItKnows && name_in(attempt) == "ann" {
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
        let is_counted = self.bend == Bend::LosesPlaces;
        if is_counted {
            self.places.acquire().await.unwrap().forget();
        }
        let bent = self.bend_attempt(attempt);
        let verdict = self.inner.authenticate(bent.as_ref().unwrap_or(attempt), cx).await;
        if is_counted {
            self.places.add_permits(1);
        }
        self.bend_verdict(attempt, verdict)
    }

    fn entitlement(&self) -> Option<&dyn Entitlement> {
        self.inner.entitlement()
    }

    fn probe(&self) -> Option<&dyn Probe> {
        Some(self)
    }
}

#[async_trait]
impl Probe for Bent {
    async fn look(&self) -> Result<String, vestibule_core::ports::backend::Fault> {
        if self.bend == Bend::SaysThereIsNobodyToProbe {
            return Ok("all is well".to_owned());
        }
        self.inner.probe().unwrap().look().await
    }
}

/// The cases that fail, and what they say.
async fn caught(bend: Bend) -> Report {
    let (fixture, extras) = laboratory(|inner| Box::new(Factory(bend, inner)));
    conformance::run_with(&fixture, &extras).await
}

async fn expect_caught(bend: Bend, cases: &[&str]) {
    expect_just(&caught(bend).await, cases);
}

/// These, and nothing else.
pub(super) fn expect_just(report: &Report, cases: &[&str]) {
    let said = report.to_string();
    for case in cases {
        assert!(said.contains(case), "{case:?} is not in: {said}");
    }
    let failed = report.failures().len();
    assert_eq!(failed, cases.len(), "and nothing else: {said}");
}

#[tokio::test]
async fn one_that_logs_passwords_is_caught() {
    let case = "secrets: nothing that is logged shows one: what kit::bent logs shows a secret";
    expect_caught(Bend::LogsPasswords, &[case]).await;
}

#[tokio::test]
async fn one_that_keeps_old_groups_is_caught() {
    let cases = [
        "groups: one that was removed is told no more: too many: [\"alpha\"]",
        "groups: who is in none is in none: too many:",
        "groups: and comes back: too many:",
        "groups: once it can be found out again, it is told: too many:",
        "groups: all that the service tells are told (by a visit): too many: [\"gamma\"]",
        "groups: one that was removed is told no more (by a visit): too many: [\"alpha\"]",
        "groups: who is in none is in none (by a visit): too many:",
        "groups: and comes back (by a visit): too many:",
        "groups: once it can be found out again, it is told (by a visit): too many:",
    ];
    expect_caught(Bend::KeepsOldGroups, &cases).await;
}

#[tokio::test]
async fn one_that_takes_not_known_for_none_is_caught() {
    let cases = [
        "groups: what it cannot find out takes nobody out of anything: it says which groups",
        "groups: what it cannot find out takes nobody out of anything (by a visit): it says which",
    ];
    expect_caught(Bend::TakesNotKnownForNone, &cases).await;
}

#[tokio::test]
async fn one_that_takes_longer_for_those_it_knows_is_caught() {
    let case = "timing: a name that nobody has takes as long as a wrong password: a wrong password";
    expect_caught(Bend::TakesLongerForThoseItKnows, &[case]).await;
}

#[tokio::test]
async fn one_that_loses_a_place_with_each_who_gives_up_is_caught() {
    let report = caught(Bend::LosesPlaces).await.to_string();
    let case = "crowds: a question that is given up half-way gives its place back: afterwards it \
                answers fault (timeout)";
    assert!(report.contains(case), "{report}");
}

#[tokio::test]
async fn one_that_remembers_the_state_itself_is_caught() {
    let cases = [
        "codes: another one's state lets nobody in: it lets somebody in",
        "codes: a made-up state lets nobody in: it lets somebody in",
    ];
    expect_caught(Bend::RemembersStatesItself, &cases).await;
}

#[tokio::test]
async fn one_that_judges_what_it_does_not_take_is_caught() {
    let case = "answers: a proxy's header is not its own to judge: it answers rejected";
    expect_caught(Bend::JudgesWhatItDoesNotTake, &[case]).await;
}

#[tokio::test]
async fn one_whose_probe_looks_at_nothing_is_caught() {
    let case = "outages: its probe notices: it says that all is well";
    expect_caught(Bend::SaysThereIsNobodyToProbe, &[case]).await;
}
