//! What a migrated database looks like, in words that are the same for all databases.

use std::collections::BTreeMap;

use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};

use super::{Database, TestDatabase};
use crate::dialect;

/// A table as its database describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableShape {
    /// Each column's kind (`bytes`, `text`, `integer`) and whether it may be empty.
    pub columns: BTreeMap<String, (String, bool)>,
    /// Its indexes, the primary key among them.
    pub indexes: Vec<Index>,
    /// What it refers to.
    pub links: Vec<Link>,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Index {
    /// The columns, in order.
    pub columns: Vec<String>,
    /// Whether rows must differ in them.
    pub unique: bool,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The column.
    pub column: String,
    /// Table and column it refers to.
    pub to: String,
    /// What happens when that is removed.
    pub on_delete: String,
}

/// One fact: which table, which column or index or key, and up to three words about it.
#[derive(QueryableByName)]
struct Fact {
    #[diesel(sql_type = Text)]
    t: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    a: String,
    #[diesel(sql_type = Text)]
    b: String,
}

const SQLITE: [&str; 3] = [
    "SELECT m.name AS t, c.name AS name, lower(c.type) AS a, \
     CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN 'no' ELSE 'yes' END AS b \
     FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'",
    "SELECT m.name AS t, i.name AS name, CASE WHEN i.\"unique\" = 1 THEN 'yes' ELSE 'no' END AS a, \
     (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) AS b \
     FROM sqlite_schema m JOIN pragma_index_list(m.name) i WHERE m.type = 'table' \
     UNION ALL SELECT m.name, 'rowid', 'yes', c.name \
     FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.pk = 1 \
       AND NOT EXISTS (SELECT 1 FROM pragma_index_list(m.name) i WHERE i.origin = 'pk')",
    "SELECT m.name AS t, f.\"from\" AS name, f.\"table\" || '.' || f.\"to\" AS a, \
     lower(f.on_delete) AS b \
     FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'",
];

const POSTGRES: [&str; 3] = [
    "SELECT table_name::text AS t, column_name::text AS name, data_type::text AS a, \
     lower(is_nullable::text) AS b FROM information_schema.columns \
     WHERE table_schema = current_schema()",
    "SELECT c.relname::text AS t, i.relname::text AS name, \
     CASE WHEN x.indisunique THEN 'yes' ELSE 'no' END AS a, \
     (SELECT string_agg(att.attname, ',' ORDER BY k.place) \
        FROM unnest(x.indkey) WITH ORDINALITY AS k(attnum, place) \
        JOIN pg_attribute att ON att.attrelid = c.oid AND att.attnum = k.attnum) AS b \
     FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid \
     JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema()",
    "SELECT c.relname::text AS t, a.attname::text AS name, \
     (r.relname || '.' || ra.attname)::text AS a, \
     CASE k.confdeltype WHEN 'c' THEN 'cascade' WHEN 'r' THEN 'restrict' ELSE 'no action' END AS b \
     FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid \
     JOIN pg_class r ON r.oid = k.confrelid \
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1] \
     JOIN pg_attribute ra ON ra.attrelid = r.oid AND ra.attnum = k.confkey[1] \
     WHERE k.contype = 'f'",
];

const MYSQL: [&str; 3] = [
    "SELECT table_name AS t, column_name AS name, data_type AS a, LOWER(is_nullable) AS b \
     FROM information_schema.columns WHERE table_schema = DATABASE()",
    "SELECT table_name AS t, index_name AS name, \
     CASE WHEN MIN(non_unique) = 0 THEN 'yes' ELSE 'no' END AS a, \
     GROUP_CONCAT(column_name ORDER BY seq_in_index SEPARATOR ',') AS b \
     FROM information_schema.statistics WHERE table_schema = DATABASE() \
     GROUP BY table_name, index_name",
    "SELECT k.table_name AS t, k.column_name AS name, \
     CONCAT(k.referenced_table_name, '.', k.referenced_column_name) AS a, LOWER(r.delete_rule) AS b \
     FROM information_schema.key_column_usage k \
     JOIN information_schema.referential_constraints r \
       ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name \
     WHERE k.table_schema = DATABASE() AND k.referenced_table_name IS NOT NULL",
];

fn plain_type(word: &str) -> String {
    let plain = match word {
        "blob" | "mediumblob" | "bytea" | "binary" => "bytes",
        // Keys are bytes to MySQL, so that it compares them as the others do.
        "text" | "varchar" | "varbinary" | "mediumtext" => "text",
        "integer" | "bigint" | "int" | "smallint" | "tinyint" | "boolean" => "integer",
        other => other,
    };
    plain.to_owned()
}

/// All tables of a database but for diesel's own.
pub fn describe(database: &TestDatabase) -> BTreeMap<String, TableShape> {
    let mut conn = database.connection();
    let [columns, indexes, links] = match dialect::kind(conn.inner()) {
        Database::Sqlite => SQLITE,
        Database::Postgres => POSTGRES,
        Database::Mysql => MYSQL,
    };
    let mut facts = |query: &str| -> Vec<Fact> {
        let all: Vec<Fact> = sql_query(query).load(conn.inner()).expect(query);
        let ours = |fact: &Fact| !fact.t.starts_with("__") && !fact.t.starts_with("sqlite_");
        all.into_iter().filter(ours).collect()
    };
    let mut tables: BTreeMap<String, TableShape> = BTreeMap::new();
    for fact in facts(columns) {
        let column = (plain_type(&fact.a), fact.b == "yes");
        let table = tables.entry(fact.t).or_default();
        table.columns.insert(fact.name, column);
    }
    for fact in facts(indexes) {
        let index = Index {
            columns: fact.b.split(',').map(str::to_owned).collect(),
            unique: fact.a == "yes",
        };
        tables.entry(fact.t).or_default().indexes.push(index);
    }
    for fact in facts(links) {
        let link = Link { column: fact.name, to: fact.a, on_delete: fact.b };
        tables.entry(fact.t).or_default().links.push(link);
    }
    for table in tables.values_mut() {
        table.indexes.sort();
        table.links.sort();
    }
    tables
}
