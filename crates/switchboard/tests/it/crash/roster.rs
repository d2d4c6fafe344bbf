//! Killed between the steps of what changes accounts: each is there once, and no session that was signed in is lost.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Start, World};

use super::{SEND, act, answered, ask, finished};
use crate::accounts::stage::{NAME, PASSWORD, Stage};
use crate::binary;
use crate::importing::stage as moving;

const ACCOUNT: &str = "/v1/accounts/fifth";
const LOGIN: &str = "/v1/accounts/fifth/login";
const OWNERLESS: &str = "/v1/ownerless-sessions";

/// The account that Telegram restricts.
const RESTRICTED: &str = "backup_1";

/// What is done to reach a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    /// An account is added.
    Add,
    /// Its priority is changed.
    Change,
    /// It gets its first limit.
    Limit,
    /// It is removed while it has a session.
    Remove,
    /// A person signs in, with a password and terms of service.
    SignIn,
    /// A person signs in, is sent to another data centre with the code, and from there home again for a new one.
    SignInElsewhere,
    /// A person signs in by scanning a QR code.
    SignInByQr,
    /// A person gives a sign-in up.
    GiveUp,
    /// A session of no account is brought along.
    Keep,
    /// A session of no account is deleted.
    Forget,
    /// Telegram forbids an account new contacts.
    Restrict,
    /// A person starts such an account over.
    Lift,
}

/// The scenario that reaches a write, if it is one about accounts.
pub(super) fn scenario(write: &str) -> Option<Scenario> {
    Some(match write {
        "store.add_account" => Scenario::Add,
        "store.change_account" => Scenario::Change,
        "store.count_account" => Scenario::Limit,
        "store.remove_account" => Scenario::Remove,
        "store.save_login" | "store.change_sessions" => Scenario::SignIn,
        "store.forget_login" => Scenario::GiveUp,
        "store.save_ownerless" => Scenario::Keep,
        "store.forget_ownerless" => Scenario::Forget,
        "store.save_restriction" => Scenario::Restrict,
        "store.lift_restriction" => Scenario::Lift,
        _ => return None,
    })
}

/// Kills at a point, starts again, asks again, and looks at the end.
pub(super) async fn kill_at(scenario: Scenario, point: &str) {
    if scenario == Scenario::Keep {
        return kill_while_stored(point).await;
    }
    let stage = Stage::new().await;
    killed(&stage, stage.program().await, scenario, point, 0).await;
}

/// Kills one sign-in after the other, each where so many have passed the point. Sessions of before belong to no account then.
pub(super) async fn kill_at_each_step(
    scenario: Scenario,
    points: impl IntoIterator<Item = (&'static str, u32)>,
) {
    let stage = Stage::new().await;
    let mut program = stage.program().await;
    for (point, skip) in points {
        stage.world.delete("/faults").await;
        stage.world.delete("/ledger").await;
        program = killed(&stage, program, scenario, point, skip).await;
        assert_eq!(program.delete(ACCOUNT).await.0, 204, "{point} after {skip}");
    }
}

async fn killed(stage: &Stage, mut program: Program, scenario: Scenario, point: &str, skip: u32) -> Program {
    prepare(scenario, stage, &program).await;
    program.arm(point, skip).await;
    let what = format!("{point} stops the program");
    {
        let stopped = program.until(&what, || program.stopped_at(point));
        let playing = async {
            play(scenario, stage, &program).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = stopped => {}
            () = playing => {}
        }
    }
    program.kill();
    let program = stage.program().await;
    check(scenario, stage, &program, point).await;
    stage.world.assert_nothing_unknown().await;
    program
}

/// What is there before the point is armed.
async fn prepare(scenario: Scenario, stage: &Stage, program: &Program) {
    match scenario {
        Scenario::Add | Scenario::Keep => {}
        Scenario::Change | Scenario::Limit | Scenario::SignInByQr => stage.add(program).await,
        Scenario::SignIn => {
            let rules =
                json!({ "password": PASSWORD, "hint": "four words", "terms": "Be kind to each other." });
            stage.world.put(&format!("/telegram/accounts/{NAME}/sign-in"), &rules).await;
            stage.add(program).await;
        }
        Scenario::SignInElsewhere => {
            for (code, message) in [(303, "USER_MIGRATE_4"), (400, "PHONE_CODE_EXPIRED")] {
                let refusal =
                    json!({ "method": "auth.signIn", "times": 1, "code": code, "message": message });
                stage.world.fault("rpc_error", refusal).await;
            }
            stage.add(program).await;
        }
        Scenario::GiveUp => {
            stage.add(program).await;
            let (_, begun) = program.post(LOGIN, &json!({ "by": "phone" })).await;
            assert_eq!(begun["state"], "code_wanted", "{begun}");
        }
        Scenario::Remove | Scenario::Forget => {
            stage.add(program).await;
            sign_in(stage, program).await;
            if scenario == Scenario::Forget {
                assert_eq!(program.delete(ACCOUNT).await.0, 204);
            }
        }
        Scenario::Restrict | Scenario::Lift => {
            program.has_read_dialogs(RESTRICTED).await;
            if scenario == Scenario::Lift {
                // The writer stops when that is done, so that it is known to be done.
                let written = "store.save_restriction.after";
                program.arm(written, 0).await;
                flood(stage, program, "refused").await;
                program.until("it is written down", || program.stopped_at(written)).await;
                program.account_is(RESTRICTED, "restricted").await;
            }
        }
    }
}

/// Does what the scenario asks for, as far as the program goes along.
async fn play(scenario: Scenario, stage: &Stage, program: &Program) {
    match scenario {
        Scenario::Add => drop(act(program, "/v1/accounts".to_owned(), stage.account()).await),
        Scenario::Change => drop(call(program, "PATCH", ACCOUNT, &json!({ "priority": 9 })).await),
        Scenario::Limit => drop(call(program, "PATCH", ACCOUNT, &json!({ "messages_per_hour": 9 })).await),
        Scenario::Remove => drop(call(program, "DELETE", ACCOUNT, &Value::Null).await),
        Scenario::SignIn | Scenario::SignInElsewhere => sign_in(stage, program).await,
        Scenario::SignInByQr => sign_in_by_qr(stage, program).await,
        Scenario::GiveUp => drop(call(program, "DELETE", LOGIN, &Value::Null).await),
        Scenario::Forget => {
            let path = format!("{OWNERLESS}/{}", ownerless(program).await[0]);
            drop(call(program, "DELETE", &path, &Value::Null).await);
        }
        Scenario::Restrict => flood(stage, program, "refused").await,
        Scenario::Lift => drop(act(program, restart(), json!({})).await),
        Scenario::Keep => {}
    }
}

/// After the restart: the same is asked for again, and comes to its end.
async fn check(scenario: Scenario, stage: &Stage, program: &Program, point: &str) {
    match scenario {
        Scenario::Add => {
            let (status, _) = program.post("/v1/accounts", &stage.account()).await;
            assert!([201, 409].contains(&status), "{point}: {status}");
            sign_in(stage, program).await;
            assert_eq!(program.get(ACCOUNT).await.1["priority"], 5, "{point}");
        }
        Scenario::Change => {
            let (_, kept) = program.get(ACCOUNT).await;
            let expected = if is_written(point) { 9 } else { 5 };
            assert_eq!(kept["priority"], expected, "{point}: {kept}");
            assert_eq!(program.patch(ACCOUNT, &json!({ "priority": 9 })).await.0, 200, "{point}");
            sign_in(stage, program).await;
            assert_eq!(program.get(ACCOUNT).await.1["priority"], 9, "{point}");
        }
        Scenario::Limit => {
            assert_eq!(program.get(ACCOUNT).await.1["limits"]["messages_per_hour"], 9, "{point}");
            sign_in(stage, program).await;
        }
        Scenario::Remove => {
            let (status, _) = program.delete(ACCOUNT).await;
            assert_eq!(status, if is_written(point) { 404 } else { 204 }, "{point}");
            let kept = ownerless(program).await;
            assert_eq!(kept.len(), 1, "{point}: {kept:?}");
            stage.add(program).await;
            assign(program, &kept[0]).await;
        }
        Scenario::SignIn | Scenario::SignInElsewhere => sign_in(stage, program).await,
        Scenario::SignInByQr => sign_in_by_qr(stage, program).await,
        Scenario::GiveUp => {
            assert_eq!(program.delete(LOGIN).await.0, 204, "{point}");
            assert_eq!(program.get(LOGIN).await.1["state"], "none", "{point}");
            sign_in(stage, program).await;
        }
        Scenario::Forget => {
            for id in ownerless(program).await {
                assert_eq!(program.delete(&format!("{OWNERLESS}/{id}")).await.0, 204, "{point}");
            }
            assert_eq!(ownerless(program).await, Vec::<String>::new(), "{point}");
            stage.add(program).await;
            sign_in(stage, program).await;
        }
        Scenario::Restrict | Scenario::Lift => {
            restricted(scenario, stage, program, point).await;
            return;
        }
        Scenario::Keep => return,
    }
    program.account_is(NAME, "ready").await;
    let (status, sent) = stage.send(program, "all the same", 20).await;
    assert_eq!((status, &sent["account"]), (200, &json!(NAME)), "{point}: {sent}");
    assert_eq!(stage.world.sent().await, ["all the same"], "{point}");
    let (_, accounts) = program.get("/v1/accounts").await;
    let accounts = accounts["items"].as_array().expect("items");
    assert_eq!(accounts.iter().filter(|one| one["name"] == NAME).count(), 1, "{point}: {accounts:?}");

    // What Telegram has is what is here: each session that was signed in is in use, or kept for a person to say whose.
    let (telegram, mut here) = (signed_in(&stage.world).await, in_use(program).await);
    assert_eq!(here.len(), 1, "{point}: {here:?}");
    here.extend(ownerless(program).await);
    if scenario == Scenario::Forget {
        // One was deleted here because a person said so, which signs no one out.
        assert!(telegram.len() == 2 && telegram.is_superset(&here), "{point}: {telegram:?} {here:?}");
    } else {
        assert_eq!(telegram, here, "{point}");
    }
    if scenario != Scenario::GiveUp {
        assert_eq!(stage.world.calls("auth.logOut").await, 0, "{point}");
    }
}

/// Whether the program was killed when the write was done already.
fn is_written(point: &str) -> bool {
    point.strip_suffix(".after").is_some()
}

/// A restriction is known without asking Telegram, and lifted by starting the account over.
async fn restricted(scenario: Scenario, stage: &Stage, program: &Program, point: &str) {
    let path = format!("/v1/accounts/{RESTRICTED}");
    let is_kept = point == "store.save_restriction.after" || point == "store.lift_restriction.before";
    let (_, account) = program.get(&path).await;
    assert_eq!(account["reason"] == "peer_flood", is_kept, "{point}: {account}");
    if scenario == Scenario::Restrict && !is_kept {
        // It was found out and not yet written down: the next message finds it out again.
        program.account_is(RESTRICTED, "ready").await;
        flood(stage, program, "refused_again").await;
        program.account_is(RESTRICTED, "restricted").await;
    }
    if is_kept {
        program.account_is(RESTRICTED, "restricted").await;
    }
    stage.world.delete("/faults").await;
    assert_eq!(program.post(&restart(), &json!({})).await.0, 200, "{point}");
    program.account_is(RESTRICTED, "ready").await;
    finished(program, "allowed", json!({ "account": RESTRICTED }), "sent").await;
    let sent = stage.world.sent().await;
    let once: BTreeSet<_> = sent.iter().collect();
    assert!(once.len() == sent.len() && sent.contains(&"allowed".to_owned()), "{point}: {sent:?}");
}

/// A message that Telegram refuses the account.
async fn flood(stage: &Stage, program: &Program, text: &str) {
    stage.world.delete("/faults").await;
    stage.world.fault("peer_flood", json!({ "account": RESTRICTED, "method": SEND, "times": 1 })).await;
    ask(program, text, json!({ "account": RESTRICTED })).await;
}

fn restart() -> String {
    format!("/v1/accounts/{RESTRICTED}/actions/restart")
}

/// Signs in as a person does who looks at what is wanted, whatever came before.
async fn sign_in(stage: &Stage, program: &Program) {
    program
        .until("someone is signed in", || async {
            let login = look(program, LOGIN).await;
            match login["state"].as_str() {
                Some("code_wanted") => tell(program, "/code", json!({ "code": stage.code().await })).await,
                Some("password_wanted") => tell(program, "/password", json!({ "password": PASSWORD })).await,
                Some("terms_wanted") => tell(program, "/terms", json!({ "accept": true })).await,
                _ => match look(program, ACCOUNT).await["state"].as_str() {
                    Some("ready") => return true,
                    Some("needs_login") => tell(program, "", json!({ "by": "phone" })).await,
                    _ => {}
                },
            }
            false
        })
        .await;
}

/// Signs in as a person does who scans whatever code is shown, whatever came before.
async fn sign_in_by_qr(stage: &Stage, program: &Program) {
    program
        .until("someone is signed in", || async {
            let login = look(program, LOGIN).await;
            match login["state"].as_str() {
                Some("qr_shown") => {
                    if !scan(&stage.world, login["url"].as_str().expect("an address")).await {
                        // It was scanned before a kill, and the program did not learn it: it is asked for when its time is over.
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        program.advance(Duration::from_secs(1)).await;
                    }
                }
                _ => match look(program, ACCOUNT).await["state"].as_str() {
                    Some("ready") => return true,
                    Some("needs_login") => tell(program, "", json!({ "by": "qr" })).await,
                    _ => {}
                },
            }
            false
        })
        .await;
}

/// Accepts what a QR code shows. Returns whether that was still possible.
async fn scan(world: &World, url: &str) -> bool {
    let client = reqwest::Client::builder()
        .tls_certs_only([])
        .timeout(Duration::from_mins(1))
        .build()
        .expect("a client");
    let request = client.post(format!("{}/telegram/login-tokens/accept", world.control()));
    let request = request.header("content-type", "application/json");
    let answer = request.body(json!({ "token": url, "account": NAME }).to_string()).send().await;
    answer.expect("the control port answers").status().is_success()
}

async fn tell(program: &Program, step: &str, body: Value) {
    act(program, format!("{LOGIN}{step}"), body).await;
}

/// A call that does not wait for a program that is stopped at a point.
async fn call(program: &Program, method: &str, path: &str, body: &Value) -> Option<Value> {
    let mut request = program.request(method, path);
    if !body.is_null() {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    answered(program, request).await
}

async fn look(program: &Program, path: &str) -> Value {
    call(program, "GET", path, &Value::Null).await.unwrap_or_default()
}

/// The sessions that belong to no account.
async fn ownerless(program: &Program) -> Vec<String> {
    let (_, list) = program.get(OWNERLESS).await;
    let list = list["items"].as_array().expect("items").iter();
    list.map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
}

/// The sessions that the account works with.
async fn in_use(program: &Program) -> BTreeSet<String> {
    let (_, account) = program.get(ACCOUNT).await;
    let lines = account["lines"].as_array().expect("lines").iter();
    lines.map(|line| line["session"].as_str().expect("an id").to_owned()).collect()
}

/// The sessions that Telegram has because someone signed in, named as the product names them: by the first 16 digits
/// of the hash of the key.
async fn signed_in(world: &World) -> BTreeSet<String> {
    let account = world.account(NAME).await;
    let keys = account["signed_in"].as_array().expect("keys").iter();
    keys.map(|key| key.as_str().expect("a hash")[..16].to_owned()).collect()
}

async fn assign(program: &Program, session: &str) {
    let (status, assigned) =
        program.post(&format!("{OWNERLESS}/{session}/assign"), &json!({ "account": NAME })).await;
    assert_eq!(status, 200, "{assigned}");
}

/// A session of a person who has no account, brought along twice: it is kept once, and works when it has an account.
async fn kill_while_stored(point: &str) {
    let world = moving::world().await;
    let (session, file) = moving::path(&world, "moving.session");
    moving::file(&world, &session, &[]).await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.arm(point, 0).await;
    let arguments = ["account", "import", file.as_str(), "--yes", "--json"];
    let cut_off = tokio::spawn(moving::command(&world, &arguments).beside());
    program.until(&format!("{point} stops the program"), || program.stopped_at(point)).await;
    program.kill();
    assert_ne!(cut_off.await.expect("ends").code, Some(0), "{point}");
    let program = Start::on(&world, binary(), "data").ready().await;
    let again = moving::fine(&world, &arguments).await;
    let expected = if is_written(point) { "known" } else { "ownerless" };
    assert_eq!(again["sessions"][0]["what"], expected, "{point}: {again:#}");
    let kept = ownerless(&program).await;
    assert_eq!(kept.len(), 1, "{point}: {kept:?}");
    let person = world.account(moving::MOVING).await;
    let account =
        json!({ "name": "moved", "api_id": person["api_id"], "api_hash": person["api_hash"], "priority": 9 });
    assert_eq!(program.post("/v1/accounts", &account).await.0, 201, "{point}");
    let assigned =
        program.post(&format!("{OWNERLESS}/{}/assign", kept[0]), &json!({ "account": "moved" })).await;
    assert_eq!(assigned.0, 200, "{point}: {}", assigned.1);
    program.account_is("moved", "ready").await;
    assert_eq!(program.get("/v1/accounts/moved").await.1["user_id"], person["user_id"], "{point}");
    assert_eq!(world.calls("auth.logOut").await, 0, "{point}");
    world.assert_nothing_unknown().await;
}
