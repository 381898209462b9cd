//! Opening a line: the network, and TLS as far as it is wanted.

use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::io::{AsyncRead as PlainRead, AsyncWrite as PlainWrite};
#[expect(
    deprecated,
    reason = "the only way to encrypt a stream of one's own by lettre's rules"
)]
use lettre::transport::smtp::client::AsyncNetworkStream;
use lettre::transport::smtp::{
    client::{AsyncTokioStream, TlsParameters},
    extension::ClientId,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, ReadBuf},
    net::TcpStream,
    time::timeout,
};

use super::{Security, SmtpSettings, too_late};
use crate::classify::{Failure, Stage, Verdict, classify};

/// No answer to a greeting is longer.
const LONGEST_ANSWER: u64 = 8 * 1024;

/// Opens a line on which the server's greeting comes next.
pub(super) async fn open(
    settings: &SmtpSettings,
    tls: Option<&TlsParameters>,
    name: &ClientId,
) -> Result<Box<dyn AsyncTokioStream>, Failure> {
    let SmtpSettings { host, port, security, step, .. } = settings;
    let unreachable = |error: io::Error| down(format!("{host}:{port} cannot be reached: {error}"));
    let mut stream = match timeout(*step, TcpStream::connect((&**host, *port))).await {
        Ok(connected) => connected.map_err(unreachable)?,
        Err(_) => return Err(too_late(*step, Stage::Opening)),
    };
    stream.set_nodelay(true).map_err(unreachable)?;
    let Some(tls) = tls else {
        return Ok(Line::boxed(Stream::Plain(stream), b""));
    };
    let greeting: &'static [u8] = match security {
        Security::StartTls => {
            match timeout(*step, ask_for_tls(&mut stream, name)).await {
                Ok(asked) => asked?,
                Err(_) => return Err(too_late(*step, Stage::Opening)),
            }
            // The server greeted before, and does not do so again.
            b"220 encrypted\r\n"
        }
        Security::None | Security::Implicit => b"",
    };
    #[expect(deprecated, reason = "see above")]
    let mut stream = AsyncNetworkStream::use_existing_tokio1(Box::new(stream));
    match timeout(*step, stream.upgrade_tls(tls.clone())).await {
        Ok(Ok(())) => Ok(Line::boxed(Stream::Encrypted(stream), greeting)),
        Ok(Err(error)) => Err(classify(Stage::Opening, &error)),
        Err(_) => Err(too_late(*step, Stage::Opening)),
    }
}

/// The words up to STARTTLS. Nothing that was said so far is believed later, and a server that
/// says more than it was asked is not spoken to: it would be taken for an encrypted answer
/// (CVE-2011-0411 and its kind).
async fn ask_for_tls(stream: &mut TcpStream, name: &ClientId) -> Result<(), Failure> {
    let mut stream = BufReader::new(stream);
    let greeting = answer(&mut stream).await?;
    expect(&greeting, "220")?;
    stream.write_all(format!("EHLO {name}\r\n").as_bytes()).await.map_err(|error| lost(&error))?;
    let offered = answer(&mut stream).await?;
    expect(&offered, "250")?;
    let offers = offered
        .lines()
        .any(|line| line.get(4..).is_some_and(|word| word.trim().eq_ignore_ascii_case("STARTTLS")));
    if !offers {
        return Err(down("the mail server offers no STARTTLS; nothing is sent unencrypted"));
    }
    stream.write_all(b"STARTTLS\r\n").await.map_err(|error| lost(&error))?;
    expect(&answer(&mut stream).await?, "220")?;
    if stream.buffer().is_empty() {
        Ok(())
    } else {
        Err(down("the mail server said more than it was asked before the line was encrypted"))
    }
}

/// One answer of one or more lines (RFC 5321 section 4.2.1).
async fn answer(stream: &mut BufReader<&mut TcpStream>) -> Result<String, Failure> {
    let mut whole = String::new();
    loop {
        let begin = whole.len();
        let room = LONGEST_ANSWER.saturating_sub(begin as u64);
        let read =
            (&mut *stream).take(room).read_line(&mut whole).await.map_err(|error| lost(&error))?;
        let line = whole.get(begin..).unwrap_or_default();
        if read == 0 || !line.ends_with('\n') || line.len() < 4 {
            return Err(down("the mail server's answer makes no sense"));
        }
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(whole);
        }
    }
}

fn expect(answer: &str, code: &str) -> Result<(), Failure> {
    if answer.starts_with(code) { Ok(()) } else { Err(down(answer.trim_end())) }
}

fn lost(error: &io::Error) -> Failure {
    down(format!("the line was lost: {error}"))
}

fn down(reason: impl AsRef<str>) -> Failure {
    Failure::new(Verdict::ServerDown, reason)
}

/// A line, before which a greeting stands that the server gave in the clear.
struct Line {
    stream: Stream,
    greeting: &'static [u8],
    /// How many bytes of the answer's present line were read.
    column: usize,
}

#[expect(clippy::large_enum_variant, reason = "a handful of lines at a time")]
enum Stream {
    Plain(TcpStream),
    #[expect(deprecated, reason = "see above")]
    Encrypted(AsyncNetworkStream),
}

impl Line {
    fn boxed(stream: Stream, greeting: &'static [u8]) -> Box<dyn AsyncTokioStream> {
        Box::new(Self { stream, greeting, column: 0 })
    }

    /// Passes an answer on. A code may stand alone (RFC 5321 section 4.2), which lettre does not
    /// know: it is given the blank that it looks for.
    fn pass_on(&mut self, answer: &[u8], buffer: &mut ReadBuf<'_>) {
        for byte in answer {
            if self.column == 3 && matches!(byte, b'\r' | b'\n') {
                buffer.put_slice(b" ");
            }
            buffer.put_slice(&[*byte]);
            self.column = if *byte == b'\n' { 0 } else { self.column + 1 };
        }
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.greeting.is_empty() {
            let (now, later) = self.greeting.split_at(self.greeting.len().min(buffer.remaining()));
            buffer.put_slice(now);
            self.greeting = later;
            return Poll::Ready(Ok(()));
        }
        // Half the room, so that what is added fits too.
        let mut part = [0; 2048];
        let room = (buffer.remaining() / 2).clamp(1, part.len());
        let read = match &mut self.stream {
            Stream::Plain(stream) => {
                let mut read = ReadBuf::new(&mut part[..room]);
                ready!(Pin::new(stream).poll_read(cx, &mut read))?;
                read.filled().len()
            }
            Stream::Encrypted(stream) => {
                ready!(PlainRead::poll_read(Pin::new(stream), cx, &mut part[..room]))?
            }
        };
        self.pass_on(&part[..read], buffer);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Encrypted(stream) => PlainWrite::poll_write(Pin::new(stream), cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Encrypted(stream) => PlainWrite::poll_flush(Pin::new(stream), cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Encrypted(stream) => PlainWrite::poll_close(Pin::new(stream), cx),
        }
    }
}

impl AsyncTokioStream for Line {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.stream {
            Stream::Plain(stream) => stream.peer_addr(),
            Stream::Encrypted(stream) => stream.peer_addr(),
        }
    }
}
