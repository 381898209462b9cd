//! The mail that a site sends, caught.

use std::time::{Duration, Instant};

use vestibule_core::usecase::users::NewUser;
use vestibule_mail::{message::Letter, transport::memory::MemoryTransport};

use super::{Db, TestSite, site::Plan};

/// Where a site's mail ends up.
#[derive(Clone, Default)]
pub(crate) struct Post(pub(crate) MemoryTransport);

impl Post {
    /// A site whose mail is caught, and where nobody is slowed down for coming from one address.
    pub(crate) fn plan(db: Db) -> (Plan, Self) {
        let post = Self::default();
        let sending = post.0.clone();
        let plan = TestSite::plan(db)
            .set("limits.register_per_address", "unlimited")
            .set("session.tell_new_browsers", "false")
            .extend(move |builder| builder.mail_transport(sending));
        (plan, post)
    }

    pub(crate) fn site(db: Db) -> (TestSite, Self) {
        let (plan, post) = Self::plan(db);
        (plan.start(), post)
    }

    /// A second server process's worth of the site, whose mail is caught as well.
    pub(crate) fn replica(&self, site: &TestSite) -> TestSite {
        let sending = self.0.clone();
        site.replica_with(move |builder| builder.mail_transport(sending))
    }

    /// All mail so far, when none is on its way.
    pub(crate) fn letters(&self, site: &TestSite) -> Vec<Letter> {
        let (began, mut connection) = (Instant::now(), site.database.connection());
        let waiting = "select count(*) as answer from outbox where state = 'waiting'";
        while connection.number(waiting) > 0 {
            assert!(began.elapsed() < Duration::from_secs(20), "mail is not sent");
            std::thread::sleep(Duration::from_millis(5));
        }
        self.0.letters()
    }

    /// The mail to this address, when none is on its way.
    pub(crate) fn to(&self, site: &TestSite, address: &str) -> Vec<Letter> {
        let mut letters = self.letters(site);
        letters.retain(|letter| letter.to.to_string() == address);
        letters
    }

    /// What the link of the last mail to this address holds.
    #[track_caller]
    pub(crate) fn token(&self, site: &TestSite, address: &str) -> String {
        let letters = self.to(site, address);
        let with_link = letters.iter().rev().find_map(|letter| token_in(&letter.text));
        with_link.unwrap_or_else(|| panic!("no link among {} mails to {address}", letters.len()))
    }
}

/// What the link of a mail holds, if it has one.
pub(crate) fn token_in(text: &str) -> Option<String> {
    let last = |line: &str| line.rsplit('/').next().unwrap_or_default().trim().to_owned();
    text.lines().filter(|line| line.starts_with("http")).map(last).find(|token| token.len() == 43)
}

/// An account with an address, by its name.
pub(crate) fn with_address(site: &TestSite, name: &str) -> String {
    let email = Some(format!("{name}@example.org"));
    site.account(NewUser { username: name.to_owned(), email, ..NewUser::default() })
}
