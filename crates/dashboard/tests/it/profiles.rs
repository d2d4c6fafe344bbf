//! Browser profiles and proxies: listed with what went wrong, made, changed and removed by forms, and logged in.

use domain::{CampaignSender, ProfileName, Role};
use http::StatusCode;
use store::{CampaignRow, NewPicture};

use crate::world::{Browser, World, send, shows};

const PROXY: &str = "socks5://demo@10.0.0.1:1080";
const QUESTION: &str = "/campaign-proxies/remove?name=socks5%3A%2F%2Fdemo%4010%2E0%2E0%2E1%3A1080";

/// A profile that is made on the page and sends for a campaign, after something went wrong.
async fn shop(world: &World) -> Browser<'_> {
    let admin = world.person(Role::Admin).await;
    let made = send(&admin, "/campaign-profiles", &[("name", "shop"), ("proxy", "")]).await;
    assert_eq!((made.status, made.header("location")), (StatusCode::SEE_OTHER, "/campaign-profiles/shop"));
    let (campaigns, now) = (world.store.campaigns(), world.clock.now());
    let name: ProfileName = "shop".parse().expect("a name");
    let row = CampaignRow {
        name: "spring".to_owned(),
        title: "spring".to_owned(),
        settings: "{}".to_owned(),
        created_at: now,
    };
    assert!(campaigns.add(row).await.expect("added"));
    campaigns.add_senders("spring", vec![CampaignSender::Profile(name.clone())], now).await.expect("added");
    campaigns.profile_went_wrong(&name, "chromium cannot be started", now).await.expect("kept");
    let file = "1_shop.png".to_owned();
    let picture = NewPicture { file, profile: name, attempt: None, taken_at: now, oldest: now };
    campaigns.add_picture(picture).await.expect("kept");
    admin
}

#[tokio::test]
async fn profiles_are_shown_with_what_went_wrong_last() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await;
    shows(&viewer.get("/campaign-profiles").await, &["No browser profiles"]);
    shop(&world).await;
    let page = viewer.get("/campaign-profiles").await;
    shows(&page, &["Not logged in", "0 of 25", "/campaigns/spring", "chromium cannot be started"]);
    assert!(!page.body.contains("<form class=\"stack\""), "{}", page.body);
    let page = viewer.get("/campaign-profiles/shop").await;
    shows(&page, &["no one yet", "0 of 25", "src=\"/campaign-pictures/1_shop.png\"", "1_shop.html"]);
    for offered in ["/log-in", "/actions/", "/remove"] {
        assert!(!page.body.contains(&format!("/campaign-profiles/shop{offered}")), "it offers {offered}");
    }
    for path in ["/campaign-profiles/shop/log-in", "/campaign-profiles/shop/remove", QUESTION] {
        assert_eq!(viewer.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    for path in ["/campaign-profiles", "/campaign-proxies"] {
        assert_eq!(send(&viewer, path, &[]).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    // Its time is over.
    assert_eq!(viewer.get("/campaign-pictures/1_shop.png").await.status, StatusCode::NOT_FOUND);
    assert_eq!(viewer.get("/campaign-profiles/none").await.status, StatusCode::NOT_FOUND);
    let russian = viewer.with("language=ru");
    shows(&russian.get("/campaign-profiles/shop").await, &["Нужен вход", "0 из 25", "пока никто"]);
}

#[tokio::test]
async fn profiles_and_proxies_are_changed_by_forms() {
    let world = World::new().await;
    let admin = shop(&world).await;
    let fields = [("name", "shop_2"), ("kind", "firefox"), ("proxy", "")];
    let made = send(&admin, "/campaign-profiles", &fields).await;
    assert_eq!(made.header("location"), "/campaign-profiles/shop%5F2");
    shows(&admin.get("/campaign-profiles/shop_2").await, &["firefox"]);
    for (name, expected) in [("", "is missing"), ("shop", "There is a profile"), ("!!!", "name-error")] {
        let page = send(&admin, "/campaign-profiles", &[("name", name)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        assert!(page.body.contains(expected), "{name}: {}", page.body);
    }
    let some =
        send(&admin, "/campaign-proxies", &[("file", "10.0.0.1:1080:demo:secret\r\nhttp://a:1")]).await;
    assert_eq!(some.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(some.body.contains("Line 2") && some.body.contains(PROXY), "{}", some.body);
    let page = admin.get("/campaign-proxies").await;
    shows(&page, &[PROXY, "Not tested", "/campaign-proxies/remove?name="]);
    assert!(!page.body.contains("secret"), "{}", page.body);
    let changed = send(&admin, "/campaign-profiles/shop/actions/proxy", &[("proxy", PROXY)]).await;
    assert_eq!(changed.header("location"), "/campaign-profiles/shop");
    shows(&admin.get("/campaign-profiles/shop").await, &[PROXY, "/actions/check"]);
    let page = admin.get("/campaign-proxies").await;
    shows(&page, &["href=\"/campaign-profiles/shop\""]);
    assert!(!page.body.contains("/campaign-proxies/remove"), "a profile has it: {}", page.body);
    // No server runs here that could open the browser.
    shows(&admin.get("/campaign-profiles/shop/log-in").await, &["The browser is not opened"]);
    send(&admin, "/campaign-profiles/shop/actions/unblock", &[]).await;
    assert_eq!(send(&admin, "/campaign-profiles/shop/actions/burn", &[]).await.status, StatusCode::NOT_FOUND);
    shows(&admin.get("/campaign-profiles/shop/remove").await, &["id=\"ask\"", "Remove shop?"]);
    let removed = send(&admin, "/campaign-profiles/shop/actions/remove", &[]).await;
    assert_eq!(removed.header("location"), "/campaign-profiles");
    shows(&admin.get(QUESTION).await, &["id=\"ask\"", PROXY]);
    send(&admin, "/campaign-proxies/actions/remove", &[("name", PROXY)]).await;
    shows(&admin.get("/campaign-proxies").await, &["No proxies"]);
}

#[tokio::test]
async fn a_profile_is_added_to_a_campaign_and_removed_again() {
    let world = World::new().await;
    let operator = world.person(Role::Operator).await;
    shop(&world).await;
    let sender = ("sender", "profile:shop");
    send(&operator, "/campaigns/spring/actions/remove-sender", &[sender]).await;
    shows(&operator.get("/campaigns/spring").await, &["None yet"]);
    shows(&operator.get("/campaigns/spring/change").await, &["value=\"profile:shop\">profile:shop"]);
    let changed = send(&operator, "/campaigns/spring/change", &[("account", "profile:shop")]).await;
    assert_eq!(changed.header("location"), "/campaigns/spring");
    shows(
        &operator.get("/campaigns/spring").await,
        &["href=\"/campaign-profiles/shop\"", "/actions/remove-sender"],
    );
}
