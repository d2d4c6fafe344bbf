//! Bots: what each does when a button is pressed or a text comes, and what it does later.

mod agenda;
mod api;
mod keyboards;
mod orders;
mod pressing;
mod rules;
mod trips;

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Notify;

pub use api::TroubleOrder;
pub(crate) use api::answered;
pub(crate) use keyboards::{Keyboards, keyboard, reply_keyboard};
pub use orders::{
    AnswerKind, AnswerOrder, Deed, Key, MadeBot, NewBot, NewTrip, OutsidePress, Play, Played, Rule, Rules,
    Storm, Trip, Words,
};
pub(crate) use pressing::{GIVEN_UP, Pause, Press};
pub(crate) use trips::{USERNAME as TRIPS_BOT, rules as trip_rules};

use agenda::Agenda;
use api::ApiBot;

/// The bots' side of the world.
#[derive(Debug, Default)]
pub(crate) struct Bots {
    /// What each bot does, by its user id.
    rules: HashMap<i64, Vec<Rule>>,
    agenda: Agenda,
    /// Woken when the agenda has something earlier.
    pub(crate) woken: Arc<Notify>,
    /// Bots with a token, by their user id.
    api: HashMap<i64, ApiBot>,
    /// Woken when a bot with a token gets an update.
    update_arrived: Arc<Notify>,
    /// The same, for the task that posts to webhooks.
    posted: Arc<Notify>,
    /// How many trips were offered.
    trips: u32,
    /// How many bots were made at run time.
    made: i64,
}

impl Bots {
    /// Gives a bot these rules instead of those it has.
    pub(crate) fn know(&mut self, bot: i64, rules: Vec<Rule>) {
        self.rules.insert(bot, rules);
    }

    /// Gives a bot a token for the Bot API.
    fn speak(&mut self, bot: i64, token: &str) {
        self.api.insert(bot, ApiBot::of(token));
    }
}
