//! What stands between a server and its database, and can fail.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

/// What it does with what comes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Hands it on.
    Open = 0,
    /// Cuts every connection, and those to come.
    Cut = 1,
    /// Takes it and hands nothing on: a database that is too slow to be of use.
    Stall = 2,
}

pub(crate) struct Proxy {
    mode: Arc<AtomicU8>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    pub(crate) url: String,
}

impl Proxy {
    /// In front of the database at this address.
    pub(crate) fn before(url: &str, mode: Mode) -> Self {
        let mut through = url::Url::parse(url).unwrap();
        let host = through.host_str().unwrap().to_owned();
        let target = (host, through.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own: SocketAddr = listener.local_addr().unwrap();
        through.set_host(Some("127.0.0.1")).unwrap();
        through.set_port(Some(own.port())).unwrap();
        let proxy = Self {
            mode: Arc::new(AtomicU8::new(mode as u8)),
            open: Arc::default(),
            url: through.to_string(),
        };
        let (mode, open) = (Arc::clone(&proxy.mode), Arc::clone(&proxy.open));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if mode.load(Ordering::SeqCst) == Mode::Cut as u8 {
                    let _ = client.shutdown(Shutdown::Both);
                    continue;
                }
                let Ok(server) = TcpStream::connect((target.0.as_str(), target.1)) else {
                    continue;
                };
                let ends = [client, server];
                open.lock().unwrap().extend(ends.iter().map(|end| end.try_clone().unwrap()));
                for (from, to) in [(0, 1), (1, 0)] {
                    let mode = Arc::clone(&mode);
                    let (from, to) =
                        (ends[from].try_clone().unwrap(), ends[to].try_clone().unwrap());
                    std::thread::spawn(move || hand_on(from, to, &mode));
                }
            }
        });
        proxy
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::SeqCst);
        if mode == Mode::Cut {
            for end in self.open.lock().unwrap().drain(..) {
                let _ = end.shutdown(Shutdown::Both);
            }
        }
    }
}

fn hand_on(mut from: TcpStream, mut to: TcpStream, mode: &AtomicU8) {
    let mut chunk = [0; 16 * 1024];
    while let Ok(read) = from.read(&mut chunk) {
        while mode.load(Ordering::SeqCst) == Mode::Stall as u8 {
            std::thread::sleep(Duration::from_millis(20));
        }
        if read == 0 || to.write_all(&chunk[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
