//! Doubts that end by evidence: now and then someone else in the chat may have seen the message.

use std::time::Duration;

use domain::message::{MessageState, OutboundMessage, Part, PartState};
use store::{Binding, Filter, Page, PartSent, StoreError};

use crate::Delivery;
use crate::sender::{Attempt, Evidence};

/// How often those in doubt are looked for.
const LOOK_EVERY: Duration = Duration::from_mins(10);

/// For how long a message in doubt is looked for; after that only a person ends it.
const LOOK_FOR: Duration = Duration::from_hours(24);

/// How many are looked for at once, the newest first: reading histories costs calls.
const LOOKED_FOR: u32 = 20;

/// Looks for messages in doubt until the delivery closes.
pub(crate) async fn run(delivery: Delivery) {
    loop {
        tokio::select! {
            () = delivery.0.ambient.clock.sleep(LOOK_EVERY) => {}
            () = delivery.0.closing.cancelled() => return,
        }
        tokio::select! {
            looked = look(&delivery) => {
                if let Err(error) = looked {
                    tracing::warn!(%error, "messages in doubt could not be looked for");
                }
            }
            () = delivery.0.closing.cancelled() => return,
        }
    }
}

async fn look(delivery: &Delivery) -> Result<(), StoreError> {
    let filter = Filter { state: Some(MessageState::InDoubt), ..Filter::default() };
    let page = Page { limit: LOOKED_FOR, cursor: None };
    let listed = delivery.0.store.outbox().list(&filter, &page).await?;
    let now = delivery.0.ambient.clock.now();
    for message in listed.items.iter().filter(|message| now.since(message.updated_at) < LOOK_FOR) {
        for part in message.parts.iter().filter(|part| part.state == PartState::Begun) {
            look_for(delivery, message, part).await?;
        }
    }
    Ok(())
}

async fn look_for(delivery: &Delivery, message: &OutboundMessage, part: &Part) -> Result<(), StoreError> {
    let (Some(account), Some(address)) = (&message.account, &message.address) else { return Ok(()) };
    let attempt = Attempt { account, address, part, content: &message.content, binding: Binding::Unchanged };
    let Evidence::Present(message_ids) = delivery.0.sender.peer_check(attempt, message.created_at).await
    else {
        return Ok(());
    };
    let sent = PartSent {
        id: message.id,
        part: part.index,
        is_only: message.parts.len() == 1,
        account: account.clone(),
        address: address.clone(),
        message_ids: message_ids.unwrap_or_default(),
        binding: Binding::Unchanged,
        repeatable: false,
        // Its doubt was.
        counted: false,
        at: delivery.0.ambient.clock.now(),
    };
    let ended = async {
        delivery.0.store.outbox().part_sent(sent).await?;
        tracing::info!(subject = %message.id, "seen in the chat; the doubt has ended");
        // The parts behind it may leave now, unless they were held back after a restore.
        delivery.take_up(message.id).await
    };
    let ended = ended.await;
    if ended.is_err() {
        delivery.find_out(message.id);
    }
    ended
}
