//! The end of a session: told by the provider itself (`OpenID` Connect Back-Channel Logout 1.0), or
//! wished by whoever has logged out here (`OpenID` Connect RP-Initiated Logout 1.0).

use async_trait::async_trait;
use serde_json::Value;
use vestibule_core::{
    OpCx, Secret,
    ports::backend::{EndedSession, Fault, Leaving, UpstreamLogout},
};

use super::{Oidc, claims, known::From};

/// What makes a token one that ends sessions.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

#[async_trait]
impl UpstreamLogout for Oidc {
    async fn leave(&self, leaving: &Leaving<'_>, cx: &OpCx) -> Result<Option<String>, Fault> {
        if !self.provider.logout {
            return Ok(None);
        }
        let metadata = self.known.metadata(&self.provider, cx.now()).await?;
        let Some(place) = &metadata.end_session else {
            return Err(Fault::protocol("the metadata have no end_session_endpoint"));
        };
        // Both, since the token may be gone, or no longer be known there.
        let hint =
            leaving.farewell.and_then(Secret::expose_str).map(|hint| ("id_token_hint", hint));
        let rest = [
            ("client_id", self.provider.client.id.as_str()),
            ("post_logout_redirect_uri", leaving.come_back),
            ("state", leaving.state),
        ];
        let address = place.clone().with_query(hint.into_iter().chain(rest));
        Ok(Some(address.as_str().to_owned()))
    }

    async fn ended(&self, token: &str, cx: &OpCx) -> Result<EndedSession, Fault> {
        let (provider, now) = (&self.provider, cx.now());
        let bad = |what| Err(Fault::protocol(what));
        let metadata = self.known.metadata(provider, now).await?;
        let token = self.verified(token, &metadata, From::Stranger, now).await?;
        token.require_ours(&provider.issuer, &provider.client.id, now)?;
        // An ID token, or an access token, is no word of the end of anything.
        if !matches!(token.kind.as_deref(), None | Some("jwt" | "logout+jwt")) {
            return bad("the token is of another kind");
        }
        let event = token.claims.get("events").and_then(|events| events.get(EVENT));
        if !event.is_some_and(Value::is_object) {
            return bad("the token is not about the end of a session");
        }
        if token.claims.contains_key("nonce") {
            return bad("the token has a nonce, which an ID token has and this one must not");
        }
        if token.text("jti").is_none_or(str::is_empty) {
            return bad("the token has no id");
        }
        let subject = match token.claims.get("sub") {
            None => None,
            Some(Value::String(sub)) => Some(claims::subject(&provider.issuer, sub)?),
            Some(_) => return bad("the subject is no text"),
        };
        let session = match token.claims.get("sid") {
            None => None,
            Some(Value::String(session)) => Some(session.clone()),
            Some(_) => return bad("the session is no text"),
        };
        if subject.is_none() && session.is_none() {
            return bad("the token does not say whose session ended");
        }
        Ok(EndedSession { subject, session })
    }
}
