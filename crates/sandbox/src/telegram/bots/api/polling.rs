//! A call of the Bot API as a whole: whose token it is, troubles that were ordered, and `getUpdates`, which waits.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::methods::{Parameters, number};
use super::refusals::{Refusal, TroubleOrder};
use crate::telegram::orders::OutsideError;
use crate::telegram::world::{Telegram, now};

/// The longest that `getUpdates` waits.
const LONGEST_POLL: i64 = 50;

impl Telegram {
    /// Whether a bot of this world has this token.
    pub(crate) fn has_bot(&self, token: &str) -> bool {
        self.lock().bots.by_token(token).is_some()
    }

    /// Answers a call of the Bot API.
    pub(crate) async fn bot_api(
        &self,
        token: &str,
        method: &str,
        given: &Parameters,
    ) -> Result<Value, Refusal> {
        // Names of methods are the same in any case.
        let method = method.to_ascii_lowercase();
        let bot = {
            let mut state = self.lock();
            let bot = state.bots.by_token(token).ok_or_else(|| Refusal::new(401, "Unauthorized"))?;
            state.bots.trouble(bot, &method)?;
            if method != "getupdates" {
                return state.api_call(bot, &method, given, now());
            }
            bot
        };
        self.get_updates(bot, given).await
    }

    async fn get_updates(&self, bot: i64, given: &Parameters) -> Result<Value, Refusal> {
        let seconds = number(given, "timeout").unwrap_or(0).clamp(0, LONGEST_POLL);
        let until = Instant::now() + Duration::from_secs(seconds.unsigned_abs());
        let update_arrived = Arc::clone(&self.lock().bots.update_arrived);
        let mut mine = None;
        loop {
            // Registered before the look, so that nothing falls between the two.
            let woken = update_arrived.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            let found = self.lock().bots.poll(bot, given, &mut mine)?;
            if !found.is_empty() || Instant::now() >= until {
                return Ok(Value::Array(found));
            }
            let _ = tokio::time::timeout_at(until, woken).await;
        }
    }

    /// Gives a bot's Bot API these troubles instead of those it has.
    pub fn trouble(&self, bot: &str, troubles: &[TroubleOrder]) -> Result<(), OutsideError> {
        let mut state = self.lock();
        let id = state.named_user(bot)?;
        let api = state.bots.api.get_mut(&id);
        let api = api.ok_or_else(|| OutsideError::Invalid(format!("\"{bot}\" has no token")))?;
        api.troubles = troubles.to_vec();
        Ok(())
    }
}

impl super::super::Bots {
    fn by_token(&self, token: &str) -> Option<i64> {
        self.api.iter().find(|(_, api)| api.token == token).map(|(id, _)| *id)
    }

    fn trouble(&mut self, bot: i64, method: &str) -> Result<(), Refusal> {
        let Some(api) = self.api.get_mut(&bot) else { return Ok(()) };
        let fits = |it: &&mut TroubleOrder| {
            it.times != Some(0)
                && it.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
        };
        let Some(order) = api.troubles.iter_mut().find(fits) else { return Ok(()) };
        order.times = order.times.map(|left| left.saturating_sub(1));
        Err(Refusal::from(&*order))
    }

    /// What `getUpdates` finds now. `mine` is the number of this poll, once it has one.
    fn poll(&mut self, bot: i64, given: &Parameters, mine: &mut Option<u64>) -> Result<Vec<Value>, Refusal> {
        let Some(api) = self.api.get_mut(&bot) else { return Err(Refusal::new(401, "Unauthorized")) };
        if api.hook.is_some() {
            let what = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete \
                        the webhook first";
            return Err(Refusal::new(409, what));
        }
        let number_of_this = if let Some(number) = *mine {
            number
        } else {
            api.poll += 1;
            *mine = Some(api.poll);
            self.update_arrived.notify_waiters();
            api.poll
        };
        if number_of_this != api.poll {
            let what = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is \
                        running";
            return Err(Refusal::new(409, what));
        }
        if let Some(offset) = number(given, "offset") {
            if offset < 0 {
                let kept = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
                let surplus = api.updates.len().saturating_sub(kept);
                api.updates.drain(..surplus);
            } else {
                api.updates.retain(|(id, _)| *id >= offset);
            }
        }
        let limit = number(given, "limit").unwrap_or(100).clamp(1, 100);
        let limit = usize::try_from(limit).unwrap_or(100);
        Ok(api.updates.iter().take(limit).map(|(_, update)| update.clone()).collect())
    }
}

/// A call as it is answered over HTTP.
pub(crate) fn answered(result: Result<Value, Refusal>) -> (u16, Value) {
    match result {
        Ok(result) => (200, json!({ "ok": true, "result": result })),
        Err(refusal) => (refusal.code, refusal.body()),
    }
}
