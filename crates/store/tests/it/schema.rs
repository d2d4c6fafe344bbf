//! The migrated schema, which is the same on both engines: tables, columns, what they hold, their keys.

use std::collections::BTreeSet;

use crate::support::World;

/// `table.column TYPE required key 1`, and `table unique column,column`.
const OF_SQLITE: &str = r#"
    SELECT t.name || '.' || c.name || ' ' || c.type || CASE c."notnull" WHEN 1 THEN ' required' ELSE ' optional' END
        || ' key ' || c.pk
    FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table'
    UNION ALL
    SELECT t.name || CASE i.partial WHEN 1 THEN ' partly unique ' ELSE ' unique ' END
        || (SELECT group_concat(c.name, ',' ORDER BY c.seqno) FROM pragma_index_info(i.name) AS c)
    FROM sqlite_schema AS t, pragma_index_list(t.name) AS i
    WHERE t.type = 'table' AND i."unique" AND i.origin <> 'pk'"#;

/// The same, without the lease, which a file needs not. Texts are compared by their bytes, whatever the database's own
/// collation is.
const OF_POSTGRES: &str = r#"
    SELECT t.relname || '.' || c.attname
        || CASE WHEN c.atttypid = 'bigint'::regtype THEN ' INTEGER' WHEN c.atttypid = 'bytea'::regtype THEN ' BLOB'
            WHEN c.atttypid = 'text'::regtype AND c.attcollation = 'pg_catalog."C"'::regcollation THEN ' TEXT'
            ELSE ' ' || format_type(c.atttypid, c.atttypmod) END
        || CASE WHEN c.attnotnull THEN ' required' ELSE ' optional' END
        || ' key ' || coalesce(array_position(k.indkey::int2[], c.attnum) + 1, 0)
    FROM pg_class AS t JOIN pg_attribute AS c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped
        LEFT JOIN pg_index AS k ON k.indrelid = t.oid AND k.indisprimary
    WHERE t.relkind = 'r' AND t.relname <> 'store_leases' AND t.relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT t.relname || CASE WHEN i.indpred IS NULL THEN ' unique ' ELSE ' partly unique ' END
        || (SELECT string_agg(c.attname, ',' ORDER BY array_position(i.indkey::int2[], c.attnum))
            FROM pg_attribute AS c WHERE c.attrelid = t.oid AND c.attnum = ANY (i.indkey))
    FROM pg_class AS t JOIN pg_index AS i ON i.indrelid = t.oid AND i.indisunique AND NOT i.indisprimary
    WHERE t.relnamespace = 'public'::regnamespace"#;

#[tokio::test(flavor = "multi_thread")]
async fn both_engines_have_the_same_columns_and_keys() {
    let (file, server) = (World::fresh().await, World::on_postgres().await);
    let expected: BTreeSet<_> = file.texts(OF_SQLITE).into_iter().collect();
    let found: BTreeSet<_> = server.texts(OF_POSTGRES).into_iter().collect();
    assert!(expected.len() > 200, "{}", expected.len());
    let (missing, more): (Vec<_>, Vec<_>) =
        (expected.difference(&found).collect(), found.difference(&expected).collect());
    assert!(
        missing.is_empty() && more.is_empty(),
        "missing on PostgreSQL: {missing:#?}; there alone: {more:#?}"
    );
}
