//! What the answers of several backends come to: the operator's table, as a function of values.
//!
//! Read as PAM reads its stack (`pam.conf(5)`), with two differences that keep it from being read
//! wrongly: what is *required* is asked wherever it stands, also below a sufficient one; and an
//! outage is never a refusal.

use std::time::Duration;

use crate::{
    domain::level::{UnknownWord, words},
    ports::backend::{Fault, RejectReason, Verdict},
};
use std::{fmt, str::FromStr};

/// What a backend's answer means for the login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Control {
    /// Whoever is verified here is let in; whoever is not known here may be elsewhere.
    #[default]
    Sufficient,
    /// Everybody has to be verified here; the others are asked all the same, so that nobody can
    /// tell who refused.
    Required,
    /// Everybody has to be verified here; after a refusal nobody else is asked.
    Requisite,
    /// Adds groups to whoever is let in by another; refuses nobody.
    Optional,
}

words!(
    Control:
    Sufficient = "sufficient",
    Required = "required",
    Requisite = "requisite",
    Optional = "optional";
    "sufficient, required, requisite or optional"
);

/// What happens while a backend cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnUnavailable {
    /// The login ends: try again later.
    #[default]
    Fail,
    /// The others are asked; if none of them verifies anybody, try again later.
    Skip,
    /// Whoever it let in within this time is let in, by what was known then; for the others, and
    /// for passwords, which are kept nowhere, as [`Skip`](Self::Skip) where it is sufficient or
    /// optional and as [`Fail`](Self::Fail) where it has to verify everybody.
    Cached(Duration),
}

/// A backend's place in the operator's table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// What its answer means.
    pub control: Control,
    /// What its silence means.
    pub on_unavailable: OnUnavailable,
}

/// What a backend answered, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Heard {
    /// The visitor is who they say.
    Verified,
    /// Not its to judge.
    NotMine,
    /// It knows the person, and the password is wrong.
    Bad,
    /// The name or the password is wrong.
    BadOrUnknown,
    /// The account there is locked, disabled, expired, or wants another password.
    Barred,
    /// The person may not use this site.
    NotEntitled,
    /// It wants one thing more of the visitor before it can say.
    Challenged,
    /// It cannot be reached.
    Unavailable,
    /// It could not be reached, and it let the person in not long ago.
    Remembered,
    /// It is broken: misconfigured, or it or its peer talks nonsense.
    Broken,
}

impl Heard {
    /// Of a verdict.
    pub fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Verified(_) => Self::Verified,
            Verdict::NotMine(_) => Self::NotMine,
            Verdict::Challenge(_) => Self::Challenged,
            Verdict::Rejected(rejection) => match rejection.reason {
                RejectReason::Bad | RejectReason::Replay => Self::Bad,
                RejectReason::BadOrUnknown => Self::BadOrUnknown,
                RejectReason::Locked
                | RejectReason::Disabled
                | RejectReason::Expired
                | RejectReason::MustChange
                | RejectReason::Cancelled => Self::Barred,
                RejectReason::NotEntitled | RejectReason::NotLinked => Self::NotEntitled,
            },
            Verdict::Fault(fault) => Self::of_fault(fault),
        }
    }

    /// Of a fault.
    pub const fn of_fault(fault: &Fault) -> Self {
        if fault.is_passing() { Self::Unavailable } else { Self::Broken }
    }

    /// Whether it is a guess that went wrong: these count towards the limit of failures, and
    /// nothing else does.
    pub const fn is_wrong_guess(self) -> bool {
        matches!(self, Self::Bad | Self::BadOrUnknown)
    }
}

/// Whether the next backend is to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is, if it [has a say](Walk::asks).
    Ask,
    /// The login is decided.
    Stop,
}

/// What all answers together come to. The numbers are places in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// This one said who the visitor is, and nobody who has a say objects.
    Accept(usize),
    /// This one refused; with nobody, nobody knew the visitor.
    Refuse(Option<usize>),
    /// Nobody verified the visitor, or not all who have to, and this one could not be asked.
    TryLater(usize),
    /// This one wants one thing more of the visitor; then the table is walked through again.
    Challenge(usize),
}

/// The way through the table, place by place.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    identified_by: Option<usize>,
    refused_by: Option<usize>,
    /// Remembered, in case nobody verifies anybody.
    doubted_by: Option<usize>,
    failed: Option<usize>,
    challenged_by: Option<usize>,
}

impl Walk {
    /// Whether a backend in this place has a say, after what was heard so far.
    pub const fn asks(&self, place: Place) -> bool {
        match place.control {
            Control::Sufficient => self.identified_by.is_none(),
            Control::Required | Control::Requisite | Control::Optional => true,
        }
    }

    /// Takes an answer in. `at` is the place in the table.
    pub fn hear(&mut self, at: usize, place: Place, heard: Heard) -> Next {
        let must_verify = matches!(place.control, Control::Required | Control::Requisite);
        match heard {
            Heard::Verified if place.control == Control::Optional => {}
            Heard::Verified => {
                self.identified_by.get_or_insert(at);
            }
            Heard::Remembered => {}
            Heard::Unavailable => {
                self.failed.get_or_insert(at);
                let waits = match place.control {
                    Control::Optional => false,
                    Control::Sufficient => place.on_unavailable == OnUnavailable::Fail,
                    Control::Required | Control::Requisite => true,
                };
                if waits {
                    return self.stop_for(at);
                }
            }
            Heard::Broken => {
                self.failed.get_or_insert(at);
                if place.control != Control::Optional {
                    return self.stop_for(at);
                }
            }
            _ if place.control == Control::Optional => {}
            Heard::Challenged => {
                self.challenged_by = Some(at);
                return Next::Stop;
            }
            Heard::NotMine if !must_verify => {}
            Heard::BadOrUnknown if !must_verify => {
                self.doubted_by.get_or_insert(at);
            }
            Heard::NotMine
            | Heard::BadOrUnknown
            | Heard::Bad
            | Heard::Barred
            | Heard::NotEntitled => {
                self.refused_by.get_or_insert(at);
                if place.control != Control::Required {
                    return Next::Stop;
                }
            }
        }
        Next::Ask
    }

    /// Ends for want of an answer, which outdoes whatever was found before.
    fn stop_for(&mut self, at: usize) -> Next {
        self.failed = Some(at);
        self.identified_by = None;
        Next::Stop
    }

    /// What it comes to.
    pub fn conclude(&self) -> Conclusion {
        // Whoever has been refused already is asked for nothing more.
        if let (Some(at), None) = (self.challenged_by, self.refused_by) {
            return Conclusion::Challenge(at);
        }
        match (self.identified_by, self.refused_by, self.failed) {
            (Some(_), Some(refused), _) => Conclusion::Refuse(Some(refused)),
            (Some(at), None, _) => Conclusion::Accept(at),
            // A fault never reads as a wrong password.
            (None, _, Some(failed)) => Conclusion::TryLater(failed),
            (None, refused, None) => Conclusion::Refuse(refused.or(self.doubted_by)),
        }
    }
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
