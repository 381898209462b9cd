//! The same at a user office that is a service of its own.

use serde_json::{Value, json};

use super::{link, with_login};
use crate::support::{Db, TestSite, Visitor, site::Plan};

fn told(name: &str) -> String {
    let name = format!("VESTIBULE_TEST_USER_OFFICE{name}");
    std::env::var(&name).unwrap_or_else(|_| panic!("{name}: docs/testing.md says how to set it"))
}

/// The settings of a site with a world of its own at the office.
fn set(plan: Plan, world: &str) -> Plan {
    let base = format!("{}/w/{world}", told(""));
    Visitor::new(&told("_CONTROL")).post(&format!("/w/{world}/reset"), &json!({})).expect(200);
    plan.set("user_office.experiments_url", &format!("{base}/experiments/$USERNAME"))
        .set("user_office.authorized_url", &format!("{base}/authorization"))
        .set("user_office.username", &told("_USERNAME"))
        .set("user_office.password", &told("_PASSWORD"))
}

/// A site whose accounts go by the names of the office.
fn site(world: &str) -> TestSite {
    set(TestSite::plan(Db::Sqlite), world).start()
}

fn fetch(visitor: &mut Visitor, query: &str) -> Value {
    visitor.get(&format!("/api/v1/experiments{query}")).expect(200).json()
}

fn each<'a>(page: &'a Value, member: &str) -> Vec<&'a str> {
    let rows = page["results"].as_array().unwrap();
    rows.iter().map(|row| row[member].as_str().unwrap_or_default()).collect()
}

#[test]
fn seed_cp_20_everybody_sees_their_own_experiments_alone() {
    let site = site("cp20");
    for (name, count) in [("alice", 23), ("bob", 1), ("emil", 3), ("carol", 0)] {
        let mut visitor = site.logged_in(name);
        let page = fetch(&mut visitor, "");
        assert_eq!(page["count"], count, "{name}");
        let of = format!("of {name}");
        let named = each(&page, "subject").into_iter().filter(|subject| !subject.is_empty());
        assert!(named.clone().all(|subject| subject.ends_with(&of)), "{page}");
        assert!(count == 0 || named.count() > 0);
    }
    // Nobody can ask for another's.
    let mut bob = site.visitor();
    bob.log_in("bob", crate::support::PASSWORD).expect(200);
    bob.get("/api/v1/experiments?username=alice").expect(400);
    assert_eq!(fetch(&mut bob, "?search=alice")["count"], 0);
    // Whom the office does not know has none.
    let nobody = fetch(&mut site.logged_in("nobody"), "");
    assert_eq!(nobody, json!({ "count": 0, "next": null, "previous": null, "results": [] }));
    let may = |visitor: &mut Visitor| visitor.get("/api/v1/authorization").expect(200).json();
    assert_eq!(may(&mut bob), json!({ "result": true }));
    assert_eq!(may(&mut site.logged_in("otto")), json!({ "result": false }));
}

#[test]
fn seed_cp_21_pages_are_counted_and_have_an_end() {
    let site = site("cp21");
    let mut alice = site.logged_in("alice");
    let first = fetch(&mut alice, "");
    assert_eq!((each(&first, "proposal_id").len(), &first["count"]), (7, &json!(23)));
    assert_eq!(first["previous"], Value::Null);
    let mut seen = Vec::new();
    for (page, size) in [(1, 10), (2, 10), (3, 3)] {
        let told = fetch(&mut alice, &format!("?page={page}&page_size=10"));
        let ids = each(&told, "proposal_id");
        assert_eq!(ids.len(), size);
        seen.extend(ids.into_iter().map(str::to_owned));
    }
    seen.dedup();
    assert_eq!(seen.len(), 23);
    assert_eq!(each(&fetch(&mut alice, "?page_size=20"), "proposal_id").len(), 20);
    alice.get("/api/v1/experiments?page=5").expect_problem(404, "not_found");
    for bad in ["page=0", "page=x", "page=-1", "page_size=0", "page_size=21", "page=", "pages=1"] {
        alice.get(&format!("/api/v1/experiments?{bad}")).expect_problem(400, "malformed");
    }
    let few = set(TestSite::plan(Db::Sqlite).set("user_office.page_size", "3"), "cp21b").start();
    let page = fetch(&mut few.logged_in("alice"), "");
    assert_eq!(each(&page, "proposal_id").len(), 3);
}

#[test]
fn seed_cp_22_they_are_searched_and_ordered_by_the_office() {
    let site = site("cp22");
    let mut alice = site.logged_in("alice");
    for order in ["proposal_id", "subject", "body", "beam_line"] {
        let up = fetch(&mut alice, &format!("?page_size=20&ordering={order}"));
        let values = each(&up, order);
        assert!(values.is_sorted(), "{order}: {values:?}");
        let down = fetch(&mut alice, &format!("?page_size=20&ordering=-{order}"));
        let values = each(&down, order);
        assert!(values.iter().rev().is_sorted(), "-{order}: {values:?}");
    }
    for bad in ["uid", "-", "proposal_id,subject", "%24USERNAME"] {
        let path = format!("/api/v1/experiments?ordering={bad}");
        alice.get(&path).expect_problem(400, "malformed");
    }
    let found = fetch(&mut alice, "?search=miras&page_size=20");
    assert!(each(&found, "beam_line").iter().all(|line| line.contains("MIRAS")), "{found}");
    assert!(found["count"].as_u64().unwrap() > 3);
    let one = fetch(&mut alice, "?search=N-5001-007");
    assert_eq!(each(&one, "proposal_id"), ["N-5001-007"]);
    let long = "x".repeat(201);
    let path = format!("/api/v1/experiments?search={long}");
    alice.get(&path).expect_problem(400, "malformed");
}

#[test]
fn seed_cp_24_the_other_pages_are_at_this_site() {
    let site = site("cp24");
    let mut alice = site.logged_in("alice");
    let middle = fetch(&mut alice, "?page=2&search=subject&ordering=-body");
    for link in ["next", "previous"] {
        let link = middle[link].as_str().unwrap();
        let own = format!("{}/api/v1/experiments?", site.vestibule.site().url(""));
        assert!(link.starts_with(&own), "{link}");
        assert!(link.contains("search=subject") && link.contains("ordering=-body"), "{link}");
        let path = link.strip_prefix(&site.vestibule.site().url("")).unwrap();
        alice.get(path).expect(200);
    }
    let all = middle.to_string();
    assert!(!all.contains(&told("")) && !all.contains("/w/cp24"), "{all}");
}

#[test]
fn seed_cp_26_visits_are_told_with_dates_of_both_forms() {
    let site = site("cp26");
    let mut alice = site.logged_in("alice");
    let page = fetch(&mut alice, "?page_size=20");
    let rows = page["results"].as_array().unwrap();
    assert_eq!(rows[1]["sessions"][0]["start_date"], "2024-02-29T00:00:00Z");
    assert_eq!(rows[1]["sessions"][0]["session_number"], "parts");
    // The third lacks its texts.
    assert_eq!((&rows[2]["subject"], &rows[2]["beam_line"]), (&json!(""), &json!("")));
    let visit = &rows[2]["sessions"][0];
    assert_eq!(visit["start_date"], "2024-01-01T08:00:00Z");
    assert!(visit["data_set_path"].as_str().unwrap().contains("/data/5001/3"), "{visit}");
    assert_eq!(rows[0]["uid"], 5001);
}

#[test]
fn seed_cp_28_what_the_office_withdraws_is_gone_at_the_next_look() {
    let site = site("cp28");
    let mut alice = site.logged_in("alice");
    assert_eq!(fetch(&mut alice, "")["count"], 23);
    let mut control = Visitor::new(&told("_CONTROL"));
    control.post("/w/cp28/people/alice", &json!({ "experiments": 2 })).expect(200);
    assert_eq!(fetch(&mut alice, "")["count"], 2);
    control.send("DELETE", "/w/cp28/people/alice", None).expect(200);
    assert_eq!(fetch(&mut alice, "")["count"], 0);
}

#[test]
fn atk_a203_names_that_do_not_fit_into_a_path_find_their_own_experiments() {
    let base = format!("{}/w/a203", told(""));
    let site = set(with_login(&base), "a203").start();
    for (number, name) in ["o/reilly", "what?x=1#y", "a b+c%2f", "jürgen"].into_iter().enumerate()
    {
        let mut visitor = site.logged_in(&format!("visitor{number}"));
        link(&mut visitor, name, &format!("{name}-pass-1"));
        let page = fetch(&mut visitor, "");
        assert_eq!(page["count"], 1, "{name}");
        assert!(each(&page, "subject")[0].ends_with(&format!("of {name}")), "{page}");
    }
    // Somebody called `../admin` is somebody, and leads to no administrator.
    let mut visitor = site.logged_in("dots");
    link(&mut visitor, "../admin", "../admin-pass-1");
    fetch(&mut visitor, "");
    let mut control = Visitor::new(&told("_CONTROL"));
    let asked = control.get("/w/a203/requests?service=experiments").expect(200).json();
    let last = asked.as_array().unwrap().last().unwrap();
    let target = last["target"].as_str().unwrap();
    assert!(target.contains("/experiments/..%2Fadmin?"), "{target}");
}

#[test]
fn whatever_goes_wrong_at_the_office_is_503_and_never_somebody_elses() {
    let mut control = Visitor::new(&told("_CONTROL"));
    let faults = control.get("/faults").expect(200).json();
    let mut tried = 0;
    let first = site("faults");
    let bob = first.logged_in("bob");
    for (fault, about) in faults.as_object().unwrap() {
        let at = &about["at"]["experiments"];
        let expected = if at.is_null() { &about["expect"] } else { at };
        let expected = expected.as_str().unwrap_or_default();
        // What never ends takes a timeout each; those are in the tests of the backend.
        let is_slow = ["drip", "hang", "delay", "endless", "gigabytes", "continue"];
        // Whose experiments they are is the office's own word, and all there is.
        if expected != "fault"
            || fault == "other-user"
            || is_slow.iter().any(|slow| fault.starts_with(slow))
        {
            continue;
        }
        let office = set(TestSite::plan(Db::Sqlite).set("user_office.timeout", "2s"), "faults");
        let site = first.replica_at(office);
        let wish = json!({ "path": "experiments", "fault": fault });
        control.post("/w/faults/fault", &wish).expect(200);
        let answer = bob.at(&site.origin).get("/api/v1/experiments");
        let may = about["may"].as_array().is_some_and(|may| !may.is_empty());
        let is_right = answer.status == 503 || (may && answer.status == 200);
        assert!(is_right, "{fault}: {} {}", answer.status, answer.text);
        tried += 1;
    }
    assert!(tried >= 30, "only {tried} faults");
}

#[test]
fn flt_f35_our_credentials_go_to_the_office_alone() {
    let mut control = Visitor::new(&told("_CONTROL"));
    let site = site("f35");
    let mut alice = site.logged_in("alice");
    for fault in ["redirect-bait", "redirect-plain", "redirect-userinfo"] {
        let wish = json!({ "path": "experiments", "fault": fault });
        control.post("/w/f35/fault", &wish).expect(200);
        alice.get("/api/v1/experiments").expect(503);
    }
    let counts = control.get("/w/f35/counts").expect(200).json();
    assert!(counts["counts"]["bait"].as_u64().unwrap_or(0) == 0, "{counts}");
    let seen = control.get("/w/f35/seen?text=office-pass-1").expect(200).json();
    for seen in seen.as_array().unwrap() {
        assert_eq!((&seen["place"], &seen["service"]), (&json!("basic"), &json!("experiments")));
    }
    // Nothing of it is told to anybody who asks.
    let answer = alice.get("/api/v1/experiments").expect(503);
    assert!(!answer.text.contains("office-pass-1") && !answer.text.contains("/w/f35"));
}
