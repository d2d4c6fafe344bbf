//! The verbs of the old tool, each as it was typed there.

use serde_json::json;
use testkit::World;

use crate::binary;
use crate::shell::cli::{Cli, Ran, cli};

/// `switchboard campaign …`, words separated by blanks.
fn campaign(world: &World, words: &str) -> Cli {
    let words: Vec<_> = std::iter::once("campaign").chain(words.split(' ')).collect();
    cli(world, &words)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verb_of_the_old_tool_is_typed_as_before() {
    let world = World::start(binary()).await;
    let typed = |words: &str| -> Ran { campaign(&world, words).run() };
    let says = |words: &str, expected: &str| {
        let output = typed(words).fine();
        assert!(output.contains(expected), "{words}: {output}");
    };
    let file = |name: &str, text: &str| {
        let path = world.data_dir("").join(name);
        std::fs::write(&path, text).expect("writes");
        path.to_str().expect("UTF-8").to_owned()
    };
    let chats = file("chats.txt", "@client_1\n@client_2\n");
    let messages = file("messages.json", r#"{"spring": ["Good day", "Bye"], "autumn": ["Good night"]}"#);
    let list = file("list.json", r#"["Good evening"]"#);

    says("init", "ready");
    assert!(typed("groups create spring").fine().contains("spring"));
    typed("groups create autumn").fine();
    let changed = typed("groups change autumn --jitter 0.5 --json").json();
    assert_eq!(changed["settings"]["delay_randomness"], 0.5, "{changed}");
    says("groups list", "autumn");
    typed("groups add-profiles spring main fifth").fine();
    typed("add-profile autumn main").fine();
    says("list-profiles spring", "fifth");
    says("groups add-messages spring Hello Bye", "2 added");
    says(&format!("import-chats {chats} --group spring"), "2 added");
    says(&format!("import-messages {list} --group autumn"), "1 added");
    let synced = typed(&format!("sync --all --from {messages} --json")).json();
    assert_eq!(synced["items"].as_array().map(Vec::len), Some(2), "{synced}");
    let of_spring = typed("messages spring --json").json();
    let in_use = |text: &str| {
        let items = of_spring["items"].as_array().expect("items");
        items.iter().find(|item| item["text"] == text).expect("a message")["active"].clone()
    };
    assert_eq!(
        [in_use("Hello"), in_use("Bye"), in_use("Good day")],
        [json!(false), json!(true), json!(true)]
    );
    says(&format!("sync spring --from {list}"), "spring");
    let broken = file("broken.txt", "no chat\n");
    let refused = typed(&format!("import-chats {broken} --group spring"));
    assert!(
        refused.code == Some(1) && refused.err.contains("nothing of the file can be used"),
        "{refused:?}"
    );
    let refused = typed("profiles add shop --proxy socks5://127.0.0.1:1");
    assert!(
        refused.err.contains("--proxy names no proxy") && !refused.err.contains("--proxy-env"),
        "{refused:?}"
    );
    let proxies = file("proxies.txt", "127.0.0.1:1\nhttp://127.0.0.1:2\n127.0.0.1:3:demo:secret\n");
    says(&format!("import-proxies {proxies} --dry-run"), "2 would be added");
    says("proxies list", "There are no proxies.");
    let imported = typed(&format!("import-proxies {proxies}")).fine();
    assert!(imported.contains("2 added, 0 known") && imported.contains("Line 2:"), "{imported}");
    says(&format!("proxies import {proxies}"), "0 added, 2 known");
    let listed = typed("proxies list").fine();
    assert!(listed.contains("socks5://demo@127.0.0.1:3") && !listed.contains("secret"), "{listed}");
    says("proxies check socks5://127.0.0.1:1", "sick");
    says("profiles add shop --proxy socks5://127.0.0.1:1", "active");
    let refused = typed("proxies remove socks5://127.0.0.1:1");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let refused = typed("profiles check shop");
    assert!(refused.code == Some(1) && refused.err.contains("switchboard up"), "{refused:?}");
    says("profiles unblock shop", "active");
    says("profiles list", "shop");
    assert_eq!(typed("profiles remove shop").code, Some(2));
    says("profiles remove shop --yes", "shop is removed.");
    says("proxies remove socks5://127.0.0.1:1", "is removed.");
    says("tasks spring", "@client_2");
    says("stats spring", "spring");
    says("stats", "autumn");
    says("status", "autumn");
    says("status spring", "spring");
    says("groups show spring", "new");
    typed("groups reset spring").fine();
    says("unblock spring --chat @client_2 --account main", "spring");
    let refused = typed("unblock spring --chat @client_9");
    assert!(refused.err.contains("is no chat of the campaign"), "{refused:?}");
    says("start spring --dry-run", "2 chats would be written to");
    for (words, expected) in [
        ("start spring --workers 2", "no server runs"),
        ("tasks", "name a campaign"),
        ("groups delete autumn", "--yes"),
        ("clear", "--yes"),
        ("reset", "--yes"),
    ] {
        let refused = typed(words);
        assert!(refused.code == Some(2) && refused.err.contains(expected), "{words}: {refused:?}");
    }
    let mut pty = campaign(&world, "tasks").pty();
    pty.shows("Which campaign? [1-2]", 1).await;
    pty.types("2");
    assert_eq!(pty.ended().await, Some(0), "{}", pty.screen());
    assert!(pty.screen().contains("@client_1"), "{}", pty.screen());

    assert_eq!(typed("clear --yes --json").json()["cleared"], json!(["autumn", "spring"]));
    let cleared = typed("groups show spring --json").json();
    assert_eq!((&cleared["chats"], &cleared["senders"][0]["account"]), (&json!(0), &json!("fifth")));
    says("groups delete autumn --yes", "deleted");
    says("reset --yes", "1 campaigns are deleted");
    says("groups list", "no campaigns");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_profile_is_added_and_bad_ones_refused() {
    let world = World::start(binary()).await;
    let file = |name: &str, text: &str| {
        let path = world.data_dir(name);
        std::fs::write(&path, text).expect("writes");
        path.to_str().expect("UTF-8").to_owned()
    };
    let (token, empty) = (file("token", "secret-token\n"), file("empty", "\n"));
    for words in [
        "fox --firefox",
        &format!("donut --donut 4c1a-2 --token-file {token}"),
        "far --driver http://127.0.0.1:9515 --capabilities {\"goog:chromeOptions\":{}}",
    ] {
        assert!(campaign(&world, &format!("profiles add {words}")).fine().contains("active"), "{words}");
    }
    let of_donut = |rest: &str| format!("--donut 1 --token-file {token} {rest}");
    for (words, code, expected) in [
        ("--firefox --driver http://a", 2, "cannot be used with"),
        ("--driver http://a --proxy socks5://127.0.0.1:1", 2, "cannot be used with"),
        (&of_donut("--driver http://a"), 2, "cannot be used with"),
        ("--donut 1", 2, "--token-file"),
        ("--donut 1 --token-file nowhere", 1, "cannot read nowhere"),
        (&format!("--donut 1 --token-file {empty}"), 1, "token must be the token"),
        (&of_donut("--donut-api nowhere"), 1, "such as http://127.0.0.1:10108"),
        (&format!("--donut ../1 --token-file {token}"), 1, "id must be the id"),
        ("--driver 127.0.0.1:9515", 1, "such as http://127.0.0.1:9515"),
        ("--driver http://a --capabilities []", 2, "--capabilities"),
        ("--driver http://a --capabilities {", 2, "--capabilities"),
    ] {
        let refused = campaign(&world, &format!("profiles add shop {words}")).run();
        assert!(refused.code == Some(code) && refused.err.contains(expected), "{words}: {refused:?}");
    }
    let listed = campaign(&world, "profiles list --json").run().json();
    let kinds = listed["items"].as_array().expect("items").iter().map(|profile| &profile["kind"]);
    assert_eq!(kinds.collect::<Vec<_>>(), ["donut", "endpoint", "firefox"], "{listed}");
    assert!(!listed.to_string().contains("secret-token"), "{listed}");
}
