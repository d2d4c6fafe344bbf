//! Nothing grows with the number of messages or dialogs where it must not: many messages go through quickly.

use super::*;

#[test]
fn many_messages_in_a_large_world_stay_in_order() {
    let world = world_of(5, 4_000);
    let main = Client::of(&world, "main");
    let peers: Vec<_> = (1..=16).map(|number| main.peer(&format!("client_{number}"))).collect();
    let supergroup = main.titled("Demo supergroup");
    for number in 0..20_000_i64 {
        let peer = &peers[usize::try_from(number).unwrap() % peers.len()];
        main.send(if number % 5 == 0 { &supergroup } else { peer }, &number.to_string(), number + 1);
    }
    let rows = world.ledger(0, usize::MAX);
    assert_eq!(rows.len(), 20_000);
    assert!(rows.iter().enumerate().all(|(place, row)| *row.text == *place.to_string()));
    assert_eq!(
        world.ledger(19_990, 3).iter().map(|row| row.seq).collect::<Vec<_>>(),
        [19_991, 19_992, 19_993]
    );
}
