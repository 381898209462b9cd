//! Permissions: who holds what, and why; sessions.

use vestibule_storage::testkit::TestConnection;

use crate::{
    Hall,
    process::{PASSWORD, Server},
    visitor::Visitor,
};

/// Anna in a team in a lab in the facility, which is granted something.
fn nested() -> Hall {
    let hall = Hall::new();
    hall.says(&["user", "add", "anna", "--no-password"]);
    hall.says(&["user", "add", "eve", "--no-password"]);
    for group in ["team", "lab", "facility"] {
        hall.says(&["group", "add", group]);
    }
    hall.says(&["group", "add-member", "team", "anna"]);
    hall.says(&["group", "add-member", "lab", "--group", "team"]);
    hall.says(&["group", "add-member", "facility", "--group", "lab"]);
    hall.says(&["perm", "grant", "vestibule.view_user", "--group", "facility"]);
    hall
}

#[test]
fn perm_check_explains_a_decision_through_two_nested_groups() {
    let hall = nested();
    let said = hall.says(&["perm", "check", "anna", "vestibule.view_user"]);
    assert!(said.starts_with("allowed: "), "{said}");
    let path = "the user is in team, which is in lab, which is in facility";
    assert!(said.contains(path), "{said}");
    let json = hall.json(&["perm", "check", "anna", "vestibule.view_user"]);
    assert_eq!((&json["allowed"], &json["reason_code"]), (&true.into(), &"granted".into()));
    let said = hall.tries(&["perm", "check", "eve", "vestibule.view_user"]);
    assert_eq!(said.code, Some(1));
    assert!(said.out.starts_with("denied: "), "{said:?}");
    hall.says(&["perm", "grant", "vestibule.view_user", "--user", "anna", "--deny"]);
    let said = hall.tries(&["perm", "check", "anna", "vestibule.view_user"]);
    assert!(said.code == Some(1) && said.out.contains("deni"), "{said:?}");
    hall.says(&["perm", "revoke", "vestibule.view_user", "--user", "anna", "--deny"]);
    hall.says(&["perm", "check", "anna", "vestibule.view_user"]);
}

#[test]
fn permissions_are_listed_granted_and_taken_back() {
    let hall = nested();
    assert!(hall.json(&["perm", "list"]).as_array().unwrap().len() >= 18);
    let held = hall.json(&["perm", "list", "--user", "anna"]);
    assert_eq!(held["held"], serde_json::json!(["vestibule.view_user"]));
    assert_eq!(hall.json(&["perm", "list", "--group", "facility"]).as_array().unwrap().len(), 1);
    let grant = [
        "perm",
        "grant",
        "vestibule.view_group",
        "--authenticated",
        "--expires-at",
        "2030-01-01T00:00:00Z",
    ];
    assert!(hall.says(&grant).starts_with("granted:"));
    assert!(hall.says(&grant).starts_with("was granted already:"));
    hall.says(&["perm", "check", "eve", "vestibule.view_group"]);
    hall.says(&["perm", "revoke", "vestibule.view_group", "--authenticated"]);
    hall.fails(&["perm", "revoke", "vestibule.view_group", "--authenticated"], 1, "no such grant");
    hall.fails(&["perm", "grant", "vestibule.view_group"], 2, "name exactly one of");
    hall.fails(&["perm", "grant", "no.such", "--user", "anna"], 1, "permission");
    hall.fails(
        &["perm", "grant", "vestibule.view_user", "--user", "nobody"],
        1,
        "there is no user",
    );
    hall.fails(&["perm", "check", "anna", "vestibule.view_user", "no colon"], 1, "type:id");
}

#[test]
fn verify_finds_what_does_not_hold_together() {
    let hall = nested();
    hall.says(&["verify"]);
    let mut connection = TestConnection::to(&hall.url);
    connection.execute("pragma foreign_keys = off; delete from \"groups\" where name = 'lab';");
    drop(connection);
    let said = hall.tries(&["verify"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(format!("{}{}", said.out, said.err).contains("nestings"), "{said:?}");
    let said = hall.tries(&["verify", "--json"]);
    assert!(serde_json::from_str::<serde_json::Value>(&said.out).is_ok(), "{said:?}");
}

#[test]
fn sessions_are_listed_and_ended_from_here() {
    let hall = Hall::new();
    crate::process::superuser(&hall.url);
    let server = Server::start(&hall.url);
    let mut visitors = [Visitor::new(&server.origin), Visitor::new(&server.origin)];
    for visitor in &mut visitors {
        visitor.log_in("admin", PASSWORD).expect(200);
    }
    let sessions = hall.json(&["session", "list", "admin"]);
    let first = sessions[0]["id"].as_str().unwrap();
    hall.says(&["session", "revoke", first]);
    hall.fails(&["session", "revoke", first], 1, "session");
    hall.fails(&["session", "revoke", "x"], 2, "is not a session's id");
    assert_eq!(hall.json(&["session", "list", "admin"]).as_array().unwrap().len(), 1);
    assert_eq!(hall.says(&["session", "revoke", "--user", "admin"]), "ended 1 sessions of admin\n");
    crate::process::until(std::time::Duration::from_secs(1), || {
        visitors.iter_mut().all(|visitor| !visitor.is_in())
    });
    for clear in [&["session", "clear"][..], &["clearsessions"]] {
        assert_eq!(hall.says(clear), "ended 0 expired sessions\n");
    }
}
