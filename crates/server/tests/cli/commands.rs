//! Every command: used rightly, used wrongly, failing, and as JSON.

use std::collections::BTreeSet;

use crate::support::{Desk, PASSWORD};

/// A command with what makes it succeed, what is wrong use, and what makes it fail (none where
/// nothing can but the configuration). `{fixture}` is a Django site's database.
struct Case {
    command: &'static str,
    right: &'static str,
    wrong: &'static [&'static str],
    fails: &'static [&'static str],
    /// Whether it prints JSON on demand.
    has_json: bool,
    input: &'static str,
}

const fn case(
    command: &'static str,
    right: &'static str,
    wrong: &'static [&'static str],
    fails: &'static [&'static str],
) -> Case {
    Case { command, right, wrong, fails, has_json: false, input: "" }
}

impl Case {
    const fn json(self) -> Self {
        Self { has_json: true, ..self }
    }

    const fn reads(self, input: &'static str) -> Self {
        Self { input, ..self }
    }
}

/// All of them but `serve`, which does not end.
const CASES: &[Case] = &[
    case("migrate", "", &["--check --list", "now"], &[]),
    case(
        "createsuperuser",
        "--username new --password-stdin",
        &["", "new"],
        &["--username anna --password-stdin", "--username new --email anna@ --password-stdin"],
    )
    .json()
    .reads(PASSWORD),
    case(
        "user add",
        "new --no-password",
        &["", "new --no-password --password-stdin", "new --x"],
        &["anna --no-password", "new --no-password --email nowhere"],
    )
    .json(),
    case("user list", "", &["--page-size 0", "--page x", "anna"], &["--group nowhere"]).json(),
    case("user show", "anna", &[""], &["nobody"]).json(),
    case(
        "user edit",
        "anna --first-name Anna",
        &["", "anna --staff perhaps", "anna --login x", "anna --entered-by directory"],
        &["nobody --staff true", "anna --username ben"],
    )
    .json(),
    case(
        "user password",
        "anna --unusable",
        &["", "anna --unusable --password-stdin"],
        &["nobody --unusable"],
    ),
    case("user enable", "anna", &[""], &["nobody"]).json(),
    case("user disable", "anna", &[""], &["nobody", "root"]).json(),
    case("user delete", "anna", &[""], &["nobody", "root"]),
    case("user import", "-", &["", "- --force"], &["missing.csv", "."])
        .json()
        .reads("username\nnew\n"),
    case("user export", "-", &[""], &["missing/people.csv", "."]),
    case("group add", "new", &["", "new --level high"], &["inner"]).json(),
    case("group list", "", &["--page-size 10001", "inner"], &[]).json(),
    case("group show", "inner", &[""], &["nowhere"]).json(),
    case(
        "group edit",
        "inner --name new",
        &["", "inner --level high"],
        &["nowhere --name new", "inner --name outer"],
    )
    .json(),
    case("group delete", "other", &[""], &["nowhere"]),
    case(
        "group add-member",
        "other ben",
        &["", "other", "other ben --group inner"],
        &["other nobody", "nowhere ben", "inner --group outer"],
    ),
    case(
        "group remove-member",
        "inner anna",
        &["", "inner", "inner anna --group outer"],
        &["inner ben", "inner nobody", "other --group inner"],
    ),
    case("perm list", "", &["anna", "--user anna --group inner"], &["--user nobody"]).json(),
    case(
        "perm grant",
        "vestibule.add_user --user anna",
        &["", "vestibule.add_user", "vestibule.add_user --user anna --group inner"],
        &["vestibule.nothing --user anna", "nonsense --user anna", "vestibule.add_user --user no"],
    )
    .json(),
    case(
        "perm revoke",
        "vestibule.view_user --group outer",
        &["", "vestibule.view_user"],
        &["vestibule.view_user --group inner", "vestibule.view_user --group outer --deny"],
    ),
    case(
        "perm check",
        "anna vestibule.view_user",
        &["", "anna"],
        &[
            "ben vestibule.view_user",
            "nobody vestibule.view_user",
            "anna vestibule.view_user nonsense",
        ],
    )
    .json(),
    case("backend list", "", &["local", "--config missing.toml"], &[]).json(),
    case(
        "backend test",
        "local --username root --password-stdin",
        &["", "local --username root"],
        &["nowhere --username root --password-stdin"],
    )
    .json()
    .reads(PASSWORD),
    case("mail test", "anna@example.org", &[""], &["a@b@example.org", "nobody"]),
    case("mail outbox list", "", &["--state lost", "anna", "--limit 0"], &[]).json(),
    case(
        "mail outbox retry",
        "--dead",
        &["", "nonsense"],
        &["01a1fc0a-d728-747e-8f0f-f635bb0d30d7"],
    ),
    case(
        "mail outbox purge",
        "",
        &["nonsense", "--older-than soon"],
        &["--state waiting", "01a1fc0a-d728-747e-8f0f-f635bb0d30d7"],
    ),
    case("session list", "anna", &[""], &["nobody"]).json(),
    case(
        "session revoke",
        "--user anna",
        &["", "nonsense"],
        &["--user nobody", "01a1fc0a-d728-747e-8f0f-f635bb0d30d7"],
    ),
    case("session clear", "", &["anna"], &[]),
    case("clearsessions", "", &["anna"], &[]),
    case("import django", "sqlite:{fixture}", &["", "nonsense://x y"], &["sqlite:missing.db"])
        .json(),
    case("config get", "", &["site.nonsense", "a b"], &[]).json(),
    case(
        "config set",
        "site.name Hall",
        &["", "site.name", "site.nonsense x"],
        &["site.name Hall --config missing/v.toml"],
    ),
    case("config unset", "site.name", &["", "site.nonsense"], &[]),
    case("config edit", "", &["x", "--config missing.toml"], &[]),
    case("config check", "", &["site.name", "--config missing.toml"], &[]),
    case("check", "", &["deploy", "--config missing.toml"], &[]).json(),
    case("verify", "", &["all", "--config missing.toml"], &[]).json(),
    case("openapi", "", &["all"], &[]).json(),
    case("completions", "bash", &["", "csh"], &[]),
];

/// Words in which blanks separate.
fn words(text: &str) -> Vec<String> {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/django/site.sqlite3");
    text.split_whitespace().map(|word| word.replace("{fixture}", fixture)).collect()
}

fn run(desk: &Desk, case: &Case, arguments: &str) -> crate::support::Ran {
    let all = [words(case.command), words(arguments)].concat();
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    let mut command = desk.command(&all);
    crate::support::fed(command.env("EDITOR", "true"), case.input)
}

/// The commands that a command's help lists; none for one that does something itself.
pub(crate) fn below(desk: &Desk, command: &[String]) -> Vec<String> {
    let arguments: Vec<_> = command.iter().map(String::as_str).chain(["--help"]).collect();
    let help = desk.succeed(&arguments).out;
    let Some((_, list)) = help.split_once("\nCommands:\n") else { return Vec::new() };
    let lines = list.lines().take_while(|line| !line.is_empty());
    let named = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = named.map(|line| line.split_whitespace().next().unwrap().to_owned());
    names.filter(|name| name != "help").collect()
}

/// Every command that does something.
pub(crate) fn all_commands(desk: &Desk) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(command) = open.pop() {
        let more = below(desk, &command);
        if more.is_empty() {
            found.insert(command.join(" "));
        }
        open.extend(more.into_iter().map(|name| [&command[..], &[name]].concat()));
    }
    found
}

#[test]
fn every_command_is_tried() {
    let mut tried: BTreeSet<_> = CASES.iter().map(|case| case.command.to_owned()).collect();
    assert!(tried.insert("serve".to_owned()));
    assert_eq!(all_commands(&Desk::bare()), tried);
}

#[test]
fn right_use_exits_0_and_says_nothing_among_the_errors() {
    for case in CASES {
        let ran = run(&Desk::furnished(), case, case.right);
        assert_eq!(ran.status, 0, "{}: {ran:?}", case.command);
        assert!(ran.err.is_empty(), "{}: {ran:?}", case.command);
        assert!(!ran.out.is_empty(), "{}: {ran:?}", case.command);
    }
}

#[test]
fn wrong_use_exits_2_says_why_and_does_nothing() {
    let desk = Desk::furnished();
    let before = std::fs::read(desk.database.file()).unwrap();
    for case in CASES {
        for wrong in case.wrong {
            let ran = run(&desk, case, wrong);
            assert_eq!(ran.status, 2, "{} {wrong}: {ran:?}", case.command);
            assert!(!ran.err.is_empty() && ran.out.is_empty(), "{} {wrong}: {ran:?}", case.command);
        }
    }
    assert!(before == std::fs::read(desk.database.file()).unwrap(), "the database was changed");
}

#[test]
fn failure_exits_1_and_says_why_in_one_line() {
    for case in CASES {
        for fails in case.fails {
            let desk = Desk::furnished();
            let people = desk.names();
            let ran = run(&desk, case, fails);
            assert_eq!(ran.status, 1, "{} {fails}: {ran:?}", case.command);
            let answers = ran.out.starts_with("denied: ");
            assert!(
                answers || ran.err.starts_with("vestibule: ") && ran.err.lines().count() == 1,
                "{} {fails}: {ran:?}",
                case.command
            );
            assert_eq!(desk.names(), people, "{} {fails}", case.command);
        }
    }
}

#[test]
fn what_prints_records_prints_json_on_demand_and_nothing_else() {
    for case in CASES {
        let ran = run(&Desk::furnished(), case, &format!("{} --json", case.right));
        assert_eq!(ran.status, 0, "{}: {ran:?}", case.command);
        if case.has_json {
            let json = ran.json();
            assert!(json.is_object() || json.is_array(), "{}: {json}", case.command);
        }
    }
}

#[test]
fn without_a_database_each_command_that_needs_one_says_how_to_make_it() {
    let without = ["config ", "openapi", "completions", "migrate", "backend list"];
    for case in CASES.iter().filter(|case| !without.iter().any(|own| case.command.starts_with(own)))
    {
        let desk = Desk::bare();
        let ran = run(&desk, case, case.right);
        assert_eq!(ran.status, 1, "{}: {ran:?}", case.command);
        assert!(ran.all().contains("there is no database at sqlite:"), "{ran:?}");
        assert!(ran.all().contains("vestibule migrate"), "{}: {ran:?}", case.command);
        assert!(!desk.database.file().exists(), "{} made a database", case.command);
    }
}

#[test]
fn config_edit_takes_the_editor_that_is_named_and_keeps_the_file_when_it_fails() {
    let desk = Desk::new();
    let file = desk.write("vestibule.toml", "site.name = \"Hall\"\n");
    desk.run(&["config", "edit"]).expect(2).says("neither $VISUAL nor $EDITOR names an editor");
    let edit = |editor: &str| {
        let mut command = desk.command(&["config", "edit"]);
        crate::support::Ran::of(command.env("EDITOR", editor).output().unwrap())
    };
    edit("false").expect(1).says("nothing was changed");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "site.name = \"Hall\"\n");
    edit("sed -i s/Hall/Inn/").expect(0).prints("edited");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "site.name = \"Inn\"\n");
}
