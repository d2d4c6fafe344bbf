//! Pages that exist only for a while: each step of a sign-in, an import that is looked at, runs and is over, questions about
//! sessions of no account, a retry under way, the door. Nothing is wrong with them either,
//! in both languages, however they are looked at.

use std::time::Duration;

use serde_json::{Value, json};

use crate::buttons::of_importing::files;
use crate::chromium::Tab;
use crate::stage::{NAME as OWNER, PASSWORD, Stage, sign_in};
use crate::sweep::{examine, look_at};

const NAME: &str = "fifth";
const LOGIN: &str = "/v1/accounts/fifth/login";
const WIZARD: &str = "/accounts/fifth/login";
const TWO_STEPS: &str = "correct horse battery staple 5099";

/// The owner, once in each language.
struct Eyes {
    english: Tab,
    russian: Tab,
}

impl Eyes {
    async fn of(stage: &Stage) -> Self {
        let (english, russian) = (stage.tab().await, stage.stranger().await);
        russian.open("/sign-in").await;
        sign_in(&russian, OWNER, PASSWORD).await;
        Self { english, russian }
    }

    /// Nothing is wrong with the page at this path, and it has what this selector names: it is the one that is meant.
    async fn see(&self, path: &str, sign: &str) {
        let (wrong, more) =
            tokio::join!(examine(&self.english, path, "en"), examine(&self.russian, path, "ru"));
        self.agree(path, sign, &[wrong, more].concat()).await;
    }

    /// The same of a page that two cannot ask for at the same moment.
    async fn see_in_turn(&self, path: &str, sign: &str) {
        let wrong = examine(&self.english, path, "en").await;
        let more = examine(&self.russian, path, "ru").await;
        self.agree(path, sign, &[wrong, more].concat()).await;
    }

    async fn agree(&self, path: &str, sign: &str, wrong: &[String]) {
        assert!(wrong.is_empty(), "{sign}: {} findings:\n{}", wrong.len(), wrong.join("\n"));
        for tab in [&self.english, &self.russian] {
            let there = format!("document.querySelector({sign:?})?.checkVisibility() === true");
            assert_eq!(tab.tell(&there).await, true, "{path} has no {sign}");
        }
    }
}

/// A call of the API that goes well; what it answers.
async fn posted(stage: &Stage, path: &str, body: Value) -> Value {
    let (status, reply) = stage.program.post(path, &body).await;
    assert!((200..300).contains(&status), "{path}: {status} {reply}");
    reply
}

/// Asks for a code; the one that Telegram sent.
async fn code(stage: &Stage) -> String {
    posted(stage, LOGIN, json!({ "by": "phone" })).await;
    stage.world.code(stage.world.account(NAME).await["phone"].as_str().expect("a phone")).await
}

async fn rules(stage: &Stage, rules: Value) {
    stage.world.put("/telegram/accounts/fifth/sign-in", &rules).await;
}

/// So many messages that Telegram refused.
async fn failed_messages(stage: &Stage, texts: &[&str]) {
    let refusal = json!({ "method": "messages.sendMessage", "code": 400, "message": "MESSAGE_TOO_LONG" });
    stage.world.fault("rpc_error", refusal).await;
    for text in texts {
        let (status, reply) = stage.program.send("@client_12", text).await;
        assert_eq!(status, 422, "{reply}");
    }
    stage.world.delete("/faults").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_pages_are_sound_at_every_step() {
    let stage = Stage::without(NAME).await;
    stage.add(NAME).await;
    let eyes = Eyes::of(&stage).await;
    eyes.see(WIZARD, "#login[data-state=none] #login-qr").await;
    rules(&stage, json!({ "password": TWO_STEPS, "hint": "four words and a port" })).await;
    let right = code(&stage).await;
    eyes.see(WIZARD, "#login[data-state=code_wanted] #code").await;
    let wrong = if right == "00000" { "00001" } else { "00000" };
    stage.program.post(&format!("{LOGIN}/code"), &json!({ "code": wrong })).await;
    eyes.see(WIZARD, "#code-error").await;
    posted(&stage, &format!("{LOGIN}/code"), json!({ "code": right })).await;
    eyes.see(WIZARD, "#login[data-state=password_wanted] #password").await;
    stage.program.post(&format!("{LOGIN}/password"), &json!({ "password": "another" })).await;
    eyes.see(WIZARD, "#password-error").await;
    assert_eq!(stage.program.delete(LOGIN).await.0, 204);

    posted(&stage, LOGIN, json!({ "by": "qr" })).await;
    eyes.see(WIZARD, "#login[data-state=qr_shown] .qr svg").await;
    assert_eq!(stage.program.delete(LOGIN).await.0, 204);

    rules(
        &stage,
        json!({ "terms": "Be kind to each other, and do not write to people who did not ask for it." }),
    )
    .await;
    let right = code(&stage).await;
    posted(&stage, &format!("{LOGIN}/code"), json!({ "code": right })).await;
    eyes.see(WIZARD, "#login[data-state=terms_wanted] #login-terms").await;
    stage.program.post(&format!("{LOGIN}/terms"), &json!({ "accept": false })).await;
    eyes.see(WIZARD, "#login[data-state=failed] [role=alert]").await;

    rules(&stage, json!({})).await;
    let right = code(&stage).await;
    posted(&stage, &format!("{LOGIN}/code"), json!({ "code": right })).await;
    eyes.see(WIZARD, "#login[data-state=done] a.primary").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn import_pages_are_sound_at_every_step() {
    let stage = Stage::without(NAME).await;
    let [session, other] = files(&stage).await;
    let eyes = Eyes::of(&stage).await;
    let tab = &eyes.english;
    tab.open("/accounts/import").await;
    tab.choose("#file", &[&session, &other]).await;
    tab.press("#import-files button.primary").await;
    tab.until("location.pathname.startsWith('/accounts/import/imp_') && document.readyState === 'complete'")
        .await;
    let look = tab.text("location.pathname").await;
    // One import at a time, also where it only looks.
    eyes.see_in_turn(&look, "#import-now button.primary").await;

    // The check of the session is not answered for now.
    stage.world.fault("deaf", json!({ "account": NAME })).await;
    let known = stage.world.account(NAME).await;
    tab.open(&look).await;
    tab.fill("#api_id", &known["api_id"].to_string()).await;
    tab.fill("#api_hash", known["api_hash"].as_str().expect("a text")).await;
    tab.press("input[name=stopped]").await;
    tab.press("#import-now button.primary").await;
    tab.is_at("/accounts/import/under-way").await;
    eyes.see("/accounts/import/under-way", "#import-run progress").await;
    stage.world.delete("/faults").await;
    let over = tab.until("document.querySelector('a.primary[href=\"/accounts\"]') !== null");
    stage.program.as_time_goes_by(Duration::from_secs(1), over).await;
    eyes.see("/accounts/import/under-way", "a.primary[href='/accounts']").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_about_sessions_of_no_one_are_sound() {
    let stage = Stage::without(NAME).await;
    stage.add(NAME).await;
    stage.sign_in_to(NAME).await;
    assert_eq!(stage.program.delete("/v1/accounts/fifth").await.0, 204);
    stage.add(NAME).await;
    let (_, sessions) = stage.program.get("/v1/ownerless-sessions").await;
    let id = sessions["items"][0]["id"].as_str().expect("an id");
    let eyes = Eyes::of(&stage).await;
    eyes.see("/accounts", "#ownerless tbody tr").await;
    eyes.see(&format!("/accounts/sessions/{id}/give"), "#ask #give-account").await;
    eyes.see(&format!("/accounts/sessions/{id}/drop"), "#ask button.danger").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_retry_at_work_is_sound() {
    let stage = Stage::start().await;
    failed_messages(&stage, &["one", "two", "three", "four"]).await;
    let eyes = Eyes::of(&stage).await;
    stage.program.arm("store.retry.before", 1).await;
    posted(&stage, "/v1/failed-messages/retry", json!({})).await;
    stage.program.until("it is held", || stage.program.stopped_at("store.retry.before")).await;
    eyes.see("/messages/retry-failed", "#ask progress").await;
    stage.program.release("store.retry.before").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_failed_backups_is_sound() {
    const HERE: &str = "/settings/backups";
    const LIST: &str = "/v1/backups";
    let stage = Stage::start().await;
    let eyes = Eyes::of(&stage).await;
    eyes.see(HERE, "#backups .alert.wait").await;
    let newest_is = async |state: &str| {
        let there = || async { stage.program.get(LIST).await.1["items"][0]["state"] == state };
        stage.program.until(state, there).await;
    };
    let made = posted(&stage, LIST, json!({})).await;
    newest_is("proven").await;
    let name = made["name"].as_str().expect("a name");
    let data = stage.world.data_dir("data");
    let file = data.join("backups").join(name);
    let whole = std::fs::read(&file).expect("a backup");
    std::fs::write(&file, &whole[..whole.len() / 2]).expect("torn");
    posted(&stage, &format!("{LIST}/{name}/check"), json!({})).await;
    newest_is("broken").await;
    eyes.see(HERE, "#backups .alert.bad").await;
    // A file in the place of a folder cannot be put into one.
    std::fs::rename(data.join("outgoing"), data.join("away")).expect("moved away");
    std::fs::write(data.join("outgoing"), "").expect("written");
    posted(&stage, LIST, json!({})).await;
    newest_is("failed").await;
    eyes.see(HERE, "#backups tr[data-state=failed]").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sign_in_page_is_sound() {
    let stage = Stage::start().await;
    for language in ["en", "ru"] {
        let tab = stage.stranger().await;
        let mut wrong = examine(&tab, "/sign-in", language).await;
        assert_eq!(tab.text("location.pathname").await, "/sign-in");
        tab.fill("#name", OWNER).await;
        tab.fill("#password", "a wrong password").await;
        tab.press("main button.primary").await;
        tab.until("document.querySelector('#wrong') !== null && document.readyState === 'complete'").await;
        wrong.extend(look_at(&tab, "/sign-in after a wrong password", language).await);
        assert!(wrong.is_empty(), "{} findings:\n{}", wrong.len(), wrong.join("\n"));
    }
}
