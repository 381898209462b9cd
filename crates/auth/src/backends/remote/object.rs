//! An object that is read key by key, so that what is wrong with an answer is said by its place.

use serde_json::{Map, Value};
use vestibule_core::ports::backend::Fault;

/// What is left of an object, and where it stands in the answer.
pub(super) struct Object {
    left: Map<String, Value>,
    place: String,
}

impl Object {
    /// Of a value that has to be an object.
    pub(super) fn of(value: Value, place: &str) -> Result<Self, Fault> {
        match value {
            Value::Object(left) => Ok(Self { left, place: place.to_owned() }),
            _ => Err(wrong(place, "expected an object")),
        }
    }

    /// Text that may be missing, of so many characters at most.
    pub(super) fn text(&mut self, key: &str, most: usize) -> Result<Option<String>, Fault> {
        let place = self.at(key);
        self.left.remove(key).map(|value| text(value, &place, most)).transpose()
    }

    /// Text that has to be there.
    pub(super) fn required_text(&mut self, key: &str, most: usize) -> Result<String, Fault> {
        let found = self.text(key, most)?;
        found.ok_or_else(|| self.missing(key))
    }

    /// A yes or no that has to be there.
    pub(super) fn required_flag(&mut self, key: &str) -> Result<bool, Fault> {
        match self.left.remove(key) {
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(wrong(&self.at(key), "expected true or false")),
            None => Err(self.missing(key)),
        }
    }

    /// A whole number that may be missing, no larger than this.
    pub(super) fn number(&mut self, key: &str, most: u64) -> Result<Option<u64>, Fault> {
        let Some(value) = self.left.remove(key) else { return Ok(None) };
        let number = value.as_u64().filter(|number| *number <= most);
        match number {
            Some(number) => Ok(Some(number)),
            None => Err(wrong(&self.at(key), "expected a whole number, and not so large a one")),
        }
    }

    /// A list that may be missing, of so many items at most, each with its place.
    pub(super) fn list(&mut self, key: &str) -> Result<Option<Vec<(String, Value)>>, Fault> {
        let place = self.at(key);
        self.left.remove(key).map(|value| list(value, &place)).transpose()
    }

    /// Whatever it is, with its place.
    pub(super) fn any(&mut self, key: &str) -> Option<(String, Value)> {
        let value = self.left.remove(key)?;
        Some((self.at(key), value))
    }

    /// What nobody has read, key by key.
    pub(super) fn rest(self) -> impl Iterator<Item = (String, String, Value)> {
        let Self { left, place } = self;
        left.into_iter().map(move |(key, value)| {
            let place = join(&place, &key);
            (key, place, value)
        })
    }

    /// Refuses what nobody has read: most likely a key that is misspelt.
    pub(super) fn end(self) -> Result<(), Fault> {
        match self.left.keys().next() {
            Some(key) => Err(wrong(&self.at(key), "unknown key")),
            None => Ok(()),
        }
    }

    /// That a key is missing.
    pub(super) fn missing(&self, key: &str) -> Fault {
        wrong(&self.at(key), "is missing")
    }

    /// Where a key of it stands.
    pub(super) fn at(&self, key: &str) -> String {
        join(&self.place, key)
    }
}

fn join(place: &str, key: &str) -> String {
    // A key is the service's own text, and this stands in the log.
    let key: String = key.chars().filter(|c| !c.is_control()).take(40).collect();
    if place.is_empty() { key } else { format!("{place}.{key}") }
}

/// The most items of any list.
pub(super) const MOST_ITEMS: usize = 10_000;

/// A value that has to be a list, item by item with its place.
pub(super) fn list(value: Value, place: &str) -> Result<Vec<(String, Value)>, Fault> {
    match value {
        Value::Array(items) if items.len() <= MOST_ITEMS => {
            let place = |number| format!("{place}[{number}]");
            Ok(items.into_iter().enumerate().map(|(number, item)| (place(number), item)).collect())
        }
        Value::Array(_) => Err(wrong(place, "is a list of more than 10000")),
        _ => Err(wrong(place, "expected a list")),
    }
}

/// A value that has to be text, of so many characters at most and none that controls anything.
pub(super) fn text(value: Value, place: &str, most: usize) -> Result<String, Fault> {
    let Value::String(text) = value else { return Err(wrong(place, "expected text")) };
    if text.chars().count() > most {
        return Err(wrong(place, &format!("is longer than {most} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(wrong(place, "contains control characters"));
    }
    Ok(text)
}

/// That something in an answer is not as the schema has it. What stands there is not told.
pub(super) fn wrong(place: &str, reason: &str) -> Fault {
    let place = if place.is_empty() { "the answer" } else { place };
    Fault::protocol(format!("{place}: {reason}"))
}
