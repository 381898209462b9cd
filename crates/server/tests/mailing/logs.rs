//! What a server writes down of the links that it mails.

use std::{
    fs::{self, File},
    net::TcpListener,
    time::Duration,
};

use serde_json::json;
use vestibule_storage::testkit::{Database, TestDatabase};

use crate::{
    process::{PASSWORD, Server, superuser, until},
    support::Visitor,
};

/// The link of the mail that lies there.
fn link(mail: &str) -> String {
    let whole = mail.replace("=\r\n", "").replace("=\n", "").replace("=3D", "=");
    let line = whole.lines().find(|line| line.starts_with("http")).unwrap();
    line.trim().to_owned()
}

#[test]
fn atk_a044_the_token_of_a_link_stands_in_no_log_and_no_metric() {
    let (database, folder) = (TestDatabase::fresh(Database::Sqlite), tempfile::tempdir().unwrap());
    let (mails, log) = (folder.path().join("mails"), folder.path().join("log"));
    superuser(database.url());
    let metrics = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Server::start_with(database.url(), |serve| {
        serve
            .env("VESTIBULE_LOG__FILTER", "debug")
            .env("VESTIBULE_SERVER__METRICS_LISTEN", metrics.to_string())
            .env("VESTIBULE_MAIL__TRANSPORT", "file")
            .env("VESTIBULE_MAIL__FILE_PATH", &mails)
            .stdout(File::create(folder.path().join("out")).unwrap())
            .stderr(File::create(&log).unwrap());
    });
    let mut admin = Visitor::new(&server.origin);
    admin.log_in("admin", PASSWORD).expect(200);
    let anna = json!({ "username": "anna", "email": "anna@example.org" });
    admin.post("/api/v1/users", &anna).expect(201);
    let mail = || {
        let mut paths = fs::read_dir(&mails).ok()?.filter_map(|file| Some(file.ok()?.path()));
        let whole = paths.find(|path| path.extension().is_some_and(|kind| kind == "eml"))?;
        fs::read_to_string(whole).ok()
    };
    until(Duration::from_secs(20), || mail().is_some_and(|mail| mail.contains("http")));
    let link = link(&mail().unwrap());
    let (place, token) = link.strip_prefix(&server.origin).unwrap().rsplit_once('/').unwrap();
    assert_eq!(token.len(), 43, "{link}");
    // Opened, used wrongly, used, used once more, and made up.
    let mut visitor = Visitor::new(&server.origin);
    visitor.get(&format!("{place}/{token}")).expect(303);
    let mut reset = |password: &str| {
        let body = json!({ "token": token, "password": password });
        visitor.post("/api/v1/password/reset", &body).status
    };
    assert_eq!([reset("short"), reset(PASSWORD), reset(PASSWORD)], [422, 204, 400]);
    visitor.get(&format!("{place}/{token}?again={token}"));
    visitor.get(&format!("/no/such/page/{token}")).expect(404);
    visitor.get(&format!("/api/v1/users/{token}"));
    let measured = Visitor::new(&format!("http://{metrics}")).get("/metrics").expect(200).text;
    assert!(measured.contains(place) && !measured.contains(token), "{measured}");
    let logged =
        fs::read_to_string(&log).unwrap() + &fs::read_to_string(folder.path().join("out")).unwrap();
    assert!(logged.contains(place), "nothing is written down: {logged}");
    assert!(!logged.contains(token), "{logged}");
}
