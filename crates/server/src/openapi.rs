//! The OpenAPI 3.1 document, made from the route table and the wire types.

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, schema::Schema};

use crate::{
    dto::identity::DepartureOut,
    extract::RequestCx,
    problem::ProblemBody,
    routes::{
        Endpoint, Guard, Output,
        api::ENDPOINTS,
        table::{SchemaOf, of},
    },
};

/// What operations answer besides when they succeed: method, path, status, what it says, its body.
const ALSO: &[(&str, &str, u16, &str, Option<SchemaOf>)] = &[
    (
        "POST",
        "/api/v1/logout",
        200,
        "Logged out here; where to log out at the provider as well",
        Some(of::<DepartureOut>()),
    ),
    (
        "POST",
        "/api/v1/identities",
        202,
        "Where the browser has to go for the proof",
        Some(of::<DepartureOut>()),
    ),
    ("POST", "/api/v1/activate", 202, "An administrator is asked first", None),
    ("POST", "/api/v1/password/change", 204, "Done, for a program that has no session", None),
];

fn also(endpoint: &Endpoint) -> impl Iterator<Item = (u16, &'static str, Option<SchemaOf>)> {
    let own = (endpoint.method, endpoint.path);
    ALSO.iter()
        .filter(move |(method, path, ..)| (*method, *path) == own)
        .map(|(.., status, says, schema)| (*status, *says, *schema))
}

pub(crate) async fn serve(cx: RequestCx) -> HttpResponse {
    HttpResponse::Ok().json(document(&cx.site.url("")))
}

/// The document for a site whose API is found below this address.
pub fn document(server: &str) -> Value {
    let mut schemas: Vec<(String, RefOr<Schema>)> = Vec::new();
    (of::<ProblemBody>().collect)(&mut schemas);
    let mut paths = Map::new();
    for endpoint in ENDPOINTS {
        let bodies = [endpoint.input, endpoint.output.1.map(inner)].into_iter().flatten();
        for schema in bodies.chain(also(endpoint).filter_map(|(.., schema)| schema)) {
            (schema.collect)(&mut schemas);
        }
        let path = endpoint.path.replace(":.+", "");
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[endpoint.method.to_ascii_lowercase()] = operation(endpoint);
    }
    let schemas: Map<String, Value> =
        schemas.into_iter().map(|(name, schema)| (name, json!(schema))).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Vestibule",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Who gets in, and what they may do there.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": server }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "__Host-vestibule",
                    "description": "Opened by POST /api/v1/login. Unsafe requests also carry \
                                    X-CSRF-Token. Named `vestibule` where base_url is http.",
                },
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "For programs, where server.http_basic is switched on.",
                },
            },
        },
    })
}

fn inner(output: Output) -> SchemaOf {
    match output {
        Output::One(schema) | Output::Page(schema) | Output::List(schema) => schema,
    }
}

fn operation(endpoint: &Endpoint) -> Value {
    let mut operation = json!({
        "summary": endpoint.summary,
        "operationId": operation_id(endpoint),
        "parameters": parameters(endpoint),
        "responses": responses(endpoint),
        "security": match endpoint.guard {
            Guard::Open => json!([]),
            _ => json!([{ "session": [] }, { "basic": [] }]),
        },
    });
    if let Some(right) = right(endpoint.guard) {
        operation["description"] = json!(right);
    }
    if let Some(input) = endpoint.input {
        let schema = reference(input);
        operation["requestBody"] = json!({
            "required": true,
            "content": {
                "application/json": { "schema": schema },
                "application/x-www-form-urlencoded": { "schema": schema },
            },
        });
    }
    operation
}

fn right(guard: Guard) -> Option<String> {
    match guard {
        Guard::Open | Guard::LoggedIn => None,
        Guard::Permission(code) => Some(format!("Needs the permission `{code}`.")),
        Guard::Related(code) => Some(format!(
            "What is one's own is open to everybody; the permission `{code}` opens the rest."
        )),
    }
}

fn operation_id(endpoint: &Endpoint) -> String {
    let words = endpoint.path.trim_start_matches("/api/v1/").replace(":.+", "");
    let words = words.replace(['{', '}'], "").replace('/', "_");
    format!("{}_{words}", endpoint.method.to_ascii_lowercase())
}

fn parameters(endpoint: &Endpoint) -> Vec<Value> {
    let in_path = endpoint.path.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?.trim_end_matches(":.+");
        Some(json!({
            "name": name, "in": "path", "required": true, "schema": { "type": "string" },
        }))
    });
    let in_query = endpoint.query.iter().map(|(name, description)| {
        let kind = match *name {
            "page" | "page_size" => json!({ "type": "integer", "minimum": 1 }),
            "is_active" | "is_superuser" => json!({ "type": "boolean" }),
            _ => json!({ "type": "string" }),
        };
        json!({ "name": name, "in": "query", "description": description, "schema": kind })
    });
    let csrf = json!({
        "name": "X-CSRF-Token", "in": "header",
        "description": "The session's csrf_token; needed with a session cookie.",
        "schema": { "type": "string" },
    });
    let is_unsafe = endpoint.method != "GET" && endpoint.guard != Guard::Open;
    in_path.chain(in_query).chain(is_unsafe.then_some(csrf)).collect()
}

fn responses(endpoint: &Endpoint) -> Value {
    let problem = |description: &str| {
        json!({
            "description": description,
            "content": {
                "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } },
            },
        })
    };
    let (status, output) = endpoint.output;
    let success = match (status, output) {
        (204, _) => json!({ "description": "Done" }),
        (_, None) => {
            json!({ "description": "Done", "content": { "application/json": { "schema": {} } } })
        }
        (_, Some(output)) => json!({
            "description": "Done",
            "content": { "application/json": { "schema": body(output) } },
        }),
    };
    let mut responses = json!({
        status.to_string(): success,
        "400": problem("The request cannot be read"),
        "429": problem("Too many requests from this address"),
        "503": problem("Not possible at the moment"),
    });
    if status == 201 {
        // What was there already is answered with 200.
        responses["200"] = responses["201"].clone();
    } else if endpoint.method == "PUT" && status == 200 {
        responses["201"] = responses["200"].clone();
    }
    for (status, says, schema) in also(endpoint) {
        responses[status.to_string()] = match schema {
            Some(schema) => json!({
                "description": says,
                "content": { "application/json": { "schema": reference(schema) } },
            }),
            None => json!({ "description": says }),
        };
    }
    if endpoint.guard != Guard::Open || endpoint.path.ends_with("/login") {
        responses["401"] = problem("Nobody is logged in, or the login failed");
    }
    responses["403"] = problem("Not permitted, or not proven to come from a page of ours");
    if endpoint.path.contains('{')
        || endpoint.path.ends_with("/check")
        || !endpoint.query.is_empty()
    {
        responses["404"] = problem("No such thing, or none that the caller may know of");
    }
    if endpoint.method != "GET" {
        responses["409"] = problem("Does not fit with what is there");
        responses["422"] = problem("Some fields do not hold");
    }
    if endpoint.input.is_some() {
        responses["413"] = problem("The body is too large");
        responses["415"] = problem("Neither JSON nor a form");
    }
    if endpoint.path.contains("{type}")
        || endpoint.path.contains("{code}")
        || !endpoint.query.is_empty()
    {
        responses["422"] = problem("Some fields do not hold");
    }
    responses
}

fn body(output: Output) -> Value {
    let link = json!({ "type": ["string", "null"], "format": "uri" });
    match output {
        Output::One(schema) => reference(schema),
        Output::Page(schema) => json!({
            "type": "object",
            "required": ["count", "next", "previous", "results"],
            "properties": {
                "count": { "type": "integer" },
                "next": link,
                "previous": link,
                "results": { "type": "array", "items": reference(schema) },
            },
        }),
        Output::List(schema) => json!({
            "type": "object",
            "required": ["count", "results"],
            "properties": {
                "count": { "type": "integer" },
                "results": { "type": "array", "items": reference(schema) },
            },
        }),
    }
}

fn reference(schema: SchemaOf) -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", (schema.name)()) })
}
