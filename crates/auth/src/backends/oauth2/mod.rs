//! Providers of OAuth 2.0 (RFC 6749) that are none of `OpenID` Connect: who somebody is, is what
//! the provider's own API says to whoever has their access token.

pub(crate) mod came_back;
pub(crate) mod client;
mod settings;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use vestibule_core::{
    OpCx, Secret,
    domain::identity::{BackendName, Subject},
    ports::backend::{
        Assertion, Attempt, Backend, BackendCx, BackendFactory, Challenge, CredentialKind,
        Descriptor, Fault, Method, NotMine, Section, SectionError, Verdict,
    },
};

use self::{
    client::{Kept, TokenEndpoint},
    settings::Provider,
};

/// Makes backends of the kind `oauth2`.
#[derive(Clone, Copy, Debug)]
pub struct OAuth2Factory;

impl OAuth2Factory {
    /// What the configuration calls it.
    pub const KIND: &'static str = "oauth2";
}

impl BackendFactory for OAuth2Factory {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn build(&self, name: BackendName, section: Section) -> Result<Arc<dyn Backend>, SectionError> {
        let provider = Provider::read(section)?;
        let descriptor = Descriptor::new(name, Self::KIND, [CredentialKind::Redirect]);
        Ok(Arc::new(OAuth2 { descriptor, provider }))
    }
}

struct OAuth2 {
    descriptor: Descriptor,
    provider: Provider,
}

impl OAuth2 {
    fn depart(&self, cx: &OpCx, callback: &str, token: &str) -> Result<Challenge, Fault> {
        let Provider { client, authorization, .. } = &self.provider;
        let (url, kept) = client.depart(cx, authorization, callback, token, &[])?;
        let kept = serde_json::to_vec(&kept);
        let kept = kept.map_err(|_| Fault::Bug("what is kept cannot be written".to_owned()))?;
        Ok(Challenge::redirect(url, Secret::new(kept)))
    }

    async fn arrive(
        &self,
        cx: &OpCx,
        callback: &str,
        parameters: &[(String, String)],
        state: &Secret,
    ) -> Result<Verdict, Verdict> {
        let bug = || Verdict::Fault(Fault::Bug("what was kept cannot be read".to_owned()));
        let kept: Kept = serde_json::from_slice(state.expose()).map_err(|_| bug())?;
        let provider = &self.provider;
        let code = came_back::code(parameters, provider.issuer.as_deref(), false)?;
        let endpoint =
            TokenEndpoint { address: &provider.token, secret_in_form: provider.secret_in_form };
        let redeemed = provider.client.redeem(&provider.http, endpoint, callback, code, &kept);
        let tokens = redeemed.await?;
        let asserted = self.asserted(cx, &tokens.access_token).await;
        asserted.map_err(Verdict::Fault)
    }

    /// Who the access token is about, by the provider's API.
    async fn asserted(&self, cx: &OpCx, token: &Secret) -> Result<Verdict, Fault> {
        let provider = &self.provider;
        let answer = provider.http.get_with_token(&provider.user, token).await?;
        if answer.status != 200 {
            return Err(Fault::Protocol(format!("user_url answered {}", answer.status)));
        }
        if answer.is_page() {
            return Err(Fault::protocol("user_url answered a page"));
        }
        let said = answer.json()?;
        let id = said.get(&provider.fields.subject).and_then(id_text).ok_or_else(|| {
            Fault::Protocol(format!("user_url answered no {}", provider.fields.subject))
        })?;
        // An id is unique at its provider alone.
        let subject = Subject::parse(&format!("{id} {}", provider.user.as_str()))
            .map_err(|_| Fault::protocol("the subject cannot be one"))?;
        let text = |field: &Option<String>| {
            let field = field.as_ref()?;
            said.get(field).and_then(Value::as_str).map(str::to_owned)
        };
        let mut assertion = Assertion::new(subject).with_factor(Method::Unknown, cx.now());
        assertion.username = text(&Some(provider.fields.username.clone()));
        if let Some(address) = text(&provider.fields.email) {
            let verified = provider.fields.email_verified.as_ref();
            let is_verified =
                verified.is_some_and(|field| said.get(field) == Some(&Value::Bool(true)));
            assertion = assertion.with_email(address, is_verified);
        }
        let groups = provider.fields.groups.as_ref().and_then(|field| said.get(field));
        if let Some(Value::Array(groups)) = groups
            && let Some(names) = groups.iter().map(Value::as_str).collect::<Option<Vec<_>>>()
        {
            assertion = assertion.with_groups(names);
        }
        Ok(Verdict::Verified(Box::new(assertion)))
    }
}

/// An id as text: a number and a text of the same digits are two people.
fn id_text(id: &Value) -> Option<String> {
    match id {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(format!("\"{text}\""))
        }
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => number.as_u64().map(|number| number.to_string()),
        _ => None,
    }
}

#[async_trait]
impl Backend for OAuth2 {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn authenticate(&self, attempt: &Attempt, cx: &BackendCx<'_>) -> Verdict {
        match attempt {
            Attempt::Visit { callback, token, .. } => {
                self.depart(cx.op, callback, token).map_or_else(Verdict::Fault, Verdict::Challenge)
            }
            Attempt::Return { callback, parameters, state } => {
                let arrived = self.arrive(cx.op, callback, parameters, state).await;
                arrived.unwrap_or_else(|verdict| verdict)
            }
            _ => Verdict::NotMine(NotMine::WrongKind),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::id_text;

    #[test]
    fn ids_that_look_alike_are_not_one() {
        let ids = [json!(1), json!("1"), json!(" 1"), json!("01"), json!("a"), json!("A")];
        let mut texts: Vec<_> = ids.iter().map(|id| id_text(id).unwrap()).collect();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), ids.len());
        for none in [json!(1.0), json!(-1), json!(null), json!(true), json!(""), json!(["1"])] {
            assert_eq!(id_text(&none), None, "{none}");
        }
    }
}
