//! The released files, installed as a person does: `install.sh` from a server on loopback, and the package for Debian.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use axum::Router;
use axum::http::{StatusCode, Uri};
use config::Settings;

use crate::readme::commands;
use crate::shell::Shell;
use crate::{binary, pages};

/// The address that stands for the server of the released files in the documents.
const ADDRESS: &str = "https://switchboard.example.com/releases";

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What `install.sh` runs beside the shell.
const TOOLS: [&str; 13] =
    ["sh", "wget", "tar", "gzip", "sha256sum", "uname", "mktemp", "mkdir", "mv", "rm", "cp", "chmod", "cut"];

/// What a command prints; it has to end well.
fn run(command: &mut Command) -> String {
    let ran = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(ran.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).expect("UTF-8")
}

/// All files below a folder, by their paths in it.
fn files(folder: &Path) -> Vec<String> {
    let found = run(Command::new("find").arg(folder).args(["!", "-type", "d", "-printf", "%P\n"]));
    let mut found: Vec<_> = found.lines().map(str::to_owned).collect();
    found.sort();
    found
}

/// Serves the files of a folder until the test ends; the address.
async fn serve(folder: PathBuf) -> String {
    let server = Router::new().fallback(move |uri: Uri| {
        let file = folder.join(uri.path().trim_start_matches('/'));
        async move { tokio::fs::read(file).await.map_err(|_| StatusCode::NOT_FOUND) }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, server).await });
    format!("http://{address}")
}

/// The files of a release, made of the program under test.
struct Release {
    folder: tempfile::TempDir,
    /// The program in them.
    program: PathBuf,
    /// The folder that a server publishes.
    published: PathBuf,
    /// Its address.
    address: String,
    target: String,
}

impl Release {
    async fn make() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (program, published) = (folder.path().join("switchboard"), folder.path().join("releases"));
        // A test program has large tables of names.
        run(Command::new("strip").arg("-o").arg(&program).arg(binary()));
        let address = serve(published.clone()).await;
        let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
        let xtask = binary().with_file_name("xtask");
        assert!(xtask.exists(), "run `cargo xtask test`, which builds {}", xtask.display());
        let mut dist = Command::new(xtask);
        dist.args(["dist", "--compression", "1", "--target", &target, "--base-url", &address]);
        run(dist.arg("--program").arg(&program).arg("--out").arg(&published));
        Self { folder, program, published, address, target }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.published.join(format!("v{VERSION}")).join(name)
    }

    fn archive(&self) -> PathBuf {
        self.path(&format!("switchboard-{VERSION}-{}.tar.gz", self.target))
    }

    fn package(&self) -> PathBuf {
        let architecture = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" };
        self.path(&format!("switchboard_{VERSION}_{architecture}.deb"))
    }
}

/// The first commands of the README, which install the program and run it.
fn first_commands() -> Vec<String> {
    let page = pages::page("README.md");
    let (_, section) = page.split_once("\n## Get it\n").expect("the section");
    let block = pages::blocks(section).into_iter().next().expect("a block");
    commands(&block.text).into_iter().map(|typed| typed.command).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_installs_the_released_files() {
    let release = Release::make().await;
    let place = release.folder.path().join("machine");
    let (home, here) = (place.join("home"), place.join("here"));
    fs::create_dir_all(&home).expect("made");
    fs::create_dir_all(&here).expect("made");
    let mut shell = Shell::new(place);
    // A person who is not root, in an empty directory with an empty home.
    shell.has("id", "echo 1000");
    shell.place(ADDRESS, &release.address);
    shell.tell(&format!("export HOME='{}'\ncd '{}'", home.display(), here.display()));
    let typed = first_commands();
    let [install, path, version, sandbox] = typed.as_slice() else { panic!("{typed:?}") };
    assert!(sandbox.starts_with("switchboard up --sandbox"), "{sandbox}");

    assert!(shell.types(install).await.contains(&format!("Switchboard {VERSION} is in {}", home.display())));
    assert_eq!(shell.types(&format!("{path}\n{version}")).await, format!("switchboard {VERSION}\n"));
    assert_eq!(files(&home), [".local/bin/switchboard"]);
    let installed = home.join(".local/bin/switchboard");
    assert!(shell.types(install).await.contains("is already in"), "a second run changes nothing");
    fs::write(&installed, "an older program").expect("written");
    shell.types(install).await;
    assert!(fs::read(&installed).expect("a program") == fs::read(&release.program).expect("a program"));

    // A machine with wget alone.
    let few = release.folder.path().join("few");
    fs::create_dir(&few).expect("made");
    for tool in TOOLS {
        let real = run(Command::new("sh").args(["-c", &format!("command -v {tool}")]));
        std::os::unix::fs::symlink(real.trim(), few.join(tool)).expect("linked");
    }
    let script = format!("PATH='{}' sh '{}'", few.display(), release.published.join("install.sh").display());
    shell.types(&format!("{script} --version v{VERSION} --to '{}/wget'", home.display())).await;
    assert_eq!(files(&home), [".local/bin/switchboard", "wget/switchboard"]);

    let refused = async |why: &str, environment: &str, options: &str| {
        let typed = install.replace("| sh", &format!("| {environment} sh -s -- {options}"));
        let (out, code, err) = shell.runs(&format!("{typed} --to '{}/no'", home.display())).await;
        assert_eq!((code, err.contains(why)), (Some(1), true), "{out}{err}");
        assert!(err.contains("nothing was installed") || err.contains("--help"), "{err}");
        assert!(!home.join("no").exists() && files(&here).is_empty(), "{why}");
    };
    refused("there is no option --fly", "", "--fly").await;
    refused("cannot download", "", "--version 9.9.9").await;
    refused("cannot download http://127.0.0.1:9/", "SWITCHBOARD_BASE_URL=http://127.0.0.1:9", "").await;
    let whole = fs::read(release.archive()).expect("an archive");
    fs::write(release.archive(), &whole[..whole.len() / 2]).expect("written");
    refused("the checksum of", "", "").await;
    fs::write(release.archive(), whole).expect("written");
    let sums = fs::read_to_string(release.path("SHA256SUMS")).expect("checksums");
    fs::write(release.path("SHA256SUMS"), sums.replace("tar.gz", "zip")).expect("written");
    refused("has no checksum of", "", "").await;
    fs::remove_file(release.path("SHA256SUMS")).expect("removed");
    refused("cannot download", "", "").await;
    assert_eq!(shell.types(&format!("{path}\n{version}")).await, format!("switchboard {VERSION}\n"));

    binstall_finds(&release);
    a_debian_machine_installs(&release);
}

/// `cargo binstall` looks for the archive, and for the program in it, where they are.
fn binstall_finds(release: &Release) {
    let manifest = pages::page("crates/switchboard/Cargo.toml");
    let named = |key: &str| {
        let line = manifest.lines().find_map(|line| line.strip_prefix(&format!("{key} = \"")));
        let named = line.and_then(|line| line.strip_suffix('"')).expect("a template");
        let named = named.replace("{ version }", VERSION).replace("{ target }", &release.target);
        named.replace("{ archive-suffix }", ".tar.gz").replace("{ bin }", "switchboard")
    };
    let url = named("pkg-url");
    assert_eq!(
        url.strip_prefix(ADDRESS).map(|path| release.published.join(&path[1..])),
        Some(release.archive())
    );
    let listed = run(Command::new("tar").arg("-tzf").arg(release.archive()));
    let program = named("bin-dir");
    assert!(listed.lines().any(|line| line == program), "{program} is not in\n{listed}");
    for document in ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "THIRD-PARTY.txt"] {
        assert!(listed.contains(document), "{document} is not in\n{listed}");
    }
}

/// The package puts the program, its units and a settings file into an empty machine, and takes the program away again.
fn a_debian_machine_installs(release: &Release) {
    let root = release.folder.path().join("debian");
    fs::create_dir_all(root.join("var/lib/dpkg")).expect("made");
    fs::write(root.join("var/lib/dpkg/status"), "").expect("written");
    let dpkg = |arguments: &[&str]| {
        let mut dpkg = Command::new("unshare");
        dpkg.args([
            "--map-root-user",
            "dpkg",
            "--force-script-chrootless",
            "--force-bad-path",
            "--log=/dev/null",
        ]);
        run(dpkg.arg(format!("--root={}", root.display())).args(arguments))
    };
    dpkg(&["--install", release.package().to_str().expect("UTF-8")]);
    let program = root.join("usr/bin/switchboard");
    assert_eq!(run(Command::new(&program).arg("--version")), format!("switchboard {VERSION}\n"));
    let settings = root.join("etc/switchboard/switchboard.toml");
    Settings::load(Some(&settings), []).expect("settings that are understood");
    let mut print = Command::new(&program);
    print.args(["service", "install", "--print", "--program", "/usr/bin/switchboard"]);
    let printed = run(print.args([
        "--config",
        "/etc/switchboard/switchboard.toml",
        "--data-dir",
        "/var/lib/switchboard",
    ]));
    for unit in ["switchboard.service", "switchboard-alert@.service"] {
        let text = fs::read_to_string(root.join("usr/lib/systemd/system").join(unit)).expect("a unit");
        assert!(text.contains("\nExecStart=/usr/bin/switchboard ") && printed.contains(&text), "{text}");
    }
    dpkg(&["--remove", "switchboard"]);
    assert!(!program.exists() && settings.exists(), "the settings stay");
    dpkg(&["--purge", "switchboard"]);
    assert!(!settings.exists());
}
