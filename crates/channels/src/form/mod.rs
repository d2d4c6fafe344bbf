//! Forms on pages of one's own: what visitors send comes in, and nothing goes out.

#[cfg(test)]
mod corpus;
mod fields;
mod role;
mod submission;

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use delivery::{Capabilities, Dedup};
use domain::outcome::RejectionCode;
use domain::text::{TextLimit, Unit};
use domain::{AccountName, ContactProof, InboundChange, InboundEvent, InboundMedia, Outcome};
use futures::future::{BoxFuture, FutureExt, ready};
use serde_json::json;

pub use self::submission::{Submission, WrongForm, read};
pub(crate) use self::submission::{corrected, kept};
use crate::error::CallError;
use crate::nature::{Nature, Posts};
use crate::provider::{
    Fetched, Hook, HookAnswer, HookPost, HookRefusal, Identity, Incoming, Outgoing, Pacing, Provider,
};
use crate::setup::{Setup, SetupError};

/// The forms of one site. There is no provider: pages post to this program.
struct Forms {
    name: String,
    /// The pages that may; empty: all.
    origins: Vec<String>,
    is_forwarded: bool,
    clock: Clock,
}

/// What its owner does at the provider, step by step, in English and in Russian.
const STEPS: &[[&str; 2]] = &[
    [
        "Have the form of your page post to the address of this page.",
        "Пусть форма на сайте отправляет данные на адрес с этой страницы.",
    ],
    [
        "Name the pages that may send as origins; without it any page may.",
        "Укажите страницы, с которых можно отправлять, в origins; без этого можно с любой.",
    ],
];

/// What is true of all its accounts.
pub(crate) const NATURE: Nature = Nature {
    steps: STEPS,
    token: ["The key of the port for other programs.", "Ключ порта для других программ."],
    posts: Posts::Only,
    sender_proof: ContactProof::Typed,
    ..Nature::PLAIN
};

/// An account of it.
///
/// # Errors
/// None.
#[expect(clippy::unnecessary_wraps, reason = "as all channels are made")]
pub(crate) fn make(setup: &Setup) -> Result<Arc<dyn Provider>, SetupError> {
    let origins = setup.fields.origins.iter().map(|origin| origin.trim_end_matches('/').to_lowercase());
    Ok(Arc::new(Forms {
        name: setup.fields.name.to_string(),
        origins: origins.collect(),
        is_forwarded: setup.fields.forward_to.is_some(),
        clock: setup.clock.clone(),
    }))
}

/// The answer to a form that is taken; `forwarded` says whether it is posted to an address of the owner's.
fn answer(id: &str, forwarded: bool) -> HookAnswer {
    let taken = json!({
        "success": true, "submission_id": id, "message": "Form submitted successfully", "forwarded": forwarded,
    });
    HookAnswer::json(taken.to_string())
}

/// The address that forms of an account are posted to.
pub(crate) fn endpoint(account: &AccountName) -> String {
    format!("/forms/{account}")
}

/// The account of an address that forms are posted to.
pub(crate) fn account_of(endpoint: &str) -> Option<AccountName> {
    endpoint.strip_prefix("/forms/")?.parse().ok()
}

impl Provider for Forms {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            text: TextLimit::new(4_096, Unit::Characters),
            caption: None,
            sends: false,
            reply: false,
            album: delivery::Album::NONE,
            parse_modes: &[],
            media: &[],
            actions: &[],
            states: &[],
            dedup: Dedup::None,
        }
    }

    fn receives(&self) -> &'static [Incoming] {
        &[Incoming::Webhook, Incoming::Text]
    }

    fn pacing(&self) -> Pacing {
        Pacing { account: Duration::ZERO, chat: Duration::ZERO, burst: 1 }
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Outcome> {
        let _ = outgoing;
        let code = "NOT_SUPPORTED: a form takes no answer; write to the phone that it has".to_owned();
        ready(Outcome::Rejected { code: RejectionCode::Provider(code) }).boxed()
    }

    fn hook(&self, post: &HookPost) -> Result<Hook, HookRefusal> {
        // A page of a browser says where it is from; other programs do not.
        if let Some(origin) = post.header("origin").filter(|_| !self.origins.is_empty()) {
            let origin = String::from_utf8_lossy(origin).to_lowercase();
            if !self.origins.contains(&origin) {
                return Err(HookRefusal::NotGenuine);
            }
        }
        if submission::is_trial(post) {
            return Ok(Hook::text("ok"));
        }
        let submission =
            read(post, self.clock.now()).map_err(|wrong| HookRefusal::Unreadable(wrong.to_string()))?;
        let event = |message| InboundEvent {
            key: submission.id.clone(),
            change: InboundChange::Message(Box::new(message)),
        };
        let answer = answer(&submission.id, self.is_forwarded);
        let trapped = || InboundEvent::notice("a form of a program that fills in hidden fields");
        Ok(Hook { events: vec![submission.message.map_or_else(trapped, event)], answer })
    }

    fn public_path(&self) -> Option<String> {
        self.name.parse().ok().map(|name| endpoint(&name))
    }

    fn fetch<'a>(&'a self, media: &'a InboundMedia, most: u64) -> BoxFuture<'a, Result<Fetched, CallError>> {
        let _ = (media, most);
        ready(Err(CallError::refused("not_supported", "forms carry no files"))).boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<Identity, CallError>> {
        let identity = Identity { id: self.name.clone(), name: self.name.clone(), ..Identity::default() };
        ready(Ok(identity)).boxed()
    }
}
