//! The PostgreSQL that tests and benchmarks make their databases on: a server for one run, on loopback, removed with all that it holds.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs, io};

use anyhow::{Context, Result, bail};

use crate::program;
use crate::system_packages::Wanted;

/// Where the tests find the server.
const POSTGRES_AT: &str = "SWITCHBOARD_TEST_POSTGRES";

const SERVER: Wanted =
    Wanted { name: "PostgreSQL's server", packages: &["postgresql"], is_there: || programs().is_some() };

/// How many ports are tried: another program may take a free one first.
const PORTS: usize = 5;

/// Tests kill our program, never the server or the machine: nothing of theirs has to outlast a power cut.
const FOR_TESTS: &str = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300 -c shared_buffers=64MB";

/// What an installation has: commits wait for the disk.
const DURABLE: &str = "-c max_connections=50 -c shared_buffers=256MB -c max_wal_size=4GB";

/// A server that runs until this is dropped, or this process ends.
pub(crate) struct Server {
    supervisor: Child,
    port: String,
}

/// Starts a server and gives a command's tests its address; one that is set already is used. What is missing is installed if
/// it may be. The server keeps its files in the folder: thousands of databases are made and dropped, and a disk's file system
/// looks long for names and blocks of files that were removed a moment ago.
pub(crate) fn give(command: &mut Command, install: bool, folder: &Path) -> Result<Option<Server>> {
    if env::var_os(POSTGRES_AT).is_some() {
        return Ok(None);
    }
    if install && programs().is_none() {
        SERVER.ensure()?;
        // The package starts a server of its own.
        program::run(Command::new("service").args(["postgresql", "stop"]))?;
    }
    if programs().is_none() {
        return Ok(None);
    }
    let server = Server::start(FOR_TESTS, Some(folder))?;
    command.env(POSTGRES_AT, server.address());
    Ok(Some(server))
}

/// A server whose commits are on the disk, if its programs are installed.
pub(crate) fn durable() -> Result<Option<Server>> {
    programs().map(|_| Server::start(DURABLE, None)).transpose()
}

impl Server {
    fn start(settings: &str, folder: Option<&Path>) -> Result<Self> {
        let programs = programs().context("PostgreSQL's server is not installed")?;
        let inherited = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths([programs].into_iter().chain(env::split_paths(&inherited)))?;
        let mut command = Command::new("sh");
        command.args(["-c", include_str!("postgres.sh"), "postgres.sh", settings]).args(free_ports()?);
        // Ctrl+C reaches the tests and not the server: it ends after them, with its standard input.
        command.env("PATH", path).current_dir("/").process_group(0);
        command.envs(folder.map(|folder| ("TMPDIR", folder)));
        give_to_owner(&mut command)?;
        let mut supervisor = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the supervisor of PostgreSQL")?;
        let mut port = String::new();
        if let Some(output) = supervisor.stdout.take() {
            BufReader::new(output).read_line(&mut port)?;
        }
        let server = Self { supervisor, port: port.trim_end().to_owned() };
        if server.port.is_empty() {
            bail!("PostgreSQL did not start; its words are above");
        }
        Ok(server)
    }

    pub(crate) fn address(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Closes its standard input first.
        if let Err(error) = self.supervisor.wait() {
            eprintln!("error: cannot wait for the end of PostgreSQL: {error}");
        }
    }
}

/// The newest of Debian's folders with the server's programs, or else one in PATH.
fn programs() -> Option<PathBuf> {
    let is_whole = |folder: &PathBuf| {
        ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).exists())
    };
    let version = |folder: &fs::DirEntry| folder.file_name().to_str().and_then(|name| name.parse().ok());
    let mut packaged: Vec<(Option<u32>, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|folder| (version(&folder), folder.path().join("bin")))
        .collect();
    packaged.sort_unstable();
    let inherited = env::var_os("PATH").unwrap_or_default();
    let packaged = packaged.into_iter().rev().map(|(_, folder)| folder);
    packaged.chain(env::split_paths(&inherited)).find(is_whole)
}

fn free_ports() -> io::Result<Vec<String>> {
    let listeners: Vec<_> =
        (0..PORTS).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<io::Result<_>>()?;
    listeners.iter().map(|listener| Ok(listener.local_addr()?.port().to_string())).collect()
}

/// The server refuses to run as root: then it runs as its package's user, or as the user `nobody`.
fn give_to_owner(command: &mut Command) -> Result<()> {
    let id = |arguments: &[&str]| -> Result<u32> {
        let answer = program::output(Command::new("id").args(arguments))?;
        Ok(String::from_utf8_lossy(&answer).trim().parse()?)
    };
    if id(&["-u"])? == 0 {
        let owner = if id(&["-u", "postgres"]).is_ok() { "postgres" } else { "nobody" };
        command.uid(id(&["-u", owner])?).gid(id(&["-g", owner])?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn a_server_listens_until_it_is_dropped() {
        let server = Server::start(FOR_TESTS, None).unwrap();
        let address = format!("127.0.0.1:{}", server.port);
        TcpStream::connect(&address).unwrap();
        drop(server);
        assert!(TcpStream::connect(&address).is_err());
    }
}
