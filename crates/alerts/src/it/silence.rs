//! Mutes and maintenance windows: no target is notified, and they are kept over a restart.

use std::time::Duration;

use crate::{Hours, MaintenanceWindow, Scope, Silence};

use crate::it::hook::Hook;
use crate::it::world::{World, webhook};

#[tokio::test]
async fn mute_survives_a_restart_and_ends_when_lifted() {
    let hook = Hook::start().await;
    let targets = || vec![webhook("hook", &hook.address)];
    let before = World::with(targets()).await;
    let until = before.clock.now().plus(Duration::from_hours(24));
    before.alerts.mute("account:main", until, "anna").await.expect("mutes");
    let world = before.after_a_crash(targets()).await;
    assert_eq!(world.alerts.mutes()[0].muted_by, "anna");
    world.break_down(&["account:main", "store"]).await;
    world.until(|| hook.posts().len() == 1).await;
    assert_eq!(hook.posts()[0].cards("raised"), ["store"]);
    let open = world.alerts.open();
    let muted = open.iter().find(|view| view.alert.card == "account:main").expect("it is shown all the same");
    assert_eq!(muted.silence, Some(Silence::Mute { until }));
    assert!(world.alerts.unmute("account:main").await.expect("lets it"));
    world.pass_until(Duration::from_secs(6), || hook.posts().len() == 2).await;
    assert_eq!(hook.posts()[1].cards("raised"), ["account:main"]);
    assert!(!world.alerts.unmute("account:main").await.expect("nothing to do"));
}

#[tokio::test]
async fn maintenance_window_delays_notices_until_its_end() {
    let hook = Hook::start().await;
    let targets = || vec![webhook("hook", &hook.address)];
    let before = World::with(targets()).await;
    let now = before.clock.now();
    let window = MaintenanceWindow {
        note: "new disk".to_owned(),
        scope: Scope::read("account"),
        hours: Hours::Once { from: now, until: now.plus(Duration::from_hours(1)) },
    };
    let made = before.alerts.add_window(window.clone(), "anna").await.expect("a window");
    let world = before.after_a_crash(targets()).await;
    assert_eq!(world.alerts.windows()[0].window, window);
    world.break_down(&["account:main", "account:backup_1", "store"]).await;
    world.until(|| hook.posts().len() == 1).await;
    assert_eq!(hook.posts()[0].cards("raised"), ["store"], "the window is for accounts");
    world.mend(&["account:main", "store"]).await;
    world.until(|| hook.posts().len() == 2).await;
    assert_eq!(hook.posts()[1].cards("cleared"), ["store"]);
    assert!(world.alerts.remove_window(made.id).await.expect("takes it out"));
    world.pass_until(Duration::from_secs(6), || hook.posts().len() == 3).await;
    assert_eq!(
        hook.posts()[2].cards("raised"),
        ["account:backup_1"],
        "main was well again before anybody knew"
    );
}

#[tokio::test]
async fn times_that_cannot_be_are_refused() {
    let world = World::with(Vec::new()).await;
    let now = world.clock.now();
    for until in [now, now.minus(Duration::from_hours(1)), now.plus(Duration::from_hours(24 * 91))] {
        assert!(matches!(world.alerts.mute("store", until, "anna").await, Err(crate::MuteError::Time)));
    }
    assert!(world.alerts.mutes().is_empty());
}
