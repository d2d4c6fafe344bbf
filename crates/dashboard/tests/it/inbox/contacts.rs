//! Groups, and how the contacts of a client were proved, on the page of a conversation.

use domain::Role;

use super::{PHONE, until, with_clients};
use crate::world::{shows, submit};

#[tokio::test]
async fn a_group_is_marked_and_answered_once_that_is_switched_on() {
    let (world, _) = with_clients().await;
    let operator = world.person(Role::Operator).await;
    world.client_says("whatsapp:phone/120363@g.us", "Anna", "Hello all").await;
    world.falls_silent().await;
    until("the group is known", async || world.client("Neighbours").await.is_some()).await;
    let path = format!("/inbox/{}", world.client("Neighbours").await.expect("a group").id);
    let page = operator.get(&path).await;
    let switched_off = "<option value=\"never\" selected>";
    shows(
        &page,
        &["Neighbours", ">Group<", "<span>Anna</span>", "Automatic answers in this group", switched_off],
    );
    assert!(!page.body.contains("name=\"phone\""), "{}", page.body);
    shows(&operator.get("/inbox").await, &["Neighbours", ">Group<"]);
    submit(&operator, &format!("{path}/actions/group-answers"), &[("answers", "when_mentioned")]).await;
    shows(&operator.get(&path).await, &["<option value=\"when_mentioned\" selected>"]);
}

#[tokio::test]
async fn contacts_show_how_they_were_proved() {
    let (world, _) = with_clients().await;
    let operator = world.person(Role::Operator).await;
    let client = world.client_writes("whatsapp:phone/c1@c.us", "Anna", "Hello").await;
    let path = format!("/inbox/{client}");
    submit(&operator, &format!("{path}/actions/change"), &[("email", "anna@example.com")]).await;
    let page = operator.get(&path).await;
    shows(&page, &["Contacts", PHONE, "id in the channel", "anna@example.com", "entered by an operator"]);
    assert!(!page.body.contains("sender not confirmed"));
    let lead = world.client_writes("form:site/f1", "Boris", "Call me").await;
    let page = operator.get(&format!("/inbox/{lead}")).await;
    shows(&page, &["typed, not confirmed", "sender not confirmed", "Perhaps the same person"]);
}
