//! A letter: a written notice with its headers, as it goes over the wire.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use lettre::{
    Address, Message,
    message::{
        MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use vestibule_core::{Email, Timestamp};

use crate::{
    address::{AddressError, Mailbox, on_the_wire},
    render::Written,
};

/// Whom mails come from, and whom answers go to.
#[derive(Clone, Debug)]
pub struct Correspondent {
    /// What stands in `From`, and where mails come back to that nobody takes.
    pub from: Mailbox,
    /// Where answers go, if not there.
    pub reply_to: Option<Mailbox>,
}

/// What is particular to one letter.
pub(crate) struct Particulars<'a> {
    pub(crate) name: String,
    pub(crate) to: &'a Email,
    pub(crate) message_id: &'a str,
    pub(crate) date: Timestamp,
    pub(crate) logo: Option<&'a Logo>,
}

/// A picture that goes along with every mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    /// The picture.
    pub bytes: Vec<u8>,
    /// Its media type: `image/png`.
    pub media_type: &'static str,
}

/// A letter. Its text holds what the link opens with: it is neither logged nor kept.
#[derive(Clone)]
pub struct Letter {
    /// What its file is called.
    pub name: String,
    /// For the envelope.
    pub from: Address,
    /// For the envelope: a letter has one recipient.
    pub to: Address,
    /// Without angle brackets.
    pub message_id: String,
    /// As the reader sees it.
    pub subject: String,
    /// As the reader sees it.
    pub text: String,
    /// Headers and body (RFC 5322).
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Letter({})", self.message_id)
    }
}

/// Why a letter cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// One of its addresses cannot be written to.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// It does not make a message.
    #[error("the message cannot be put together: {0}")]
    Build(#[from] lettre::error::Error),
    /// The picture has no proper type.
    #[error("the logo has no proper media type")]
    Logo,
}

/// Puts a letter together. Every value becomes a header of its own by type, encoded as RFC 2047
/// wants it, so that no value begins another header.
pub(crate) fn compose(
    correspondent: &Correspondent,
    written: Written,
    particulars: Particulars<'_>,
) -> Result<Letter, MessageError> {
    let to = on_the_wire(particulars.to)?;
    let from = on_the_wire(correspondent.from.email())?;
    let mut builder = Message::builder()
        .message_id(Some(format!("<{}>", particulars.message_id)))
        .date(system_time(particulars.date))
        .from(correspondent.from.in_header()?)
        .to(to.clone().into())
        .subject(written.subject.clone())
        // No vacation notice and no other machine is to answer (RFC 3834 section 5).
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
    if let Some(reply_to) = &correspondent.reply_to {
        builder = builder.reply_to(reply_to.in_header()?);
    }
    let message = builder.multipart(body(&written, particulars.logo)?)?;
    Ok(Letter {
        name: particulars.name,
        from,
        to,
        message_id: particulars.message_id.to_owned(),
        subject: written.subject,
        text: written.text,
        bytes: message.formatted(),
    })
}

/// The two twins; the HTML one with its picture, if there is one.
fn body(written: &Written, logo: Option<&Logo>) -> Result<MultiPart, MessageError> {
    use lettre::message::{Attachment, SinglePart};

    let (text, html) = (written.text.clone(), written.html.clone());
    let Some(logo) = logo else {
        return Ok(MultiPart::alternative_plain_html(text, html));
    };
    let media_type = logo.media_type.parse().map_err(|_| MessageError::Logo)?;
    let picture = Attachment::new_inline(LOGO_ID.to_owned()).body(logo.bytes.clone(), media_type);
    let dressed = MultiPart::related().singlepart(SinglePart::html(html)).singlepart(picture);
    Ok(MultiPart::alternative().singlepart(SinglePart::plain(text)).multipart(dressed))
}

/// By what the HTML refers to the picture (RFC 2392).
pub(crate) const LOGO_ID: &str = "logo";

fn system_time(at: Timestamp) -> SystemTime {
    let micros = u64::try_from(at.as_micros()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(subject: &str) -> Written {
        Written {
            subject: subject.to_owned(),
            text: "Grüße 🦊\n.\nFrom here on\n".to_owned(),
            html: "<p>Grüße 🦊</p>".to_owned(),
        }
    }

    fn letter(subject: &str, logo: Option<&Logo>) -> String {
        let correspondent = Correspondent {
            from: "Зал <hall@example.org>".parse().unwrap(),
            reply_to: Some("help@example.org".parse().unwrap()),
        };
        let to = Email::parse("anna@bücher.example").unwrap();
        let particulars = Particulars {
            name: "x".to_owned(),
            to: &to,
            message_id: "1@example.org",
            date: Timestamp::from_micros(1_767_225_600_000_000),
            logo,
        };
        let letter = compose(&correspondent, written(subject), particulars).unwrap();
        assert!(!format!("{letter:?}").contains("Gr"), "{letter:?}");
        String::from_utf8(letter.bytes).unwrap()
    }

    #[test]
    fn a_letter_is_ascii_and_has_each_header_once() {
        let text = letter("Пароль 🦊", None);
        assert!(text.is_ascii(), "{text}");
        for header in [
            "From: ",
            "To: ",
            "Reply-To: ",
            "Subject: ",
            "Date: ",
            "Message-ID: ",
            "MIME-Version: ",
            "Auto-Submitted: ",
        ] {
            let count = text.lines().filter(|line| line.starts_with(header)).count();
            assert_eq!(count, 1, "{header} in {text}");
        }
        assert!(text.contains("Message-ID: <1@example.org>\r\n"), "{text}");
        assert!(text.contains("To: anna@xn--bcher-kva.example\r\n"), "{text}");
        assert!(text.contains("Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n"), "{text}");
        assert!(text.contains("multipart/alternative"), "{text}");
    }

    #[test]
    fn every_line_is_short_enough_and_ends_as_it_has_to() {
        let text = letter(&"Сообщение 🦊 ".repeat(15), None);
        for line in text.split("\r\n") {
            assert!(line.len() <= 998 && !line.contains(['\r', '\n']), "{line:?}");
        }
    }

    #[test]
    fn a_logo_goes_along_and_is_found_by_the_html_alone() {
        let logo = Logo { bytes: vec![1, 2, 3], media_type: "image/png" };
        let text = letter("x", Some(&logo));
        assert!(
            text.contains("multipart/related") && text.contains("Content-ID: <logo>"),
            "{text}"
        );
    }
}
