//! Who may set which field: tried out one by one, and held against what the documents say.

use std::{fmt::Write, fs, path::Path};

use serde_json::{Value, json};

use crate::support::{Db, PASSWORD, TestSite, Visitor, grant, group, id_of, join};

/// A value for each field, unlike what a fresh thing has.
fn value_for(site: &TestSite, schema: &str, field: &str, number: usize) -> Value {
    match (schema, field) {
        ("UserPatch", "username") => json!(format!("renamed{number}")),
        ("UserPatch", "email") => json!(format!("renamed{number}@example.org")),
        ("UserPatch", "is_active") => json!(false),
        ("UserPatch", "is_staff" | "is_superuser") => json!(true),
        ("UserPatch", "expires_at") => json!("2030-01-01T00:00:00Z"),
        ("GroupPatch", "name") => json!(format!("group{number}")),
        ("GroupPatch" | "ObjectPatch", "level") => json!("read-only"),
        ("ObjectPatch", "owner") => json!(site.user(&format!("heir{number}"))),
        ("ObjectPatch", "group") => Value::Null,
        _ => json!("something else"),
    }
}

/// Somebody who is logged in, with one permission if any.
fn holder(site: &TestSite, admin: &mut Visitor, name: &str, permission: Option<&str>) -> Visitor {
    let mut visitor = site.logged_in(name);
    if let Some(permission) = permission {
        grant(admin, &id_of(&mut visitor), permission);
    }
    visitor
}

struct Tried {
    site: TestSite,
    admin: Visitor,
    table: String,
    number: usize,
}

impl Tried {
    /// Tries to set a field in each of these roles, each on a thing of its own.
    fn field(
        &mut self,
        (thing, schema, field): (&str, &str, &str),
        roles: &[(&str, Option<&str>)],
        mut prepare: impl FnMut(
            &TestSite,
            &mut Visitor,
            &mut Visitor,
            &str,
            usize,
        ) -> (&'static str, String),
    ) {
        let mut may = Vec::new();
        for (role, permission) in roles {
            self.number += 1;
            let name = format!("actor{}", self.number);
            let mut actor = if *role == "a superuser" {
                self.admin.clone()
            } else {
                holder(&self.site, &mut self.admin, &name, *permission)
            };
            let (method, path) =
                prepare(&self.site, &mut self.admin, &mut actor, role, self.number);
            let value = value_for(&self.site, schema, field, self.number);
            let body = Some(("application/json", json!({ field: value }).to_string()));
            let answer = actor.send(method, &path, body);
            match answer.status {
                200 => may.push(*role),
                403 | 404 | 409 => {}
                status => panic!("{role} sets {field} of {path}: {status} {}", answer.text),
            }
        }
        writeln!(self.table, "| {thing} | `{field}` | {} |", may.join(", ")).unwrap();
    }
}

fn fields_of(admin: &mut Visitor, schema: &str) -> Vec<String> {
    let document = admin.get("/api/openapi.json").expect(200).json();
    let properties = &document["components"]["schemas"][schema]["properties"];
    properties.as_object().unwrap().keys().cloned().collect()
}

fn account(
    site: &TestSite,
    _: &mut Visitor,
    actor: &mut Visitor,
    role: &str,
    number: usize,
) -> (&'static str, String) {
    let user =
        if role == "oneself" { id_of(actor) } else { site.user(&format!("subject{number}")) };
    ("PATCH", format!("/api/v1/users/{user}"))
}

fn group_of(
    _: &TestSite,
    admin: &mut Visitor,
    actor: &mut Visitor,
    role: &str,
    number: usize,
) -> (&'static str, String) {
    let lab = group(admin, &format!("lab{number}"), "private");
    if role == "a manager" {
        join(admin, &lab, &id_of(actor), true);
    }
    ("PATCH", format!("/api/v1/groups/{lab}"))
}

fn object_of(
    site: &TestSite,
    admin: &mut Visitor,
    actor: &mut Visitor,
    role: &str,
    number: usize,
) -> (&'static str, String) {
    let lab = group(admin, &format!("lab{number}"), "private");
    let owner =
        if role == "the owner" { id_of(actor) } else { site.user(&format!("owner{number}")) };
    if role == "a manager of its group" {
        join(admin, &lab, &id_of(actor), true);
    }
    let path = format!("/api/v1/objects/calc/{number}");
    admin.put(&path, &json!({ "owner": owner, "group": lab })).expect(201);
    ("PUT", path)
}

#[test]
fn asvs_v8_1_2_the_documented_field_rights_are_those_of_the_server() {
    let site = TestSite::start(Db::Sqlite);
    let admin = site.admin();
    let mut tried = Tried { site, admin, table: String::new(), number: 0 };
    tried.admin.log_in("admin", PASSWORD).expect(200);
    let roles = [
        ("oneself", None),
        ("`vestibule.change_user`", Some("vestibule.change_user")),
        ("a superuser", None),
    ];
    for field in fields_of(&mut tried.admin.clone(), "UserPatch") {
        tried.field(("account", "UserPatch", &field), &roles, account);
    }
    let roles = [
        ("a manager", None),
        ("`vestibule.change_group`", Some("vestibule.change_group")),
        ("a superuser", None),
    ];
    for field in fields_of(&mut tried.admin.clone(), "GroupPatch") {
        tried.field(("group", "GroupPatch", &field), &roles, group_of);
    }
    let roles = [
        ("the owner", None),
        ("a manager of its group", None),
        ("`vestibule.change_object`", Some("vestibule.change_object")),
        ("a superuser", None),
    ];
    for field in fields_of(&mut tried.admin.clone(), "ObjectPatch") {
        tried.field(("object", "ObjectPatch", &field), &roles, object_of);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/access.md");
    let text = fs::read_to_string(path).unwrap();
    let table = format!("| thing | field | set by |\n|---|---|---|\n{}", tried.table);
    assert!(text.contains(&table), "docs/access.md should hold this table:\n{table}");
}

#[test]
fn std_s06_there_are_no_hints_and_no_security_questions() {
    let site = TestSite::start(Db::Sqlite);
    let mut names: Vec<String> = site
        .database
        .connection()
        .texts("select m.name || '.' || p.name as answer from sqlite_master m, pragma_table_info(m.name) p where m.type = 'table'");
    assert!(names.iter().any(|name| name == "users.password"), "{names:?}");
    let document = site.visitor().get("/api/openapi.json").expect(200).json();
    for described in document["components"]["schemas"].as_object().unwrap().values() {
        let fields = described["properties"].as_object();
        names.extend(fields.into_iter().flatten().map(|(field, _)| field.clone()));
    }
    let page = site.visitor().get("/login").expect(200).text;
    names.extend(page.split("name=\"").skip(1).map(|rest| rest.split('"').next().unwrap().into()));
    assert!(names.iter().any(|name| name == "password"), "the form's own field");
    for name in names {
        let bare = name.to_lowercase();
        for word in ["hint", "question", "maiden", "reminder"] {
            assert!(!bare.contains(word), "{name}");
        }
    }
}
