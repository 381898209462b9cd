//! The ways to log in, as an operator configures and tries them.

use crate::support::{Desk, PASSWORD};

const ONE: &str = "[[backend]]\nname = \"house\"\nkind = \"local\"\n";

#[test]
fn without_any_backend_the_local_one_is_meant() {
    let desk = Desk::furnished();
    let listed = desk.succeed(&["backend", "list", "--json"]).json();
    assert_eq!((&listed[0]["name"], &listed[0]["kind"]), (&"local".into(), &"local".into()));
    desk.write("vestibule.toml", ONE);
    let listed = desk.succeed(&["backend", "list", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(
        (&listed[0]["name"], &listed[0]["control"]),
        (&"house".into(), &"sufficient".into())
    );
}

#[test]
fn a_test_shows_what_the_backend_answers_and_leaves_no_trace() {
    let desk = Desk::furnished();
    desk.write("vestibule.toml", ONE);
    let (sessions, events) = (desk.count("sessions"), desk.count("audit_events"));
    let test = |name: &str, password: &str| {
        let arguments =
            ["backend", "test", "house", "--username", name, "--password-stdin", "--json"];
        desk.feed(&arguments, password)
    };
    let right = test("ROOT", PASSWORD).expect(0);
    assert_eq!(right.json()["answer"], "verified");
    assert!(!right.all().contains(PASSWORD), "{right:?}");
    let wrong = test("root", "not the password at all").expect(1).json();
    assert_eq!(
        (&wrong["answer"], &wrong["reason"]),
        (&"rejected".into(), &"wrong password".into())
    );
    let nobody = test("nobody", PASSWORD).expect(1).json();
    assert_eq!(nobody["answer"], "not mine");
    assert_eq!((desk.count("sessions"), desk.count("audit_events")), (sessions, events));
    assert_eq!(desk.count("login_failures"), 0);
    desk.feed(&["backend", "test", "hoose", "--username", "root", "--password-stdin"], PASSWORD)
        .expect(1)
        .says("there is no backend \"hoose\"");
}

#[test]
fn a_backend_that_does_not_hold_stops_every_start_and_is_named() {
    let bad = [
        (
            "[[backend]]\nname = \"x\"\nkind = \"kerberos\"\n",
            "backend x: unknown kind \"kerberos\"",
        ),
        (
            "[[backend]]\nname = \"x\"\nkind = \"local\"\nurl = \"y\"\n",
            "backend x: url: unknown key",
        ),
        (&format!("{ONE}{ONE}"), "two backends are called house"),
        (
            "[[backend]]\nname = \"x\"\nkind = \"local\"\ncontrol = \"optional\"\n",
            "no backend can say who somebody is",
        ),
        (
            "[[backend]]\nname = \"x\"\nkind = \"local\"\ncontrol = \"required\"\non_unavailable = \"skip\"\n",
            "backend x: on_unavailable",
        ),
    ];
    for (text, words) in bad {
        let desk = Desk::furnished();
        desk.write("vestibule.toml", text);
        desk.run(&["serve", "--listen", "127.0.0.1:0"]).expect(2).says(words);
        desk.run(&["backend", "list"]).expect(2).says(words);
        let found = desk.run(&["check"]).expect(1);
        assert!(found.out.contains("vst.E003") && found.out.contains(words), "{found:?}");
    }
}

#[test]
fn a_secret_of_a_backend_lies_in_a_file_of_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::furnished();
    let file = desk.write("vestibule.toml", &format!("{ONE}client_secret = \"hunter2\"\n"));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let ran = desk.run(&["check"]).expect(2);
    let words =
        "backend.house.client_secret: holds a secret, but the file is open to group or others";
    assert!(ran.err.contains(words), "{ran:?}");
    assert!(!ran.all().contains("hunter2"), "{ran:?}");
    let secret = desk.write("secret", "hunter2\n");
    desk.write("vestibule.toml", &format!("{ONE}client_secret_file = \"{}\"\n", secret.display()));
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    desk.run(&["check"]).expect(2).says("is open to group or others (mode 0644); chmod 600 it");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    // It is read; that this kind has no such key is another matter.
    let found = desk.run(&["check"]).expect(1);
    assert!(found.out.contains("backend house: client_secret_file: unknown key"), "{found:?}");
    assert!(!found.all().contains("hunter2"), "{found:?}");
}

#[test]
fn check_tells_who_sees_which_password() {
    let desk = Desk::furnished();
    desk.write("vestibule.toml", ONE);
    let found = desk.succeed(&["check"]);
    let words = "backend house (local, sufficient): verifies passwords here";
    assert!(found.out.contains(words), "{found:?}");
}
