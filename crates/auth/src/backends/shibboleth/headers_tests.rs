use vestibule_core::{Secret, ports::backend::ProxyHeaders};

use super::{HashForm, Names, Told, Unusable, bare};

const HASH: &str = "6f1c9c1e-0d0f-4d43-9b1a-1b2f3c4d5e01";

fn names() -> Names {
    Names {
        hash: "EAAHash".to_owned(),
        form: HashForm::Uuid,
        uid: Some("uid".to_owned()),
        mail: Some("mail".to_owned()),
        first_name: None,
        last_name: Some("displayName".to_owned()),
        groups: Some("groups".to_owned()),
        secret: None,
    }
}

fn headers(sent: &[(&str, &[u8])]) -> ProxyHeaders {
    ProxyHeaders::new(sent.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())))
}

fn read(sent: &[(&str, &[u8])]) -> Result<Told, Unusable> {
    names().read(&headers(sent))
}

fn odd(sent: &[(&str, &[u8])]) -> String {
    match read(sent) {
        Err(Unusable::Odd(what)) => what,
        Err(Unusable::Nobody(what)) => panic!("nobody: {what}"),
        Ok(told) => panic!("{} was let in", told.hash),
    }
}

#[test]
fn what_a_proxy_tells_is_read_as_mod_shib_writes_it() {
    let told = read(&[
        ("eaahash", HASH.as_bytes()),
        ("uid", b"emil"),
        ("mail", b"emil@example.org;emil@home.example"),
        ("displayname", "Émile Ünïcode".as_bytes()),
        ("groups", "a\\;b;c\\d;;gäste".as_bytes()),
        ("host", b"hall.example"),
    ])
    .unwrap_or_else(|_| panic!());
    assert_eq!((told.hash.as_str(), told.uid.as_deref()), (HASH, Some("emil")));
    assert_eq!(told.mails, ["emil@example.org", "emil@home.example"]);
    assert_eq!((told.first_name.as_str(), told.last_name.as_str()), ("", "Émile Ünïcode"));
    assert_eq!(told.groups.unwrap(), ["a;b", "c\\d", "gäste"]);
}

#[test]
fn atk_a130_names_that_read_like_one_that_counts_are_refused() {
    // As the client may spell it, beside what the proxy set.
    let spellings = [
        "EAA-Hash",
        "EAA_Hash",
        "eaa_hash",
        "EAA.Hash",
        "HTTP_EAAHASH",
        "http-eaahash",
        "HTTP_EAA_HASH",
        "X-EAAHash",
        "X_EAAHash",
        "X-EAA-Hash",
        "x.eaahash",
        "X-HTTP-EAAHash",
        "AJP_EAAHash",
        "AJP-EAA-Hash",
        "Shib-EAAHash",
        "SHIB_EAAHASH",
        "Shib-EAA-Hash",
        "EAA~Hash",
        "EAAHash_",
        "_EAAHash",
        "EAAHash.",
        "E-A-A-Hash",
        "HTTP_X_EAAHash",
        "HTTP_HTTP_EAAHASH",
        "X-X-EAAHash",
        "EAA|Hash",
        "EAA+Hash",
        "'EAAHash'",
        "EAA!Hash",
        "#EAAHash",
        "EAA*Hash",
    ];
    for spelling in spellings {
        for sent in [
            &[(spelling, HASH.as_bytes())][..],
            &[("EAAHash", HASH.as_bytes()), (spelling, b"evil")],
            &[(spelling, b""), ("EAAHash", HASH.as_bytes())],
        ] {
            let what = odd(sent);
            assert!(what.starts_with("EAAHash: came with another that reads like it"), "{what}");
        }
    }
    for spelling in
        ["X-Uid", "HTTP_UID", "u-i-d", "HTTP_MAIL", "X-Groups", "display-name", "display_name"]
    {
        odd(&[("EAAHash", HASH.as_bytes()), (spelling, b"evil")]);
    }
    // The same name in another case is the same header: the two are one that came twice.
    for twin in ["eaahash", "EAAHASH", "eAAhASH"] {
        let what = odd(&[("EAAHash", HASH.as_bytes()), (twin, HASH.as_bytes())]);
        assert_eq!(what, "EAAHash: came twice");
    }
    for other in ["EAAKey", "Hash", "X-Request-Id", "Shib-Session-ID", "HTTP", "X", "Xylophone"] {
        assert!(read(&[("EAAHash", HASH.as_bytes()), (other, b"x")]).is_ok(), "{other}");
    }
}

#[test]
fn atk_a134_lists_are_refused_and_not_picked_from() {
    let other = "6f1c9c1e-0d0f-4d43-9b1a-1b2f3c4d5e14";
    for joint in [";", ",", ", ", "\\;", "\\", "|", " ", "\t"] {
        let list = format!("{HASH}{joint}{other}");
        odd(&[("EAAHash", list.as_bytes())]);
        odd(&[("EAAHash", format!("{HASH}{joint}").as_bytes())]);
        odd(&[("EAAHash", format!("{joint}{HASH}").as_bytes())]);
    }
    for uid in ["alice;bob", "alice,bob", "alice\\;bob", "alice\\bob"] {
        assert_eq!(
            odd(&[("EAAHash", HASH.as_bytes()), ("uid", uid.as_bytes())]),
            "uid: is a list, or too long"
        );
    }
    let twice: &[(&str, &[u8])] = &[("EAAHash", HASH.as_bytes()), ("uid", b"a"), ("uid", b"a")];
    assert_eq!(odd(twice), "uid: came twice");
    let twice: &[(&str, &[u8])] =
        &[("EAAHash", HASH.as_bytes()), ("groups", b"a"), ("Groups", b"b")];
    assert_eq!(odd(twice), "groups: came twice");
}

#[test]
fn atk_a138_bytes_that_could_be_read_in_two_ways_are_refused() {
    let with =
        |name: &'static str, value: &[u8]| odd(&[("EAAHash", HASH.as_bytes()), (name, value)]);
    // ä in ISO 8859-1, alone and beside one in UTF-8.
    assert_eq!(with("displayName", b"J\xe4ger"), "displayName: is not UTF-8");
    assert_eq!(with("displayName", b"\xc3\xa4\xe4"), "displayName: is not UTF-8");
    assert_eq!(with("groups", b"a;\xff"), "groups: is not UTF-8");
    assert_eq!(with("uid", b"al\x01ice"), "uid: has control characters");
    assert_eq!(with("uid", b"al\x7fice"), "uid: has control characters");
    assert_eq!(with("mail", "a@b.example\u{85}x".as_bytes()), "mail: has control characters");
    odd(&[("EAAHash", b"6f1c9c1e-0d0f-4d43-9b1a-1b2f3c4d5e0\xb9")]);
    odd(&[("EAAHash", "6f1c9c1e-0d0f-4d43-9b1a-1b2f3c4d5e0é".as_bytes())]);
    odd(&[("EAAHash", format!("{HASH}\0").as_bytes())]);
    // What was sent stands nowhere in what the log is told.
    let what = odd(&[("EAAHash", HASH.as_bytes()), ("X-EAA\u{1b}Hash", b"evil")]);
    assert!(what.ends_with("X-EAA\\u{1b}Hash"), "{what}");
    assert!(!what.contains('\u{1b}') && !what.contains("evil"));
}

#[test]
fn seed_cp_12_no_hash_is_nobody_and_too_long_a_value_is_refused() {
    let nobody = |sent: &[(&str, &[u8])]| matches!(read(sent), Err(Unusable::Nobody(_)));
    assert!(nobody(&[]));
    assert!(nobody(&[("uid", b"alice"), ("mail", b"alice@example.org")]), "a uid is nobody");
    assert!(nobody(&[("EAAHash", b""), ("uid", b"alice")]), "as ShibUseHeaders sends it");
    assert_eq!(odd(&[("EAAHash", &b"a".repeat(100_000))]), "EAAHash: has not the form of a hash");
    assert_eq!(
        odd(&[("EAAHash", HASH.as_bytes()), ("groups", &b"a".repeat(20_000))]),
        "groups: is too long"
    );
    assert_eq!(
        odd(&[("EAAHash", HASH.as_bytes()), ("uid", &[b'a'; 300])]),
        "uid: is a list, or too long"
    );
}

#[test]
fn atk_a136_the_proxys_secret_goes_before_all_else() {
    let secret = Secret::new("0123456789abcdef");
    let names = Names { secret: Some(("X-Secret".to_owned(), secret)), ..names() };
    let hash = ("EAAHash", HASH.as_bytes());
    let read = |sent: &[(&str, &[u8])]| match names.read(&headers(sent)) {
        Ok(told) => told.hash,
        Err(Unusable::Odd(what)) => what,
        Err(Unusable::Nobody(what)) => format!("nobody: {what}"),
    };
    assert_eq!(read(&[hash, ("x-secret", b"0123456789abcdef")]), HASH);
    assert_eq!(read(&[hash]), "X-Secret: is missing: the request came past the proxy");
    for wrong in [&b""[..], b"0123456789abcdeF", b"0123456789abcde", b"0123456789abcdef "] {
        assert_eq!(read(&[hash, ("X-Secret", wrong)]), "X-Secret: is wrong");
    }
    let twice = read(&[hash, ("X-Secret", b"0123456789abcdef"), ("X-Secret", b"0123456789abcdef")]);
    assert_eq!(twice, "X-Secret: came twice");
    let spelt = read(&[hash, ("X-Secret", b"0123456789abcdef"), ("X_Secret", b"x")]);
    assert!(spelt.contains("reads like it"), "{spelt}");
    // Whoever cannot show it is not told that there is a single sign-on to go to.
    assert_eq!(read(&[]), "X-Secret: is missing: the request came past the proxy");
}

#[test]
fn what_is_bare_of_a_name_is_never_nothing() {
    for (name, left) in
        [("X", "x"), ("HTTP_", "http"), ("X-HTTP", "http"), ("EAAHash", "eaahash"), ("--", "")]
    {
        assert_eq!(bare(name), left);
    }
}
