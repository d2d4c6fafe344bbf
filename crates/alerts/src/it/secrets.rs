//! Secrets of targets: sealed in the store and beside it, in no error and no view; and signatures.

use std::time::Duration;

use crate::TargetError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use config::AlertTargetFields;
use domain::secret::ExposeSecret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use store::{MasterKey, MirrorError, read_mirrored_targets};

use crate::it::hook::{Answer, Hook};
use crate::it::world::{World, email, signed, webhook};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[tokio::test]
async fn signature_has_a_stable_id_and_the_attempts_time() {
    let hook = Hook::start().await;
    hook.answer(Answer::Status(500));
    let world = World::with(vec![signed("hook", &hook.address, SECRET)]).await;
    world.break_down(&["account:main"]).await;
    world.until(|| hook.posts().len() == 1).await;
    hook.answer(Answer::Status(200));
    world.pass_until(Duration::from_secs(11), || hook.posts().len() == 2).await;
    let posts = hook.posts();
    assert_eq!(posts[0].id(), posts[1].id());
    assert_ne!(posts[0].header("webhook-timestamp"), posts[1].header("webhook-timestamp"));
    for post in posts {
        let key = STANDARD.decode(SECRET.trim_start_matches("whsec_")).expect("base64");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
        let at = post.header("webhook-timestamp").expect("a time");
        mac.update(format!("{}.{at}.{}", post.id(), post.raw).as_bytes());
        let wanted = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        assert_eq!(post.header("webhook-signature"), Some(wanted.as_str()));
    }
}

#[tokio::test]
async fn secrets_of_a_target_are_stored_only_encrypted() {
    let world = World::with(Vec::new()).await;
    let hook = signed("hook", "https://example.com/planted-in-url", "planted-in-secret");
    let mail = email("mail", "smtps://demo:planted-in-smtp@mail.example.com");
    for fields in [&hook, &mail] {
        let made = world.alerts.add_target(fields, "anna").await.expect("made");
        assert!(!format!("{made:?}").contains("planted"), "{made:?}");
    }
    let mut read = 0;
    for file in std::fs::read_dir(world.dir.path()).expect("a folder").flatten() {
        let Ok(bytes) = std::fs::read(file.path()) else { continue };
        read += 1;
        let found = bytes.windows(7).any(|window| window == b"planted");
        assert!(!found, "{}", file.path().display());
    }
    assert!(read >= 3, "database, log and mirror");
    // And yet who has the key reads them, without the store.
    let key = MasterKey::File("master.key".into());
    let mirrored = read_mirrored_targets(world.dir.path(), &key).expect("reads");
    let names: Vec<_> = mirrored.iter().map(|target| target.name.as_str()).collect();
    assert_eq!(names, ["hook", "mail"]);
    let fields = AlertTargetFields::from_toml(&mirrored[0].record).expect("a target");
    assert_eq!(fields.url.expect("an address").expose_secret(), "https://example.com/planted-in-url");
    let other = MasterKey::Given("07".repeat(32).into());
    let refused = read_mirrored_targets(world.dir.path(), &other).expect_err("another key");
    assert!(matches!(refused, MirrorError::Damaged { .. }), "{refused}");
    let mode = std::fs::metadata(world.dir.path().join("alert-targets.json")).expect("the mirror");
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777, 0o600);

    world.alerts.remove_target("hook").await.expect("takes it out");
    assert_eq!(read_mirrored_targets(world.dir.path(), &key).expect("reads").len(), 1);
    let after = world.after_a_crash(Vec::new()).await;
    let left = after.alerts.targets().await.expect("targets");
    assert_eq!(left.iter().map(|target| target.name.as_str()).collect::<Vec<_>>(), ["mail"]);
}

#[tokio::test]
async fn stored_targets_are_public_and_have_unique_names() {
    let hook = Hook::start().await;
    let world = World::with(vec![webhook("hook", &hook.address)]).await;
    let wrong = |error: TargetError| match error {
        TargetError::Wrong(wrong) => wrong.into_iter().map(|wrong| wrong.field).collect::<Vec<_>>(),
        other => panic!("{other}"),
    };
    for url in [hook.address.as_str(), "http://169.254.169.254/latest", "http://user:planted@example.com/"] {
        let refused = world.alerts.add_target(&webhook("inner", url), "anna").await.expect_err("refused");
        assert_eq!(wrong(refused), ["url"], "{url}");
    }
    let inner = webhook("inner", &hook.address);
    let refused = match world.alerts.add_target(&inner, "anna").await.expect_err("refused") {
        TargetError::Wrong(wrong) => wrong.into_iter().map(|wrong| wrong.message).collect::<String>(),
        other => panic!("{other}"),
    };
    assert!(refused.contains("[events] allow_private"), "{refused}");
    let mail = email("inner", "smtp+plain://127.0.0.1:2525");
    world.alerts.add_target(&mail, "anna").await.expect("it is judged when it is dialled");
    let refused = world.alerts.test("inner").await.expect_err("refused").to_string();
    assert!(refused.contains("loopback") && refused.contains("[events] allow_private"), "{refused}");
    let taken = world.alerts.add_target(&webhook("hook", "https://example.com"), "anna").await;
    assert!(matches!(taken, Err(TargetError::Exists)));
    assert!(matches!(world.alerts.remove_target("hook").await, Err(TargetError::InSettings)));
    assert!(matches!(world.alerts.remove_target("nobody").await, Err(TargetError::NoSuchTarget)));
}
