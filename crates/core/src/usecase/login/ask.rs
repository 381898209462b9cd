//! Asking the backends: first who the visitor is, then whether that person may come in.

use super::{
    LoginError,
    door::{Door, Identifying, Ties},
    names::Whom,
    person::Person,
};
use crate::{
    domain::{identity::BackendName, username::Username},
    policy::chain::{Conclusion, Control, Heard, Next, OnUnavailable, Walk},
    ports::{
        backend::{
            Assertion, Attempt, BackendCx, Challenge, Fault, NotMine, RejectReason, Rejection,
            Step, Verdict,
        },
        store::StoreError,
    },
    time::Timestamp,
};

/// What the backends said, one after the other.
pub(super) struct Heardings {
    walk: Walk,
    /// What those said who verified the visitor, by their places.
    pub(super) assertions: Vec<(usize, Box<Assertion>)>,
    pub(super) rejections: Vec<(usize, Rejection)>,
    pub(super) faults: Vec<(usize, Fault)>,
    pub(super) challenge: Option<Challenge>,
    /// Who could not be asked, and is taken by what they said before.
    pub(super) silent: Vec<BackendName>,
}

/// What the visitor brought, as each of the backends is to see it.
#[derive(Clone, Copy)]
pub(super) struct Brought<'a> {
    pub(super) attempt: &'a Attempt,
    /// For the backend that had asked for more: the same with the answer.
    pub(super) answered: Option<(&'a BackendName, &'a Attempt)>,
}

impl<'a> Brought<'a> {
    fn to(self, door: &Door) -> &'a Attempt {
        match self.answered {
            Some((asked, attempt)) if asked == door.name() => attempt,
            _ => self.attempt,
        }
    }
}

impl Heardings {
    fn new() -> Self {
        Self {
            walk: Walk::default(),
            assertions: Vec::new(),
            rejections: Vec::new(),
            faults: Vec::new(),
            challenge: None,
            silent: Vec::new(),
        }
    }

    pub(super) fn conclude(&self) -> Conclusion {
        self.walk.conclude()
    }

    /// Before this instant no refusal goes out.
    pub(super) fn not_before(&self) -> Option<Timestamp> {
        self.rejections.iter().filter_map(|(_, rejection)| rejection.not_before).max()
    }

    /// Where whoever is to log in elsewhere has to go.
    pub(super) fn sign_on_first(self) -> LoginError {
        match self.challenge {
            Some(Challenge { step: Step::Redirect { url }, .. }) => {
                LoginError::SignOnFirst { path: url }
            }
            _ => LoginError::Unavailable { retry_after: 5 },
        }
    }

    pub(super) fn assertion_of(&self, at: usize) -> Option<&Assertion> {
        self.assertions.iter().find(|(by, _)| *by == at).map(|(_, assertion)| &**assertion)
    }

    pub(super) fn rejection_of(&self, at: usize) -> Option<&Rejection> {
        self.rejections.iter().find(|(by, _)| *by == at).map(|(_, rejection)| rejection)
    }

    pub(super) fn fault_of(&self, at: usize) -> Option<&Fault> {
        self.faults.iter().find(|(by, _)| *by == at).map(|(_, fault)| fault)
    }

    /// Who found the password wrong, and in which words, if anybody did.
    pub(super) fn wrong_guess(&self) -> Option<(usize, &'static str)> {
        let wrong = |reason| matches!(reason, RejectReason::Bad | RejectReason::BadOrUnknown);
        let mut found = self.rejections.iter().filter(|(_, rejection)| wrong(rejection.reason));
        found.next().map(|(at, rejection)| (*at, rejection.reason.as_str()))
    }

    /// Whose password was found wrong, by those who tell.
    pub(super) fn guessed_at(&self, doors: &[Door]) -> Vec<Person> {
        let told = self.rejections.iter().filter_map(|(at, rejection)| {
            let subject = rejection.subject.clone()?;
            Some(Person { backend: doors[*at].name().clone(), subject })
        });
        told.collect()
    }

    /// Whether somebody who knows the person said that the password is wrong.
    pub(super) fn is_surely_wrong(&self) -> bool {
        self.rejections.iter().any(|(_, rejection)| rejection.reason == RejectReason::Bad)
    }

    /// Takes an answer in, as what it says or as what it comes to here.
    fn hear(&mut self, at: usize, door: &Door, verdict: Verdict, come_to: Option<Heard>) -> Next {
        let heard = come_to.unwrap_or_else(|| Heard::of(&verdict));
        match verdict {
            Verdict::Verified(assertion) => self.assertions.push((at, assertion)),
            Verdict::Rejected(rejection) => self.rejections.push((at, rejection)),
            Verdict::NotMine(_) => {}
            Verdict::Challenge(challenge) => self.challenge = Some(challenge),
            Verdict::Fault(fault) => self.faults.push((at, fault)),
        }
        self.walk.hear(at, door.place, heard)
    }
}

/// Asks who the visitor is.
pub(super) async fn who(
    doors: &[Door],
    identifying: &Identifying,
    ties: Option<&Ties>,
    brought: Brought<'_>,
    cx: &BackendCx<'_>,
) -> Heardings {
    let mut heard = Heardings::new();
    for (at, door) in doors.iter().enumerate().filter(|(_, door)| !door.only_entitles()) {
        let is_meant = identifying.is_meant(at);
        let is_sufficient = door.place.control == Control::Sufficient;
        let has_a_say = heard.walk.asks(door.place) && (is_meant || !is_sufficient);
        let attempt = brought.to(door);
        if !has_a_say || (is_sufficient && !door.takes(attempt)) {
            continue;
        }
        let known_as = ties.and_then(|ties| ties.subject_at(door.name()));
        let verdict = if is_meant || !is_for_one_alone(attempt) {
            one(door, attempt, &BackendCx { known_as, ..*cx }).await
        } else {
            Verdict::NotMine(NotMine::WrongKind)
        };
        let is_wrong_here_alone = identifying.all_know
            && Heard::of(&verdict) == Heard::Bad
            && (at + 1..doors.len()).any(|later| identifying.is_meant(later));
        let heard_as = is_wrong_here_alone.then_some(Heard::BadOrUnknown);
        if heard.hear(at, door, verdict, heard_as) == Next::Stop {
            break;
        }
    }
    heard
}

/// Whether it is told nobody but the one whom it is for: with the code of one provider another could
/// log in there as the visitor (RFC 9700 section 4.4), and what a proxy says to one may be proved by
/// a secret of theirs.
const fn is_for_one_alone(attempt: &Attempt) -> bool {
    matches!(attempt, Attempt::Return { .. } | Attempt::Headers(_))
}

/// Asks one of them.
pub(super) async fn one(door: &Door, attempt: &Attempt, cx: &BackendCx<'_>) -> Verdict {
    match refusal_unasked(door, attempt) {
        Some(refusal) => refusal,
        None => sound(door.backend.authenticate(attempt, cx).await, attempt),
    }
}

/// Nobody is sent elsewhere who typed a password, and nobody asked for a code who came by a link.
fn sound(verdict: Verdict, attempt: &Attempt) -> Verdict {
    let Verdict::Challenge(challenge) = &verdict else { return verdict };
    let is_answerable = matches!(
        (attempt, &challenge.step),
        (Attempt::Visit { .. } | Attempt::Headers(_), Step::Redirect { .. })
            | (Attempt::Password { .. }, Step::Code { .. })
    );
    if is_answerable {
        return verdict;
    }
    Verdict::Fault(Fault::Bug("it wants a step that cannot be made from here".to_owned()))
}

/// What no service elsewhere is bothered with: names that nobody has, and the empty password,
/// which some directories take for a wish to stay anonymous (RFC 4513 section 5.1.2).
fn refusal_unasked(door: &Door, attempt: &Attempt) -> Option<Verdict> {
    if !door.takes(attempt) {
        // Where everybody has to be verified here, nobody passes by another kind of credential.
        return Some(Verdict::NotMine(NotMine::WrongKind));
    }
    let Attempt::Password { username, password, .. } = attempt else { return None };
    if door.is_local() {
        return None;
    }
    let is_name = !username.trim().is_empty()
        && username.len() <= Username::MAX_CHARS
        && !username.chars().any(char::is_control);
    (password.is_empty() || !is_name).then(|| Verdict::rejected(RejectReason::BadOrUnknown))
}

/// Asks, of somebody who has proved who they are, whether they may come in. Who can be
/// asked by no name is not asked about: nobody who has to verify everybody is among those.
pub(super) async fn entitlement(
    doors: &[Door],
    whom: &Whom<'_>,
    heard: &mut Heardings,
    cx: &BackendCx<'_>,
) -> Result<(), StoreError> {
    for (at, door) in doors.iter().enumerate().filter(|(_, door)| door.only_entitles()) {
        let Some(entitlement) = door.backend.entitlement() else { continue };
        let Some((name, known_as)) = whom.at(door.name()) else { continue };
        let account = whom.account();
        let verdict = entitlement.judge(name, &BackendCx { known_as, ..*cx }).await;
        let is_remembered = match (&verdict, door.place.on_unavailable, account) {
            (Verdict::Fault(fault), OnUnavailable::Cached(within), Some(user))
                if fault.is_passing() =>
            {
                let name = door.name().clone();
                let last = cx.store.lookup(move |tx| tx.entitled_at(&name, user)).await;
                let last: Option<Timestamp> = last?;
                last.is_some_and(|last| cx.op.now().since(last) <= within)
            }
            _ => false,
        };
        let come_to = is_remembered.then_some(Heard::Remembered);
        if is_remembered {
            heard.silent.push(door.name().clone());
        }
        if heard.hear(at, door, verdict, come_to) == Next::Stop {
            break;
        }
    }
    Ok(())
}
