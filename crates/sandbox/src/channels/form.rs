//! Visitors of a pretend site who send its forms. There is no provider: they post to the product.

use serde_json::{Value, json};

use super::fake::{CustomerAction, CustomerDeed, CustomerDone, Fake, HookOrder, Outside, Post};
use super::request::{Reply, Request};

const CHANNEL: &str = "form";
const ACCOUNT: &str = "site";

/// A site with forms.
#[derive(Debug, Default)]
pub(super) struct FormFake {
    /// Where forms are posted to, as it was said last.
    url: String,
    sent: u64,
}

impl Fake for FormFake {
    fn answer(&mut self, _: &Request, _: &mut Outside) -> Option<Reply> {
        None
    }

    fn type_hook(&mut self, order: &HookOrder, _: &mut Outside) -> Result<(), String> {
        order.url.clone_into(&mut self.url);
        Ok(())
    }

    fn typed_hook(&self, _: &str) -> Option<String> {
        Some(self.url.clone())
    }

    /// `extra` of a deed: `url` is where the product takes forms, `fields` are further fields, `encoded` sends a form where it is
    /// true, else JSON.
    fn customer(&mut self, deed: &CustomerDeed, outside: &mut Outside) -> Result<CustomerDone, String> {
        if deed.action != CustomerAction::Write {
            return Err("action: a visitor only sends forms".to_owned());
        }
        if let Some(url) = deed.extra["url"].as_str() {
            url.clone_into(&mut self.url);
        }
        if self.url.is_empty() {
            return Err("extra.url: where does the product take forms?".to_owned());
        }
        self.sent += 1;
        let id = format!("{:x}-{}", outside.millis(), self.sent);
        let mut form = json!({
            "submission_id": id,
            "phone": deed.phone.as_deref().unwrap_or(&deed.from),
            "name": deed.name,
            "message": deed.text,
            "form_id": deed.subject,
        });
        if let (Value::Object(form), Value::Object(more)) = (&mut form, &deed.extra["fields"]) {
            form.extend(more.clone());
        }
        let id = form["submission_id"].as_str().unwrap_or_default().to_owned();
        let mut post = Post::json(CHANNEL, ACCOUNT, &self.url, &form);
        // A visitor does not send it again.
        post.retries.clear();
        if deed.extra["encoded"] == true {
            post.content_type = "application/x-www-form-urlencoded";
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let fields = form.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
            let mut encoded = form_urlencoded::Serializer::new(String::new());
            encoded.extend_pairs(fields.map(|(name, value)| (name, text(value))));
            post.body = encoded.finish().into_bytes();
        }
        outside.post(post);
        let (channel, account) = (CHANNEL.to_owned(), ACCOUNT.to_owned());
        Ok(CustomerDone { channel, account, chat_id: id.clone(), message_id: Some(id) })
    }

    fn settings(&self) -> Vec<toml::Table> {
        let entry = |(key, value): (&str, &str)| (key.to_owned(), value.into());
        vec![[("name", ACCOUNT), ("channel", CHANNEL)].map(entry).into_iter().collect()]
    }

    fn accounts(&self) -> Vec<String> {
        vec![ACCOUNT.to_owned()]
    }
}
