//! Operations: what a form asks for reaches the work, and each says which account did it, or that none did.

use domain::Role;
use domain::saga::Task;
use http::StatusCode;

use crate::work::CHAT;
use crate::world::World;

#[tokio::test]
async fn a_chat_of_ones_own_is_left_only_where_ticked() {
    let world = World::new().await;
    world.queued("makes the chat known").await;
    let operator = world.person(Role::Operator).await;
    let path = format!("/chats/{CHAT}/actions/leave");
    for (ticked, keeps) in [("", true), ("yes", false)] {
        let fields = [("csrf", operator.csrf.as_str()), ("remove_members", "yes"), ("leave_own", ticked)];
        assert_eq!(operator.post(&path, &fields).await.status, StatusCode::SEE_OTHER);
        let listed = operator.get("/operations").await.body;
        let newest = listed.split("/operations/op_").nth(1).expect("an operation");
        let id: String = newest.chars().take_while(char::is_ascii_alphanumeric).collect();
        let saga = world.sagas.get(format!("op_{id}").parse().expect("an id")).await;
        let saga = saga.expect("the store answers").expect("a saga");
        let Task::LeaveChat { keep_own, remove_members, .. } = saga.task else { panic!("{saga:?}") };
        assert_eq!((keep_own, remove_members), (keeps, true), "ticked: {ticked:?}");
        // No account is connected here: none left the chat.
        assert!(listed.contains("</span>no one</td>"), "{listed}");
        let page = operator.get(&format!("/operations/op_{id}")).await.body;
        assert!(page.contains("<dd>no one</dd>"), "{page}");
    }
}
