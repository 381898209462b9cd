//! Mail, as an operator sets it up and looks after it.

use std::fs;

use serde_json::json;

use crate::{
    support::{Desk, PASSWORD, Server},
    visitor::Visitor,
};

const FILE: &str =
    "[site]\nname = \"Зал 🦊\"\n[mail]\ntransport = \"file\"\nfile_path = \"mails\"\n";

#[test]
fn seed_om_53_a_test_sends_a_mail_and_tells_what_came_of_it() {
    let desk = Desk::furnished();
    desk.write("vestibule.toml", FILE);
    let ran = desk.succeed(&["mail", "test", "anna@example.org"]);
    assert!(ran.out.starts_with("sent by file: written to "), "{ran:?}");
    let listed = desk.succeed(&["mail", "outbox", "list", "--json"]).json();
    assert_eq!(
        (&listed[0]["state"], &listed[0]["to"]),
        (&"sent".into(), &"anna@example.org".into())
    );
    let id = listed[0]["id"].as_str().unwrap();
    let mail = fs::read_to_string(desk.path(&format!("mails/{id}.eml"))).unwrap();
    assert!(mail.contains("To: anna@example.org\r\n"), "{mail}");
    assert!(mail.contains("Subject: =?utf-8?b?"), "{mail}");
    assert!(desk.succeed(&["verify"]).out.contains("everything holds"));
}

#[test]
fn a_test_that_fails_says_why_and_is_not_tried_again() {
    let desk = Desk::furnished();
    desk.write("vestibule.toml", "[mail]\ntransport = \"smtp\"\nport = 1\n");
    let ran = desk.run(&["mail", "test", "anna@example.org"]).expect(1);
    assert!(ran.err.contains("localhost:1 cannot be reached"), "{ran:?}");
    let listed = desk.succeed(&["mail", "outbox", "list", "--state", "dead", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let id = listed[0]["id"].as_str().unwrap();
    assert!(desk.succeed(&["mail", "outbox", "retry", id]).out.contains("1 to be tried"));
    desk.run(&["mail", "outbox", "purge", "--state", "waiting"]).expect(1);
    assert!(desk.succeed(&["mail", "outbox", "purge", id]).out.contains("1 removed"));
    let gone = desk.run(&["mail", "outbox", "retry", id]).expect(1);
    assert!(gone.err.contains("no such mail"), "{gone:?}");
}

#[test]
fn an_address_that_is_none_is_refused_by_name_and_nothing_is_posted() {
    let desk = Desk::furnished();
    desk.write("vestibule.toml", FILE);
    for address in ["a@b@example.org", "a@b.org, c@d.org", "a@b.org\nBcc: c@d.org", "\"a@b.org"] {
        let ran = desk.run(&["mail", "test", address]).expect(1);
        assert!(ran.err.contains("email: "), "{ran:?}");
    }
    assert_eq!(desk.count("outbox"), 0);
}

#[test]
fn seed_oq_32_a_check_looks_at_the_mail_server_and_at_the_templates() {
    let desk = Desk::furnished();
    desk.write("vestibule.toml", FILE);
    assert!(desk.succeed(&["check"]).out.contains("vst.I004"));
    fs::create_dir_all(desk.path("ours/mail/reset")).unwrap();
    desk.write("ours/mail/reset/body.txt", "Hello\n{{ nobody }}\n");
    desk.write(
        "vestibule.toml",
        &format!("{FILE}[log]\n").replace("[mail]", "template_dirs = [\"ours\"]\n[mail]"),
    );
    let checked = desk.succeed(&["check"]);
    assert!(checked.out.contains("vst.W004") && checked.out.contains("body.txt:2"), "{checked:?}");
    desk.write("vestibule.toml", "[mail]\ntransport = \"smtp\"\nport = 1\n");
    let checked = desk.run(&["check"]).expect(1);
    assert!(checked.out.contains("vst.E004") && checked.out.contains("localhost:1"), "{checked:?}");
}

#[test]
fn a_server_that_nobody_has_set_up_prints_its_mails_with_the_link_on_a_line_of_its_own() {
    let desk = Desk::new();
    let anna = ["user", "add", "anna", "--email", "anna@example.org", "--password-stdin"];
    desk.feed(&anna, PASSWORD).expect(0);
    let server = Server::start(&desk);
    let body = json!({ "email": "anna@example.org" });
    let mut visitor = Visitor::new(&server.origin);
    visitor.post("/api/v1/password/forgot", &body).expect(202);
    let begin = format!("{}/password/reset/", server.origin);
    let link = server.says(|line| line.starts_with(&begin));
    let path = link.strip_prefix(&server.origin).unwrap();
    assert!(!path.contains(' '), "{link}");
    assert!(visitor.get(path).status < 400, "{link}");
}
