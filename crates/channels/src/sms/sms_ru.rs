//! SMS.ru: errors come with 200, outside or for each number; posts are signed and want the answer `100`.

use std::collections::BTreeMap;

use delivery::{Capabilities, Dedup};
use domain::secret::ExposeSecret;
use domain::{
    InboundChange, InboundEvent, InboundMedia, InboundReceipt, MessageState, Outcome, SecretText, Timestamp,
};
use futures::future::{BoxFuture, FutureExt, ready};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::CallError;
use crate::http::Http;
use crate::provider::{
    Fetched, Hook, HookAnswer, HookPost, HookRefusal, Identity, Incoming, Outgoing, Pacing, Provider,
};
use crate::setup::{Setup, SetupError, is_same};

/// All is well.
const OK: i64 = 100;
/// The most entries of a post.
const MOST_ENTRIES: usize = 100;

pub(super) struct SmsRu {
    http: Http,
    api: String,
    key: SecretText,
    sender: Option<String>,
}

impl SmsRu {
    pub(super) fn new(setup: &Setup) -> Result<Self, SetupError> {
        Ok(Self {
            http: setup.http.clone(),
            api: setup.api(),
            key: setup.needed("token", &setup.fields.token)?,
            sender: setup.fields.sender.clone(),
        })
    }

    async fn call(&self, path: &str, more: &[(&str, &str)]) -> Result<Value, CallError> {
        let mut form = vec![("api_id", self.key.expose_secret()), ("json", "1")];
        form.extend(more);
        let request = self.http.post(&format!("{}/{path}", self.api)).form(&form);
        let (_, reply) = super::call(&self.http, request).await?;
        is_fine(&reply).map(|()| reply)
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Result<String, CallError> {
        let phone = super::digits(&outgoing.chat)?;
        let mut form = vec![("to", phone), ("msg", outgoing.text.text.as_str())];
        form.extend(self.sender.iter().map(|sender| ("from", sender.as_str())));
        let reply = self.call("sms/send", &form).await?;
        sent_id(&reply)
    }

    async fn who(&self) -> Result<Identity, CallError> {
        self.call("auth/check", &[]).await?;
        let reply = self.call("my/balance", &[]).await?;
        let balance = super::word(&reply["balance"]).and_then(|balance| balance.parse::<f64>().ok());
        let is_empty = balance.is_some_and(|balance| balance <= 0.0);
        let missing =
            if is_empty { vec!["there is no money left at the gateway".to_owned()] } else { Vec::new() };
        let name = self.sender.clone().unwrap_or_else(|| "SMS.ru".to_owned());
        Ok(Identity { id: "sms_ru".to_owned(), name, missing, gap: None })
    }

    fn read(&self, post: &HookPost) -> Result<Vec<InboundEvent>, HookRefusal> {
        let form = post.form();
        let given = form.iter().find(|(name, _)| name == "hash").map(|(_, hash)| hash.to_ascii_lowercase());
        let entries = entries(&form);
        let mut digest = Sha256::new().chain_update(self.key.expose_secret());
        for entry in entries.values() {
            digest.update(entry);
        }
        let wanted = hex::encode(digest.finalize());
        if !is_same(wanted.as_bytes(), given.unwrap_or_default().as_bytes()) {
            return Err(HookRefusal::NotGenuine);
        }
        let now = self.http.clock().now();
        Ok(entries.values().filter_map(|entry| event(entry, now)).collect())
    }
}

fn is_fine(reply: &Value) -> Result<(), CallError> {
    match super::whole(&reply["status_code"]) {
        Some(OK) => Ok(()),
        Some(code) => Err(refusal(code, super::detail(&reply["status_text"]))),
        None => Err(CallError::Unreadable("200 without a status".to_owned())),
    }
}

/// The id of the only message that was sent.
fn sent_id(reply: &Value) -> Result<String, CallError> {
    let unreadable = || CallError::Unreadable("200 without the id of a message".to_owned());
    let one = reply["sms"].as_object().and_then(|all| all.values().next()).ok_or_else(unreadable)?;
    is_fine(one)?;
    super::word(&one["sms_id"]).ok_or_else(unreadable)
}

fn refusal(code: i64, message: String) -> CallError {
    let detail = format!("{code} {message}");
    match code {
        200 | 300..=302 => CallError::Token(detail),
        201 => CallError::Account(format!("there is no money left at the gateway ({detail})")),
        202 => CallError::NotFound(detail),
        206 | 220 => CallError::wait(super::COOL_DOWN),
        207 | 209 | 215 => CallError::Forbidden(format!("the number cannot be reached ({detail})")),
        230..=233 => super::repeated(),
        // An error of the gateway's own: what it did before is not known.
        500 => CallError::Server(detail),
        _ => CallError::refused(code.to_string(), message),
    }
}

/// The entries of a post, in the order in which they are signed.
fn entries(form: &[(String, String)]) -> BTreeMap<usize, &str> {
    let place = |name: &str| name.strip_prefix("data[")?.strip_suffix(']')?.parse().ok();
    let found = form.iter().filter_map(|(name, entry)| Some((place(name)?, entry.as_str())));
    found.filter(|(place, _)| *place < MOST_ENTRIES).collect()
}

fn event(entry: &str, now: Timestamp) -> Option<InboundEvent> {
    let mut lines = entry.lines().map(str::trim);
    if lines.next()? != "sms_status" {
        return None;
    }
    let (id, status) = (lines.next()?.to_owned(), lines.next()?.parse().ok()?);
    let at = super::at_second(lines.next(), now);
    let receipt = match status {
        103 => InboundReceipt::Delivered,
        104 => InboundReceipt::Failed("it expired on its way".to_owned()),
        105..=108 => InboundReceipt::Failed(format!("it cannot be delivered (status {status})")),
        _ => return None,
    };
    let key = format!("status:{id}:{status}");
    Some(InboundEvent { key, change: InboundChange::Receipt { external_id: id, receipt, at } })
}

impl Provider for SmsRu {
    fn capabilities(&self) -> Capabilities {
        super::texts(Dedup::None, &[MessageState::Delivered])
    }

    fn receives(&self) -> &'static [Incoming] {
        &[Incoming::Webhook, Incoming::Undelivered]
    }

    fn first_chat(&self, who: &str) -> Result<crate::FirstChat, crate::NoFirstChat> {
        crate::FirstChat::of_number(who, ("+", ""))
    }

    fn pacing(&self) -> Pacing {
        super::pacing()
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Outcome> {
        async { super::outcome(self.deliver(outgoing).await, self.http.clock().now()) }.boxed()
    }

    fn hook(&self, post: &HookPost) -> Result<Hook, HookRefusal> {
        Ok(Hook { events: self.read(post)?, answer: HookAnswer::text("100") })
    }

    fn fetch<'a>(
        &'a self,
        _media: &'a InboundMedia,
        _most: u64,
    ) -> BoxFuture<'a, Result<Fetched, CallError>> {
        ready(Err(CallError::NotFound("short messages have no files".to_owned()))).boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<Identity, CallError>> {
        self.who().boxed()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn each_error_has_its_meaning() {
        for (codes, wanted) in [
            (vec![200, 300, 301, 302], "Token"),
            (vec![201], "Account"),
            (vec![202], "NotFound"),
            (vec![203, 204, 205, 208, 216, 221], "Refused"),
            (vec![206, 220, 230, 231, 232, 233], "Wait"),
            (vec![207, 209, 215], "Forbidden"),
            (vec![500], "Server"),
        ] {
            for code in codes {
                let error = refusal(code, "no".to_owned());
                assert!(format!("{error:?}").starts_with(wanted), "{code}: {error:?}");
            }
        }
    }

    #[test]
    fn an_error_may_stand_inside_of_an_ok() {
        let with_entry =
            |one: Value| json!({"status": "OK", "status_code": 100, "sms": {"70000000001": one}});
        let fine = with_entry(json!({"status": "OK", "status_code": "100", "sms_id": "000000-1"}));
        assert_eq!(sent_id(&fine), Ok("000000-1".to_owned()));
        let refused = with_entry(json!({"status": "ERROR", "status_code": 207}));
        assert!(matches!(sent_id(&refused), Err(CallError::Forbidden(_))));
        for unclear in [json!({}), with_entry(json!({})), with_entry(json!({"status_code": 100}))] {
            assert!(matches!(sent_id(&unclear), Err(CallError::Unreadable(_))), "{unclear}");
        }
    }

    proptest! {
        #[test]
        fn no_entry_panics(entry in "(sms_status\n)?[0-9a-z\\-\n]{0,30}", names in prop::collection::vec("data\\[[0-9]{0,30}\\]|hash|.{0,6}", 0..4)) {
            event(&entry, Timestamp::from_micros(0));
            let form: Vec<_> = names.into_iter().map(|name| (name, entry.clone())).collect();
            prop_assert!(entries(&form).len() <= form.len());
        }
    }
}
