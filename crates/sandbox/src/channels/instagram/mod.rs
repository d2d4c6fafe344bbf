//! A pretend Instagram: one professional account, its customers, and the posts that an app gets about them.

mod graph;
mod oauth;
mod posts;

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::fake::{
    CustomerAction, CustomerDeed, CustomerDone, CustomerMedia, Fake, HookOrder, Outside, Post, PostAnswer,
    ProviderFile,
};
use super::request::{Reply, Request};
use crate::telegram::now;

const CHANNEL: &str = "instagram";
const ACCOUNT: &str = "studio";
const USERNAME: &str = "demo_studio";
/// How each id begins, and how many digits its number has.
const ID: &str = "aWdf";
const DIGITS: usize = 40;
/// The account's id in posts.
const USER_ID: &str = "17840000000000001";
/// The account's id for this app, which is another one.
const APP_SCOPED_ID: &str = "24000000000000001";
const TOKEN: &str = "planted-instagram-token";
const VERIFY_TOKEN: &str = "planted-verify-token";
/// Of the two secrets in the settings the second signs.
const APP_SECRETS: &str = "planted-old-secret,planted-app-secret";
const APP_SECRET: &str = "planted-app-secret";
/// The id of the app.
const APP: &str = "planted-instagram-app";
const TOKEN_LIVES: Duration = Duration::from_hours(60 * 24);
/// How long a file of a customer can be fetched.
const FILES_LAST: Duration = Duration::from_hours(1);
/// What can be subscribed to.
const FIELDS: [&str; 6] = [
    "messages",
    "messaging_postbacks",
    "messaging_seen",
    "message_edit",
    "message_reactions",
    "messaging_referral",
];

pub(super) struct Instagram {
    tokens: Vec<Token>,
    /// What a browser that was let in is given, and a token is had for.
    codes: Vec<oauth::Code>,
    hook: Option<String>,
    /// An address that is asked for this word.
    verification: Option<(String, String)>,
    subscribed: Vec<String>,
    chats: BTreeMap<String, Chat>,
    posts: posts::Posts,
    /// The number of the newest id. It begins with the time: the program stores the ids of earlier runs of this world.
    made: u64,
}

struct Token {
    text: String,
    /// None: some days ago.
    made: Option<Timestamp>,
    lives: Duration,
    has_ended: bool,
}

#[derive(Default)]
struct Chat {
    name: Option<String>,
    hides_name: bool,
    has_blocked: bool,
    /// When the customer wrote last.
    wrote: Option<Timestamp>,
    messages: Vec<Message>,
    edits: u64,
}

struct Message {
    id: String,
    is_own: bool,
    text: String,
    /// The type and address of what is attached.
    file: Option<(String, String)>,
    at: Timestamp,
}

impl Instagram {
    pub(super) fn new() -> Self {
        Self {
            tokens: vec![Token { text: TOKEN.to_owned(), made: None, lives: TOKEN_LIVES, has_ended: false }],
            codes: Vec::new(),
            hook: None,
            verification: None,
            subscribed: FIELDS.map(str::to_owned).to_vec(),
            chats: BTreeMap::new(),
            posts: posts::Posts::planted(),
            made: u64::try_from(now().0).unwrap_or_default(),
        }
    }

    fn id(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{ID}{kind}{:0>DIGITS$}", self.made)
    }

    /// Posts one thing that happened in a chat, if the app is subscribed to it.
    fn tell(&self, field: &str, item: Value, deed: &CustomerDeed, outside: &mut Outside) {
        let is_wanted = self.subscribed.iter().any(|wanted| wanted == field);
        let Some(url) = self.hook.as_ref().filter(|_| is_wanted) else { return };
        let (millis, extra) = (outside.millis(), &deed.extra);
        let mut item = item;
        item["timestamp"] = json!(millis);
        if extra["string_times"] == true {
            item["timestamp"] = json!(millis.to_string());
        }
        let mut entries = vec![json!({"id": USER_ID, "time": millis, "messaging": [item]})];
        if extra["form"] == "test" {
            let change = json!({"field": field, "value": entries[0]["messaging"][0]});
            entries = vec![json!({"id": "0", "time": millis, "changes": [change]})];
        }
        if extra["with_stranger"] == true {
            let message = json!({"mid": "aWdfother", "text": "for another account"});
            let item = json!({"sender": {"id": "1"}, "recipient": {"id": "2"}, "timestamp": millis, "message": message});
            entries.insert(0, json!({"id": "17840000000000002", "time": millis, "messaging": [item]}));
        }
        let body = escaped(&json!({"object": "instagram", "entry": entries}));
        let secret = if deed.forged { "another-secret" } else { APP_SECRET };
        let mut post = Post::json(CHANNEL, ACCOUNT, url, &Value::Null);
        post.body = body.into_bytes();
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return };
        let signature = hex::encode(mac.chain_update(&post.body).finalize().into_bytes());
        outside.post(post.header("X-Hub-Signature-256", format!("sha256={signature}")));
    }

    /// The message of ours or the customer's that a deed is about.
    fn meant(&self, user: &str, deed: &CustomerDeed, is_own: bool) -> Result<String, String> {
        let messages = self.chats.get(user).map(|chat| chat.messages.as_slice()).unwrap_or_default();
        let is_meant = |message: &&Message| {
            message.is_own == is_own && deed.message_id.as_ref().is_none_or(|id| *id == message.id)
        };
        let found = messages.iter().rev().find(is_meant);
        found
            .map(|message| message.id.clone())
            .ok_or_else(|| "message_id: there is no such message".to_owned())
    }

    /// Keeps a message of a chat and says what of it a post has.
    fn keep(
        &mut self,
        user: &str,
        is_own: bool,
        text: &str,
        files: &[(String, String)],
        outside: &Outside,
    ) -> Value {
        let id = self.id("ZAG1");
        let chat = self.chats.entry(user.to_owned()).or_default();
        let (text, file) = (text.to_owned(), files.first().cloned());
        let mut object = json!({"mid": id});
        if !text.is_empty() {
            object["text"] = json!(text);
        }
        if is_own {
            object["is_echo"] = json!(true);
        }
        if !files.is_empty() {
            let all = files.iter().map(|(kind, url)| json!({"type": kind, "payload": {"url": url}}));
            object["attachments"] = all.collect();
        }
        chat.messages.push(Message { id, is_own, text, file, at: outside.now });
        object
    }

    fn write(&mut self, user: &str, deed: &CustomerDeed, outside: &mut Outside) -> String {
        let files: Vec<_> = deed.media.iter().map(|media| uploaded(media, outside)).collect();
        let is_own = deed.action == CustomerAction::OwnerWrites;
        let mut message = self.keep(user, is_own, deed.text.as_deref().unwrap_or_default(), &files, outside);
        // A sticker comes without its content.
        if deed.media.iter().any(|media| media.kind == "sticker") {
            message["attachments"].take();
            message["is_unsupported"] = json!(true);
        }
        if let Some(kind) = deed.extra["attachment"].as_str() {
            let url = format!("{}/files/shared", outside.base);
            message["attachments"] = json!([{"type": kind, "payload": {"url": url}}]);
        }
        if let Some(answered) = &deed.message_id {
            message["reply_to"] = json!({"mid": answered});
        }
        if let Some(ad) = &deed.subject {
            message["referral"] = json!({"source": "ADS", "type": "OPEN_THREAD", "ad_id": ad});
        }
        let id = message["mid"].as_str().unwrap_or_default().to_owned();
        let (sender, recipient) = if is_own { (USER_ID, user) } else { (user, USER_ID) };
        let item = json!({"sender": {"id": sender}, "recipient": {"id": recipient}, "message": message});
        self.tell("messages", item, deed, outside);
        id
    }
}

impl Fake for Instagram {
    fn answer(&mut self, request: &Request, outside: &mut Outside) -> Option<Reply> {
        Some(self.called(request, outside))
    }

    fn fetches(&self, request: &Request) -> Option<String> {
        request.json()["message"]["attachment"]["payload"]["url"].as_str().map(str::to_owned)
    }

    fn type_hook(&mut self, order: &HookOrder, outside: &mut Outside) -> Result<(), String> {
        let challenge = outside.millis().to_string();
        let token = order.verify_token.as_deref().unwrap_or_default();
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("hub.mode", "subscribe")
            .append_pair("hub.verify_token", token)
            .append_pair("hub.challenge", &challenge)
            .finish();
        let mark = if order.url.contains('?') { '&' } else { '?' };
        let url = format!("{}{mark}{query}", order.url);
        self.hook = None;
        self.verification = Some((order.url.clone(), challenge));
        outside.post(Post {
            provider: CHANNEL,
            account: ACCOUNT.to_owned(),
            url,
            method: "GET",
            ..Post::default()
        });
        Ok(())
    }

    fn typed_hook(&self, _account: &str) -> Option<String> {
        self.hook.clone()
    }

    fn posted(&mut self, post: &Post, answer: Option<&PostAnswer>, _outside: &mut Outside) {
        if post.method == "GET"
            && let Some((url, challenge)) = self.verification.take()
            && answer.is_some_and(|answer| answer.status == 200 && answer.body.trim() == challenge)
        {
            self.hook = Some(url);
        }
    }

    fn customer(&mut self, deed: &CustomerDeed, outside: &mut Outside) -> Result<CustomerDone, String> {
        let user = user_id(&deed.from);
        let sides = json!({"sender": {"id": user}, "recipient": {"id": USER_ID}});
        let with = |name: &str, value: Value| {
            let mut item = sides.clone();
            item[name] = value;
            item
        };
        if deed.extra["unsubscribes"] == true {
            self.subscribed.clear();
        }
        let chat = self.chats.entry(user.clone()).or_default();
        if let Some(name) = &deed.name {
            chat.name = Some(name.clone());
        }
        chat.hides_name |= deed.extra["hides_name"] == true;
        let message_id = match deed.action {
            CustomerAction::Write => {
                let hours = deed.extra["hours_ago"].as_u64().unwrap_or_default();
                chat.wrote = Some(outside.now.minus(Duration::from_hours(hours)));
                Some(self.write(&user, deed, outside))
            }
            CustomerAction::OwnerWrites => Some(self.write(&user, deed, outside)),
            CustomerAction::Edit => {
                chat.edits += 1;
                let number = chat.edits;
                let id = self.meant(&user, deed, false)?;
                let text = deed.text.as_deref().unwrap_or_default();
                let edit = json!({"mid": id, "text": text, "num_edit": number});
                self.tell("message_edit", with("message_edit", edit), deed, outside);
                Some(id)
            }
            CustomerAction::Delete => {
                let id = self.meant(&user, deed, false)?;
                let message = json!({"mid": id, "is_deleted": true});
                self.tell("messages", with("message", message), deed, outside);
                self.chats.entry(user.clone()).or_default().messages.retain(|message| message.id != id);
                Some(id)
            }
            CustomerAction::Read => {
                let id = self.meant(&user, deed, true)?;
                self.tell("messaging_seen", with("read", json!({"mid": id})), deed, outside);
                Some(id)
            }
            CustomerAction::React => {
                let is_own =
                    chat.messages.iter().any(|it| it.is_own && Some(&it.id) == deed.message_id.as_ref());
                let id = self.meant(&user, deed, is_own)?;
                let emoji = deed.text.as_deref().filter(|emoji| !emoji.is_empty());
                let reaction = match emoji {
                    Some(emoji) => json!({"mid": id, "action": "react", "reaction": "other", "emoji": emoji}),
                    None => json!({"mid": id, "action": "unreact"}),
                };
                self.tell("message_reactions", with("reaction", reaction), deed, outside);
                Some(id)
            }
            CustomerAction::Press => {
                chat.wrote = Some(outside.now);
                let id = self.id("ZAG2");
                let text = deed.text.as_deref().unwrap_or_default();
                let postback = json!({"mid": id, "title": text, "payload": text});
                self.tell("messaging_postbacks", with("postback", postback), deed, outside);
                Some(id)
            }
            CustomerAction::Block | CustomerAction::Unblock => {
                chat.has_blocked = deed.action == CustomerAction::Block;
                None
            }
            CustomerAction::Deliver | CustomerAction::Undeliver => {
                return Err("action: Instagram does not tell whether a message arrived".to_owned());
            }
        };
        Ok(CustomerDone {
            channel: CHANNEL.to_owned(),
            account: ACCOUNT.to_owned(),
            chat_id: user,
            message_id,
        })
    }

    fn too_many(&self, seconds: u64) -> Reply {
        let mut reply = graph::error(400, (613, 0), "Calls to this api have exceeded the rate limit.");
        if seconds < 60 {
            reply.headers.push(("retry-after", seconds.to_string()));
        } else {
            let usage = json!({USER_ID: [{"type": "messenger", "estimated_time_to_regain_access": seconds.div_ceil(60)}]});
            reply.headers.push(("x-business-use-case-usage", usage.to_string()));
        }
        reply
    }

    fn expire_tokens(&mut self) {
        for token in &mut self.tokens {
            token.has_ended = true;
        }
    }

    fn settings(&self) -> Vec<toml::Table> {
        let table = toml::toml! {
            name = ACCOUNT
            channel = CHANNEL
            token = TOKEN
            client_id = APP
            app_secret = APP_SECRETS
            verify_token = VERIFY_TOKEN
        };
        vec![table]
    }

    fn accounts(&self) -> Vec<String> {
        vec![ACCOUNT.to_owned()]
    }
}

/// A customer's id: a number as it is, another word as a number that is made of it.
fn user_id(from: &str) -> String {
    match from {
        "" => "5550001".to_owned(),
        _ if from.bytes().all(|byte| byte.is_ascii_digit()) => from.to_owned(),
        _ => {
            let number = from.bytes().fold(7_u64, |number, byte| number.wrapping_mul(31) ^ u64::from(byte));
            format!("555{:010}", number % 10_000_000_000)
        }
    }
}

fn uploaded(media: &CustomerMedia, outside: &mut Outside) -> (String, String) {
    let kind = match media.kind.as_str() {
        "voice" => "audio",
        "document" => "file",
        other => other,
    };
    let mime = media.mime.clone().unwrap_or_else(|| match kind {
        "image" => "image/jpeg".to_owned(),
        "audio" => "audio/mp4".to_owned(),
        "video" => "video/mp4".to_owned(),
        _ => "application/octet-stream".to_owned(),
    });
    let file = ProviderFile {
        name: media.name.clone().unwrap_or_default(),
        mime,
        content: media.bytes(),
        until: Some(outside.now.plus(FILES_LAST)),
        ..ProviderFile::default()
    };
    (kind.to_owned(), outside.keep(file))
}

/// JSON as Meta writes and signs it: all letters but those of ASCII are escaped, and slashes are.
fn escaped(value: &Value) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for character in value.to_string().chars() {
        match character {
            '/' => text.push_str("\\/"),
            character if character.is_ascii() => text.push(character),
            character => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to a string does not fail.
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text
}
