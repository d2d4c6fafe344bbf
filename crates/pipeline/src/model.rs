//! A model that answers: what it is given, how often it is asked, and what it may cost.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ambient::Clock;
use channels::http::{Http, NoClient, Route};
use config::PipelineAiSettings;
use domain::secret::ExposeSecret;
use domain::spoken::Languages;
use domain::{ChatType, InboundKind, InboundMedia, SecretText, Timestamp, Words};
use jiff::tz::TimeZone;
use store::{ClientMessage, Spent, StoredAppeal, StoredClient, StoredTurn};

use crate::ai::answer::Answer;
use crate::ai::budget::{Budget, Charge, Cost, Day, Limits, Money, Prices, SoFar};
use crate::ai::judgement::{Decision, Judgement, Rules, judge};
use crate::ai::prompt::{
    Appeal, Author, Bounds, CatalogueText, Client, Given, Past, Template, UnknownPlaceholder, build,
};
use crate::ai::tools::{Fields, ToolSet};
use crate::ai::{AskError, Chat, Endpoint, Message, WrongEndpoint};

/// The prompt without one of the owner's.
const TEMPLATE: &str = "You answer the customers of a small business on {channel}. Be short, polite and exact; say only what you know. \
                        The time is {now}.\n\n{catalogue}";
/// How often a model is asked for one answer at most.
const ROUNDS: u32 = 4;
/// The same where its answers cannot be read.
const READINGS: u32 = 2;
/// How long until a model is asked again that could not answer, where it does not say.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// The longest answer, in characters.
const LONGEST_ANSWER: usize = 4_000;
/// Texts of the catalogue, and the longest of them in bytes.
const MOST_TEXTS: usize = 200;
const LONGEST_TEXT: u64 = 256 * 1024;
/// Settings have hundredths; this is the number of millionths in one.
const HUNDREDTH: u64 = 10_000;

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WrongModel {
    #[error("`{section}.url` {error}")]
    Endpoint { section: &'static str, error: WrongEndpoint },
    #[error(transparent)]
    NoClient(#[from] NoClient),
    #[error("`pipeline.ai.prompt` {0}")]
    Prompt(#[from] UnknownPlaceholder),
    #[error("{field} names {path}, which cannot be read: {error}")]
    File { field: &'static str, path: String, error: std::io::Error },
}

/// A model, with its prompt and its budget.
pub(crate) struct Model {
    name: String,
    chat: Chat,
    template: Template,
    catalogue: Vec<CatalogueText>,
    /// Of the owner's words.
    languages: Languages,
    must_cite: bool,
    least_confidence: Option<f64>,
    /// How long one answer may take.
    within: Duration,
    budget: Mutex<Budget>,
}

/// The result of asking.
pub(crate) struct Answered {
    pub(crate) judgement: Judgement,
    /// What it cost, by call.
    pub(crate) charges: Vec<Charge>,
}

impl Model {
    /// # Errors
    /// The settings cannot be used.
    pub(crate) fn new(settings: &PipelineAiSettings, clock: Clock) -> Result<Self, WrongModel> {
        let PipelineAiSettings { url, key, ca_file, .. } = settings;
        let key = key.as_ref().map(ExposeSecret::expose_secret);
        let endpoint = endpoint(clock, "pipeline.ai", (url, key), ca_file.as_deref())?;
        let mut languages = Languages::default();
        let template = match &settings.prompt {
            Some(path) => {
                let prompt = read("pipeline.ai.prompt", path)?;
                let prompt = String::from_utf8_lossy(&prompt);
                languages.add_ours(&prompt);
                prompt.parse()?
            }
            None => TEMPLATE.parse()?,
        };
        let catalogue = settings.texts.as_deref().map(texts).transpose()?.unwrap_or_default();
        for text in &catalogue {
            languages.add_ours(&text.text);
        }
        let bound = |most: u64| Some(most).filter(|most| *most > 0);
        let prices = Prices {
            prompt: Money(settings.price_in.saturating_mul(HUNDREDTH)),
            completion: Money(settings.price_out.saturating_mul(HUNDREDTH)),
        };
        let money = bound(settings.money_a_day).map(|most| (Money(most.saturating_mul(HUNDREDTH)), prices));
        let limits = Limits {
            completion: settings.answer_tokens,
            time: settings.answer_within,
            answer: None,
            day: bound(settings.tokens_a_day),
            money,
        };
        Ok(Self {
            name: settings.model.clone(),
            chat: Chat::new(endpoint, settings.model.clone(), None),
            template,
            catalogue,
            languages,
            must_cite: settings.must_cite,
            least_confidence: Some(f64::from(settings.least_confidence) / 100.0).filter(|least| *least > 0.0),
            within: settings.answer_within,
            budget: Mutex::new(Budget::new(limits, TimeZone::system(), None)),
        })
    }

    /// What the endpoint calls it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The last day on which something can have been spent.
    pub(crate) fn last_day(&self, now: Timestamp) -> String {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner).last_day(now).to_string()
    }

    /// Goes on from what was spent on a day.
    pub(crate) fn has_spent(&self, spent: &Spent) {
        if let Ok(date) = spent.day.parse() {
            let day = Day { date, tokens: spent.tokens, money: Money(spent.money) };
            self.budget.lock().unwrap_or_else(PoisonError::into_inner).has_spent(day);
        }
    }

    /// Asks until there is an answer, or a reason why a person is to answer.
    pub(crate) async fn answer(&self, clock: &Clock, query: &ModelQuery<'_>) -> Answered {
        let ModelQuery { turn, messages, history, chat_type, client, appeal, earlier } = query;
        let details = Client {
            name: client.and_then(|client| client.name.as_deref()).map(Into::into),
            phone: client.and_then(|client| client.phone.as_deref()).map(Into::into),
            email: client.and_then(|client| client.email.as_deref()).map(Into::into),
            device: None,
            tags: appeal
                .map(|appeal| appeal.tags.iter().map(|tag| tag.as_str().into()).collect())
                .unwrap_or_default(),
        };
        let matter = Appeal {
            status: appeal.map(|appeal| appeal.state.as_str().to_owned()).unwrap_or_default(),
            source: appeal.and_then(|appeal| appeal.ad.as_ref()).map(|ad| ad.channel.as_str().into()),
            earlier: *earlier,
        };
        let mut languages = self.languages;
        add_languages(&mut languages, history.iter().chain(*messages));
        let (history, batch) = (past(history), past(messages));
        let given = Given {
            channel: turn.chat.channel.as_str(),
            is_group: *chat_type != ChatType::Private,
            now: clock.now(),
            client: &details,
            appeal: &matter,
            history: &history,
            batch: &batch,
            catalogue: &self.catalogue,
            must_cite: self.must_cite,
        };
        let prompt = build(&self.template, &given, Bounds::default());
        // A group has no name, number and address that its members could give.
        let tools = ToolSet { close: true, set_fields: !given.is_group, sources: prompt.sources.clone() };
        let mut talk =
            Talk { messages: prompt.messages.clone(), tokens: prompt.tokens(), so_far: SoFar::default() };
        let (mut charges, mut fields, began) = (Vec::new(), Fields::default(), clock.running());
        for round in 1..=ROUNDS {
            talk.so_far.time = clock.running().saturating_sub(began);
            let answer = match self.ask(clock, &mut talk, &tools, &mut charges).await {
                Ok(answer) => answer,
                // The client waits no longer than an answer may take, however long the endpoint wants.
                Err(Failed::Again { wait, most, .. })
                    if round < most && talk.so_far.time.saturating_add(wait) < self.within =>
                {
                    clock.sleep(wait).await;
                    continue;
                }
                Err(Failed::Again { error, .. }) => {
                    return Answered { judgement: Judgement::without_answer(error), charges };
                }
                Err(Failed::Over(judgement)) => return Answered { judgement: *judgement, charges },
            };
            let rules = Rules {
                sources: &prompt.sources,
                instructions: &prompt.instructions,
                languages,
                must_cite: self.must_cite,
                least_confidence: self.least_confidence,
                longest: LONGEST_ANSWER,
                is_last_round: round == ROUNDS,
            };
            let judged = judge(&answer, rules);
            fields = fields.then(judged.fields);
            match judged.decision {
                Decision::Continue(more) => talk.messages.extend(more),
                decision => {
                    let judgement = Judgement { decision, fields, problems: judged.problems };
                    return Answered { judgement, charges };
                }
            }
        }
        // The last round is judged as such, and never goes on.
        Answered { judgement: Judgement::without_answer(AskError::Unreadable("no end".to_owned())), charges }
    }

    async fn ask(
        &self,
        clock: &Clock,
        talk: &mut Talk,
        tools: &ToolSet,
        charges: &mut Vec<Charge>,
    ) -> Result<Answer, Failed> {
        let budget = || self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        let granted = budget().ask(clock.now(), talk.tokens, talk.so_far);
        let grant = granted.map_err(|over| Failed::Over(Box::new(Judgement::without_answer(over))))?;
        let answer = self.chat.ask(&talk.messages, tools, grant.ceiling).await;
        let cost = match &answer {
            Ok(answer) => answer.usage.map_or(Cost::Unknown, Cost::Usage),
            Err(error) if error.costs_nothing() => Cost::Nothing,
            Err(_) => Cost::Unknown,
        };
        let charge = budget().settle(clock.now(), &grant, cost);
        talk.so_far.tokens = talk.so_far.tokens.saturating_add(charge.tokens);
        charges.push(charge);
        answer.map_err(|error| {
            let (wait, most) = match &error {
                AskError::RateLimited { retry_after } => (retry_after.unwrap_or(ASK_AGAIN), ROUNDS),
                AskError::Unavailable(_) | AskError::Unreached(_) => (ASK_AGAIN, ROUNDS),
                // It was paid for.
                AskError::Unreadable(_) => (Duration::ZERO, READINGS),
                _ => return Failed::Over(Box::new(Judgement::without_answer(error))),
            };
            Failed::Again { wait, most, error }
        })
    }
}

/// What a model is asked about.
pub(crate) struct ModelQuery<'a> {
    pub(crate) turn: &'a StoredTurn,
    /// What is to be answered, in order.
    pub(crate) messages: &'a [ClientMessage],
    /// What was written before, in order.
    pub(crate) history: &'a [ClientMessage],
    pub(crate) chat_type: ChatType,
    pub(crate) client: Option<&'a StoredClient>,
    pub(crate) appeal: Option<&'a StoredAppeal>,
    /// How many appeals the client had before.
    pub(crate) earlier: u64,
}

struct Talk {
    messages: Vec<Message>,
    /// What is asked, in estimated tokens.
    tokens: u64,
    so_far: SoFar,
}

enum Failed {
    /// It is asked again after `wait`, in `most` rounds at most.
    Again {
        wait: Duration,
        most: u32,
        error: AskError,
    },
    Over(Box<Judgement>),
}

/// Adds the languages of both sides of a conversation.
pub(crate) fn add_languages<'a>(
    languages: &mut Languages,
    messages: impl Iterator<Item = &'a ClientMessage>,
) {
    for message in messages.filter(|message| message.deleted_at.is_none()) {
        match message.author {
            domain::Author::Client => languages.add_theirs(message.text.as_str()),
            _ => languages.add_ours(message.text.as_str()),
        }
    }
}

fn past(messages: &[ClientMessage]) -> Vec<Past> {
    let kept = messages.iter().filter(|message| message.deleted_at.is_none());
    kept.map(|message| {
        let of = |is_image: bool| {
            let attached = message.media.iter().filter(|media| media.kind != InboundKind::Reply);
            attached.filter(move |media| (media.kind == InboundKind::Image) == is_image)
        };
        let said = match InboundMedia::reply_text(&message.media) {
            Some(answered) => Words::from(format!("[reply to: {answered}]\n{}", message.text.as_str())),
            None => message.text.clone(),
        };
        Past {
            at: message.at,
            author: if message.author == domain::Author::Client { Author::Customer } else { Author::Us },
            text: match &message.sender {
                Some(sender) => format!("{sender}: {}", said.as_str()).into(),
                None => said,
            },
            images: of(true).filter_map(|media| media.url.clone()).collect(),
            attachments: of(false).map(|media| media.kind.as_str().to_owned()).collect(),
        }
    })
    .collect()
}

/// The endpoint that a section of the settings names.
pub(crate) fn endpoint(
    clock: Clock,
    section: &'static str,
    (url, key): (&str, Option<&str>),
    ca_file: Option<&Path>,
) -> Result<Endpoint, WrongModel> {
    let ca = ca_file.map(|path| read(section, path)).transpose()?;
    let http = Http::new(clock, url, &Route { ca, ..Route::default() })?;
    let key = key.map(|key| SecretText::from(key.to_owned()));
    Endpoint::new(http, url, key.as_ref()).map_err(|error| WrongModel::Endpoint { section, error })
}

fn read(field: &'static str, path: &Path) -> Result<Vec<u8>, WrongModel> {
    let failed = |error| WrongModel::File { field, path: path.display().to_string(), error };
    let file = ambient::regular_file::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(file, LONGEST_TEXT), &mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// The texts of a folder, by their names.
fn texts(folder: &Path) -> Result<Vec<CatalogueText>, WrongModel> {
    let field = "pipeline.ai.texts";
    let failed = |error| WrongModel::File { field, path: folder.display().to_string(), error };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)?.take(MOST_TEXTS) {
        let path = entry.map_err(failed)?.path();
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
        if let Some(name) = name.filter(|name| path.is_file() && !name.starts_with('.')) {
            found.push(CatalogueText {
                name,
                text: String::from_utf8_lossy(&read(field, &path)?).into_owned(),
            });
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}
