//! What a failure means for a mail: whose fault it is, and whether it will pass.

use lettre::transport::smtp::Error;

/// What is to become of a mail that did not get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The mail server cannot be asked: no mail would get through. Nothing is wrong with this one.
    ServerDown,
    /// This mail did not get through, and may another time.
    Later,
    /// This mail never will.
    ForGood,
}

/// A mail that did not get through.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Failure {
    /// What it means.
    pub verdict: Verdict,
    /// What the server said, or what prevented it from saying anything; one line.
    pub reason: String,
}

impl Failure {
    /// A failure and what it means.
    pub fn new(verdict: Verdict, reason: impl AsRef<str>) -> Self {
        Self { verdict, reason: one_line(reason.as_ref()) }
    }
}

/// Where a dialogue with a mail server was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reaching it, greeting it, securing the line, saying who one is.
    Opening,
    /// Saying from whom the mail is.
    Sender,
    /// Saying to whom.
    Recipient,
    /// The mail itself.
    Content,
}

/// What it means when this took too long.
///
/// Once a mail has begun its slowness may be that mail's, and a server that is down for all shows
/// when the line is opened again.
pub const fn late(stage: Stage) -> Verdict {
    match stage {
        Stage::Opening => Verdict::ServerDown,
        Stage::Sender | Stage::Recipient | Stage::Content => Verdict::Later,
    }
}

/// What an answer, or the lack of one, means.
pub(crate) fn classify(stage: Stage, error: &Error) -> Failure {
    let verdict = match error.status() {
        Some(code) => by_code(stage, code.into()),
        // The message is one that this server takes from nobody, whatever its state.
        None if error.is_client() && stage != Stage::Opening => Verdict::ForGood,
        None => late(stage),
    };
    Failure::new(verdict, said(error))
}

/// What a reply code means (RFC 5321 section 4.2.1).
pub fn by_code(stage: Stage, code: u16) -> Verdict {
    match (stage, code) {
        // Even a final refusal to talk is the operator's to mend, and no mail's end.
        // So is a server that closes the line (421), or wants another line or login first (RFC 4954
        // section 6).
        (Stage::Opening, _) | (Stage::Sender, 421 | 530 | 534 | 535 | 538) => Verdict::ServerDown,
        (_, 500..=599) => Verdict::ForGood,
        _ => Verdict::Later,
    }
}

/// The error in one line, a server's words as it said them.
fn said(error: &Error) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    match (error.status(), cause) {
        (Some(code), Some(text)) => format!("{code} {text}"),
        (Some(code), None) => code.to_string(),
        (None, Some(text)) => text,
        (None, None) => error.to_string(),
    }
}

/// One line without controls, so that no server writes lines of our log.
fn one_line(text: &str) -> String {
    let line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Failure, Stage, Verdict, by_code, late};

    const STAGES: [Stage; 4] = [Stage::Opening, Stage::Sender, Stage::Recipient, Stage::Content];

    #[test]
    fn flt_f22_f23_fours_pass_and_fives_do_not() {
        for stage in [Stage::Sender, Stage::Recipient, Stage::Content] {
            for code in [450, 451, 452] {
                assert_eq!(by_code(stage, code), Verdict::Later, "{stage:?} {code}");
            }
            for code in [550, 551, 552, 553, 554] {
                assert_eq!(by_code(stage, code), Verdict::ForGood, "{stage:?} {code}");
            }
        }
    }

    #[test]
    fn what_stands_before_any_mail_is_no_mails_end() {
        for code in [421, 454, 500, 530, 535, 554] {
            assert_eq!(by_code(Stage::Opening, code), Verdict::ServerDown, "{code}");
        }
        for code in [421, 530, 535] {
            assert_eq!(by_code(Stage::Sender, code), Verdict::ServerDown, "{code}");
        }
        for stage in STAGES {
            assert_eq!(late(stage) == Verdict::ServerDown, stage == Stage::Opening);
        }
    }

    #[test]
    fn a_server_writes_no_lines_of_our_log() {
        let failure = Failure::new(Verdict::Later, "450 no\r\nERROR forged\u{1b}[31m\tx");
        assert_eq!(failure.reason, "450 no ERROR forged [31m x");
        assert_eq!(Failure::new(Verdict::Later, "x".repeat(1000)).reason.len(), 300);
    }
}
