//! A service over HTTP/1.1 that does what a test tells it to.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// One question, as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `POST`
    pub method: String,
    /// `/login`
    pub path: String,
    /// Their names in small letters.
    pub headers: Vec<(String, String)>,
    /// What was sent, as text.
    pub body: String,
}

impl Asked {
    /// The header of this name, in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What the service does with a question.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers with this status, these headers and this body.
    Answer(u16, Vec<(String, String)>, Vec<u8>),
    /// Says nothing, for as long as it runs.
    Hang,
    /// Sends the head of an answer and half of its body, and then nothing more.
    HangInBody,
    /// Sends the answer's bytes one by one, with this much time between.
    Drip(Duration, Vec<u8>),
    /// Cuts the connection without a word.
    Cut,
    /// Resets the connection in the middle of an answer.
    Reset,
    /// Promises more than it sends, and cuts the connection.
    CutInBody,
    /// Sends a body that never ends.
    Endless,
    /// Sends bytes that are no HTTP at all.
    Noise,
}

impl Reply {
    /// JSON, with 200.
    pub fn json(value: &serde_json::Value) -> Self {
        Self::of(200, "application/json", &value.to_string())
    }

    /// A status without a body.
    pub fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), Vec::new())
    }

    /// A status with a body of a type.
    pub fn of(status: u16, media_type: &str, body: &str) -> Self {
        let headers = vec![("content-type".to_owned(), media_type.to_owned())];
        Self::Answer(status, headers, body.as_bytes().to_vec())
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(self, name: &str, value: &str) -> Self {
        match self {
            Self::Answer(status, mut headers, body) => {
                headers.push((name.to_owned(), value.to_owned()));
                Self::Answer(status, headers, body)
            }
            other => other,
        }
    }
}

type Script = Box<dyn Fn(&Asked) -> Reply + Send>;

/// A running service; it stops when it is dropped.
pub struct Service {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    script: Mutex<Script>,
    asked: Mutex<Vec<Asked>>,
    stopped: AtomicBool,
}

impl Service {
    /// On a free port of this machine.
    pub fn start(script: impl Fn(&Asked) -> Reply + Send + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            script: Mutex::new(Box::new(script)),
            asked: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let own = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if own.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), shared) = (stream, Arc::clone(&own)) else { continue };
                thread::spawn(move || {
                    let _ = shared.serve(stream);
                });
            }
        });
        Ok(Self { address, shared })
    }

    /// The address of a path: `http://127.0.0.1:4711/login`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on, does something else.
    pub fn does(&self, script: impl Fn(&Asked) -> Reply + Send + 'static) {
        *lock(&self.shared.script) = Box::new(script);
    }

    /// From now on, does this with every question.
    pub fn always(&self, reply: Reply) {
        self.does(move |_| reply.clone());
    }

    /// What it was asked since the last look.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut lock(&self.shared.asked))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // The thread that listens looks up when somebody comes.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut stream = stream;
        while let Some(asked) = read(&mut reader)? {
            let reply = (lock(&self.script))(&asked);
            lock(&self.asked).push(asked);
            if !self.reply(&mut stream, reply)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Does it; answers whether the connection is good for another question.
    fn reply(&self, stream: &mut TcpStream, reply: Reply) -> io::Result<bool> {
        match reply {
            Reply::Answer(status, headers, body) => {
                // In one piece, so that no answer waits for the receipt of its first half.
                let mut whole = head(status, &headers, body.len()).into_bytes();
                whole.extend(body);
                stream.write_all(&whole)?;
                return Ok(true);
            }
            Reply::Hang => self.wait(),
            Reply::HangInBody => {
                stream.write_all(head(200, &[], 100).as_bytes())?;
                stream.write_all(b"half")?;
                self.wait();
            }
            Reply::Drip(pause, bytes) => {
                stream.write_all(head(200, &[], bytes.len()).as_bytes())?;
                for byte in bytes {
                    if self.stopped.load(Ordering::SeqCst) {
                        break;
                    }
                    stream.write_all(&[byte])?;
                    thread::sleep(pause);
                }
            }
            Reply::Cut => {}
            Reply::Reset => {
                stream.write_all(head(200, &[], 100).as_bytes())?;
                // What is closed at once, with something left to send, is reset (SO_LINGER, 0).
                rustix::net::sockopt::set_socket_linger(&*stream, Some(Duration::ZERO))?;
            }
            Reply::CutInBody => {
                stream.write_all(head(200, &[], 100).as_bytes())?;
                stream.write_all(b"{\"result\": tr")?;
            }
            Reply::Endless => {
                stream.write_all(head(200, &[], usize::MAX / 4).as_bytes())?;
                let some = vec![b'1'; 65536];
                while !self.stopped.load(Ordering::SeqCst) {
                    stream.write_all(&some)?;
                }
            }
            Reply::Noise => stream.write_all(b"\x00\x01\x02 220 mail.example ESMTP\r\n\r\n")?,
        }
        Ok(false)
    }

    fn wait(&self) {
        while !self.stopped.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn head(status: u16, headers: &[(String, String)], length: usize) -> String {
    let lines = headers.iter().map(|(name, value)| [name, ": ", value, "\r\n"].concat());
    let lines: String = lines.collect();
    format!("HTTP/1.1 {status} Whatever\r\ncontent-length: {length}\r\n{lines}\r\n")
}

/// The next question; none when the other side has hung up.
fn read(reader: &mut impl BufRead) -> io::Result<Option<Asked>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => {
                headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
            None => break,
        }
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse::<u64>().ok()).unwrap_or(0);
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Some(Asked { method, path, headers, body }))
}
