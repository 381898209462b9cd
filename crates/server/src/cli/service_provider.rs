//! What can be told of a Shibboleth service provider that runs on this machine: from its
//! configuration, where the operator says where that is, and from what its program says of itself.
//! What Apache does with the attributes stands elsewhere, and is not looked for.

use std::{fs, path::Path, process::Command};

use roxmltree::Document;

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
    let hint = "sp_config names the shibboleth2.xml of this machine";
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => return vec![weak("vst.W112", format!("it cannot be read: {error}"), hint)],
    };
    let all = |name: &'static str| {
        document.descendants().filter(move |node| node.tag_name().name() == name)
    };
    let mut seen = Vec::new();
    if all("Sessions").next().is_none() {
        let what = "there is no <Sessions> in it: nothing is known of its redirects";
        seen.push(weak("vst.W112", what, hint));
    }
    for sessions in all("Sessions") {
        let limit = sessions.attribute("redirectLimit").unwrap_or("none");
        if !limit.split('+').any(|part| ["exact", "host", "allow", "whitelist"].contains(&part)) {
            let what = format!(
                "its redirectLimit is {limit:?}: whoever follows a link to it is led anywhere"
            );
            seen.push(weak("vst.W113", what, "redirectLimit=\"exact\" in <Sessions>"));
        }
        let cookies = sessions.attribute("cookieProps").unwrap_or("http").to_ascii_lowercase();
        let is_secure = cookies == "https" || cookies.contains("secure");
        if is_https && (sessions.attribute("handlerSSL") == Some("false") || !is_secure) {
            let what = "its sessions are not for https alone";
            let hint = "handlerSSL=\"true\" cookieProps=\"https\" in <Sessions>";
            seen.push(weak("vst.W114", what, hint));
        }
    }
    if all("InProcess").any(|place| place.attribute("checkSpoofing") == Some("false")) {
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

#[cfg(test)]
mod tests {
    use super::{judge, judge_version};

    const SOUND: &str = r#"<SPConfig xmlns="urn:x" xmlns:conf="urn:x"><InProcess logger='n"l'/>
        <!-- <Sessions redirectLimit="none" checkSpoofing="false"/> -->
        <conf:Sessions lifetime="28800" timeout = "3600"
            handlerSSL="true" cookieProps="https" redirectLimit="exact+allow"><SSO>SAML2</SSO></conf:Sessions></SPConfig>"#;

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
            ("</SPConfig>", "", "vst.W112"),
        ] {
            assert_eq!(ids(&SOUND.replacen(from, to, 2), true), [id], "{from}");
        }
        // One that overrides the others counts as well.
        let another = "<Sessions cookieProps=\"https\"/></SPConfig>";
        let overridden = SOUND.replace("</SPConfig>", another);
        assert_eq!(ids(&overridden, true), ["vst.W113"]);
        assert_eq!(ids(&SOUND.replace("https", "http"), false), ["vst.I006"], "where all is http");
        assert_eq!(ids("", true), ["vst.W112"]);
        assert_eq!(ids("<Sessions redirectLimit=\"exact", true), ["vst.W112"]);
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
}
