//! Experiments as a user office lists them.

use serde_json::{Map, Value};
use vestibule_core::{Timestamp, ports::backend::Fault};

/// What somebody was given beam time for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Experiment {
    /// By what the office knows it.
    pub proposal_id: String,
    /// What it is about, in a line.
    pub subject: String,
    /// What it is about, at length.
    pub body: String,
    /// Where it takes place.
    pub beam_line: String,
    /// To which Unix user its data belong.
    pub uid: Option<u32>,
    /// To which Unix group its data belong.
    pub gid: Option<u32>,
    /// When it takes place.
    pub sessions: Vec<Session>,
}

/// One visit for an experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// By what the office knows it.
    pub session_number: String,
    /// When it begins.
    pub start_date: Option<Timestamp>,
    /// When it ends.
    pub end_date: Option<Timestamp>,
    /// What it is about, in a line.
    pub subject: String,
    /// What it is about, at length.
    pub body: String,
    /// Where its data are, as the office writes it.
    pub data_set_path: String,
}

/// A page of experiments as the office answers it.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) count: u64,
    pub(super) results: Vec<Experiment>,
}

/// Reads a page that may have this many rows. Texts may be missing; what is there has to be of its
/// type, or the page is a fault as a whole.
pub(super) fn read(said: &Value, most: u32) -> Result<Told, Fault> {
    let Value::Object(said) = said else { return Err(wrong("the page", "an object")) };
    let count = said.get("count").and_then(Value::as_u64);
    let count = count.ok_or_else(|| wrong("count", "a number"))?;
    for link in ["next", "previous"] {
        // They lead to the office; where the other pages are is said by us.
        if said.get(link).is_some_and(|link| !link.is_null() && !link.is_string()) {
            return Err(wrong(link, "an address or null"));
        }
    }
    let Some(Value::Array(rows)) = said.get("results") else {
        return Err(wrong("results", "a list"));
    };
    let how_many = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    if how_many > u64::from(most) || how_many > count {
        return Err(Fault::protocol("the service answered more experiments than there are"));
    }
    let results = rows.iter().map(experiment).collect::<Result<_, _>>()?;
    Ok(Told { count, results })
}

fn experiment(row: &Value) -> Result<Experiment, Fault> {
    let Value::Object(row) = row else { return Err(wrong("an experiment", "an object")) };
    let sessions = match row.get("sessions") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(all)) => all.iter().map(session).collect::<Result<_, _>>()?,
        Some(_) => return Err(wrong("sessions", "a list")),
    };
    Ok(Experiment {
        proposal_id: name(row, "proposal_id")?,
        subject: text(row, "subject")?,
        body: text(row, "body")?,
        beam_line: text(row, "beam_line")?,
        uid: number(row, "uid")?,
        gid: number(row, "gid")?,
        sessions,
    })
}

fn session(row: &Value) -> Result<Session, Fault> {
    let Value::Object(row) = row else { return Err(wrong("a session", "an object")) };
    Ok(Session {
        session_number: name(row, "session_number")?,
        start_date: date(row, "start_date")?,
        end_date: date(row, "end_date")?,
        subject: text(row, "subject")?,
        body: text(row, "body")?,
        data_set_path: text(row, "data_set_path")?,
    })
}

/// By what something is known: never missing, never empty. A number is another name than a text.
fn name(row: &Map<String, Value>, member: &'static str) -> Result<String, Fault> {
    match row.get(member) {
        Some(Value::String(name)) if !name.is_empty() && !name.contains(char::is_control) => {
            Ok(name.clone())
        }
        _ => Err(wrong(member, "a text")),
    }
}

fn text(row: &Map<String, Value>, member: &'static str) -> Result<String, Fault> {
    match row.get(member) {
        None | Some(Value::Null) => Ok(String::new()),
        // No text has a NUL; whoever gets it from us may end there.
        Some(Value::String(text)) if !text.contains('\0') => Ok(text.clone()),
        Some(_) => Err(wrong(member, "a text")),
    }
}

fn number(row: &Map<String, Value>, member: &'static str) -> Result<Option<u32>, Fault> {
    match row.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
            number.map(Some).ok_or_else(|| wrong(member, "a number"))
        }
    }
}

/// An instant as RFC 3339 has it, or a day in its parts.
fn date(row: &Map<String, Value>, member: &'static str) -> Result<Option<Timestamp>, Fault> {
    let date = match row.get(member) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => Timestamp::parse_rfc3339(text),
        Some(Value::Object(parts)) => {
            let part = |name: &str| parts.get(name).and_then(Value::as_u64);
            match (part("year"), part("month"), part("day")) {
                (Some(year @ 0..=9999), Some(month), Some(day)) => {
                    let text = format!("{year:04}-{month:02}-{day:02}T00:00:00Z");
                    Timestamp::parse_rfc3339(&text)
                }
                _ => None,
            }
        }
        Some(_) => None,
    };
    date.map(Some).ok_or_else(|| wrong(member, "a date"))
}

fn wrong(what: &str, expected: &str) -> Fault {
    Fault::Protocol(format!("the service answered experiments in which {what} is not {expected}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read;

    fn page(row: &Value) -> Value {
        json!({ "count": 1, "next": null, "previous": null, "results": [row] })
    }

    #[test]
    fn seed_cp_26_dates_come_in_two_forms_and_missing_texts_do_not_break_the_list() {
        let said = page(&json!({
            "proposal_id": "P1", "beam_line": null,
            "sessions": [
                { "session_number": "1", "start_date": "2024-01-01T08:00:00Z", "end_date": null },
                { "session_number": "2", "start_date": { "year": 2024, "month": 2, "day": 29 } },
            ],
        }));
        let told = read(&said, 7).unwrap();
        let one = &told.results[0];
        assert_eq!((one.subject.as_str(), one.beam_line.as_str(), one.uid), ("", "", None));
        let begins: Vec<_> =
            one.sessions.iter().map(|s| s.start_date.unwrap().to_string()).collect();
        assert_eq!(begins, ["2024-01-01T08:00:00Z", "2024-02-29T00:00:00Z"]);
    }

    #[test]
    fn atk_a200_a_page_with_one_thing_of_a_wrong_type_is_none() {
        let good = json!({ "proposal_id": "P1", "sessions": [{ "session_number": "1" }] });
        assert!(read(&page(&good), 1).is_ok());
        for (member, bad) in [
            ("proposal_id", json!(1)),
            ("proposal_id", json!("")),
            ("proposal_id", json!(null)),
            ("proposal_id", json!("P1\r\n")),
            ("body", json!("al\0ice")),
            ("subject", json!(["x"])),
            ("uid", json!("0")),
            ("uid", json!(-1)),
            ("gid", json!(1.5)),
            ("sessions", json!({})),
            ("sessions", json!([1])),
            ("sessions", json!([{}])),
            ("sessions", json!([{ "session_number": "1", "start_date": "yesterday" }])),
            ("sessions", json!([{ "session_number": "1", "end_date": { "year": 2024 } }])),
            (
                "sessions",
                json!([{ "session_number": "1", "end_date": { "year": 2023, "month": 2, "day": 29 } }]),
            ),
        ] {
            let mut row = good.clone();
            row[member] = bad.clone();
            assert!(read(&page(&row), 1).is_err(), "{member}: {bad}");
        }
        for (member, bad) in [
            ("count", json!("1")),
            ("count", json!(0)),
            ("next", json!(7)),
            ("previous", json!([])),
            ("results", json!({})),
            ("results", json!([good, good])),
        ] {
            let mut said = page(&good);
            said[member] = bad.clone();
            assert!(read(&said, 1).is_err(), "{member}: {bad}");
        }
        for bad in [json!(null), json!([]), json!(true), json!("")] {
            assert!(read(&bad, 1).is_err(), "{bad}");
        }
    }
}
