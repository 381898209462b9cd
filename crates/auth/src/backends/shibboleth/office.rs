//! The user office's hash service: it knows which local name a hash belongs to.

use serde::Deserialize;
use serde_json::{Value, json};
use vestibule_core::{Username, ports::backend::Fault};

use crate::http::{Address, Answer, HttpClient};

/// The service.
pub(super) struct HashOffice {
    pub(super) client: HttpClient,
    pub(super) url: Address,
}

/// The forms in which it names somebody, beside text. A member that stands twice is refused by
/// serde, whichever of the two is meant.
#[derive(Deserialize)]
struct Named {
    username: Option<Value>,
    login: Option<Value>,
    uid: Option<Value>,
}

impl HashOffice {
    /// The local name that a hash belongs to; `None` when it is nobody's.
    pub(super) async fn whose(&self, hash: &str) -> Result<Option<String>, Fault> {
        let answer = self.client.post(&self.url, &json!({ "eaa_hash": hash }), None).await?;
        match answer.status {
            200 | 404 if answer.is_page() => Err(Fault::protocol("the service answered a page")),
            200 => named(&answer).map(Some),
            404 => Ok(None),
            401 | 403 => Err(Fault::Misconfigured("the service refuses to tell us".to_owned())),
            status => Err(Fault::protocol(format!("the service answered {status}"))),
        }
    }

    /// Whatever it says to a question it does not know, it is there.
    pub(super) async fn look(&self) -> Result<String, Fault> {
        self.client.get(&self.url).await?;
        Ok("answers".to_owned())
    }
}

/// The name in an answer. Anything that is not plainly one is none: a wrong name would be a login
/// as somebody else.
fn named(answer: &Answer) -> Result<String, Fault> {
    let name = match answer.media_type.as_str() {
        "text/plain" => in_text(answer.body())?,
        "application/json" | "" => in_json(answer.body())?,
        _ => return Err(nameless()),
    };
    match Username::from_elsewhere(&name) {
        // Another spelling of a name (RFC 8265 calls it a different one) is another name there.
        Ok(username) if username.as_str() == name => Ok(name),
        _ => Err(Fault::protocol("the service named somebody by a name that is none")),
    }
}

fn in_json(body: &[u8]) -> Result<String, Fault> {
    match serde_json::from_slice(body).map_err(|_| nameless())? {
        Value::String(name) => Ok(name),
        Value::Object(_) => in_object(serde_json::from_slice(body).map_err(|_| nameless())?),
        _ => Err(nameless()),
    }
}

/// Members that name somebody have to name the same one. A number is not a name: `uid` may be the
/// one that Unix has, beside a `username`.
fn in_object(told: Named) -> Result<String, Fault> {
    let members = [told.username, told.login, told.uid].into_iter().flatten();
    let mut names = Vec::new();
    for member in members {
        match member {
            Value::String(name) => names.push(name),
            Value::Number(_) => {}
            _ => return Err(nameless()),
        }
    }
    match names.split_first() {
        Some((name, others)) if others.iter().all(|other| other == name) => Ok(name.clone()),
        _ => Err(nameless()),
    }
}

/// Plain text is a name on a line of its own; JSON under this type is read as JSON, so that no
/// name ever has quotes or braces around it.
fn in_text(body: &[u8]) -> Result<String, Fault> {
    let text = std::str::from_utf8(body).map_err(|_| nameless())?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let line = text.strip_suffix('\r').unwrap_or(text);
    if line.starts_with(['"', '{', '[']) {
        return in_json(body);
    }
    let is_word_of_json = ["null", "true", "false"].contains(&line);
    if is_word_of_json { Err(nameless()) } else { Ok(line.to_owned()) }
}

fn nameless() -> Fault {
    Fault::protocol("the service answered 200 and something that names nobody")
}
