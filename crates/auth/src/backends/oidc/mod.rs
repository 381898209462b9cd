//! `OpenID` Connect providers: the code flow with discovery, and back-channel logout.

mod claims;
mod discovery;
mod id_token;
mod keys;
mod known;
mod logout;
mod settings;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;
use vestibule_core::{
    OpCx, Secret, Timestamp,
    domain::identity::BackendName,
    ports::backend::{
        Assertion, Attempt, Backend, BackendCx, BackendFactory, Challenge, CredentialKind,
        Descriptor, Fault, NotMine, Probe, RejectReason, Rejection, Section, SectionError,
        UpstreamLogout, Verdict,
    },
};

use self::{
    discovery::Metadata,
    id_token::{Unverified, Verified},
    known::{From, Known},
    settings::{ClientAuth, Provider},
};
use super::oauth2::{
    came_back,
    client::{Kept, TokenEndpoint, Tokens},
};
use crate::http::Address;

/// Makes backends of the kind `oidc`.
#[derive(Clone, Copy, Debug)]
pub struct OidcFactory;

impl OidcFactory {
    /// What the configuration calls it.
    pub const KIND: &'static str = "oidc";
}

impl BackendFactory for OidcFactory {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn build(&self, name: BackendName, section: Section) -> Result<Arc<dyn Backend>, SectionError> {
        let provider = Provider::read(section)?;
        let descriptor = Descriptor::new(name, Self::KIND, [CredentialKind::Redirect]);
        Ok(Arc::new(Oidc { descriptor, provider, known: Known::default() }))
    }
}

/// What is kept while the visitor is there.
#[derive(Deserialize, Serialize)]
struct Begun {
    #[serde(flatten)]
    kept: Kept,
    /// Whether nobody pressed anything, and how long ago they may have proved who they are.
    #[serde(default)]
    again: Option<Duration>,
}

fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds.saturating_mul(1_000_000))
}

/// A provider, and what is known of it.
struct Oidc {
    descriptor: Descriptor,
    provider: Provider,
    known: Known,
}

impl Provider {
    /// A document of the provider's, in JSON.
    async fn document(&self, address: &Address) -> Result<Value, Fault> {
        let answer = self.http.get(address).await?;
        match (answer.status, answer.is_page()) {
            (200, false) => answer.json(),
            (200, true) => Err(Fault::protocol("the provider answered a page")),
            (status, _) => Err(Fault::Protocol(format!("the provider answered {status}"))),
        }
    }
}

impl Oidc {
    async fn depart(
        &self,
        cx: &OpCx,
        callback: &str,
        token: &str,
        again: Option<Duration>,
    ) -> Result<Challenge, Fault> {
        let metadata = self.known.metadata(&self.provider, cx.now()).await?;
        let within = self.within(again);
        let max_age = within.map(|age| age.as_secs().to_string());
        let acr = self.provider.acr_values.join(" ");
        let mut more = Vec::new();
        if again.is_some() {
            more.push(("prompt", "none"));
        }
        if let Some(max_age) = &max_age {
            more.push(("max_age", max_age.as_str()));
        }
        if !acr.is_empty() {
            more.push(("acr_values", acr.as_str()));
        }
        let client = &self.provider.client;
        let (url, kept) = client.depart(cx, &metadata.authorization, callback, token, &more)?;
        let begun = serde_json::to_vec(&Begun { kept, again });
        let begun = begun.map_err(|_| Fault::Bug("what is kept cannot be written".to_owned()))?;
        Ok(Challenge::redirect(url, Secret::new(begun)))
    }

    /// How long ago the visitor may have proved there who they are.
    fn within(&self, again: Option<Duration>) -> Option<Duration> {
        match (self.provider.max_age, again) {
            (Some(max_age), Some(again)) => Some(max_age.min(again)),
            (max_age, again) => max_age.or(again),
        }
    }

    async fn arrive(
        &self,
        cx: &OpCx,
        callback: &str,
        parameters: &[(String, String)],
        state: &Secret,
    ) -> Result<Verdict, Verdict> {
        let bug = || Verdict::Fault(Fault::Bug("what was kept cannot be read".to_owned()));
        let Begun { kept, again } = serde_json::from_slice(state.expose()).map_err(|_| bug())?;
        let (provider, now) = (&self.provider, cx.now());
        let metadata = self.known.metadata(provider, now).await.map_err(Verdict::Fault)?;
        let issuer = Some(provider.issuer.as_str());
        let code = came_back::code(parameters, issuer, metadata.names_itself)?;
        let endpoint = TokenEndpoint {
            address: &metadata.token,
            secret_in_form: match provider.client_auth {
                Some(told) => told == ClientAuth::ClientSecretPost,
                None => metadata.secret_in_form,
            },
        };
        let redeemed = provider.client.redeem(&provider.http, endpoint, callback, code, &kept);
        let tokens = redeemed.await?;
        let id_token = self.id_token(&metadata, &tokens, &kept, now).await?;
        self.require_strength(&id_token, self.within(again), now)?;
        let asserted = self.asserted(&metadata, &tokens, &id_token, now).await;
        let mut assertion = asserted.map_err(Verdict::Fault)?;
        if provider.recheck {
            assertion.ends_at = id_token.seconds("exp").map(instant);
        }
        if again.is_some() {
            // Nobody has proved anything just now.
            assertion.proved_at = id_token.seconds("auth_time").map(instant);
        }
        assertion.farewell = tokens.id_token.filter(|_| provider.logout);
        Ok(Verdict::Verified(assertion))
    }

    /// The ID token, when it is the provider's, for us, of now and of this login.
    async fn id_token(
        &self,
        metadata: &Metadata,
        tokens: &Tokens,
        kept: &Kept,
        now: Timestamp,
    ) -> Result<Verified, Verdict> {
        let fault = |what| Verdict::Fault(Fault::protocol(what));
        let token = tokens.id_token.as_ref().and_then(Secret::expose_str);
        let token = token.ok_or_else(|| fault("the provider gave no ID token"))?;
        let verified =
            self.verified(token, metadata, From::Login, now).await.map_err(Verdict::Fault)?;
        verified
            .require_ours(&self.provider.issuer, &self.provider.client.id, now)
            .map_err(|why| Verdict::Fault(why.into()))?;
        let nonce = verified.text("nonce").unwrap_or_default();
        if !bool::from(nonce.as_bytes().ct_eq(kept.nonce.as_bytes())) {
            let refused = Rejection::new(RejectReason::BadOrUnknown);
            return Err(Verdict::Rejected(refused.because("the ID token is of another login")));
        }
        if !verified.is_of(tokens.access_token.expose()) {
            return Err(fault("the ID token is of another access token"));
        }
        Ok(verified)
    }

    /// A token whose signature is right by the keys that are known, or by those that are there now.
    async fn verified(
        &self,
        token: &str,
        metadata: &Metadata,
        from: From,
        now: Timestamp,
    ) -> Result<Verified, Fault> {
        let provider = &self.provider;
        let keys = self.known.keys(provider, metadata, now).await?;
        match id_token::verify(token, &keys, &metadata.algorithms) {
            Err(Unverified::UnknownKey) => {
                let Some(keys) = self.known.keys_again(provider, metadata, from, now).await? else {
                    return Err(Unverified::UnknownKey.into());
                };
                Ok(id_token::verify(token, &keys, &metadata.algorithms)?)
            }
            verified => Ok(verified?),
        }
    }

    /// What was asked of the provider about how the visitor proves who they are.
    fn require_strength(
        &self,
        id_token: &Verified,
        within: Option<Duration>,
        now: Timestamp,
    ) -> Result<(), Verdict> {
        let refused = |why| {
            let rejection = Rejection::new(RejectReason::NotEntitled);
            Err(Verdict::Rejected(rejection.because(why)))
        };
        if let Some(max_age) = within {
            let oldest = now.minus(max_age + Duration::from_mins(1));
            let oldest = oldest.as_micros() / 1_000_000;
            if id_token.seconds("auth_time").is_none_or(|at| at < oldest) {
                return refused("proved too long ago there who they are");
            }
        }
        let wanted = &self.provider.acr_values;
        let came = id_token.text("acr").unwrap_or_default();
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == came) {
            return refused("proved too weakly there who they are");
        }
        Ok(())
    }

    async fn asserted(
        &self,
        metadata: &Metadata,
        tokens: &Tokens,
        id_token: &Verified,
        now: Timestamp,
    ) -> Result<Box<Assertion>, Fault> {
        let nobody = || Fault::protocol("the ID token does not say who it is about");
        let sub = id_token.text("sub").ok_or_else(nobody)?;
        let subject = claims::subject(&self.provider.issuer, sub)?;
        let mut said = id_token.claims.clone();
        if let Some(address) = metadata.userinfo.as_ref().filter(|_| self.provider.userinfo) {
            let more = self.userinfo(address, &tokens.access_token, sub).await?;
            // What was signed goes first; an address and whether it was made sure of are one.
            let has_address = said.contains_key("email");
            for (name, value) in more {
                if has_address && name == "email_verified" {
                    continue;
                }
                said.entry(name).or_insert(value);
            }
        }
        let assertion = claims::assertion(subject, sub, &said, &self.provider.names, now);
        Ok(Box::new(assertion))
    }

    /// What the provider says of the person besides (section 5.3 of `OpenID` Connect Core 1.0).
    async fn userinfo(
        &self,
        address: &Address,
        token: &Secret,
        sub: &str,
    ) -> Result<Map<String, Value>, Fault> {
        let answer = self.provider.http.get_with_token(address, token).await?;
        if answer.status != 200 {
            let what = format!("the userinfo endpoint answered {}", answer.status);
            return Err(Fault::Protocol(what));
        }
        if answer.media_type != "application/json" {
            return Err(Fault::protocol("the userinfo endpoint answered something else than JSON"));
        }
        match answer.json()? {
            Value::Object(said) if said.get("sub").and_then(Value::as_str) == Some(sub) => Ok(said),
            _ => Err(Fault::protocol("the userinfo endpoint answered about somebody else")),
        }
    }
}

#[async_trait]
impl Backend for Oidc {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn authenticate(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Verdict {
        match attempt {
            Attempt::Visit { callback, token, again } => {
                let departed = self.depart(cx.op, callback, token, *again).await;
                departed.map_or_else(Verdict::Fault, Verdict::Challenge)
            }
            Attempt::Return { callback, parameters, state } => {
                let arrived = self.arrive(cx.op, callback, parameters, state).await;
                arrived.unwrap_or_else(|verdict| verdict)
            }
            _ => Verdict::NotMine(NotMine::WrongKind),
        }
    }

    fn probe(&self) -> Option<&dyn Probe> {
        Some(self)
    }

    fn upstream_logout(&self) -> Option<&dyn UpstreamLogout> {
        Some(self)
    }
}

#[async_trait]
impl Probe for Oidc {
    async fn look(&self) -> Result<String, Fault> {
        let said = self.provider.document(&self.provider.discovery).await?;
        let metadata = discovery::read(&said, &self.provider.issuer, &self.provider.reach)?;
        let keys = keys::read(&self.provider.document(&metadata.keys).await?)?;
        Ok(format!("answers, and has {} keys", keys.len()))
    }
}
