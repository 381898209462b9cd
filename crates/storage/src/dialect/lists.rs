//! Conditions over lists of any length. A list travels as one JSON text in one parameter: the
//! number of parameters of a statement is bounded (32,766 on `SQLite`), and one shape of statement
//! is prepared once.

use diesel::{
    BoolExpressionMethods, BoxableExpression,
    dsl::sql,
    sql_types::{Bool, Text},
};

use crate::{conn::MultiBackend, schema::objects, url::Kind};

/// A condition on objects.
pub(crate) type Filter = Box<dyn BoxableExpression<objects::table, MultiBackend, SqlType = Bool>>;

fn with_json(before: &str, json: String, after: &str) -> Filter {
    Box::new(sql::<Bool>(before).bind::<Text, _>(json).sql(after))
}

/// Whether the text column (of the `objects` table) is one of these.
pub(crate) fn texts_in(kind: Kind, column: &'static str, values: &[&str]) -> Filter {
    let json = serde_json::Value::from(values).to_string();
    match kind {
        Kind::Sqlite => {
            with_json(&format!("objects.{column} IN (SELECT value FROM json_each("), json, "))")
        }
        Kind::Postgres => with_json(
            &format!("objects.{column} IN (SELECT jsonb_array_elements_text("),
            json,
            "::jsonb))",
        ),
        Kind::Mysql => with_json(
            &format!("objects.{column} IN (SELECT CAST(listed.v AS BINARY) FROM JSON_TABLE("),
            json,
            ", '$[*]' COLUMNS (v VARCHAR(300) CHARACTER SET utf8mb4 PATH '$')) AS listed)",
        ),
    }
}

/// Whether the id column (of the `objects` table) is one of these.
pub(crate) fn ids_in(kind: Kind, column: &'static str, ids: &[[u8; 16]]) -> Filter {
    let hex: Vec<String> =
        ids.iter().map(|id| format!("{:032x}", u128::from_be_bytes(*id))).collect();
    let json = serde_json::Value::from(hex).to_string();
    match kind {
        Kind::Sqlite => with_json(
            &format!("objects.{column} IN (SELECT unhex(value) FROM json_each("),
            json,
            "))",
        ),
        Kind::Postgres => with_json(
            &format!("objects.{column} IN (SELECT decode(jsonb_array_elements_text("),
            json,
            "::jsonb), 'hex'))",
        ),
        Kind::Mysql => with_json(
            &format!("objects.{column} IN (SELECT UNHEX(listed.v) FROM JSON_TABLE("),
            json,
            ", '$[*]' COLUMNS (v CHAR(32) CHARACTER SET utf8mb4 PATH '$')) AS listed)",
        ),
    }
}

/// Above this many ranges the database walks a list of them instead of its index.
const RANGES_BY_INDEX: usize = 200;

/// Whether an object's id lies in one of these ranges (the lower bound in, the upper out).
pub(crate) fn ranges_in(kind: Kind, ranges: &[(String, String)]) -> Filter {
    if ranges.len() <= RANGES_BY_INDEX {
        let each = ranges.iter().map(|(low, high)| -> Filter {
            use diesel::ExpressionMethods;
            Box::new(objects::id.ge(low.clone()).and(objects::id.lt(high.clone())))
        });
        return any_of(each.collect()).unwrap_or_else(never);
    }
    let pairs: Vec<serde_json::Value> =
        ranges.iter().map(|(low, high)| serde_json::json!({"low": low, "high": high})).collect();
    let json = serde_json::Value::from(pairs).to_string();
    match kind {
        Kind::Sqlite => with_json(
            "EXISTS (SELECT 1 FROM json_each(",
            json,
            ") AS span WHERE objects.id >= json_extract(span.value, '$.low') \
             AND objects.id < json_extract(span.value, '$.high'))",
        ),
        Kind::Postgres => with_json(
            "EXISTS (SELECT 1 FROM jsonb_to_recordset(",
            json,
            "::jsonb) AS span(low text, high text) WHERE objects.id >= span.low COLLATE \"C\" \
             AND objects.id < span.high COLLATE \"C\")",
        ),
        Kind::Mysql => with_json(
            "EXISTS (SELECT 1 FROM JSON_TABLE(",
            json,
            ", '$[*]' COLUMNS (low VARCHAR(300) CHARACTER SET utf8mb4 PATH '$.low', \
             high VARCHAR(300) CHARACTER SET utf8mb4 PATH '$.high')) AS span \
             WHERE objects.id >= CAST(span.low AS BINARY) \
             AND objects.id < CAST(span.high AS BINARY))",
        ),
    }
}

fn never() -> Filter {
    Box::new(sql::<Bool>("1 = 0"))
}

/// Any of these; `None` of none. Joined as a balanced tree: databases bound the depth of one.
pub(crate) fn any_of(filters: Vec<Filter>) -> Option<Filter> {
    join(filters, |left, right| Box::new(left.or(right)))
}

/// All of these; `None` of none.
pub(crate) fn all_of(filters: Vec<Filter>) -> Option<Filter> {
    join(filters, |left, right| Box::new(left.and(right)))
}

fn join(mut filters: Vec<Filter>, with: fn(Filter, Filter) -> Filter) -> Option<Filter> {
    while filters.len() > 1 {
        let mut joined = Vec::with_capacity(filters.len().div_ceil(2));
        let mut rest = filters.into_iter();
        while let Some(left) = rest.next() {
            joined.push(match rest.next() {
                Some(right) => with(left, right),
                None => left,
            });
        }
        filters = joined;
    }
    filters.pop()
}
