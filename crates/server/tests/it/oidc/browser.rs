//! A real browser at the certified provider.

use serde_json::json;

use super::{door, good, site};
use crate::support::{Db, browser::Browser};

#[test]
fn a_real_browser_logs_in_at_a_real_provider_and_out_again() {
    let site = site(Db::Sqlite, vec![door("idp", &good(), &json!({}))]);
    let browser = Browser::start();
    browser.open(&format!("{}/login", site.origin));
    browser.arrive("Log in");
    browser.click("a.button");
    browser.wait_for("input[name=login]");
    browser.enter("input[name=login]", "bert");
    browser.enter("input[name=password]", "bert-pass-1");
    browser.click("button");
    browser.arrive("bert");
    browser.click("button");
    browser.arrive("Log in");
    browser.open(&format!("{}/", site.origin));
    browser.arrive("Log in");
    assert_eq!(site.audit_texts("login.succeeded"), ["idp"]);
}
