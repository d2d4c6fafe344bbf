//! The control port: HTTP and JSON on loopback, through which a person or a test looks in and turns the dial.
//!
//! | path | what for |
//! |---|---|
//! | `GET /health` | whether it runs |
//! | `GET`, `DELETE /ledger` `?after=SEQ&limit=N` | every effect; of a message with a file, its kind, name, size and MD5 too |
//! | `GET`, `DELETE /calls` `?account=&method=` | how often each method was called |
//! | `GET`, `DELETE /unknown` | methods that were asked for and are not known |
//! | `GET`, `POST`, `DELETE /faults`, `DELETE /faults/{id}` | the fault dial |
//! | `GET`, `POST /telegram/accounts` | who can sign in, and with what |
//! | `PUT /telegram/accounts/{name}/sign-in` | its two-step password and hint, terms to accept, whether the phone is banned |
//! | `GET /telegram/codes`, `POST /telegram/codes/expire` | codes that wait to be entered; they expire |
//! | `POST /telegram/login-tokens/accept` | an account accepts what a QR code shows |
//! | `GET /telegram/rsa-public-key` | the key of the key exchange, as PEM |
//! | `POST /telegram/messages` | someone writes, with buttons or files (`media`) |
//! | `GET`, `PATCH /telegram/messages/{chat_id}/{message_id}` `?account=` | a message with its file; a change of it |
//! | `GET /telegram/files` | all files, with size and MD5 |
//! | `POST /telegram/files/expire`, `POST /telegram/files/{id}/expire` | references to files expire |
//! | `GET`, `POST /telegram/chats`, `DELETE /telegram/chats/{chat_id}` | chats are listed, made, closed |
//! | `POST /telegram/chats/{chat_id}/migrate`, `…/members` | a group becomes a supergroup; members come and go |
//! | `GET /telegram/chats/{chat_id}/attention` `?account=` | how far an account has read a chat, and what it was about to do |
//! | `POST /telegram/users/{name}/privacy`, `…/username` | who may invite a user; what it is called |
//! | `POST /telegram/bots`, `PUT /telegram/bots/{name}/rules`, `POST …/play` | bots are made, set to answer presses and messages, and do something by themselves |
//! | `PUT /telegram/bots/{name}/trouble` | how the Bot API of a bot with a token refuses |
//! | `POST /telegram/presses` | a client presses a button of a bot with a token |
//! | `POST /telegram/trips` | the demo bot offers an account a trip |
//! | `POST /telegram/blocks` | someone blocks an account |
//! | `POST /telegram/reads` | a user reads a chat to its end |
//! | `POST /telegram/contacts` | a user is saved in the contacts of an account |
//! | `GET /web-k` | where the pretend Telegram Web K is |
//! | `GET`, `POST /web-k/log-ins` | the codes that browsers show at Web K; an account scans one, which logs the browser in |
//! | `POST /customers/messages` | a customer writes through a channel, or edits, deletes, reads, blocks (`action`) |
//! | `GET /channels` | the channels and their accounts |
//! | `PUT /channels/hooks` | an address to post to is typed in the pages of a provider that has no call for it |
//! | `GET`, `PUT /webhooks` | accounts at other providers: where their webhooks are registered, and what they answer |
//! | `GET`, `DELETE /webhooks/calls` | every call to those providers |
//! | `/ai/v1/…` | an endpoint of OpenAI's API: `chat/completions`, `audio/transcriptions`, `models` |
//! | `/providers/{channel}/…` | the providers of channels, and those of webhooks: the base addresses of their APIs; that of MAX over HTTPS, as the settings say |
//!
//! What changes chats, members and names takes `?silent=true`: then no one is notified.

mod ai;
mod answers;
mod attention;
mod bots;
mod context;
mod customers;
mod faults;
mod files;
mod people;
mod providers;
mod records;
mod signing;
mod traffic;
mod web_k;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, delete, get, post, put};

pub(crate) use context::ControlContext;

/// The largest body that a provider of a channel reads.
const LARGEST_UPLOAD: usize = 128 * 1024 * 1024;

pub(crate) fn router(context: Arc<ControlContext>) -> Router {
    Router::new()
        .route("/health", get(records::health))
        .route("/ledger", get(records::ledger).delete(records::clear_ledger))
        .route("/calls", get(records::calls).delete(records::clear_calls))
        .route("/unknown", get(records::unknown).delete(records::clear_unknown))
        .route("/faults", get(faults::list).post(faults::add).delete(faults::clear))
        .route("/faults/{id}", delete(faults::remove))
        .route("/telegram/accounts", get(people::accounts).post(people::add_account))
        .route("/telegram/accounts/{name}/sign-in", put(signing::rules))
        .route("/telegram/codes", get(signing::codes))
        .route("/telegram/codes/expire", post(signing::expire))
        .route("/telegram/login-tokens/accept", post(signing::accept))
        .route("/telegram/rsa-public-key", get(people::rsa_public_key))
        .route("/telegram/messages", post(people::write))
        .route("/telegram/traffic", post(traffic::write))
        .route(
            "/telegram/messages/{chat_id}/{message_id}",
            get(files::message).patch(people::edit).delete(people::delete),
        )
        .route("/telegram/messages/{chat_id}/{message_id}/reactions", put(people::react))
        .route("/telegram/files", get(files::list))
        .route("/telegram/files/expire", post(files::expire_all))
        .route("/telegram/files/{id}/expire", post(files::expire))
        .route("/telegram/chats", get(people::chats).post(people::make_chat))
        .route("/telegram/chats/{chat_id}", delete(people::close_chat))
        .route("/telegram/chats/{chat_id}/migrate", post(people::migrate))
        .route("/telegram/chats/{chat_id}/members", post(people::move_member))
        .route("/telegram/chats/{chat_id}/attention", get(attention::attention))
        .route("/telegram/users/{name}/privacy", post(people::set_privacy))
        .route("/telegram/users/{name}/username", post(people::rename))
        .route("/telegram/bots", post(bots::make))
        .route("/telegram/bots/{name}/rules", put(bots::instruct))
        .route("/telegram/bots/{name}/play", post(bots::play))
        .route("/telegram/bots/{name}/trouble", put(bots::trouble))
        .route("/telegram/presses", post(bots::press))
        .route("/telegram/trips", post(bots::offer_trip))
        .route("/telegram/blocks", post(people::block))
        .route("/telegram/reads", post(people::read))
        .route("/telegram/contacts", post(people::save_contact))
        .route("/web-k", get(web_k::location))
        .route("/web-k/log-ins", get(web_k::codes).post(web_k::log_in))
        .route("/customers/messages", post(customers::act))
        .route("/channels", get(customers::accounts))
        .route("/channels/hooks", put(customers::type_hook))
        .route("/webhooks", get(providers::list).put(providers::put))
        .route("/webhooks/calls", get(providers::calls).delete(providers::forget_calls))
        .route(
            "/providers/{provider}/{*path}",
            any(providers::answer).layer(DefaultBodyLimit::max(LARGEST_UPLOAD)),
        )
        .route(
            &format!("{}/{{*path}}", crate::ai::BASE),
            any(ai::answer).layer(DefaultBodyLimit::max(LARGEST_UPLOAD)),
        )
        .fallback(answers::no_such_path)
        .method_not_allowed_fallback(answers::wrong_method)
        .with_state(context)
}
