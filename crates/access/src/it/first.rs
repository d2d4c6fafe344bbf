//! The first user.

use access::{FirstError, Role, UnfitPassword};
use domain::{ExposeSecret, SecretText};

use crate::it::world::{World, name};

#[tokio::test]
async fn the_password_of_the_environment_is_the_first_users() {
    let world = World::fresh().await;
    let given = SecretText::from("from the environment");
    assert!(world.access.ensure_first(Some(&given)).await.expect("works").is_none());
    assert_eq!(world.sign_in("admin", "from the environment").await.visitor.role, Role::Admin);
    // Another one at a later start changes nothing.
    let other = SecretText::from("another password");
    assert!(world.access.ensure_first(Some(&other)).await.expect("works").is_none());
    world.sign_in("admin", "from the environment").await;
    assert!(world.access.ensure_first(None).await.expect("works").is_none());
}

#[tokio::test]
async fn a_missing_password_is_generated_and_printed_once() {
    let world = World::fresh().await;
    let made = world.access.ensure_first(None).await.expect("works").expect("a password");
    assert_eq!(made.expose_secret().len(), 23);
    world.sign_in("admin", made.expose_secret()).await;
    assert!(world.access.ensure_first(None).await.expect("works").is_none());
}

#[tokio::test]
async fn one_that_is_too_short_is_refused_before_anything_is_made() {
    let world = World::fresh().await;
    let short = SecretText::from("short");
    let refused = world.access.ensure_first(Some(&short)).await;
    assert!(matches!(refused, Err(FirstError::Unfit(UnfitPassword::TooShort))), "{refused:?}");
    assert_eq!(world.access.person(&name("admin")).await, Ok(None));
}
