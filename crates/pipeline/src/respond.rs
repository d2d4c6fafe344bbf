//! A turn in the hands of its responder. What fails is for a person, never for no one.

use std::time::Duration;

use domain::spoken::Languages;
use domain::{InboundId, Responder, TurnId, TurnStage, Unspoken, Words};
use serde_json::{Map, Value};
use store::{ClientFields, ClientMessage, Disclosure, Spent, StoreError, StoredTurn, TurnAnswer};

use crate::ai::budget::Charge;
use crate::ai::judgement::Decision;
use crate::ai::tools::Fields;
use crate::ai::uses;
use crate::batch::{TurnContext, batch};
use crate::inbound;
use crate::model::{Answered, ModelQuery, add_languages};
use crate::rules::rules;
use crate::send::destination;
use crate::service::Inner;

/// How long until a program is asked again that could not be reached; twice as long each time.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// So much of what was written before is shown to a model.
const HISTORY: u32 = 50;

impl Inner {
    pub(crate) async fn respond(&self, turn: &StoredTurn) -> Result<(), StoreError> {
        if self.is_refused(turn).await? {
            return self.give_up(turn, "do_not_contact").await;
        }
        match turn.responder {
            Some(Responder::Ai) => self.ask_model(turn).await,
            Some(Responder::Webhook) => self.ask_webhook(turn).await,
            _ => self.give_up(turn, "no_responder").await,
        }
    }

    /// Whether no answer may go to the chat: then no program is asked for one.
    pub(crate) async fn is_refused(&self, turn: &StoredTurn) -> Result<bool, StoreError> {
        let Some(chat) = destination(&turn.chat) else { return Ok(false) };
        match self.parts.store.do_not_contact().refuse_message(vec![(chat, None)]).await {
            Err(StoreError::DoNotContact { .. }) => Ok(true),
            answer => answer.map(|()| false),
        }
    }

    async fn give_up(&self, turn: &StoredTurn, why: &str) -> Result<(), StoreError> {
        tracing::warn!(turn = %turn.id, chat = %turn.chat, why, "a person is to answer");
        let answer = TurnAnswer::HandOver { why: why.to_owned(), proposed: None };
        self.parts.store.pipeline().answer(turn.id, answer, ClientFields::default()).await.map(drop)
    }

    /// Asks the model, and notes what it says.
    async fn ask_model(&self, turn: &StoredTurn) -> Result<(), StoreError> {
        let Some(model) = &self.model else { return self.give_up(turn, "no_model").await };
        let pipeline = self.parts.store.pipeline();
        let TurnContext { mut messages, disclosed, .. } = self.context(turn).await?;
        self.show_pictures(&mut messages).await;
        let Disclosure { chat_type, client, appeal, mut history, earlier, .. } = disclosed;
        self.link_files(&mut history);
        let query = ModelQuery {
            turn,
            messages: &messages,
            history: &history,
            chat_type,
            client: client.as_ref(),
            appeal: appeal.as_ref(),
            earlier,
        };
        let Answered { judgement, charges } = tokio::select! {
            answered = model.answer(&self.parts.clock, &query) => answered,
            () = self.is_over(turn) => return Ok(()),
        };
        for charge in charges {
            let Charge { date, tokens, money } = charge;
            pipeline.spend(Spent { day: date.to_string(), tokens, money: money.0 }).await?;
        }
        for problem in &judgement.problems {
            tracing::warn!(turn = %turn.id, %problem, "a call of the model does nothing");
        }
        let uses = uses::entries(&judgement, turn, model.name(), self.parts.clock.now());
        let text = |text: Words| text.as_str().to_owned();
        let needs_approval = self.parts.settings.approval;
        let answer = match judgement.decision {
            Decision::Answer { text: reply, sources, .. } => TurnAnswer::Text {
                text: reply,
                needs_approval,
                why: (!sources.is_empty()).then(|| sources.join(", ")),
                closes: false,
            },
            Decision::Close { reason, text: Some(reply) } => {
                TurnAnswer::Text { text: reply, needs_approval, why: Some(text(reason)), closes: true }
            }
            Decision::Close { reason, text: None } => TurnAnswer::Close { why: text(reason) },
            Decision::HandOver { why, proposed } => {
                tracing::info!(turn = %turn.id, chat = %turn.chat, why = why.word(), "the model leaves it to a person");
                TurnAnswer::HandOver { why: why.word().to_owned(), proposed }
            }
            // No answer ends so.
            Decision::Continue(_) => TurnAnswer::HandOver { why: "no_answer".to_owned(), proposed: None },
        };
        let Fields { name, phone, email, device, tags } = judgement.fields;
        // The device is what the appeal is about.
        let tags: Vec<String> = tags.into_iter().chain(device).map(text).collect();
        let fields = ClientFields { name: name.map(text), phone: phone.map(text), email: email.map(text) };
        pipeline.answer_of_model(turn.id, answer, fields, tags, uses).await.map(drop)
    }

    /// Checks the answer that a program brings later.
    pub(crate) async fn checked(&self, turn: TurnId, answer: TurnAnswer) -> Result<TurnAnswer, StoreError> {
        let pipeline = self.parts.store.pipeline();
        let Some(stored) = pipeline.turn(turn).await? else { return Ok(answer) };
        let (messages, disclosed) = (pipeline.batch(turn).await?, pipeline.disclose(&stored, HISTORY).await?);
        Ok(in_language(answer, disclosed.history.iter().chain(&messages)))
    }

    /// What a turn is about.
    pub(crate) async fn context(&self, turn: &StoredTurn) -> Result<TurnContext, StoreError> {
        let pipeline = self.parts.store.pipeline();
        let rules = rules(&self.parts.settings, self.parts.clock.now());
        let rule = rules.of(&turn.chat.channel, &turn.chat.account);
        let mut messages = pipeline.batch(turn.id).await?;
        let kept = messages.iter().filter(|message| message.deleted_at.is_none());
        let kept: Vec<&str> = kept.map(|message| message.message.as_str()).collect();
        let beside = self.beside(&kept).await?;
        self.link_files(&mut messages);
        Ok(TurnContext {
            messages,
            beside,
            disclosed: pipeline.disclose(turn, HISTORY).await?,
            longest: rule.map_or(self.parts.settings.longest, |rule| rule.longest),
        })
    }

    /// What came with these messages beside the format: of each field the first one.
    pub(crate) async fn beside(&self, messages: &[&str]) -> Result<Map<String, Value>, StoreError> {
        let mut found = Map::new();
        for id in messages.iter().filter_map(|id| id.parse::<InboundId>().ok()) {
            let stored = self.parts.store.channels().get(id).await?;
            let raw = stored.and_then(|stored| stored.message.raw);
            let Some(Value::Object(came)) = raw.and_then(|raw| serde_json::from_str(&raw).ok()) else {
                continue;
            };
            for (name, value) in inbound::beside(&came) {
                found.entry(name.as_str()).or_insert_with(|| value.clone());
            }
        }
        Ok(found)
    }

    /// Posts the batch to the program that answers, and again until it has it; then its answer may come later.
    async fn ask_webhook(&self, turn: &StoredTurn) -> Result<(), StoreError> {
        let Some(webhook) = &self.webhook else { return self.give_up(turn, "no_webhook").await };
        let pipeline = self.parts.store.pipeline();
        let deadline = turn.stage_at.plus(webhook.within);
        if self.parts.clock.now() >= deadline {
            return self.give_up(turn, "timeout").await;
        }
        let context = self.context(turn).await?;
        let body = batch(turn, &context);
        let reply = tokio::select! {
            reply = webhook.ask(turn.id, &body) => reply,
            () = self.is_over(turn) => return Ok(()),
        };
        let now = self.parts.clock.now();
        match reply {
            Ok(reply) => {
                if let Some(answer) = reply.answer(self.parts.settings.approval) {
                    let messages = context.disclosed.history.iter().chain(&context.messages);
                    let answer = in_language(answer, messages);
                    return pipeline.answer(turn.id, answer, reply.fields()).await.map(drop);
                }
                // It has the batch, and answers later.
                if !reply.unknown().is_empty() {
                    let fields = reply.unknown().join(", ");
                    tracing::info!(turn = %turn.id, fields, "the answer has no text; it is awaited until answer_within is over");
                }
                pipeline.put_off(turn.id, turn.stage, deadline).await
            }
            Err(error) => {
                tracing::warn!(turn = %turn.id, chat = %turn.chat, %error, "the program that answers does not");
                let again = ASK_AGAIN.saturating_mul(1 << turn.tries.min(8));
                pipeline.put_off(turn.id, turn.stage, now.plus(again).min(deadline)).await
            }
        }
    }

    /// Waits until the turn is in no one's hands any more, because more was written or a person answered, or the program ends.
    async fn is_over(&self, turn: &StoredTurn) {
        let mut newest = self.parts.store.events().newest();
        loop {
            tokio::select! {
                () = self.closing().cancelled() => return,
                changed = newest.changed() => if changed.is_err() { return },
            }
            let now = self.parts.store.pipeline().turn(turn.id).await;
            if !matches!(now, Ok(Some(now)) if now.stage == TurnStage::Respond) {
                return;
            }
        }
    }
}

/// The answer of a program, or a person where it leaves the languages of the conversation.
fn in_language<'a>(answer: TurnAnswer, messages: impl Iterator<Item = &'a ClientMessage>) -> TurnAnswer {
    let mut languages = Languages::default();
    add_languages(&mut languages, messages);
    let leaves = matches!(&answer, TurnAnswer::Text { text, .. } if languages.are_left_by(&text.plain()));
    if leaves {
        TurnAnswer::HandOver { why: Unspoken::Language.word().to_owned(), proposed: None }
    } else {
        answer
    }
}
