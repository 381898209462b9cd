//! What stands between the directory and the library that reads its answers.
//!
//! The library takes messages of any size, nests as deep as they do and believes that they are
//! sound: 100,000 levels in 600 kB end the whole process, by its stack. So it never sees the
//! directory. It talks to one end of a pair of sockets; at the other end each message is looked
//! at, and passed on when it is an answer to what was asked, sound, and not too much.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::UnixStream,
};
use zeroize::Zeroizing;

use super::ber::{self, Message, op};
use crate::http::LARGEST_ANSWER;

/// A connection to a directory, encrypted or not.
pub(super) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// What was wrong with an answer, once something was.
pub(super) type Noticed = Arc<OnceLock<&'static str>>;

/// Why a message was not read.
#[derive(Debug)]
pub(super) enum Unread {
    /// The connection has ended.
    Ended(io::Error),
    /// It is no message, or one that is not wanted.
    Nonsense(&'static str),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Ended(error)
    }
}

/// Reads one message, and not a byte of what comes behind it.
pub(super) async fn read_message(
    from: &mut (impl AsyncRead + Unpin),
    most: usize,
) -> Result<Zeroizing<Vec<u8>>, Unread> {
    let mut message = Zeroizing::new(vec![from.read_u8().await?]);
    if message[0] != ber::SEQUENCE {
        return Err(Unread::Nonsense("answered something that is not LDAP"));
    }
    let content = loop {
        message.push(from.read_u8().await?);
        match ber::length(&message[1..]) {
            Ok(Some((length, _))) => break length,
            Ok(None) => {}
            Err(()) => return Err(Unread::Nonsense("answered something that is not LDAP")),
        }
    };
    if content > most {
        return Err(Unread::Nonsense("answered more than 1 MiB"));
    }
    let head = message.len();
    message.resize(head + content, 0);
    from.read_exact(&mut message[head..]).await?;
    Ok(message)
}

/// What was asked last: the library asks one thing after the other.
struct Asked {
    id: u32,
    op: u8,
    /// How many bytes of an answer are still taken.
    left: usize,
}

impl Asked {
    const NOTHING: Self = Self { id: 0, op: 0, left: LARGEST_ANSWER };
}

/// Passes messages to and fro until either side ends or talks nonsense.
pub(super) async fn pass(server: Box<dyn Io>, near: UnixStream, noticed: Noticed) {
    let (from_server, mut to_server) = tokio::io::split(server);
    let (mut from_near, mut to_near) = near.into_split();
    let mut from_server = BufReader::new(from_server);
    let asked = Mutex::new(Asked::NOTHING);
    let requests = async {
        loop {
            let message = read_message(&mut from_near, usize::MAX).await?;
            if let Some(Message { id, op, .. }) = Message::head(&message) {
                *lock(&asked) = Asked { id, op, left: LARGEST_ANSWER };
            }
            to_server.write_all(&message).await?;
            to_server.flush().await?;
        }
    };
    let answers = async {
        loop {
            let left = lock(&asked).left;
            let message = read_message(&mut from_server, left).await?;
            if !is_wanted(&message, &mut lock(&asked))? {
                return Ok(());
            }
            to_near.write_all(&message).await?;
        }
    };
    let ended: Result<(), Unread> = tokio::select! {
        ended = requests => ended,
        ended = answers => ended,
    };
    // Before the library is left alone, so that whoever waits for it can be told why.
    if let Err(Unread::Nonsense(what)) = ended {
        let _ = noticed.set(what);
    }
}

/// Whether an answer is to be passed on; not so a notice that the directory hangs up.
fn is_wanted(message: &[u8], asked: &mut Asked) -> Result<bool, Unread> {
    let unsound = Unread::Nonsense("answered something that is no answer");
    let answer = Message::answer(message).ok_or(unsound)?;
    if answer.id == 0 && answer.op == op::EXTENDED_RESPONSE {
        return Ok(false);
    }
    let is_last = match (asked.op, answer.op) {
        (op::SEARCH, op::ENTRY | op::REFERENCE) => false,
        (op::SEARCH, op::SEARCH_DONE)
        | (op::BIND, op::BIND_RESPONSE)
        | (op::EXTENDED, op::EXTENDED_RESPONSE) => true,
        _ => return Err(Unread::Nonsense("answered what it was not asked")),
    };
    if answer.id != asked.id {
        return Err(Unread::Nonsense("answered what it was not asked"));
    }
    asked.left = asked.left.saturating_sub(message.len());
    if is_last {
        asked.op = 0;
    }
    Ok(true)
}

fn lock(asked: &Mutex<Asked>) -> MutexGuard<'_, Asked> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
}
