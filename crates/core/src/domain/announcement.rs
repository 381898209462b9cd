//! What an administrator tells many people at once, by mail.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    invalid::{FieldError, Invalid},
    text,
};
use crate::{
    id::{AnnouncementId, GroupId, UserId},
    time::Timestamp,
};

/// What is written down of its mails that were never sent.
pub const TAKEN_BACK: &str = "the announcement was taken back";
/// The most characters of a subject.
const LONGEST_SUBJECT: usize = 150;
/// The most characters of a text, and of one of its lines.
const LONGEST_TEXT: usize = 20_000;
/// The most groups, and the most people, that can be named one by one.
const MOST_GROUPS: usize = 100;
const MOST_USERS: usize = 1000;

/// Whom something is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everybody who has an account.
    Everyone,
    /// Whoever is in one of these groups, directly or through others.
    Groups(Vec<GroupId>),
    /// Whoever holds this permission as a whole.
    Permission(String),
    /// These.
    Users(Vec<UserId>),
}

impl Audience {
    /// Refuses lists that are empty or longer than anybody fills in.
    pub fn check(&self) -> Result<(), FieldError> {
        let (named, most) = match self {
            Self::Everyone | Self::Permission(_) => return Ok(()),
            Self::Groups(groups) => (groups.len(), MOST_GROUPS),
            Self::Users(users) => (users.len(), MOST_USERS),
        };
        if named == 0 {
            return Err(FieldError::new("to", "required", "names nobody"));
        }
        if named > most {
            return Err(FieldError::new("to", "too_many", format!("names more than {most}")));
        }
        Ok(())
    }
}

/// What is said: one line, and a text of any number of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Words {
    /// The subject, without the site's prefix.
    pub subject: String,
    /// The text; its lines end with `\n`.
    pub text: String,
}

impl Words {
    /// Reads what somebody typed. Nothing in it can begin a header, hide or turn around what a
    /// reader sees; tabs become blanks.
    pub fn parse(subject: &str, text: &str) -> Result<Self, Invalid> {
        let mut errors = Vec::new();
        let mut keep = |read: Result<String, FieldError>| read.map_err(|e| errors.push(e)).ok();
        let subject = keep(text::name("subject", subject.trim_matches(' '), LONGEST_SUBJECT));
        let text = keep(lines(text));
        match (subject, text) {
            (Some(subject), Some(text)) => Ok(Self { subject, text }),
            _ => Err(Invalid(errors)),
        }
    }
}

fn lines(text: &str) -> Result<String, FieldError> {
    let mut lines = Vec::new();
    for line in text.replace("\r\n", "\n").replace('\t', "    ").split('\n') {
        lines.push(text::line("text", line.trim_end_matches(' '), LONGEST_TEXT)?);
    }
    let text = lines.join("\n").trim_matches('\n').to_owned();
    if text.trim().is_empty() {
        return Err(FieldError::new("text", "required", "is empty"));
    }
    if text.chars().nth(LONGEST_TEXT).is_some() {
        let message = format!("has more than {LONGEST_TEXT} characters");
        return Err(FieldError::new("text", "too_long", message));
    }
    Ok(text)
}

/// Without the words: they are for those who get the mail.
impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words")
    }
}

/// How far an announcement has got, in people. Together they are all whom it was meant for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// It is still to be sent to them.
    pub waiting: u64,
    /// A mail server has taken it for them.
    pub sent: u64,
    /// It was given up.
    pub failed: u64,
    /// They have no address.
    pub without_address: u64,
    /// Their account was gone or disabled before it was their turn.
    pub left_out: u64,
    /// It was taken back before it was their turn.
    pub cancelled: u64,
}

/// What an administrator told many people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Its id; ordered by time.
    pub id: AnnouncementId,
    /// What it says.
    pub words: Words,
    /// Whom it was told.
    pub audience: Audience,
    /// Whether also those whose accounts cannot be used.
    pub include_inactive: bool,
    /// Who told it; none for the command line.
    pub author_id: Option<UserId>,
    /// The name of who told it, at that time.
    pub author: String,
    /// When.
    pub created_at: Timestamp,
    /// When what still waited was taken back.
    pub cancelled_at: Option<Timestamp>,
    /// How far it has got.
    pub progress: Progress,
}

impl Announcement {
    /// In a word: `sending`, `sent` or `cancelled`.
    pub const fn state(&self) -> &'static str {
        match (self.cancelled_at, self.progress.waiting) {
            (Some(_), _) => "cancelled",
            (None, 0) => "sent",
            (None, _) => "sending",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Audience, LONGEST_SUBJECT, LONGEST_TEXT, Words};

    fn refused(subject: &str, text: &str) -> Vec<(&'static str, &'static str)> {
        let errors = Words::parse(subject, text).unwrap_err().0;
        errors.into_iter().map(|error| (error.field, error.code)).collect()
    }

    #[test]
    fn seed_cn_41_a_subject_is_one_line_without_anything_that_hides() {
        for bad in ["a\nBcc: x@example.org", "a\r\nb", "a\n", "a\u{2028}b", "a\0b", "a\u{202E}b"] {
            assert_eq!(refused(bad, "text"), [("subject", "forbidden_character")], "{bad:?}");
        }
        assert_eq!(refused(" ", "text"), [("subject", "required")]);
        assert_eq!(refused(&"x".repeat(LONGEST_SUBJECT + 1), "text"), [("subject", "too_long")]);
    }

    #[test]
    fn a_text_keeps_its_lines_and_nothing_that_hides() {
        let words = Words::parse(" Wartung 🦊 ", "\r\nEins\r\n\r\n\tПривет  \nתודה\n\n").unwrap();
        assert_eq!((&*words.subject, &*words.text), ("Wartung 🦊", "Eins\n\n    Привет\nתודה"));
        assert_eq!(refused("a", "x\u{202E}y"), [("text", "forbidden_character")]);
        assert_eq!(refused("a", "x\ry"), [("text", "forbidden_character")]);
        assert_eq!(refused("a", " \n\t"), [("text", "required")]);
        let long = "x\n".repeat(LONGEST_TEXT / 2) + "xy";
        assert_eq!(refused("a", &long), [("text", "too_long")]);
        assert_eq!(refused("\n", "").len(), 2);
        assert_eq!(format!("{words:?}"), "Words");
    }

    #[test]
    fn an_audience_reads_as_it_is_written() {
        for (audience, text) in [
            (Audience::Everyone, r#""everyone""#),
            (Audience::Permission("calc.view".to_owned()), r#"{"permission":"calc.view"}"#),
            (Audience::Groups(Vec::new()), r#"{"groups":[]}"#),
        ] {
            assert_eq!(serde_json::to_string(&audience).unwrap(), text);
            assert_eq!(serde_json::from_str::<Audience>(text).unwrap(), audience);
        }
        assert!(Audience::Groups(Vec::new()).check().is_err());
    }
}
