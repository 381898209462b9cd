//! What a service may answer, and what it means. `docs/remote-backend.schema.json` tells the same
//! to those who write one; a test holds the two together.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;
use vestibule_core::{
    domain::identity::Subject,
    ports::backend::{
        AssertedEmail, Assertion, Challenge, Factor, Fault, Groups, Method, NotMine, RejectReason,
        Rejection, Verdict,
    },
    time::Timestamp,
};

use super::object::{Object, list, text, wrong};
use crate::{
    http::{Address, Answer},
    json,
};

/// The version of the protocol that is spoken here.
pub(super) const VERSION: u64 = 1;

const SHORT: usize = 200;
const NAME: usize = 255;
const LONG: usize = 4096;

const REASONS: &[(&str, RejectReason)] = &[
    ("bad", RejectReason::Bad),
    ("bad_or_unknown", RejectReason::BadOrUnknown),
    ("locked", RejectReason::Locked),
    ("disabled", RejectReason::Disabled),
    ("expired", RejectReason::Expired),
    ("must_change", RejectReason::MustChange),
    ("not_entitled", RejectReason::NotEntitled),
    ("replay", RejectReason::Replay),
];

const NOT_MINE: &[(&str, NotMine)] = &[
    ("wrong_kind", NotMine::WrongKind),
    ("wrong_realm", NotMine::WrongRealm),
    ("unknown_subject", NotMine::UnknownSubject),
];

const METHODS: &[(&str, Method)] = &[
    ("pwd", Method::Password),
    ("otp", Method::OneTimeCode),
    ("mfa", Method::Several),
    ("unknown", Method::Unknown),
];

/// What was asked, as far as the answer depends on it.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    /// When.
    pub(super) now: Timestamp,
    /// How somebody has proved who they are where the service does not say; `None` where nobody
    /// proves anything.
    pub(super) method: Option<Method>,
    /// Whether the visitor may be sent elsewhere.
    pub(super) may_redirect: bool,
    /// Whether the visitor may be asked for a code.
    pub(super) may_ask: bool,
}

/// The answer to the question of this id, without what is the same in all.
pub(super) fn open(answer: &Answer, id: &str) -> Result<Object, Fault> {
    match answer.status {
        200 => {}
        401 | 403 => {
            let what = format!("the service answered {}: it refuses our token", answer.status);
            return Err(Fault::Misconfigured(what));
        }
        other => return Err(Fault::protocol(format!("the service answered {other}"))),
    }
    if answer.media_type != "application/json" {
        return Err(Fault::protocol("the service answered something else than application/json"));
    }
    read(answer.body(), id)
}

fn read(body: &[u8], id: &str) -> Result<Object, Fault> {
    let value = json::strict_without_null(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let what = "is no JSON, or has a key twice, or null";
        wrong("", &format!("{what} (line {line}, column {column})"))
    })?;
    let mut told = Object::of(value, "")?;
    if told.number("version", u64::MAX)? != Some(VERSION) {
        return Err(wrong("version", "expected 1"));
    }
    if told.required_text("id", NAME)? != id {
        return Err(wrong("id", "is that of another question"));
    }
    Ok(told)
}

/// What an answer to `authenticate` or `judge` means.
pub(super) fn verdict(mut told: Object, asked: Asked) -> Result<Verdict, Fault> {
    let verdict = told.required_text("verdict", NAME)?;
    match verdict.as_str() {
        "verified" => {
            let person = person(told, asked)?;
            Ok(Verdict::Verified(Box::new(person)))
        }
        "rejected" => {
            let reason = word(&mut told, "reason", REASONS)?;
            let detail = told.text("detail", SHORT)?;
            told.end()?;
            let rejection = Rejection::new(reason);
            Ok(Verdict::Rejected(match detail {
                Some(detail) => rejection.because(detail),
                None => rejection,
            }))
        }
        "not_mine" => {
            let why = word(&mut told, "reason", NOT_MINE)?;
            told.end()?;
            Ok(Verdict::NotMine(why))
        }
        "challenge" => challenge(told, asked).map(Verdict::Challenge),
        "fault" => fault(told).map(Verdict::Fault),
        _ => Err(wrong("verdict", "is none that there is")),
    }
}

/// What an answer to `probe` means.
pub(super) fn ready(mut told: Object) -> Result<String, Fault> {
    match told.required_text("verdict", NAME)?.as_str() {
        "ready" => {
            let about = told.text("about", SHORT)?;
            told.end()?;
            Ok(about.unwrap_or_else(|| "answers".to_owned()))
        }
        "fault" => Err(fault(told)?),
        _ => Err(wrong("verdict", "is neither ready nor fault")),
    }
}

fn person(mut told: Object, asked: Asked) -> Result<Assertion, Fault> {
    let subject = told.required_text("subject", Subject::MAX)?;
    let subject = Subject::parse(&subject).map_err(|error| wrong("subject", &error.message))?;
    let mut person = Assertion::new(subject);
    person.username = told.text("username", NAME)?;
    person.first_name = told.text("first_name", NAME)?.unwrap_or_default();
    person.last_name = told.text("last_name", NAME)?.unwrap_or_default();
    for (place, value) in told.list("emails")?.unwrap_or_default() {
        let mut email = Object::of(value, &place)?;
        let address = email.required_text("address", NAME)?;
        let is_verified = email.required_flag("verified")?;
        email.end()?;
        person.emails.push(AssertedEmail { address, is_verified });
    }
    person.groups = groups(&mut told)?;
    person.attributes = attributes(&mut told)?;
    person.factors = factors(&mut told, asked)?;
    told.end()?;
    Ok(person)
}

fn groups(told: &mut Object) -> Result<Groups, Fault> {
    match told.any("groups") {
        None => Ok(Groups::Unknown),
        Some((place, Value::String(word))) => match word.as_str() {
            "unchanged" => Ok(Groups::Unchanged),
            "unknown" => Ok(Groups::Unknown),
            _ => Err(wrong(&place, "expected a list, \"unchanged\" or \"unknown\"")),
        },
        Some((place, names)) => {
            let names = list(names, &place)?.into_iter();
            let names = names.map(|(place, name)| text(name, &place, NAME));
            Ok(Groups::Known(names.collect::<Result<_, _>>()?))
        }
    }
}

fn attributes(told: &mut Object) -> Result<BTreeMap<String, Vec<String>>, Fault> {
    let Some((place, value)) = told.any("attributes") else { return Ok(BTreeMap::new()) };
    let mut attributes = BTreeMap::new();
    for (name, place, values) in Object::of(value, &place)?.rest() {
        let values = list(values, &place)?.into_iter();
        let values = values.map(|(place, value)| text(value, &place, LONG));
        let name = text(Value::String(name), "attributes", NAME)?;
        attributes.insert(name, values.collect::<Result<_, _>>()?);
    }
    Ok(attributes)
}

fn factors(told: &mut Object, asked: Asked) -> Result<Vec<Factor>, Fault> {
    let Some(said) = told.list("factors")? else {
        return Ok(asked
            .method
            .map(|method| Factor { method, at: asked.now })
            .into_iter()
            .collect());
    };
    let mut factors = Vec::new();
    for (place, value) in said {
        let mut factor = Object::of(value, &place)?;
        let method = word(&mut factor, "method", METHODS)?;
        let at = factor.number("at", LAST_SECOND)?.map(since_epoch);
        factor.end()?;
        // A clock that is ahead makes no proof fresher than it can be.
        let at = at.unwrap_or(asked.now).min(asked.now);
        factors.push(Factor { method, at });
    }
    Ok(factors)
}

/// The end of the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;

fn since_epoch(seconds: u64) -> Timestamp {
    Timestamp::from_micros(0).plus(Duration::from_secs(seconds))
}

fn challenge(mut told: Object, asked: Asked) -> Result<Challenge, Fault> {
    let step = told.required_text("step", NAME)?;
    let state = told.text("state", LONG)?.unwrap_or_default();
    let challenge = match step.as_str() {
        "code" => {
            let prompt = told.text("prompt", SHORT)?.unwrap_or_default();
            Some(Challenge::code(prompt)).filter(|_| asked.may_ask)
        }
        "redirect" => {
            let url = told.required_text("url", LONG)?;
            // What a parser would trim or mend, another one may read in another way.
            let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic());
            if !is_plain || !(url.starts_with("https://") || url.starts_with("http://")) {
                return Err(wrong("url", "expected an address as RFC 3986 has it"));
            }
            let holds = url.parse::<Address>();
            holds.map_err(|error| wrong("url", &error.to_string()))?;
            Some(Challenge::redirect(url, "")).filter(|_| asked.may_redirect)
        }
        _ => return Err(wrong("step", "is none that there is")),
    };
    told.end()?;
    let challenge = challenge.ok_or_else(|| wrong("step", "does not go with what was asked"))?;
    Ok(challenge.with_state(state))
}

fn fault(mut told: Object) -> Result<Fault, Fault> {
    let kind = told.required_text("kind", NAME)?;
    let what = told.text("what", SHORT)?;
    let retry_after = told.number("retry_after", 3600)?;
    if retry_after == Some(0) {
        return Err(wrong("retry_after", "is zero"));
    }
    told.end()?;
    let what = what.unwrap_or_else(|| "the service says that it cannot answer".to_owned());
    Ok(match kind.as_str() {
        "unavailable" => {
            let seconds = retry_after.and_then(|seconds| u32::try_from(seconds).ok());
            Fault::Unavailable { what, retry_after: seconds.unwrap_or(5) }
        }
        "timeout" => Fault::Timeout,
        "misconfigured" => Fault::Misconfigured(what),
        "protocol" => Fault::Protocol(what),
        "bug" => Fault::Bug(what),
        _ => return Err(wrong("kind", "is none that there is")),
    })
}

/// What a word stands for that has to be there.
fn word<T: Copy>(told: &mut Object, key: &str, words: &[(&str, T)]) -> Result<T, Fault> {
    let said = told.required_text(key, NAME)?;
    let found = words.iter().find(|(word, _)| *word == said);
    found.map(|(_, meant)| *meant).ok_or_else(|| wrong(&told.at(key), "is none that there is"))
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
