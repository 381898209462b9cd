//! The ways to log in, as an operator configures and tries them.

use crate::support::{Desk, PASSWORD, Ran};

const ONE: &str = "[[backend]]\nname = \"house\"\nkind = \"local\"\n";

#[test]
fn without_any_backend_the_local_one_is_meant() {
    let desk = Desk::furnished();
    let listed = desk.succeed(&["backend", "list", "--json"]).json();
    assert_eq!((&listed[0]["name"], &listed[0]["kind"]), (&"local".into(), &"local".into()));
    desk.write("vestibule.toml", ONE);
    let listed = desk.succeed(&["backend", "list", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(
        (&listed[0]["name"], &listed[0]["control"]),
        (&"house".into(), &"sufficient".into())
    );
}

#[test]
fn a_test_shows_what_the_backend_answers_and_leaves_no_trace() {
    let desk = Desk::furnished();
    desk.write("vestibule.toml", ONE);
    let (sessions, events) = (desk.count("sessions"), desk.count("audit_events"));
    let test = |name: &str, password: &str| {
        let arguments =
            ["backend", "test", "house", "--username", name, "--password-stdin", "--json"];
        desk.feed(&arguments, password)
    };
    let right = test("ROOT", PASSWORD).expect(0);
    assert_eq!(right.json()["answer"], "verified");
    assert!(!right.all().contains(PASSWORD), "{right:?}");
    let wrong = test("root", "not the password at all").expect(1).json();
    assert_eq!(
        (&wrong["answer"], &wrong["reason"]),
        (&"rejected".into(), &"wrong password".into())
    );
    let nobody = test("nobody", PASSWORD).expect(1).json();
    assert_eq!(nobody["answer"], "not mine");
    assert_eq!((desk.count("sessions"), desk.count("audit_events")), (sessions, events));
    assert_eq!(desk.count("login_failures"), 0);
    desk.feed(&["backend", "test", "hoose", "--username", "root", "--password-stdin"], PASSWORD)
        .expect(1)
        .says("there is no backend \"hoose\"");
}

#[test]
fn a_backend_that_does_not_hold_stops_every_start_and_is_named() {
    let bad = [
        (
            "[[backend]]\nname = \"x\"\nkind = \"kerberos\"\n",
            "backend x: unknown kind \"kerberos\"",
        ),
        (
            "[[backend]]\nname = \"x\"\nkind = \"local\"\nurl = \"y\"\n",
            "backend x: url: unknown key",
        ),
        (&format!("{ONE}{ONE}"), "two backends are called house"),
        (
            "[[backend]]\nname = \"x\"\nkind = \"local\"\ncontrol = \"optional\"\n",
            "no backend can say who somebody is",
        ),
        (
            "[[backend]]\nname = \"x\"\nkind = \"local\"\ncontrol = \"required\"\non_unavailable = \"skip\"\n",
            "backend x: on_unavailable",
        ),
    ];
    for (text, words) in bad {
        let desk = Desk::furnished();
        desk.write("vestibule.toml", text);
        desk.run(&["serve", "--listen", "127.0.0.1:0"]).expect(2).says(words);
        desk.run(&["backend", "list"]).expect(2).says(words);
        desk.run(&["config", "check"]).expect(2).says("vestibule.toml: ").says(words);
        desk.run(&["config", "set", "site.name", "Hall"]).expect(2).says(words);
        let found = desk.run(&["check"]).expect(1);
        assert!(found.out.contains("vst.E003") && found.out.contains(words), "{found:?}");
    }
}

#[test]
fn all_that_is_wrong_with_backends_is_told_at_once_and_with_the_file() {
    let desk = Desk::furnished();
    let wrong = "[[backend]]\nname = \"a\"\nkind = \"local\"\nurl = \"y\"\n\
                 [[backend]]\nname = \"b\"\nkind = \"kerberos\"\n";
    desk.write("vestibule.toml", wrong);
    for arguments in [&["config", "check"][..], &["serve", "--listen", "127.0.0.1:0"]] {
        let ran = desk.run(arguments).expect(2);
        assert_eq!(ran.err.matches("vestibule.toml: backend ").count(), 2, "{ran:?}");
    }
    assert_eq!(desk.run(&["check"]).expect(1).out.matches("vst.E003").count(), 2);
    // What asks none of them does without.
    desk.succeed(&["user", "list"]);
    desk.write("vestibule.toml", ONE);
    let mut command = desk.command(&["config", "edit"]);
    let edited = Ran::of(command.env("EDITOR", "sed -i s/local/lokal/").output().unwrap());
    edited.expect(2).says("backend house: unknown kind").says("was left unchanged");
    desk.succeed(&["config", "check"]);
}

#[test]
fn a_check_tells_whether_backends_answer() {
    let desk = Desk::furnished();
    let away = "[[backend]]\nname = \"away\"\nkind = \"remote\"\n\
                url = \"http://127.0.0.1:1/\"\ntoken_file = \"token\"\n";
    let token = desk.write("token", "0123456789abcdef0123456789abcdef");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(token, private).unwrap();
    desk.write("vestibule.toml", &format!("{ONE}{away}"));
    let found = desk.run(&["check"]).expect(1);
    assert!(found.out.contains("vst.E007"), "{found:?}");
    assert!(found.out.contains("backend away does not answer: "), "{found:?}");
}

#[test]
fn a_secret_of_a_backend_lies_in_a_file_of_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::furnished();
    let file = desk.write("vestibule.toml", &format!("{ONE}client_secret = \"hunter2\"\n"));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let ran = desk.run(&["check"]).expect(2);
    let words =
        "backend.house.client_secret: holds a secret, but the file is open to group or others";
    assert!(ran.err.contains(words), "{ran:?}");
    assert!(!ran.all().contains("hunter2"), "{ran:?}");
    let secret = desk.write("secret", "hunter2\n");
    desk.write("vestibule.toml", &format!("{ONE}client_secret_file = \"{}\"\n", secret.display()));
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    desk.run(&["check"]).expect(2).says("is open to group or others (mode 0644); chmod 600 it");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    // It is read; that this kind has no such key is another matter.
    let found = desk.run(&["check"]).expect(1);
    assert!(found.out.contains("backend house: client_secret_file: unknown key"), "{found:?}");
    assert!(!found.all().contains("hunter2"), "{found:?}");
}

#[test]
fn check_tells_who_sees_which_password() {
    let desk = Desk::furnished();
    desk.write("vestibule.toml", ONE);
    let found = desk.succeed(&["check"]);
    let words = "backend house (local, sufficient): verifies passwords here";
    assert!(found.out.contains(words), "{found:?}");
    let keycloak = "[[backend]]\nname = \"keycloak\"\nkind = \"oidc\"\n\
                    issuer = \"http://127.0.0.1:1\"\nclient_id = \"hall\"\n";
    desk.write("vestibule.toml", &format!("{ONE}{keycloak}"));
    let found = desk.run(&["check"]);
    let words = "backend keycloak (oidc, sufficient): sees no password: people log in there";
    assert!(found.out.contains(words), "{found:?}");
}

#[test]
fn a_check_tells_who_is_kept_out_where_names_are_chosen() {
    let desk = Desk::furnished();
    let judge = |control: &str| {
        format!(
            "{ONE}[[backend]]\nname = \"office\"\nkind = \"user_office\"\ncontrol = \"{control}\"\n\
         [user_office]\nauthorized_url = \"http://127.0.0.1:1/\"\nusername = \"hall\"\n\
         password = \"a word between the two\"\n"
        )
    };
    let open = "[registration]\nmode = \"invite\"\n";
    for (settings, is_told) in [
        (format!("{}{open}", judge("required")), true),
        (format!("{}{open}", judge("optional")), false),
        (judge("required"), false),
    ] {
        let file = desk.write("vestibule.toml", &settings);
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(file, private).unwrap();
        let found = desk.run(&["check"]);
        assert_eq!(found.out.contains("vst.W007"), is_told, "{settings}: {found:?}");
        assert!(!found.out.contains("vst.E003"), "{settings}: {found:?}");
    }
}

const SINGLE_SIGN_ON: &str = "[[backend]]\nname = \"umbrella\"\nkind = \"shibboleth\"\n";

#[test]
fn atk_a132_headers_from_everywhere_stop_every_start() {
    let bad = [
        ("", "backend umbrella: server.trusted_proxies is empty"),
        ("[]", "backend umbrella: server.trusted_proxies is empty"),
        ("[\"0.0.0.0/0\"]", "server.trusted_proxies: item 1: would believe every client"),
        ("[\"10.0.0.1\", \"::/0\"]", "server.trusted_proxies: item 2: would believe every client"),
        ("[\"0.0.0.0/1\", \"128.0.0.0/1\"]", "server.trusted_proxies has 0.0.0.0/1"),
        ("[\"10.0.0.0/7\"]", "server.trusted_proxies has 10.0.0.0/7"),
        ("[\"2000::/3\"]", "server.trusted_proxies has 2000::/3"),
    ];
    for (proxies, words) in bad {
        let desk = Desk::furnished();
        let server = match proxies {
            "" => String::new(),
            proxies => format!("[server]\ntrusted_proxies = {proxies}\n"),
        };
        desk.write("vestibule.toml", &format!("{server}{ONE}{SINGLE_SIGN_ON}"));
        desk.run(&["serve", "--listen", "127.0.0.1:0"]).expect(2).says(words);
        desk.run(&["backend", "list"]).expect(2).says(words);
        assert!(desk.run(&["check"]).all().contains(words), "{proxies}");
    }
    let desk = Desk::furnished();
    let server = "[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"2001:db8::1\"]\n";
    desk.write("vestibule.toml", &format!("{server}{ONE}{SINGLE_SIGN_ON}"));
    desk.succeed(&["backend", "list"]);
}

#[test]
fn atk_a139_a_check_tells_what_it_cannot_see_of_the_service_provider() {
    let desk = Desk::furnished();
    let server = "[server]\ntrusted_proxies = [\"10.0.0.1\"]\n";
    desk.write("vestibule.toml", &format!("{server}{ONE}{SINGLE_SIGN_ON}"));
    let found = desk.run(&["check", "--deploy"]);
    for words in ["vst.W111", "proxy_secret_file", "vst.I005", "3.5.1", "docs/shibboleth.md"] {
        assert!(found.out.contains(words), "{words}: {found:?}");
    }
    assert!(desk.run(&["check"]).out.contains("believes what a trusted proxy says in headers"));
    let file = desk.write("shown", "0123456789abcdef");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(file, private).unwrap();
    let secret = "proxy_secret_file = \"shown\"\n";
    desk.write("vestibule.toml", &format!("{server}{ONE}{SINGLE_SIGN_ON}{secret}"));
    let found = desk.run(&["check", "--deploy"]);
    assert!(!found.out.contains("vst.W111"), "{found:?}");
}

/// As Debian's `shibboleth2.xml` has it.
const SERVICE_PROVIDER: &str = r#"<SPConfig><ApplicationDefaults>
    <Sessions handlerSSL="true" cookieProps="https" redirectLimit="exact"><SSO>SAML2</SSO></Sessions>
    </ApplicationDefaults></SPConfig>"#;

#[test]
fn atk_a139_a_check_looks_into_a_service_provider_on_this_machine() {
    let desk = Desk::furnished();
    let server =
        "[server]\ntrusted_proxies = [\"10.0.0.1\"]\n[site]\nbase_url = \"https://hall.example\"\n";
    let path = desk.write("shibboleth2.xml", SERVICE_PROVIDER);
    let told = format!("sp_config = \"{}\"\n", path.display());
    desk.write("vestibule.toml", &format!("{server}{ONE}{SINGLE_SIGN_ON}{told}"));
    let found = desk.run(&["check", "--deploy"]);
    assert!(found.out.contains("vst.I006") && found.out.contains("vst.I005"), "{found:?}");
    assert!(found.out.contains("ShibUseHeaders Off"), "{found:?}");
    desk.write("shibboleth2.xml", &SERVICE_PROVIDER.replace("exact", "none"));
    let found = desk.run(&["check", "--deploy"]);
    assert!(found.out.contains("vst.W113") && !found.out.contains("vst.W114"), "{found:?}");
    assert!(found.out.contains("in front of backend umbrella: its redirectLimit is"), "{found:?}");
    std::fs::remove_file(path).unwrap();
    let found = desk.run(&["check", "--deploy"]);
    assert!(found.out.contains("vst.W112") && found.out.contains("cannot be read"), "{found:?}");
    // A server starts without it: it is nobody's business but the check's.
    desk.succeed(&["backend", "list"]);
}

/// The one that the peers start: limited redirects, plain http, and a version of Debian's.
#[cfg(feature = "peers")]
#[test]
fn atk_a139_a_real_service_provider_is_seen_as_it_is() {
    let folder = std::env::var("VESTIBULE_TEST_SHIB").expect("docs/testing.md says how to set it");
    let desk = Desk::furnished();
    let server =
        "[server]\ntrusted_proxies = [\"10.0.0.1\"]\n[site]\nbase_url = \"https://hall.example\"\n";
    let told = format!("sp_config = \"{folder}/sp/shibboleth2.xml\"\n");
    desk.write("vestibule.toml", &format!("{server}{ONE}{SINGLE_SIGN_ON}{told}"));
    let found = desk.run(&["check", "--deploy"]);
    assert!(!found.out.contains("vst.W113") && !found.out.contains("vst.W115"), "{found:?}");
    assert!(found.out.contains("vst.W114") && !found.out.contains("vst.W112"), "{found:?}");
    assert!(found.out.contains("shibd is of version "), "{found:?}");
}

#[test]
fn seed_cp_13_the_address_of_the_hash_service_is_the_offices() {
    let desk = Desk::furnished();
    let with = |office: &str| {
        let server = "[server]\ntrusted_proxies = [\"10.0.0.1\"]\n";
        desk.write(
            "vestibule.toml",
            &format!("{server}{ONE}{SINGLE_SIGN_ON}[user_office]\n{office}"),
        );
        desk.run(&["backend", "list", "--json"])
    };
    let asks =
        with("hash_url = \"http://127.0.0.1:1/hash\"\ntimeout = \"1s\"\nusername = \"hall\"\n");
    assert!(asks.expect(1).json()[1]["answers"].as_str().unwrap().starts_with("unavailable"));
    let asks_nobody = with("authorized_url = \"http://127.0.0.1:1/authorized\"\n").expect(0);
    assert_eq!(asks_nobody.json()[1]["answers"], "not looked at");
    with("hash_url = \"http://office.example/hash\"\n").expect(2).says("user_office.hash_url");
}

#[test]
fn seed_om_60_an_account_is_entered_another_way_from_the_command_line_and_back() {
    let desk = Desk::furnished();
    let office = "[[backend]]\nname = \"office\"\nkind = \"user_office\"\n\
                  login_url = \"https://office.example/login\"\n";
    desk.write("vestibule.toml", &format!("{ONE}{office}"));
    let edit = |more: &[&str], input: &str| {
        let arguments: Vec<&str> = ["user", "edit", "anna"].iter().chain(more).copied().collect();
        desk.feed(&arguments, input)
    };
    // This office takes logins and answers no questions: it has to be told who anna is there.
    edit(&["--entered-by", "office", "--login", "a.miller"], "").expect(1).says("give the subject");
    edit(&["--entered-by", "nowhere", "--subject", "x"], "").expect(1).says("no such backend");
    let there = ["--entered-by", "office", "--subject", "a.miller", "--first-name", "Anna"];
    edit(&there, "").expect(0).prints("Anna");
    let usable = "select count(*) as answer from users where username = 'anna' and password <> '!'";
    assert_eq!((desk.connection().number(usable), desk.count("identities")), (0, 1));
    // Without a password and without an address nobody would get in any more.
    desk.succeed(&["user", "edit", "anna", "--email", ""]);
    edit(&["--entered-by", "local"], "").expect(1).says("set a password first");
    edit(&["--entered-by", "local", "--password-stdin"], PASSWORD).expect(0);
    assert_eq!((desk.connection().number(usable), desk.count("identities")), (1, 0));
    edit(&["--entered-by", "local", "--password-stdin"], PASSWORD).expect(1).says("no backend");
    // With an office that cannot be asked as it is set, nothing is begun.
    let nobody = "[user_office]\nexperiments_url = \"https://office.example/$USERNAME\"\n";
    desk.write("vestibule.toml", &format!("{ONE}{nobody}"));
    desk.run(&["check"]).expect(1).prints("vst.E005");
    desk.run(&["serve", "--listen", "127.0.0.1:0"]).expect(2).says("user_office.username");
}
