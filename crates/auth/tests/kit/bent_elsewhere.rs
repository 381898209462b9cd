//! Backends that send people elsewhere or believe a proxy, and would be right but for one thing,
//! which a case has to name.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use vestibule_auth::{
    backends::{OAuth2Factory, ShibbolethFactory},
    testkit::conformance::{self, Extras, Fixture, Report},
};
use vestibule_core::{
    Secret,
    domain::identity::BackendName,
    ports::backend::{
        Assertion, Attempt, Backend, BackendCx, BackendFactory, Descriptor, Fault, Probe,
        ProxyHeaders, Section, SectionError, Step, Verdict,
    },
};

use super::{
    bent::expect_just,
    elsewhere::{oauth2, shibboleth},
};

/// What is wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bend {
    TakesForeignStates,
    KeepsAnswersForCodes,
    BlamesTheService,
    LosesTheToken,
    BelievesTheVisitor,
    TakesTheLast,
    NeedsNoSecret,
}

struct Factory<F>(Bend, F);

impl<F: BackendFactory> BackendFactory for Factory<F> {
    fn kind(&self) -> &'static str {
        self.1.kind()
    }

    fn build(&self, name: BackendName, section: Section) -> Result<Arc<dyn Backend>, SectionError> {
        Ok(Arc::new(Bent {
            inner: self.1.build(name, section)?,
            bend: self.0,
            states: Mutex::default(),
            answers: Mutex::default(),
        }))
    }
}

struct Bent {
    inner: Arc<dyn Backend>,
    bend: Bend,
    /// What was kept, by the token that comes back.
    states: Mutex<HashMap<String, Secret>>,
    /// Who came of a code.
    answers: Mutex<HashMap<String, Assertion>>,
}

fn parameter<'a>(parameters: &'a [(String, String)], name: &str) -> &'a str {
    let found = parameters.iter().find(|(known, _)| known == name);
    found.map_or("", |(_, value)| value.as_str())
}

fn is_named(header: &(String, Vec<u8>), name: &str) -> bool {
    header.0.eq_ignore_ascii_case(name)
}

impl Bent {
    /// Before the question: what it takes the attempt for.
    fn bend_attempt(&self, attempt: &Attempt) -> Option<Attempt> {
        match (self.bend, attempt) {
            (Bend::TakesForeignStates, Attempt::Return { callback, parameters, .. }) => {
                let kept = self.states.lock().unwrap();
                let state = kept.get(parameter(parameters, "state"))?.clone();
                let (callback, parameters) = (callback.clone(), parameters.clone());
                Some(Attempt::Return { callback, parameters, state })
            }
            (_, Attempt::Headers(headers)) => {
                Some(Attempt::Headers(ProxyHeaders::new(self.bend_headers(headers))))
            }
            _ => None,
        }
    }

    fn bend_headers(&self, headers: &ProxyHeaders) -> Vec<(String, Vec<u8>)> {
        let mut all: Vec<(String, Vec<u8>)> =
            headers.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
        match self.bend {
            Bend::BelievesTheVisitor => {
                let said = all.iter().find(|header| is_named(header, "X-Remote-User")).cloned();
                if let (Some((_, said)), Some(hash)) =
                    (said, all.iter_mut().find(|header| is_named(header, "EAAHash")))
                {
                    hash.1 = said;
                }
            }
            Bend::TakesTheLast => {
                let last = all.iter().rev().find(|header| is_named(header, "EAAHash")).cloned();
                all.retain(|header| !is_named(header, "EAAHash"));
                all.extend(last);
            }
            Bend::NeedsNoSecret => {
                let secret = super::elsewhere::PROXY.as_bytes().to_vec();
                all.retain(|header| !is_named(header, "X-Vestibule-Proxy-Secret"));
                all.push(("X-Vestibule-Proxy-Secret".to_owned(), secret));
            }
            _ => {}
        }
        all
    }

    /// After the answer.
    fn bend_verdict(&self, attempt: &Attempt, verdict: Verdict) -> Verdict {
        match (self.bend, attempt, verdict) {
            (Bend::TakesForeignStates, Attempt::Visit { token, .. }, Verdict::Challenge(sent)) => {
                self.states.lock().unwrap().insert(token.clone(), sent.state.clone());
                Verdict::Challenge(sent)
            }
            (Bend::LosesTheToken, Attempt::Visit { token, .. }, Verdict::Challenge(mut sent)) => {
                if let Step::Redirect { url } = &mut sent.step {
                    *url = url.replace(token.as_str(), "always-the-same-token");
                }
                Verdict::Challenge(sent)
            }
            (Bend::KeepsAnswersForCodes, Attempt::Return { parameters, .. }, verdict) => {
                let code = parameter(parameters, "code").to_owned();
                let mut answers = self.answers.lock().unwrap();
                if let Verdict::Verified(person) = &verdict {
                    answers.insert(code.clone(), (**person).clone());
                }
                match answers.get(&code) {
                    Some(person) => Verdict::Verified(Box::new(person.clone())),
                    None => verdict,
                }
            }
            (Bend::BlamesTheService, Attempt::Return { .. }, Verdict::Rejected(_)) => {
                Verdict::Fault(Fault::protocol("the token endpoint said no"))
            }
            (_, _, verdict) => verdict,
        }
    }
}

#[async_trait]
impl Backend for Bent {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn authenticate(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Verdict {
        let bent = self.bend_attempt(attempt);
        let verdict = self.inner.authenticate(bent.as_ref().unwrap_or(attempt), cx).await;
        self.bend_verdict(attempt, verdict)
    }

    fn probe(&self) -> Option<&dyn Probe> {
        self.inner.probe()
    }
}

async fn tried((fixture, extras): (Fixture, Extras)) -> Report {
    conformance::run_with(&fixture, &extras).await
}

async fn sending(bend: Bend) -> Report {
    tried(oauth2(|inner: OAuth2Factory| Box::new(Factory(bend, inner)))).await
}

async fn believing(bend: Bend) -> Report {
    tried(shibboleth(|inner: ShibbolethFactory| Box::new(Factory(bend, inner)))).await
}

#[tokio::test]
async fn one_that_takes_a_foreign_state_is_caught() {
    let report = sending(Bend::TakesForeignStates).await;
    let cases = [
        "visits: another visit's state lets nobody in (by a visit): it lets somebody in",
        "visits: a made-up state lets nobody in (by a visit): it lets somebody in",
        "visits: another visit's parameters lets nobody in (by a visit): it lets somebody in",
        "visits: an empty state lets nobody in (by a visit): it lets somebody in",
        "crowds: two hundred at once are each answered about themselves (by a visit)",
    ];
    expect_just(&report, &cases);
}

#[tokio::test]
async fn one_that_keeps_what_came_of_a_code_is_caught() {
    let report = sending(Bend::KeepsAnswersForCodes).await;
    let case = "visits: who comes back a second time is not let in (by a visit): it lets somebody";
    expect_just(&report, &[case]);
}

#[tokio::test]
async fn one_that_takes_what_visitors_make_up_for_a_fault_of_the_service_is_caught() {
    let report = sending(Bend::BlamesTheService).await.to_string();
    let case = "visits: what some make up closes the door to nobody (by a visit): after 10 of them \
                it answers fault (unavailable)";
    assert!(report.contains(case), "{report}");
    let case = "visits: who turned back there is refused, and did not guess (by a visit): it \
                answers with a fault (protocol)";
    assert!(report.contains(case), "{report}");
}

#[tokio::test]
async fn one_that_sends_people_without_the_token_is_caught() {
    let report = sending(Bend::LosesTheToken).await;
    let case = "visits: a visitor is sent elsewhere with the token (by a visit): the token is not \
                in the address";
    expect_just(&report, &[case]);
}

#[tokio::test]
async fn one_that_believes_a_header_of_the_visitor_is_caught() {
    let report = believing(Bend::BelievesTheVisitor).await;
    let case = "headers: what a visitor sends beside is not believed (by headers): by \
                \"x-remote-user\" it says who somebody is: whoever gets a header past the proxy is \
                anybody";
    expect_just(&report, &[case]);
}

#[tokio::test]
async fn one_that_picks_one_of_two_headers_is_caught() {
    let report = believing(Bend::TakesTheLast).await;
    let case =
        "headers: of two values none is picked (by headers): by \"EAAHash\" it says who somebody";
    expect_just(&report, &[case]);
}

#[tokio::test]
async fn one_that_needs_no_secret_of_the_proxy_is_caught() {
    let report = believing(Bend::NeedsNoSecret).await.to_string();
    for case in [
        "headers: without the proxy's secret there is nobody (by headers): it lets somebody in",
        "headers: with a wrong secret there is nobody (by headers): it lets somebody in",
    ] {
        assert!(report.contains(case), "{report}");
    }
}
