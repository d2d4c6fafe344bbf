//! The first user.

use testkit::Start;

use super::stage::{PASSWORD, Stage, cookie};
use crate::binary;
use crate::secrets::Secrets;

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
    let mut secrets = Secrets::default();
    secrets.plant("password", PASSWORD);
    secrets.not_below(&stage.world.data_dir("data"));
}
