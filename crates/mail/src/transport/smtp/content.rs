//! A mail as it goes over the line.

use std::fmt::{self, Display, Formatter};

/// A mail with the dot that ends it, to be written as if it were a command: as one.
///
/// Whatever ends a line ends it as RFC 5321 section 2.3.8 wants it, and a line that begins with a
/// dot gets another before it (section 4.5.2). A lone CR or LF is never passed on: some servers
/// take it for the end of a line, and with a dot behind it for the end of the mail, after which
/// the rest of it would be commands (CVE-2023-51764 and its kind).
pub(super) struct Content<'a>(pub(super) &'a [u8]);

impl Display for Content<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // Mails are written as ASCII; what else an odd one may hold is not lost silently.
        let text = String::from_utf8_lossy(self.0);
        let mut rest = &*text;
        while !rest.is_empty() {
            let (line, after) = match rest.find(['\r', '\n']) {
                Some(at) => rest.split_at(at),
                None => (rest, ""),
            };
            if line.starts_with('.') {
                f.write_str(".")?;
            }
            f.write_str(line)?;
            f.write_str("\r\n")?;
            rest = after
                .strip_prefix("\r\n")
                .or_else(|| after.strip_prefix(['\r', '\n']))
                .unwrap_or_default();
        }
        // The command itself ends with the last line break.
        f.write_str(".\r\n")
    }
}

#[cfg(test)]
mod tests {
    use super::Content;

    fn wire(bytes: &[u8]) -> String {
        Content(bytes).to_string()
    }

    #[test]
    fn a_mail_ends_with_a_dot_on_a_line_of_its_own() {
        assert_eq!(wire(b"a\r\n\r\nb\r\n"), "a\r\n\r\nb\r\n.\r\n");
        assert_eq!(wire(b"a"), "a\r\n.\r\n");
        assert_eq!(wire(b""), ".\r\n");
    }

    #[test]
    fn a_dot_that_begins_a_line_is_doubled() {
        assert_eq!(wire(b".\r\n..x\r\na.\r\n"), "..\r\n...x\r\na.\r\n.\r\n");
    }

    #[test]
    fn atk_a046_no_way_to_end_a_line_ends_the_mail() {
        for end in ["\r\n", "\n", "\r", "\n\r", "\r\r\n", "\n\n"] {
            let text = wire(format!("a{end}.{end}MAIL FROM:<x@y.z>{end}").as_bytes());
            let inner = text.strip_suffix("\r\n.\r\n").unwrap();
            assert!(inner.contains("\r\n..\r\n"), "{end:?}: {text:?}");
            for broken in inner.split("\r\n") {
                assert!(!broken.contains(['\r', '\n']) && broken != ".", "{end:?}: {text:?}");
            }
        }
    }
}
