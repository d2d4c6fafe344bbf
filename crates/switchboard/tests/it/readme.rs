//! What pages say of the demo world, typed as written. It needs the usual ports, as its reader does.

use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use crate::shell::Shell;
use crate::{binary, pages};

/// How a new user starts the demo from source.
const START: &str = "cargo run -- up --sandbox";

/// A command of a page and the answer printed under it, in which `…` stands for anything.
pub(crate) struct Typed {
    pub(crate) command: String,
    pub(crate) answer: String,
}

/// How long each step of it may take. Machines that build at the same time are slow.
const TIMEOUT: Duration = Duration::from_mins(2);

/// The ports that all demos want: one at a time has them.
pub(crate) static PORTS: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// The commands of a page's section, but the one that starts the demo.
fn section(page: &str, heading: &str) -> Vec<Typed> {
    let text = pages::page(page);
    let section = text.split(heading).nth(1).expect("the section").split("\n## ").next();
    let blocks = pages::blocks(section.expect("its end"));
    let typed = blocks.iter().flat_map(|block| commands(&block.text));
    typed.filter(|typed| !typed.command.ends_with(" up --sandbox")).collect()
}

/// The commands of a block, in order.
pub(crate) fn commands(block: &str) -> Vec<Typed> {
    let mut typed: Vec<Typed> = Vec::new();
    let mut goes_on = false;
    for line in block.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            typed.push(Typed { command: command.to_owned(), answer: String::new() });
            goes_on = line.ends_with('\\');
        } else if let Some(last) = typed.last_mut() {
            let place = if goes_on { &mut last.command } else { &mut last.answer };
            place.push('\n');
            place.push_str(line);
            goes_on = goes_on && line.ends_with('\\');
        }
    }
    typed
}

/// Whether the fragments between the `…` are in the text, in order.
pub(crate) fn matches(expected: &str, got: &str) -> bool {
    let mut rest = got;
    expected.split('…').map(str::trim).all(|fragment| match rest.find(fragment) {
        Some(place) => {
            rest = &rest[place + fragment.len()..];
            true
        }
        None => false,
    })
}

/// Starts the demo, types all that it says, and ends it as people do; what it printed, and what the line that follows events
/// answered meanwhile.
async fn try_out(steps: Vec<Typed>, arguments: &[&str]) -> (String, String) {
    let _ports = PORTS.lock().await;
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("output");
    let mut shell = Shell::new(folder.path().join("shell"));
    // Cargo would build the program under test, which is there.
    let cargo = format!("[ \"$1 $2\" = 'run --' ] && shift 2 && exec '{}' \"$@\"", binary().display());
    shell.has("cargo", &cargo);
    shell.tell(&format!("export TMPDIR='{}'", folder.path().display()));
    // Its store goes through all steps of the schema, as that of a reader does.
    shell.tell(&format!("unset {}", store::testing::MIGRATED_STORE));
    let mut program = shell.leaves_running(&format!("{START} {}", arguments.join(" ")), &output);
    let printed = || std::fs::read_to_string(&output).expect("reads");
    let key = until(&mut program, printed, |line| line.starts_with("export KEY=")).await;
    // A reader is slower than this; the accounts are ready by the time of the first command.
    until(&mut program, printed, |line| line.contains("all dialogs are read")).await;
    let events = folder.path().join("followed");
    let follow = until(&mut program, printed, |line| line.contains("/v1/events")).await;
    let mut follower = Command::new("bash")
        .args(["-c", &format!("{key}\nexec {follow}")])
        .kill_on_drop(true)
        .stdout(std::fs::File::create(&events).expect("a file"))
        .spawn()
        .expect("bash");
    let events_so_far = || std::fs::read_to_string(&events).expect("reads");
    until(&mut follower, events_so_far, |line| line.contains(": following")).await;
    let mut last_id = String::new();
    for Typed { command, answer } in steps {
        let command = command.replace("msg_…", &last_id);
        let mut ran = Command::new("bash");
        ran.args(["-c", &format!("{key}\n{command}")]).env("TMPDIR", folder.path()).kill_on_drop(true);
        let Ok(ran) = tokio::time::timeout(TIMEOUT, ran.output()).await else {
            panic!("it does not end: {command}\n{}", printed());
        };
        let ran = ran.expect("bash");
        let got = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(ran.status.success(), "{command}\n{got}");
        assert!(matches(&answer, &got), "{command}\nanswers\n{got}\nnot\n{answer}\n{}", printed());
        if let Some(place) = got.find("msg_") {
            last_id = got[place..].chars().take(30).collect();
        }
    }
    let number = program.id().expect("it runs").to_string();
    Command::new("kill").args(["-s", "INT", &number]).status().await.expect("kill");
    let ended = tokio::time::timeout(TIMEOUT, program.wait()).await.expect("in time").expect("ends");
    assert_eq!(ended.code(), Some(0), "Ctrl+C ends it well");
    // The stream ends with the program.
    tokio::time::timeout(TIMEOUT, follower.wait()).await.expect("in time").expect("ends");
    (printed(), events_so_far())
}

/// Waits until a process has printed a line that is wanted.
async fn until(process: &mut Child, printed: impl Fn() -> String, wanted: impl Fn(&str) -> bool) -> String {
    let since = Instant::now();
    loop {
        let printed = printed();
        if let Some(line) = printed.lines().map(str::trim).find(|line| wanted(line)) {
            return line.to_owned();
        }
        assert!(process.try_wait().expect("waits").is_none(), "it ended:\n{printed}");
        assert!(since.elapsed() < TIMEOUT, "waited in vain; it printed:\n{printed}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn the_pages_have_the_first_command_that_the_tests_type() {
    for page in
        ["README.md", "README.ru.md", "docs/quick-start.md", "docs/ru/quick-start.md", "CONTRIBUTING.md"]
    {
        let text = pages::page(page);
        let first = text.lines().find(|line| line.trim_start_matches("$ ").starts_with("cargo run "));
        assert!(first.is_some_and(|line| line.contains(START)), "{page}: {first:?}");
    }
    assert!(pages::page("Cargo.toml").contains("\ndefault-members = [\"crates/switchboard\"]\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_answers_as_written() {
    let mut steps = section("README.md", "## A minute's tour");
    assert!(steps.len() > 5, "the tour has commands");
    // Its reader watches the campaign; here its seconds are let go by.
    let command = "until curl -s http://127.0.0.1:5099/v1/campaigns/spring -H \"X-API-Key: $KEY\" | grep '\"state\":\"done\"'
        do curl -s --unix-socket $TMPDIR/switchboard-demo-*/control.sock http://localhost/testing/clock \
            -H 'content-type: application/json' -d '{\"advance_ms\":2000}' > /dev/null; sleep 0.1; done";
    let answer = "\"account\":\"backup_1\",\"state\":\"active\"…\"account\":\"backup_2\",\"state\":\"active\"…\"sent\":30}";
    steps.push(Typed { command: command.to_owned(), answer: answer.to_owned() });
    let (_, followed) = try_out(steps, &[]).await;
    for event in ["message.accepted", "message.sent", "campaign.began", "campaign.ended"] {
        assert!(followed.contains(&format!("\"type\":\"{event}\"")), "{event} is not in {followed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_profile_sends_for_the_demo_campaign() {
    let named = |variable: &str, usual: &str| std::env::var(variable).unwrap_or_else(|_| usual.to_owned());
    let chromium = named("SWITCHBOARD_TEST_CHROMIUM", "chromium");
    let driver = named("SWITCHBOARD_TEST_CHROMEDRIVER", "chromedriver");
    let (folder, port) = (tempfile::tempdir().expect("a folder"), testkit::free_port());
    let file = folder.path().join("mine.toml");
    let settings = format!(
        "listen = \"127.0.0.1:{port}\"\n[legacy]\nports = []\n[campaigns.browser]\nchromium = \"{chromium}\"\ndriver = \
         \"{driver}\"\narguments = [\"--headless=new\", \"--no-sandbox\", \"--disable-gpu\", \"--disable-dev-shm-usage\"]\n"
    );
    std::fs::write(&file, settings).expect("written");
    let call = |path: &str| format!("curl -s http://127.0.0.1:{port}/v1{path} -H \"X-API-Key: $KEY\"");
    let typed = |command: String, answer: &str| Typed { command, answer: answer.to_owned() };
    let sends = "\"account\":\"profile:shop\",\"state\":\"active\"";
    let steps = vec![
        typed(format!("until {} | grep '{sends}'; do sleep 0.2; done", call("/campaigns/spring")), sends),
        typed(call("/campaign-profiles/shop"), "\"user_id\":…\"last_error\":null…\"campaigns\":[\"spring\"]"),
    ];
    try_out(steps, &["--config", file.to_str().expect("UTF-8")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_answers_the_same_on_postgresql() {
    let (folder, database) = (tempfile::tempdir().expect("a folder"), testkit::postgres::Database::empty());
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, format!("[store]\nurl = \"{}\"\n", database.url())).expect("written");
    let steps = section("README.md", "## A minute's tour");
    try_out(steps, &["--config", file.to_str().expect("UTF-8")]).await;
    let sent = database.query("SELECT count(*)::text FROM outbox");
    assert_ne!(sent[0][0].as_deref(), Some("0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quick_start_answers_as_written() {
    let mut steps = section("docs/quick-start.md", "## Without any account");
    let answer = "\"text\":\"Your phone is ready.\"…\"text\":\"Hello there\"".to_owned();
    steps.push(Typed { command: "curl -s http://127.0.0.1:5098/ledger".to_owned(), answer });
    let page = pages::page("docs/quick-start.md");
    assert!(steps.len() == 3 && page.contains("`curl -s http://127.0.0.1:5098/ledger`"), "{page}");
    try_out(steps, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_of_every_channel_write_and_are_answered() {
    let mut steps = section("docs/channels.md", "## In the sandbox");
    assert_eq!(steps.len(), 17, "nine write, and a form has no one to answer");
    // The model answers each of the others once, as the page says; a person takes over in the same thread.
    let answers = "got=$(curl -s http://127.0.0.1:5098/ledger | grep -o '\"text\":\"You wrote' | wc -l)";
    let command = format!(
        "for _ in $(seq 300); do {answers}; [ $got -ge 8 ] && break
         curl -s --unix-socket $TMPDIR/switchboard-demo-*/control.sock http://localhost/testing/clock \
            -H 'content-type: application/json' -d '{{\"advance_ms\":2000}}' > /dev/null; sleep 0.2; done; echo $got"
    );
    steps.push(Typed { command, answer: "8".to_owned() });
    let command = "all=http://127.0.0.1:5099/v1/conversations; key=\"X-API-Key: $KEY\"
        one=$(curl -s \"$all?channel=vk\" -H \"$key\" | grep -o 'client_0[0-9a-z]*' | head -1)
        curl -s $all/$one/hand-over -H \"$key\" -H 'Content-Type: application/json' -d '{\"to\":\"human\"}'
        curl -s $all/$one/messages -H \"$key\"";
    let answer = "\"responder\":\"human\"…\"author\":\"ai\"…\"author\":\"client\"".to_owned();
    steps.push(Typed { command: command.to_owned(), answer });
    try_out(steps, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_tried_on_the_demo_world() {
    let (folder, port) = (tempfile::tempdir().expect("a folder"), testkit::free_port());
    let file = folder.path().join("mine.toml");
    let settings = format!(
        "listen = \"127.0.0.1:{port}\"\n[media]\nmax_size = \"1KB\"\n[legacy]\nports = []\n[[telegram.accounts]]\nname = \
         \"ours\"\napi_id = 5\napi_hash = \"0123456789abcdef0123456789abcdef\"\nsessions = [{{ file = \
         \"is/not/here.session\" }}]\n"
    );
    std::fs::write(&file, settings).expect("written");
    let call = |path: &str| format!("curl -s http://127.0.0.1:{port}{path} -H \"X-API-Key: $KEY\"");
    let typed = |command: String, answer: &str| Typed { command, answer: answer.to_owned() };
    let steps = vec![
        typed(call("/v1/accounts/main"), "\"name\":\"main\"…\"state\":\"ready\""),
        typed(call("/v1/accounts/ours"), "account_not_found"),
        typed(call("/v1/channels/shop"), "\"channel\":\"avito\""),
        typed(format!("head -c 2000 /dev/zero | {} --data-binary @-", call("/v1/uploads")), "too_large"),
    ];
    let (printed, _) = try_out(steps, &["--config", file.to_str().expect("UTF-8")]).await;
    assert!(
        printed.contains("mine.toml, but for its accounts and channels: the sandbox has its own"),
        "{printed}"
    );
    assert!(!printed.contains("Old port"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_account_of_the_demo_is_connected() {
    let here = "\"receives_by\":\"webhook\"…\"webhook\":{\"state\":\"here\"";
    // Of these no provider says where it posts.
    let posts = "\"receives_by\":\"webhook\"";
    let polled = "\"receives_by\":\"poll\"";
    let names = [
        ("bot", here),
        ("shop", here),
        ("phone", here),
        ("club", here),
        ("assistant", here),
        ("studio", posts),
        ("site", posts),
        ("texts", posts),
        ("texts_ru", posts),
        ("texts_twilio", posts),
        ("texts_smpp", polled),
        ("mail", polled),
    ];
    let command = "curl -s http://127.0.0.1:5099/v1/channels -H \"X-API-Key: $KEY\" | grep -o '\"receives_by\"' | wc -l";
    let all = Typed { command: command.to_owned(), answer: names.len().to_string() };
    let steps = names.map(|(name, how)| {
        // Until it is so, while time goes by; what it is last is what is compared.
        let command = format!(
            "for _ in $(seq 60); do got=$(curl -s http://127.0.0.1:5099/v1/channels/{name} -H \"X-API-Key: $KEY\")
             [[ $got == *'\"state\":\"ready\"'*{}* ]] && break
             curl -s --unix-socket $TMPDIR/switchboard-demo-*/control.sock http://localhost/testing/clock \
                -H 'content-type: application/json' -d '{{\"advance_ms\":5000}}' > /dev/null; sleep 0.2; done; echo \"$got\"",
            how.split('…').map(|part| format!("'{part}'")).collect::<Vec<_>>().join("*"),
        );
        Typed { command, answer: format!("\"state\":\"ready\"…{how}") }
    });
    try_out(std::iter::once(all).chain(steps).collect(), &[]).await;
}
