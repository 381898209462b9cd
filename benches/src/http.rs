//! As much of HTTP/1.1 (RFC 9112) as a generator of load needs: requests that are made once and
//! sent often, answers that are counted and not kept.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// A request, ready to be sent as it is.
#[derive(Clone, Debug)]
pub struct Request(Vec<u8>);

impl Request {
    /// A GET, with a cookie header if there is one.
    pub fn get(host: SocketAddr, path: &str, cookie: Option<&str>) -> Self {
        let cookie = cookie.map_or_else(String::new, |cookie| format!("Cookie: {cookie}\r\n"));
        Self(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{cookie}\r\n").into_bytes())
    }

    /// A POST of a JSON document.
    pub fn post(host: SocketAddr, path: &str, body: &serde_json::Value) -> Self {
        let body = body.to_string();
        let length = body.len();
        Self(
            format!(
                "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
                 Content-Length: {length}\r\n\r\n{body}"
            )
            .into_bytes(),
        )
    }
}

/// What matters of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// How many bytes it took, head and body.
    pub bytes: usize,
    /// Whether the server closes the connection after it.
    pub closes: bool,
    /// Whether it says when to try again.
    pub has_retry_after: bool,
}

/// Reads one answer off the beginning of what has arrived; `None` while it is incomplete.
pub fn parse(bytes: &[u8]) -> io::Result<Option<Answer>> {
    let Some(head_end) = find(bytes, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..head_end]).map_err(malformed)?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1."))
        .and_then(|line| line.get(2..5))
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| malformed("no status line"))?;
    let mut answer =
        Answer { status, bytes: 0, closes: head.starts_with("HTTP/1.0"), has_retry_after: false };
    let (mut length, mut is_chunked) = (0, false);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().map_err(malformed)?;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            is_chunked = value.eq_ignore_ascii_case("chunked");
        } else if name.eq_ignore_ascii_case("connection") {
            answer.closes = value.eq_ignore_ascii_case("close");
        } else if name.eq_ignore_ascii_case("retry-after") {
            answer.has_retry_after = true;
        }
    }
    let body = &bytes[head_end + 4..];
    let body_length = if is_chunked {
        chunked(body)?
    } else {
        Some(length).filter(|length| *length <= body.len())
    };
    Ok(body_length.map(|length| Answer { bytes: head_end + 4 + length, ..answer }))
}

/// The length of a chunked body without trailers; `None` while it is incomplete.
fn chunked(body: &[u8]) -> io::Result<Option<usize>> {
    let mut at = 0;
    loop {
        let Some(line) = find(&body[at..], b"\r\n") else {
            return Ok(None);
        };
        let size = std::str::from_utf8(&body[at..at + line]).map_err(malformed)?;
        let size = usize::from_str_radix(size, 16).map_err(malformed)?;
        at += line + 2 + size + 2;
        if at > body.len() {
            return Ok(None);
        }
        if size == 0 {
            return Ok(Some(at));
        }
    }
}

/// The name and the value of the first cookie that an answer sets.
fn cookie_in(answer: &str) -> Option<String> {
    let (head, _) = answer.split_once("\r\n\r\n")?;
    let mut headers = head.lines().filter_map(|line| line.split_once(':'));
    let (_, cookie) = headers.find(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))?;
    cookie.split(';').next().map(|pair| pair.trim().to_owned())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|at| at == wanted)
}

fn malformed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

/// A connection that is used for one request after the other.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    inbox: Vec<u8>,
    filled: usize,
}

impl Connection {
    /// Connects; a blocking read gives up after `patience`.
    pub fn open(address: SocketAddr, patience: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(patience))?;
        Ok(Self { address, stream, inbox: vec![0; 16 * 1024], filled: 0 })
    }

    /// The socket, to be waited for.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Where it leads to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends a request; the last one must have been answered.
    pub fn send(&mut self, request: &Request) -> io::Result<()> {
        // A request fits the socket's buffer many times over, so it is never sent by halves.
        self.stream.write_all(&request.0)
    }

    /// Reads what has arrived, once. `None` while the answer is incomplete.
    pub fn receive_some(&mut self) -> io::Result<Option<Answer>> {
        if self.filled == self.inbox.len() {
            self.inbox.resize(self.inbox.len() * 2, 0);
        }
        let read = match self.stream.read(&mut self.inbox[self.filled..]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        };
        self.filled += read;
        let answer = parse(&self.inbox[..self.filled])?;
        if let Some(answer) = answer {
            if answer.bytes != self.filled {
                return Err(malformed("the server sent more than was asked for"));
            }
            self.filled = 0;
        }
        Ok(answer)
    }

    /// Sends a request and answers the first cookie that comes back, as it is to be sent.
    pub fn ask_cookie(&mut self, request: &Request) -> io::Result<String> {
        let answer = self.ask(request)?;
        let text = String::from_utf8_lossy(&self.inbox[..answer.bytes]);
        cookie_in(&text).ok_or_else(|| malformed("no cookie was set"))
    }

    /// Sends a request and waits for its answer, at most for the patience it was opened with
    /// after each piece of it.
    pub fn ask(&mut self, request: &Request) -> io::Result<Answer> {
        self.send(request)?;
        loop {
            let before = self.filled;
            match self.receive_some()? {
                Some(answer) => return Ok(answer),
                None if self.filled == before => return Err(ErrorKind::TimedOut.into()),
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nx: y\r\n\r\nabc";

    #[test]
    fn an_answer_is_complete_with_its_last_byte() {
        for cut in 0..OK.len() {
            assert_eq!(parse(&OK[..cut]).unwrap(), None, "cut at {cut}");
        }
        let answer = parse(OK).unwrap().unwrap();
        assert_eq!((answer.status, answer.bytes), (200, OK.len()));
        assert!(!answer.closes && !answer.has_retry_after);
    }

    #[test]
    fn chunks_are_added_up() {
        let text = b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\
            Retry-After: 1\r\n\r\n3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n";
        for cut in 0..text.len() {
            assert_eq!(parse(&text[..cut]).unwrap(), None, "cut at {cut}");
        }
        let answer = parse(text).unwrap().unwrap();
        assert_eq!((answer.status, answer.bytes), (503, text.len()));
        assert!(answer.closes && answer.has_retry_after);
    }

    #[test]
    fn a_cookie_is_sent_back_without_its_attributes() {
        let answer = "HTTP/1.1 200 OK\r\nSet-Cookie: id=a=b; Path=/; HttpOnly\r\n\r\n";
        assert_eq!(cookie_in(answer).as_deref(), Some("id=a=b"));
        assert_eq!(cookie_in("HTTP/1.1 200 OK\r\n\r\nset-cookie: a=b"), None);
    }

    #[test]
    fn what_is_not_http_is_an_error() {
        assert!(parse(b"SSH-2.0-OpenSSH\r\n\r\n").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n").is_err());
    }
}
