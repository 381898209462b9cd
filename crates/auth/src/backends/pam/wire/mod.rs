//! What the server and the helper say to each other: one question, one answer, each a length and
//! a row of fields with a length of their own.
//!
//! It goes over a socket of its own, which no module knows of: whatever a module prints is lost,
//! and never taken for an answer.

mod row;

use std::{
    io::{self, Read, Write},
    time::Duration,
};

use vestibule_core::Secret;

use self::row::{Fields, Row, garbled, receive};

/// What the helper is asked, and within which limits.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// The PAM service; it comes from the configuration alone.
    pub service: String,
    /// The least uid that may come in. Root never may.
    pub min_uid: u32,
    /// How long the helper lives at most.
    pub timeout: Duration,
    /// From where the visitor comes, for the modules; empty where that is not known.
    pub address: String,
    /// Whether the helper has to run as root to be of use.
    pub needs_root: bool,
    /// What is asked.
    pub question: Question,
}

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether the password is right, and whether the person may come in.
    LogIn {
        /// Who.
        who: Who,
        /// What goes to the first hidden prompt.
        password: Secret,
        /// What goes to the other prompt, if there is one.
        code: Option<Secret>,
    },
    /// Whether the person may come in, without a password.
    MayEnter {
        /// Who.
        who: Who,
    },
    /// Whether logins could work.
    Look,
}

/// Whom a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Whoever has this name now.
    Name(String),
    /// Whoever has this uid now.
    Uid(u32),
}

/// What the helper answers.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// Both phases let the person in.
    In(Person),
    /// A phase ended with something else than success.
    Refused {
        /// Which one.
        phase: Phase,
        /// What libpam returned.
        code: i32,
        /// How long the modules want the answer to wait.
        pause: Duration,
    },
    /// The helper itself refuses, whatever PAM says.
    Barred(Bar),
    /// The modules want to know something more than the password.
    Asks(String),
    /// Logins could work, and how.
    Ready(String),
    /// It cannot work as it is set up.
    Misconfigured(String),
    /// Something that it needs is not to be had.
    Unavailable(String),
    /// A module did what none may do.
    Broken(String),
}

/// A Unix account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Its name, as the system writes it.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// The names of all groups it is in; none where that cannot be told.
    pub groups: Option<Vec<String>>,
    /// Whether a module asked for the code as well.
    pub by_code: bool,
}

/// The parts of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Who it is.
    Authenticate,
    /// Whether the account may be used.
    Account,
}

/// Why the helper refuses somebody itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// The account is root, under whatever name.
    Root,
    /// Its uid is too low.
    BelowFloor,
    /// PAM knows the name; the system has no account of it.
    NoAccount,
    /// A module made somebody else of the visitor.
    OtherPerson,
}

const BARS: [Bar; 4] = [Bar::Root, Bar::BelowFloor, Bar::NoAccount, Bar::OtherPerson];
const PHASES: [Phase; 2] = [Phase::Authenticate, Phase::Account];

/// Asks.
pub fn send_request(to: &mut impl Write, request: &Request) -> io::Result<()> {
    let mut row = Row::new();
    row.text(&request.service).number(request.min_uid.into()).number(millis(request.timeout));
    row.text(&request.address).number(request.needs_root.into());
    match &request.question {
        Question::LogIn { who, password, code } => {
            row.text("log in").who(who).bytes(password.expose());
            if let Some(code) = code {
                row.bytes(code.expose());
            }
        }
        Question::MayEnter { who } => {
            row.text("may enter").who(who);
        }
        Question::Look => {
            row.text("look");
        }
    }
    row.send(to)
}

/// Reads a question; anything that is none is an error.
pub fn read_request(from: &mut impl Read) -> io::Result<Request> {
    let bytes = receive(from)?;
    let mut row = Fields::of(&bytes)?;
    let (service, min_uid) = (row.text()?, row.small()?);
    let timeout = Duration::from_millis(row.number()?);
    let (address, needs_root) = (row.text()?, row.number()? != 0);
    let question = match row.text()?.as_str() {
        "log in" => Question::LogIn {
            who: row.who()?,
            password: Secret::new(row.bytes()?),
            code: if row.is_done() { None } else { Some(Secret::new(row.bytes()?)) },
        },
        "may enter" => Question::MayEnter { who: row.who()? },
        "look" => Question::Look,
        _ => return Err(garbled()),
    };
    row.done(Request { service, min_uid, timeout, address, needs_root, question })
}

/// Answers.
pub fn send_answer(to: &mut impl Write, answer: &Answer) -> io::Result<()> {
    let mut row = Row::new();
    match answer {
        Answer::In(person) => {
            row.text("in").text(&person.name).number(person.uid.into());
            row.number(person.by_code.into());
            if let Some(groups) = &person.groups {
                row.text("groups");
                for group in groups {
                    row.text(group);
                }
            }
        }
        Answer::Refused { phase, code, pause } => {
            row.text("refused").number(index(&PHASES, phase));
            row.bytes(&code.to_be_bytes()).number(millis(*pause));
        }
        Answer::Barred(bar) => {
            row.text("barred").number(index(&BARS, bar));
        }
        Answer::Asks(prompt) => {
            row.text("asks").text(prompt);
        }
        Answer::Ready(how) => {
            row.text("ready").text(how);
        }
        Answer::Misconfigured(why) => {
            row.text("misconfigured").text(why);
        }
        Answer::Unavailable(why) => {
            row.text("unavailable").text(why);
        }
        Answer::Broken(why) => {
            row.text("broken").text(why);
        }
    }
    row.send(to)
}

/// Reads an answer; anything that is none is an error.
pub fn read_answer(from: &mut impl Read) -> io::Result<Answer> {
    let bytes = receive(from)?;
    let mut row = Fields::of(&bytes)?;
    let answer = match row.text()?.as_str() {
        "in" => {
            let (name, uid, by_code) = (row.text()?, row.small()?, row.number()? != 0);
            let mut groups = None;
            if !row.is_done() {
                if row.text()? != "groups" {
                    return Err(garbled());
                }
                let known = groups.insert(Vec::new());
                while !row.is_done() {
                    known.push(row.text()?);
                }
            }
            Answer::In(Person { name, uid, groups, by_code })
        }
        "refused" => Answer::Refused {
            phase: row.one_of(&PHASES)?,
            code: i32::from_be_bytes(row.array()?),
            pause: Duration::from_millis(row.number()?),
        },
        "barred" => Answer::Barred(row.one_of(&BARS)?),
        "asks" => Answer::Asks(row.text()?),
        "ready" => Answer::Ready(row.text()?),
        "misconfigured" => Answer::Misconfigured(row.text()?),
        "unavailable" => Answer::Unavailable(row.text()?),
        "broken" => Answer::Broken(row.text()?),
        _ => return Err(garbled()),
    };
    row.done(answer)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn index<T: PartialEq>(all: &[T], one: &T) -> u64 {
    all.iter().position(|known| known == one).map_or(u64::MAX, |at| at as u64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use vestibule_core::Secret;

    use super::*;

    fn answers() -> Vec<Answer> {
        let person = |groups| Person { name: "anna".to_owned(), uid: 1001, groups, by_code: true };
        vec![
            Answer::In(person(None)),
            Answer::In(person(Some(Vec::new()))),
            Answer::In(person(Some(vec!["lab".to_owned(), "staff".to_owned()]))),
            Answer::Refused { phase: Phase::Account, code: -1, pause: Duration::from_secs(2) },
            Answer::Barred(Bar::OtherPerson),
            Answer::Asks("Code".to_owned()),
            Answer::Ready("as root".to_owned()),
            Answer::Broken(String::new()),
        ]
    }

    #[test]
    fn what_is_said_arrives() {
        let who = Who::Name("anna".to_owned());
        let log_in = |code| {
            let password = Secret::new("\u{fc}\u{0}");
            Question::LogIn { who: Who::Uid(7), password, code }
        };
        let questions = [
            log_in(None),
            log_in(Some(Secret::new(""))),
            Question::MayEnter { who },
            Question::Look,
        ];
        for question in questions {
            let request = Request {
                service: "vestibule".to_owned(),
                min_uid: 1000,
                timeout: Duration::from_secs(8),
                address: "192.0.2.7".to_owned(),
                needs_root: true,
                question,
            };
            let mut line = Vec::new();
            send_request(&mut line, &request).unwrap();
            assert_eq!(read_request(&mut line.as_slice()).unwrap(), request);
        }
        for answer in answers() {
            let mut line = Vec::new();
            send_answer(&mut line, &answer).unwrap();
            assert_eq!(read_answer(&mut line.as_slice()).unwrap(), answer);
        }
    }

    #[test]
    fn whatever_is_cut_or_added_is_no_answer() {
        for answer in answers() {
            let mut line = Vec::new();
            send_answer(&mut line, &answer).unwrap();
            for cut in 0..line.len() {
                assert!(read_answer(&mut &line[..cut]).is_err(), "{answer:?} cut at {cut}");
            }
            let mut longer = line.clone();
            longer.push(0);
            let length = u32::try_from(longer.len() - 4).unwrap();
            longer[..4].copy_from_slice(&length.to_be_bytes());
            assert!(read_answer(&mut longer.as_slice()).is_err(), "{answer:?} with a byte more");
        }
        for noise in [&b"{\"verdict\":\"verified\"}"[..], b"\0\0\0\0", b"\xff\xff\xff\xff"] {
            assert!(read_answer(&mut &*noise).is_err());
        }
    }
}
