//! Copies of backups elsewhere and restores for practice, end to end: alerts that come and go, and what the commands say.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use testkit::{Program, Start, World};

use crate::binary;
use crate::shell::cli::cli;

fn output_of(world: &World, arguments: &[&str], code: i32) -> String {
    let ran = cli(world, arguments).run();
    let all = ran.all();
    assert_eq!(ran.code, Some(code), "{arguments:?}: {all}");
    all
}

/// The open alert about a card; nothing when there is none.
async fn alert(program: &Program, card: &str) -> Option<Value> {
    let (_, list) = program.get("/v1/alerts?state=open").await;
    list["items"].as_array().expect("items").iter().find(|alert| alert["card"] == card).cloned()
}

async fn until_alerted(program: &Program, card: &str, wanted: bool) {
    let what = format!("{card} has an alert: {wanted}");
    let is_so = || async { alert(program, card).await.is_some() == wanted };
    program.as_time_goes_by(Duration::from_secs(20), program.until(&what, is_so)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_copy_and_a_failed_drill_are_alerted_and_clear() {
    let world = World::start(binary()).await;
    let elsewhere = world.data_dir("elsewhere");
    let folder = elsewhere.display();
    world.edit_settings(|text| {
        format!(
            "{text}\n[backup]\nevery = \"0s\"\ndrill_every = \"1d\"\n[backup.copy]\nfolder = \"{folder}\"\n"
        )
    });
    let program = Start::on(&world, binary(), "data").ready().await;
    let made: Value =
        serde_json::from_str(&output_of(&world, &["backup", "create", "--json"], 0)).expect("JSON");
    let name = made["name"].as_str().expect("a name");
    until_alerted(&program, "backup:copy", true).await;
    let raised = alert(&program, "backup:copy").await.expect("it is open");
    assert!(raised["detail"].as_str().is_some_and(|why| why.contains("is its disk mounted?")), "{raised}");
    let listed = output_of(&world, &["backup", "list"], 0);
    assert!(listed.contains("NOT COPIED to") && listed.contains("proven"), "{listed}");
    let doctor = program.get("/v1/doctor").await.1.to_string();
    assert!(doctor.contains("backup_not_copied"), "{doctor}");

    fs::create_dir(&elsewhere).expect("a folder");
    until_alerted(&program, "backup:copy", false).await;
    let copies = program.get("/v1/backups").await.1["copies"].clone();
    assert_eq!((&copies["last"]["name"], copies["count"].as_u64()), (&made["name"], Some(1)), "{copies}");
    let copy = elsewhere.join(name);
    let whole = fs::read(&copy).expect("a copy");
    fs::write(&copy, &whole[..whole.len() / 2]).expect("written");
    let drill = || async { program.get("/v1/backups").await.1["drills"]["last"].clone() };
    let drilled = program.until("a drill", || async { !drill().await.is_null() });
    program.as_time_goes_by(Duration::from_mins(30), drilled).await;
    assert_eq!((&drill().await["of"], &drill().await["rows"]), (&Value::from("copy"), &Value::Null));
    until_alerted(&program, "backup:drill", true).await;
    assert!(output_of(&world, &["backup", "list"], 0).contains("THE RESTORE DRILL FAILED"));
    assert!(output_of(&world, &["backup", "verify", &copy.display().to_string()], 1).contains("not whole"));

    fs::write(&copy, whole).expect("written");
    let well = program.until("a drill goes well", || async { drill().await["rows"].is_u64() });
    program.as_time_goes_by(Duration::from_mins(30), well).await;
    until_alerted(&program, "backup:drill", false).await;

    // By hand, while the server runs and of each way to name one.
    for file in ["latest", name, &copy.display().to_string()] {
        let verified = output_of(&world, &["backup", "verify", file, "--json"], 0);
        let verified: Value = serde_json::from_str(&verified).expect("JSON");
        assert_eq!((&verified["rows"], &verified["rows_compared"]), (&drill().await["rows"], &true.into()));
    }
    assert!(output_of(&world, &["backup", "verify"], 0).contains("can be restored"));
    let fetched = output_of(&world, &["backup", "verify", "--copy", name, "--json"], 0);
    let fetched: Value = serde_json::from_str(&fetched).expect("JSON");
    let (sha256, to) = (&copies["last"]["sha256"], folder.to_string());
    assert_eq!(
        (&fetched["sha256"], &fetched["copy_in"], &fetched["copy_compared"]),
        (sha256, &to.into(), &true.into())
    );
    assert!(
        output_of(&world, &["backup", "drill"], 0).contains("the copy was fetched, compared and restored")
    );

    // The same without a server, and of a copy that was changed.
    drop(program);
    fs::write(&copy, "torn").expect("written");
    assert!(output_of(&world, &["backup", "verify", "--copy"], 1).contains("is not what was written there"));
    let failed = output_of(&world, &["backup", "drill"], 1);
    assert!(
        failed.contains("cannot be restored") && failed.contains("is not what was written there"),
        "{failed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_says_what_is_missing() {
    let world = World::start(binary()).await;
    let none = output_of(&world, &["backup", "verify"], 1);
    assert!(none.contains("there is no backup in") && none.contains("switchboard backup create"), "{none}");
    let none = output_of(&world, &["backup", "verify", "/nowhere/copy.tar.gz"], 1);
    assert!(none.contains("/nowhere/copy.tar.gz"), "{none}");
    let none = output_of(&world, &["backup", "verify", "--copy"], 1);
    assert!(none.contains("[backup.copy] names neither a folder nor a bucket"), "{none}");
    let none = output_of(&world, &["backup", "drill"], 1);
    assert!(none.contains("There is no backup"), "{none}");
    let none = output_of(&world, &["backup", "verify", "copy.tar.gz", "--identity", "/nowhere/key.txt"], 1);
    assert!(none.contains("/nowhere/key.txt"), "{none}");
}
