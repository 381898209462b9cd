//! The accounts of the system, by PAM.
//!
//! PAM is a pile of shared libraries that read secrets, wait, print, fork and sometimes crash. None
//! of it happens here: a small program, the helper, holds the conversation with the rights that
//! it takes, one process to a question, and is ended with it. The server needs no right and no
//! special group. The helper is `vestibule-pam-helper`; [`wire`] is what the two say to each other.

mod codes;
mod helper;
mod names;
mod settings;
pub mod wire;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use vestibule_core::{
    Secret,
    domain::identity::{BackendName, Subject},
    ports::backend::{
        Assertion, Attempt, Backend, BackendCx, BackendFactory, Challenge, CredentialKind,
        Descriptor, Entitlement, Fault, Method, NotMine, Probe, RejectReason, Rejection, Section,
        SectionError, Verdict,
    },
};

pub use self::names::{LONGEST_NAME, LONGEST_PASSWORD, is_name, is_service};
use self::{
    helper::Helpers,
    settings::{Settings, SubjectIs},
    wire::{Answer, Bar, Person, Question, Request, Who},
};

/// Makes backends of the kind `pam`.
#[derive(Clone, Copy, Debug)]
pub struct PamFactory;

impl PamFactory {
    /// What the configuration calls it.
    pub const KIND: &'static str = "pam";
}

impl BackendFactory for PamFactory {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn build(&self, name: BackendName, section: Section) -> Result<Arc<dyn Backend>, SectionError> {
        let settings = Settings::read(section)?;
        Ok(Arc::new(Pam {
            descriptor: Descriptor::new(name, Self::KIND, [CredentialKind::Password]),
            helpers: Helpers::new(Arc::clone(&settings.helper), settings.at_once),
            settings,
        }))
    }
}

/// One PAM service.
struct Pam {
    descriptor: Descriptor,
    settings: Settings,
    helpers: Helpers,
}

/// Refusals take at least so long, as seen from outside: `pam_unix` is quicker about names that
/// nobody has.
const LEAST_PAUSE: Duration = Duration::from_millis(500);

/// However long modules would like a refusal to wait.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

impl Pam {
    async fn log_in(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Result<Verdict, Fault> {
        let Attempt::Password { username, password, answer, .. } = attempt else {
            return Ok(Verdict::NotMine(NotMine::WrongKind));
        };
        let code = answer.as_ref().map(|answer| &answer.code);
        let who = match self.who(username, cx) {
            Ok(who) => who,
            Err(why) => return Ok(wrong(why)),
        };
        if let Err(why) = require_secret(password).and(code.map_or(Ok(()), require_secret)) {
            return Ok(wrong(why));
        }
        let question = Question::LogIn { who, password: password.clone(), code: code.cloned() };
        let began = cx.op.now();
        let answer = self.ask(question, cx).await?;
        let paused = |mut rejection: Rejection, pause: Duration| {
            let pause = pause.min(LONGEST_PAUSE);
            let until = cx.op.now().plus(pause).max(began.plus(LEAST_PAUSE));
            rejection.not_before = Some(until);
            Verdict::Rejected(rejection)
        };
        match answer {
            Answer::In(person) => {
                let (by_code, now) = (person.by_code, cx.op.now());
                self.verdict(person, |assertion| {
                    let assertion = assertion.with_factor(Method::Password, now);
                    if by_code {
                        assertion.with_factor(Method::OneTimeCode, now)
                    } else {
                        assertion
                    }
                })
            }
            Answer::Refused { phase, code, pause } => {
                Ok(paused(codes::refusal(phase, code)?, pause))
            }
            Answer::Barred(bar) => Ok(paused(barred(bar), Duration::ZERO)),
            // Said before the password is judged, where the service's stack asks for both first.
            Answer::Asks(prompt) => Ok(Verdict::Challenge(Challenge::code(prompt))),
            other => Err(no_verdict(other)),
        }
    }

    async fn may_enter(&self, username: &str, cx: &BackendCx<'_>) -> Result<Verdict, Fault> {
        let not_entitled =
            |why: String| Verdict::Rejected(Rejection::new(RejectReason::NotEntitled).because(why));
        let who = match self.who(username, cx) {
            Ok(who) => who,
            Err(why) => return Ok(not_entitled(why.to_owned())),
        };
        match self.ask(Question::MayEnter { who }, cx).await? {
            Answer::In(person) => self.verdict(person, |assertion| assertion),
            Answer::Refused { phase, code, .. } => {
                Ok(Verdict::Rejected(codes::refusal(phase, code)?))
            }
            Answer::Barred(bar) => Ok(not_entitled(barred(bar).for_audit().to_owned())),
            other => Err(no_verdict(other)),
        }
    }

    /// Whom a name means: whoever came in by it before, or the Unix account of this very name.
    fn who(&self, typed: &str, cx: &BackendCx<'_>) -> Result<Who, &'static str> {
        if let (Some(subject), SubjectIs::Uid) = (cx.known_as, self.settings.subject) {
            let uid = subject.as_str().parse();
            return uid.map(Who::Uid).map_err(|_| "linked by something that is no uid");
        }
        let name = cx.known_as.map_or(typed.trim(), Subject::as_str);
        if !is_name(name) {
            return Err("not the name of a Unix account");
        }
        self.require_wanted(name)?;
        Ok(Who::Name(name.to_owned()))
    }

    fn require_wanted(&self, name: &str) -> Result<(), &'static str> {
        let listed = |patterns: &[names::Pattern]| patterns.iter().any(|p| p.matches(name));
        if listed(&self.settings.deny) {
            return Err("the name is in `deny`");
        }
        if listed(&self.settings.allow) { Ok(()) } else { Err("the name is not in `allow`") }
    }

    async fn ask(&self, question: Question, cx: &BackendCx<'_>) -> Result<Answer, Fault> {
        self.ask_from(question, cx.op.client.address.clone()).await
    }

    async fn ask_from(&self, question: Question, address: String) -> Result<Answer, Fault> {
        let request = Request {
            service: self.settings.service.clone(),
            min_uid: self.settings.min_uid,
            timeout: self.settings.timeout,
            address,
            needs_root: !self.settings.without_root,
            question,
        };
        self.helpers.ask(request).await
    }

    /// Lets a person in whom both phases let in.
    fn verdict(
        &self,
        person: Person,
        with: impl FnOnce(Assertion) -> Assertion,
    ) -> Result<Verdict, Fault> {
        // Whoever is asked about by number may have got a name that is not wanted.
        if let Err(why) = self.require_wanted(&person.name) {
            return Ok(Verdict::Rejected(Rejection::new(RejectReason::NotEntitled).because(why)));
        }
        let known_as = match self.settings.subject {
            SubjectIs::Name => person.name.clone(),
            SubjectIs::Uid => person.uid.to_string(),
        };
        let subject = Subject::parse(&known_as)
            .map_err(|error| Fault::protocol(format!("the name there {}", error.message)))?;
        let assertion = with(Assertion::new(subject).with_username(person.name));
        Ok(Verdict::Verified(Box::new(match person.groups {
            Some(groups) => assertion.with_groups(groups),
            None => assertion,
        })))
    }
}

fn wrong(why: &'static str) -> Verdict {
    Verdict::Rejected(Rejection::new(RejectReason::BadOrUnknown).because(why))
}

/// What PAM cannot take is refused here: some modules take an empty password for none that is
/// wanted, and what is longer than libpam's buffers has been cut off or has overrun them.
fn require_secret(secret: &Secret) -> Result<(), &'static str> {
    match secret.len() {
        0 => Err("the password or the code is empty"),
        1..=LONGEST_PASSWORD if !secret.expose().contains(&0) => Ok(()),
        1..=LONGEST_PASSWORD => Err("a zero byte in the password or the code"),
        _ => Err("more than 511 bytes of password or code"),
    }
}

fn barred(bar: Bar) -> Rejection {
    let (reason, why) = match bar {
        Bar::Root => (RejectReason::BadOrUnknown, "root comes in nowhere"),
        Bar::BelowFloor => (RejectReason::BadOrUnknown, "its uid is below `min_uid`"),
        Bar::NoAccount => (RejectReason::NotEntitled, "PAM knows it, and it is no Unix account"),
        Bar::OtherPerson => (RejectReason::NotEntitled, "a PAM module made another name of it"),
    };
    Rejection::new(reason).because(why)
}

fn no_verdict(answer: Answer) -> Fault {
    match answer {
        Answer::Misconfigured(why) => Fault::Misconfigured(why),
        Answer::Unavailable(why) => Fault::unavailable(why),
        Answer::Broken(why) => Fault::protocol(why),
        Answer::Asks(_) => {
            Fault::Misconfigured("the account check of the service asks for something".to_owned())
        }
        _ => Fault::protocol("the helper answered something else than it was asked"),
    }
}

#[async_trait]
impl Backend for Pam {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn authenticate(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Verdict {
        self.log_in(attempt, cx).await.unwrap_or_else(Verdict::Fault)
    }

    fn entitlement(&self) -> Option<&dyn Entitlement> {
        Some(self)
    }

    fn probe(&self) -> Option<&dyn Probe> {
        Some(self)
    }
}

#[async_trait]
impl Entitlement for Pam {
    async fn judge(&self, username: &str, cx: &BackendCx<'_>) -> Verdict {
        self.may_enter(username, cx).await.unwrap_or_else(Verdict::Fault)
    }
}

#[async_trait]
impl Probe for Pam {
    async fn look(&self) -> Result<String, Fault> {
        match self.ask_from(Question::Look, String::new()).await? {
            Answer::Ready(how) => Ok(how),
            other => Err(no_verdict(other)),
        }
    }
}
