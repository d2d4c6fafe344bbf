//! Instagram, through its own log-in: an account that customers write to.

mod attachment;
mod client;
mod error;
mod forward;
mod history;
mod inbound;
mod lookup;
mod names;
mod oauth;
mod old_call;
mod sending;
mod token;

use std::sync::Arc;
use std::time::Duration;

use delivery::{Action, Capabilities, Dedup, MediaKind, MessageLookup};
use domain::media::MediaForm;
use domain::secret::ExposeSecret;
use domain::text::{TextLimit, Unit};
use domain::{
    AccountName, ExternalChat, InboundEvent, InboundMedia, MessageState, Outcome, SecretText, Timestamp,
};
use futures::future::{BoxFuture, FutureExt, ready};
use hmac::{Hmac, KeyInit, Mac};
use outbound::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::error::CallError;
use crate::histories::ReadingHistories;
use crate::http::ANSWER;
use crate::login::{LogIn, LogInAnswer};
use crate::nature::{self, Nature, Posts};
use crate::old_call::OldCall;
use crate::posting::kinds_left_out;
use crate::provider::{
    Deed, Fetched, Hook, HookPost, HookRefusal, Identity, Incoming, Outgoing, Pacing, Provider,
};
use crate::recent::Recent;
use crate::setup::{Setup, SetupError, is_same};

use client::{Client, word};
use names::Names;
use oauth::OAuth;

/// What is posted to us.
const SUBSCRIBED: [&str; 5] =
    ["messages", "messaging_postbacks", "messaging_seen", "message_edit", "message_reactions"];
/// The longest word that a handshake has back.
const LONGEST_CHALLENGE: usize = 256;

/// How long a token lives.
const TOKEN_LIVES: Duration = Duration::from_hours(60 * 24);

struct Instagram {
    client: Client,
    /// What it is called in the settings.
    name: AccountName,
    /// Secrets of apps: a post is signed with one of them.
    secrets: Vec<SecretText>,
    /// None without the id of an app.
    oauth: Option<OAuth>,
    verify_token: SecretText,
    /// Whether the settings have it.
    is_token_given: bool,
    names: Names,
    recent: Recent,
}

/// Between two recordings or films, of which Instagram takes 10 a second.
const PLAYED: Duration = Duration::from_millis(110);

/// So long after a call that had no clear answer it may still have an effect; with a file, which Instagram fetches, for longer.
const SETTLES: Duration = Duration::from_secs(30);
const LONGEST_FETCH: Duration = Duration::from_secs(90);

/// What its owner does at the provider, step by step, in English and in Russian.
const STEPS: &[[&str; 2]] = &[
    [
        "In the app of Instagram make the account professional, and under Messages allow access by connected tools.",
        "В приложении Instagram сделайте аккаунт профессиональным и в настройках сообщений разрешите доступ подключённым инструментам.",
    ],
    [
        "On developers.facebook.com make an app with the product Instagram; its app secret is app_secret.",
        "На developers.facebook.com создайте приложение с продуктом Instagram; его секрет — это app_secret.",
    ],
    [
        "Add the account there with instagram_business_basic and instagram_business_manage_messages; the token is token.",
        "Добавьте там аккаунт с правами instagram_business_basic и instagram_business_manage_messages; токен — это token.",
    ],
    [
        "Under Webhooks enter the address of this page and the word of verify_token, and subscribe to messages, messaging_postbacks, messaging_seen, message_edit and message_reactions.",
        "В разделе Webhooks впишите адрес с этой страницы и слово из verify_token, подпишитесь на messages, messaging_postbacks, messaging_seen, message_edit и message_reactions.",
    ],
    [
        "Connect the account here: that subscribes the app to it, as logging in does.",
        "Подключите аккаунт здесь: приложение подпишется на него, как и при входе.",
    ],
];

/// What its owner does to log in.
const LOG_IN: &[[&str; 2]] = &[[
    "Log in there as the owner of this account and allow the app. The address works once, for half an hour.",
    "Войдите там как владелец этого аккаунта и разрешите доступ приложению. Ссылка работает один раз, полчаса.",
]];

/// What is true of all its accounts.
pub(crate) const NATURE: Nature = Nature {
    steps: STEPS,
    token: ["The access token, unless its owner logs in.", "Токен доступа, если владелец не входит сам."],
    log_in: LOG_IN,
    posts: Posts::Only,
    legacy: |stored, links| Some(forward::legacy(stored, links).to_string()),
    chat_type: inbound::chat_type,
    user: nature::number_of_user,
    unread_answer: Some(""),
    ..Nature::PLAIN
};

/// An account of it.
///
/// # Errors
/// A key is missing or wrong.
pub(crate) fn make(setup: &Setup) -> Result<Arc<dyn Provider>, SetupError> {
    let given = setup.needed("app_secret", &setup.fields.app_secret)?;
    let secrets = given.expose_secret().split(',').map(str::trim).filter(|secret| !secret.is_empty());
    let secrets: Vec<SecretText> = secrets.map(SecretText::from).collect();
    if secrets.is_empty() {
        return Err(SetupError::Field { field: "app_secret", message: "is empty".to_owned() });
    }
    let given = setup.fields.verify_token.clone();
    let is_token_given = given.is_some();
    let verify_token = given.unwrap_or_else(|| setup.header_secret());
    let client = Client::new(setup);
    let oauth = setup.fields.client_id.clone().map(|app| OAuth::new(setup, app, secrets.clone()));
    if setup.fields.token.is_none() && oauth.is_none() {
        let message = "is missing: give it, or `client_id` to log in at Instagram".to_owned();
        return Err(SetupError::Field { field: "token", message });
    }
    let (name, names, recent) = (setup.fields.name.clone(), Names::default(), Recent::of(&setup.kept));
    Ok(Arc::new(Instagram { client, name, secrets, oauth, verify_token, is_token_given, names, recent }))
}

impl Instagram {
    fn now(&self) -> Timestamp {
        self.client.clock().now()
    }

    fn oauth(&self) -> Result<&OAuth, CallError> {
        self.oauth.as_ref().ok_or_else(|| {
            let detail = "set `client_id`, the id of the app, to log in at Instagram; or give a `token`";
            CallError::refused("not_supported", detail)
        })
    }

    /// Has Meta post what customers do in this account.
    async fn subscribe(&self) -> Result<(), CallError> {
        let fields = SUBSCRIBED.join(",");
        let query = [("subscribed_fields", fields.as_str())];
        self.client.call(Method::POST, "me/subscribed_apps", &query, None, ANSWER).await.map(drop)
    }

    async fn who(&self) -> Result<Identity, CallError> {
        let me = self.client.get("me", &[("fields", "id,user_id,username,name")]).await?;
        // `id` is another one for each app; posts carry `user_id`.
        let id = word(&me, "user_id")
            .ok_or_else(|| CallError::Unreadable("200 without the id of the account".to_owned()))?;
        self.client.keep_own_id(&id).await;
        let name = word(&me, "username").or_else(|| word(&me, "name")).unwrap_or_default();
        let gap = self.left_out().await.unwrap_or_default();
        let missing = gap.iter().map(|gap| format!("the subscription of the app: {gap}")).collect();
        Ok(Identity { id, name, missing, gap })
    }

    /// Which of the kinds of events that the app needs Meta does not post.
    async fn left_out(&self) -> Result<Option<String>, CallError> {
        let reply = self.client.get("me/subscribed_apps", &[]).await?;
        let apps = reply["data"].as_array().into_iter().flatten();
        let fields = apps.filter_map(|app| app["subscribed_fields"].as_array()).flatten();
        let fields: Vec<&str> = fields.filter_map(Value::as_str).collect();
        Ok(kinds_left_out(&SUBSCRIBED, |field| fields.contains(&field)))
    }

    fn is_genuine(&self, body: &[u8], signature: &[u8]) -> bool {
        let Some(signature) = signature.strip_prefix(b"sha256=").and_then(|text| hex::decode(text).ok())
        else {
            return false;
        };
        // Each is tried, so that the time does not show which one it was.
        self.secrets
            .iter()
            .filter_map(|secret| Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).ok())
            .fold(false, |found, mac| found | mac.chain_update(body).verify_slice(&signature).is_ok())
    }

    fn handshake(&self, post: &HookPost) -> Result<Hook, HookRefusal> {
        let query = post.query();
        let value =
            |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let token = value("hub.verify_token").unwrap_or_default();
        let is_ours = is_same(self.verify_token.expose_secret().as_bytes(), token.as_bytes());
        if value("hub.mode") != Some("subscribe") || !is_ours {
            return Err(HookRefusal::NotGenuine);
        }
        let challenge = value("hub.challenge").filter(|word| word.len() <= LONGEST_CHALLENGE);
        challenge.map(Hook::text).ok_or_else(|| HookRefusal::Unreadable("there is no challenge".to_owned()))
    }
}

impl Provider for Instagram {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            text: TextLimit::new(1_000, Unit::Bytes),
            caption: None,
            sends: true,
            reply: false,
            album: delivery::Album::NONE,
            parse_modes: &[],
            media: &[
                MediaKind::Photo,
                MediaKind::Video,
                MediaKind::Animation,
                MediaKind::Voice,
                MediaKind::Audio,
                MediaKind::Document,
            ],
            actions: &[Action::MarkRead, Action::Typing],
            states: &[MessageState::Read],
            dedup: Dedup::ReadBack,
        }
    }

    fn receives(&self) -> &'static [Incoming] {
        &[
            Incoming::Webhook,
            Incoming::Text,
            Incoming::Image,
            Incoming::Voice,
            Incoming::Video,
            Incoming::Document,
            Incoming::Reply,
            Incoming::Edit,
            Incoming::Delete,
            Incoming::Reaction,
            Incoming::Press,
            Incoming::Owner,
        ]
    }

    fn pacing(&self) -> Pacing {
        Pacing { account: Duration::from_millis(10), chat: Duration::from_millis(500), burst: 10 }
    }

    fn account_interval(&self, outgoing: &Outgoing) -> Duration {
        match outgoing.file.as_ref().map(|file| &file.form) {
            None | Some(MediaForm::Photo { .. } | MediaForm::Document) => self.pacing().account,
            Some(_) => PLAYED,
        }
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Outcome> {
        sending::send(&self.client, &self.recent, outgoing).boxed()
    }

    fn settles(&self, outgoing: &Outgoing) -> Duration {
        if outgoing.file.is_some() { LONGEST_FETCH } else { SETTLES }
    }

    fn find<'a>(&'a self, outgoing: &'a Outgoing, since: Timestamp) -> BoxFuture<'a, MessageLookup> {
        lookup::find(&self.client, &self.recent, outgoing, since).boxed()
    }

    fn act<'a>(&'a self, chat: &'a ExternalChat, deed: &'a Deed) -> BoxFuture<'a, Result<(), CallError>> {
        async move {
            let action = match deed {
                Deed::MarkRead { .. } => "mark_seen",
                Deed::Typing => "typing_on",
                Deed::Edit { .. } | Deed::Delete { .. } => {
                    return Err(CallError::refused("not_supported", "Instagram has no such call"));
                }
            };
            let body = json!({"recipient": {"id": chat.as_str()}, "sender_action": action});
            self.client.post("me/messages", &body, ANSWER).await.map(|_| ())
        }
        .boxed()
    }

    fn old_call<'a>(&'a self, call: &'a OldCall) -> BoxFuture<'a, Result<Value, CallError>> {
        old_call::make(&self.client, call).boxed()
    }

    fn hook(&self, post: &HookPost) -> Result<Hook, HookRefusal> {
        if post.method == "GET" {
            return self.handshake(post);
        }
        if !self.is_genuine(&post.body, post.header("x-hub-signature-256").unwrap_or_default()) {
            return Err(HookRefusal::NotGenuine);
        }
        let body = domain::lenient::json(&post.body)
            .map_err(|_| HookRefusal::Unreadable("the body is no JSON".to_owned()))?;
        inbound::read(&body, &self.name, self.client.own_id().as_deref(), self.now()).map(Hook::events)
    }

    fn missed(&self, since: Timestamp, _: Vec<ExternalChat>) -> ReadingHistories<'_> {
        Some(history::since(&self.client, since).boxed())
    }

    fn complete(&self, events: Vec<InboundEvent>) -> BoxFuture<'_, Vec<InboundEvent>> {
        self.names.fill(&self.client, events).boxed()
    }

    fn fetch<'a>(&'a self, media: &'a InboundMedia, most: u64) -> BoxFuture<'a, Result<Fetched, CallError>> {
        self.client.fetch(media, most).boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<Identity, CallError>> {
        self.who().boxed()
    }

    fn gap(&self) -> Option<BoxFuture<'_, Result<Option<String>, CallError>>> {
        Some(self.left_out().boxed())
    }

    /// Subscribes the app to what customers do in this account. The address itself is typed in the app's dashboard.
    fn register<'a>(&'a self, _url: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        self.subscribe().boxed()
    }

    fn confirms_addresses(&self) -> bool {
        true
    }

    fn verify_token(&self) -> Option<SecretText> {
        (!self.is_token_given).then(|| self.verify_token.clone())
    }

    fn renew_token(&self) -> BoxFuture<'_, Result<(), CallError>> {
        self.client.renew().boxed()
    }

    fn token_expires(&self) -> Option<Timestamp> {
        self.client.token_expires()
    }

    fn token_lives(&self) -> Option<Duration> {
        self.client.has_token().then_some(TOKEN_LIVES)
    }

    fn log_in<'a>(&'a self, back: Option<&'a str>) -> BoxFuture<'a, Result<LogIn, CallError>> {
        ready(self.oauth().and_then(|oauth| oauth.link(back))).boxed()
    }

    fn finish_log_in<'a>(
        &'a self,
        answer: &'a LogInAnswer,
        back: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        async move {
            self.oauth()?.finish(&self.client, answer, back).await?;
            // A check says what is missing, and connecting the account tries again.
            if let Err(error) = self.subscribe().await {
                tracing::warn!(%error, "the app is not subscribed to the account that has logged in");
            }
            Ok(())
        }
        .boxed()
    }

    fn own_id(&self) -> Option<String> {
        self.client.own_id()
    }

    /// An app has one address for all its accounts.
    fn shares_hook(&self) -> bool {
        true
    }
}
