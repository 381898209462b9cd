//! What people do at a site, in one line each.

use serde_json::{Value, json};

use vestibule_auth::testkit::{Asked, Service};

use super::Visitor;

/// What a service was asked about people. Whether it answers at all it is asked whenever a site
/// starts.
pub(crate) fn questions(service: &Service) -> Vec<Asked> {
    let is_probe = |asked: &Asked| asked.method == "GET" || asked.path.ends_with("/probe");
    service.asked().into_iter().filter(|asked| !is_probe(asked)).collect()
}

/// The visitor's own account.
pub(crate) fn id_of(visitor: &mut Visitor) -> String {
    visitor.get("/api/v1/session").expect(200).json()["user"]["id"].as_str().unwrap().to_owned()
}

/// Makes a group; answers its id.
pub(crate) fn group(admin: &mut Visitor, name: &str, level: &str) -> String {
    admin.post("/api/v1/groups", &json!({ "name": name, "level": level })).expect(201).id()
}

/// Puts somebody into a group.
pub(crate) fn join(admin: &mut Visitor, group: &str, user: &str, is_manager: bool) {
    let member = json!({ "user": user, "is_manager": is_manager });
    admin.post(&format!("/api/v1/groups/{group}/members"), &member).expect(204);
}

/// Grants somebody a permission as a whole; answers the grant's id.
pub(crate) fn grant(admin: &mut Visitor, user: &str, permission: &str) -> String {
    let grant = json!({ "user": user, "permission": permission });
    admin.post("/api/v1/grants", &grant).expect(201).id()
}

/// What the visitor is told about what they may.
pub(crate) fn check(visitor: &mut Visitor, permission: &str, object: &str) -> Value {
    let question = json!({ "permission": permission, "object": object });
    visitor.post("/api/v1/check", &question).expect(200).json()
}
