//! What modules ask, and what they are answered.

use vestibule_auth::backends::pam::wire::Answer;
use vestibule_core::Secret;

use crate::line::Line;

/// Answers the first hidden prompt with the password and one other prompt with the code. Whatever
/// else is asked ends the process: a module that is told "no" may count it as a wrong guess.
pub(crate) struct Conversation {
    password: Option<Secret>,
    code: Option<Secret>,
    had_code: bool,
    line: Line,
}

impl Conversation {
    /// With these answers, and a line to whoever asked us.
    pub(crate) fn new(password: Option<Secret>, code: Option<Secret>, line: Line) -> Self {
        let had_code = code.is_some();
        Self { password, code, had_code, line }
    }

    /// Whether the code was asked for.
    pub(crate) fn used_code(&self) -> bool {
        self.had_code && self.code.is_none()
    }

    /// The answer to a prompt; none where there is none.
    pub(crate) fn answer(&mut self, is_hidden: bool, prompt: &[u8]) -> Option<Secret> {
        if is_hidden && let Some(password) = self.password.take() {
            return Some(password);
        }
        if let Some(code) = self.code.take() {
            return Some(code);
        }
        let answer = if self.had_code {
            let what = "the service asks for more than a password and a code";
            Answer::Misconfigured(what.to_owned())
        } else {
            Answer::Asks(shown(prompt))
        };
        self.line.end_with(&answer)
    }
}

/// The longest prompt that is shown to anybody.
const LONGEST_PROMPT: usize = 80;

/// A prompt as it may be shown: a few plain words, or words of our own. It comes from a module,
/// which may have it from anywhere.
fn shown(prompt: &[u8]) -> String {
    let neutral = || "One-time code".to_owned();
    let Ok(text) = std::str::from_utf8(prompt) else { return neutral() };
    let text = text.trim().trim_end_matches(':').trim_end();
    let is_plain = |c: char| c.is_alphanumeric() || " .,:;!?()/'-_+#".contains(c);
    let is_short = (1..=LONGEST_PROMPT).contains(&text.chars().count());
    if is_short && text.chars().all(is_plain) { text.to_owned() } else { neutral() }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_prompt_is_shown_when_it_is_a_few_plain_words() {
        assert_eq!(shown(b"One-time code: "), "One-time code");
        assert_eq!(
            shown("Bitte Code für Anna eingeben:".as_bytes()),
            "Bitte Code für Anna eingeben"
        );
        let long = "x".repeat(81);
        let hostile: [&[u8]; 7] = [
            b"<script>alert('pam')</script>",
            b"\x1b[2J\x1b]0;owned\x07 cleared",
            b"bad \xff\xfe utf-8 \xc3",
            b"line one\r\nSet-Cookie: pam=1",
            b"",
            "right\u{202e}tfel".as_bytes(),
            long.as_bytes(),
        ];
        for prompt in hostile {
            assert_eq!(shown(prompt), "One-time code", "{prompt:?}");
        }
    }
}
