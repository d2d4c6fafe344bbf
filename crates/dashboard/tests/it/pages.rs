//! Pages: who gets which, in which language, with which headers, and what forms do without script.

use domain::Role;
use http::StatusCode;

use crate::world::World;

#[tokio::test]
async fn a_visitor_without_a_session_is_sent_to_sign_in_and_back() {
    let world = World::new().await;
    let stranger = world.stranger();
    let page = stranger.get("/").await;
    assert_eq!((page.status, page.header("location")), (StatusCode::SEE_OTHER, "/sign-in"));
    let page = stranger.get("/diagnostics?x=1").await;
    assert_eq!(page.header("location"), "/sign-in?next=%2Fdiagnostics%3Fx%3D1");
    // A cookie that this program never gave, or of a session that is over, is no error.
    let page = world.stranger().with("switchboard=yesterday").get("/").await;
    assert_eq!((page.status, page.header("location")), (StatusCode::SEE_OTHER, "/sign-in"));
    let page = stranger.post("/flood-clearing/actions/cancel", &[]).await;
    assert_eq!((page.status, page.header("location")), (StatusCode::SEE_OTHER, "/sign-in"));
}

#[tokio::test]
async fn a_page_lets_nothing_in_from_elsewhere_and_is_never_kept() {
    let world = World::new().await;
    let page = world.person(Role::Viewer).await.get("/").await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    let policy = page.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.split("; ").any(|one| one == part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    for inline in [" style=", "<style", "onclick=", "<script>", "javascript:", "http://", "https://"] {
        assert!(!page.body.contains(inline), "{inline} in {}", page.body);
    }
}

#[tokio::test]
async fn every_asset_of_a_page_is_there_for_good_and_small() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await;
    let page = viewer.get_with("/", &[("accept-encoding", "gzip")]).await;
    assert_eq!(page.header("content-encoding"), "gzip");
    let mut weight = page.header("content-length").parse::<usize>().unwrap_or(page.body.len());
    let page = viewer.get("/").await;
    let named = page.body.split('"').filter(|text| text.starts_with("/assets/"));
    let mut assets: Vec<_> = named.map(|text| text.split('#').next().expect("a path")).collect();
    assets.sort_unstable();
    assets.dedup();
    assert!(assets.len() >= 5, "{assets:?}");
    for asset in assets {
        let whole = viewer.get_with(asset, &[("accept", "*/*")]).await;
        assert_eq!(whole.status, StatusCode::OK, "{asset}");
        assert_eq!(whole.header("cache-control"), "public, max-age=31536000, immutable", "{asset}");
        let small =
            viewer.send(http::Method::GET, asset, &[("accept-encoding", "gzip")], String::new()).await;
        assert_eq!(small.headers()["content-encoding"], "gzip", "{asset}");
        let small = http_body_util::BodyExt::collect(small.into_body()).await.expect("a body").to_bytes();
        assert!(small.len() < whole.body.len(), "{asset}");
        weight += small.len();
    }
    assert!(weight < 50_000, "the first page weighs {weight} bytes");
    assert_eq!(viewer.get("/assets/look-000000000000.css").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_language_is_the_browsers_until_someone_chooses() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await;
    let page = viewer.get_with("/", &[("accept-language", "ru-RU,ru;q=0.9,en;q=0.8")]).await;
    assert!(page.body.contains("<html lang=\"ru\""), "{}", page.body);
    let page = viewer.get("/?kind=port&lang=ru&theme=dark").await;
    assert_eq!((page.status, page.header("location")), (StatusCode::SEE_OTHER, "/?kind=port"));
    assert_eq!(page.cookie("language").as_deref(), Some("ru"));
    assert_eq!(page.cookie("theme").as_deref(), Some("dark"));
    let viewer = viewer.with("language=ru; theme=dark");
    let page = viewer.get_with("/", &[("accept-language", "en")]).await;
    assert!(page.body.contains("<html lang=\"ru\" data-theme=\"dark\">"), "{}", page.body);
}

#[tokio::test]
async fn unknown_path_is_a_page_or_a_problem_document() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await;
    let page = viewer.get("/nothing/here").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.body.contains("There is no such page"), "{}", page.body);
    let document = viewer.get_with("/nothing/here", &[("accept", "application/json")]).await;
    assert_eq!(document.status, StatusCode::NOT_FOUND);
    assert_eq!(document.header("content-type"), "application/problem+json");
    assert_eq!(viewer.get("/cards/account%3Anobody").await.status, StatusCode::NOT_FOUND);
    assert_eq!(viewer.get("/cards/nonsense").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_section_of_the_rail_has_a_page() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await;
    let page = viewer.get("/").await;
    let rail = page.body.split("<nav class=\"rail\"").nth(1).and_then(|rest| rest.split("<footer>").next());
    let links =
        rail.expect("a rail").split("<li><a href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let links: Vec<_> = links.collect();
    assert!(links.len() >= 2, "{links:?}");
    for link in links {
        let page = viewer.get(link).await;
        assert_eq!(page.status, StatusCode::OK, "{link}");
        assert!(page.body.contains(&format!("href=\"{link}\" aria-current=\"page\"")), "{link}");
    }
}

#[tokio::test]
async fn a_button_works_without_script_and_says_what_came_of_it() {
    let world = World::new().await;
    let operator = world.person(Role::Operator).await;
    let confirmation = operator.get("/cards/service%3Asend%5Ftext/stop").await;
    assert_eq!(confirmation.status, StatusCode::OK);
    assert!(
        confirmation.body.contains("Stop send_text?")
            && confirmation.body.contains("action=\"/cards/service%3Asend%5Ftext/actions/stop\""),
        "{}",
        confirmation.body
    );
    let path = "/cards/service%3Asend%5Ftext/actions/stop";
    let csrf = operator.csrf.clone();
    let done = operator.post(path, &[("csrf", &csrf), ("back", "/?kind=service")]).await;
    assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, "/?kind=service"), "{done:?}");
    let flash = done.cookie("flash").expect("a note");
    let operator = operator.with(&format!("flash={flash}"));
    let page = operator.get("/").await;
    assert!(page.body.contains("send_text is stopped."), "{}", page.body);
    assert_eq!(page.cookie("flash").as_deref(), Some(""), "shown once");
    let card = world.health.card(&"service:send_text".parse().expect("an id")).expect("a card");
    assert_eq!(card.state, "stopped");
    // Elsewhere is nowhere to go back to.
    let done = operator
        .post("/cards/service%3Asend%5Ftext/actions/start", &[("csrf", &csrf), ("back", "//evil.example")])
        .await;
    assert_eq!(done.header("location"), "/");
}

#[tokio::test]
async fn a_form_of_another_site_changes_nothing() {
    let world = World::new().await;
    let operator = world.person(Role::Operator).await;
    let path = "/cards/service%3Asend%5Ftext/actions/stop";
    let csrf = operator.csrf.clone();
    for (headers, fields) in [
        (vec![], vec![]),
        (vec![], vec![("csrf", "wrong")]),
        (vec![("sec-fetch-site", "cross-site")], vec![("csrf", csrf.as_str())]),
    ] {
        let page = operator.post_with(path, &headers, &fields).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{headers:?} {fields:?}");
    }
    let card = world.health.card(&"service:send_text".parse().expect("an id")).expect("a card");
    assert_ne!(card.state, "stopped");
    let page = operator.post(path, &[("csrf", &csrf), ("back", &"x".repeat(70_000))]).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_viewer_sees_no_buttons_and_may_press_none() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await;
    let page = viewer.get("/").await;
    assert!(page.body.contains("service:send_text") && !page.body.contains("formaction"), "{}", page.body);
    let csrf = viewer.csrf.clone();
    let page =
        viewer.post("/cards/service%3Asend%5Ftext/actions/stop", &[("csrf", &csrf), ("back", "/")]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{page:?}");
    let card = world.health.card(&"service:send_text".parse().expect("an id")).expect("a card");
    assert_ne!(card.state, "stopped");
}

#[tokio::test]
async fn filters_are_in_the_address() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await;
    let page = viewer.get("/?kind=service&q=leave").await;
    assert!(
        page.body.contains("c-service:leave_chat") && !page.body.contains("c-service:send_text"),
        "{}",
        page.body
    );
    assert!(page.body.contains("value=\"leave\""), "{}", page.body);
    let page = viewer.get("/?q=%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert!(page.body.contains("Nothing fits") && !page.body.contains("<script>alert"), "{}", page.body);
}

#[tokio::test]
async fn minutes_of_a_strip_are_described_in_the_visitors_language() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await.with("language=ru");
    let response = viewer.get("/cards/store/strip").await;
    let minutes: Vec<String> = serde_json::from_str(&response.body).expect("a list");
    assert!(minutes.len() <= health::STRIP);
    assert!(minutes.iter().all(|minute| minute.contains(" · ")), "{minutes:?}");
    let page = viewer.get("/cards/store").await;
    assert!(page.status == StatusCode::OK && page.body.contains("Последние 2 часа"), "{}", page.body);
}

#[tokio::test]
async fn clearing_is_offered_gently_first_and_can_be_cancelled() {
    let world = World::new().await;
    let operator = world.person(Role::Operator).await;
    let page = operator.get("/flood-clearing").await;
    let (gentle, all) = (page.body.find("pause_flooded"), page.body.find("stop_all"));
    assert!(gentle.is_some() && gentle < all, "{}", page.body);
    let csrf = operator.csrf.clone();
    let begun = operator.post("/flood-clearing/actions/begin", &[("csrf", &csrf), ("how", "stop_all")]).await;
    assert_eq!(begun.header("location"), "/flood-clearing");
    let page = operator.get("/flood-clearing").await;
    assert!(page.body.contains("Requested by operator") && page.body.contains("<progress"), "{}", page.body);
    let overview = operator.get("/").await;
    assert!(overview.body.contains("Clearing flood wait"), "{}", overview.body);
    let ended = operator.post("/flood-clearing/actions/cancel", &[("csrf", &csrf)]).await;
    assert_eq!(ended.header("location"), "/");
    assert_eq!(world.health.clearing(), None);
}

#[tokio::test]
async fn diagnostics_show_the_doctors_findings() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await;
    let page = viewer.get("/diagnostics").await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    assert!(page.body.contains("What was checked") && page.body.contains("Examine again"), "{}", page.body);
}
