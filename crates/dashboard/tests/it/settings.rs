//! Settings: what each role finds there, and what the forms do.

mod forms;

use domain::Role;
use http::StatusCode;

use crate::world::{PASSWORD, World, note, send};

#[tokio::test]
async fn each_role_sees_what_it_may() {
    let world = World::new().await;
    for (role, status) in [
        (Role::Viewer, StatusCode::FORBIDDEN),
        (Role::Operator, StatusCode::FORBIDDEN),
        (Role::Admin, StatusCode::OK),
    ] {
        let browser = world.person(role).await;
        let me = browser.get("/settings/me").await;
        assert_eq!(me.status, StatusCode::OK);
        assert_eq!(me.body.contains("/settings/people"), role == Role::Admin, "{role:?}");
        for path in ["/settings/people", "/settings/people/admin", "/settings/keys", "/settings/audit"] {
            let expected =
                if path.ends_with("/admin") && role == Role::Admin { StatusCode::OK } else { status };
            assert_eq!(browser.get(path).await.status, expected, "{role:?} {path}");
        }
        let fields = [("name", "x"), ("role", "admin"), ("password", "correct horse")];
        let added = send(&browser, "/settings/people/actions/add", &fields).await;
        assert_eq!(added.status, StatusCode::SEE_OTHER);
        let is_there = world.access.person(&"x".parse().expect("a name")).await.expect("reads").is_some();
        assert_eq!(is_there, role == Role::Admin, "{role:?}");
        if role != Role::Admin {
            assert!(note(&added).contains("admin"), "{}", note(&added));
        }
    }
    assert_eq!(
        world.stranger().get("/settings/people").await.header("location"),
        "/sign-in?next=%2Fsettings%2Fpeople"
    );
}

#[tokio::test]
async fn a_form_without_its_token_changes_nothing() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    let other = world.person(Role::Viewer).await;
    let fields =
        |token: &'static str| vec![("csrf", token), ("name", "x"), ("role", "admin"), ("password", PASSWORD)];
    for token in ["", "made-up"] {
        let refused = admin.post("/settings/people/actions/add", &fields(token)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{token}");
    }
    // Nor does the token of someone else's session open this one.
    let stolen = [("csrf", other.csrf.as_str()), ("name", "x"), ("role", "admin"), ("password", PASSWORD)];
    assert_eq!(admin.post("/settings/people/actions/add", &stolen).await.status, StatusCode::FORBIDDEN);
    let own = [("csrf", admin.csrf.as_str()), ("name", "x"), ("role", "admin"), ("password", PASSWORD)];
    let cross =
        admin.post_with("/settings/people/actions/add", &[("sec-fetch-site", "cross-site")], &own).await;
    assert_eq!(cross.status, StatusCode::FORBIDDEN);
    assert_eq!(world.access.people().await.expect("reads").len(), 2);
}

#[tokio::test]
async fn people_are_added_changed_and_removed_and_it_is_written_down() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    let fields = [("name", "Борис"), ("role", "viewer"), ("password", "correct horse")];
    let added = send(&admin, "/settings/people/actions/add", &fields).await;
    assert_eq!(note(&added), "борис may sign in now.");
    let list = admin.get("/settings/people").await;
    assert!(list.body.contains("2 people may sign in.") && list.body.contains("борис"), "{}", list.body);
    let own = "/settings/people/%D0%B1%D0%BE%D1%80%D0%B8%D1%81";
    assert_eq!(admin.get(own).await.status, StatusCode::OK);
    let changed = send(&admin, &format!("{own}/actions/role"), &[("role", "operator")]).await;
    assert_eq!((changed.header("location"), note(&changed).as_str()), (own, "борис is operator now."));
    let empty = send(&admin, &format!("{own}/actions/role"), &[]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(empty.body.contains("missing field <code>role</code>"), "{}", empty.body);
    let set = send(&admin, &format!("{own}/actions/password"), &[("password", "short")]).await;
    assert!(note(&set).contains("too short"), "{}", note(&set));
    let question = admin.get(&format!("{own}/remove")).await;
    assert!(
        question.body.contains("Remove борис?") && question.body.contains("id=\"ask\""),
        "{}",
        question.body
    );
    let removed = send(&admin, &format!("{own}/actions/remove"), &[]).await;
    assert_eq!(
        (removed.header("location"), note(&removed).as_str()),
        ("/settings/people", "борис is removed.")
    );
    assert_eq!(admin.get(own).await.status, StatusCode::NOT_FOUND);
    let refused = send(&admin, "/settings/people/admin/actions/remove", &[]).await;
    assert!(note(&refused).contains("last admin"), "{}", note(&refused));
    assert_eq!(
        send(&admin, "/settings/people/admin/actions/explode", &[]).await.status,
        StatusCode::NOT_FOUND
    );

    let log = admin.get("/settings/audit?who=admin").await;
    for action in ["add_user", "change_user", "set_user_password", "remove_user", "last_admin", "sign_in"] {
        assert!(log.body.contains(action), "{action} in {}", log.body);
    }
    assert!(!log.body.contains("correct horse") && !log.body.contains("short<"), "{}", log.body);
    let none = admin.get("/settings/audit?action=%3Cscript%3E").await;
    assert!(none.body.contains("Nothing found") && !none.body.contains("<script>"), "{}", none.body);
    assert_eq!(admin.get("/settings/audit?cursor=x").await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_key_is_shown_once_and_revoked() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    let without = send(&admin, "/settings/keys/actions/create", &[("name", "n8n")]).await;
    assert!(note(&without).contains("tick one"), "{}", note(&without));
    let made = send(&admin, "/settings/keys/actions/create", &[("name", "n8n"), ("send", "yes")]).await;
    assert_eq!(made.status, StatusCode::OK);
    let key =
        made.body.split("<code id=\"key\">").nth(1).and_then(|rest| rest.split('<').next()).expect("a key");
    assert!(key.starts_with("swb_"), "{key}");
    let list = admin.get("/settings/keys").await;
    assert!(!list.body.contains(key) && list.body.contains("1 key works."), "{}", list.body);
    let path = list.body.split('"').find(|text| text.ends_with("/revoke")).expect("a button").to_owned();
    let question = admin.get(&path).await;
    assert!(question.body.contains("Revoke the key of n8n?"), "{}", question.body);
    let action = path.replace("/revoke", "/actions/revoke");
    assert_eq!(note(&send(&admin, &action, &[]).await), "The key of n8n is revoked.");
    assert!(admin.get("/settings/keys").await.body.contains("0 keys work."));
}

#[tokio::test]
async fn a_key_has_limits_that_can_be_changed() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    let limits = [
        ("name", "shop"),
        ("send", "yes"),
        ("operate", "yes"),
        ("accounts", "main, backup_1"),
        ("chats", "-1001234567890"),
        ("channels", ""),
        ("expires_in", "3d"),
        ("rate", "10/s"),
        ("burst", "20"),
    ];
    let made = send(&admin, "/settings/keys/actions/create", &limits).await;
    assert_eq!(made.status, StatusCode::OK);
    let list = admin.get("/settings/keys").await.body;
    for shown in
        [">operate<", ">main<", ">backup_1<", ">-1001234567890<", "10/s, 20 at once", "ends soon", "never"]
    {
        assert!(list.contains(shown), "{shown} in {list}");
    }
    let path = list.split('"').find(|text| text.ends_with("/change")).expect("a button").to_owned();
    let form = admin.get(&path).await.body;
    assert!(form.contains("value=\"main, backup_1\"") && form.contains("value=\"20\""), "{form}");
    let action = path.replace("/change", "/actions/change");
    let changed =
        [("name", "shop 2"), ("accounts", "main"), ("chats", ""), ("expires_in", "never"), ("rate", "")];
    assert_eq!(note(&send(&admin, &action, &changed).await), "The key of shop 2 is changed.");
    let list = admin.get("/settings/keys").await.body;
    assert!(list.contains(">main<"), "{list}");
    for gone in [">backup_1<", ">-1001234567890<", ">10/s", "ends soon"] {
        assert!(!list.contains(gone), "{gone} in {list}");
    }
    let wrong = send(&admin, &action, &[("name", "shop"), ("rate", "fast")]).await;
    assert!(note(&wrong).contains("rate"), "{}", note(&wrong));
}

#[tokio::test]
async fn a_second_factor_is_turned_on_page_by_page() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await;
    assert_eq!(viewer.get("/settings/me/second-factor").await.header("location"), "/settings/me");
    let offered = send(&viewer, "/settings/me/actions/offer-second-factor", &[]).await;
    assert_eq!(offered.header("location"), "/settings/me/second-factor");
    let page = viewer.get("/settings/me/second-factor").await;
    assert!(page.body.contains("<svg viewBox") && page.body.contains("one-time-code"), "{}", page.body);
    let wrong = send(&viewer, "/settings/me/actions/confirm-second-factor", &[("code", "12345")]).await;
    assert_eq!(wrong.header("location"), "/settings/me/second-factor");
    assert!(note(&wrong).contains("clock"), "{}", note(&wrong));
    let off =
        send(&viewer, "/settings/me/actions/drop-second-factor", &[("present", "wrong password")]).await;
    assert!(note(&off).contains("current password is wrong"), "{}", note(&off));
}

#[tokio::test]
async fn replacing_a_second_factor_needs_the_password() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await;
    send(&viewer, "/settings/me/actions/offer-second-factor", &[]).await;
    let page = viewer.get("/settings/me/second-factor").await;
    let secret = page.body.split("<code>").nth(1).and_then(|rest| rest.split('<').next()).expect("a secret");
    let now = world.clock.now().as_seconds();
    let code = testkit::authenticator::code(&secret.replace(' ', ""), now);
    let confirm = "/settings/me/actions/confirm-second-factor";
    assert_eq!(send(&viewer, confirm, &[("code", &code)]).await.status, StatusCode::OK);
    for action in ["/settings/me/actions/offer-second-factor", confirm] {
        let refused = send(&viewer, action, &[("code", &code)]).await;
        assert!(note(&refused).contains("Turn it off first"), "{}", note(&refused));
        assert_eq!(refused.header("location"), "/settings/me");
    }
    assert_eq!(viewer.get("/settings/me/second-factor").await.header("location"), "/settings/me");
}

#[tokio::test]
async fn a_password_is_changed_and_other_sessions_end() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await;
    let signed_in = world.access.sign_in("viewer", PASSWORD.into(), &access::ClientInfo::default()).await;
    let Ok(access::SignIn::Done(other)) = signed_in else { panic!("{signed_in:?}") };
    let elsewhere = world.stranger().with(&format!("switchboard={}", other.token.text()));
    assert_eq!(elsewhere.get("/").await.status, StatusCode::OK);
    let fields = [("present", PASSWORD), ("new", "another password")];
    let changed = send(&viewer, "/settings/me/actions/change-password", &fields).await;
    assert!(note(&changed).contains("changed"), "{}", note(&changed));
    assert_eq!(viewer.get("/settings/me").await.status, StatusCode::OK);
    assert_eq!(elsewhere.get("/").await.header("location"), "/sign-in");
    let me = viewer.get("/settings/me").await;
    assert!(me.body.contains("this one") && !me.body.contains("actions/end-session\""), "{}", me.body);
}

#[tokio::test]
async fn opposite_presses_both_learn_the_outcome() {
    let world = World::new().await;
    let (one, two) = (world.person(Role::Admin).await, world.person(Role::Operator).await);
    let (start, stop) = tokio::join!(
        send(&one, "/cards/service:send_text/actions/stop", &[("back", "/")]),
        send(&two, "/cards/service:send_text/actions/start", &[("back", "/")]),
    );
    for page in [&start, &stop] {
        assert_eq!((page.status, page.header("location")), (StatusCode::SEE_OTHER, "/"));
        note(page);
    }
    let log = one.get("/settings/audit?action=act_on_service").await;
    for part in ["action: stop", "action: start", "operator", "admin"] {
        assert!(log.body.contains(part), "{part} in {}", log.body);
    }
}

#[tokio::test]
async fn alert_targets_are_added_tested_and_removed() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    let none = admin.get("/settings/alerts").await;
    assert!(none.body.contains("No one is notified yet"), "{}", none.body);
    let add = "/settings/alerts/actions/add";
    let wrong = send(&admin, add, &[("kind", "telegram"), ("name", "owner"), ("chat", "")]).await;
    assert!(note(&wrong).contains("chat"), "{}", note(&wrong));
    let fields =
        [("kind", "webhook"), ("name", "hook"), ("url", "https://example.com/secret-path"), ("secret", "")];
    let added = send(&admin, add, &fields).await;
    assert!(note(&added).contains("hook gets alerts from now on"), "{}", note(&added));
    let list = admin.get("/settings/alerts").await;
    assert!(
        list.body.contains("1 recipient is notified.") && list.body.contains("https://example.com"),
        "{}",
        list.body
    );
    assert!(!list.body.contains("secret-path"), "{}", list.body);
    assert!(admin.get("/settings/alerts/hook/remove").await.body.contains("Remove hook?"));
    let removed = send(&admin, "/settings/alerts/hook/actions/remove", &[]).await;
    assert!(note(&removed).contains("gets no more alerts"), "{}", note(&removed));
    let operator = world.person(Role::Operator).await;
    assert_eq!(operator.get("/settings/alerts").await.status, StatusCode::FORBIDDEN);
    let refused = send(&operator, add, &fields).await;
    assert!(note(&refused).contains("takes the role admin"), "{}", note(&refused));
}

#[tokio::test]
async fn a_window_is_made_by_the_clock_on_the_wall() {
    let world = World::new().await;
    let operator = world.person(Role::Operator).await.with("zone=180");
    let fields =
        [("note", "move"), ("scope", ""), ("from", "2100-01-01T10:00"), ("until", "2100-01-01T12:00")];
    let once = "/settings/maintenance/actions/once";
    assert_eq!(note(&send(&operator, once, &fields).await), "The window is made.");
    let fields =
        [("note", "backup"), ("scope", "account"), ("sat", "yes"), ("start", "02:00"), ("minutes", "90")];
    let weekly = "/settings/maintenance/actions/weekly";
    assert_eq!(note(&send(&operator, weekly, &fields).await), "The window is made.");
    let page = operator.get("/settings/maintenance").await;
    for part in ["2100-01-01T07:00:00", "10:00", "Sat at 02:00 (UTC+03:00), 90 minutes", "operator"] {
        assert!(page.body.contains(part), "{part} in {}", page.body);
    }
    let no_number = [("note", ""), ("scope", "all"), ("sat", "yes"), ("start", "02:00"), ("minutes", "long")];
    assert!(note(&send(&operator, weekly, &no_number).await).contains("minutes"));
    assert!(!page.body.contains("/actions/remove"), "it is asked first: {}", page.body);
    let question = page.body.split('"').find(|text| text.ends_with("/remove")).expect("a button").to_owned();
    let confirmation = operator.get(&question).await;
    for part in ["Remove the maintenance window", "Keep it", "/actions/remove"] {
        assert!(confirmation.body.contains(part), "{part} in {}", confirmation.body);
    }
    let viewer = world.person(Role::Viewer).await;
    assert_eq!(viewer.get(&question).await.status, StatusCode::FORBIDDEN);
    let path = confirmation
        .body
        .split('"')
        .find(|text| text.ends_with("/actions/remove"))
        .expect("a button")
        .to_owned();
    assert!(note(&send(&operator, &path, &[]).await).contains("removed"));
    assert_eq!(operator.get(&question).await.status, StatusCode::NOT_FOUND);
    assert_eq!(viewer.get("/settings/maintenance").await.status, StatusCode::FORBIDDEN);
    assert!(note(&send(&viewer, weekly, &fields).await).contains("takes the role operator"));
}
