use std::{fs, path::Path};

use vestibule_core::{Timestamp, domain::notice::Notice};

use super::{Address, BUILT_IN, Renderer, SiteFacts};

fn site() -> SiteFacts {
    SiteFacts {
        name: "Hall & Sons".to_owned(),
        url: Address::fixed("https://hall.example/auth"),
        subject_prefix: "[Hall & Sons] ".to_owned(),
        has_logo: false,
    }
}

fn renderer(folder: &Path) -> Renderer {
    Renderer::new(site(), vec![folder.to_owned()])
}

fn put(folder: &Path, name: &str, text: &str) {
    let file = folder.join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

fn reset(username: &str) -> Notice {
    Notice::Reset { username: username.to_owned() }
}

const LINK: &str = "https://hall.example/auth/password/reset/abc";
const UNTIL: Option<Timestamp> = Some(Timestamp::from_micros(1_767_225_600_000_000));

#[test]
fn every_notice_is_written_in_both_twins_without_any_template_of_the_operators() {
    let renderer = Renderer::new(site(), Vec::new());
    assert_eq!(renderer.problems(), []);
    for notice in Notice::samples() {
        let written = renderer.write(&notice, "", Some(LINK), UNTIL).unwrap();
        assert!(written.subject.starts_with("[Hall & Sons] "), "{}", written.subject);
        assert!(!written.subject.contains('\n') && written.subject.len() > 16);
        assert!(
            written.text.contains("Hall & Sons\nhttps://hall.example/auth"),
            "{}",
            written.text
        );
        assert!(written.html.contains("Hall &amp; Sons"), "{}", written.html);
        assert!(!written.text.contains("{{") && !written.html.contains("{%"));
    }
}

#[test]
fn the_twins_say_the_same() {
    let renderer = Renderer::new(site(), Vec::new());
    for notice in Notice::samples() {
        let written = renderer.write(&notice, "", Some(LINK), UNTIL).unwrap();
        let html = written.html.split_once("<body").unwrap().1.split_once('>').unwrap().1;
        let mut text = String::new();
        let mut within = true;
        for c in html.chars() {
            match c {
                '<' => (within, text) = (false, text + " "),
                '>' => within = true,
                c if within => text.push(c),
                _ => {}
            }
        }
        let said = |text: &str| {
            let text = text.replace("&amp;", "&").replace("&#x2f;", "/").replace("-- ", "");
            text.split_whitespace().collect::<Vec<_>>().join(" ").replace(" ,", ",")
        };
        assert_eq!(said(&text), said(&written.text), "{}", notice.kind());
    }
}

/// The paragraph keeps the spaces of the text, and would keep a line break of its own.
#[test]
fn a_line_of_what_somebody_wrote_is_one_line_in_both_twins() {
    let renderer = Renderer::new(site(), Vec::new());
    let text = "On Monday.\n\n  At eight.".to_owned();
    let notice = Notice::Message { subject: "x".to_owned(), text: text.clone(), link: None };
    let written = renderer.write(&notice, "", None, None).unwrap();
    assert!(written.text.starts_with(&text), "{}", written.text);
    let expected = ">On Monday.<br><br>  At eight.</p>";
    assert!(written.html.contains(expected), "{}", written.html);
}

#[test]
fn seed_cn_10_a_link_has_a_line_of_its_own() {
    let renderer = Renderer::new(site(), Vec::new());
    let written = renderer.write(&reset("anna"), "", Some(LINK), UNTIL).unwrap();
    assert!(written.text.lines().any(|line| line == LINK), "{}", written.text);
    assert!(
        written.html.contains(&format!("href=\"{}\"", LINK.replace('/', "&#x2f;"))),
        "{}",
        written.html
    );
    assert!(written.text.contains("until 2026-01-01 00:00 UTC"), "{}", written.text);
}

#[test]
fn what_people_typed_is_no_template_no_markup_and_no_line() {
    let renderer = Renderer::new(site(), Vec::new());
    let name =
        "{{ site.url }}{% include 'x' %}<b>\"x\"</b>\r\nBcc: x@example.org\n\nhttps://evil.example";
    let written = renderer.write(&reset(name), "", Some(LINK), UNTIL).unwrap();
    assert!(written.text.contains("{{ site.url }}{% include 'x' %}<b>"), "{}", written.text);
    assert!(
        !written.html.contains("<b>") && written.html.contains("&lt;b&gt;"),
        "{}",
        written.html
    );
    for line in written.text.lines() {
        assert!(!line.starts_with("Bcc") && !line.starts_with("https://evil"), "{line}");
    }
    let report = Notice::ErrorReport {
        place: "x\r\nBcc: y@example.org".to_owned(),
        code: "internal".to_owned(),
        count: 1,
        first: Timestamp::from_micros(0),
        last: Timestamp::from_micros(0),
        requests: Vec::new(),
    };
    let written = renderer.write(&report, "", None, None).unwrap();
    assert_eq!(written.subject, "[Hall & Sons] 1 failed request: x Bcc: y@example.org");
}

#[test]
fn atk_a051_an_error_report_is_escaped_where_html_is_written() {
    let report = Notice::ErrorReport {
        place: "GET /<script>alert(1)</script>/{id}".to_owned(),
        code: "<i>code</i>".to_owned(),
        count: 2,
        first: Timestamp::from_micros(0),
        last: Timestamp::from_micros(0),
        requests: vec!["<b>id</b>".to_owned()],
    };
    let written = Renderer::new(site(), Vec::new()).write(&report, "", None, None).unwrap();
    for tag in ["<script", "<i>", "<b>"] {
        assert!(written.text.contains(tag), "{tag}: {}", written.text);
        assert!(!written.html.contains(tag), "{tag}: {}", written.html);
    }
    assert!(written.html.contains("&lt;script&gt;"), "{}", written.html);
}

#[test]
fn seed_oq_32_a_template_of_the_operators_wins() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "mail/reset/subject.txt", "Neues Passwort für {{ username }} 🦊");
    put(folder.path(), "mail/de/reset/body.txt", "Hallo {{ username }}:\n{{ link }}\n");
    let renderer = renderer(folder.path());
    assert_eq!(renderer.problems(), []);
    let written = renderer.write(&reset("anna"), "de-CH", Some(LINK), UNTIL).unwrap();
    assert_eq!(written.subject, "[Hall & Sons] Neues Passwort für anna 🦊");
    assert_eq!(written.text.trim_end(), format!("Hallo anna:\n{LINK}"));
    assert!(written.html.contains("asked for a new password"), "the built-in twin");
    let written = renderer.write(&reset("anna"), "fr", Some(LINK), UNTIL).unwrap();
    assert!(written.text.contains("asked for a new password"), "{}", written.text);
}

#[test]
fn seed_oq_32_a_broken_template_is_found_at_the_start_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "mail/reset/body.txt", "Hello\n\n{{ username \n");
    put(folder.path(), "mail/test/subject.txt", "Hello {{ nobody }}");
    put(folder.path(), "mail/de/activate/body.html", "<p>\n{% include '../../secret' %}");
    let renderer = renderer(folder.path());
    let found = renderer.problems();
    let shown: Vec<String> = found
        .iter()
        .map(|problem| {
            format!(
                "{}:{}",
                problem
                    .file
                    .strip_prefix(&*folder.path().to_string_lossy())
                    .unwrap_or(&problem.file),
                problem.line
            )
        })
        .collect();
    assert_eq!(
        shown,
        ["/mail/de/activate/body.html:2", "/mail/reset/body.txt:3", "/mail/test/subject.txt:1"],
        "{found:?}"
    );
    let written = renderer.write(&reset("anna"), "", Some(LINK), UNTIL).unwrap();
    assert!(written.text.contains("asked for a new password"), "{}", written.text);
}

#[test]
fn templates_stay_within_their_folder() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "secret.txt", "top secret");
    put(folder.path(), "in/mail/test/body.txt", "{% include '../secret.txt' %}");
    put(
        folder.path(),
        "other/mail/test/body.html",
        "{% include '/etc/hostname' ignore missing %}<p>x</p>",
    );
    let renderer = renderer(&folder.path().join("in"));
    let written = renderer.write(&Notice::Test, "../..", None, None).unwrap();
    assert!(written.text.contains("mail works"), "{}", written.text);
    assert!(!format!("{}{}", written.text, written.html).contains("top secret"));
    let renderer = self::renderer(&folder.path().join("other"));
    assert_eq!(renderer.write(&Notice::Test, "", None, None).unwrap().html, "<p>x</p>");
}

#[test]
fn every_built_in_template_belongs_to_a_notice() {
    for (name, _) in BUILT_IN {
        let kind = name.split('/').nth(1).unwrap();
        let known = Notice::samples().iter().any(|notice| notice.kind() == kind);
        assert!(known || kind.starts_with("layout."), "{name}");
    }
}
