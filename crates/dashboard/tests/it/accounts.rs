//! Accounts: the list, one of them, adding, changing, removing, signing in as far as it goes without Telegram, and who may.

use domain::Role;
use http::StatusCode;
use store::{Missed, TakenUpdates};

use crate::world::{Browser, Page, World, note, send, send_files};

const HASH: &str = "0123456789abcdef0123456789abcdef";

async fn added(admin: &Browser<'_>, name: &str) {
    let fields =
        [("name", name), ("api_id", "1000001"), ("api_hash", HASH), ("priority", "2"), ("pool", "yes")];
    let page = send(admin, "/accounts/add", &fields).await;
    assert_eq!(
        (page.status, page.header("location")),
        (StatusCode::SEE_OTHER, &*format!("/accounts/{name}/login"))
    );
}

#[tokio::test]
async fn an_account_is_added_changed_stopped_and_removed() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    let empty = admin.get("/accounts").await;
    assert!(
        empty.body.contains("No accounts yet") && empty.body.contains("/accounts/import"),
        "{}",
        empty.body
    );
    added(&admin, "main").await;
    let list = admin.get("/accounts").await;
    assert!(
        list.body.contains("href=\"/accounts/main\"") && list.body.contains("Needs login"),
        "{}",
        list.body
    );
    let one = admin.get("/accounts/main").await;
    for part in
        ["It has no usable session", "/accounts/main/login", "/accounts/main/change", "/accounts/main/remove"]
    {
        assert!(one.body.contains(part), "{part} in {}", one.body);
    }
    let changed = [
        ("priority", "7"),
        ("phone", "+7 000 000-00-01"),
        ("proxy", "socks5://u:hidden@proxy.example.com:9"),
    ];
    let page = send(&admin, "/accounts/main/change", &changed).await;
    assert_eq!((page.status, note(&page).as_str()), (StatusCode::SEE_OTHER, "main is changed."));
    let one = admin.get("/accounts/main").await;
    for part in ["+7••••••••01", "only when named", "<dd>7</dd>", "<dd>yes</dd>"] {
        assert!(one.body.contains(part), "{part} in {}", one.body);
    }
    for path in ["/accounts/main", "/accounts/main/change", "/accounts"] {
        let page = admin.get(path).await;
        assert!(!page.body.contains("hidden@") && !page.body.contains("0000001"), "{path}");
    }
    let page = send(&admin, "/accounts/main/actions/stop", &[]).await;
    assert_eq!(page.header("location"), "/accounts/main");
    let one = admin.get("/accounts/main").await;
    assert!(one.body.contains("/accounts/main/actions/start"), "{}", one.body);
    assert!(!one.body.contains("/accounts/main/actions/pause"), "{}", one.body);

    let question = admin.get("/accounts/main/remove").await;
    for part in ["Remove main?", "0 chats go through it", "name=\"typed\""] {
        assert!(question.body.contains(part), "{part} in {}", question.body);
    }
    for typed in ["", "Main", "main2"] {
        let page = send(&admin, "/accounts/main/remove", &[("typed", typed)]).await;
        assert_eq!(page.header("location"), "/accounts/main/remove");
        assert!(note(&page).contains("Nothing was removed"), "{}", note(&page));
    }
    let page = send(&admin, "/accounts/main/remove", &[("typed", "main")]).await;
    assert_eq!((page.header("location"), note(&page).as_str()), ("/accounts", "main is removed."));
    for path in ["/accounts/main", "/accounts/main/login", "/accounts/main/change", "/accounts/main/remove"] {
        assert_eq!(admin.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn wrong_form_returns_its_values_without_secrets() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    let fields = [
        ("name", "<Main>"),
        ("api_id", "1000001"),
        ("api_hash", "sEcReT-hash"),
        ("phone", "+1-secret-phone"),
        ("proxy", "http://sEcReT-proxy"),
        ("priority", "100"),
    ];
    let page = send(&admin, "/accounts/add", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page:?}");
    assert!(
        page.body.contains("aria-invalid=\"true\"") && page.body.contains("value=\"1000001\""),
        "{}",
        page.body
    );
    assert!(!page.body.to_lowercase().contains("secret-"), "{}", page.body);
    assert!(!page.body.contains("<Main>"), "{}", page.body);
    let wrong_hash = [("name", "main"), ("api_id", "1"), ("api_hash", "short")];
    let page = send(&admin, "/accounts/add", &wrong_hash).await;
    assert!(page.body.contains("It has 32 digits"), "{}", page.body);
    added(&admin, "main").await;
    let again = [("name", "main"), ("api_id", "1"), ("api_hash", HASH)];
    let page = send(&admin, "/accounts/add", &again).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("An account has this name already."), "{}", page.body);
    let page = send(&admin, "/accounts/main/change", &[("priority", "many")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("aria-invalid=\"true\""), "{}", page.body);
}

#[tokio::test]
async fn each_role_does_what_it_may_and_no_more() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    added(&admin, "main").await;
    let (viewer, operator) = (world.person(Role::Viewer).await, world.person(Role::Operator).await);
    let page = viewer.get("/accounts").await;
    for hidden in ["/accounts/add", "/accounts/import", "/login"] {
        assert!(!page.body.contains(hidden), "{hidden}");
    }
    let page = viewer.get("/accounts/main").await;
    for hidden in ["/actions/", "/login", "/change", "/export", "/remove"] {
        let inside = page.body.split("<main").nth(1).expect("the page");
        assert!(!inside.contains(hidden), "{hidden} in {inside}");
    }
    let page = operator.get("/accounts/main").await;
    for (part, shown) in [("/actions/pause", true), ("/login", true), ("/change", false), ("/export", false)]
    {
        assert_eq!(page.body.contains(part), shown, "{part}");
    }
    let gets = [
        ("/accounts/add", false),
        ("/accounts/main/login", true),
        ("/accounts/main/change", false),
        ("/accounts/main/export", false),
        ("/accounts/main/remove", false),
        ("/accounts/sessions/1f2e3d4c5b6a7988/give", false),
    ];
    for (path, operators) in gets {
        assert_eq!(viewer.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
        let status = if operators { StatusCode::OK } else { StatusCode::FORBIDDEN };
        assert_eq!(operator.get(path).await.status, status, "{path}");
        assert!(world.stranger().get(path).await.header("location").starts_with("/sign-in"), "{path}");
    }
    for path in [
        "/accounts/add",
        "/accounts/main/change",
        "/accounts/main/remove",
        "/accounts/sessions/1f2e3d4c5b6a7988/actions/drop",
    ] {
        for browser in [&viewer, &operator] {
            assert_eq!(
                send(browser, path, &[("typed", "main")]).await.status,
                StatusCode::FORBIDDEN,
                "{path}"
            );
        }
    }
    for path in ["/accounts/main/actions/stop", "/accounts/main/login/actions/start"] {
        assert_eq!(send(&viewer, path, &[("by", "phone")]).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(send(&operator, "/accounts/main/actions/stop", &[]).await.status, StatusCode::SEE_OTHER);
    assert!(admin.get("/accounts/main").await.body.contains("/accounts/main/actions/start"));
}

#[tokio::test]
async fn a_form_without_its_token_or_of_elsewhere_changes_nothing() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    added(&admin, "main").await;
    let token = admin.csrf.as_str();
    for path in ["/accounts/main/remove", "/accounts/main/actions/stop", "/accounts/main/login/actions/start"]
    {
        let page = admin.post(path, &[("typed", "main"), ("by", "phone")]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        let fields = [("csrf", token), ("typed", "main"), ("by", "phone")];
        let page = admin.post_with(path, &[("sec-fetch-site", "cross-site")], &fields).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
    }
    let one = admin.get("/accounts/main").await;
    assert!(one.body.contains("/accounts/main/actions/pause"), "{}", one.body);
    assert!(admin.get("/accounts/main/login").await.body.contains("data-state=\"none\""));
}

#[tokio::test]
async fn sign_in_refuses_steps_that_are_not_due() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    added(&admin, "main").await;
    let page = admin.get("/accounts/main/login").await;
    for part in ["Show the QR code", "Send the code", "autocomplete=\"tel\"", "/accounts/import"] {
        assert!(page.body.contains(part), "{part} in {}", page.body);
    }
    let page = send(&admin, "/accounts/main/login/actions/start", &[("by", "phone")]).await;
    assert_eq!(page.header("location"), "/accounts/main/login");
    assert!(note(&page).contains("No phone number is stored"), "{}", note(&page));
    let wrong = [("by", "phone"), ("phone", "secret-number")];
    let page = send(&admin, "/accounts/main/login/actions/start", &wrong).await;
    assert!(note(&page).contains("country code") && !note(&page).contains("secret"), "{}", note(&page));
    for (step, fields) in [
        ("code", vec![("code", "12345")]),
        ("password", vec![("password", "pass")]),
        ("terms", vec![("accept", "yes")]),
        ("resend", vec![]),
    ] {
        let page = send(&admin, &format!("/accounts/main/login/actions/{step}"), &fields).await;
        assert!(note(&page).contains("not the next step"), "{step}: {}", note(&page));
        assert!(!format!("{page:?}").contains("12345"), "{step}");
    }
    let page = send(&admin, "/accounts/main/login/actions/cancel", &[]).await;
    assert_eq!(page.header("location"), "/accounts/main");
    for path in ["/accounts/main/login/actions/dance", "/accounts/other/login/actions/start"] {
        let page = send(&admin, path, &[("by", "qr")]).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn hostile_names_and_filters_are_harmless() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    added(&admin, "main").await;
    let page = admin.get("/accounts?q=%3Cscript%3Ealert(1)%3C/script%3E&state=trouble").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.body.contains("<script>alert") && page.body.contains("Nothing found"), "{}", page.body);
    let page = admin.get("/accounts?state=ill").await;
    assert!(page.body.contains("The filter has a wrong field"), "{}", page.body);
    let page = admin.get("/accounts?q=MAI&state=needs_login").await;
    assert!(page.body.contains("href=\"/accounts/main\""), "{}", page.body);
    for path in ["/accounts/%3Cb%3E", "/accounts/..%2F..%2Fv1", "/accounts/main%2Flogin", "/accounts/Main"] {
        assert_eq!(admin.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    for (path, russian) in [
        ("/accounts", "Внимания требует 1 из 1 аккаунта"),
        ("/accounts/add", "Добавить аккаунт"),
        ("/accounts/main", "Об аккаунте"),
        ("/accounts/main/login", "Вход в main"),
        ("/accounts/main/change", "Изменить main"),
        ("/accounts/main/export", "Выгрузить сессию main"),
        ("/accounts/main/remove", "Удалить main?"),
    ] {
        let page = admin.get_with(path, &[("accept-language", "ru")]).await;
        assert!(page.body.contains(russian), "{russian} in {path}: {}", page.body);
        assert_eq!(page.body.matches("<h1").count(), 1, "{path}");
        for inline in [" style=", "<style", "onclick=", "<script>", "javascript:", "http://", "https://"] {
            assert!(!page.body.contains(inline), "{inline} in {path}");
        }
    }
}

/// Drops files on the page of imports.
async fn drop_files(browser: &Browser<'_>, token: &str, files: &[(&str, &str)]) -> Page {
    let files: Vec<_> = files.iter().map(|(name, text)| ("file", *name, *text)).collect();
    send_files(browser, "/accounts/import", &[("csrf", token)], &files).await
}

#[tokio::test]
async fn dropped_files_are_looked_through_first_and_taken_back() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    let page = admin.get("/accounts/import").await;
    for part in ["Stop the old program first", "enctype=\"multipart/form-data\"", "type=\"file\" multiple"] {
        assert!(page.body.contains(part), "{part} in {}", page.body);
    }
    let files = [("../../<main>.session", "no session at all"), ("notes.txt", "hello")];
    let page = drop_files(&admin, &admin.csrf, &files).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{page:?}");
    let look = page.header("location").to_owned();
    assert!(look.starts_with("/accounts/import/imp"), "{look}");
    assert_eq!(world.folders_in("imports"), 1);
    let page = admin.get(&look).await;
    for part in ["_main_.session", "notes.txt", "Unreadable", "Nothing was opened or changed yet"] {
        assert!(page.body.contains(part), "{part} in {}", page.body);
    }
    assert!(!page.body.contains("/imports/") && !page.body.contains("actions/import\""), "{}", page.body);
    let page = send(&admin, &format!("{look}/actions/take-back"), &[]).await;
    assert_eq!(
        (page.header("location"), note(&page).as_str()),
        ("/accounts/import", "The files are removed. Nothing was imported.")
    );
    assert_eq!(world.folders_in("imports"), 0);
    assert_eq!(admin.get(&look).await.status, StatusCode::NOT_FOUND);
    assert_eq!(admin.get("/accounts/import/..").await.status, StatusCode::NOT_FOUND);
    assert_eq!(admin.get("/accounts/import/under-way").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn import_needs_the_word_that_the_old_program_stopped() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    let look = drop_files(&admin, &admin.csrf, &[("main.session", "x")]).await.header("location").to_owned();
    let begin = format!("{look}/actions/import");
    let page = send(&admin, &begin, &[]).await;
    assert_eq!(page.header("location"), look);
    assert!(note(&page).contains("Nothing was imported"), "{}", note(&page));
    let wrong = [("stopped", "yes"), ("api_id", "x"), ("api_hash", "sEcReT")];
    let page = send(&admin, &begin, &wrong).await;
    assert!(!note(&page).contains("sEcReT"), "{}", note(&page));
    let page = send(&admin, &begin, &[("stopped", "yes")]).await;
    assert_eq!(page.header("location"), "/accounts/import/under-way", "{page:?}");
    let page = admin.get("/accounts/import/under-way").await;
    assert!(page.body.contains("No new session") && page.body.contains("Unreadable"), "{}", page.body);
    // What was imported is not kept.
    assert_eq!(world.folders_in("imports"), 0);
    assert_eq!(admin.get(&look).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn files_of_elsewhere_of_no_one_and_too_many_are_not_taken() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    for token in ["", "made-up"] {
        assert_eq!(drop_files(&admin, token, &[("a.session", "x")]).await.status, StatusCode::FORBIDDEN);
    }
    let operator = world.person(Role::Operator).await;
    assert_eq!(drop_files(&operator, &operator.csrf, &[("a", "x")]).await.status, StatusCode::FORBIDDEN);
    for path in ["/accounts/import", "/accounts/import/imp_1", "/accounts/import/under-way"] {
        assert_eq!(operator.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    for files in [vec![], vec![("main.session", "")], vec![("a.session", "x"); 201]] {
        let page = drop_files(&admin, &admin.csrf, &files).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", files.len());
        assert!(page.body.contains("The files were not taken"), "{}", page.body);
    }
    let page = send(&admin, "/accounts/import", &[]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "a form of another type carries no token");
    let large = "x".repeat(65 * 1024 * 1024);
    let page = drop_files(&admin, &admin.csrf, &[("a.session", &large)]).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(page.body.contains("larger than 64 MB"), "{}", page.body);
    assert_eq!(world.folders_in("imports"), 0);
    for number in 0..4 {
        let page = drop_files(&admin, &admin.csrf, &[("a.session", "x")]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{number}");
    }
    let page = drop_files(&admin, &admin.csrf, &[("a.session", "x")]).await;
    assert!(page.body.contains("Other imports are waiting to start"), "{}", page.body);
}

#[tokio::test]
async fn limits_are_shown_beside_what_was_sent() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    assert!(admin.get("/limits").await.body.contains("No accounts yet"));
    added(&admin, "main").await;
    added(&admin, "backup_1").await;
    send(&admin, "/accounts/main/change", &[("priority", "2"), ("messages_per_hour", "30")]).await;
    let page = world.person(Role::Viewer).await.get("/limits").await;
    for part in ["href=\"/accounts/main\"", ">0 of 30<", ">no limit<", "href=\"/accounts/backup_1\""] {
        assert!(page.body.contains(part), "{part} in {}", page.body);
    }
}

#[tokio::test]
async fn messages_that_are_kept_are_chosen_and_missed_ones_shown() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    added(&admin, "main").await;
    let form = admin.get("/accounts/main/change").await.body;
    assert!(form.contains("<option value=\"registered\" selected>"), "{form}");
    let chosen = [
        ("keep_rule", "private"),
        ("keep_always", "-1001234567890\r\n-1009876543210"),
        ("keep_never", "777"),
    ];
    let page = send(&admin, "/accounts/main/change", &chosen).await;
    assert_eq!((page.status, note(&page).as_str()), (StatusCode::SEE_OTHER, "main is changed."));
    let form = admin.get("/accounts/main/change").await.body;
    for part in [
        "<option value=\"private\" selected>",
        ">-1001234567890\n-1009876543210</textarea>",
        ">777</textarea>",
    ] {
        assert!(form.contains(part), "{part} in {form}");
    }
    let one = admin.get("/accounts/main").await.body;
    assert!(one.contains("private chats<br>always: 2, never: 1") && !one.contains("missed-title"), "{one}");
    let wrong = [("keep_rule", "all"), ("keep_always", "-1001234567890 <b>")];
    let page = send(&admin, "/accounts/main/change", &wrong).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page:?}");
    for part in ["id=\"keep_always-error\"", "<option value=\"all\" selected>", "-1001234567890 &#60;b&#62;"]
    {
        assert!(page.body.contains(part), "{part} in {}", page.body);
    }
    let missed = vec![Missed { channel: "-1001234567890".parse().ok(), since: world.clock.now() }];
    let taken = TakenUpdates { missed, ..TakenUpdates::new("main".parse().expect("a name")) };
    world.store.received().take(taken).await.expect("noted");
    let one = admin.get("/accounts/main").await.body;
    assert!(one.contains("missed-title") && one.contains("being read; 0 so far"), "{one}");
}
