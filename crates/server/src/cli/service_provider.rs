//! What can be told of a Shibboleth service provider that runs on this machine: from its
//! configuration, where the operator says where that is, and from what its program says of itself.
//! What Apache does with the attributes stands elsewhere, and is not looked for.

use std::{fs, path::Path, process::Command};

/// Where `shibd` is put by packages and by hand.
const PROGRAMS: [&str; 3] =
    ["/usr/sbin/shibd", "/usr/local/sbin/shibd", "/opt/shibboleth/sbin/shibd"];

/// The first version without known holes (CVE-2025-9943).
const SOUND: [u32; 3] = [3, 5, 1];

/// Something about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) id: &'static str,
    pub(super) is_weak: bool,
    pub(super) what: String,
    pub(super) hint: &'static str,
}

fn weak(id: &'static str, what: impl Into<String>, hint: &'static str) -> Seen {
    Seen { id, is_weak: true, what: what.into(), hint }
}

fn well(what: impl Into<String>) -> Seen {
    Seen { id: "vst.I006", is_weak: false, what: what.into(), hint: "" }
}

/// Looks at a `shibboleth2.xml`, and asks the program for its version.
pub(super) fn look(config: &Path, is_https: bool) -> Vec<Seen> {
    let hint = "sp_config names the shibboleth2.xml of this machine";
    let mut seen = match fs::read_to_string(config) {
        Ok(text) => judge(&text, is_https),
        Err(error) => {
            vec![weak("vst.W112", format!("{} cannot be read: {error}", config.display()), hint)]
        }
    };
    seen.push(match PROGRAMS.iter().find(|program| Path::new(program).exists()) {
        Some(program) => match Command::new(program).arg("-v").output() {
            Ok(output) => judge_version(&String::from_utf8_lossy(&output.stdout)),
            Err(error) => weak("vst.W116", format!("{program} -v: {error}"), VERSION),
        },
        None => weak(
            "vst.W116",
            "shibd is not where packages put it: nothing says its version",
            VERSION,
        ),
    });
    seen
}

const VERSION: &str = "look that it is 3.5.1 or later, or mended by the distribution";

/// What its configuration says, as far as it stands in this one file.
fn judge(text: &str, is_https: bool) -> Vec<Seen> {
    let tags = tags(text);
    let all = |name: &'static str| tags.iter().filter(move |tag| tag.name == name);
    let mut seen = Vec::new();
    if all("Sessions").next().is_none() {
        let what = "there is no <Sessions> in it: nothing is known of its redirects";
        seen.push(weak("vst.W112", what, "sp_config names the shibboleth2.xml of this machine"));
    }
    for sessions in all("Sessions") {
        let limit = sessions.value("redirectLimit").unwrap_or("none");
        if !limit.split('+').any(|part| ["exact", "host", "allow", "whitelist"].contains(&part)) {
            let what = format!(
                "its redirectLimit is {limit:?}: whoever follows a link to it is \
                                led anywhere"
            );
            seen.push(weak("vst.W113", what, "redirectLimit=\"exact\" in <Sessions>"));
        }
        let cookies = sessions.value("cookieProps").unwrap_or("http").to_ascii_lowercase();
        let is_secure = cookies == "https" || cookies.contains("secure");
        if is_https && (sessions.value("handlerSSL") == Some("false") || !is_secure) {
            let what = "its sessions are not for https alone";
            let hint = "handlerSSL=\"true\" cookieProps=\"https\" in <Sessions>";
            seen.push(weak("vst.W114", what, hint));
        }
    }
    if all("InProcess").any(|tag| tag.value("checkSpoofing") == Some("false")) {
        let what = "its checkSpoofing is off: with ShibUseHeaders a client's headers get through";
        seen.push(weak("vst.W115", what, "take checkSpoofing=\"false\" out of <InProcess>"));
    }
    if seen.is_empty() {
        seen.push(well("its configuration limits redirects and has the check for spoofing on"));
    }
    seen
}

fn judge_version(said: &str) -> Seen {
    let version = said.split_whitespace().last().unwrap_or_default();
    let numbers: Option<Vec<u32>> = version.split('.').map(|part| part.parse().ok()).collect();
    match numbers {
        Some(numbers) if numbers.len() >= 2 && numbers >= SOUND.to_vec() => {
            well(format!("shibd is of version {version}"))
        }
        Some(numbers) if numbers.len() >= 2 => {
            let what = format!("shibd is of version {version}, below 3.5.1 (CVE-2025-9943)");
            let hint = "newer, or mended by the distribution: apt changelog libapache2-mod-shib";
            weak("vst.W116", what, hint)
        }
        _ => weak("vst.W116", "shibd does not say of what version it is", VERSION),
    }
}

/// The beginning of an element.
struct Tag<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

impl Tag<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// All beginnings of elements with their attributes, but for those in comments. The file is the
/// service provider's to hold to its schema; here it is only read.
fn tags(text: &str) -> Vec<Tag<'_>> {
    let mut tags = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, behind)| behind);
            continue;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '>' || c == '/');
        let (whole, mut inner) = rest.split_at(end.unwrap_or(rest.len()));
        let name = whole.rsplit(':').next().unwrap_or(whole);
        let mut attributes = Vec::new();
        while let Some((attribute, behind)) = attribute(inner) {
            attributes.push(attribute);
            inner = behind;
        }
        tags.push(Tag { name, attributes });
        rest = inner;
    }
    tags
}

/// The next attribute of an element, and what stands behind it.
fn attribute(text: &str) -> Option<((&str, &str), &str)> {
    let text = text.trim_start();
    let (name, value) = text.split_once('=')?;
    let name = name.trim_end();
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || "<>/\"'".contains(c)) {
        return None;
    }
    let value = value.trim_start();
    let quote = value.chars().next().filter(|c| ['"', '\''].contains(c))?;
    let (value, behind) = value[1..].split_once(quote)?;
    Some(((name, value), behind))
}

#[cfg(test)]
mod tests {
    use super::{judge, judge_version, tags};

    const SOUND: &str = r#"<SPConfig xmlns="urn:x"><InProcess logger='n"l'/>
        <!-- <Sessions redirectLimit="none" checkSpoofing="false"/> -->
        <conf:Sessions lifetime="28800" timeout = "3600"
            handlerSSL="true" cookieProps="https" redirectLimit="exact+allow"><SSO>SAML2</SSO>"#;

    fn ids(text: &str, is_https: bool) -> Vec<&'static str> {
        judge(text, is_https).iter().map(|seen| seen.id).collect()
    }

    #[test]
    fn atk_a139_what_a_service_provider_leaves_open_is_named() {
        assert_eq!(ids(SOUND, true), ["vst.I006"]);
        for (from, to, id) in [
            ("exact+allow", "none", "vst.W113"),
            ("redirectLimit=\"exact+allow\"", "", "vst.W113"),
            ("handlerSSL=\"true\"", "handlerSSL=\"false\"", "vst.W114"),
            ("cookieProps=\"https\"", "cookieProps=\"http\"", "vst.W114"),
            ("cookieProps=\"https\"", "", "vst.W114"),
            ("<InProcess ", "<InProcess checkSpoofing='false' ", "vst.W115"),
            ("conf:Sessions", "Session", "vst.W112"),
        ] {
            assert_eq!(ids(&SOUND.replacen(from, to, 2), true), [id], "{from}");
        }
        // One that overrides the others counts as well.
        let overridden = format!("{SOUND}<Sessions cookieProps=\"https\"/>");
        assert_eq!(ids(&overridden, true), ["vst.W113"]);
        assert_eq!(ids(&SOUND.replace("https", "http"), false), ["vst.I006"], "where all is http");
        assert_eq!(ids("", true), ["vst.W112"]);
        assert_eq!(ids("<Sessions redirectLimit=\"exact", true), ["vst.W113", "vst.W114"]);
    }

    #[test]
    fn atk_a139_versions_are_compared_as_numbers() {
        for sound in ["shibboleth 3.5.1\n", "shibboleth 3.10.0", "shibboleth 4.0"] {
            assert!(!judge_version(sound).is_weak, "{sound}");
        }
        for weak in ["shibboleth 3.5.0", "shibboleth 3.4.1\n", "shibboleth 2.6.1", "", "usage"] {
            assert!(judge_version(weak).is_weak, "{weak}");
        }
    }

    #[test]
    fn attributes_are_read_to_the_end_of_their_element() {
        let tags = tags("<a b='1' c=\"2>3\"/><d e=\"4\">f=\"5\"</d>");
        let named: Vec<_> = tags.iter().map(|tag| (tag.name, tag.attributes.clone())).collect();
        assert_eq!(named[0], ("a", vec![("b", "1"), ("c", "2>3")]));
        assert_eq!(named[1], ("d", vec![("e", "4")]));
        assert!(named[2..].iter().all(|(_, attributes)| attributes.is_empty()));
    }
}
