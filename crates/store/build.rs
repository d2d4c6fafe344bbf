//! Makes the steps of the schema for `migrations.rs`: the files of `schema` are step 1, each file of `schema/migrations` is a later one.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> Result<(), Box<dyn Error>> {
    let schema = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("schema");
    println!("cargo::rerun-if-changed={}", schema.display());
    let mut sqlite = String::new();
    let mut postgres = fs::read_to_string(schema.join("postgres/functions.sql"))?;
    for file in files(&schema)? {
        let sql = fs::read_to_string(file)?;
        postgres.push_str(&for_postgres(&sql));
        sqlite.push_str(&sql);
    }
    let mut steps = step(1, "schema", &sqlite, &postgres);
    let later = schema.join("migrations");
    for file in if later.exists() { files(&later)? } else { Vec::new() } {
        let stem = file.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.split_once('_'));
        let (number, name) = stem.ok_or_else(|| format!("{} is not NUMBER_NAME.sql", file.display()))?;
        let sqlite = fs::read_to_string(&file)?;
        let own = later.join("postgres").join(file.file_name().unwrap_or_default());
        let postgres = if own.exists() { fs::read_to_string(own)? } else { for_postgres(&sqlite) };
        steps.push_str(&step(number.parse()?, name, &sqlite, &postgres));
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("steps.rs"), format!("&[{steps}]"))?;
    Ok(())
}

/// The SQL files of a folder, by name.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut files: Vec<_> = entries.collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    Ok(files)
}

fn step(version: i64, name: &str, sqlite: &str, postgres: &str) -> String {
    format!("Step {{ version: {version}, name: {name:?}, sqlite: {sqlite:?}, postgres: {postgres:?} }},\n")
}

/// The same statements for PostgreSQL: with its types, and its views.
fn for_postgres(sqlite: &str) -> String {
    let mut sql = String::new();
    let mut rest = sqlite;
    while let Some((before, view)) = rest.split_once("\nCREATE VIEW ") {
        let (view, after) = view.split_once(';').unwrap_or((view, ""));
        sql += &(with_types(before) + "\n" + &guarded(view));
        rest = after;
    }
    sql + &with_types(rest)
}

fn with_types(sqlite: &str) -> String {
    [
        (" STRICT, WITHOUT ROWID;", ";"),
        (" STRICT;", ";"),
        (" INTEGER", " BIGINT"),
        (" BLOB", " BYTEA"),
        (" TEXT", " TEXT COLLATE \"C\""),
    ]
    .iter()
    .fold(sqlite.to_owned(), |sql, (sqlite, postgres)| sql.replace(sqlite, postgres))
}

/// A view, read-only and only where its name is free: in a shared database another program may have a table of that name.
fn guarded(view: &str) -> String {
    let name = view.split_once(' ').map_or(view, |(name, _)| name);
    let mut pieces = view.split("lower(hex(");
    let first = pieces.next().unwrap_or_default().to_owned();
    let view = pieces.fold(first, |sql, piece| sql + "encode(" + &piece.replacen("))", ", 'hex')", 1));
    format!(
        "DO $$
BEGIN
IF to_regclass('{name}') IS NULL THEN
CREATE VIEW {view};
CREATE TRIGGER read_only INSTEAD OF INSERT OR UPDATE OR DELETE ON {name} FOR EACH ROW EXECUTE FUNCTION refuse_writes_to_views();
END IF;
END
$$;"
    )
}
