//! Accounts from and to CSV.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Desk, PASSWORD};

/// Two rows that hold and three that do not.
const ROWS: &str = "\
username,email,first_name,groups\n\
cara,cara@example.org,Cara,inner;other\n\
anna,,,\n\
dora,no address,,\n\
\"emil, junior\",,\"E \"\"m\"\" il\",\n\
fritz,,,nowhere\n";

fn lines(results: &Value) -> Vec<(u64, bool)> {
    let line = |row: &Value| (row["line"].as_u64().unwrap(), row["ok"].as_bool().unwrap());
    results.as_array().unwrap().iter().map(line).collect()
}

#[test]
fn seed_cp_53_each_line_has_its_result_and_the_good_ones_are_imported() {
    let desk = Desk::furnished();
    let file = desk.write("people.csv", ROWS);
    let ran = desk.run(&["user", "import", file.to_str().unwrap(), "--json"]).expect(1);
    let results = ran.json();
    assert_eq!(lines(&results), [(2, true), (3, false), (4, false), (5, true), (6, false)]);
    assert_eq!(results[0], json!({"line": 2, "username": "cara", "ok": true, "problem": null}));
    assert_eq!(results[1]["problem"], "username: is taken");
    assert!(results[2]["problem"].as_str().unwrap().starts_with("email: "), "{results}");
    assert_eq!(results[4]["problem"], "there is no group \"nowhere\"");
    assert_eq!(desk.names(), ["anna", "ben", "cara", "emil, junior", "root"]);
    let emil = desk.succeed(&["user", "show", "emil, junior", "--json"]).json();
    assert_eq!(emil["first_name"], "E \"m\" il");
    for group in ["inner", "other"] {
        desk.succeed(&["group", "show", group]).prints("\ncara ");
    }
}

#[test]
fn seed_cp_53_people_are_told_which_lines_failed_and_how_many() {
    let desk = Desk::furnished();
    let ran = desk.feed(&["user", "import", "-"], ROWS).expect(1);
    assert!(ran.out.ends_with("2 accounts made, 3 rows failed\n"), "{ran:?}");
    let failed: Vec<_> = ran.out.lines().filter_map(|line| line.split("  ").next()).collect();
    assert_eq!(failed[..4], ["line", "3   ", "4   ", "6   "].map(str::trim), "{ran:?}");
}

#[test]
fn seed_cp_53_exit_0_when_every_line_holds() {
    let desk = Desk::new();
    desk.feed(&["user", "import", "-"], "first_name,username\nCara,cara\nDora,dora\n")
        .expect(0)
        .prints("2 accounts made, 0 rows failed\n");
    assert_eq!(desk.names(), ["cara", "dora"]);
}

#[test]
fn seed_cp_53_a_dry_run_says_the_same_and_writes_nothing() {
    let desk = Desk::furnished();
    let before = fs::read(desk.database.file()).unwrap();
    let ran = desk.feed(&["user", "import", "-", "--dry-run", "--json"], ROWS).expect(1);
    let told = [(2, true), (3, false), (4, false), (5, true), (6, false)];
    assert_eq!(lines(&ran.json()), told);
    desk.feed(&["user", "import", "-", "--dry-run"], ROWS)
        .expect(1)
        .prints("2 accounts would be made, 3 rows failed\n");
    assert!(before == fs::read(desk.database.file()).unwrap(), "the file was changed");
}

#[test]
fn seed_cp_53_a_dry_run_finds_a_name_that_comes_twice() {
    let desk = Desk::new();
    let rows = "username,email\ncara,\nCARA,\ndora,d@example.org\nemil,D@example.org\n";
    let dry = desk.feed(&["user", "import", "-", "--dry-run", "--json"], rows).expect(1);
    let wet = desk.feed(&["user", "import", "-", "--json"], rows).expect(1);
    assert_eq!(lines(&dry.json()), lines(&wet.json()));
}

#[test]
fn seed_cp_53_columns_nobody_knows_and_ragged_rows_are_refused() {
    let desk = Desk::new();
    let ran = desk.feed(&["user", "import", "-"], "username,shoe_size\ncara,42\n").expect(1);
    assert!(ran.out.contains("shoe_size"), "{ran:?}");
    let ran = desk.feed(&["user", "import", "-"], "email\ncara@example.org\n").expect(1);
    assert!(ran.out.contains("username"), "{ran:?}");
    let ragged = "username,email\ncara\ndora,\n";
    let ran = desk.feed(&["user", "import", "-", "--json"], ragged).expect(1);
    assert_eq!(lines(&ran.json()), [(2, false), (3, true)]);
    assert_eq!(desk.names(), ["dora"]);
}

#[test]
fn seed_cp_53_a_password_in_a_row_is_kept_as_it_stands_and_never_shown() {
    let desk = Desk::new();
    let rows = "username,password\ncara,'=the 1st sentence of cara\ndora,short\n";
    let ran = desk.feed(&["user", "import", "-"], rows).expect(1);
    assert!(!ran.all().contains("sentence of cara"), "{ran:?}");
    let server = crate::support::Server::start(&desk);
    let mut cara = crate::visitor::Visitor::new(&server.origin);
    cara.log_in("cara", "=the 1st sentence of cara").expect(401);
    cara.log_in("cara", "'=the 1st sentence of cara").expect(200);
}

/// Names that a spreadsheet would run, and some that look like one already made harmless.
const FORMULAS: [&str; 6] =
    ["=cmd|' /C calc'!A0", "+49 123", "-2+3", "@SUM(A1)", "'=1+1", "''t Hooft"];

fn with_formulas(desk: &Desk) {
    for (number, name) in FORMULAS.iter().enumerate() {
        // In a login name there is an @ only where it is a mail address.
        let username = format!("{}{number}", name.replace('@', "="));
        let names = [format!("--first-name={name}"), format!("--last-name={name}")];
        let add = ["user", "add", "--no-password", &names[0], &names[1], "--", &username];
        desk.succeed(&add);
    }
}

#[test]
fn atk_a232_an_export_holds_no_cell_that_a_spreadsheet_runs() {
    let desk = Desk::new();
    with_formulas(&desk);
    let exported = desk.succeed(&["user", "export", "-"]).out;
    assert_eq!(exported.lines().count(), FORMULAS.len() + 1, "{exported}");
    let cells = exported.lines().skip(1).flat_map(|line| line.split(','));
    for cell in cells.map(|cell| cell.trim_start_matches('"')) {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}: {exported}");
    }
    assert!(exported.contains("'=cmd|' /C calc'!A00,"), "{exported}");
}

#[test]
fn atk_a232_what_was_made_harmless_comes_back_as_it_was() {
    let (from, to) = (Desk::new(), Desk::new());
    with_formulas(&from);
    from.superuser("root");
    from.succeed(&["user", "add", "gone", "--no-password", "--email", "gone@example.org"]);
    from.succeed(&["user", "edit", "gone", "--expires-at", "2099-01-01T00:00:00Z"]);
    from.succeed(&["user", "disable", "gone"]);
    for group in ["=cmd()", "Ann; Bert", "lab"] {
        from.succeed(&["group", "add", group]);
        to.succeed(&["group", "add", group]);
        from.succeed(&["group", "add-member", group, "gone"]);
    }
    from.succeed(&["group", "add-member", "lab", "root"]);
    let file = from.path("people.csv");
    from.succeed(&["user", "export", file.to_str().unwrap()]);
    to.succeed(&["user", "import", file.to_str().unwrap()]);
    let people = |desk: &Desk| {
        let mut people = desk.succeed(&["user", "list", "--json"]).json();
        for user in people.as_array_mut().unwrap() {
            for own in ["id", "created_at"] {
                user.as_object_mut().unwrap().remove(own);
            }
        }
        people
    };
    assert_eq!(people(&to), people(&from));
    assert_eq!(to.count("users"), 8);
    let members = |desk: &Desk| {
        ["=cmd()", "Ann; Bert", "lab"].map(|group| {
            let group = desk.succeed(&["group", "show", group, "--json"]).json();
            let members = group["members"].as_array().unwrap().clone();
            members.iter().map(|member| member["username"].clone()).collect::<Vec<_>>()
        })
    };
    assert_eq!(members(&to), members(&from));
    assert_eq!(members(&to)[2].len(), 2);
}

#[test]
fn an_export_holds_no_password() {
    let desk = Desk::new();
    desk.superuser("root");
    let hash = desk.connection().texts("select password as answer from users").remove(0);
    let exported = desk.succeed(&["user", "export", "-"]).out;
    assert!(hash.starts_with("$argon2id$") && !exported.contains("argon2"), "{exported}");
    assert!(!exported.contains(PASSWORD) && !exported.contains("password"), "{exported}");
}
