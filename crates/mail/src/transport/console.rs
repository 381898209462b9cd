//! Mails on the standard output, for the developer's desk.

use std::{
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;

use super::{Transport, not_written};
use crate::{classify::Failure, message::Letter};

/// Prints each mail as its reader would see it: who, what about, and the text, in which a link
/// has a line of its own.
pub struct ConsoleTransport(Mutex<Box<dyn Write + Send>>);

impl Default for ConsoleTransport {
    fn default() -> Self {
        Self::to(Box::new(io::stdout()))
    }
}

impl ConsoleTransport {
    /// Prints elsewhere.
    pub fn to(writer: Box<dyn Write + Send>) -> Self {
        Self(Mutex::new(writer))
    }
}

#[async_trait]
impl Transport for ConsoleTransport {
    fn name(&self) -> &'static str {
        "console"
    }

    async fn deliver(&self, letter: &Letter) -> Result<String, Failure> {
        let rule = "-".repeat(72);
        let text = format!(
            "{rule}\nTo:      {}\nSubject: {}\nId:      <{}>\n\n{}\n{rule}\n",
            letter.to,
            letter.subject,
            letter.message_id,
            letter.text.trim_end(),
        );
        let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match writer.write_all(text.as_bytes()).and_then(|()| writer.flush()) {
            Ok(()) => Ok("printed".to_owned()),
            Err(error) => Err(not_written(&format!("the standard output: {error}"))),
        }
    }

    async fn probe(&self) -> Result<String, Failure> {
        Ok("mails are printed on the standard output".to_owned())
    }
}
