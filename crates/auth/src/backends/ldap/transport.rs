//! The way to a directory: TCP, and encrypted where that is wanted, before a word is said.

use std::sync::Arc;

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{io::AsyncWriteExt, net::TcpStream};
use tokio_rustls::TlsConnector;
use vestibule_core::ports::backend::Fault;

use super::{
    ber::{Message, op},
    guard::{Io, Unread, read_message},
    results,
};

/// Where a directory is.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) encryption: Encryption,
}

/// How what is said there is kept from others.
#[derive(Clone, Debug)]
pub(super) enum Encryption {
    /// Not at all.
    None,
    /// From the first byte, `ldaps://`.
    Tls(ServerName<'static>),
    /// After asking for it (RFC 4511 section 4.14); nothing else is said before.
    StartTls(ServerName<'static>),
}

/// `StartTLS` as message 1.
const START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

/// Connects.
pub(super) async fn connect(
    server: &Server,
    tls: &Arc<ClientConfig>,
) -> Result<Box<dyn Io>, Fault> {
    let mut tcp = TcpStream::connect((server.host.as_str(), server.port)).await.map_err(away)?;
    tcp.set_nodelay(true).map_err(away)?;
    let name = match &server.encryption {
        Encryption::None => return Ok(Box::new(tcp)),
        Encryption::Tls(name) => name,
        Encryption::StartTls(name) => {
            ask_for_tls(&mut tcp).await?;
            name
        }
    };
    let stream = TlsConnector::from(Arc::clone(tls)).connect(name.clone(), tcp).await;
    stream.map(|stream| Box::new(stream) as Box<dyn Io>).map_err(not_encrypted)
}

/// Whatever else is answered than yes, nothing goes on in the clear. Nothing is read beyond that
/// answer: what somebody has put behind it is taken for the beginning of TLS, and fails there.
async fn ask_for_tls(tcp: &mut TcpStream) -> Result<(), Fault> {
    tcp.write_all(START_TLS).await.map_err(away)?;
    let answer = match read_message(tcp, 4096).await {
        Ok(answer) => answer,
        Err(Unread::Ended(error)) => return Err(away(error)),
        Err(Unread::Nonsense(what)) => {
            return Err(Fault::protocol(format!("the directory {what}")));
        }
    };
    let message = Message::answer(&answer).filter(|message| message.op == op::EXTENDED_RESPONSE);
    match message.and_then(|message| message.code()) {
        Some(0) => Ok(()),
        Some(code) if results::is_passing(code) => Err(Fault::unavailable(format!(
            "the directory answers StartTLS with {}",
            results::name(code)
        ))),
        Some(code) => Err(Fault::Misconfigured(format!(
            "the directory answers StartTLS with {}, and nothing is told it in the clear",
            results::name(code)
        ))),
        None => Err(Fault::protocol("the directory answered StartTLS with nonsense")),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn away(error: std::io::Error) -> Fault {
    Fault::unavailable(format!("the directory cannot be reached: {error}"))
}

fn not_encrypted(error: std::io::Error) -> Fault {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::InvalidCertificate(why)) => {
            Fault::Misconfigured(format!("the directory's certificate is not believed: {why}"))
        }
        Some(why) => Fault::protocol(format!("no encryption with the directory: {why}")),
        None => away(error),
    }
}
