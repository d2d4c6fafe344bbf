//! The pipeline: how what clients write is batched, and who answers it.

use std::{path::PathBuf, time::Duration};

use domain::{AccountName, ChannelName, ChatId, Customers, Responder};
use secrecy::SecretString;

use crate::{
    active_hours::ActiveHours,
    control_bots::ControlLanguage,
    keys::settings,
    queue::StageBy,
    secret,
    value_kind::{
        ACCOUNT, NAME, SIGNING_SECRET, ValueKind, choice, hours, http_url, not_blank, one_word, reads,
        secret, word, words,
    },
};

/// The words of responders.
const RESPONDERS: &[&str] = &["ai", "webhook", "redis", "human", "off"];

/// People in Telegram.
pub(crate) const PEOPLE: ValueKind =
    words("the id of a person in Telegram, such as \"5000000001\"", is_person);

fn is_person(text: &str) -> bool {
    text.parse::<ChatId>().is_ok_and(|chat_id| chat_id.user_id().is_some())
}

settings! {
    /// The section `[pipeline]`.
    pub section PipelineSettings at "pipeline." {
        /// Whether what clients write is batched and answered; without it messages are kept and forwarded alone.
        enabled: bool = false, boolean();
        /// A batch is complete once its chat has been silent for so long.
        #[serde(with = "crate::duration")]
        silence: Duration = "20s", duration("0s", "10m");
        /// A batch is complete in any case so long after its first message.
        #[serde(with = "crate::duration")]
        longest: Duration = "300s", duration("1s", "1h");
        /// A closed appeal goes on where its client writes within this; later a new one is opened.
        #[serde(with = "crate::duration")]
        reopen_within: Duration = "3d", duration("0s", "365d");
        /// Who answers: a model, another program that is posted to or that takes from Redis, a person, or no one.
        responder: Responder = Responder::Human, choice(RESPONDERS);
        /// The hours in which that holds, such as those of the people; left out: always.
        #[serde(skip_serializing_if = "Option::is_none")]
        hours: Option<String>, optional(hours()),
            "\"09:00-21:00 Europe/Moscow\"";
        /// Who answers at other hours.
        #[serde(skip_serializing_if = "Option::is_none")]
        outside_hours: Option<Responder>, optional(choice(RESPONDERS)), "\"ai\"";
        /// Whether a person approves each answer of a program before it is sent.
        approval: bool = false, boolean();
        /// Whether private chats of the Telegram accounts are conversations with clients too.
        telegram_accounts: bool = false, boolean();
        /// Which people who write to those accounts are customers: all, those who are not in the account's own contacts, or
        /// those who are listed.
        telegram_customers: Customers = Customers::default(), choice(<Customers as strum::VariantNames>::VARIANTS);
        /// People who are customers whatever `telegram_customers` says.
        telegram_customers_always: Vec<ChatId> = Vec::new(), like(PEOPLE), "[\"5000000001\"]";
        /// People who are never customers.
        telegram_customers_never: Vec<ChatId> = Vec::new(), like(PEOPLE), "[\"5000000001\"]";
        /// Who does which stage.
        stages: PipelineStageSettings;
        /// The model that answers.
        #[serde(skip_serializing_if = "Option::is_none")]
        ai: Option<PipelineAiSettings>;
        /// The model that writes voices down; a batch waits up to 30 s for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        transcription: Option<PipelineTranscriptionSettings>;
        /// The program that answers.
        #[serde(skip_serializing_if = "Option::is_none")]
        webhook: Option<PipelineWebhookSettings>;
        /// What differs for a channel or one of its accounts; the first entry that fits counts.
        rules: Vec<PipelineRuleSettings>;
        /// Who is notified of clients that wait for a person.
        notify: Vec<PipelineNotifySettings>;
    }
}

settings! {
    /// The section `[pipeline.stages]`: stages that another program takes over, over Redis.
    pub section PipelineStageSettings at "pipeline.stages." {
        /// Who waits until a client has finished writing.
        batch: StageBy = StageBy::Internal, choice(StageBy::WORDS);
        /// Who finds out who the client is.
        resolve: StageBy = StageBy::Internal, choice(StageBy::WORDS);
        /// Who finds the appeal.
        appeal: StageBy = StageBy::Internal, choice(StageBy::WORDS);
        /// Who makes the answer. Where that is another program, the responder `webhook` is it.
        respond: StageBy = StageBy::Internal, choice(StageBy::WORDS);
        /// Who sends the answer.
        send: StageBy = StageBy::Internal, choice(StageBy::WORDS);
    }
}

settings! {
    /// What differs for a channel or one of its accounts.
    pub item PipelineRuleSettings at "pipeline.rules[]." {
        /// The channel that it is about; `telegram_account` for accounts of Telegram.
        channel: ChannelName, word("the name of a channel", reads::<ChannelName>), "\"avito\"";
        /// The account of it; left out: all of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<AccountName>, optional(ACCOUNT), "\"shop\"";
        /// A batch is complete once its chat has been silent for so long.
        #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::duration::optional")]
        silence: Option<Duration>, optional(crate::value_kind::duration("0s", "10m")), "\"20s\"";
        /// A batch is complete in any case so long after its first message.
        #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::duration::optional")]
        longest: Option<Duration>, optional(crate::value_kind::duration("1s", "1h")), "\"300s\"";
        /// Who answers, at any hour; `off` for one whose answers still come from elsewhere.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        responder: Option<Responder>, optional(choice(RESPONDERS)), "\"off\"";
    }
}

settings! {
    /// Who is notified of clients that wait for a person, and of conversations that are assigned to them.
    pub item PipelineNotifySettings at "pipeline.notify[]." {
        /// The target of alerts that gets the notices, such as a chat in Telegram: its name.
        target: String, like(NAME), "\"olga\"";
        /// The person of the dashboard who reads it: what is someone else's is left out. Without it everything is there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<String>, optional(word("the name of a person of the dashboard", one_word)), "\"olga\"";
        /// How long a client waits for a person before the notice; with `1s` each new conversation is heard of.
        #[serde(default = "notify_after", with = "crate::duration")]
        after: Duration = "10m", duration("1s", "1d");
        /// The language of the notices; left out: English.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<ControlLanguage>, optional(choice(ControlLanguage::NAMES)), "\"ru\"";
    }
}

settings! {
    /// The section `[pipeline.ai]`: a model behind an address that speaks as OpenAI's does.
    pub item PipelineAiSettings at "pipeline.ai." {
        /// Where the API is, up to `/v1`.
        url: String, word("an address that begins with http:// or https://", http_url), "\"https://api.openai.com/v1\"";
        /// The model.
        model: String, word("the name of a model", one_word), "\"gpt-4o-mini\"";
        /// Its key; left out where the address needs none.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        key: Option<SecretString>, optional(secret("one word", one_word)), "{ env = \"AI_KEY\" }";
        /// A file that describes the business and how the model answers, with places such as `{catalogue}`; left out: a few
        /// words of our own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prompt: Option<PathBuf>, optional(word("the path of a file", not_blank)), "\"/etc/switchboard/prompt.txt\"";
        /// A folder of texts that answers may be taken from: each file is one, by its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        texts: Option<PathBuf>, optional(word("the path of a folder", not_blank)), "\"/etc/switchboard/texts\"";
        /// Whether an answer that cites none of the texts is left to a person.
        #[serde(default)]
        must_cite: bool = false, boolean();
        /// Answers of which the model is less sure are left to a person, in percent; 0: it is not asked how sure it is.
        #[serde(default)]
        least_confidence: u32 = 0, integer(0, 100);
        /// How long one answer may take; then a person is to answer.
        #[serde(default = "answer_within", with = "crate::duration")]
        answer_within: Duration = "60s", duration("1s", "10m");
        /// The most tokens of one answer.
        #[serde(default = "answer_tokens")]
        answer_tokens: u32 = 1000, integer(16, 100_000);
        /// The most tokens of a day, of questions and answers; 0: no bound.
        #[serde(default)]
        tokens_a_day: u64 = 0, integer(0, i64::MAX);
        /// The most money of a day, in hundredths; 0: no bound.
        #[serde(default)]
        money_a_day: u64 = 0, integer(0, i64::MAX);
        /// What a million tokens of questions cost, in hundredths.
        #[serde(default)]
        price_in: u64 = 0, integer(0, 1_000_000_000);
        /// What a million tokens of answers cost, in hundredths.
        #[serde(default)]
        price_out: u64 = 0, integer(0, 1_000_000_000);
        /// Certificates of the authority that signs the address's, beside those of the system.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ca_file: Option<PathBuf>, optional(word("the path of a file", not_blank)), "\"/etc/ssl/example.pem\"";
    }
}

settings! {
    /// The section `[pipeline.transcription]`: a model that hears, behind an address that speaks as OpenAI's does.
    pub item PipelineTranscriptionSettings at "pipeline.transcription." {
        /// Where the API is, up to `/v1`.
        url: String, word("an address that begins with http:// or https://", http_url), "\"https://api.openai.com/v1\"";
        /// The model.
        model: String, word("the name of a model", one_word), "\"whisper-1\"";
        /// Its key; left out where the address needs none.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        key: Option<SecretString>, optional(secret("one word", one_word)), "{ env = \"AI_KEY\" }";
        /// Certificates of the authority that signs the address's, beside those of the system.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ca_file: Option<PathBuf>, optional(word("the path of a file", not_blank)), "\"/etc/ssl/example.pem\"";
    }
}

settings! {
    /// The section `[pipeline.webhook]`: another program that answers, such as a workflow of n8n.
    pub item PipelineWebhookSettings at "pipeline.webhook." {
        /// Where batches are posted.
        url: String, word("an address that begins with http:// or https://", http_url), "\"https://n8n.example.com/webhook/answer\"";
        /// What the posts are signed with, after Standard Webhooks; left out: they are not signed.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        secret: Option<SecretString>, optional(secret(SIGNING_SECRET, one_word)), "{ env = \"ANSWER_SECRET\" }";
        /// How long is waited for an answer, at once or later; then a person is to answer.
        #[serde(default = "webhook_within", with = "crate::duration")]
        answer_within: Duration = "5m", duration("1s", "1d");
    }
}

const fn notify_after() -> Duration {
    Duration::from_mins(10)
}

const fn answer_within() -> Duration {
    Duration::from_mins(1)
}

const fn answer_tokens() -> u32 {
    1000
}

const fn webhook_within() -> Duration {
    Duration::from_mins(5)
}

impl PipelineStageSettings {
    /// The stages by their names.
    pub fn all(&self) -> [(&'static str, StageBy); 5] {
        let Self { batch, resolve, appeal, respond, send } = *self;
        [("batch", batch), ("resolve", resolve), ("appeal", appeal), ("respond", respond), ("send", send)]
    }
}

impl PipelineSettings {
    /// The keys that name a responder, and the responders.
    pub(crate) fn responders(&self) -> impl Iterator<Item = (String, Responder)> {
        let rules = self.rules.iter().enumerate();
        let rules =
            rules.filter_map(|(index, rule)| Some((format!("rules[{index}].responder"), rule.responder?)));
        let outside = self.outside_hours.map(|outside| ("outside_hours".to_owned(), outside));
        std::iter::once(("responder".to_owned(), self.responder)).chain(outside).chain(rules)
    }

    /// The hours in which [`PipelineSettings::responder`] answers.
    pub fn active_hours(&self) -> Option<ActiveHours> {
        self.hours.as_deref().and_then(|hours| hours.parse().ok())
    }
}
