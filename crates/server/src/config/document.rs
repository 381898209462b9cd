//! Changes of one key in the text of a TOML file; all else, comments too, stays as it is.

use serde::Serialize;
use toml::Value;
use toml_edit::{Document, DocumentMut, Item, TableLike, ser::ValueSerializer};

/// The text with the key set, or `None` when the text is not TOML or has something else in the
/// section's place.
///
/// A value that is replaced keeps the comment behind it.
pub(super) fn set(text: &str, name: &str, value: &Value) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let (section, key) = name.split_once('.')?;
    let mut value = literal(value)?;
    let Some(table) = document.get_mut(section) else {
        return Some(appended(text, section, key, &value));
    };
    let table = table.as_table_like_mut()?;
    match table.get_mut(key) {
        Some(Item::Value(old)) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        Some(other) => *other = Item::Value(value),
        None => {
            table.insert(key, Item::Value(value));
        }
    }
    Some(with_line_ends_of(text, document.to_string()))
}

/// The text without the key, or `None` when the text is not TOML or does not have it.
///
/// The line goes with the comment behind its value; comments above it stay, for they may tell
/// why the key was set and when to set it again.
pub(super) fn unset(text: &str, name: &str) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let path: Vec<&str> = name.split('.').collect();
    let (last, parents) = path.split_last()?;
    let table = descend(document.as_table(), parents)?;
    let (key, item) = table.get_key_value(last)?;
    // In an inline table a key does not have the line for itself.
    let own_line = item.is_value() && !inline(document.as_table(), parents);
    if let (true, Some(key), Some(value)) = (own_line, key.span(), item.span()) {
        let start = text.get(..key.start)?.rfind('\n').map_or(0, |at| at + 1);
        let rest = text.get(value.end..)?;
        let end = rest.find('\n').map_or(text.len(), |at| value.end + at + 1);
        return Some(format!("{}{}", text.get(..start)?, text.get(end..)?));
    }
    let mut document: DocumentMut = text.parse().ok()?;
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for name in parents {
        table = table.get_mut(name)?.as_table_like_mut()?;
    }
    table.remove(last)?;
    Some(with_line_ends_of(text, document.to_string()))
}

/// A value as it is written in TOML.
pub(super) fn literal(value: &Value) -> Option<toml_edit::Value> {
    value.serialize(ValueSerializer::new()).ok()
}

fn descend<'a>(root: &'a dyn TableLike, path: &[&str]) -> Option<&'a dyn TableLike> {
    path.iter().try_fold(root, |table, name| table.get(name)?.as_table_like())
}

fn inline(root: &dyn TableLike, path: &[&str]) -> bool {
    (1..=path.len()).any(|depth| {
        let Some((last, parents)) = path[..depth].split_last() else {
            return false;
        };
        descend(root, parents).and_then(|table| table.get(last)).is_some_and(Item::is_inline_table)
    })
}

/// A new section at the end, behind all comments.
fn appended(text: &str, section: &str, key: &str, value: &toml_edit::Value) -> String {
    let gap = match text {
        "" => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    let value = value.to_string();
    let section = format!("{gap}[{section}]\n{key} = {}\n", value.trim());
    with_line_ends_of(text, format!("{text}{section}"))
}

/// A file from Windows keeps its line ends throughout.
fn with_line_ends_of(model: &str, text: String) -> String {
    if model.contains("\r\n") { text.replace("\r\n", "\n").replace('\n', "\r\n") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# The hall
# of the beamline

[site]
# shown at the top
name = \"Hall\"   # as on the door
base_url = 'https://hall.example' # not the old one

  # sessions
[session]
cookie_age = \"8h\"
# idle_timeout = \"1h\"

# the end
";

    fn text(value: &str) -> Value {
        Value::String(value.to_owned())
    }

    #[test]
    fn a_changed_value_leaves_every_other_byte() {
        let after = set(FILE, "site.name", &text("Foyer \"2\"")).unwrap();
        let changed = "name = 'Foyer \"2\"'   # as on the door";
        assert_eq!(after, FILE.replace("name = \"Hall\"   # as on the door", changed));
    }

    #[test]
    fn a_new_key_joins_its_section() {
        let after = set(FILE, "session.max_per_user", &Value::Integer(5)).unwrap();
        let line = "cookie_age = \"8h\"\n";
        assert_eq!(after, FILE.replace(line, &format!("{line}max_per_user = 5\n")));
    }

    #[test]
    fn a_new_section_goes_behind_all_comments() {
        let after = set(FILE, "log.format", &text("json")).unwrap();
        assert_eq!(after, format!("{FILE}\n[log]\nformat = \"json\"\n"));
        assert_eq!(set("", "log.format", &text("json")).unwrap(), "[log]\nformat = \"json\"\n");
        let after = set("# all defaults", "server.workers", &Value::Integer(2)).unwrap();
        assert_eq!(after, "# all defaults\n\n[server]\nworkers = 2\n");
    }

    #[test]
    fn dotted_and_inline_forms_stay_what_they_are() {
        let dotted = "site.name = \"a\" # one\nlog.format = \"text\"\n";
        let after = set(dotted, "site.name", &text("b")).unwrap();
        assert_eq!(after, "site.name = \"b\" # one\nlog.format = \"text\"\n");
        assert_eq!(unset(dotted, "site.name").unwrap(), "log.format = \"text\"\n");
        let inline = "log = { format = \"text\", filter = \"info\" } # both\n";
        let after = set(inline, "log.format", &text("json")).unwrap();
        assert_eq!(after, inline.replace("\"text\"", "\"json\""));
        let after = unset(inline, "log.format").unwrap();
        assert!(after.contains("filter = \"info\"") && !after.contains("format"), "{after}");
        assert!(after.ends_with("# both\n"), "{after}");
    }

    #[test]
    fn a_line_taken_out_leaves_the_comments_above_it() {
        let after = unset(FILE, "site.name").unwrap();
        assert_eq!(after, FILE.replace("name = \"Hall\"   # as on the door\n", ""));
        assert!(unset(FILE, "site.nmae").is_none());
        assert!(unset(FILE, "log.format").is_none());
    }

    #[test]
    fn a_list_over_several_lines_goes_as_a_whole() {
        let file =
            "[server]\nallowed_hosts = [ # all\n  \"a\", # one\n  \"b\",\n] # end\nworkers = 2\n";
        assert_eq!(unset(file, "server.allowed_hosts").unwrap(), "[server]\nworkers = 2\n");
    }

    #[test]
    fn unknown_keys_and_sections_can_be_taken_out() {
        let file =
            "top = 1\n[quota]\nmax = 1\n[[backend]]\nname = \"a\"\n[log]\nformat = \"text\"\n";
        let log = "[log]\nformat = \"text\"\n";
        let mut after = file.to_owned();
        for key in ["top", "quota.max", "quota", "backend"] {
            after = unset(&after, key).unwrap();
        }
        assert_eq!(after.trim_start(), log);
    }

    #[test]
    fn line_ends_of_windows_stay() {
        let file = "# x\r\n[log]\r\nformat = \"text\" # y\r\n";
        let after = set(file, "log.filter", &text("warn")).unwrap();
        assert_eq!(after, format!("{file}filter = \"warn\"\r\n"));
        assert_eq!(unset(file, "log.format").unwrap(), "# x\r\n[log]\r\n");
    }

    #[test]
    fn what_is_not_toml_is_left_alone() {
        assert!(set("[log", "log.format", &text("text")).is_none());
        assert!(set("log = 3", "log.format", &text("text")).is_none());
        assert!(unset("[log", "log.format").is_none());
    }
}
