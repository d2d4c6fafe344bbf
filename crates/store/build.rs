//! Lists the migrations for `migrations.rs`: each file of `migrations/sqlite` is one and is called `NUMBER_NAME.sql`.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("migrations");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<_> = fs::read_dir(folder.join("sqlite"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    let mut list = String::new();
    for file in files {
        let stem = file.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.split_once('_'));
        let (number, name) = stem.ok_or_else(|| format!("{} is not NUMBER_NAME.sql", file.display()))?;
        let number: i64 = number.parse()?;
        let sqlite = fs::read_to_string(&file)?;
        let own = folder.join("postgres").join(file.file_name().unwrap_or_default());
        let postgres = if own.exists() { fs::read_to_string(own)? } else { postgres(&sqlite) };
        writeln!(list, "({number}, {name:?}, {sqlite:?}, {postgres:?}),")?;
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("migrations.rs"), format!("&[{list}]"))?;
    Ok(())
}

/// The same for PostgreSQL, where the types are all that differs; else it has a file of its own in `migrations/postgres`.
fn postgres(sqlite: &str) -> String {
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
