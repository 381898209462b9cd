//! Asking services over HTTP, with the rules that keep a broken or hostile one from doing harm:
//! one deadline for the whole answer, a cap on its size, no redirect followed, nothing secret over
//! plain HTTP but on this machine, no proxy, no unpacking.

use std::{net::IpAddr, path::Path, time::Duration};

use reqwest::{
    Client, ClientBuilder, Response, StatusCode, Url,
    header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER},
};
use serde_json::Value;
use vestibule_core::{Secret, ports::backend::Fault};

use crate::{json, reach::Reach};

/// The largest answer that is taken: more than any honest one has.
pub const LARGEST_ANSWER: usize = 1024 * 1024;

/// Why a service cannot be asked as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is none.
    #[error("is not a URL")]
    NotAUrl,
    /// The address is of another scheme, or carries a password.
    #[error("expected an https address without user and password")]
    NotHttps,
    /// Plain HTTP to another machine.
    #[error("is http, so that others could read along; https it has to be, except on this machine")]
    PlainHttp,
    /// A certificate cannot be read.
    #[error("is no certificate in PEM form")]
    Certificate,
    /// The client could not be set up.
    #[error("HTTPS cannot be set up: {0}")]
    Tls(String),
}

/// The address of a service: https, or http on this machine.
///
/// ```
/// use vestibule_auth::http::Address;
///
/// assert!("https://office.example/login".parse::<Address>().is_ok());
/// assert!("http://127.0.0.1:8000/login".parse::<Address>().is_ok());
/// assert!("http://office.example/login".parse::<Address>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Url);

impl std::str::FromStr for Address {
    type Err = HttpError;

    fn from_str(text: &str) -> Result<Self, HttpError> {
        let url = Url::parse(text).map_err(|_| HttpError::NotAUrl)?;
        if !url.username().is_empty() || url.password().is_some() || url.host_str().is_none() {
            return Err(HttpError::NotHttps);
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_this_machine(&url) => Ok(Self(url)),
            "http" => Err(HttpError::PlainHttp),
            _ => Err(HttpError::NotHttps),
        }
    }
}

impl Address {
    /// Its host; an IPv6 address stands in brackets.
    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The same with these pairs behind those that its query has.
    pub(crate) fn with_query<'a>(
        mut self,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        self.0.query_pairs_mut().extend_pairs(pairs);
        self
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// HTTP Basic credentials (RFC 7617).
#[derive(Clone, Debug)]
pub struct Basic {
    /// The user.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// A service's answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its media type, in small letters and without parameters.
    pub media_type: String,
    body: Vec<u8>,
}

impl Answer {
    /// Whether it is what browsers are shown: a portal or an error page that got in between.
    pub fn is_page(&self) -> bool {
        let begins = self.body.iter().find(|byte| !byte.is_ascii_whitespace());
        self.media_type == "text/html" || begins == Some(&b'<')
    }

    /// Its body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Its body as JSON; an object that has a member twice is none.
    pub fn json(&self) -> Result<Value, Fault> {
        json::strict(&self.body)
            .map_err(|_| Fault::protocol("the service answered something that is not JSON"))
    }
}

/// Asks services.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: Client,
    timeout: Duration,
}

impl HttpClient {
    /// With a deadline for each answer as a whole, and certificates (PEM) that are believed beside
    /// the system's.
    pub fn new(timeout: Duration, certificates: Option<&[u8]>) -> Result<Self, HttpError> {
        Self::build(builder(timeout), timeout, certificates)
    }

    /// The same, for addresses that a service names and nobody here: they have to be within reach.
    pub(crate) fn within(
        reach: Reach,
        timeout: Duration,
        certificates: Option<&[u8]>,
    ) -> Result<Self, HttpError> {
        Self::build(builder(timeout).dns_resolver(reach), timeout, certificates)
    }

    fn build(
        mut builder: ClientBuilder,
        timeout: Duration,
        certificates: Option<&[u8]>,
    ) -> Result<Self, HttpError> {
        if let Some(pem) = certificates {
            let found =
                reqwest::Certificate::from_pem_bundle(pem).map_err(|_| HttpError::Certificate)?;
            if found.is_empty() {
                return Err(HttpError::Certificate);
            }
            builder = builder.tls_certs_merge(found);
        }
        Self::of(builder, timeout)
    }

    /// Over a Unix socket of this machine: whatever host an address names, the socket is asked.
    pub fn over_socket(timeout: Duration, socket: &Path) -> Result<Self, HttpError> {
        Self::of(builder(timeout).unix_socket(socket), timeout)
    }

    fn of(builder: ClientBuilder, timeout: Duration) -> Result<Self, HttpError> {
        let client = builder.build().map_err(|error| HttpError::Tls(cause(&error)))?;
        Ok(Self { client, timeout })
    }

    /// Posts JSON and reads the answer. It is never asked twice: a login that was sent may have
    /// been counted.
    pub async fn post(
        &self,
        address: &Address,
        body: &Value,
        basic: Option<&Basic>,
    ) -> Result<Answer, Fault> {
        let mut request = self.client.post(address.0.clone()).json(body);
        if let Some(Basic { username, password }) = basic {
            request = request.basic_auth(username, password.expose_str());
        }
        self.read(request).await
    }

    /// The same with a bearer token (RFC 6750 section 2.1), where there is one.
    pub async fn post_as_bearer(
        &self,
        address: &Address,
        body: &Value,
        token: Option<&Secret>,
    ) -> Result<Answer, Fault> {
        let mut request = self.client.post(address.0.clone()).json(body);
        if let Some(token) = token {
            request = request.bearer_auth(token.expose_str().unwrap_or_default());
        }
        self.read(request).await
    }

    /// Gets, with nothing to tell.
    pub async fn get(&self, address: &Address) -> Result<Answer, Fault> {
        self.read(self.client.get(address.0.clone())).await
    }

    /// Gets, with our own credentials.
    pub(crate) async fn get_with_basic(
        &self,
        address: &Address,
        Basic { username, password }: &Basic,
    ) -> Result<Answer, Fault> {
        let request = self.client.get(address.0.clone());
        let request = request.basic_auth(username, password.expose_str());
        self.read(request.header(ACCEPT, "application/json")).await
    }

    /// Gets, with an access token (RFC 6750 section 2.1).
    pub(crate) async fn get_with_token(
        &self,
        address: &Address,
        token: &Secret,
    ) -> Result<Answer, Fault> {
        let request = self.client.get(address.0.clone());
        let token = token.expose_str().unwrap_or_default();
        self.read(request.bearer_auth(token).header(ACCEPT, "application/json")).await
    }

    /// Sends a request that was made elsewhere.
    pub(crate) async fn send(
        &self,
        request: oauth2::http::Request<Vec<u8>>,
    ) -> Result<Answer, Fault> {
        let request = reqwest::Request::try_from(request)
            .map_err(|_| Fault::Bug("a request that cannot be sent".to_owned()))?;
        self.read(reqwest::RequestBuilder::from_parts(self.client.clone(), request)).await
    }

    async fn read(&self, request: reqwest::RequestBuilder) -> Result<Answer, Fault> {
        let whole = async {
            let response = request.send().await.map_err(|error| fault(&error))?;
            read_whole(response).await
        };
        // One byte now and then keeps no deadline of the transport's from running out.
        match tokio::time::timeout(self.timeout, whole).await {
            Ok(answer) => answer,
            Err(_) => Err(Fault::Timeout),
        }
    }
}

fn builder(timeout: Duration) -> ClientBuilder {
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .http1_only()
        .timeout(timeout)
        .connect_timeout(timeout)
        .pool_idle_timeout(Duration::from_secs(30))
        .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
}

async fn read_whole(mut response: Response) -> Result<Answer, Fault> {
    let status = response.status();
    refuse_status(status, &response)?;
    let media_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.unwrap_or_default().split(';').next().unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| fault(&error))? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(Fault::protocol("the service answered more than 1 MiB"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status: status.as_u16(), media_type, body })
}

/// What no service may answer to any question.
fn refuse_status(status: StatusCode, response: &Response) -> Result<(), Fault> {
    if status.is_redirection() {
        return Err(Fault::protocol(format!(
            "the service answered {}, a redirect",
            status.as_u16()
        )));
    }
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let seconds = seconds.and_then(|text| text.parse::<u32>().ok()).unwrap_or(5);
        let what = format!("the service answered {}", status.as_u16());
        return Err(Fault::Unavailable { what, retry_after: seconds.clamp(1, 3600) });
    }
    Ok(())
}

fn fault(error: &reqwest::Error) -> Fault {
    if error.is_timeout() {
        Fault::Timeout
    } else if error.is_connect() || error.is_request() || error.is_body() {
        Fault::unavailable(cause(error))
    } else {
        Fault::Protocol(cause(error))
    }
}

/// What is behind it, without the address, which may be long and says nothing new.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
