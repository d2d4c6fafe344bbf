//! Stages that another program may do, and what it is offered.

use ::queue::QueueError;
use config::PipelineSettings;
use domain::{Responder, TurnStage};
use serde_json::{Value, json};
use store::{StoreError, StoredTurn};

use super::Queue;
use crate::batch::batch;
use crate::send::destination;
use crate::service::Inner;

/// A stage of the pipeline as its list is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Batch,
    Resolve,
    Appeal,
    Respond,
    Send,
}

/// Why an item is not offered now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotOffered {
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Stage {
    pub(crate) const ALL: [Self; 5] = [Self::Batch, Self::Resolve, Self::Appeal, Self::Respond, Self::Send];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Resolve => "resolve",
            Self::Appeal => "appeal",
            Self::Respond => "respond",
            Self::Send => "send",
        }
    }

    /// The stage of a turn that is not over.
    pub(crate) const fn of(stage: TurnStage) -> Option<Self> {
        match stage {
            TurnStage::Resolve => Some(Self::Resolve),
            TurnStage::Appeal => Some(Self::Appeal),
            TurnStage::Respond => Some(Self::Respond),
            TurnStage::Send => Some(Self::Send),
            TurnStage::Answered | TurnStage::HandedOver | TurnStage::Discarded => None,
        }
    }

    /// Whether the settings leave it to another program.
    pub(crate) const fn is_external(self, settings: &PipelineSettings) -> bool {
        let stages = &settings.stages;
        match self {
            Self::Batch => stages.batch,
            Self::Resolve => stages.resolve,
            Self::Appeal => stages.appeal,
            Self::Respond => stages.respond,
            Self::Send => stages.send,
        }
        .is_external()
    }

    /// Whether another program may do it: any conversation can be handed to the responder `redis`.
    pub(crate) const fn may_be_external(self, settings: &PipelineSettings) -> bool {
        matches!(self, Self::Respond) || self.is_external(settings)
    }
}

impl Inner {
    /// The queue and the stage of a turn that another program does. An answer that a person has to approve is sent by this one.
    pub(crate) fn outside(&self, turn: &StoredTurn) -> Option<(&Queue, Stage)> {
        let is_asked = turn.stage == TurnStage::Respond && turn.responder == Some(Responder::Redis);
        let stage =
            Stage::of(turn.stage).filter(|stage| is_asked || stage.is_external(&self.parts.settings))?;
        let is_ours = stage == Stage::Send && turn.needs_approval;
        self.queue.as_ref().filter(|_| !is_ours).map(|queue| (queue, stage))
    }

    /// Offers a turn to the program that does its stage, and again later unless its result comes.
    pub(crate) async fn offer(
        &self,
        queue: &Queue,
        stage: Stage,
        turn: &StoredTurn,
    ) -> Result<(), NotOffered> {
        let pipeline = self.parts.store.pipeline();
        if stage == Stage::Send {
            let refused = match destination(&turn.chat) {
                None => Some("no_chat"),
                Some(_) if self.is_refused(turn).await? => Some("do_not_contact"),
                Some(_) => None,
            };
            if let Some(why) = refused {
                pipeline.hand_over(turn.id, why).await?;
                return Ok(());
            }
        }
        let mut item = batch(turn, &self.context(turn).await?);
        let id = turn.id.to_string();
        if let Value::Object(fields) = &mut item {
            fields.insert("item_id".to_owned(), json!(id));
            fields.insert("stage".to_owned(), json!(stage.as_str()));
            if stage == Stage::Send {
                let answer = turn.answer.as_ref().map(domain::Words::as_str);
                fields.insert("message_text".to_owned(), json!(answer));
            }
        }
        let offered = queue.redis.offer(stage.as_str(), &id, &item.to_string()).await;
        let now = self.parts.clock.now();
        queue.note("offers", offered.as_ref().copied(), now);
        offered?;
        Ok(pipeline.put_off(turn.id, turn.stage, now.plus(queue.offer_again)).await?)
    }
}
