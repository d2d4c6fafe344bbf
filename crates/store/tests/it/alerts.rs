//! Alerts, the notices about them, targets, mutes and windows.

use std::time::Duration;

use domain::{AlertId, AlertNoticeId, MaintenanceId, MessageId, Timestamp};
use store::{
    AlertFilter, AlertState, NewNotice, Page, StoredAlert, StoredMute, StoredTarget, StoredWindow, Swept,
};

use crate::support::{World, conformance};

conformance! {
    alerts_are_written_as_they_are_and_listed,
    each_target_gets_notices_in_order,
    a_target_that_is_off_gets_no_notices,
    a_target_that_has_a_notice_is_skipped,
    only_so_many_wait_for_a_target,
    targets_come_and_go_with_what_waits_for_them,
    mutes_and_windows_survive_reopening,
    ended_alerts_are_removed_after_retention,
}

pub(crate) fn alert(world: &World, card: &str) -> StoredAlert {
    StoredAlert {
        id: AlertId::from_uuid(world.ids.next()),
        card: card.to_owned(),
        kind: "account".to_owned(),
        name: "main".to_owned(),
        parent: None,
        state: AlertState::Open,
        reason: "no_answer".to_owned(),
        detail: Some("no answer for 10 s".to_owned()),
        raised_at: world.now(),
        closed_at: None,
        joined_to: None,
        notified_at: None,
        reminded_at: None,
        finished_at: None,
    }
}

fn notice(world: &World, targets: &[(&str, bool)]) -> NewNotice {
    NewNotice {
        id: AlertNoticeId::from_uuid(world.ids.next()),
        at: world.now(),
        payload: "{}".to_owned(),
        targets: targets.iter().map(|(name, has_it)| ((*name).to_owned(), *has_it)).collect(),
    }
}

/// A notice that is in the store.
async fn stored_notice(world: &World, targets: &[(&str, bool)]) -> AlertNoticeId {
    let notice = notice(world, targets);
    let id = notice.id;
    world.store.alerts().save(Vec::new(), Some(notice)).await.unwrap();
    id
}

fn page(limit: u32) -> Page {
    Page { limit, cursor: None }
}

async fn alerts_are_written_as_they_are_and_listed(world: World) {
    let alerts = world.store.alerts();
    let (first, second) = (alert(&world, "account:a"), alert(&world, "account:b"));
    alerts.save(vec![first.clone(), second.clone()], None).await.unwrap();
    assert_eq!(alerts.unfinished().await, Ok(vec![first.clone(), second.clone()]));
    let now = world.now();
    let closed = StoredAlert {
        state: AlertState::Cleared,
        notified_at: Some(now),
        closed_at: Some(now),
        finished_at: Some(now),
        ..first.clone()
    };
    alerts.save(vec![closed.clone()], None).await.unwrap();
    assert_eq!(alerts.unfinished().await, Ok(vec![second.clone()]));
    assert_eq!(alerts.get(first.id).await, Ok(Some(closed.clone())));
    let list = async |open, card: Option<&str>| {
        let filter = AlertFilter { open, card: card.map(str::to_owned) };
        alerts.list(&filter, &page(10)).await.unwrap().items
    };
    assert_eq!(list(None, None).await, [second.clone(), closed.clone()]);
    assert_eq!(list(Some(true), None).await, std::slice::from_ref(&second));
    assert_eq!(list(Some(false), None).await, std::slice::from_ref(&closed));
    assert_eq!(list(None, Some("account:b")).await, std::slice::from_ref(&second));
    let first_page = alerts.list(&AlertFilter::default(), &page(1)).await.unwrap();
    assert_eq!(first_page.items, [second]);
    let rest = Page { limit: 1, cursor: first_page.next_cursor };
    let rest = alerts.list(&AlertFilter::default(), &rest).await.unwrap();
    assert_eq!((rest.items, rest.next_cursor), (vec![closed], None));
}

async fn each_target_gets_notices_in_order(world: World) {
    let alerts = world.store.alerts();
    let first = stored_notice(&world, &[("a", false), ("b", false)]).await;
    let second = stored_notice(&world, &[("a", false), ("b", false)]).await;
    let waiting = async || {
        let rows = alerts.first_waiting().await.unwrap();
        rows.into_iter().map(|row| (row.target, row.notice, row.attempts)).collect::<Vec<_>>()
    };
    assert_eq!(waiting().await, [("a".into(), first, 0), ("b".into(), first, 0)]);
    alerts.delivered("a", first, world.now()).await.unwrap();
    let rows = alerts.first_waiting().await.unwrap();
    let b = rows.iter().find(|row| row.target == "b").unwrap();
    let later = world.now().plus(Duration::from_mins(5));
    alerts.put_off(b, Some("refused".into()), None, world.now(), later).await.unwrap();
    assert_eq!(waiting().await, [("a".into(), second, 0), ("b".into(), first, 1)]);
    let message = MessageId::from_uuid(world.ids.next());
    let rows = alerts.first_waiting().await.unwrap();
    let a = rows.iter().find(|row| row.target == "a").unwrap();
    alerts.put_off(a, None, Some(message), world.now(), later).await.unwrap();
    let rows = alerts.first_waiting().await.unwrap();
    assert_eq!((rows[0].message, rows[0].attempts), (Some(message), 0));
    let standings = alerts.target_health().await.unwrap();
    assert!(standings[0].notified_at.is_some() && standings[0].last_error.is_none());
    assert_eq!(standings[1].last_error.as_deref(), Some("refused"));
    alerts.gave_up("b", first, "a week old".into(), world.now()).await.unwrap();
    assert_eq!(alerts.waiting().await.unwrap().iter().map(|row| row.count).collect::<Vec<_>>(), [1, 1]);
    // The same end twice is no error, and changes nothing.
    alerts.delivered("b", first, world.now()).await.unwrap();
    assert_eq!(alerts.waiting().await.unwrap()[1].first, second);
}

async fn a_target_that_is_off_gets_no_notices(world: World) {
    let alerts = world.store.alerts();
    stored_notice(&world, &[("a", false), ("b", false)]).await;
    alerts.give_up_all("a", "410".into(), true, world.now()).await.unwrap();
    stored_notice(&world, &[("a", false), ("b", false)]).await;
    let waiting = alerts.waiting().await.unwrap();
    assert_eq!(waiting.iter().map(|row| (row.target.as_str(), row.count)).collect::<Vec<_>>(), [("b", 2)]);
    assert!(alerts.target_health().await.unwrap()[0].off_at.is_some());
    alerts.target_received("a", world.now()).await.unwrap();
    assert!(alerts.target_health().await.unwrap()[0].off_at.is_none());
    stored_notice(&world, &[("a", false)]).await;
    assert_eq!(alerts.waiting().await.unwrap()[0].count, 1);
}

async fn a_target_that_has_a_notice_is_skipped(world: World) {
    let alerts = world.store.alerts();
    let notice = notice(&world, &[("a", false), ("b", false)]);
    alerts.save(Vec::new(), Some(notice.clone())).await.unwrap();
    let again = NewNotice { targets: vec![("a".into(), true), ("b".into(), false)], ..notice };
    alerts.save(Vec::new(), Some(again)).await.unwrap();
    let rows = alerts.first_waiting().await.unwrap();
    assert_eq!(rows.iter().map(|row| row.target.as_str()).collect::<Vec<_>>(), ["b"]);
}

async fn only_so_many_wait_for_a_target(world: World) {
    let alerts = world.store.alerts();
    let first = stored_notice(&world, &[("a", false)]).await;
    for _ in 0..500 {
        stored_notice(&world, &[("a", false)]).await;
    }
    let waiting = alerts.waiting().await.unwrap().remove(0);
    assert_eq!(waiting.count, 500);
    assert_ne!(waiting.first, first, "the oldest was given up");
}

async fn targets_come_and_go_with_what_waits_for_them(world: World) {
    let alerts = world.store.alerts();
    let target = StoredTarget {
        name: "hook".into(),
        record: "planted".to_owned().into(),
        created_at: world.now(),
        created_by: "anna".into(),
    };
    assert_eq!(alerts.add_target(&target).await, Ok(true));
    assert_eq!(alerts.add_target(&target).await, Ok(false));
    stored_notice(&world, &[("hook", false)]).await;
    world.store.clone().close().await;
    let store = world.open_again().await.unwrap();
    let alerts = store.alerts();
    let kept = alerts.targets().await.unwrap().remove(0);
    assert_eq!((kept.name.as_str(), kept.created_by.as_str()), ("hook", "anna"));
    assert_eq!(domain::secret::ExposeSecret::expose_secret(&kept.record), "planted");
    assert_eq!(alerts.remove_target("hook", world.now()).await, Ok(true));
    assert_eq!(alerts.remove_target("hook", world.now()).await, Ok(false));
    assert!(alerts.waiting().await.unwrap().is_empty());
    assert!(alerts.targets().await.unwrap().is_empty());
}

async fn mutes_and_windows_survive_reopening(world: World) {
    let alerts = world.store.alerts();
    let now = world.now();
    let mute = |card: &str, until: Timestamp| StoredMute {
        card: card.into(),
        until,
        muted_at: world.now(),
        muted_by: "anna".into(),
    };
    let (short, long) = (now.plus(Duration::from_mins(1)), now.plus(Duration::from_hours(1)));
    alerts.save_mute(&mute("a", short)).await.unwrap();
    alerts.save_mute(&mute("a", long)).await.unwrap();
    alerts.save_mute(&mute("b", short)).await.unwrap();
    let window = StoredWindow {
        id: MaintenanceId::from_uuid(world.ids.next()),
        record: "{}".into(),
        created_at: now,
        created_by: "anna".into(),
    };
    alerts.add_window(&window).await.unwrap();
    world.store.clone().close().await;
    let store = world.open_again().await.unwrap();
    let alerts = store.alerts();
    let mutes = alerts.mutes().await.unwrap();
    assert_eq!(
        mutes.iter().map(|mute| (mute.card.as_str(), mute.until)).collect::<Vec<_>>(),
        [("a", long), ("b", short)]
    );
    assert_eq!(alerts.windows().await, Ok(vec![window.clone()]));
    world.clock.advance(Duration::from_mins(2));
    alerts.save_mute(&mute("c", long)).await.unwrap();
    assert_eq!(alerts.mutes().await.unwrap().len(), 2, "those that are over go");
    assert_eq!(alerts.forget_mute("a").await, Ok(true));
    assert_eq!(alerts.forget_mute("a").await, Ok(false));
    assert_eq!(alerts.remove_window(window.id).await, Ok(true));
    assert_eq!(alerts.remove_window(window.id).await, Ok(false));
}

async fn ended_alerts_are_removed_after_retention(world: World) {
    let alerts = world.store.alerts();
    let now = world.now();
    let over = StoredAlert {
        state: AlertState::Cleared,
        closed_at: Some(now),
        finished_at: Some(now),
        ..alert(&world, "account:a")
    };
    let open = alert(&world, "account:b");
    alerts.save(vec![over.clone(), open.clone()], Some(notice(&world, &[("a", false)]))).await.unwrap();
    assert_eq!(world.store.sweep().await.unwrap(), Swept::default());
    world.clock.advance(Duration::from_hours(24 * 31));
    let swept = world.store.sweep().await.unwrap();
    assert_eq!((swept.alerts, swept.alert_notices), (1, 1));
    assert_eq!(alerts.get(over.id).await, Ok(None));
    assert_eq!(alerts.unfinished().await, Ok(vec![open]), "what is open stays, however old");
    assert!(alerts.first_waiting().await.unwrap().is_empty());
}
