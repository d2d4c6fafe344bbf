//! The names of lists and keys. Pure.

use domain::ChannelChat;

/// Messages of clients that other programs hand in.
pub const INCOMING: &str = "queue:incoming";
/// Messages that other programs have sent.
pub const OUTGOING: &str = "queue:outgoing";
/// The chats whose messages wait until their client has finished.
pub const PENDING: &str = "queue:debounce:pending";
/// How the names of the lists of chats whose messages wait begin.
pub const BATCHES: &str = "queue:batch:";
/// The locks that this program has set, each with its end: a hash by the ids of items.
pub const LOCKS: &str = "queue:locks";
/// What could not be taken, with why.
pub const DEAD: &str = "queue:dead";

/// What was taken from a list and is not in the store yet.
pub fn processing(list: &str) -> String {
    format!("{list}:processing")
}

/// What the program that does a stage is offered.
pub fn offers(stage: &str) -> String {
    if stage == "batch" { PENDING.to_owned() } else { format!("queue:stage:{stage}") }
}

/// What it was offered and has not brought back: a hash by the ids of items.
pub fn open(stage: &str) -> String {
    format!("queue:stage:{stage}:open")
}

/// Where it puts its results.
pub fn results(stage: &str) -> String {
    format!("queue:stage:{stage}:done")
}

/// A chat as keys name it: those of the first account of a channel leave the account out.
pub fn chat(chat: &ChannelChat, is_first: bool) -> String {
    let ChannelChat { channel, account, chat } = chat;
    if is_first { format!("{channel}:{chat}") } else { format!("{channel}:{account}/{chat}") }
}

/// The messages of a chat that wait.
pub fn batch(chat: &str) -> String {
    format!("{BATCHES}{chat}")
}

/// Is there while a batch of the chat is being answered.
pub fn lock(chat: &str) -> String {
    format!("lock:batch:{chat}")
}

/// When the client wrote last.
pub fn last_seen(chat: &str) -> String {
    format!("last_seen:{chat}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_account_is_left_out() {
        let address: ChannelChat = "avito:shop/u2i:1~x".parse().unwrap();
        assert_eq!(batch(&chat(&address, true)), "queue:batch:avito:u2i:1~x");
        assert_eq!(last_seen(&chat(&address, false)), "last_seen:avito:shop/u2i:1~x");
        assert_eq!(lock(&chat(&address, true)), "lock:batch:avito:u2i:1~x");
    }

    #[test]
    fn stages_have_lists_of_their_own() {
        assert_eq!(
            (offers("respond").as_str(), results("respond").as_str()),
            ("queue:stage:respond", "queue:stage:respond:done")
        );
        assert_eq!(
            (offers("batch").as_str(), results("batch").as_str()),
            (PENDING, "queue:stage:batch:done")
        );
    }
}
