//! What outside programs bring back: one result of an item counts, and it is in the store before it leaves its list.

use ::queue::Taken;
use domain::{AppealId, ChannelChat, ClientId, Responder, Timestamp, TurnId};
use serde_json::Value;
use store::{ClientFields, FoundClient, StoreError};
use uuid::Uuid;

use super::{Fate, Later, Queue, Stage, read};
use crate::inbound::text;
use crate::rules::rules;
use crate::service::Inner;
use crate::webhook;

/// Whether a result counts.
enum Came {
    Counts,
    /// The item is over: another result came before, the client wrote more, or a person answered.
    TooLate,
    Wrong(String),
}

/// The id of a batch that another program waits for.
pub(super) fn batch_id(chat: &ChannelChat, first_at: Timestamp) -> String {
    format!("{chat}@{}", first_at.as_micros())
}

fn read_batch_id(id: &str) -> Option<(ChannelChat, Timestamp)> {
    let (chat, first_at) = id.rsplit_once('@')?;
    Some((chat.parse().ok()?, Timestamp::from_micros(first_at.parse().ok()?)))
}

pub(super) async fn take(
    inner: &Inner,
    queue: &Queue,
    stage: Stage,
    taken: &[Taken],
    fates: &mut Vec<Fate>,
) -> Result<(), Later> {
    for Taken { item, .. } in taken {
        let result = match read(item) {
            Ok(result) => result,
            Err(reason) => {
                fates.push(Fate::Dead(reason));
                continue;
            }
        };
        let Some(id) = ["item_id", "turn_id"].iter().find_map(|name| text(&result[*name])) else {
            fates.push(Fate::Dead("item_id is missing; bring back the one of the item".to_owned()));
            continue;
        };
        let came = match stage {
            Stage::Batch => ends_batch(inner, &id).await,
            _ => of_turn(inner, stage, &id, &result).await,
        };
        fates.push(match came {
            Ok(Came::Wrong(reason)) => Fate::Dead(reason),
            Err(error @ StoreError::NotFound { .. }) => Fate::Dead(error.to_string()),
            Err(error) => return Err(error.into()),
            Ok(came) => {
                if matches!(came, Came::TooLate) {
                    tracing::debug!(stage = stage.as_str(), id, "a result came too late");
                }
                queue.redis.withdraw(stage.as_str(), &[id]).await?;
                Fate::Taken
            }
        });
    }
    inner.moved();
    Ok(())
}

async fn ends_batch(inner: &Inner, id: &str) -> Result<Came, StoreError> {
    let Some((chat, first_at)) = read_batch_id(id) else {
        return Ok(Came::Wrong("item_id is none of a batch".to_owned()));
    };
    let turn = TurnId::from_uuid(inner.parts.ids.next());
    Ok(if inner.parts.store.pipeline().end_batch(chat, first_at, turn).await? {
        Came::Counts
    } else {
        Came::TooLate
    })
}

async fn of_turn(inner: &Inner, stage: Stage, id: &str, result: &Value) -> Result<Came, StoreError> {
    let pipeline = inner.parts.store.pipeline();
    let Ok(turn) = id.parse::<TurnId>() else {
        return Ok(Came::Wrong("item_id is none of an item".to_owned()));
    };
    let Some(turn) = pipeline.turn(turn).await?.map(|turn| turn.id) else {
        return Ok(Came::Wrong("item_id names no item; it may be from long ago".to_owned()));
    };
    let (ids, settings) = (&inner.parts.ids, &inner.parts.settings);
    let counts = match stage {
        // It has an id of its own.
        Stage::Batch => return Ok(Came::TooLate),
        Stage::Resolve => {
            let old = match named(result, "client_id", "client") {
                Some(word) => pipeline.client_by_old_id(&word).await?.map(|client| client.id),
                None => None,
            };
            match found_client(result, old) {
                Ok(found) => pipeline.resolved(turn, found, ids).await?,
                Err(reason) => return Ok(Came::Wrong(reason)),
            }
        }
        Stage::Appeal => {
            let old = match named(result, "appeal_id", "appeal") {
                Some(word) => pipeline.appeal_by_old_id(&word).await?.map(|appeal| appeal.id),
                None => None,
            };
            match found_appeal(result, old) {
                Ok(found) => {
                    let rules = rules(settings, inner.parts.clock.now());
                    pipeline.appeal_found(turn, found, &rules, ids).await?
                }
                Err(reason) => return Ok(Came::Wrong(reason)),
            }
        }
        Stage::Respond => {
            let reply = webhook::read(result.to_string().as_bytes());
            match reply.and_then(|reply| Some((reply.answer(settings.approval)?, reply.fields()))) {
                Some((answer, fields)) => {
                    let answer = inner.checked(turn, answer).await?;
                    pipeline.answer(turn, answer, fields).await?
                }
                None => return Ok(Came::Wrong("text is missing; or say hand_over or close".to_owned())),
            }
        }
        Stage::Send => match not_sent(result) {
            Some(why) => pipeline.hand_over(turn, &why).await?,
            None => pipeline.sent_elsewhere(turn, text(&result["external_message_id"])).await?,
        },
    };
    Ok(if counts { Came::Counts } else { Came::TooLate })
}

/// The id that a result names.
fn named(result: &Value, field: &str, within: &str) -> Option<String> {
    text(&result[field]).or_else(|| text(&result[within]["id"]))
}

/// An id as the API or a view of the database writes it. What was taken over is known by its old id before.
fn id<T>(
    result: &Value,
    field: &'static str,
    within: &str,
    made_of: fn(Uuid) -> T,
) -> Result<Option<T>, String>
where
    T: std::str::FromStr,
{
    let Some(word) = named(result, field, within) else { return Ok(None) };
    match word.parse() {
        Ok(id) => Ok(Some(id)),
        Err(_) => Uuid::try_parse(&word)
            .map(|id| Some(made_of(id)))
            .map_err(|_| format!("{field} is no id of this program; leave it out where it is not known")),
    }
}

fn found_client(result: &Value, old: Option<ClientId>) -> Result<FoundClient, String> {
    let client = match old {
        Some(_) => old,
        None => id(result, "client_id", "client", ClientId::from_uuid)?,
    };
    let field = |name: &str, flat: &str| text(&result["client"][name]).or_else(|| text(&result[flat]));
    let fields = ClientFields {
        name: field("name", "client_name"),
        phone: field("phone", "client_phone"),
        email: field("email", "client_email"),
    };
    Ok(FoundClient { client, fields })
}

fn found_appeal(
    result: &Value,
    old: Option<AppealId>,
) -> Result<(Option<AppealId>, Option<Responder>), String> {
    let appeal = match old {
        Some(_) => old,
        None => id(result, "appeal_id", "appeal", AppealId::from_uuid)?,
    };
    let responder = text(&result["responder"]).map(|word| {
        Responder::from_word(&word)
            .ok_or_else(|| "responder is one of ai, webhook, redis, human and off".to_owned())
    });
    Ok((appeal, responder.transpose()?))
}

/// Why an answer was not sent.
fn not_sent(result: &Value) -> Option<String> {
    let failed = result["sent"] == Value::Bool(false)
        || text(&result["status"]).is_some_and(|status| status == "failed");
    text(&result["error"]).map(|_| "not_sent".to_owned()).or_else(|| failed.then(|| "not_sent".to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_id_of_a_batch_is_read_again() {
        let chat: ChannelChat = "email:mail/anna@example.com".parse().unwrap();
        let first_at = Timestamp::from_micros(1_760_000_500_000_000);
        assert_eq!(read_batch_id(&batch_id(&chat, first_at)), Some((chat, first_at)));
        assert_eq!(read_batch_id("avito:shop/1"), None);
    }

    #[test]
    fn results_of_resolvers_are_read() {
        let id = ClientId::from_uuid(Uuid::from_u128(7));
        for written in [
            json!({ "client_id": id.to_string() }),
            json!({ "client": { "id": Uuid::from_u128(7).simple().to_string() } }),
        ] {
            assert_eq!(found_client(&written, None).unwrap().client, Some(id), "{written}");
        }
        let found = found_client(
            &json!({ "client": { "name": "Anna", "phone": "" }, "client_email": "a@example.com" }),
            None,
        )
        .unwrap();
        assert_eq!((found.client, found.fields.name.as_deref()), (None, Some("Anna")));
        assert_eq!((found.fields.phone, found.fields.email.as_deref()), (None, Some("a@example.com")));
        assert!(found_client(&json!({ "client_id": 4 }), None).is_err());
        assert_eq!(found_client(&json!({ "client_id": 4 }), Some(id)).unwrap().client, Some(id));
    }

    #[test]
    fn results_of_appeals_and_senders_are_read() {
        assert_eq!(found_appeal(&json!({ "responder": "human" }), None), Ok((None, Some(Responder::Human))));
        assert!(found_appeal(&json!({ "responder": "boss" }), None).is_err());
        assert_eq!(not_sent(&json!({ "external_message_id": 4 })), None);
        for failed in [json!({ "sent": false }), json!({ "status": "failed" }), json!({ "error": "blocked" })]
        {
            assert_eq!(not_sent(&failed).as_deref(), Some("not_sent"), "{failed}");
        }
    }
}
