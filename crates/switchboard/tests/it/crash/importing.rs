//! Killed in the middle of an import: the next one goes on from there, the end is the same, and no key is left lying about.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testkit::{Program, Start, World};

use crate::binary;
use crate::importing::stage::{self, OLD_LINK, OLD_TITLE, fine, path};
use crate::shell::cli::Cli;

/// Whether an import reaches a point.
pub(super) fn reaches(write: &str) -> bool {
    write == session_files::COPIED
        || write.strip_prefix("store.").is_some_and(|write| WRITES.contains(&write))
}

/// The writes that only an import makes.
const WRITES: [&str; 4] = ["import_peers", "import_chats", "import_requests", "import_failovers"];

/// A world with what is to be imported, and all places where the program could leave something.
struct Scene {
    world: World,
    /// The session file and the old registry.
    files: [String; 2],
    key: [u8; 256],
    temporary: PathBuf,
}

impl Scene {
    async fn new() -> Self {
        let world = stage::world().await;
        let group = world.chat_titled("Demo supergroup").await;
        let (session, file) = path(&world, "moving.session");
        stage::file(&world, &session, &[&group]).await;
        let (registry, old) = path(&world, "registry.db");
        stage::registry(&registry, "-1009999999999", "-1008888888888");
        let (temporary, _) = path(&world, "temporary");
        fs::create_dir(&temporary).expect("made");
        let key = stage::key(&world).await;
        Self { world, files: [file, old], key, temporary }
    }

    fn arguments(&self) -> Vec<&str> {
        stage::import(&[&self.files[0], &self.files[1]])
    }

    async fn program(&self) -> Program {
        let temporary = self.temporary.to_str().expect("UTF-8").to_owned();
        let start = Start {
            environment: vec![("TMPDIR".to_owned(), temporary)],
            ..Start::on(&self.world, binary(), "data")
        };
        start.ready().await
    }

    fn command(&self) -> Cli {
        stage::command(&self.world, &self.arguments()).env("TMPDIR", self.temporary.to_str().expect("UTF-8"))
    }

    /// The files in which the key is as it is, wherever the program may write.
    fn keys(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for place in [self.world.data_dir("data"), self.temporary.clone()] {
            files_below(&place, &mut files);
        }
        files.retain(|file| {
            let bytes = fs::read(file).unwrap_or_default();
            memchr::memmem::find(&bytes, &self.key).is_some()
        });
        files
    }

    /// After a kill at this point: a copy is there where one was made, so that the look at the end can find one.
    fn is_cut_off(&self, point: &str) {
        assert_eq!(self.keys().is_empty(), point != session_files::COPIED, "{point}: {:?}", self.keys());
    }

    /// After the next imports: all of it is here, once, and the key is in no file.
    async fn is_whole(&self, program: &Program, again: &Value, point: &str) {
        assert_eq!(again["sessions"][0]["what"], "known", "{point}: {again:#}");
        whole(&self.world, program, point).await;
        assert_eq!(self.keys(), Vec::<PathBuf>::new(), "{point}");
    }
}

fn files_below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        match entry.file_type().expect("a kind") {
            kind if kind.is_dir() => files_below(&entry.path(), files),
            kind if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
}

/// Kills the server at a point, imports again, and looks at the end.
pub(super) async fn kill_at(point: &str) {
    let scene = Scene::new().await;
    let mut program = scene.program().await;
    program.arm(point, 0).await;
    let killed = async {
        program.until(&format!("{point} stops the program"), || program.stopped_at(point)).await;
    };
    let mut cut_off = Box::pin(stage::command(&scene.world, &scene.arguments()).beside());
    tokio::select! {
        () = killed => {}
        ended = &mut cut_off => panic!("{point}: the import ended: {ended:?}"),
    }
    program.kill();
    assert_ne!(cut_off.await.code, Some(0), "{point}");
    scene.is_cut_off(point);
    let program = scene.program().await;
    assert_eq!(scene.keys(), Vec::<PathBuf>::new(), "{point}: the start wipes what was left");
    fine(&scene.world, &scene.arguments()).await;
    let again = fine(&scene.world, &scene.arguments()).await;
    scene.is_whole(&program, &again, point).await;
}

/// Kills the command at a point while no server runs, imports again, and looks at the end.
async fn kill_the_command_at(point: &str) {
    let scene = Scene::new().await;
    let mut cut_off = scene.command().env("FAILPOINT", point).spawn();
    let mut errors = BufReader::new(cut_off.stderr.take().expect("a pipe")).lines();
    let stopped = format!("stopped at {point}");
    assert!(errors.any(|line| line.expect("reads") == stopped), "{point}: the import ended");
    cut_off.kill().expect("killed");
    cut_off.wait().expect("ends");
    scene.is_cut_off(point);
    scene.command().fine();
    assert_eq!(scene.keys(), Vec::<PathBuf>::new(), "{point}: the next import wipes what was left");
    let again = fine(&scene.world, &scene.arguments()).await;
    let program = scene.program().await;
    scene.is_whole(&program, &again, point).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_servers_session_copy_is_wiped_at_start() {
    kill_at(session_files::COPIED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_import_command_is_resumed_and_leaves_no_key() {
    let writes = ["add_account", "change_sessions", "import_peers", "import_requests"];
    let writes = writes
        .into_iter()
        .flat_map(|write| ["before", "after"].map(|moment| format!("store.{write}.{moment}")));
    for point in std::iter::once(session_files::COPIED.to_owned()).chain(writes) {
        kill_the_command_at(&point).await;
    }
}

async fn whole(world: &World, program: &Program, point: &str) {
    let moved = world.account(stage::MOVING).await;
    let (_, accounts) = program.get("/v1/accounts").await;
    let of_it = |account: &&Value| account["user_id"] == moved["user_id"];
    let found: Vec<_> = accounts["items"].as_array().expect("items").iter().filter(of_it).collect();
    let [account] = found.as_slice() else { panic!("{point}: {accounts:#}") };
    let name = account["name"].as_str().expect("a name");
    program.account_is(name, "ready").await;
    let (_, failed) = program.get("/v1/failed-requests").await;
    assert_eq!(failed["items"].as_array().map(Vec::len), Some(1), "{point}: {failed}");
    let (_, failovers) = program.get("/v1/failovers").await;
    assert_eq!(failovers["items"].as_array().map(Vec::len), Some(1), "{point}: {failovers}");
    let (_, bound) = program.get("/v1/chats/-1009999999999").await;
    assert_eq!(bound["account"], "backup_2", "{point}: {bound}");
    assert_eq!(
        (&bound["title"], &bound["invite_link"]),
        (&json!(OLD_TITLE), &json!(OLD_LINK)),
        "{point}: {bound}"
    );
    let (_, left) = program.get("/v1/chats/-1008888888888").await;
    assert_eq!(left["state"], "left", "{point}: {left}");
    assert!(world.sent().await.is_empty(), "{point}");
}
