//! A program without accounts: the overview leads to adding one, and no way of clearing flood waits is chosen.

use domain::Role;

use crate::world::World;

#[tokio::test]
async fn without_accounts_the_overview_leads_to_adding_one() {
    let world = World::new().await;
    let page = world.person(Role::Admin).await.get("/").await;
    assert_eq!(page.status, 200);
    for text in ["There is no account yet.", "href=\"/accounts/add\"", "href=\"/accounts/import\""] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
}

#[tokio::test]
async fn without_a_flood_wait_nothing_is_preselected() {
    let world = World::new().await;
    let page = world.person(Role::Operator).await.get("/flood-clearing").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("There is nothing to clear"), "{}", page.body);
    assert!(page.body.contains("type=\"radio\"") && !page.body.contains(" checked"), "{}", page.body);
}
