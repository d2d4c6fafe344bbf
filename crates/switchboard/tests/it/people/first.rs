//! The first user.

use testkit::{Start, World};

use super::stage::{PASSWORD, Stage, cookie};
use crate::binary;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_shows_a_password_once_and_it_works() {
    let stage = Stage::with("").await;
    let mut program = Start::on(&stage.world, binary(), "data").listening().await;
    let shown = |output: &str| -> Option<String> {
        let line = output.lines().find(|line| line.starts_with("Sign in "))?;
        Some(line.split("password ").nth(1)?.split_whitespace().next()?.to_owned())
    };
    program.until("the password is shown", || async { shown(&program.output()).is_some() }).await;
    let made = shown(&program.output()).expect("a password");
    let fields = [("name", "admin"), ("password", made.as_str())];
    let answer = stage.post(&program, "/sign-in", &fields).send().await.expect("an answer");
    assert_eq!(answer.status(), 303);
    let cookie = cookie(&answer);
    assert!(!cookie.is_empty());
    program.terminate().await;

    // The next start shows none, the old one still works, and so does the session.
    let mut program = Start::on(&stage.world, binary(), "data").listening().await;
    let page =
        stage.get(&program, "/settings/me", super::stage::pair(&cookie)).send().await.expect("an answer");
    assert_eq!(page.status(), 200);
    program.terminate().await;
    assert!(!program.output().contains("password"), "{}", program.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environments_password_is_taken_once_and_never_printed() {
    let stage = Stage::with("").await;
    let mut program = stage.program().await;
    stage.sign_in(&program).await;
    program.terminate().await;
    assert!(!program.output().contains(PASSWORD), "{}", program.output());
    let folder = stage.world.data_dir("data");
    for file in std::fs::read_dir(folder).expect("a folder").flatten().filter(|file| file.path().is_file()) {
        let bytes = std::fs::read(file.path()).expect("reads");
        assert!(!bytes.windows(PASSWORD.len()).any(|piece| piece == PASSWORD.as_bytes()), "{file:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_too_short_is_wrong_usage() {
    let world = World::start(binary()).await;
    let mut start = Start::on(&world, binary(), "data");
    start.environment.push(("SWITCHBOARD_ADMIN_PASSWORD".to_owned(), "short".to_owned()));
    let (code, said) = start.refused().await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("SWITCHBOARD_ADMIN_PASSWORD") && said.contains("8 characters"), "{said}");
}
