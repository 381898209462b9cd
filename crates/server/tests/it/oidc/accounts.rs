//! Whose account it is.

use serde_json::{Value, json};
use vestibule_core::{
    policy::chain::{Control, OnUnavailable},
    usecase::{login::Door, users::NewUser},
};

use super::{arrive, depart, door, enter, enter_as, good, hostile, pass, pass_as, site, who};
use crate::support::{Db, PASSWORD, Says, Script, group, on_every_database};

on_every_database!(
    seed_cp_49_the_code_flow_makes_an_account_and_finds_it_again,
    atk_a103_a_mail_address_is_nobodys_key,
    atk_a105_an_address_that_was_never_proved_here_is_no_key_either,
    seed_cp_50_a_name_that_is_taken_is_never_taken_over,
    atk_a107_a_disabled_account_is_not_entered,
    atk_a104_an_account_is_linked_by_whoever_is_logged_in_to_it_alone,
    std_s33_groups_follow_what_the_provider_tells,
    a_name_that_was_chosen_is_nobody_to_those_who_have_to_verify_everybody,
);

fn to_good() -> Vec<Door> {
    vec![door("idp", &good(), &json!({}))]
}

fn seed_cp_49_the_code_flow_makes_an_account_and_finds_it_again(db: Db) {
    let site = site(db, to_good());
    let mut ann = site.visitor();
    let url = depart(&mut ann, "idp", "/own/whoami");
    let asked: std::collections::BTreeMap<String, String> =
        url.query_pairs().into_owned().collect();
    assert_eq!(asked["response_type"], "code");
    assert_eq!(asked["code_challenge_method"], "S256");
    assert_eq!(asked["redirect_uri"], format!("{}/auth/idp/callback", site.origin));
    assert!(asked["state"].len() >= 43 && asked["nonce"].len() >= 43, "{asked:?}");
    let answer = arrive(&mut ann, &pass_as("ann", &url)).expect(303);
    assert_eq!(answer.header("location"), Some("/own/whoami"));
    assert_eq!(ann.get("/own/whoami").expect(200).text, "ann");
    let first = who(&mut ann);
    assert_eq!(first["user"]["email"], "ann@lab.example");

    let mut again = site.visitor();
    enter_as(&mut again, "idp", "ann").expect(303);
    assert_eq!(who(&mut again)["user"]["id"], first["user"]["id"]);
    assert_eq!(site.audit_texts("login.succeeded"), ["idp", "idp"]);
    assert_eq!(site.audit_texts("user.added"), ["create_users of idp"]);
}

fn atk_a103_a_mail_address_is_nobodys_key(db: Db) {
    // Eve has Ann's address and has not proved it; Finn has it and the provider says he has.
    let site = site(db, to_good());
    let email = Some("ann@lab.example".to_owned());
    let new = NewUser { username: "ann".to_owned(), email, ..NewUser::default() };
    let ann = json!(site.account(new));
    for account in ["eve", "finn"] {
        let mut visitor = site.visitor();
        enter_as(&mut visitor, "idp", account).expect(303);
        let user = &who(&mut visitor)["user"];
        assert_ne!(user["id"], ann);
        assert_eq!(user["email"], Value::Null, "{account} was given Ann's address");
    }
}

fn atk_a105_an_address_that_was_never_proved_here_is_no_key_either(db: Db) {
    // Somebody wrote Ann's address into an account of their own, and waits for her.
    let site = site(db, to_good());
    let email = Some("ann@lab.example".to_owned());
    let new = NewUser { username: "waiting".to_owned(), email, ..NewUser::default() };
    let waiting = json!(site.account(new));
    let mut ann = site.visitor();
    enter_as(&mut ann, "idp", "ann").expect(303);
    let user = who(&mut ann)["user"].clone();
    assert_ne!(user["id"], waiting);
    assert_eq!(user["username"], "ann");
}

fn seed_cp_50_a_name_that_is_taken_is_never_taken_over(db: Db) {
    let site = site(db, to_good());
    site.user("ann");
    // The provider's Ann may be somebody else, and Gina calls herself Ann.
    for account in ["ann", "gina"] {
        let mut visitor = site.visitor();
        let answer = enter_as(&mut visitor, "idp", account).expect(403);
        assert!(answer.text.contains("there is an account of the name"), "{}", answer.text);
        assert!(!visitor.is_in());
    }
    assert_eq!(site.audit_texts("login.failed").len(), 2);
}

fn atk_a107_a_disabled_account_is_not_entered(db: Db) {
    let issuer = hostile("good", &format!("disabled-{db:?}"));
    let site = site(db, vec![door("idp", &issuer, &json!({}))]);
    let mut ann = site.visitor();
    enter(&mut ann, "idp").expect(303);
    let id = who(&mut ann)["user"]["id"].as_str().unwrap().to_owned();
    site.admin().patch(&format!("/api/v1/users/{id}"), &json!({ "is_active": false })).expect(200);
    let mut again = site.visitor();
    enter(&mut again, "idp").expect(401);
    assert!(!again.is_in() && !ann.is_in());
    assert_eq!(site.audit_texts("login.failed"), ["account disabled or expired"]);
}

fn atk_a104_an_account_is_linked_by_whoever_is_logged_in_to_it_alone(db: Db) {
    let issuer = hostile("good", &format!("link-{db:?}"));
    let site = site(db, vec![door("idp", &issuer, &json!({}))]);
    let mut berta = site.logged_in("berta");
    let begun = berta.post("/api/v1/identities", &json!({ "backend": "idp" })).expect(202).json();
    let back = pass(&begun["location"].as_str().unwrap().parse().unwrap());

    // A browser that did not begin it, somebody else in the one that did, and nobody in it.
    let mut stranger = site.logged_in("carl");
    arrive(&mut stranger, &back).expect(400);
    let begun = berta.post("/api/v1/identities", &json!({ "backend": "idp" })).expect(202).json();
    let back = pass(&begun["location"].as_str().unwrap().parse().unwrap());
    let same_browser = berta.cookies["vestibule-login"].clone();
    stranger.cookies.insert("vestibule-login".to_owned(), same_browser);
    arrive(&mut stranger, &back).expect(400);
    assert!(site.audit_texts("identity.linked").is_empty());
    let begun = berta.post("/api/v1/identities", &json!({ "backend": "idp" })).expect(202).json();
    let back = pass(&begun["location"].as_str().unwrap().parse().unwrap());
    let mut logged_out = berta.clone();
    logged_out.cookies.remove("vestibule");
    arrive(&mut logged_out, &back).expect(400);

    let begun = berta.post("/api/v1/identities", &json!({ "backend": "idp" })).expect(202).json();
    let back = pass(&begun["location"].as_str().unwrap().parse().unwrap());
    arrive(&mut berta, &back).expect(303);
    assert_eq!(site.audit_texts("identity.linked"), ["own account, both proved"]);
    let id = who(&mut berta)["user"]["id"].clone();
    let mut by_door = site.visitor();
    enter(&mut by_door, "idp").expect(303);
    assert_eq!(who(&mut by_door)["user"]["id"], id);

    // A login of a while ago is no proof any more.
    site.clock.advance(std::time::Duration::from_mins(16));
    berta.post("/api/v1/identities", &json!({ "backend": "idp" })).expect(403);
    site.visitor().log_in("berta", PASSWORD).expect(200);
}

fn std_s33_groups_follow_what_the_provider_tells(db: Db) {
    let groups = [("/lab/team".to_owned(), "team".to_owned())];
    let doors = to_good().into_iter().map(|door| Door { groups: groups.clone().into(), ..door });
    let site = site(db, doors.collect());
    let mut admin = site.admin();
    group(&mut admin, "team", "private");
    for (account, expected) in [("ann", json!(["team"])), ("carla", json!([])), ("dirk", json!([]))]
    {
        let mut visitor = site.visitor();
        enter_as(&mut visitor, "idp", account).expect(303);
        assert_eq!(who(&mut visitor)["groups"], expected, "{account}");
    }
}

fn a_name_that_was_chosen_is_nobody_to_those_who_have_to_verify_everybody(db: Db) {
    // The list has an Ann; whether it is this one, the provider does not know.
    let office = Script::new("office", Says::verified("ann"));
    let listed = office.entitling(Control::Required, OnUnavailable::Fail);
    let mut doors = to_good();
    doors.push(listed.clone());
    let distrusting = super::site(db, doors);
    enter_as(&mut distrusting.visitor(), "idp", "ann").expect(403);
    assert!(office.asked().is_empty(), "asked about a name that anybody could have chosen");

    let trusted = to_good().into_iter().map(|door| Door { trust_names: true, ..door });
    let trusting = super::site(db, trusted.chain([listed]).collect());
    enter_as(&mut trusting.visitor(), "idp", "ann").expect(303);
    assert_eq!(office.asked(), ["ann"]);
}
