//! Signing in from the command line: at a terminal, over pipes, by lines of JSON.

use std::io::{BufRead, BufReader, Write};

use serde_json::{Value, json};

use super::stage::{NAME, PASSWORD, Stage, TERMS};
use crate::shell::cli::Ran;

#[tokio::test(flavor = "multi_thread")]
async fn someone_at_the_terminal_is_asked_for_what_is_missing() {
    let stage = Stage::with_password().await;
    let program = stage.program().await;
    let api_id = stage.api_id.to_string();
    let mut adding = stage.cli(&["add", NAME, "--api-id", &api_id]).pty();
    adding.shows("api_hash", 1).await;
    adding.types(&stage.api_hash);
    assert_eq!(adding.ended().await, Some(0), "{}", adding.screen());
    assert!(!adding.screen().contains(&stage.api_hash), "{}", adding.screen());

    let mut signing = stage.cli(&["login", NAME]).pty();
    signing.shows("Phone number", 1).await;
    signing.types(&stage.phone);
    signing.shows("Code:", 1).await;
    signing.types(stage.wrong_code().await);
    signing.shows("Code:", 2).await;
    let screen = signing.screen();
    assert!(screen.contains("The code was wrong; enter the one that is in the Telegram app"), "{screen}");
    assert!(!screen.contains("GET") && !screen.contains("POST"), "a person makes no calls: {screen}");
    signing.types(&stage.code().await);
    signing.shows("Password (not shown):", 1).await;
    assert!(signing.screen().contains("four words and a port"), "the hint is shown: {}", signing.screen());
    signing.types("another");
    signing.shows("Password (not shown):", 2).await;
    signing.types(PASSWORD);
    assert_eq!(signing.ended().await, Some(0), "{}", signing.screen());
    signing.shows("Signed in as", 1).await;
    let screen = signing.screen();
    assert!(!screen.contains(PASSWORD), "the password is not shown: {screen}");
    program.account_is(NAME, "ready").await;
    assert_eq!(stage.send(&program, "from the terminal", 20).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_the_sign_in_and_a_kill_does_not() {
    let stage = Stage::new().await;
    let program = stage.program().await;
    stage.add(&program).await;
    let mut signing = stage.cli(&["login", NAME]).pty();
    signing.shows("Code:", 1).await;
    signing.interrupt();
    assert_eq!(signing.ended().await, Some(1), "{}", signing.screen());
    assert!(signing.screen().contains("cancelled"), "{}", signing.screen());
    assert_eq!(program.get("/v1/accounts/fifth/login").await.1["state"], "none");

    let mut signing = stage.cli(&["login", NAME]).pty();
    signing.shows("Code:", 1).await;
    signing.kill();
    let sent = stage.world.calls("auth.sendCode").await;
    let mut signing = stage.cli(&["login", NAME]).pty();
    signing.shows("Code:", 1).await;
    assert_eq!(stage.world.calls("auth.sendCode").await, sent, "the code that was sent is still good");
    signing.types(&stage.code().await);
    assert_eq!(signing.ended().await, Some(0), "{}", signing.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_drives_it_by_lines_of_json() {
    let stage = Stage::with_password().await;
    let program = stage.program().await;
    stage.add(&program).await;
    let mut signing = stage.cli(&["login", NAME, "--json"]).spawn();
    let mut input = signing.stdin.take().expect("piped");
    let mut output = BufReader::new(signing.stdout.take().expect("piped"));
    let mut next = || {
        let mut line = String::new();
        output.read_line(&mut line).expect("reads");
        serde_json::from_str::<Value>(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    };
    let mut say = |line: Value| writeln!(input, "{line}").expect("writes");
    assert_eq!(next()["state"], "code_wanted");
    say(json!({ "code": stage.wrong_code().await }));
    assert_eq!(next()["error"]["code"], "code_invalid");
    let again = next();
    assert_eq!((&again["state"], &again["wrong"]), (&json!("code_wanted"), &json!(1)), "{again}");
    say(json!({ "code": stage.code().await }));
    assert_eq!(next()["state"], "password_wanted");
    say(json!({ "password": PASSWORD }));
    let done = next();
    assert_eq!((&done["state"], &done["user"]["user_id"]), (&json!("done"), &json!(stage.user_id)), "{done}");
    assert_eq!(signing.wait().expect("ends").code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn piped_sign_in_takes_lines_in_turn() {
    let stage = Stage::with_password().await;
    let program = stage.program().await;
    stage.add(&program).await;
    let Ran { code, err: errors, .. } = stage.cli(&["login", NAME]).run();
    assert_eq!(code, Some(2), "no one can be asked: {errors}");
    assert!(errors.contains("--code-stdin"), "{errors}");

    let mut signing = stage.cli(&["login", NAME, "--code-stdin"]).spawn();
    let code = stage.code().await;
    writeln!(signing.stdin.take().expect("piped"), "{code}").expect("writes");
    let Ran { code: exit, out: output, err: errors, .. } = Ran::of(signing);
    assert_eq!(exit, Some(1), "{output}{errors}");
    assert!(errors.contains("run the command again"), "{errors}");
    assert_eq!(program.get("/v1/accounts/fifth/login").await.1["state"], "password_wanted");
    let Ran { code: exit, out: output, err: errors, .. } =
        stage.cli(&["login", NAME, "--code-stdin"]).given(&format!("{PASSWORD}\n"));
    assert_eq!(exit, Some(0), "{output}{errors}");
    program.account_is(NAME, "ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn someone_at_the_terminal_reads_the_terms_and_answers() {
    let stage = Stage::new().await;
    stage.show_terms().await;
    let program = stage.program().await;
    stage.add(&program).await;
    let mut signing = stage.cli(&["login", NAME]).pty();
    signing.shows("Code:", 1).await;
    signing.types(&stage.code().await);
    signing.shows("Accept them?", 1).await;
    assert!(signing.screen().contains(TERMS), "{}", signing.screen());
    signing.types("perhaps");
    signing.shows("Accept them?", 2).await;
    signing.types("no");
    assert_eq!(signing.ended().await, Some(1), "{}", signing.screen());
    assert!(signing.screen().contains("were not accepted"), "{}", signing.screen());
    assert_eq!(stage.world.calls("auth.logOut").await, 1);

    let mut signing = stage.cli(&["login", NAME]).pty();
    signing.shows("Code:", 1).await;
    signing.types(&stage.code().await);
    signing.shows("Accept them?", 1).await;
    signing.types("yes");
    assert_eq!(signing.ended().await, Some(0), "{}", signing.screen());
    program.account_is(NAME, "ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_accepts_terms_by_an_option_by_a_line_or_by_json() {
    let stage = Stage::new().await;
    let program = stage.program().await;
    stage.add(&program).await;
    let sign_in = async |arguments: &[&str], more: &str, json: bool| {
        stage.show_terms().await;
        let mut signing = stage.cli(&[&["login", NAME, "--restart"], arguments].concat()).spawn();
        // The code of the try before may still be listed.
        program
            .until("a code is wanted", || async {
                program.get("/v1/accounts/fifth/login").await.1["state"] == "code_wanted"
            })
            .await;
        let code = stage.code().await;
        let line = if json { json!({ "code": code }).to_string() } else { code };
        writeln!(signing.stdin.take().expect("piped"), "{line}{more}").expect("writes");
        Ran::of(signing)
    };
    let Ran { code: exit, out: output, err: errors, .. } = sign_in(&["--code-stdin"], "", false).await;
    assert_eq!(exit, Some(1), "{output}{errors}");
    assert!(errors.contains("--accept-terms") && errors.contains(TERMS), "{output}{errors}");
    let Ran { code: exit, out: output, err: errors, .. } =
        stage.cli(&["login", NAME, "--code-stdin"]).given("perhaps\n");
    assert_eq!(exit, Some(1), "{output}{errors}");
    assert!(errors.contains("yes or no"), "{output}{errors}");
    let Ran { code: exit, out: output, err: errors, .. } =
        stage.cli(&["login", NAME, "--code-stdin"]).given("yes\n");
    assert_eq!(exit, Some(0), "{output}{errors}");

    let Ran { code: exit, out: output, err: errors, .. } =
        sign_in(&["--code-stdin", "--accept-terms"], "", false).await;
    assert_eq!(exit, Some(0), "{output}{errors}");
    assert!(errors.contains(TERMS), "what is accepted is named: {errors}");

    let Ran { code: exit, out: output, err: errors, .. } =
        sign_in(&["--json"], "\n{\"accept_terms\":true}", true).await;
    assert_eq!(exit, Some(0), "{output}{errors}");
    let states: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let words: Vec<_> = states.iter().map(|state| state["state"].as_str().unwrap_or_default()).collect();
    assert_eq!(words, ["code_wanted", "terms_wanted", "done"], "{output}");
    assert_eq!(states[1]["text"], TERMS, "{output}");
    program.account_is(NAME, "ready").await;
}
