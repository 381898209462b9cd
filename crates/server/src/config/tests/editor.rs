//! `vestibule config edit` with editors that are scripts.

use super::{Site, plain};
use crate::cli::config::{self as command, ConfigCommand};

const FILE: &str = "[session]\ncookie_age = \"8h\" # a shift\n";

/// What the command says, or the message and exit status of its failure.
fn edit(site: &Site) -> Result<String, (String, u8)> {
    let mut out = Vec::new();
    let done = command::run(&ConfigCommand::Edit, &site.sources, false, &mut out);
    let here = site.directory.path();
    done.map(|()| plain(&String::from_utf8(out).unwrap(), here))
        .map_err(|error| (plain(&error.to_string(), here), error.exit_code()))
}

fn kept() -> String {
    format!(".vestibule.toml.edit-{}.toml", std::process::id())
}

#[test]
fn seed_om_1_edit_replaces_the_file_with_what_holds() {
    let site = Site::with(FILE).variable("EDITOR", "sed -i s/8h/9h/");
    assert_eq!(edit(&site).unwrap(), "vestibule.toml: edited\n");
    assert_eq!(site.text(), FILE.replace("8h", "9h"));
    assert_eq!(site.names(), ["vestibule.toml"]);
    assert_eq!(edit(&site).unwrap(), "nothing was changed\n");
    assert_eq!(site.names(), ["vestibule.toml"]);
}

#[test]
fn visual_goes_before_editor() {
    let site = Site::with(FILE).variable("EDITOR", "false").variable("VISUAL", "sed -i s/8h/7h/");
    edit(&site).unwrap();
    assert_eq!(site.text(), FILE.replace("8h", "7h"));
}

#[test]
fn seed_om_2_edit_refuses_what_does_not_hold_and_keeps_the_text() {
    let site = Site::with(FILE).variable("EDITOR", "sed -i s/8h/never/");
    let (message, status) = edit(&site).unwrap_err();
    assert!(message.starts_with("vestibule.toml: session.cookie_age: expected a duration"));
    let end = format!("vestibule.toml was left unchanged; the edited text is kept in {}", kept());
    assert!(message.ends_with(&end), "{message}");
    assert_eq!((site.text().as_str(), status), (FILE, 2));
    let text = std::fs::read_to_string(site.path(&kept())).unwrap();
    assert_eq!(text, FILE.replace("8h", "never"));
}

#[test]
fn a_file_that_does_not_hold_can_be_mended() {
    let site =
        Site::with("[session]\ncookie_age = \"never\"\n").variable("EDITOR", "sed -i s/never/8h/");
    edit(&site).unwrap();
    assert!(site.load().is_ok());
}

#[test]
fn a_change_by_someone_else_is_not_overwritten() {
    let other = "[session]\ncookie_age = \"1h\"\n";
    let site = Site::with(FILE);
    site.write("other", other, 0o600);
    let editor = format!(
        "cp '{}' '{}' && sed -i s/8h/9h/",
        site.path("other").display(),
        site.path("vestibule.toml").display()
    );
    let site = site.variable("EDITOR", editor);
    let (message, status) = edit(&site).unwrap_err();
    assert!(message.starts_with("vestibule.toml was changed by someone else meanwhile"));
    assert_eq!((site.text().as_str(), status), (other, 1));
    assert!(site.names().contains(&kept()));
}

#[test]
fn an_editor_that_fails_changes_nothing() {
    let site = Site::with(FILE).variable("EDITOR", "sed -i s/8h/9h/ \"$1\"; false");
    let (message, status) = edit(&site).unwrap_err();
    assert!(message.starts_with("the editor failed (exit status: 1)"), "{message}");
    assert_eq!((site.text().as_str(), status), (FILE, 1));
    assert_eq!(site.names(), ["vestibule.toml"]);
    let (message, status) = edit(&Site::with(FILE)).unwrap_err();
    assert_eq!((&*message, status), ("neither $VISUAL nor $EDITOR names an editor", 2));
}

#[test]
fn the_copy_in_the_editor_is_private() {
    let site = Site::empty();
    site.write("vestibule.toml", FILE, 0o644);
    let record = site.path("mode").display().to_string();
    let site = site.variable("EDITOR", format!("stat -c %a >'{record}'"));
    edit(&site).unwrap();
    assert_eq!(std::fs::read_to_string(record).unwrap(), "600\n");
}
