//! The code flow (RFC 6749 section 4.1) as RFC 9700 wants it: PKCE with S256 always, one code for
//! one login, answers taken from the token endpoint alone.

use std::borrow::Cow;

use futures_util::future::BoxFuture;
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EndpointNotSet, EndpointSet, ExtraTokenFields, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, StandardRevocableToken, StandardTokenResponse,
    TokenResponse, TokenUrl,
    basic::{
        BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
        BasicTokenIntrospectionResponse, BasicTokenType,
    },
    http,
};
use serde::{Deserialize, Serialize};
use vestibule_core::{
    OpCx, Secret,
    ports::backend::{Fault, RejectReason, Rejection, Verdict},
};

use crate::{
    http::{Address, HttpClient},
    json,
};

/// What is kept while the visitor is at the provider.
#[derive(Deserialize, Serialize)]
pub(crate) struct Kept {
    /// Proves to the token endpoint that it was us who sent the visitor (RFC 7636).
    verifier: String,
    /// What an ID token has to hold, so that it is of this login and no other.
    pub(crate) nonce: String,
}

/// What the token endpoint gave.
pub(crate) struct Tokens {
    pub(crate) access_token: Secret,
    pub(crate) id_token: Option<Secret>,
}

/// We, as the provider knows us.
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: Option<Secret>,
    pub(crate) scopes: Vec<String>,
}

/// Where codes are traded for tokens.
#[derive(Clone, Copy)]
pub(crate) struct TokenEndpoint<'a> {
    pub(crate) address: &'a Address,
    /// Whether our secret goes into the form instead of the header.
    pub(crate) secret_in_form: bool,
}

/// What stands beside the access token.
#[derive(Deserialize, Serialize)]
struct Beside {
    id_token: Option<String>,
}

/// Nothing: it is a token.
impl std::fmt::Debug for Beside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Beside")
    }
}

impl ExtraTokenFields for Beside {}

type Library<A = EndpointNotSet, T = EndpointNotSet> = oauth2::Client<
    BasicErrorResponse,
    StandardTokenResponse<Beside, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    A,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    T,
>;

impl Client {
    /// Where the visitor is sent, and what is kept until they come back. `token` comes back as
    /// `state`.
    pub(crate) fn depart(
        &self,
        cx: &OpCx,
        authorization: &Address,
        callback: &str,
        token: &str,
        more: &[(&str, &str)],
    ) -> Result<(String, Kept), Fault> {
        // 43 characters of base64url are a verifier (RFC 7636 section 4.1).
        let text = |secret: Secret| secret.expose_str().unwrap_or_default().to_owned();
        let kept = Kept { verifier: text(cx.new_token()), nonce: text(cx.new_token()) };
        let verifier = PkceCodeVerifier::new(kept.verifier.clone());
        let library = self.library().set_auth_uri(auth_url(authorization)?);
        let mut request = library
            .authorize_url(|| CsrfToken::new(token.to_owned()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .set_redirect_uri(Cow::Owned(redirect_url(callback)?))
            .add_scopes(self.scopes.iter().cloned().map(Scope::new));
        if self.scopes.iter().any(|scope| scope == "openid") {
            request = request.add_extra_param("nonce", kept.nonce.clone());
        }
        for (name, value) in more {
            request = request.add_extra_param((*name).to_owned(), (*value).to_owned());
        }
        Ok((request.url().0.into(), kept))
    }

    /// Trades a code for tokens. It is asked once: a code that was sent may have been used.
    pub(crate) async fn redeem(
        &self,
        http: &HttpClient,
        endpoint: TokenEndpoint<'_>,
        callback: &str,
        code: &str,
        kept: &Kept,
    ) -> Result<Tokens, Verdict> {
        let in_form = endpoint.secret_in_form;
        let place = if in_form { AuthType::RequestBody } else { AuthType::BasicAuth };
        let endpoint = TokenUrl::new(endpoint.address.as_str().to_owned());
        let endpoint = endpoint.map_err(|_| bug("the token endpoint's address is none"))?;
        let library: Library<EndpointNotSet, EndpointSet> =
            self.library().set_auth_type(place).set_token_uri(endpoint);
        let redirect = redirect_url(callback).map_err(Verdict::Fault)?;
        let request = library
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(kept.verifier.clone()))
            .set_redirect_uri(Cow::Owned(redirect));
        let answer = request.request_async(&Sender(http)).await.map_err(refusal)?;
        if !matches!(answer.token_type(), BasicTokenType::Bearer) {
            let fault = Fault::protocol("the access token is of a type that is not Bearer");
            return Err(Verdict::Fault(fault));
        }
        let access_token = answer.access_token().secret();
        if access_token.is_empty() || !access_token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Verdict::Fault(Fault::protocol("the access token cannot be one")));
        }
        Ok(Tokens {
            access_token: Secret::new(access_token.as_str()),
            id_token: answer.extra_fields().id_token.as_deref().map(Secret::from),
        })
    }

    fn library(&self) -> Library {
        let library = Library::new(ClientId::new(self.id.clone()));
        let Some(secret) = self.secret.as_ref().and_then(Secret::expose_str) else {
            return library;
        };
        library.set_client_secret(ClientSecret::new(secret.to_owned()))
    }
}

fn auth_url(address: &Address) -> Result<AuthUrl, Fault> {
    let url = AuthUrl::new(address.as_str().to_owned());
    url.map_err(|_| Fault::Bug("the authorization endpoint's address is none".to_owned()))
}

fn redirect_url(callback: &str) -> Result<RedirectUrl, Fault> {
    let url = RedirectUrl::new(callback.to_owned());
    url.map_err(|_| Fault::Bug("the callback's address is none".to_owned()))
}

fn bug(what: &str) -> Verdict {
    Verdict::Fault(Fault::Bug(what.to_owned()))
}

/// How the library asks.
struct Sender<'h>(&'h HttpClient);

impl<'c> AsyncHttpClient<'c> for Sender<'_> {
    type Error = Fault;
    type Future = BoxFuture<'c, Result<http::Response<Vec<u8>>, Fault>>;

    fn call(&'c self, request: http::Request<Vec<u8>>) -> Self::Future {
        Box::pin(sent(self.0, request))
    }
}

/// Sends the library's request by our rules, and hands back what is sound JSON.
async fn sent(
    client: &HttpClient,
    request: http::Request<Vec<u8>>,
) -> Result<http::Response<Vec<u8>>, Fault> {
    let answer = client.send(request).await?;
    json::strict(answer.body())
        .map_err(|_| Fault::protocol("the token endpoint answered something that is not JSON"))?;
    let mut response = http::Response::new(answer.body().to_vec());
    *response.status_mut() = http::StatusCode::from_u16(answer.status)
        .map_err(|_| Fault::protocol("the token endpoint answered no status"))?;
    let media_type = http::HeaderValue::from_str(&answer.media_type);
    if let Ok(media_type) = media_type {
        response.headers_mut().insert(http::header::CONTENT_TYPE, media_type);
    }
    Ok(response)
}

/// What an error of the token endpoint means. Its description is the provider's own text, and is
/// told to nobody.
fn refusal(error: RequestTokenError<Fault, BasicErrorResponse>) -> Verdict {
    match error {
        RequestTokenError::Request(fault) => Verdict::Fault(fault),
        RequestTokenError::ServerResponse(said) => match said.error() {
            BasicErrorResponseType::InvalidGrant => Verdict::Rejected(
                Rejection::new(RejectReason::BadOrUnknown).because("the code was refused there"),
            ),
            BasicErrorResponseType::InvalidClient | BasicErrorResponseType::UnauthorizedClient => {
                let what = "the provider refuses our own credentials";
                Verdict::Fault(Fault::Misconfigured(what.to_owned()))
            }
            // A made-up code may be answered in any way.
            _ => {
                let what = "the token endpoint answered an error";
                Verdict::Fault(Fault::Reported(what.to_owned()))
            }
        },
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            Verdict::Fault(Fault::protocol("the token endpoint answered no tokens"))
        }
    }
}
