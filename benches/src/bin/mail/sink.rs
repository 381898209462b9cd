//! A mail server that takes everything at once, and one that never says a word.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Takes mails and counts them. Its lines are as the kernel opens them: what it has heard and has
/// nothing to answer to is acknowledged after 40 ms.
pub(crate) struct Sink {
    pub(crate) port: u16,
    taken: Arc<AtomicUsize>,
}

impl Sink {
    /// On the cores of the calling thread.
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&taken);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counter = Arc::clone(&counter);
                // A line that is lost is the other side's to notice.
                thread::spawn(move || serve(stream, &counter));
            }
        });
        Ok(Self { port, taken })
    }

    /// How many mails it has taken.
    pub(crate) fn count(&self) -> usize {
        self.taken.load(Ordering::Acquire)
    }
}

fn serve(mut stream: TcpStream, taken: &AtomicUsize) -> io::Result<()> {
    let mut heard = BufReader::new(stream.try_clone()?);
    let mut line = Vec::new();
    stream.write_all(b"220 sink\r\n")?;
    loop {
        line.clear();
        if heard.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        line.make_ascii_uppercase();
        let answer: &[u8] = match line.get(..4) {
            Some(b"EHLO") => b"250-sink\r\n250-SIZE 33554432\r\n250 8BITMIME\r\n",
            Some(b"DATA") => {
                stream.write_all(b"354 go on\r\n")?;
                while line != b".\r\n" {
                    line.clear();
                    if heard.read_until(b'\n', &mut line)? == 0 {
                        return Ok(());
                    }
                }
                taken.fetch_add(1, Ordering::Release);
                b"250 taken\r\n"
            }
            Some(b"QUIT") => return stream.write_all(b"221 bye\r\n"),
            _ => b"250 ok\r\n",
        };
        stream.write_all(answer)?;
    }
}

/// A mail server that takes calls and never says a word; its port.
pub(crate) fn silent() -> io::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || listener.incoming().flatten().collect::<Vec<_>>());
    Ok(port)
}
