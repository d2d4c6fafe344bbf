//! A log line with words of somebody who means harm: the page that follows the log, a terminal and a file show letters, and
//! nothing else comes of it.

use std::process::Command;

use serde_json::json;

use super::is_sound;
use crate::binary;
use crate::chromium::{Tab, Theme};
use crate::stage::Stage;

/// Markup, what moves a terminal's cursor and colours, what turns writing round, a line of its own.
const EVIL: &str = "<img src=/x onerror=\"document.title='taken'\"><script>document.title='taken'</script>\
    </ol><style>body { display: none }</style>\u{1b}[2J\u{1b}[31mred\u{1b}]0;taken\u{7}\u{9b}1m\u{8}\u{202e}drow\r\n2030-01-31 ERROR forged";

/// What is neither a letter nor a sign to be read, or turns what follows.
const NO_LETTERS: &str = r"/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/";

/// The rows of the log in which it stands.
const ROWS: &str =
    "[...document.querySelectorAll('#lines > li[id]')].filter((row) => row.textContent.includes('onerror='))";

/// What rows are made of, whatever they say.
const OF_ROWS: &str = "a dd div dl dt mark span svg time use";

/// The program logs what Telegram, or whoever speaks in its place, gave as its reason.
async fn logged(stage: &Stage) -> String {
    let message = format!("{EVIL} {}", "verylong".repeat(1000));
    let refusal = json!({ "method": "messages.sendMessage", "times": 1, "code": 400, "message": message });
    stage.world.fault("rpc_error", refusal).await;
    let (status, told) = stage.program.send("@client_1", "Your phone is ready.").await;
    assert_eq!(status, 422, "{told}");
    assert!(told["provider_code"].as_str().is_some_and(|code| code.starts_with(EVIL)), "it is said as it is");
    told["id"].as_str().expect("an id").to_owned()
}

/// At least so many rows have it, as letters; nothing was made of it.
async fn is_harmless(tab: &Tab, rows: usize) {
    tab.until(&format!("{ROWS}.length >= {rows}")).await;
    let odd = format!(
        "{ROWS}.flatMap((row) => [...row.querySelectorAll('*')]).map((one) => one.localName)
           .filter((name) => !'{OF_ROWS}'.split(' ').includes(name)).join(' ')"
    );
    assert_eq!(tab.text(&odd).await, "", "elements were made of it");
    assert_eq!(tab.tell("document.querySelector('main :is(img, script, style, iframe)')").await, json!(null));
    assert_ne!(tab.text("document.title").await, "taken");
    let is_seen = format!("{ROWS}.every((row) => row.checkVisibility())");
    assert_eq!(tab.tell(&is_seen).await, true);
    let signs = format!(
        "{ROWS}.map((row) => row.textContent.match({NO_LETTERS})).find((one) => one !== null)?.[0].charCodeAt(0) ?? ''"
    );
    assert_eq!(tab.tell(&signs).await, "", "a sign that is no letter");
    for width in [390, 1280] {
        tab.look(width, Theme::Light).await;
        assert_eq!(tab.tell(&format!("document.documentElement.scrollWidth <= {width}")).await, true);
    }
    assert_eq!(tab.findings().await, Vec::<String>::new());
}

/// What `switchboard logs` prints of a message.
fn printed(stage: &Stage, id: &str, more: &[&str]) -> String {
    let mut command = Command::new(binary());
    command.args(["logs", "--subject", id]).args(more).arg("--data-dir").arg(stage.world.data_dir("data"));
    let ended = command.output().expect("runs");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).expect("UTF-8")
}

/// Each line is one, and has nothing in it that a terminal would obey.
fn is_plain(text: &str) {
    assert!(text.contains("<img src=/x onerror="), "{text}");
    let odd =
        text.chars().find(|one| one.is_control() && *one != '\n' || ('\u{202a}'..='\u{202e}').contains(one));
    assert_eq!(odd, None, "{text}");
    assert!(!text.lines().any(|line| line.starts_with("2030-01-31")), "a line was forged: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_mean_harm_are_letters_in_the_log() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    tab.open("/logs").await;
    tab.until("document.querySelector('#tail:not([hidden]) .lamp.ok') !== null").await;
    let id = logged(&stage).await;
    // While the page follows, and from the store.
    is_harmless(&tab, 2).await;
    is_sound(&tab);
    tab.open(&format!("/logs?subject={id}")).await;
    is_harmless(&tab, 2).await;
    // The line, whole.
    let line = tab.text(&format!("{ROWS}[0].querySelector('a.at').getAttribute('href')")).await;
    tab.open(&line).await;
    is_harmless(&tab, 1).await;
    assert_eq!(tab.tell("document.querySelector('li.chosen .more') !== null").await, true);

    tab.open(&format!("/logs?subject={id}")).await;
    let taken = tab
        .tell(
            "fetch(document.querySelector('a[download]').href).then(async (answer) => [await answer.text(),
               ...['content-type', 'content-disposition', 'x-content-type-options'].map((name) => answer.headers.get(name) || '')])",
        )
        .await;
    let said = |at: usize| taken[at].as_str().expect("a text");
    assert!(said(1).starts_with("text/plain") && said(2).starts_with("attachment"), "{taken}");
    assert_eq!(said(3), "nosniff");
    is_plain(said(0));
    is_plain(&printed(&stage, &id, &[]));
    is_plain(&printed(&stage, &id, &["--json"]));
    // The same words on the message's own page.
    tab.open(&format!("/messages/{id}")).await;
    assert_eq!(tab.tell("document.querySelector('main :is(img, script, style, iframe)')").await, json!(null));
    assert!(tab.text("document.querySelector('ol.why').textContent").await.contains("onerror="));
    assert_eq!(tab.findings().await, Vec::<String>::new());
    is_sound(&tab);
}
