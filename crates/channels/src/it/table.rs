//! The table of what each channel carries: its columns are the accounts of the sandbox, its rows what they may carry.

use std::path::Path;
use std::sync::Arc;

use channels::{Incoming, Provider};
use delivery::{Action, Dedup, MediaKind};
use domain::MessageState;
use domain::text::{TextLimit, Unit};
use strum::VariantArray;

use crate::it::support::World;

/// Says that the table in the book is to be written, not compared.
const WRITES: &str = "SWITCHBOARD_CHANNEL_TABLE";
/// What is around it there.
const BEGIN: &str = "<!-- written by `cargo xtask docs` -->\n";
const END: &str = "<!-- end -->";
/// The most specific of how a call goes wrong.
const FAULTS: &[&str] = &["error", "garbage", "cut", "deaf"];

/// An account of the sandbox, and what its provider has of its own.
pub(crate) struct Column {
    pub(crate) account: &'static str,
    pub(crate) title: &'static str,
    /// A customer who writes.
    pub(crate) customer: &'static str,
    /// The provider and the call that sends, as faults name them.
    pub(crate) sends_by: (&'static str, &'static str),
    /// The faults after which it is not known whether something was sent.
    pub(crate) faults: &'static [&'static str],
    /// The parameters of the address that is typed in the provider's pages.
    pub(crate) query: &'static str,
    /// Whether what is posted proves who posted it.
    pub(crate) is_signed: bool,
    /// Whether the provider gives what customers write an id.
    pub(crate) gives_ids: bool,
    /// What is known only where the provider is asked.
    pub(crate) polled: &'static [Row],
}

const fn column(account: &'static str, title: &'static str, customer: &'static str) -> Column {
    let (query, is_signed, gives_ids, polled) = ("", true, true, &[]);
    Column {
        account,
        title,
        customer,
        sends_by: ("", ""),
        faults: FAULTS,
        query,
        is_signed,
        gives_ids,
        polled,
    }
}

pub(crate) const COLUMNS: [Column; 12] = [
    Column { sends_by: ("telegram_bot", "sendMessage"), ..column("bot", "Telegram bot", "2001") },
    Column {
        sends_by: ("avito", "/messages"),
        polled: &[Row::State(MessageState::Read)],
        ..column("shop", "Avito", "2000002")
    },
    Column { sends_by: ("whatsapp", "/message/send"), ..column("phone", "WhatsApp", "70000000001") },
    Column { sends_by: ("vk", "send"), ..column("club", "VK", "2001") },
    Column { sends_by: ("max", "/messages"), ..column("assistant", "MAX", "7") },
    Column { sends_by: ("instagram", "messages"), ..column("studio", "Instagram", "5550001") },
    Column { is_signed: false, ..column("site", "Form", "+70000000001") },
    Column {
        sends_by: ("sms", "send"),
        query: "?charset=utf-8&sha1=1",
        ..column("texts", "SMS, smsc", "+70000000001")
    },
    Column { sends_by: ("sms", "send"), ..column("texts_ru", "SMS, SMS.ru", "+70000000001") },
    Column { sends_by: ("sms", "Messages"), ..column("texts_twilio", "SMS, Twilio", "+70000000001") },
    Column {
        sends_by: ("sms", "submit_sm"),
        faults: &["garbage", "cut"],
        gives_ids: false,
        ..column("texts_smpp", "SMS, SMPP", "+70000000001")
    },
    Column {
        sends_by: ("email", "data"),
        faults: &["garbage", "cut"],
        ..column("mail", "Email", "anna@example.org")
    },
];

/// Something that a channel may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Row {
    /// It comes in.
    In(Incoming),
    /// Texts are sent, up to a length.
    Text,
    Caption,
    Reply,
    Media(MediaKind),
    /// Several pictures arrive together.
    Album,
    Action(Action),
    /// The provider says so of what was sent.
    State(MessageState),
    Dedup,
}

impl Row {
    /// Every one, in the order of the table: what is heard first, as most providers let no one write first.
    pub(crate) fn all() -> Vec<Self> {
        let media =
            MediaKind::ALL.into_iter().filter(|kind| !matches!(kind, MediaKind::Post | MediaKind::FileId));
        let incoming = Incoming::VARIANTS.iter().copied().map(Row::In);
        let actions = [Action::Edit, Action::Delete, Action::MarkRead, Action::Typing].map(Row::Action);
        let states = [MessageState::Delivered, MessageState::Read].map(Row::State);
        incoming
            .chain([Row::Text, Row::Caption, Row::Reply])
            .chain(media.map(Row::Media))
            .chain([Row::Album])
            .chain(actions)
            .chain(states)
            .chain([Row::Dedup])
            .collect()
    }

    /// What a provider has in this row; none where it has not.
    pub(crate) fn cell(self, provider: &dyn Provider) -> Option<String> {
        let can = provider.capabilities();
        let yes = |is: bool| is.then(|| "yes".to_owned());
        let limit = |limit: TextLimit| {
            let unit = match limit.unit() {
                Unit::Utf16 => "UTF-16",
                Unit::Characters => "characters",
                Unit::Bytes => "bytes",
            };
            format!("{} {unit}", limit.most())
        };
        match self {
            Row::In(incoming) => yes(provider.receives().contains(&incoming)),
            Row::Text => can.sends.then(|| limit(can.text)),
            Row::Caption => can.caption.map(limit),
            Row::Reply => yes(can.reply),
            Row::Media(kind) => yes(can.media.contains(&kind)),
            Row::Album => (can.album.visual > 1).then(|| can.album.visual.to_string()),
            Row::Action(action) => yes(can.actions.contains(&action)),
            Row::State(state) => yes(can.states.contains(&state)),
            Row::Dedup => match can.dedup {
                Dedup::Key { .. } => Some("the same key again".to_owned()),
                Dedup::ReadBack => Some("looked for".to_owned()),
                Dedup::None => can.sends.then(|| "in doubt".to_owned()),
            },
        }
    }

    fn title(self) -> String {
        match self {
            Row::In(incoming) => match incoming {
                Incoming::Poll => "comes by asking".to_owned(),
                Incoming::Webhook => "comes by webhook".to_owned(),
                Incoming::Text => "texts".to_owned(),
                Incoming::Image => "pictures".to_owned(),
                Incoming::Voice => "voice messages".to_owned(),
                Incoming::Audio => "audio files".to_owned(),
                Incoming::Video => "films".to_owned(),
                Incoming::Document => "documents".to_owned(),
                Incoming::Sticker => "stickers".to_owned(),
                Incoming::Reply => "which message is answered".to_owned(),
                Incoming::Edit => "changes of a text".to_owned(),
                Incoming::Delete => "deletions".to_owned(),
                Incoming::Reaction => "reactions".to_owned(),
                Incoming::Press => "presses of buttons".to_owned(),
                Incoming::Owner => "what you write in its app".to_owned(),
                Incoming::Reachable => "blocked, unblocked".to_owned(),
                Incoming::Undelivered => "not delivered".to_owned(),
            },
            Row::Text => "**sends** texts, of up to".to_owned(),
            Row::Caption => "captions, of up to".to_owned(),
            Row::Reply => "answers to a message".to_owned(),
            Row::Media(kind) => format!("{kind}"),
            Row::Album => "pictures together, up to".to_owned(),
            Row::Action(Action::Edit) => "`PATCH` of a message".to_owned(),
            Row::Action(Action::Delete) => "`DELETE` of a message".to_owned(),
            Row::Action(Action::MarkRead) => "`read`".to_owned(),
            Row::Action(Action::Typing) => "`typing`".to_owned(),
            Row::State(state) => format!("the state `{}`", state.as_str()),
            Row::Dedup => "after an unclear answer".to_owned(),
        }
    }
}

/// The providers of the columns.
fn providers(world: &World) -> Vec<Arc<dyn Provider>> {
    let made = |column: &Column| channels::make(World::setup(world.fields_of(column.account))).unwrap();
    COLUMNS.iter().map(made).collect()
}

fn markdown(providers: &[Arc<dyn Provider>]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let titles = COLUMNS.iter().map(|column| column.title.to_owned());
    let mut table = line([String::new()].into_iter().chain(titles).collect());
    table += &line(vec!["---".to_owned(); COLUMNS.len() + 1]);
    for row in Row::all() {
        let cells = COLUMNS.iter().zip(providers).map(|(column, provider)| match row.cell(&**provider) {
            Some(_) if column.polled.contains(&row) => "when asked".to_owned(),
            cell => cell.unwrap_or_else(|| "–".to_owned()),
        });
        table += &line([row.title()].into_iter().chain(cells).collect());
    }
    table
}

#[tokio::test]
async fn every_capability_of_every_account_is_a_cell() {
    let world = World::start().await;
    assert_eq!(world.accounts(), COLUMNS.iter().map(|column| column.account).collect());
    for (column, provider) in COLUMNS.iter().zip(providers(&world)) {
        let can = provider.capabilities();
        let listed = provider.receives().len() + can.media.len() + can.actions.len() + can.states.len();
        let single = [can.sends, can.caption.is_some(), can.reply, can.sends, can.album.visual > 1]
            .iter()
            .filter(|is| **is)
            .count();
        let cells = Row::all().into_iter().filter(|row| row.cell(&*provider).is_some()).count();
        assert_eq!(cells, listed + single, "{}", column.title);
    }
}

#[tokio::test]
async fn the_book_has_the_table() {
    let table = markdown(&providers(&World::start().await));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/channels.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("where the table begins");
    let (kept, after) = rest.split_once(END).expect("where the table ends");
    if std::env::var_os(WRITES).is_some() {
        std::fs::write(&path, [before, BEGIN, &table, END, after].concat()).unwrap();
    } else {
        assert!(
            kept == table,
            "the table in docs/channels.md is not what channels carry; run `cargo xtask docs`"
        );
    }
}
