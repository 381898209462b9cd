//! What a provider says about itself (`OpenID` Connect Discovery 1.0 section 3, RFC 8414).

use serde_json::{Map, Value};
use vestibule_core::ports::backend::Fault;

use super::id_token::ALGORITHMS;
use crate::{http::Address, reach::Reach};

/// What is asked of the provider, and where.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) authorization: Address,
    pub(super) token: Address,
    pub(super) keys: Address,
    pub(super) userinfo: Option<Address>,
    /// Where people log out there (`OpenID` Connect RP-Initiated Logout 1.0 section 2.1).
    pub(super) end_session: Option<Address>,
    /// Whether the provider promises to name itself to whoever comes back (RFC 9207).
    pub(super) names_itself: bool,
    /// Whether our secret goes into the form: the header is not announced, and the form is.
    pub(super) secret_in_form: bool,
    /// The signatures that it makes, of those that we check.
    pub(super) algorithms: Vec<&'static str>,
}

/// Reads what the provider says.
pub(super) fn read(said: &Value, issuer: &str, reach: &Reach) -> Result<Metadata, Fault> {
    let Value::Object(said) = said else {
        return Err(Fault::protocol("the provider's metadata are no object"));
    };
    // Compared as it is written: another spelling is another issuer (section 4.3 there).
    if said.get("issuer").and_then(Value::as_str) != Some(issuer) {
        return Err(Fault::protocol("the metadata are another issuer's"));
    }
    let required = |name: &str| match address(said, name, reach)? {
        Some(address) => Ok(address),
        None => Err(Fault::Protocol(format!("the metadata have no {name}"))),
    };
    let methods = texts(said, "token_endpoint_auth_methods_supported")?;
    let has = |method: &str| methods.as_ref().is_some_and(|known| known.contains(&method));
    let algorithms = match texts(said, "id_token_signing_alg_values_supported")? {
        None => vec!["RS256"],
        Some(theirs) => ALGORITHMS.into_iter().filter(|ours| theirs.contains(ours)).collect(),
    };
    if algorithms.is_empty() {
        return Err(Fault::protocol("the provider makes no signature that can be checked here"));
    }
    Ok(Metadata {
        authorization: required("authorization_endpoint")?,
        token: required("token_endpoint")?,
        keys: required("jwks_uri")?,
        userinfo: address(said, "userinfo_endpoint", reach)?,
        // People log in all the same where it cannot be one, and are led nowhere.
        end_session: address(said, "end_session_endpoint", reach).unwrap_or_default(),
        names_itself: said.get("authorization_response_iss_parameter_supported")
            == Some(&Value::Bool(true)),
        secret_in_form: has("client_secret_post") && !has("client_secret_basic"),
        algorithms,
    })
}

fn address(said: &Map<String, Value>, name: &str, reach: &Reach) -> Result<Option<Address>, Fault> {
    let wrong = |what: &str| Fault::Protocol(format!("{name} in the metadata {what}"));
    let text = match said.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text,
        Some(_) => return Err(wrong("is no text")),
    };
    let address: Address = text.parse().map_err(|_| wrong("is no https address"))?;
    if !reach.allows(&address) {
        return Err(wrong("leads to a machine that is not public"));
    }
    Ok(Some(address))
}

fn texts<'a>(said: &'a Map<String, Value>, name: &str) -> Result<Option<Vec<&'a str>>, Fault> {
    let wrong = || Fault::Protocol(format!("{name} in the metadata is no list of words"));
    match said.get(name) {
        None => Ok(None),
        Some(Value::Array(values)) => {
            let texts: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
            texts.map(Some).ok_or_else(wrong)
        }
        Some(_) => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read;
    use crate::{http::Address, reach::Reach};

    fn metadata(name: &str, address: &str) -> Value {
        let mut said = json!({
            "issuer": "https://idp.example",
            "authorization_endpoint": "https://idp.example/authorize",
            "token_endpoint": "https://idp.example/token",
            "jwks_uri": "https://keys.example/keys",
        });
        said[name] = json!(address);
        said
    }

    #[test]
    fn atk_a109_endpoints_inside_are_refused_before_anybody_asks_there() {
        let issuer: Address = "https://idp.example".parse().unwrap();
        let reach = Reach::new([&issuer]);
        let refused = |name: &str, address: &str| {
            read(&metadata(name, address), "https://idp.example", &reach).err()
        };
        assert_eq!(refused("jwks_uri", "https://keys.example/keys"), None);
        for name in ["jwks_uri", "token_endpoint", "userinfo_endpoint", "authorization_endpoint"] {
            for inside in ["https://169.254.169.254/x", "https://10.0.0.1/x", "http://127.0.0.1/x"]
            {
                let fault = refused(name, inside).unwrap_or_else(|| panic!("{name} {inside}"));
                assert!(fault.to_string().starts_with(name), "{fault}");
            }
        }
    }
}
