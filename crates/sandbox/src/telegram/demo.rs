//! The demo world: a repair workshop's accounts, customers, bots and chats. Pure: it follows from the seed and the date.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::accounts;
use super::bots::{TRIPS_BOT, trip_rules};
use super::identities::mix;
use super::mailbox::Mailbox;
use super::peer::Peer;
use super::people::{Account, Person};
use super::posting::Draft;
use super::privacy::Invites;
use super::state::{Moment, State};

/// How many customers there are.
pub(crate) const CLIENTS: usize = 64;

const FIRST_CLIENT: i64 = 6_000_000_000;
const FIRST_BOT: i64 = 5_500_000_000;
/// How many people there are with whom no one has exchanged messages.
const GUESTS: i64 = 200;

const FIRST_GUEST: i64 = 6_200_000_000;
/// The observer's user id.
const OBSERVER: i64 = 6_100_000_001;

const DAY: i64 = 86_400;

const FIRST_NAMES: [&str; 16] = [
    "Anna",
    "Борис",
    "Clara",
    "Дарья",
    "Egor",
    "Фаина",
    "Grigory",
    "Илья",
    "Julia",
    "Кира",
    "Leon",
    "Мария",
    "Nina",
    "Олег",
    "Polina",
    "Роман",
];
const LAST_NAMES: [&str; 8] =
    ["Lark", "Соколова", "Maple", "Рябинин", "Harbor", "Синицына", "Quill", "Дубов"];
const JOBS: [&str; 8] = [
    "screen",
    "замена аккумулятора",
    "charging port",
    "после воды",
    "back glass",
    "не включается",
    "speaker",
    "перенос данных",
];
const QUESTIONS: [&str; 8] = [
    "Hello, how much is a new screen?",
    "Добрый день, телефон не заряжается. Сможете посмотреть?",
    "Is my phone ready?",
    "Сколько займёт замена аккумулятора?",
    "Can I come by today after six?",
    "Телефон упал в воду, что делать?",
    "Do you have this part in stock?",
    "Спасибо, всё работает!",
];
const ANSWERS: [&str; 4] = [
    "Yes, bring it in, we will look at it for free.",
    "Здравствуйте! Будет готов завтра к обеду.",
    "We order the part today, it takes two days.",
    "Да, мы открыты до восьми.",
];

/// Something that was said before the world began.
struct Past {
    date: i64,
    from: i64,
    peer: Peer,
    text: String,
}

/// The dice of the demo world.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = mix(self.0);
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound.max(1)
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words.get(self.below(words.len())).copied().unwrap_or_default()
    }

    fn date(&mut self, now: Moment) -> i64 {
        let seconds = self.below(usize::try_from(29 * DAY).unwrap_or(usize::MAX));
        now.0 / 1_000_000 - 30 * DAY + i64::try_from(seconds).unwrap_or(0)
    }
}

fn client_id(number: usize) -> i64 {
    FIRST_CLIENT + i64::try_from(number).unwrap_or(0)
}

fn username(client: usize) -> String {
    format!("client_{client}")
}

fn first_name(client: usize) -> &'static str {
    FIRST_NAMES[client % FIRST_NAMES.len()]
}

/// The customers of the demo world: their usernames and first names.
pub fn clients() -> impl Iterator<Item = (String, &'static str)> {
    (1..=CLIENTS).map(|number| (username(number), first_name(number)))
}

/// Fills an empty state.
pub(crate) fn populate(state: &mut State, accounts: usize, dialogs: usize, now: Moment) {
    let mut dice = Dice(mix(state.seed.0));
    let mut past = Vec::new();
    people(state);
    let accounts: Vec<Arc<Account>> = (1..=accounts.max(1))
        .map(|number| {
            let (name, phone) = (accounts::name(number), accounts::phone(number));
            let account = accounts::make(state.seed, number, &name, &phone, accounts::home(number));
            let account = Arc::new(account);
            state.add_person(accounts::person(&account));
            account
        })
        .collect();
    for account in &accounts {
        customers(&mut dice, &mut past, account.user_id, CLIENTS, now);
        greetings(&mut dice, &mut past, account.user_id, now);
    }
    common_chats(state, &mut dice, &mut past, &accounts, now);
    let users: Vec<i64> = accounts.iter().map(|account| account.user_id).collect();
    let wanted = dialogs.saturating_sub(planned(state, &past));
    work_chats(state, &mut dice, &mut past, &users, wanted, now);
    live_through(state, &mut dice, past, &users);
}

/// Gives an account that joins later its dialogs.
pub(crate) fn settle(state: &mut State, user: i64, dialogs: usize, now: Moment) {
    let mut dice = Dice(mix(state.seed.0 ^ user.cast_unsigned()));
    let mut past = Vec::new();
    customers(&mut dice, &mut past, user, dialogs.min(CLIENTS), now);
    work_chats(state, &mut dice, &mut past, &[user], dialogs.saturating_sub(CLIENTS), now);
    live_through(state, &mut dice, past, &[user]);
}

/// Customers, bots, the observer, and guests to fill large chats with.
fn people(state: &mut State) {
    let person = |id, first: &str, last: Option<&str>, username: String, bot| Person {
        id,
        first_name: first.to_owned(),
        last_name: last.map(str::to_owned),
        username: Some(username),
        bot,
        blocked: HashSet::new(),
        contacts: BTreeSet::new(),
        invites: Invites::Everybody,
        account: None,
    };
    for number in 1..=CLIENTS {
        let first = first_name(number);
        let last = LAST_NAMES[(number / 2) % LAST_NAMES.len()];
        let username = username(number);
        state.add_person(person(client_id(number), first, Some(last), username, false));
    }
    for number in 1..=2 {
        let name = format!("Demo bot {number}");
        state.add_person(person(FIRST_BOT + number, &name, None, format!("demo_bot_{number}"), true));
    }
    let trips = FIRST_BOT + 3;
    state.add_person(person(trips, "Demo trips", None, TRIPS_BOT.to_owned(), true));
    state.bots.know(trips, trip_rules());
    for number in 1..=GUESTS {
        let last = number.to_string();
        let username = format!("guest_{number}");
        state.add_person(person(FIRST_GUEST + number, "Guest", Some(&last), username, false));
    }
    state.add_person(person(OBSERVER, "Demo", Some("observer"), "demo_observer".to_owned(), false));
}

/// Private chats with the first so many customers.
fn customers(dice: &mut Dice, past: &mut Vec<Past>, account: i64, clients: usize, now: Moment) {
    for number in 1..=clients {
        let date = dice.date(now);
        let client = client_id(number);
        let text = dice.of(&QUESTIONS).to_owned();
        past.push(Past { date, from: client, peer: Peer::User(account), text });
        if dice.below(2) == 0 {
            let text = dice.of(&ANSWERS).to_owned();
            past.push(Past { date: date + 600, from: account, peer: Peer::User(client), text });
        }
    }
}

/// Private chats with the bots.
fn greetings(dice: &mut Dice, past: &mut Vec<Past>, account: i64, now: Moment) {
    for number in 1..=2 {
        let date = dice.date(now);
        let bot = FIRST_BOT + number;
        past.push(Past { date, from: account, peer: Peer::User(bot), text: "/start".to_owned() });
        let text = "Hello! I am a demo bot.".to_owned();
        past.push(Past { date: date + 1, from: bot, peer: Peer::User(account), text });
    }
}

/// The supergroup, the channel and the basic group that everybody knows.
fn common_chats(
    state: &mut State,
    dice: &mut Dice,
    past: &mut Vec<Past>,
    accounts: &[Arc<Account>],
    now: Moment,
) {
    let Some(main) = accounts.first().map(|account| account.user_id) else { return };
    let began = Moment(now.0 - 31 * DAY * 1_000_000).date();
    let backups: Vec<i64> = accounts
        .iter()
        .filter(|account| account.name.starts_with("backup_"))
        .map(|account| account.user_id)
        .collect();
    let mut say = |from: i64, peer: Peer, text: &str| {
        past.push(Past { date: dice.date(now), from, peer, text: text.to_owned() });
    };

    let supergroup = state.make_channel(main, "Demo supergroup", true, began);
    for user in backups.iter().copied().chain((1..=8).map(client_id)).chain([OBSERVER, FIRST_BOT + 1]) {
        state.enter_channel(user, supergroup, main, began);
    }
    say(client_id(1), Peer::Channel(supergroup), "Добрый день! Мастер сегодня на месте?");
    say(main, Peer::Channel(supergroup), "Yes, until eight in the evening.");

    let channel = state.make_channel(main, "Demo channel", false, began);
    state.name_channel(channel, "demo_channel");
    let readers = accounts.iter().map(|account| account.user_id).chain((1..=20).map(client_id));
    for user in readers {
        state.enter_channel(user, channel, main, began);
    }
    say(main, Peer::Channel(channel), "Новые запчасти на складе. New parts are in.");

    let members: Vec<i64> = backups.iter().copied().chain([client_id(1), client_id(2)]).collect();
    let group = state.make_group(main, "Demo group", &members, began);
    say(client_id(2), Peer::Group(group), "Когда забирать?");
}

/// How many dialogs there will be after all this.
fn planned(state: &State, past: &[Past]) -> usize {
    let shown: usize = state.mailboxes.values().map(|mailbox| mailbox.shown().count()).sum();
    let mut private = HashSet::new();
    for one in past {
        if let Peer::User(other) = one.peer {
            private.insert((one.from.min(other), one.from.max(other)));
        }
    }
    shown + private.len()
}

/// Chats about one job each, until the accounts have so many more dialogs together.
fn work_chats(
    state: &mut State,
    dice: &mut Dice,
    past: &mut Vec<Past>,
    accounts: &[i64],
    wanted: usize,
    now: Moment,
) {
    let began = Moment(now.0 - 31 * DAY * 1_000_000).date();
    let mut left = wanted;
    let mut number = 1_000;
    while left > 0 {
        number += 1;
        let first = dice.below(accounts.len());
        let together = (1 + dice.below(3)).min(left).min(accounts.len());
        let members: Vec<i64> = (0..together).map(|step| accounts[(first + step) % accounts.len()]).collect();
        let client = client_id(1 + dice.below(CLIENTS));
        let title = format!("{} {number}: {}", dice.of(&["Repair", "Ремонт"]), dice.of(&JOBS));
        let peer = if dice.below(5) == 0 {
            let others: Vec<i64> = members.iter().skip(1).copied().chain([client]).collect();
            Peer::Group(state.make_group(members[0], &title, &others, began))
        } else {
            let id = state.make_channel(members[0], &title, true, began);
            for user in members.iter().skip(1).copied().chain([client, OBSERVER]) {
                state.enter_channel(user, id, members[0], began);
            }
            Peer::Channel(id)
        };
        for _ in 0..=dice.below(2) {
            let (date, text) = (dice.date(now), dice.of(&QUESTIONS).to_owned());
            past.push(Past { date, from: client, peer, text });
        }
        left -= together;
    }
}

/// Says everything in the order of time, marks most of it as read, opens it to newcomers, and forgets that it was ever an update.
fn live_through(state: &mut State, dice: &mut Dice, mut past: Vec<Past>, accounts: &[i64]) {
    past.sort_by_key(|one| one.date);
    let mut channels = HashSet::new();
    for one in &past {
        state.post(one.from, one.peer, &Draft::text(&one.text), Moment(one.date * 1_000_000), None);
        if let Peer::Channel(id) = one.peer {
            channels.insert(id);
        }
    }
    for id in channels {
        if let Some(channel) = state.channels.get_mut(&id) {
            channel.hidden_prehistory = false;
            channel.log.forget(channel.log.pts());
        }
    }
    for user in accounts {
        let tops: Vec<(Peer, i32)> = state
            .mailboxes
            .get(user)
            .into_iter()
            .flat_map(Mailbox::shown)
            .filter_map(|dialog| Some((dialog.peer, state.top(dialog)?.id)))
            .collect();
        let Some(mailbox) = state.mailboxes.get_mut(user) else { continue };
        for (peer, top) in tops {
            if dice.below(8) > 0 {
                mailbox.open(peer).read_inbox = top;
            }
        }
        mailbox.log.forget(mailbox.log.pts());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telegram::files::Files;
    use crate::telegram::identities::Seed;

    fn world(accounts: usize, dialogs: usize) -> State {
        let mut state = State::new(Seed(1), Vec::new(), Files::new(std::path::PathBuf::new(), 0));
        populate(&mut state, accounts, dialogs, Moment(1_700_000_000_000_000));
        state
    }

    fn shown(state: &State) -> Vec<usize> {
        let accounts = state.accounts().iter();
        accounts.map(|account| state.mailboxes[&account.user_id].shown().count()).collect()
    }

    #[test]
    fn the_requested_dialogs_are_shared_among_the_accounts() {
        let state = world(5, 4_000);
        let all = shown(&state);
        assert_eq!(all.iter().sum::<usize>(), 4_000);
        assert!(all.iter().all(|count| *count >= 30), "{all:?}");
        let small = shown(&world(5, 0));
        assert!(small.iter().all(|count| *count >= 30), "{small:?}");
    }

    #[test]
    fn every_dialog_has_a_newest_message() {
        let state = world(6, 600);
        for mailbox in state.mailboxes.values() {
            assert!(mailbox.shown().all(|dialog| state.top(dialog).is_some()));
        }
    }

    #[test]
    fn the_world_follows_from_the_seed() {
        let titles = |state: &State| {
            let mut titles: Vec<_> =
                state.channels.values().map(|channel| (channel.id, channel.title.clone())).collect();
            titles.sort();
            titles
        };
        assert_eq!(titles(&world(3, 500)), titles(&world(3, 500)));
    }

    #[test]
    fn the_demo_users_and_channels_exist() {
        let state = world(5, 0);
        for name in
            ["demo_main", "demo_fifth", "client_1", "client_64", "demo_bot_2", "demo_observer", "guest_200"]
        {
            assert!(matches!(state.by_username(name), Some(Peer::User(_))), "{name}");
        }
        assert!(matches!(state.by_username("Demo_Channel"), Some(Peer::Channel(_))));
        assert_eq!(state.by_phone("+7 000 000-00-01"), Some(7_000_000_001));
    }

    #[test]
    fn an_account_that_joins_later_gets_its_dialogs() {
        let mut state = world(5, 0);
        let account = Arc::new(accounts::make(Seed(1), 6, "late", "+70000000099", 2));
        state.add_person(accounts::person(&account));
        settle(&mut state, account.user_id, 100, Moment(1_700_000_000_000_000));
        assert_eq!(state.mailboxes[&account.user_id].shown().count(), 100);
    }
}
