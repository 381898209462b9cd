//! What services tell their own people, and whom mails come from.

use std::time::{Duration, Instant};

use vestibule_core::id::UserId;

use crate::support::{Db, Post, TestSite, block_on, on_every_database, with_address};

on_every_database!(
    seed_oq_35_a_service_tells_the_owner_that_a_run_has_finished,
    what_services_tell_leaves_at_the_rate_of_announcements,
    seed_oq_34_from_and_reply_to_are_settings_of_their_own,
);

fn notify(site: &TestSite, user: &str, link: Option<&str>) -> Result<bool, String> {
    let user: UserId = user.parse().unwrap();
    let told = site.vestibule.notify(user, "Run 7 has failed", "It ran out of memory.", link);
    block_on(told).map(|mail| mail.is_some()).map_err(|error| error.to_string())
}

fn seed_oq_35_a_service_tells_the_owner_that_a_run_has_finished(db: Db) {
    let (site, post) = Post::site(db);
    let anna = with_address(&site, "anna");
    assert_eq!(notify(&site, &anna, Some("/runs/7?x=<b>")), Ok(true));
    let letters = post.to(&site, "anna@example.org");
    assert_eq!(letters[0].subject, "[Vestibule] Run 7 has failed");
    let link = format!("{}/runs/7?x=%3Cb%3E", site.origin);
    let text = &letters[0].text;
    assert!(text.contains("It ran out of memory.") && text.lines().any(|l| l == link), "{text}");
    assert_eq!(notify(&site, &anna, Some(&format!("{}/runs/8", site.origin))), Ok(true));
    assert_eq!(notify(&site, &anna, None), Ok(true));
    // Who has no address, or an account that cannot be used, gets nothing, and nothing fails.
    let silent = site.user("silent");
    assert_eq!(notify(&site, &silent, None), Ok(false));
    site.database
        .connection()
        .execute("UPDATE users SET is_active = false WHERE username = 'anna'");
    assert_eq!(notify(&site, &anna, None), Ok(false));
    assert_eq!(post.letters(&site).len(), 3);
    let with_password = site.origin.replace("//", "//u:p@");
    for elsewhere in [
        &*with_password,
        "https://evil.example/runs/7",
        "//evil.example/runs/7",
        "/\\evil.example",
        "javascript:alert(1)",
        "http://u:p@127.0.0.1/",
    ] {
        let refused = notify(&site, &silent, Some(elsewhere)).unwrap_err();
        assert!(refused.contains("leads to another site"), "{elsewhere}: {refused}");
    }
    assert!(notify(&site, "018f0000-0000-7000-8000-000000000000", None).is_err());
    let two_lines = site.vestibule.notify(anna.parse().unwrap(), "a\nb", "text", None);
    assert!(block_on(two_lines).is_err());
}

fn what_services_tell_leaves_at_the_rate_of_announcements(db: Db) {
    let (plan, post) = Post::plan(db);
    let site = plan.set("mail.announcement_rate", "2/1s").start();
    let anna = with_address(&site, "anna");
    let began = Instant::now();
    for _ in 0..3 {
        assert_eq!(notify(&site, &anna, None), Ok(true));
    }
    assert_eq!(post.letters(&site).len(), 3);
    assert!(began.elapsed() >= Duration::from_millis(900), "{:?}", began.elapsed());
}

fn seed_oq_34_from_and_reply_to_are_settings_of_their_own(db: Db) {
    for reply_to in [None, Some("Help <help@example.org>")] {
        let (plan, post) = Post::plan(db);
        let plan = plan.set("mail.from", "Hall <hall@example.org>");
        let site = match reply_to {
            Some(reply_to) => plan.set("mail.reply_to", reply_to).start(),
            None => plan.start(),
        };
        let anna = with_address(&site, "anna");
        assert_eq!(notify(&site, &anna, None), Ok(true));
        let letter = post.to(&site, "anna@example.org").remove(0);
        let headers = String::from_utf8_lossy(&letter.bytes).into_owned();
        let header = |name: &str| {
            let lines = headers.lines().take_while(|line| !line.is_empty());
            let mut values = lines.filter_map(|line| line.strip_prefix(name));
            values.next().map(str::to_owned)
        };
        assert_eq!(letter.from.to_string(), "hall@example.org");
        assert!(header("From: ").unwrap().contains("hall@example.org"), "{headers}");
        assert!(!header("From: ").unwrap().contains("help@"), "{headers}");
        let expected = reply_to.is_some();
        assert_eq!(
            header("Reply-To: ").is_some_and(|to| to.contains("help@example.org")),
            expected
        );
    }
}
