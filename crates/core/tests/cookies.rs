//! Which cookie counts, and that two of one name never do.

use proptest::prelude::*;
use vestibule_core::usecase::principal::sole_cookie;

const NAME: &str = "__Host-vestibule";

fn sole(headers: &[&str]) -> Option<String> {
    let token = sole_cookie(headers.iter().map(|header| header.as_bytes()), NAME)?;
    std::str::from_utf8(token).ok().map(str::to_owned)
}

fn is(headers: &[&str], expected: &str) -> bool {
    sole(headers).as_deref() == Some(expected)
}

#[test]
fn one_cookie_is_found_wherever_it_stands() {
    assert!(is(&["__Host-vestibule=t"], "t"));
    assert!(is(&["a=1; __Host-vestibule=t; b=2"], "t"));
    assert!(is(&["a=1;__Host-vestibule=t;"], "t"));
    assert!(is(&["a=1", "__Host-vestibule=t"], "t"));
    assert!(is(&[" \t__Host-vestibule=t\t "], "t"));
    assert!(is(&["__Host-vestibule=a=b=="], "a=b=="));
    assert!(is(&["__Host-vestibule="], ""));
}

#[test]
fn std_s50_duplicate_cookies_are_treated_as_none() {
    assert_eq!(sole(&["__Host-vestibule=t; __Host-vestibule=u"]), None);
    assert_eq!(sole(&["__Host-vestibule=t; a=1; __Host-vestibule=t"]), None);
    assert_eq!(sole(&["__Host-vestibule=t", "__Host-vestibule=u"]), None);
    let thrice = "__Host-vestibule=t; ".repeat(3);
    assert_eq!(sole(&[&thrice]), None);
}

#[test]
fn atk_a065_a_cookie_planted_beside_the_real_one_makes_the_visitor_anonymous() {
    // What a sibling domain can plant comes first, last, empty, or in a header of its own.
    let real = "__Host-vestibule=real";
    for planted in ["__Host-vestibule=evil", "__Host-vestibule="] {
        assert_eq!(sole(&[&format!("{planted}; {real}")]), None);
        assert_eq!(sole(&[&format!("{real}; {planted}")]), None);
        assert_eq!(sole(&[planted, real]), None);
        assert_eq!(sole(&[real, planted]), None);
    }
}

#[test]
fn atk_a065_cookies_of_similar_names_are_others() {
    let others = [
        "vestibule=evil",
        "__host-vestibule=evil",
        "__Host-vestibule2=evil",
        "x__Host-vestibule=evil",
        "__Secure-vestibule=evil",
        "__Host-vestibule =evil",
        "__Host-vestibule",
        "=__Host-vestibule=evil",
        "\"__Host-vestibule\"=evil",
    ];
    for other in others {
        assert_eq!(sole(&[other]), None, "{other}");
        let both = format!("{other}; __Host-vestibule=real");
        assert!(is(&[&both], "real"), "{other}");
    }
}

#[test]
fn no_cookie_is_none() {
    assert_eq!(sole(&[]), None);
    assert_eq!(sole(&[""]), None);
    assert_eq!(sole(&[";;; ;"]), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..<_>::default() })]

    #[test]
    fn fuzz_z05_any_bytes_are_taken_apart_as_the_rule_says(
        headers in prop::collection::vec("[ab= ;\t\u{e9}]{0,12}", 0..3),
    ) {
        let bytes = || headers.iter().map(String::as_bytes);
        let found = sole_cookie(bytes(), "a");
        let all: Vec<String> = headers
            .iter()
            .flat_map(|header| header.split(';'))
            .map(|pair| pair.trim_matches([' ', '\t']))
            .filter_map(|pair| pair.split_once('='))
            .filter(|(name, _)| *name == "a")
            .map(|(_, value)| value.to_owned())
            .collect();
        let expected = if let [one] = &all[..] { Some(one.as_bytes()) } else { None };
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn fuzz_z05_a_value_comes_back_from_among_others(
        value in "[A-Za-z0-9_-]{0,64}",
        before in prop::collection::vec("[a-z]{1,8}=[a-z0-9]{0,8}", 0..4),
        after in prop::collection::vec("[a-z]{1,8}=[a-z0-9]{0,8}", 0..4),
    ) {
        let own = format!("{NAME}={value}");
        let all: Vec<&str> = before.iter().map(String::as_str)
            .chain([&*own])
            .chain(after.iter().map(String::as_str))
            .collect();
        prop_assert!(is(&[&all.join("; ")], &value));
        prop_assert!(is(&all, &value));
    }

    #[test]
    fn fuzz_z05_bytes_that_are_no_text_do_no_harm(
        header in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let whole = [&header[..], b"; a=1; a=2"].concat();
        prop_assert!(sole_cookie(std::iter::once(&whole[..]), "a").is_none());
    }
}
