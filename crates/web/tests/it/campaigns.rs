//! `/v1/campaigns`.

use std::time::Duration;

use domain::{CampaignAttemptId, CampaignRunId, CampaignSender, SenderCaps, Timestamp};
use serde_json::json;
use store::{Claiming, NewRun};

use crate::world::World;

#[tokio::test]
async fn a_campaign_is_made_filled_foreseen_and_removed() {
    let world = World::new().await;
    let call = |method: &str, path: &str| world.call(method, &format!("/v1/campaigns{path}"));
    let made =
        call("POST", "").json(json!({"name": "spring", "settings": {"cycles": 2}}).to_string()).send().await;
    assert_eq!(made.status, 201);
    let made = made.json();
    assert_eq!(
        (&made["settings"]["cycles"], &made["settings"]["max_messages_per_hour"]),
        (&json!(2), &json!(25))
    );
    assert_eq!((&made["run"], &made["chats"]), (&json!(null), &json!(0)));
    call("POST", "").json(json!({"name": "spring"}).to_string()).send().await.problem(409, "campaign_exists");
    let changed = json!({"active_hours": "09:00-21:00 UTC", "delay_seconds": 0});
    let changed = call("PATCH", "/spring").json(changed.to_string()).send().await.json();
    assert_eq!(changed["settings"]["active_hours"], "09:00-21:00 UTC");
    let any = call("PATCH", "/spring").json(json!({"active_hours": ""}).to_string()).send().await.json();
    assert_eq!((&any["settings"]["active_hours"], &any["settings"]["cycles"]), (&json!(null), &json!(2)));
    let chats = json!({"file": "@client_1\nno chat\n@client_2"});
    let dry = call("POST", "/spring/tasks?dry_run=true").json(chats.to_string()).send().await.json();
    assert_eq!((&dry["added"], &dry["wrong"][0]["line"]), (&json!(2), &json!(2)));
    let added = call("POST", "/spring/tasks").json(chats.to_string()).send().await.json();
    assert_eq!((&added["added"], &added["known"], &added["wrong_count"]), (&json!(2), &json!(0), &json!(1)));
    let messages = json!({"file": r#"["Hi {name}", "Hello"]"#});
    assert_eq!(call("POST", "/spring/messages").json(messages.to_string()).send().await.json()["added"], 2);
    let alone = json!({"file": r#"["Hello"]"#}).to_string();
    assert_eq!(call("POST", "/spring/messages?sync=true").json(alone).send().await.json()["known"], 1);
    let messages = call("GET", "/spring/messages").send().await.json();
    assert_eq!(
        (&messages["items"][0]["active"], &messages["items"][1]["text"]),
        (&json!(false), &json!("Hello"))
    );
    let nothing = json!({"file": "[]"}).to_string();
    call("POST", "/spring/messages?sync=true").json(nothing).send().await.problem(422, "invalid_request");
    assert_eq!(call("GET", "/spring/tasks?limit=1").send().await.json()["items"][0]["chat"], "@client_1");
    let sender = CampaignSender::Account("main".parse().expect("a name"));
    let now = world.clock.now();
    world.store.campaigns().add_senders("spring", vec![sender], now).await.expect("added");
    let shown = call("GET", "/spring").send().await.json();
    assert_eq!(
        shown["senders"][0],
        json!({"account": "main", "state": "active", "reason": null, "sent_last_hour": 0})
    );
    let foreseen = call("GET", "/spring/forecast").send().await.json();
    assert_eq!((&foreseen["recipients"], &foreseen["per_hour"]), (&json!(2), &json!(25)), "{foreseen}");
    // A second message to a person waits for an hour.
    let last = async |cycles: u32| -> Timestamp {
        let foreseen = call("GET", &format!("/spring/forecast?cycles={cycles}")).send().await.json();
        foreseen["last_leaves_at"].as_str().expect("an end").parse().expect("a time")
    };
    assert!(last(2).await.since(last(1).await) >= Duration::from_mins(59));
    let listed = json!({"contact": "@client_2"}).to_string();
    world.call("POST", "/v1/do-not-contact").json(listed).send().await;
    let foreseen = call("GET", "/spring/forecast?listed=1").send().await.json();
    assert_eq!(foreseen["left_out"], json!([{"chat": "@client_2", "reason": "do_not_contact"}]));
    assert_eq!(foreseen["previews"].as_array().map(Vec::len), Some(1), "{foreseen}");
    let lacking = json!({"file": r#"["Hi {name}"]"#}).to_string();
    call("POST", "/spring/messages?sync=true").json(lacking).send().await;
    let foreseen = call("GET", "/spring/forecast").send().await.json();
    assert_eq!(foreseen["skipped"], json!({"do_not_contact": 1, "template": 1}), "{foreseen}");
    assert_eq!((&foreseen["recipients"], &foreseen["previews"]), (&json!(0), &json!([])), "{foreseen}");
    for wrong in ["listed=1001", "cycles=0", "workers=many"] {
        let path = format!("/spring/forecast?{wrong}");
        call("GET", &path).send().await.problem(422, "invalid_request");
    }
    let foreseen = call("GET", "/spring/forecast?starts_at=2099-01-01T00:00:00Z").send().await.json();
    assert!(foreseen["last_leaves_at"].to_string().contains("2099-01-01"), "{foreseen}");
    assert_eq!(call("GET", "/spring/attempts").send().await.json()["items"], json!([]));
    assert_eq!(call("GET", "/spring/runs").send().await.json()["items"], json!([]));
    assert_eq!(call("GET", "/spring/cycles").send().await.json()["cycles"], json!([]));
    let hours = call("GET", "/spring/hours").send().await.json();
    assert_eq!((&hours["per_hour"], hours["hours"].as_array().map(Vec::len)), (&json!(25), Some(24)));
    assert_eq!(call("GET", "/spring/tasks?blocked=true").send().await.json()["items"], json!([]));
    assert_eq!(call("GET", "").send().await.json()["items"][0]["pending"], 2);
    assert_eq!(call("POST", "/spring/unblock").send().await.status, 200);
    for (named, status) in [
        (json!({"chat": "@client_2", "account": "main"}), 200),
        (json!({"chat": null}), 200),
        (json!({"chat": "@client_9"}), 422),
        (json!({"chat": ""}), 422),
        (json!({"account": "fifth"}), 422),
        (json!({"account": "profile: "}), 422),
        (json!({"group": "spring"}), 422),
    ] {
        let answer = call("POST", "/spring/unblock").json(named.to_string()).send().await;
        assert_eq!(answer.status, status, "{named}");
    }
    // No server runs it here.
    call("POST", "/spring/start").json(json!({}).to_string()).send().await.problem(409, "campaign_not_ready");
    call("POST", "/spring/pause").send().await.problem(409, "campaign_not_ready");
    let cleared = call("POST", "/spring/clear").send().await.json();
    assert_eq!((&cleared["chats"], cleared["senders"].as_array().map(Vec::len)), (&json!(0), Some(1)));
    assert_eq!(call("DELETE", "/spring").send().await.status, 204);
    call("GET", "/spring").send().await.problem(404, "campaign_not_found");
}

#[tokio::test]
async fn messages_are_shown_as_the_first_chat_would_get_them() {
    let world = World::new().await;
    let call = |path: &str| world.call("POST", &format!("/v1/campaigns{path}"));
    call("").json(json!({"name": "spring"}).to_string()).send().await;
    let preview = async || {
        let file = json!({"file": "Hi {name}\n---\nBye {city}"});
        let looked = call("/spring/messages?dry_run=true").json(file.to_string()).send().await.json();
        looked["previews"].clone()
    };
    let bare = json!([{"chat": "", "text": "Hi name"}, {"chat": "", "text": "Bye city"}]);
    assert_eq!(preview().await, bare);
    let chats = json!({"file": "chat,name\n@client_1,Anna"});
    call("/spring/tasks").json(chats.to_string()).send().await;
    let previews = preview().await;
    assert_eq!(previews[0], json!({"chat": "@client_1", "text": "Hi Anna"}));
    assert!(previews[1]["text"].as_str().expect("a text").contains("{city} has no value"), "{previews}");
}

#[tokio::test]
async fn attempts_are_downloaded_as_a_table() {
    let world = World::new().await;
    world.call("POST", "/v1/campaigns").json(json!({"name": "spring"}).to_string()).send().await;
    let head = "chat,peer,account,state,reason,detail,cycle,message,message_id,claimed_at,ended_at\r\n";
    let export = async || world.call("GET", "/v1/campaigns/spring/attempts/export").send().await;
    // Piece by piece: what is between the pieces is no part of the file.
    let bare = export().await.body;
    assert!(bare.contains(head) && !bare.contains("@client"), "{bare}");
    let (campaigns, now) = (world.store.campaigns(), world.clock.now());
    let sender = CampaignSender::Account("main".parse().expect("a name"));
    campaigns.add_senders("spring", vec![sender.clone()], now).await.expect("added");
    // More than a page has.
    let chats: Vec<_> = (1..=501).map(|number| format!("@client_{number}")).collect();
    let chats = chats.join("\n");
    world.call("POST", "/v1/campaigns/spring/tasks").json(json!({"file": chats}).to_string()).send().await;
    let id = CampaignRunId::from_uuid(world.ids.next());
    let new = NewRun { id, campaign: "spring".into(), cycles: 1, canary: None, now, starts_at: now };
    campaigns.begin(new).await.expect("begun");
    for _ in 0..501 {
        let claiming = Claiming {
            run: id,
            sender: sender.clone(),
            id: CampaignAttemptId::from_uuid(world.ids.next()),
            caps: SenderCaps { hour: 1000, day: 1000 },
            person: None,
            counted_with: Vec::new(),
            between_cycles: Duration::ZERO,
            now,
        };
        campaigns.claim(claiming).await.expect("claimed");
    }
    let answer = export().await;
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
    let text = answer.body;
    assert_eq!((text.matches(head).count(), text.matches("\r\n@client_").count()), (1, 501));
    let first = text.split("\r\n").find(|line| line.starts_with('@'));
    assert!(first.is_some_and(|line| line.starts_with("@client_501,,main,claimed,")), "{first:?}");
    let none = world.call("GET", "/v1/campaigns/spring/attempts/export?reason=banned").send().await;
    assert!(none.body.contains(head) && !none.body.contains("@client"), "{}", none.body);
    let shown = world.call("GET", "/v1/campaigns/spring").send().await.json();
    assert_eq!(shown["run"]["attempts"]["claimed"], 501);
    // All had their turn in this cycle, which was the last.
    for (wanted, left) in [("", 0), ("?new=true", 501)] {
        let foreseen =
            world.call("GET", &format!("/v1/campaigns/spring/forecast{wanted}")).send().await.json();
        assert_eq!(foreseen["recipients"], left, "{foreseen}");
    }
}

#[tokio::test]
async fn invalid_campaigns_are_refused() {
    let world = World::new().await;
    let refused = async |body: serde_json::Value| {
        world
            .call("POST", "/v1/campaigns")
            .json(body.to_string())
            .send()
            .await
            .problem(422, "invalid_request");
    };
    refused(json!({"name": "🌸"})).await;
    refused(json!({"name": "я".repeat(101)})).await;
    refused(json!({"name": "spring", "settings": {"max_messages_per_hour": 61}})).await;
    refused(json!({"name": "spring", "settings": {"cycles": 101}})).await;
    refused(json!({"name": "spring", "settings": {"active_hours": "always"}})).await;
    world.call("POST", "/v1/campaigns").json(json!({"name": "spring"}).to_string()).send().await;
    let call = |path: &str| world.call("POST", &format!("/v1/campaigns/spring/{path}"));
    call("senders")
        .json(json!({"accounts": ["nobody"]}).to_string())
        .send()
        .await
        .problem(422, "invalid_request");
    call("start").json(json!({"canary": 0}).to_string()).send().await.problem(422, "invalid_request");
    world.call("GET", "/v1/campaigns/summer/forecast").send().await.problem(404, "campaign_not_found");
}

#[tokio::test]
async fn campaigns_have_names_in_any_script_and_no_two_are_one() {
    let world = World::new().await;
    let made = async |name: &str| {
        let body = json!({"name": name}).to_string();
        world.call("POST", "/v1/campaigns").json(body).send().await
    };
    for (name, slug) in
        [("Осень", "osen"), ("Весна", "vesna"), ("Spring offer", "spring_offer"), ("春", "u6625")]
    {
        let reply = made(name).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        let campaign = reply.json();
        assert_eq!((&campaign["name"], &campaign["title"]), (&json!(slug), &json!(name)));
        for address in [name, slug] {
            let path = percent_encoding::utf8_percent_encode(address, percent_encoding::NON_ALPHANUMERIC);
            let tasks = json!({"file": format!("@client_{slug}")}).to_string();
            let added = world.call("POST", &format!("/v1/campaigns/{path}/tasks")).json(tasks).send().await;
            assert_eq!(added.status, 200, "{address}: {added:?}");
            let shown = world.call("GET", &format!("/v1/campaigns/{path}")).send().await.json();
            assert_eq!((&shown["name"], &shown["chats"]), (&json!(slug), &json!(1)), "{address}");
        }
    }
    for alike in ["осень", "Osen", "Весна!", "VESNA", "spring-offer!"] {
        let reply = made(alike).await;
        if alike == "spring-offer!" {
            assert_eq!(reply.status, 201, "{reply:?}");
            continue;
        }
        reply.problem(409, "campaign_exists");
    }
    let problem = made("Весна?").await.problem(409, "campaign_exists");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("Весна\"; choose")), "{problem}");
    // A title that is the name of another campaign would find that one.
    let titled = json!({"name": "b", "title": "VESNA"}).to_string();
    world.call("POST", "/v1/campaigns").json(titled).send().await.problem(409, "campaign_exists");
}

#[tokio::test]
async fn profiles_and_proxies_are_stored_without_showing_secrets() {
    let world = World::new().await;
    let call = |method: &str, path: &str| world.call(method, &format!("/v1/campaign-{path}"));
    let file = json!({"file": "10.0.0.1:1080:demo:secret\nhttp://10.0.0.2:1\n"});
    let added = call("POST", "proxies").json(file.to_string()).send().await.json();
    assert_eq!((&added["added"], &added["wrong"][0]["line"]), (&json!(1), &json!(2)), "{added}");
    let proxy = "socks5://demo@10.0.0.1:1080";
    let made = json!({"kind": "chromium", "proxy": proxy});
    let made = call("PUT", "profiles/shop").json(made.to_string()).send().await.json();
    assert_eq!((&made["proxy"], &made["state"]), (&json!(proxy), &json!("active")), "{made}");
    let donut = json!({"kind": "donut", "api": "http://127.0.0.1:10108", "token": "secret", "id": "4c1a"});
    assert_eq!(call("PUT", "profiles/other").json(donut.to_string()).send().await.status, 200);
    for (body, field) in [
        (json!({"kind": "endpoint", "driver": "127.0.0.1"}), "driver"),
        (json!({"kind": "chromium", "proxy": "socks5://10.0.0.9:1"}), "proxy"),
        (json!({"kind": "endpoint", "driver": "http://a", "capabilities": {}, "proxy": proxy}), "proxy"),
    ] {
        let refused = call("PUT", "profiles/bad").json(body.to_string()).send().await;
        let refused = refused.problem(422, "invalid_request");
        assert!(refused.to_string().contains(field), "{refused}");
    }
    let second = json!({"kind": "firefox", "proxy": proxy}).to_string();
    let refused = call("PUT", "profiles/second").json(second).send().await.problem(409, "campaign_not_ready");
    assert!(refused.to_string().contains("the profile shop has the proxy"), "{refused}");
    let listed = call("GET", "profiles").send().await.json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(2), "{listed}");
    let proxies = call("GET", "proxies").send().await.json();
    assert_eq!(
        (&proxies["items"][0]["name"], &proxies["items"][0]["profile"]),
        (&json!(proxy), &json!("shop"))
    );
    assert!(!format!("{listed}{proxies}").contains("secret"));
    // Encoded in the address.
    let encoded = "proxies/socks5%3A%2F%2Fdemo%4010.0.0.1%3A1080";
    call("DELETE", encoded).send().await.problem(409, "campaign_not_ready");
    // No server runs it here.
    call("POST", "profiles/shop/check").send().await.problem(409, "campaign_not_ready");
    assert_eq!(call("POST", "profiles/shop/unblock").send().await.status, 200);
    let spring = json!({"name": "spring"}).to_string();
    assert_eq!(world.call("POST", "/v1/campaigns").json(spring).send().await.status, 201);
    let senders = async |body: serde_json::Value| {
        let path = "/v1/campaigns/spring/senders";
        world.call("POST", path).json(body.to_string()).send().await
    };
    senders(json!({"profiles": ["nothing"]})).await.problem(422, "invalid_request");
    let shown = senders(json!({"profiles": ["shop"]})).await.json();
    assert_eq!(shown["senders"][0]["account"], "profile:shop");
    let used = call("GET", "profiles/shop").send().await.json();
    assert_eq!(
        (&used["campaigns"], &used["max_messages_per_hour"]),
        (&json!(["spring"]), &json!(25)),
        "{used}"
    );
    let less = world.call("DELETE", "/v1/campaigns/spring/senders/profile%3Ashop").send().await.json();
    assert_eq!(less["senders"], json!([]), "{less}");
    senders(json!({"profiles": ["shop"]})).await;
    call("GET", "pictures/..%2F1_x.png").send().await.problem(404, "file_not_found");
    assert_eq!(call("DELETE", "profiles/shop").send().await.status, 204);
    let left = world.call("GET", "/v1/campaigns/spring").send().await.json();
    assert_eq!(left["senders"], json!([]));
    assert_eq!(call("DELETE", encoded).send().await.status, 204);
    call("GET", "profiles/shop").send().await.problem(404, "campaign_profile_not_found");
}
