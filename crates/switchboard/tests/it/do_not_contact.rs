//! The command line over the do-not-contact list, with a server and without.

use testkit::{ACCOUNTS, World};

use crate::binary;
use crate::shell::cli::{cli, running};

#[tokio::test(flavor = "multi_thread")]
async fn list_is_kept_by_commands_and_holds_the_server_back() {
    let world = World::start(binary()).await;
    let mut program = running(&world, &ACCOUNTS).await;
    let list = |arguments: &[&str]| cli(&world, &[&["do-not-contact"], arguments].concat());
    let added = list(&["add", "@client_1", "-1001234567890", "--reason", "asked to stop"]).fine();
    assert!(added.contains("2 added, 0 on the list already"), "{added}");
    let refused = cli(&world, &["send", "https://t.me/Client_1", "hello"]).run();
    assert!(refused.code == Some(1) && refused.err.contains("do-not-contact list"), "{refused:?}");
    assert_eq!(program.terminate().await, Some(0));

    let imported = list(&["import", "-"]).given("8 000 000-00-01\nno one\n@client_1\n");
    assert!(imported.out.contains("1 added, 1 on the list already.\nLine 2: "), "{imported:?}");
    let shown = list(&["list", "--contact", "70000000001", "--json"]).run().json();
    assert_eq!(
        (&shown["items"][0]["source"], &shown["items"][0]["added_by"]),
        (&"import".into(), &"machine".into())
    );
    let exported = list(&["export"]).fine();
    assert_eq!(exported.lines().count(), 4, "{exported}");
    assert!(
        exported.contains("@client_1,username,cli,machine,") && exported.contains(",asked to stop"),
        "{exported}"
    );
    list(&["remove", "-1001234567890"]).fine();
    let table = list(&["list"]).fine();
    assert!(table.contains("@client_1") && !table.contains("-1001234567890"), "{table}");
    let missing = list(&["remove", "@client_2"]).run();
    assert!(missing.code == Some(1) && missing.err.contains("no entry"), "{missing:?}");
}
