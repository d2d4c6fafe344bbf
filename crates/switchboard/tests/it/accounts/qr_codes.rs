//! QR codes on a terminal: the picture is of the address that is good now, in its place, until it is accepted.

use std::time::Duration;

use qrcode::{Color, EcLevel, QrCode};
use testkit::{Program, Pty};

use super::stage::{NAME, Stage};
use crate::shell::cli::Ran;

/// Black on white, as each line of the picture begins and ends.
const PAPER: &str = "\u{1b}[38;5;16m\u{1b}[48;5;231m";
const PLAIN: &str = "\u{1b}[0m";
/// What clears the screen from the cursor on: the next picture follows.
const CLEAR: &str = "\u{1b}[J";
/// How many modules of paper are round a code.
const QUIET: usize = 4;

/// The modules of the picture in a piece of the screen, `true` where they are dark; two of them to a character.
fn picture(screen: &str) -> Vec<Vec<bool>> {
    let lines = screen.lines().filter_map(|line| line.strip_prefix(PAPER)?.strip_suffix(PLAIN));
    let rows = lines.flat_map(|line| {
        ['▀', '▄'].map(|half| line.chars().map(|letter| letter == '█' || letter == half).collect())
    });
    rows.collect()
}

/// The modules of the code of an address, with its paper. Two rows make a line, so that the last one may be of paper alone.
fn code(url: &str) -> Vec<Vec<bool>> {
    let code = QrCode::with_error_correction_level(url, EcLevel::L).expect("fits");
    let (width, modules) = (code.width(), code.to_colors());
    let side = width + 2 * QUIET;
    let mut rows = vec![vec![false; side]; side.next_multiple_of(2)];
    for (place, colour) in modules.iter().enumerate() {
        rows[QUIET + place / width][QUIET + place % width] = *colour == Color::Dark;
    }
    rows
}

/// The address that the sign-in gives.
async fn address(program: &Program) -> String {
    let (_, login) = program.get("/v1/accounts/fifth/login").await;
    login["url"].as_str().unwrap_or_else(|| panic!("none: {login}")).to_owned()
}

/// What is on the screen since it was cleared last.
fn now(signing: &Pty) -> String {
    signing.screen().rsplit(CLEAR).next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_qr_code_is_redrawn_in_place() {
    let stage = Stage::new().await;
    let program = stage.program().await;
    stage.add(&program).await;
    let mut signing = stage.cli(&["login", NAME, "--qr"]).pty_of_width(60);
    signing.shows("It is good until", 1).await;
    let first = address(&program).await;
    assert!(picture(&now(&signing)) == code(&first), "{}", signing.screen());
    program.advance(Duration::from_secs(61)).await;
    signing.shows(CLEAR, 1).await;
    let screen = signing.screen();
    let (first_one, _) = screen.split_once(CLEAR).expect("it is drawn over");
    let (before, up) = first_one.rsplit_once("\u{1b}[").expect("it goes up");
    let drawn: Vec<String> = before
        .lines()
        .skip_while(|line| !line.contains(PAPER))
        .map(|line| line.replace(PAPER, "").replace(PLAIN, ""))
        .collect();
    assert_eq!(up, format!("{}A", drawn.len()), "all of the first one is drawn over: {before}");
    assert!(
        drawn.iter().all(|line| line.chars().count() <= 60),
        "no line is broken by the terminal: {before}"
    );

    let is_drawn = || async {
        let url = address(&program).await;
        url != first && picture(&now(&signing)) == code(&url)
    };
    program.until("the code of the new address is drawn", is_drawn).await;
    assert!(picture(&now(&signing)) != code(&first), "{}", signing.screen());
    stage.accept(&address(&program).await).await;
    assert_eq!(signing.ended().await, Some(0), "{}", signing.screen());
    program.account_is(NAME, "ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn piped_qr_code_is_drawn_with_its_address() {
    let stage = Stage::new().await;
    let program = stage.program().await;
    stage.add(&program).await;
    let mut signing = stage.cli(&["login", NAME, "--qr"]).spawn();
    let is_shown = || async { program.get("/v1/accounts/fifth/login").await.1["state"] == "qr_shown" };
    program.until("a code is shown", is_shown).await;
    let url = address(&program).await;
    stage.accept(&url).await;
    drop(signing.stdin.take());
    let Ran { code: exit, out: output, err: errors, .. } = Ran::of(signing);
    assert_eq!(exit, Some(0), "{output}{errors}");
    let drawn: String = errors
        .lines()
        .filter(|line| line.starts_with(['█', '▀']))
        .map(|line| [PAPER, line, PLAIN, "\n"].concat())
        .collect();
    // Blocks are the paper here. Below the last row of an odd number there is none.
    let side = code(&url)[0].len();
    let mut dark: Vec<Vec<bool>> =
        picture(&drawn).into_iter().map(|row| row.into_iter().map(|covered| !covered).collect()).collect();
    dark.truncate(side);
    assert!(dark == code(&url)[..side], "it is not the code of {url}: {errors}");
    assert!(errors.lines().any(|line| line == url), "{errors}");
    program.account_is(NAME, "ready").await;
}
