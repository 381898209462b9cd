//! A mail server that does as it is told.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

/// How a line is secured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tls {
    None,
    Offered,
    Implicit,
}

/// What a server does.
pub(crate) struct Plan {
    pub(crate) tls: Tls,
    pub(crate) greeting: &'static str,
    /// What it says it can do, besides STARTTLS.
    pub(crate) offers: Vec<&'static str>,
    /// What it answers to the next commands of a verb, in place of yes. `DATA.` is the end of a
    /// mail. An empty answer hangs up.
    pub(crate) answers: HashMap<&'static str, VecDeque<&'static str>>,
    /// Before the answers to which verb it waits.
    pub(crate) waits: HashMap<&'static str, Duration>,
    /// Whether any line break ends a line of a mail.
    pub(crate) is_lax: bool,
    /// What it says unasked, right behind its yes to STARTTLS.
    pub(crate) chatter: &'static str,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            tls: Tls::None,
            greeting: "220 test server",
            offers: vec!["8BITMIME", "AUTH PLAIN LOGIN"],
            answers: HashMap::new(),
            waits: HashMap::new(),
            is_lax: false,
            chatter: "",
        }
    }
}

impl Plan {
    pub(crate) fn answer(mut self, verb: &'static str, answer: &'static str) -> Self {
        self.answers.entry(verb).or_default().push_back(answer);
        self
    }

    pub(crate) fn wait(mut self, verb: &'static str, wait: Duration) -> Self {
        self.waits.insert(verb, wait);
        self
    }
}

/// What a server has heard.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) lines: usize,
    pub(crate) commands: Vec<String>,
    pub(crate) mails: Vec<String>,
    /// What was said before the line was encrypted.
    pub(crate) in_the_clear: Vec<String>,
}

/// A running server.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) port: u16,
    /// The certificate of the authority that vouches for it.
    pub(crate) authority: Vec<u8>,
    plan: Arc<Mutex<Plan>>,
    heard: Arc<Mutex<Heard>>,
    acceptor: TlsAcceptor,
}

fn certificates(host: &str) -> (Vec<u8>, TlsAcceptor) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let leaf_key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![host.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&leaf_key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = leaf_key.serialize_der().try_into().unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    (authority.into_bytes(), TlsAcceptor::from(Arc::new(config)))
}

impl Server {
    pub(crate) async fn start(plan: Plan) -> Self {
        Self::named("localhost", plan).await
    }

    /// With a certificate for that host.
    pub(crate) async fn named(host: &str, plan: Plan) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (authority, acceptor) = certificates(host);
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            authority,
            plan: Arc::new(Mutex::new(plan)),
            heard: Arc::default(),
            acceptor,
        };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.heard().lines += 1;
                let server = serving.clone();
                tokio::spawn(async move { server.serve(stream).await });
            }
        });
        server
    }

    pub(crate) fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap()
    }

    pub(crate) fn plan_mut(&self) -> MutexGuard<'_, Plan> {
        self.plan()
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap()
    }

    async fn serve(&self, stream: TcpStream) {
        let tls = self.plan().tls;
        if tls == Tls::Implicit {
            if let Ok(stream) = self.acceptor.accept(stream).await {
                self.talk(stream, true, true).await;
            }
            return;
        }
        let Some(stream) = self.talk(stream, tls == Tls::None, true).await else { return };
        if let Ok(stream) = self.acceptor.accept(stream).await {
            self.talk(stream, true, false).await;
        }
    }

    /// Talks until the other side hangs up or, unless nothing more is to be secured, STARTTLS.
    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        is_final: bool,
        greets: bool,
    ) -> Option<S> {
        let mut stream = BufReader::new(stream);
        if greets {
            let greeting = format!("{}\r\n", self.plan().greeting);
            self.pause("GREETING").await;
            stream.write_all(greeting.as_bytes()).await.ok()?;
        }
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_owned();
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
            self.heard().commands.push(line.clone());
            if !is_final {
                self.heard().in_the_clear.push(line.clone());
            }
            let planned = self.answer_to(&verb, is_final);
            self.pause(&verb).await;
            if planned.is_empty() {
                return None;
            }
            stream.write_all(planned.as_bytes()).await.ok()?;
            if verb == "STARTTLS" && planned.starts_with("220") {
                return Some(stream.into_inner());
            }
            if verb == "DATA" && planned.starts_with("354") {
                let mail = self.mail(&mut stream).await?;
                let answer = self.answer_to("DATA.", is_final);
                self.pause("DATA.").await;
                if answer.starts_with('2') {
                    self.heard().mails.push(mail);
                }
                if answer.is_empty() {
                    return None;
                }
                stream.write_all(answer.as_bytes()).await.ok()?;
            }
        }
    }

    async fn mail<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut BufReader<S>,
    ) -> Option<String> {
        let is_lax = self.plan().is_lax;
        let (mut mail, mut line) = (String::new(), String::new());
        loop {
            let byte = stream.read_u8().await.ok()?;
            line.push(char::from(byte));
            let ends = if is_lax { matches!(byte, b'\r' | b'\n') } else { line.ends_with("\r\n") };
            if !ends {
                continue;
            }
            if line.trim_end() == "." && (is_lax || line == ".\r\n") {
                // The rest of the line break that ended it.
                if is_lax && stream.fill_buf().await.ok()?.first() == Some(&b'\n') {
                    stream.consume(1);
                }
                return Some(mail);
            }
            mail.push_str(line.strip_prefix('.').unwrap_or(&line));
            line.clear();
        }
    }

    fn answer_to(&self, verb: &str, is_final: bool) -> String {
        let mut plan = self.plan();
        let planned = plan.answers.get_mut(verb).and_then(VecDeque::pop_front);
        if let Some(answer) = planned {
            return if answer.is_empty() { String::new() } else { format!("{answer}\r\n") };
        }
        match verb {
            "EHLO" => {
                let mut lines = vec!["test.example"];
                lines.extend(&plan.offers);
                if !is_final {
                    lines.push("STARTTLS");
                }
                let last = lines.pop().unwrap();
                let mut answer = String::new();
                for line in lines {
                    answer += &["250-", line, "\r\n"].concat();
                }
                answer + &["250 ", last, "\r\n"].concat()
            }
            "STARTTLS" => format!("220 go ahead\r\n{}", plan.chatter),
            "DATA" => "354 go on\r\n".to_owned(),
            "AUTH" => "235 welcome\r\n".to_owned(),
            "DATA." => "250 2.0.0 queued\r\n".to_owned(),
            _ => "250 ok\r\n".to_owned(),
        }
    }

    async fn pause(&self, verb: &str) {
        let wait = self.plan().waits.get(verb).copied();
        if let Some(wait) = wait {
            tokio::time::sleep(wait).await;
        }
    }
}
