//! JSON as it is taken from services: an object that has a member twice is refused, because two
//! readers could see two different people in it (RFC 8259 section 4).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads a document; nothing may follow it.
///
/// ```
/// use vestibule_auth::json;
///
/// assert_eq!(json::strict(br#"{"sub": "ann"}"#).unwrap()["sub"], "ann");
/// assert!(json::strict(br#"{"sub": "ann", "sub": "bert"}"#).is_err());
/// ```
pub fn strict(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice::<Strict>(bytes).map(|Strict(value)| value)
}

/// The same without `null`, which readers take for nothing, an empty text or "not known".
pub fn strict_without_null(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let value = strict(bytes)?;
    if has_null(&value) {
        return Err(serde_json::Error::custom("null says nothing"));
    }
    Ok(value)
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        _ => false,
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON in which no member stands twice")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = seq.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Strict(value))) = map.next_entry::<String, Strict>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member stands twice"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{strict, strict_without_null};

    #[test]
    fn all_kinds_of_values_are_read_as_they_are() {
        let text = r#"{"a": [1, -2, 1.5, "x", true, null, {"b": {}}]}"#;
        let expected: Value = json!({ "a": [1, -2, 1.5, "x", true, null, { "b": {} }] });
        assert_eq!(strict(text.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn a_member_that_stands_twice_is_refused_at_every_depth() {
        assert!(strict(br#"{"a": 1, "a": 1}"#).is_err());
        assert!(strict(br#"[{"x": {"a": 1, "a": 2}}]"#).is_err());
        assert!(strict(br#"{"a": 1, "\u0061": 2}"#).is_err());
        assert!(strict(br#"{"a": {"b": 1}, "b": 2}"#).is_ok());
        assert!(strict_without_null(br#"{"a": [{"b": null}]}"#).is_err());
        assert!(strict_without_null(br#"{"a": [{"b": 0}]}"#).is_ok());
    }

    #[test]
    fn nothing_may_follow_and_no_depth_overflows() {
        assert!(strict(b"{} {}").is_err());
        assert!(strict("[".repeat(200_000).as_bytes()).is_err());
    }
}
