//! The last word of a dead program: sent by webhook and mail alone, without a store.

use std::time::Duration;

use crate::{CrashNotice, OfflineTarget, notify_offline};
use ambient::{Clock, Ids};
use domain::AlertNoticeId;
use outbound::{AllowList, Allowed};

use crate::it::hook::{Answer, Hook};
use crate::it::mailbox::MailServer;
use crate::it::world::{chat, email, webhook};

fn notice(clock: &Clock) -> CrashNotice {
    CrashNotice {
        unit: "switchboard.service".to_owned(),
        server: "demo".to_owned(),
        result: Some("oom-kill".to_owned()),
        lines: vec!["the last line".to_owned()],
        at: clock.now(),
        id: AlertNoticeId::from_uuid(Ids::new(clock.clone()).next()),
    }
}

fn nothing() -> Allowed {
    Allowed::new(AllowList::Events, Vec::new())
}

#[tokio::test]
async fn webhooks_and_mailboxes_report_each_delivery() {
    let (hook, mail) = (Hook::start().await, MailServer::start().await);
    let clock = Clock::system();
    let fields = [
        webhook("hook", &hook.address),
        email("mail", &format!("smtp+plain://127.0.0.1:{}", mail.port)),
        chat("owner", None),
    ];
    let targets: Vec<_> =
        fields.into_iter().map(|fields| OfflineTarget { fields, of_settings: true }).collect();
    let deliveries = notify_offline(&targets, &notice(&clock), &nothing(), &clock).await;
    assert_eq!(
        deliveries.iter().map(|telling| telling.result.is_ok()).collect::<Vec<_>>(),
        [true, true, false]
    );
    assert!(deliveries[2].result.as_ref().is_err_and(|error| error.contains("name a webhook")));
    assert_eq!(hook.posts()[0].body["type"], "program.dead");
    assert_eq!(hook.posts()[0].body["data"]["last_lines"][0], "the last line");
    assert!(mail.mails()[0].contains("switchboard.service is dead"), "{}", mail.mails()[0]);
}

#[tokio::test]
async fn a_target_that_stumbles_is_asked_again_under_the_same_id() {
    let hook = Hook::start().await;
    hook.answer(Answer::Status(502));
    let clock = Clock::system();
    let targets = [OfflineTarget { fields: webhook("hook", &hook.address), of_settings: true }];
    let telling = tokio::spawn({
        let clock = clock.clone();
        let notice = notice(&clock);
        async move { notify_offline(&targets, &notice, &nothing(), &clock).await }
    });
    let stumbles = async {
        while hook.posts().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        hook.answer(Answer::Status(200));
        while !telling.is_finished() {
            clock.advance(Duration::from_secs(3));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), stumbles).await.expect("it ends");
    let deliveries = telling.await.expect("no panic");
    assert_eq!(deliveries[0].result, Ok(()));
    assert_eq!(hook.posts()[0].id(), hook.posts()[1].id());
}

#[tokio::test]
async fn stored_target_is_guarded_offline() {
    let hook = Hook::start().await;
    let clock = Clock::system();
    let targets = [OfflineTarget { fields: webhook("hook", &hook.address), of_settings: false }];
    let deliveries = notify_offline(&targets, &notice(&clock), &nothing(), &clock).await;
    let refused = deliveries[0].result.as_ref().expect_err("refused");
    assert!(refused.contains("[events] allow_private") && hook.posts().is_empty(), "{refused}");
}
