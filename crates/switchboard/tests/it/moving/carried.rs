//! A move in a bundle that a person carries: there, back, damaged, for another side, killed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::killed::kill_after;
use super::{Sides, fine};
use crate::shell::cli::{Cli, cli_on};

fn path(sides: &Sides, name: &str) -> (PathBuf, String) {
    let path = sides.world.data_dir(name);
    (path.clone(), path.to_str().expect("UTF-8").to_owned())
}

/// `switchboard move …` on a side.
fn on(sides: &Sides, side: &str, words: &[&str]) -> Cli {
    cli_on(&sides.world, side, &[&["move"], words, &["--json"]].concat())
}

async fn ticket(sides: &Sides) -> String {
    let (file, ticket) = path(sides, "new.ticket");
    fine(on(sides, "new", &["ticket", &ticket, "--listen", "127.0.0.1:0"]).beside().await);
    assert_eq!(fs::metadata(file).expect("it is there").permissions().mode() & 0o777, 0o600);
    ticket
}

fn pack(sides: &Sides, ticket: &str, bundle: &str, more: &[&str]) -> Cli {
    let words = ["pack", bundle, "--ticket", ticket, "--listen", "127.0.0.1:0", "--watch", "0s", "--yes"];
    on(sides, "old", &[&words, more].concat())
}

fn unpack(sides: &Sides, side: &str, bundle: &str) -> Cli {
    on(sides, side, &["unpack", bundle, "--yes"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_moves_an_installation_there_and_back() {
    let sides = Sides::begin().await;
    let ticket = ticket(&sides).await;
    let (file, bundle) = path(&sides, "bundle.age");
    fine(pack(&sides, &ticket, &bundle, &["--canary", "@client_3"]).beside().await);
    assert_eq!(sides.holder("old"), None, "no side serves while it is carried");
    assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
    // Lost on the way: it is packed again, for the same side alone.
    fs::remove_file(&file).expect("removed");
    let refused = on(&sides, "old", &["rollback", "--yes"]).beside().await;
    assert!(refused.code == Some(1) && refused.all().contains("carried in a bundle"), "{}", refused.all());
    fine(pack(&sides, &ticket, &bundle, &["--canary", "@client_3"]).beside().await);

    // Another side does not open it, nor one that is cut off.
    let (_, other) = path(&sides, "other.ticket");
    fine(on(&sides, "third", &["ticket", &other]).beside().await);
    let refused = unpack(&sides, "third", &bundle).beside().await;
    assert!(refused.code == Some(1) && refused.all().contains("cannot be opened"), "{}", refused.all());
    let (half, damaged) = path(&sides, "half.age");
    let bytes = fs::read(&file).expect("reads");
    fs::write(half, &bytes[..bytes.len() - 1000]).expect("written");
    let refused = unpack(&sides, "new", &damaged).beside().await;
    assert!(refused.code == Some(1) && refused.all().contains("is not whole"), "{}", refused.all());

    fine(unpack(&sides, "new", &bundle).beside().await);
    sides.is_served_by("new").await;
    let refused = on(&sides, "old", &["unpack", &bundle, "--yes"]).beside().await;
    assert!(refused.code == Some(1), "{}", refused.all());

    let (_, back) = path(&sides, "back.age");
    fine(on(&sides, "new", &["pack", &back, "--yes"]).beside().await);
    assert_eq!(sides.holder("new"), None);
    fine(unpack(&sides, "old", &back).beside().await);
    sides.is_served_by("old").await;
    // The bundle of before is of no use any more.
    let refused = unpack(&sides, "new", &bundle).beside().await;
    assert!(refused.code == Some(1) && refused.all().contains("waits for no bundle"), "{}", refused.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_stays_where_the_receipt_says_it_is() {
    let sides = Sides::begin().await;
    let ticket = ticket(&sides).await;
    let (_, bundle) = path(&sides, "bundle.age");
    fine(pack(&sides, &ticket, &bundle, &[]).beside().await);
    fine(unpack(&sides, "new", &bundle).beside().await);
    let receipt = format!("{bundle}.receipt");
    fine(on(&sides, "old", &["finish", "--receipt", &receipt, "--yes"]).beside().await);
    assert!(!sides.folder("old").join("master.key").exists());
    sides.is_served_by("new").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_whose_canary_fails_is_given_back() {
    let sides = Sides::begin().await;
    let ticket = ticket(&sides).await;
    let (_, bundle) = path(&sides, "bundle.age");
    fine(pack(&sides, &ticket, &bundle, &["--canary", "@no_such_person_at_all"]).beside().await);
    let refused = unpack(&sides, "new", &bundle).beside().await;
    assert!(refused.code == Some(1) && refused.all().contains("gave the sessions back"), "{}", refused.all());
    assert_eq!(sides.holder("new"), None);
    fine(unpack(&sides, "old", &format!("{bundle}.back")).beside().await);
    sides.is_served_by("old").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carried_move_killed_at_any_step_is_taken_up() {
    for step in ["first_backup", "stop", "last_backup", "give_up"] {
        let sides = Sides::begin().await;
        let ticket = ticket(&sides).await;
        let (_, bundle) = path(&sides, "bundle.age");
        let packing = pack(&sides, &ticket, &bundle, &[]);
        tokio::task::block_in_place(|| kill_after(packing, step));
        fine(pack(&sides, &ticket, &bundle, &[]).beside().await);
        fine(unpack(&sides, "new", &bundle).beside().await);
        sides.is_served_by("new").await;
    }
    for step in ["check", "place", "start", "open", "validate"] {
        let sides = Sides::begin().await;
        let ticket = ticket(&sides).await;
        let (_, bundle) = path(&sides, "bundle.age");
        fine(pack(&sides, &ticket, &bundle, &[]).beside().await);
        let unpacking = unpack(&sides, "new", &bundle);
        tokio::task::block_in_place(|| kill_after(unpacking, step));
        fine(unpack(&sides, "new", &bundle).beside().await);
        sides.is_served_by("new").await;
    }
}
