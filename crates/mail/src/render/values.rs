//! What the templates of a notice are filled with.

use std::collections::BTreeMap;

use minijinja::Value;
use vestibule_core::domain::notice::Notice;

use super::{in_words, one_line};

/// What a notice says of itself. Text is one line: a value neither begins a paragraph nor a line
/// that would pass for ours.
pub(super) fn values(notice: &Notice) -> BTreeMap<&'static str, Value> {
    let text = |text: &str| Value::from(one_line(text));
    let mut values = BTreeMap::new();
    match notice {
        // Whoever sends an announcement is given its words, as a message.
        Notice::Test | Notice::Announcement { .. } => {}
        Notice::Activate { username, .. }
        | Notice::Reset { username }
        | Notice::Welcome { username }
        | Notice::AddressKnown { username }
        | Notice::NameTaken { username }
        | Notice::EmailChange { username }
        | Notice::RegistrationApproved { username } => {
            values.insert("username", text(username));
        }
        Notice::Invitation { by, groups, .. } => {
            values.insert("by", text(by));
            values.insert("groups", text(&groups.join(", ")));
        }
        Notice::RegistrationWaits { username, email } => {
            values.insert("username", text(username));
            values.insert("email", text(email));
        }
        Notice::RegistrationRefused { username, reason } => {
            values.insert("username", text(username));
            values.insert("reason", text(reason));
        }
        Notice::IdentityChanged { username, way, at, address, is_linked } => {
            values.insert("username", text(username));
            values.insert("way", text(way));
            values.insert("at", Value::from(in_words(*at)));
            values.insert("address", text(address));
            values.insert("is_linked", Value::from(*is_linked));
        }
        Notice::NewBrowser { username, browser, at, address } => {
            values.insert("username", text(username));
            values.insert("browser", text(browser));
            values.insert("at", Value::from(in_words(*at)));
            values.insert("address", text(address));
        }
        Notice::ResetElsewhere { username, ways } => {
            values.insert("username", text(username));
            values.insert("ways", text(&ways.join(", ")));
        }
        Notice::EmailChanged { username, at, address, is_done } => {
            values.insert("username", text(username));
            values.insert("at", Value::from(in_words(*at)));
            values.insert("address", text(address));
            values.insert("is_done", Value::from(*is_done));
        }
        Notice::PasswordChanged { username, at, address } => {
            values.insert("username", text(username));
            values.insert("at", Value::from(in_words(*at)));
            values.insert("address", text(address));
        }
        Notice::Message { subject, text: lines, link } => {
            values.insert("subject", text(subject));
            let lines: Vec<Value> = lines.lines().map(|line| Value::from(printed(line))).collect();
            values.insert("lines", Value::from(lines));
            values.insert("leads_to", Value::from(link.as_deref().map(one_line)));
        }
        Notice::ErrorReport { place, code, count, first, last, requests } => {
            values.insert("place", text(place));
            values.insert("code", text(code));
            values.insert("count", Value::from(*count));
            values.insert("first", Value::from(in_words(*first)));
            values.insert("last", Value::from(in_words(*last)));
            let requests: Vec<Value> = requests.iter().map(|id| text(id)).collect();
            values.insert("requests", Value::from(requests));
        }
        Notice::SiteNews { news, username, at, address, is_last } => {
            values.insert("news", Value::from(news.as_str()));
            values.insert("username", text(username));
            values.insert("at", Value::from(in_words(*at)));
            values.insert("address", text(address));
            values.insert("is_last", Value::from(*is_last));
        }
        Notice::Undelivered { about, id, reason, dead } => {
            values.insert("about", text(about));
            values.insert("id", text(id));
            values.insert("reason", text(reason));
            values.insert("dead", Value::from(*dead));
        }
    }
    values
}

/// A line as it was typed, without controls.
fn printed(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).collect()
}
