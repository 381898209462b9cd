//! Mail addresses that Django and people here have given to somebody else since the last run.

use vestibule_core::{
    Email, Timestamp, TokenDigest,
    domain::ticket::{Purpose, Ticket},
};
use vestibule_storage::django::{Action, Report};

use super::{
    support::{Home, Site},
    whole::reason,
};

/// What the site says of addresses, by name.
fn site_with(addresses: &[(u32, &str, &str)]) -> Site {
    let site = Site::empty();
    for (id, name, address) in addresses {
        site.user(*id, name);
        site.sql(&format!("UPDATE auth_user SET email = '{address}' WHERE id = {id}"));
    }
    site
}

fn address(home: &Home, name: &str) -> Option<String> {
    home.user(name).unwrap().email.map(|email| email.as_str().to_owned())
}

/// Gives somebody another address here, as they do themselves: with a proof.
fn set_here(home: &Home, name: &str, address: &str) {
    let mut user = home.user(name).unwrap();
    user.email = Some(Email::parse(address).unwrap());
    user.email_verified = true;
    home.write(move |tx| tx.update_user(&user));
}

fn said(report: &Report) -> Vec<(String, String, Action)> {
    report.entries.iter().map(|entry| (entry.key.clone(), reason(entry), entry.action)).collect()
}

fn taken(key: &str, action: Action) -> (String, String, Action) {
    (key.to_owned(), "email_taken".to_owned(), action)
}

#[test]
fn an_address_set_here_stays_when_its_old_one_went_to_somebody_else_here() {
    let (home, site) = (Home::new(), site_with(&[(1, "ada", "lab@x.org"), (2, "bo", "bo@x.org")]));
    home.import(&site.path);
    set_here(&home, "ada", "ada@x.org");
    set_here(&home, "bo", "lab@x.org");
    let ada = home.user("ada").unwrap();
    let id = ada.id;
    home.write(move |tx| {
        tx.insert_ticket(&Ticket {
            digest: TokenDigest::from_bytes([1; 32]),
            purpose: Purpose::Reset,
            user: Some(id),
            expires_at: Timestamp::MAX,
            subject: None,
            email: None,
        })
    });
    let before = home.dump();
    let report = home.import(&site.path);
    assert_eq!(home.user("ada").unwrap(), ada);
    assert_eq!(said(&report), [taken("1", Action::KeptOurs)]);
    assert!(!report.changed_anything());
    assert_eq!(home.dump(), before);
    site.sql("UPDATE auth_user SET first_name = 'Augusta' WHERE id = 1");
    home.import(&site.path);
    let now = home.user("ada").unwrap();
    assert_eq!(
        (now.first_name.as_str(), now.email, now.email_verified),
        ("Augusta", ada.email, true)
    );
}

#[test]
fn an_address_taken_away_here_does_not_come_back_when_it_is_free_again() {
    let (home, site) = (Home::new(), site_with(&[(1, "ada", "lab@x.org"), (2, "bo", "bo@x.org")]));
    home.import(&site.path);
    let mut ada = home.user("ada").unwrap();
    ada.email = None;
    home.write(move |tx| tx.update_user(&ada));
    set_here(&home, "bo", "lab@x.org");
    assert_eq!(said(&home.import(&site.path)), [taken("1", Action::ImportedWithout)]);
    set_here(&home, "bo", "bo@x.org");
    home.import(&site.path);
    assert_eq!(address(&home, "ada"), None);
}

#[test]
fn an_address_that_goes_from_one_row_to_an_earlier_one_leaves_nobody_without() {
    let (home, site) = (Home::new(), site_with(&[(1, "ada", "a@x.org"), (5, "bo", "b@x.org")]));
    home.import(&site.path);
    site.sql(
        "UPDATE auth_user SET email = 'b@x.org' WHERE id = 1;
         UPDATE auth_user SET email = 'c@x.org' WHERE id = 5",
    );
    let report = home.import(&site.path);
    assert_eq!(said(&report), [taken("1", Action::KeptOurs)]);
    assert_eq!(address(&home, "ada").unwrap(), "a@x.org", "until the next run");
    assert_eq!(address(&home, "bo").unwrap(), "c@x.org");
    let report = home.import(&site.path);
    assert_eq!((said(&report), report.counts.users.changed), (vec![], 1));
    assert_eq!(address(&home, "ada").unwrap(), "b@x.org");
}

#[test]
fn an_address_is_given_up_to_whom_django_lets_log_in_by_it() {
    let (home, site) = (Home::new(), site_with(&[(1, "ada", "a@x.org"), (5, "bo", "b@x.org")]));
    home.import(&site.path);
    site.sql("UPDATE auth_user SET username = 'A@x.org' WHERE id = 5");
    let report = home.import(&site.path);
    assert_eq!(said(&report), [taken("1", Action::ImportedWithout)]);
    assert_eq!(address(&home, "ada"), None);
    assert!(home.user("a@x.org").is_some());
    // Nor is it kept in place of another that cannot be taken either.
    let (home, site) = (Home::new(), site_with(&[(1, "ada", "a@x.org"), (5, "bo", "b@x.org")]));
    home.import(&site.path);
    site.sql(
        "UPDATE auth_user SET email = 'b@x.org' WHERE id = 1;
         UPDATE auth_user SET username = 'a@x.org' WHERE id = 5",
    );
    assert_eq!(said(&home.import(&site.path)), [taken("1", Action::ImportedWithout)]);
    assert_eq!(address(&home, "ada"), None);
    let before = home.dump();
    assert!(!home.import(&site.path).changed_anything());
    assert_eq!(home.dump(), before);
}
