//! Where to go after a login: only ever to a place of our own.

use url::Url;

use crate::site::Site;

/// The path to go to, if what was asked for is one of our own; else nothing.
pub(crate) fn own_path(site: &Site, wanted: Option<&str>) -> Option<String> {
    let wanted = wanted.filter(|wanted| is_plain_path(wanted))?;
    let base = Url::parse(site.settings.site.base_url.origin()).ok()?;
    let target = base.join(wanted).ok().filter(|target| target.origin() == base.origin())?;
    // What the path comes to may begin with what it did not: `/.//host` is `//host`.
    if !is_plain_path(target.path()) {
        return None;
    }
    let query = target.query().map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("{}{query}", target.path()))
}

/// More than any page of ours needs; it is kept while people are elsewhere.
const LONGEST: usize = 2048;

/// A path as a browser and we read it alike: `//host`, `/\host` and what hides behind control
/// characters are not.
fn is_plain_path(text: &str) -> bool {
    text.len() <= LONGEST
        && text.starts_with('/')
        && !text.starts_with("//")
        && !text.chars().any(|c| c.is_control() || c == '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_om_25_only_paths_of_our_own_are_followed() {
        for own in ["/", "/calc/7", "/calc?x=//evil.example"] {
            assert!(is_plain_path(own), "{own}");
        }
        for foreign in [
            "",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\n/evil.example",
            "evil",
            "@evil.example",
            "/a\\b",
            "\u{0}/x",
        ] {
            assert!(!is_plain_path(foreign), "{foreign}");
        }
    }
}
