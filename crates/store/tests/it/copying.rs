//! A store copied into another one: both engines, both ways, broken off, refused.

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use domain::MessageId;
use store::{Copied, CopyError, CopyOptions, MasterKey, OpenError, Store, StoreOptions, copy};
use testkit::postgres::Database;

use crate::support::World;

/// How many rows are in the largest table: more than in one page.
const MANY: usize = 4500;
const TEXT: &str = "char(0) || 'текст 🙂' || n";

/// Each table with its columns, to fill one without knowing it.
const COLUMNS: &str = "
    SELECT t.name || ' ' || group_concat('\"' || c.name || '\" ' || c.type, ' ') FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
    WHERE t.type = 'table' AND t.name NOT IN ('schema_migrations', 'store_facts')
    GROUP BY t.name ORDER BY (SELECT count(*) FROM pragma_foreign_key_list(t.name))";

/// A place for a store, of either engine.
enum StoreLocation {
    File(tempfile::TempDir),
    Server(Database),
}

impl StoreLocation {
    fn file() -> Self {
        Self::File(tempfile::tempdir().unwrap())
    }

    fn server() -> Self {
        Self::Server(Database::empty())
    }

    fn address(&self) -> String {
        match self {
            Self::File(folder) => address_in(folder.path()),
            Self::Server(database) => database.url(),
        }
    }
}

fn address_in(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("data/switchboard.db").display())
}

fn file_of(world: &World) -> String {
    address_in(world.dir.path())
}

/// A store at rest with a message, and rows in each table that no repository made: texts with U+0000 among them.
async fn filled() -> (World, MessageId) {
    let world = World::fresh().await;
    let id = world.queued(2).await;
    world.store.clone().close().await;
    for line in world.texts(COLUMNS) {
        let mut words = line.split(' ');
        let table = words.next().unwrap();
        let (mut names, mut values) = (Vec::new(), Vec::new());
        while let (Some(name), Some(kind)) = (words.next(), words.next()) {
            names.push(name);
            values.push(match kind {
                "INTEGER" => "n",
                "TEXT" => TEXT,
                _ => "randomblob(16)",
            });
        }
        let rows = if table == "audit_log" { MANY } else { 3 };
        world.run(&format!(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows})
             INSERT OR IGNORE INTO {table} ({}) SELECT {} FROM numbers",
            names.join(", "),
            values.join(", ")
        ));
    }
    (world, id)
}

async fn copied(from: &str, to: &str) -> Result<Copied, CopyError> {
    copied_for(from, to, usize::MAX).await
}

/// Copies for so many pages.
async fn copied_for(from: &str, to: &str, pages: usize) -> Result<Copied, CopyError> {
    let options = CopyOptions {
        from: from.to_owned(),
        to: to.to_owned(),
        dir: PathBuf::from("/nowhere"),
        now: ambient::Clock::system().now(),
    };
    let mut reports = 0;
    copy(options, move |progress| {
        assert!(progress.rows <= progress.of, "{progress:?}");
        reports += 1;
        if reports < pages { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })
    .await
}

/// Opens a copy with the master key of what was copied.
async fn opened(world: &World, address: &str) -> Result<Store, OpenError> {
    let key = std::fs::read_to_string(world.dir.path().join("data/master.key")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data_dir = match address.strip_prefix("sqlite:") {
        Some(file) => Path::new(file).parent().unwrap().to_owned(),
        None => folder.path().join("data"),
    };
    let master_key = MasterKey::Given(key.trim().to_owned().into());
    Store::open(StoreOptions { data_dir, url: address.to_owned(), master_key, ..world.options() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_of_both_engines_hold_the_same() {
    let (world, id) = filled().await;
    let (server, file, server_2, file_2) =
        (StoreLocation::server(), StoreLocation::file(), StoreLocation::server(), StoreLocation::file());
    let ways = [
        (file_of(&world), server.address()),
        (server.address(), file.address()),
        (server.address(), format!("{}?options=-csearch_path%3Dshop", server_2.address())),
        (file.address(), file_2.address()),
    ];
    let mut reports = Vec::new();
    for (from, to) in &ways {
        let report = copied(from, to).await.unwrap();
        assert!(!report.is_resumed);
        reports.push(report.tables);
    }
    assert!(reports.iter().all(|report| *report == reports[0]));
    let rows = |name: &str| reports[0].iter().find(|table| table.name == name).unwrap().rows;
    assert_eq!((rows("audit_log"), rows("outbox"), rows("store_facts")), (MANY as u64, 4, 3));
    assert!(reports[0].iter().all(|table| table.rows > 0), "{:?}", reports[0]);
    let StoreLocation::Server(database) = &server else { unreachable!() };
    let names = database.query("SELECT name FROM users ORDER BY name");
    assert_eq!(names[0][0].as_deref(), Some("\u{fffd}текст 🙂1"));
    for (_, address) in &ways {
        let store = opened(&world, address).await.unwrap();
        assert_eq!(store.outbox().get(id).await.unwrap().unwrap().parts.len(), 2);
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_was_broken_off_goes_on_where_it_stopped() {
    let (world, id) = filled().await;
    let (server, file) = (StoreLocation::server(), StoreLocation::file());
    for (from, to) in [(file_of(&world), server.address()), (server.address(), file.address())] {
        // In a large table, between tables, and while both sides are compared.
        for pages in [2, 3, 30] {
            let broken_off = copied_for(&from, &to, pages).await;
            assert!(matches!(broken_off, Err(CopyError::BrokenOff)), "{broken_off:?}");
            let refused = opened(&world, &to).await.err().unwrap();
            assert!(matches!(refused, OpenError::HalfCopied), "{refused}");
        }
        let another = World::fresh().await;
        another.store.clone().close().await;
        let refused = copied(&file_of(&another), &to).await.unwrap_err();
        assert!(refused.to_string().contains("a copy of another store"), "{refused}");
        let half = StoreLocation::file();
        let refused = copied(&to, &half.address()).await.unwrap_err();
        assert!(matches!(refused, CopyError::Unfinished), "{refused}");

        let report = copied(&from, &to).await.unwrap();
        assert!(report.is_resumed);
        assert_eq!(report.tables, copied(&from, &half.address()).await.unwrap().tables);
        let store = opened(&world, &to).await.unwrap();
        assert!(store.outbox().get(id).await.unwrap().is_some());
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_changed_since_is_not_called_copied() {
    let (world, _) = filled().await;
    let server = StoreLocation::server();
    copied_for(&file_of(&world), &server.address(), 20).await.unwrap_err();
    world.run("UPDATE audit_log SET times = 7 WHERE seq = 1");
    let refused = copied(&file_of(&world), &server.address()).await.unwrap_err();
    assert!(matches!(&refused, CopyError::Differs { table, .. } if table == "audit_log"), "{refused}");
    assert!(matches!(opened(&world, &server.address()).await, Err(OpenError::HalfCopied)));
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_side_is_copied_while_a_process_works_on_it() {
    let (file, server) = (World::fresh().await, World::on_postgres().await);
    let pid = format!("process {}", std::process::id());
    let (free, _) = filled().await;
    let url = server.postgres.as_ref().unwrap().url();
    for taken in [file_of(&file), url.clone()] {
        let from = copied(&taken, &StoreLocation::file().address()).await.unwrap_err();
        assert!(matches!(from, CopyError::From(_)) && from.to_string().contains(&pid), "{from}");
        let to = copied(&file_of(&free), &taken).await.unwrap_err();
        assert!(matches!(to, CopyError::To(_)) && to.to_string().contains(&pid), "{to}");
    }
    // A file whose lock is in the data directory, which is elsewhere.
    let elsewhere = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", elsewhere.path().join("other.db").display());
    let data_dir = elsewhere.path().join("data");
    let store = Store::open(StoreOptions { data_dir, url: url.clone(), ..file.options() }).await.unwrap();
    let from = copied(&url, &StoreLocation::file().address()).await.unwrap_err();
    assert!(matches!(from, CopyError::From(OpenError::InUse { .. })), "{from}");
    store.close().await;
    copied(&url, &StoreLocation::file().address()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_onto_other_data_or_another_version_is_refused() {
    let (world, _) = filled().await;
    let from = file_of(&world);
    let error_of = async |from: &str, to: &str| copied(from, to).await.unwrap_err().to_string();
    for other in [World::fresh().await, World::on_postgres().await] {
        other.store.clone().close().await;
        let to = other.postgres.as_ref().map_or_else(|| file_of(&other), Database::url);
        assert!(error_of(&from, &to).await.contains("holds another store"));
        other.run("INSERT INTO schema_migrations VALUES (999, 'later', 0)");
        let newer = error_of(&to, &StoreLocation::server().address()).await;
        assert!(newer.contains("schema version 999"), "{newer}");
        assert!(error_of(&from, &to).await.contains("holds another store"));
        other.run("DELETE FROM schema_migrations");
        let older = error_of(&to, &StoreLocation::server().address()).await;
        assert!(older.contains("schema version 0, this program makes"), "{older}");
    }
    let foreign = tempfile::tempdir().unwrap();
    let file = foreign.path().join("theirs.db");
    fs::set_permissions(foreign.path(), fs::Permissions::from_mode(0o700)).unwrap();
    rusqlite::Connection::open(&file).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let theirs = format!("sqlite:{}", file.display());
    assert!(error_of(&from, &theirs).await.contains("tables of another program"));
    assert!(error_of(&theirs, &StoreLocation::server().address()).await.contains("there is no store"));
    for nothing in [StoreLocation::file(), StoreLocation::server()] {
        assert!(
            error_of(&nothing.address(), &StoreLocation::server().address())
                .await
                .contains("there is no store")
        );
    }
    assert!(error_of(&from, &from).await.contains("the same store"));
}
