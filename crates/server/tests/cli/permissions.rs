//! Grants by command, and why somebody may or may not.

use serde_json::{Value, json};

use crate::support::Desk;

/// The id of the one grant of the furnished desk.
fn grant_to_outer(desk: &Desk) -> String {
    let grants = desk.succeed(&["perm", "list", "--group", "outer", "--json"]).json();
    let [grant] = &grants.as_array().unwrap()[..] else { panic!("{grants}") };
    grant["id"].as_str().unwrap().to_owned()
}

fn held(desk: &Desk, user: &str) -> Value {
    desk.succeed(&["perm", "list", "--user", user, "--json"]).json()["held"].clone()
}

#[test]
fn perm_check_explains_a_decision_through_two_nested_groups() {
    let desk = Desk::furnished();
    desk.succeed(&["group", "add", "outermost"]);
    desk.succeed(&["group", "add-member", "outermost", "--group", "outer"]);
    desk.succeed(&["perm", "grant", "vestibule.add_user", "--group", "outermost"]);
    let two = desk.succeed(&["perm", "check", "anna", "vestibule.view_user"]);
    let grant = grant_to_outer(&desk);
    let told = "granted to group outer (the user is in inner, which is in outer) on everything";
    assert_eq!(two.out, format!("allowed: {told} (grant {grant})\n"));
    let json = desk.succeed(&["perm", "check", "anna", "vestibule.view_user", "--json"]).json();
    assert_eq!(json["allowed"], true);
    assert_eq!(json["reason_code"], "granted");
    assert_eq!(json["reason"], format!("{told} (grant {grant})"));
    desk.succeed(&["perm", "check", "anna", "vestibule.add_user"]).prints(
        "granted to group outermost (the user is in inner, which is in outer, which is in \
         outermost) on everything",
    );
}

#[test]
fn perm_check_exits_1_when_it_is_denied_and_says_why() {
    let desk = Desk::furnished();
    let ran = desk.run(&["perm", "check", "ben", "vestibule.view_user"]).expect(1);
    assert_eq!((&*ran.out, &*ran.err), ("denied: nothing allows it\n", ""));
    let ran = desk.run(&["perm", "check", "ben", "vestibule.view_user", "--json"]).expect(1);
    assert_eq!(ran.json()["allowed"], false);
    desk.succeed(&["group", "remove-member", "inner", "anna"]);
    desk.run(&["perm", "check", "anna", "vestibule.view_user"]).expect(1);
}

#[test]
fn perm_check_names_the_denial_that_wins() {
    let desk = Desk::furnished();
    desk.succeed(&["perm", "grant", "vestibule.view_user", "--group", "inner", "--deny"]);
    let ran = desk.run(&["perm", "check", "anna", "vestibule.view_user"]).expect(1);
    assert!(ran.out.starts_with("denied: ") && ran.out.contains("group inner"), "{ran:?}");
    desk.succeed(&["perm", "revoke", "vestibule.view_user", "--group", "inner", "--deny"]);
    desk.succeed(&["perm", "check", "anna", "vestibule.view_user"]);
}

#[test]
fn perm_check_lets_nobody_disabled_in() {
    let desk = Desk::furnished();
    desk.succeed(&["user", "disable", "anna"]);
    desk.run(&["perm", "check", "anna", "vestibule.view_user"]).expect(1).prints("denied: ");
}

#[test]
fn a_grant_on_one_object_holds_there_and_nowhere_else() {
    let desk = Desk::furnished();
    let grant = ["perm", "grant", "vestibule.view_object", "--user", "ben", "--object", "job:42"];
    let made = desk.succeed(&[&grant[..], &["--json"]].concat()).json();
    assert_eq!(made["object"], "job:42");
    desk.succeed(&grant).prints("was granted already:");
    let check = |object: &str, status: i32| {
        desk.run(&["perm", "check", "ben", "vestibule.view_object", object]).expect(status);
    };
    check("job:42", 0);
    check("job:43", 1);
    desk.run(&["perm", "check", "ben", "vestibule.view_object"]).expect(1);
    let revoke: Vec<_> = grant.iter().map(|w| if *w == "grant" { "revoke" } else { w }).collect();
    desk.succeed(&revoke).prints("taken back");
    check("job:42", 1);
    desk.run(&revoke).expect(1).says("there is no such grant");
}

#[test]
fn a_grant_below_a_path_holds_below_it() {
    let desk = Desk::furnished();
    let grant = ["perm", "grant", "vestibule.view_object", "--user", "ben"];
    desk.succeed(&[&grant[..], &["--prefix", "file:/lab/a/"]].concat());
    let check = |object: &str, status: i32| {
        desk.run(&["perm", "check", "ben", "vestibule.view_object", object]).expect(status);
    };
    check("file:/lab/a/one", 0);
    check("file:/lab/ab", 1);
    let both = ["--prefix", "file:/lab/", "--object", "file:/lab/a"];
    desk.run(&[&grant[..], &both].concat()).expect(2);
    desk.run(&[&grant[..], &["--prefix", "file"]].concat()).expect(1);
}

#[test]
fn what_somebody_holds_is_listed_with_what_came_through_groups() {
    let desk = Desk::furnished();
    assert_eq!(held(&desk, "anna"), json!(["vestibule.view_user"]));
    assert_eq!(held(&desk, "ben"), json!([]));
    desk.succeed(&["perm", "grant", "vestibule.view_group", "--authenticated"]);
    assert_eq!(held(&desk, "ben"), json!(["vestibule.view_group"]));
    let told = "in all anna holds: vestibule.view_group, vestibule.view_user\n";
    desk.succeed(&["perm", "list", "--user", "anna"]).prints(told);
    desk.run(&["perm", "list", "--user", "nobody"]).expect(1).says("there is no user \"nobody\"");
}

#[test]
fn a_grant_that_has_ended_gives_nothing() {
    let desk = Desk::furnished();
    let grant = ["perm", "grant", "vestibule.add_user", "--user", "ben", "--expires-at"];
    desk.run(&[&grant[..], &["tomorrow"]].concat()).expect(2).says("RFC 3339");
    desk.succeed(&[&grant[..], &["2999-01-01T00:00:00Z"]].concat());
    desk.succeed(&["perm", "check", "ben", "vestibule.add_user"]);
    desk.connection()
        .execute("update grants set expires_at = 1 where permission = 'vestibule.add_user'");
    desk.run(&["perm", "check", "ben", "vestibule.add_user"]).expect(1);
}

#[test]
fn lists_longer_than_a_page_are_whole() {
    const MANY: usize = 10_100;
    let desk = Desk::furnished();
    let mut connection = desk.connection();
    let numbers =
        format!("with recursive n(i) as (select 1 union all select i + 1 from n where i < {MANY})");
    connection.execute(&format!(
        "create temp table more as {numbers} select i, randomblob(16) as id from n;
         insert into users select more.id, 'u' || i, 'u' || i, null, null, 0, '', '', '', 1, 0, 0,
             null, created_at, null, null, password, password_scheme
             from more, users where username = 'anna';
         insert into memberships select g.id, more.id, 0, null, 0 from more, \"groups\" g
             where g.name = 'other';
         insert into grants select more.id, 'group', g.id, null, g.id, 'vestibule.view_group',
             'allow', 'object', 'thing', i, null, null, 0 from more, \"groups\" g
             where g.name = 'other';"
    ));
    let shown = desk.succeed(&["group", "show", "other", "--json"]).json();
    assert_eq!(shown["members"].as_array().unwrap().len(), MANY);
    let listed = desk.succeed(&["perm", "list", "--group", "other", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), MANY, "{}", listed[0]);
    // Wherever it stands in the list.
    for number in [1, MANY / 2, MANY] {
        let object = format!("thing:{number}");
        let revoke = ["perm", "revoke", "vestibule.view_group", "--group", "other", "--object"];
        desk.succeed(&[&revoke[..], &[&object]].concat());
    }
    assert_eq!(desk.count("grants where object_kind = 'thing'"), i64::try_from(MANY).unwrap() - 3);
}
