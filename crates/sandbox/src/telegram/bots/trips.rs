//! The demo bot that offers a trip: an offer, a choice of places, a confirmation; and bots that are made and instructed.

use std::collections::{BTreeSet, HashSet};

use super::agenda::Scene;
use super::orders::{Deed, MadeBot, NewBot, NewTrip, Play, Played, Rule, Rules, Trip, Words};
use super::{keyboard, reply_keyboard};
use crate::telegram::mailbox::Mailbox;
use crate::telegram::orders::{Button, OutsideError};
use crate::telegram::peer::Peer;
use crate::telegram::people::Person;
use crate::telegram::privacy::Invites;
use crate::telegram::state::State;
use crate::telegram::world::{Telegram, now};

/// Without the `@`.
pub(crate) const USERNAME: &str = "demo_trips_bot";
/// Where its trips begin.
const PLACES: [[&str; 2]; 2] = [["Moscow", "Tver"], ["Klin", "Zelenograd"]];
/// The id of the first bot that is made at run time is one more.
const FIRST_MADE: i64 = 5_600_000_000;
/// How many bots are made at most.
const MOST_BOTS: i64 = 1_000;
const MOST_RULES: usize = 1_000;

fn button(text: &str, data: &str) -> Button {
    Button { text: text.to_owned(), data: Some(data.to_owned()), ..Button::default() }
}

fn edit(prefix: &str, text: &str, buttons: Vec<Vec<Button>>) -> Rule {
    let words = Words { text: text.to_owned(), buttons, keyboard: Vec::new() };
    let then = vec![Deed { edit: Some(words), ..Deed::default() }];
    Rule { prefix: Some(prefix.to_owned()), then, ..Rule::default() }
}

/// What the demo bot does when its buttons are pressed.
pub(crate) fn rules() -> Vec<Rule> {
    let place = |place: &&str| button(place, &format!("place:{{rest}}:{}", place.to_lowercase()));
    let places = PLACES.iter().map(|row| row.iter().map(place).collect()).collect();
    let confirm = vec![vec![button("Confirm", "confirm:{rest}"), button("Cancel", "cancel:{rest}")]];
    vec![
        edit("book:", "Where do you get on?", places),
        edit("place:", "You get on in {button}. Is that right?", confirm),
        edit("confirm:", "Your trip is booked.", Vec::new()),
        edit("cancel:", "You did not take the trip.", Vec::new()),
    ]
}

fn checked(deeds: &[Deed]) -> Result<(), OutsideError> {
    let invalid = |rule: &str| Err(OutsideError::Invalid(rule.to_owned()));
    for deed in deeds {
        let kinds = [deed.edit.is_some(), deed.send.is_some(), deed.delete, deed.storm.is_some()];
        if kinds.iter().filter(|one| **one).count() != 1 {
            return invalid("a deed needs exactly one of edit, send, delete and storm");
        }
        if deed.storm.is_some_and(|it| !(1..=15).contains(&it.per_second) || !(1..=600).contains(&it.seconds))
        {
            return invalid("a storm has 1 to 15 edits per_second, for 1 to 600 seconds");
        }
        for words in deed.edit.iter().chain(&deed.send) {
            if words.text.trim().is_empty() || words.text.encode_utf16().count() > 4_096 {
                return invalid("text must have 1 to 4096 UTF-16 units");
            }
            keyboard(&words.buttons)?;
            reply_keyboard(&words.keyboard)?;
        }
    }
    Ok(())
}

impl State {
    fn named_bot(&self, name: &str) -> Result<i64, OutsideError> {
        let user = self.named_user(name)?;
        let bot = self.people.get(&user).is_some_and(|person| person.bot);
        bot.then_some(user).ok_or_else(|| OutsideError::Invalid(format!("\"{name}\" is no bot")))
    }

    fn play(&mut self, bot: i64, order: &Play) -> Result<Played, OutsideError> {
        checked(&order.then)?;
        let chat = self.named(&order.chat)?;
        let (owner, peer) = match chat {
            Peer::User(user) if self.mailboxes.contains_key(&user) => (user, Peer::User(bot)),
            Peer::User(_) => {
                return Err(OutsideError::Invalid(format!("\"{}\" is no account", order.chat)));
            }
            Peer::Channel(_) => (bot, chat),
            Peer::Group(id) => {
                let members = self.groups.get(&id).map(|group| group.members.keys());
                let reader = members.into_iter().flatten().find(|user| self.mailboxes.contains_key(user));
                (reader.copied().unwrap_or(bot), chat)
            }
        };
        let scene = Scene { bot, owner, peer, message: None };
        let scene = self.act(scene, order.then.clone(), now());
        Ok(Played { chat_id: peer.to_string(), message_id: scene.message })
    }
}

impl Telegram {
    /// Makes a bot.
    pub fn make_bot(&self, order: &NewBot) -> Result<MadeBot, OutsideError> {
        let username = order.username.as_str();
        if !username.to_lowercase().ends_with("bot") || !crate::telegram::methods::is_username(username) {
            let rule = "username must be 4 to 32 letters, digits and inner underscores, and end in bot";
            return Err(OutsideError::Invalid(rule.to_owned()));
        }
        let mut state = self.lock();
        if state.by_username(username).is_some() {
            return Err(OutsideError::Taken(format!("the username \"{username}\"")));
        }
        if state.bots.made == MOST_BOTS {
            return Err(OutsideError::Refused("there are too many bots".to_owned()));
        }
        state.bots.made += 1;
        let id = FIRST_MADE + state.bots.made;
        state.add_person(Person {
            id,
            first_name: order.name.clone().unwrap_or_else(|| username.to_owned()),
            last_name: None,
            username: Some(username.to_owned()),
            bot: true,
            blocked: HashSet::new(),
            contacts: BTreeSet::new(),
            invites: Invites::Everybody,
            account: None,
        });
        let token = order.api.then(|| format!("{id}:AA{}", state.seed.hex32(&format!("{username} token"))));
        if let Some(token) = &token {
            state.mailboxes.insert(id, Mailbox::new());
            state.bots.speak(id, token);
        }
        Ok(MadeBot { user_id: id, username: username.to_owned(), token })
    }

    /// Gives a bot these rules instead of those it has.
    pub fn instruct(&self, bot: &str, rules: &Rules) -> Result<(), OutsideError> {
        if rules.rules.len() > MOST_RULES {
            return Err(OutsideError::Invalid("a bot has at most 1000 rules".to_owned()));
        }
        for rule in &rules.rules {
            checked(&rule.then)?;
            if [&rule.data, &rule.prefix, &rule.text].into_iter().flatten().count() > 1 {
                let text = "a rule has at most one of data, prefix and text";
                return Err(OutsideError::Invalid(text.to_owned()));
            }
        }
        let mut state = self.lock();
        let bot = state.named_bot(bot)?;
        state.bots.know(bot, rules.rules.clone());
        Ok(())
    }

    /// Lets a bot do something by itself.
    pub fn play(&self, bot: &str, order: &Play) -> Result<Played, OutsideError> {
        let mut state = self.lock();
        let bot = state.named_bot(bot)?;
        state.play(bot, order)
    }

    /// Lets the demo bot offer a trip.
    pub fn offer_trip(&self, order: &NewTrip) -> Result<Trip, OutsideError> {
        let known = PLACES.iter().flatten().any(|place| *place == order.from);
        if !known {
            let places = PLACES.as_flattened().join(", ");
            return Err(OutsideError::Invalid(format!("from must be one of {places}")));
        }
        let mut state = self.lock();
        let bot = state.named_bot(&format!("@{USERNAME}"))?;
        state.bots.trips += 1;
        let trip = state.bots.trips;
        let words = Words {
            text: format!("New trip {trip}: tomorrow at 07:40 from {}", order.from),
            buttons: vec![vec![
                button("Book", &format!("book:{trip}")),
                button("Not now", &format!("cancel:{trip}")),
            ]],
            keyboard: Vec::new(),
        };
        let then = vec![Deed { send: Some(words), ..Deed::default() }];
        let message = state.play(bot, &Play { chat: order.account.clone(), then })?;
        Ok(Trip { trip, message })
    }
}
