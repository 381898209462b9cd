//! A backend that says what the test wants to hear, and remembers what it was asked.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use vestibule_core::{
    domain::identity::{BackendName, Subject},
    policy::chain::{Control, OnUnavailable, Place},
    ports::backend::{
        Assertion, Attempt, Backend, BackendCx, Challenge, CredentialKind, Descriptor, Entitlement,
        Fault, NotMine, RejectReason, Rejection, Verdict,
    },
    usecase::login::Door,
};

/// What a scripted backend says next.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    Verified(Box<Assertion>),
    Rejected(RejectReason),
    /// The password of this person is wrong.
    WrongOf(&'static str),
    /// The same a while later.
    Slowly(Duration, Box<Self>),
    /// Each of its own, by whom it is asked about; of all others nothing.
    Of(Vec<(&'static str, Self)>),
    NotMine,
    Fault(Fault),
    /// Wants this code of everybody, and says the other thing to whoever has it.
    WantsCode(&'static str, Box<Self>),
    Panic,
}

impl Says {
    pub(crate) fn verified(subject: &str) -> Self {
        let assertion = Assertion::new(Subject::parse(subject).unwrap()).with_username(subject);
        Self::Verified(Box::new(assertion))
    }

    pub(crate) fn unavailable() -> Self {
        Self::Fault(Fault::unavailable("the port is closed"))
    }
}

/// The test's end of it.
#[derive(Clone)]
pub(crate) struct Script {
    name: &'static str,
    state: Arc<Mutex<State>>,
}

struct State {
    says: Says,
    asked: Vec<String>,
}

impl Script {
    pub(crate) fn new(name: &'static str, says: Says) -> Self {
        Self { name, state: Arc::new(Mutex::new(State { says, asked: Vec::new() })) }
    }

    pub(crate) fn says(&self, says: Says) {
        self.state.lock().unwrap().says = says;
    }

    /// Of whom it was asked since the last look: `ann:secret`, or `ann` where no password was
    /// shown.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }

    pub(crate) fn door(&self) -> Door {
        Door::new(Arc::new(self.backend(false)))
    }

    pub(crate) fn door_with(&self, control: Control) -> Door {
        let place = Place { control, on_unavailable: OnUnavailable::Fail };
        Door { place, ..self.door() }
    }

    /// One that tells who may come in, in this place.
    pub(crate) fn entitling(&self, control: Control, on_unavailable: OnUnavailable) -> Door {
        let place = Place { control, on_unavailable };
        Door { place, ..Door::new(Arc::new(self.backend(true))) }
    }

    fn backend(&self, entitles: bool) -> Scripted {
        let name = BackendName::parse(self.name).unwrap();
        let descriptor = Descriptor::new(name, "scripted", [CredentialKind::Password]);
        Scripted { descriptor, script: self.clone(), entitles }
    }

    async fn answer(&self, asked: String, code: Option<&str>) -> Verdict {
        let says = {
            let mut state = self.state.lock().unwrap();
            let says = match state.says.clone() {
                Says::Of(all) => {
                    let of = all.into_iter().find(|(of, _)| *of == asked);
                    of.map_or(Says::NotMine, |(_, says)| says)
                }
                says => says,
            };
            state.asked.push(asked);
            says
        };
        if let Says::Slowly(wait, says) = says {
            tokio::time::sleep(wait).await;
            return verdict(*says, code);
        }
        verdict(says, code)
    }
}

fn verdict(says: Says, code: Option<&str>) -> Verdict {
    match says {
        Says::WantsCode(wanted, then) => match code {
            None => Verdict::Challenge(Challenge::code("The code")),
            Some(code) if code == wanted => verdict(*then, None),
            Some(_) => Verdict::rejected(RejectReason::Bad),
        },
        Says::Verified(assertion) => Verdict::Verified(assertion),
        Says::Rejected(reason) => Verdict::rejected(reason),
        Says::WrongOf(subject) => {
            let rejection = Rejection::new(RejectReason::Bad);
            Verdict::Rejected(rejection.of(Subject::parse(subject).unwrap()))
        }
        Says::NotMine => Verdict::NotMine(NotMine::UnknownSubject),
        Says::Fault(fault) => Verdict::Fault(fault),
        Says::Slowly(..) | Says::Of(_) => panic!("it is so once"),
        Says::Panic => panic!("hunter2"),
    }
}

struct Scripted {
    descriptor: Descriptor,
    script: Script,
    entitles: bool,
}

#[async_trait]
impl Backend for Scripted {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn authenticate(&self, attempt: &Attempt, _: &BackendCx<'_>) -> Verdict {
        let Attempt::Password { username, password, answer } = attempt else {
            return Verdict::NotMine(NotMine::WrongKind);
        };
        let password = password.expose_str().unwrap_or("not text");
        let code = answer.as_ref().and_then(|answer| answer.code.expose_str());
        self.script.answer(format!("{username}:{password}"), code).await
    }

    fn entitlement(&self) -> Option<&dyn Entitlement> {
        self.entitles.then_some(self)
    }
}

#[async_trait]
impl Entitlement for Scripted {
    async fn judge(&self, username: &str, _: &BackendCx<'_>) -> Verdict {
        self.script.answer(username.to_owned(), None).await
    }
}
