//! What clients and misconfigured proxies may send.

use super::{
    ALONE, EVIL, GUARDED, PLACE, Stage, enter, is_in, known, raw, refused, shib, signed_on,
    status_of,
};

/// What a client may call the header, in all the ways that have ever worked anywhere.
fn spellings() -> Vec<String> {
    let mut all = vec!["EAAHASH".to_owned(), "eaahash".to_owned(), "EaAhAsH".to_owned()];
    for prefix in ["", "X", "HTTP", "AJP", "Shib"] {
        for joint in ["-", "_", "."] {
            for word in ["EAAHash", "EAA-Hash", "EAA_Hash", "EAA.Hash"] {
                let start =
                    if prefix.is_empty() { String::new() } else { format!("{prefix}{joint}") };
                all.push(format!("{start}{word}"));
            }
        }
    }
    all.sort();
    all.dedup();
    all
}

#[test]
fn atk_a130_no_spelling_of_a_client_gets_through_as_an_identity() {
    let stage = Stage::set("spellings");
    let spellings = spellings();
    assert!(spellings.len() >= 30);
    for spelling in &spellings {
        let sent = [(&**spelling, EVIL)];
        for port in ["APACHE_URL", "NGINX_URL", "NGINX_LEAKY_URL"] {
            refused(&raw(&shib(port), PLACE, &sent), &format!("{spelling} at {port}"));
        }
        // Where a proxy lets everything through, all but the very name are still nobody.
        if !spelling.eq_ignore_ascii_case("EAAHash") {
            for port in ["APACHE_PASS_URL", "NGINX_PASS_URL"] {
                refused(&raw(&shib(port), PLACE, &sent), &format!("{spelling} at {port}"));
            }
        }
        // And the very name is none without the proxy's secret.
        for port in ["APACHE_PASS_URL", "NGINX_PASS_URL"] {
            refused(&raw(&shib(port), GUARDED, &sent), &format!("{spelling} at {port}"));
        }
        refused(&raw(&stage.site.origin, PLACE, &sent), &format!("{spelling} directly"));
    }
    assert_eq!(stage.times_asked(), 0, "the office heard of none of it");
    // Beside a session of one's own the right proxies let nothing of it through, and where mod_shib
    // writes the headers the request is refused.
    for spelling in &spellings {
        for port in ["APACHE_URL", "NGINX_URL"] {
            let mut alice = known(&shib(port), "alice");
            alice.headers.push((spelling.clone(), EVIL.to_owned()));
            assert_eq!(enter(&mut alice, PLACE), is_in("alice"), "{spelling} at {port}");
        }
    }
    let alice = signed_on(&shib("USE_HEADERS_URL"), "alice");
    for spelling in &spellings {
        let mut alice = alice.clone();
        alice.headers.push((spelling.clone(), EVIL.to_owned()));
        let (status, name) = enter(&mut alice, PLACE);
        let is_refused = name.is_none() && [400, 401, 403, 500].contains(&status);
        assert!(is_refused || name.as_deref() == Some("alice"), "{spelling}: {status} {name:?}");
    }
}

#[test]
fn atk_a131_past_the_proxies_the_header_is_nothing() {
    let stage = Stage::set("past");
    let alice = shib("HASH_ALICE");
    let untrusted = shib("NGINX_UNTRUSTED_URL");
    let secret = (&*shib("SECRET_HEADER"), &*shib("SECRET"));
    for path in [PLACE, ALONE, GUARDED] {
        let direct = raw(&stage.site.origin, path, &[("EAAHash", &alice), (secret.0, secret.1)]);
        assert_eq!(status_of(&direct), 403, "{path}");
        refused(&direct, path);
        assert_eq!(enter(&mut known(&untrusted, "alice"), path), (403, None));
    }
    assert_eq!(stage.times_asked(), 0);
    let events = stage.site.audit_texts("login.failed");
    assert_eq!(events.len(), 6);
    assert!(events.iter().all(|event| event.contains("not from a trusted proxy")), "{events:?}");
}

#[test]
fn atk_a133_what_connection_takes_away_leaves_nobody() {
    let stage = Stage::set("hops");
    for hops in ["EAAHash", "close, EAAHash, uid", "keep-alive, eaahash, X-Forwarded-For"] {
        for port in ["APACHE_URL", "NGINX_URL", "URL"] {
            let alice = match port {
                "URL" => signed_on(&shib(port), "alice"),
                _ => known(&shib(port), "alice"),
            };
            let jar: Vec<_> = alice.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            let cookie = jar.join("; ");
            let sent = [
                ("Connection", hops),
                ("Cookie", &*cookie),
                ("X-Forwarded-For", "6.6.6.6"),
                ("Forwarded", "for=6.6.6.6"),
                ("EAAHash", EVIL),
            ];
            let head = raw(&shib(port), PLACE, &sent);
            // Apache takes the hash away and leaves the uid: that is nobody. nginx takes nothing.
            match port {
                "NGINX_URL" => assert_eq!(status_of(&head), 303, "{hops}: {head}"),
                _ => refused(&head, &format!("{hops} at {port}")),
            }
        }
    }
    // Where a proxy hands on what the client says of itself, what the proxy saw counts.
    let sent = [("X-Forwarded-For", "6.6.6.6")];
    refused(&raw(&shib("APACHE_PASS_URL"), PLACE, &sent), "an address of the client's own");
    let mut connection = stage.site.database.connection();
    let names = connection.texts("select distinct username as answer from users order by username");
    assert!(!names.iter().any(|name| name.contains("alone")), "{names:?}");
    let addresses =
        connection.texts("select distinct address as answer from audit_events where address <> ''");
    assert!(!addresses.iter().any(|address| address.contains("6.6.6.6")), "{addresses:?}");
    let entered = connection
        .texts("select target as answer from audit_events where action = 'login.succeeded'");
    // Three by way of nginx, and three when the identity provider sent the browser here.
    assert!(entered.iter().all(|name| name == "alice") && entered.len() == 6, "{entered:?}");
}

#[test]
fn atk_a136_the_secret_comes_from_the_proxy_and_from_nobody_else() {
    let stage = Stage::set("secret");
    let (header, hash) = (shib("SECRET_HEADER"), shib("HASH_NORMAN"));
    for port in ["APACHE_URL", "NGINX_URL"] {
        let (status, name) = enter(&mut known(&shib(port), "norman"), GUARDED);
        assert!(status == 303 && name.unwrap().starts_with("guarded-"), "{port}");
        // The client's own is overwritten, also where it is right.
        refused(
            &raw(&shib(port), GUARDED, &[("EAAHash", &hash), (&header, &shib("SECRET"))]),
            port,
        );
    }
    let spelt = header.replace('-', "_");
    for port in ["APACHE_PASS_URL", "NGINX_PASS_URL"] {
        for sent in [
            &[("EAAHash", &*hash)][..],
            &[("EAAHash", &hash), (&header, "")],
            &[("EAAHash", &hash), (&header, "0123456789abcdef0123456789abcdef")],
            &[("EAAHash", &hash), (&spelt, &shib("SECRET"))],
        ] {
            refused(&raw(&shib(port), GUARDED, sent), port);
        }
    }
    drop(stage);
}

#[test]
fn atk_a137_no_other_way_to_write_the_path_gets_past_the_locations() {
    let stage = Stage::set("paths");
    let alice = shib("HASH_ALICE");
    for path in [
        "/auth/umbrella/assert",
        "/auth/umbrella/assert?x=/",
        "/AUTH/umbrella/assert",
        "/auth/umbrella/Assert",
        "/auth/umbrella/assert/",
        "//auth/umbrella/assert",
        "/auth//umbrella/assert",
        "/auth/./umbrella/assert",
        "/auth/x/../umbrella/assert",
        "/auth/umbrella/%61ssert",
        "/auth/umbrella/%2561ssert",
        "/auth%2fumbrella/assert",
        "/auth/umbrella/assert%2f",
        "/auth/umbrella/assert%00",
        "/auth/umbrella/assert%20",
        "/auth/umbrella/assert;x",
        "/auth/umbrella/assert%3fx",
        "/auth/alone/assert/../../umbrella/assert",
    ] {
        for port in ["NGINX_LEAKY_URL", "NGINX_URL", "APACHE_URL", "LOGIN_ONLY_URL"] {
            let head = raw(&shib(port), path, &[("EAAHash", &alice), ("uid", "alice")]);
            let is_to_the_provider = status_of(&head) == 302;
            if !is_to_the_provider {
                refused(&head, &format!("{path} at {port}"));
            }
            assert!(!head.contains("set-cookie: vestibule="), "{path} at {port}: {head}");
        }
    }
    assert_eq!(stage.times_asked(), 0);
}
