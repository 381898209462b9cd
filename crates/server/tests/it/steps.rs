//! Logins that want a code after the password, and what can be guessed on the way.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use serde_json::json;
use vestibule_core::{
    domain::identity::Subject,
    policy::chain::{Control, OnUnavailable},
    ports::backend::{Assertion, RejectReason},
    usecase::login::Door,
};

use crate::support::{Db, PASSWORD, Says, Script, TestSite, on_every_database};

on_every_database!(
    a_code_that_is_asked_for_ends_the_login,
    atk_a007_asking_for_a_code_is_no_cover_for_guesses,
    atk_a007_codes_are_guessed_at_as_seldom_as_passwords,
    a_code_is_waited_for_ten_minutes_and_no_longer,
    atk_a007_guesses_by_linking_count_at_the_one_who_is_guessed_at,
    a_code_is_good_once_and_only_with_its_token,
    atk_a007_spellings_that_only_a_backend_knows_to_be_one_count_as_one,
    the_right_password_forgives_what_was_counted_for_the_person,
    a_backend_that_wants_a_code_is_linked_with_it,
    atk_a007_hanging_up_takes_no_guess_back,
    atk_a040_a_login_that_began_with_the_old_password_opens_nothing_after_a_new_one,
);

fn says(subject: &str) -> Says {
    let assertion = Assertion::new(Subject::parse(subject).unwrap()).with_username("anna");
    Says::Verified(Box::new(assertion))
}

fn site(db: Db, scripts: &[&Script]) -> TestSite {
    let doors: Vec<Door> = scripts.iter().map(|script| script.door()).collect();
    let extend = move |builder| doors.into_iter().fold(builder, vestibule_server::Builder::door);
    TestSite::plan(db).extend(extend).start()
}

/// Anna, who gets in by her password here and by the token's code there.
fn linked(db: Db, unix: &Script) -> TestSite {
    let site = site(db, &[unix]);
    let mut anna = site.logged_in("anna");
    let proof = json!({ "backend": "unix", "username": "anna", "password": "there" });
    anna.post("/api/v1/identities", &proof).expect(201);
    site
}

fn a_code_that_is_asked_for_ends_the_login(db: Db) {
    let unix = Script::new("unix", says("1001"));
    let site = linked(db, &unix);
    unix.says(Says::WantsCode("123456", Box::new(says("1001"))));
    let mut anna = site.visitor();
    let body = json!({ "backend": "unix", "username": "anna", "password": "there" });
    let asked = anna.post("/api/v1/login", &body).expect_problem(401, "second_factor_required");
    let step = asked.json()["step"]["token"].as_str().unwrap().to_owned();
    assert!(!anna.is_in());
    anna.post("/api/v1/login", &json!({ "step": step, "otp": "123456" })).expect(200);
    assert!(anna.is_in());
    // Brought along unasked, it is as good.
    let body =
        json!({ "backend": "unix", "username": "anna", "password": "there", "otp": "123456" });
    site.visitor().post("/api/v1/login", &body).expect(200);
}

fn a_code_is_good_once_and_only_with_its_token(db: Db) {
    let unix = Script::new("unix", says("1001"));
    let site = linked(db, &unix);
    unix.says(Says::WantsCode("123456", Box::new(says("1001"))));
    let body = json!({ "backend": "unix", "username": "anna", "password": "there" });
    let asked = site.visitor().post("/api/v1/login", &body).expect(401);
    let step = asked.json()["step"]["token"].as_str().unwrap().to_owned();
    let mut visitor = site.visitor();
    visitor.post("/api/v1/login", &json!({ "step": "made-up", "otp": "123456" })).expect(400);
    visitor.post("/api/v1/login", &json!({ "step": step, "otp": "000000" })).expect(401);
    visitor.post("/api/v1/login", &json!({ "step": step, "otp": "123456" })).expect(400);
    assert!(!visitor.is_in());
    assert_eq!(site.audit_texts("login.failed"), ["wrong password"]);
}

fn atk_a007_asking_for_a_code_is_no_cover_for_guesses(db: Db) {
    let unix = Script::new("unix", says("1001"));
    let site = linked(db, &unix);
    // It asks everybody for a code, so as to tell nobody whether the password was right.
    unix.says(Says::WantsCode("123456", Box::new(says("1001"))));
    for guess in 0..5 {
        site.visitor().log_in("anna", &format!("guess {guess}")).expect(401);
    }
    // The right one is not found by going on.
    site.visitor().log_in("anna", PASSWORD).expect_problem(401, "login_failed");
    assert_eq!(site.audit_texts("login.throttled").len(), 1);
}

fn atk_a007_codes_are_guessed_at_as_seldom_as_passwords(db: Db) {
    let unix = Script::new("unix", says("1001"));
    let site = linked(db, &unix);
    unix.says(Says::WantsCode("123456", Box::new(says("1001"))));
    // Whoever has the password is asked for the code as often as they like, and guesses five times.
    let body = json!({ "backend": "unix", "username": "anna", "password": "there" });
    let ask = || {
        let asked = site.visitor().post("/api/v1/login", &body).expect(401).json();
        asked["step"]["token"].as_str().map(str::to_owned)
    };
    for guess in 0..5 {
        let step = ask().expect("a code is asked for");
        let code = format!("00000{guess}");
        site.visitor().post("/api/v1/login", &json!({ "step": step, "otp": code })).expect(401);
    }
    assert_eq!(ask(), None, "nobody is asked for another");
    assert_eq!(site.audit_texts("login.throttled").len(), 1);
    let reasons = site.audit_texts("login.failed");
    assert_eq!(reasons.iter().filter(|reason| *reason == "wrong password").count(), 5);
}

fn a_code_is_waited_for_ten_minutes_and_no_longer(db: Db) {
    let unix = Script::new("unix", says("1001"));
    let site = linked(db, &unix);
    unix.says(Says::WantsCode("123456", Box::new(says("1001"))));
    for (minutes, status) in [(9, 200), (10, 400)] {
        let body = json!({ "backend": "unix", "username": "anna", "password": "there" });
        let asked = site.visitor().post("/api/v1/login", &body).expect(401).json();
        let step = asked["step"]["token"].as_str().unwrap();
        site.clock.advance(std::time::Duration::from_mins(minutes));
        let answer = json!({ "step": step, "otp": "123456" });
        site.visitor().post("/api/v1/login", &answer).expect(status);
    }
}

fn atk_a007_guesses_by_linking_count_at_the_one_who_is_guessed_at(db: Db) {
    let unix = Script::new("unix", says("1001"));
    let site = linked(db, &unix);
    let mut thief = site.logged_in("thief");
    unix.says(Says::Rejected(RejectReason::BadOrUnknown));
    for guess in 0..5 {
        let password = format!("guess {guess}");
        let body = json!({ "backend": "unix", "username": "anna", "password": password });
        // Logging in again forgets what the thief did to nobody but the thief.
        thief.log_in("thief", PASSWORD).expect(200);
        thief.post("/api/v1/identities", &body).expect(422);
    }
    unix.says(says("1001"));
    thief.log_in("thief", PASSWORD).expect(200);
    let right = json!({ "backend": "unix", "username": "anna", "password": "there" });
    thief.post("/api/v1/identities", &right).expect(503);
    assert_eq!(site.audit_texts("login.failed").len(), 5);
    // Nor is it found by logging in.
    let body = json!({ "backend": "unix", "username": "anna", "password": "there" });
    site.visitor().post("/api/v1/login", &body).expect(401);
}

fn atk_a007_spellings_that_only_a_backend_knows_to_be_one_count_as_one(db: Db) {
    for has_account in [false, true] {
        let unix = Script::new("unix", Says::WrongOf("1001"));
        let door = Door { create_users: true, ..unix.door() };
        let site = TestSite::plan(db).extend(move |builder| builder.door(door)).start();
        if has_account {
            unix.says(says("1001"));
            site.visitor().log_in("anna", "there").expect(200);
            unix.says(Says::WrongOf("1001"));
        }
        // To a directory that folds accents they are all one person.
        for spelling in ["ánna", "ànna", "ânna", "änna", "ãnna"] {
            site.visitor().log_in(spelling, "a guess").expect(401);
        }
        unix.says(says("1001"));
        site.visitor().log_in("ånna", "there").expect_problem(401, "login_failed");
        let reasons = site.audit_texts("login.failed");
        let looked_at = reasons.iter().filter(|reason| *reason == "wrong password").count();
        assert_eq!((reasons.len(), looked_at), (6, 5));
        assert_eq!(site.audit_texts("login.throttled").len(), 1);
        site.clock.advance(Duration::from_mins(16));
        site.visitor().log_in("ånna", "there").expect(200);
    }
}

fn the_right_password_forgives_what_was_counted_for_the_person(db: Db) {
    let unix = Script::new("unix", says("1001"));
    let door = Door { create_users: true, ..unix.door() };
    let site = TestSite::plan(db).extend(move |builder| builder.door(door)).start();
    site.visitor().log_in("anna", "there").expect(200);
    // By a name that the directory alone knows to be hers.
    for wrong in [2, 3, 4] {
        unix.says(Says::WrongOf("1001"));
        for guess in 0..wrong {
            site.visitor().log_in("ánna", &format!("guess {guess}")).expect(401);
        }
        unix.says(says("1001"));
        site.clock.advance(Duration::from_millis(5));
        site.visitor().log_in("ánna", "there").expect(200);
    }
    assert!(site.audit_texts("login.throttled").is_empty());
}

fn a_backend_that_wants_a_code_is_linked_with_it(db: Db) {
    let unix = Script::new("unix", Says::WantsCode("123456", Box::new(says("1001"))));
    let site = site(db, &[&unix]);
    let mut anna = site.logged_in("anna");
    let mut proof = json!({ "backend": "unix", "username": "anna", "password": "there" });
    let wanted = anna.post("/api/v1/identities", &proof);
    assert!(wanted.expect_problem(401, "second_factor_required").json()["step"].is_null());
    proof["otp"] = json!("000000");
    anna.post("/api/v1/identities", &proof).expect_problem(422, "invalid");
    proof["otp"] = json!("123456");
    let made = anna.post("/api/v1/identities", &proof).expect(201).json();
    assert_eq!(made["subject"], "1001");
    assert_eq!(site.audit_texts("login.failed"), ["wrong password"], "one code was wrong");
    // A code alone is no proof.
    let alone = json!({ "backend": "unix", "otp": "123456" });
    anna.post("/api/v1/identities", &alone).expect(400);
}

/// Posts a login and resets the connection while it is being judged.
fn hang_up(site: &TestSite, unix: &Script, guess: &str) {
    let body = json!({ "username": "anna", "password": guess }).to_string();
    let mut stream =
        std::net::TcpStream::connect(site.origin.trim_start_matches("http://")).unwrap();
    // What it is told meanwhile, to go on, it never reads: that makes its end a reset.
    let head = "POST /api/v1/login HTTP/1.1\r\nhost: 127.0.0.1\r\nexpect: 100-continue";
    let kind = format!("content-type: application/json\r\ncontent-length: {}", body.len());
    let request = format!("{head}\r\n{kind}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while unix.asked().is_empty() {
        assert!(Instant::now() < deadline, "the backend was never asked");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn atk_a007_hanging_up_takes_no_guess_back(db: Db) {
    let slowly = |says| Says::Slowly(Duration::from_millis(200), Box::new(says));
    let unix = Script::new("unix", slowly(Says::Rejected(RejectReason::Bad)));
    let door = Door { create_users: true, ..unix.door() };
    let site = TestSite::plan(db).extend(move |builder| builder.door(door)).start();
    for guess in 0..5 {
        hang_up(&site, &unix, &format!("guess {guess}"));
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    while site.audit_texts("login.throttled").is_empty() {
        assert!(Instant::now() < deadline, "{:?}", site.audit_texts("login.failed"));
        std::thread::sleep(Duration::from_millis(20));
    }
    unix.says(says("1001"));
    site.visitor().log_in("anna", "there").expect_problem(401, "login_failed");
}

fn atk_a040_a_login_that_began_with_the_old_password_opens_nothing_after_a_new_one(db: Db) {
    let office = Script::new("office", Says::verified("anna"));
    let door = office.entitling(Control::Required, OnUnavailable::Fail);
    let site = TestSite::plan(db).extend(move |builder| builder.door(door)).start();
    let anna = site.user("anna");
    let mut admin = site.admin();
    office.asked();
    office.says(Says::Slowly(Duration::from_secs(2), Box::new(Says::verified("anna"))));
    std::thread::scope(|scope| {
        let under_way = scope.spawn(|| site.visitor().log_in("anna", PASSWORD));
        let deadline = Instant::now() + Duration::from_secs(20);
        while office.asked().is_empty() {
            assert!(Instant::now() < deadline, "the office was never asked");
            std::thread::sleep(Duration::from_millis(5));
        }
        // The old password has been found right, and the login waits for the office.
        site.clock.advance(Duration::from_millis(1));
        let new = json!({ "password": "quite another sentence here" });
        admin.put(&format!("/api/v1/users/{anna}/password"), &new).expect(204);
        under_way.join().unwrap().expect_problem(401, "login_failed");
    });
    let sessions = "select count(*) as answer from sessions s join users u on u.id = s.user_id \
                    where u.username_key = 'anna'";
    assert_eq!(site.database.connection().number(sessions), 0);
}
