//! What holds through any sender: each part arrives once at most, a chat keeps its order, each message ends as what is true
//! of it, and no account sends more than its owner allows.

use std::time::Duration;

use delivery::{Dedup, Delivery, Submission};
use domain::message::{MessageState, OutboundMessage, PartState};
use domain::{AccountName, ChatRef, MessageId, Timestamp};

/// What the provider does with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Takes the part and says so.
    Takes,
    /// Takes it, and the answer is lost.
    TakesUnheard,
    /// Takes it, and the answer cannot be read.
    TakesUnreadably,
    /// Takes it, and answers with an error of its own.
    TakesAndErrs,
    /// Takes it, and the program dies before the answer.
    TakesAndDies,
    /// The call is lost.
    Silent,
    /// Takes nothing and answers with an error of its own.
    Errs,
    /// The program dies before the call arrives.
    Dies,
    /// The account has to wait.
    Floods,
    /// Refuses the content.
    Refuses,
}

impl Answer {
    /// Every one.
    pub const ALL: [Self; 10] = [
        Self::Takes,
        Self::TakesUnheard,
        Self::TakesUnreadably,
        Self::TakesAndErrs,
        Self::TakesAndDies,
        Self::Silent,
        Self::Errs,
        Self::Dies,
        Self::Floods,
        Self::Refuses,
    ];

    /// Whether it leaves open what came of the part.
    const fn is_unclear(self) -> bool {
        !matches!(self, Self::Takes | Self::Floods | Self::Refuses)
    }
}

/// A delivery with a sender, and the provider behind it.
pub trait Stage: Sized {
    /// What the provider does with the next calls; after them it takes everything.
    fn plays(&self, answers: &[Answer]);

    /// The program that runs now.
    fn delivery(&self) -> &Delivery;

    /// A text for one of its chats, which are counted from 1.
    fn text(&self, chat: u8, words: &str) -> Submission;

    /// The texts that the provider has taken, in order.
    fn ledger(&self) -> Vec<String>;

    /// Who took each text of the ledger to the provider, and when.
    fn arrivals(&self) -> Vec<(AccountName, Timestamp)>;

    /// Lets so much time go by, or less where calls take real time.
    fn advance(&self, by: Duration);

    /// Whether a call waits for the program to die.
    fn is_dying(&self) -> bool;

    /// Kills the program and starts it again on the same store.
    fn restart(self) -> impl Future<Output = Self>;
}

/// How many rounds all of it may take.
const LONGEST: u32 = 20_000;

/// Sends two words as one text into each of the chats in turn, and checks what came of it. Gives the stage back.
///
/// # Errors
/// What does not hold.
pub async fn conforms<S: Stage>(stage: S, answers: &[Answer], chats: &[u8]) -> Result<S, String> {
    let (stage, messages) = carries(stage, answers, chats, Duration::from_secs(1)).await?;
    let Some(first) = messages.first() else { return Ok(stage) };
    let dedup = stage.delivery().capabilities(&first.chat).dedup;
    check_doubt(&messages, dedup, answers)?;
    Ok(stage)
}

/// Sends as [`conforms`] does on a stage whose accounts may send so many messages within any hour: none sends more, over
/// any death of the program. Hours go by, so that more may end in doubt.
///
/// # Errors
/// What does not hold.
pub async fn keeps_pace<S: Stage>(
    stage: S,
    answers: &[Answer],
    chats: &[u8],
    per_hour: u32,
) -> Result<S, String> {
    let (stage, _) = carries(stage, answers, chats, Duration::from_secs(40)).await?;
    check_pace(&stage.arrivals(), per_hour)?;
    Ok(stage)
}

async fn carries<S: Stage>(
    mut stage: S,
    answers: &[Answer],
    chats: &[u8],
    round: Duration,
) -> Result<(S, Vec<OutboundMessage>), String> {
    stage.plays(answers);
    let mut ids = Vec::new();
    for (number, chat) in chats.iter().enumerate() {
        // As long as each other, so that a sender with a short limit makes two parts of them.
        let submission = stage.text(*chat, &format!("{chat}.{number:04}.a {chat}.{number:04}.b"));
        let submitted = stage.delivery().submit(submission).await;
        ids.push(submitted.map_err(|error| error.to_string())?.id);
    }
    let mut left = ids.clone();
    for _ in 0..LONGEST {
        if stage.is_dying() {
            stage = stage.restart().await;
        }
        let mut open = Vec::new();
        for id in left {
            if !message(&stage, id).await?.state.is_final() {
                open.push(id);
            }
        }
        left = open;
        if left.is_empty() {
            break;
        }
        stage.advance(round);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    if !left.is_empty() {
        return Err(format!("{} messages never end", left.len()));
    }
    let mut messages = Vec::new();
    for id in ids {
        messages.push(message(&stage, id).await?);
    }
    let ledger = stage.ledger();
    check_parts(&messages, &ledger)?;
    check_order(&messages, &ledger)?;
    Ok((stage, messages))
}

async fn message<S: Stage>(stage: &S, id: MessageId) -> Result<OutboundMessage, String> {
    let message = stage.delivery().get(id).await.map_err(|error| error.to_string())?;
    message.ok_or_else(|| format!("{id} is lost"))
}

/// Each part is in the ledger as often as its state says.
fn check_parts(messages: &[OutboundMessage], ledger: &[String]) -> Result<(), String> {
    for message in messages {
        for part in &message.parts {
            let times = ledger.iter().filter(|text| **text == part.text.text).count();
            let is_right = match part.state {
                PartState::Sent => times == 1,
                PartState::Waiting => times == 0,
                PartState::Begun => message.state == MessageState::InDoubt && times <= 1,
            };
            if !is_right {
                let (text, state) = (&part.text.text, message.state);
                return Err(format!(
                    "{text} of a message that is {state:?} arrived {times} times: {ledger:?}"
                ));
            }
        }
        let all_sent = message.parts.iter().all(|part| part.state == PartState::Sent);
        if all_sent != (message.state == MessageState::Sent) {
            return Err(format!("it is {:?} with the parts {:?}", message.state, message.parts));
        }
    }
    Ok(())
}

/// What arrived in a chat arrived in the order in which it was accepted.
fn check_order(messages: &[OutboundMessage], ledger: &[String]) -> Result<(), String> {
    let mut chats: Vec<&ChatRef> = messages.iter().map(|message| &message.chat).collect();
    chats.dedup();
    for chat in chats {
        let parts = messages.iter().filter(|message| message.chat == *chat).flat_map(|one| &one.parts);
        let places: Vec<_> =
            parts.filter_map(|part| ledger.iter().position(|text| *text == part.text.text)).collect();
        if !places.is_sorted() {
            return Err(format!("{chat} is out of order: {ledger:?}"));
        }
    }
    Ok(())
}

/// No hour has more of one account than it may send.
fn check_pace(arrivals: &[(AccountName, Timestamp)], per_hour: u32) -> Result<(), String> {
    for (account, last) in arrivals {
        let is_within = |at: &Timestamp| at <= last && last.since(*at) < Duration::from_hours(1);
        let within = arrivals.iter().filter(|(other, at)| other == account && is_within(at)).count();
        if within > usize::try_from(per_hour).unwrap_or(usize::MAX) {
            return Err(format!("{account} sent {within} messages within an hour: {arrivals:?}"));
        }
    }
    Ok(())
}

/// It is in doubt only where it cannot be known: no key and no look, and an answer that left it open.
fn check_doubt(messages: &[OutboundMessage], dedup: Dedup, answers: &[Answer]) -> Result<(), String> {
    let in_doubt = messages.iter().filter(|message| message.state == MessageState::InDoubt).count();
    let unclear = answers.iter().filter(|answer| answer.is_unclear()).count();
    let most = if dedup == Dedup::None { unclear } else { 0 };
    if in_doubt > most {
        return Err(format!("{in_doubt} are in doubt, and {most} may be"));
    }
    Ok(())
}
