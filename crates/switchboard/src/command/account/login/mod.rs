//! `switchboard account login`: signing in, step by step, until the account works.

mod dialogue;
mod stage;

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use domain::{AccountName, ExposeSecret};
use hyper::Method;
use serde_json::{Value, json};

use crate::Location;
use crate::api_client::ApiClient;
use crate::command::up::until_stop_requested;
use crate::command::word::{PurposeWord, words};
use crate::reply::ApiError;
use crate::terminal::{self, WrongUsage};
use dialogue::{Dialogue, Input};
use stage::Stage;

/// How often the state is read while the QR code is shown.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The most steps; an idle sign-in ends long before.
const MOST_STEPS: u32 = 3_600;

/// The account to sign in to, and how.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct Login {
    /// The name of the account
    name: AccountName,
    /// Sign in with a QR code instead of a code that Telegram sends
    #[arg(long, conflicts_with = "phone")]
    qr: bool,
    /// The phone number [default: the account's]
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// What the new session is for [default: what no other session of the account is for]
    #[arg(long = "for", value_enum, value_delimiter = ',', value_name = "PURPOSES")]
    purposes: Vec<PurposeWord>,
    /// Start again, even if a sign-in to this account is under way
    #[arg(long)]
    restart: bool,
    /// Accept Telegram's terms of service without asking
    #[arg(long)]
    accept_terms: bool,
    /// Read the code, then the password, from the standard input, one on each line; then `yes` or `no` to terms of
    /// service
    #[arg(long, conflicts_with = "json")]
    code_stdin: bool,
    /// Print each state as a line of JSON and read answers as lines of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    location: Location,
}

impl Login {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut dialogue = self.dialogue()?;
        let api = ApiClient::open(&self.location).await?;
        let ended = {
            let stop = until_stop_requested();
            tokio::select! {
                ended = self.sign_in(&api, &mut dialogue) => ended,
                stop = stop => match stop {
                    Ok(()) => self.cancel(&api).await,
                    Err(error) => Err(error),
                },
            }
        };
        api.close().await;
        ended
    }

    fn dialogue(&self) -> anyhow::Result<Dialogue> {
        if self.json {
            return Ok(Dialogue::json());
        }
        if self.code_stdin {
            return Ok(Dialogue::lines());
        }
        if !terminal::is_interactive() && !self.qr {
            return Err(WrongUsage(
                "no one can be asked for the code: give it with --code-stdin or --json, or sign in with --qr"
                    .to_owned(),
            )
            .into());
        }
        Ok(Dialogue::terminal())
    }

    async fn sign_in(&self, api: &ApiClient, dialogue: &mut Dialogue) -> anyhow::Result<()> {
        let mut stage = self.begin(api, dialogue).await?;
        // Other terms than those that were shown first are not accepted unseen.
        let mut may_accept = self.accept_terms;
        for _ in 0..MOST_STEPS {
            dialogue.show(&stage)?;
            let input = match stage.word.as_str() {
                "done" => return Ok(()),
                "terms_wanted" if std::mem::take(&mut may_accept) => Some(Input::Terms(true)),
                "code_wanted" | "password_wanted" | "terms_wanted" => Some(dialogue.input(&stage).await?),
                "qr_shown" => dialogue.input_within(LOOK_EVERY, &stage).await?,
                "failed" => return Err(anyhow!("{}", stage.message())),
                _ => bail!("the sign-in was cancelled"),
            };
            let next = match input {
                Some(Input::Cancel) => return self.cancel(api).await,
                Some(input) => self.tell(api, input).await,
                None => self.look(api).await,
            };
            stage = match next {
                Ok(next) => next,
                Err(error) => {
                    // Nothing is lost by a wrong answer: what is wanted now is asked for again.
                    let Some(refused) = ApiError::of(&error) else { return Err(error) };
                    let now = self.look(api).await?;
                    if now.word == "none" {
                        bail!("the sign-in was ended from elsewhere; run the command again to begin again");
                    }
                    if !now.wants_something() {
                        dialogue.ended(refused, Some(&now));
                        return Err(error);
                    }
                    dialogue.refused(refused, Some(&now));
                    now
                }
            };
        }
        bail!("the sign-in takes too long; run the command again to go on")
    }

    /// Starts a sign-in, or finds the one that is under way. A phone number that is missing or wrong is asked for.
    async fn begin(&self, api: &ApiClient, dialogue: &mut Dialogue) -> anyhow::Result<Stage> {
        let mut phone = self.phone.clone();
        loop {
            let mut body = json!({ "by": if self.qr { "qr" } else { "phone" }, "restart": self.restart });
            if let Some(phone) = &phone {
                body["phone"] = phone.as_str().into();
            }
            if !self.purposes.is_empty() {
                body["for"] = words(&self.purposes).into();
            }
            let begun = api.call(Method::POST, &self.path(""), Some(&body)).await;
            let error = match begun {
                Ok(begun) => return Stage::read(begun),
                Err(error) => error,
            };
            let Some(refused) = ApiError::of(&error).cloned() else { return Err(error) };
            let about_phone = ["phone_needed", "phone_invalid"].contains(&refused.code.as_str());
            if self.qr || !about_phone && !refused.is_about("phone") {
                dialogue.ended(&refused, self.look(api).await.ok().as_ref());
                return Err(error);
            }
            // A number that was given and needed asking for again would never come to an end without a person.
            dialogue.refused(&refused, None);
            let Some(given) = dialogue.phone().await? else { return Err(error) };
            phone = Some(given);
        }
    }

    async fn tell(&self, api: &ApiClient, input: Input) -> anyhow::Result<Stage> {
        let (path, body) = match &input {
            Input::Code(code) => ("/code", json!({ "code": code.expose_secret() })),
            Input::Password(password) => ("/password", json!({ "password": password.expose_secret() })),
            Input::Terms(accept) => ("/terms", json!({ "accept": accept })),
            Input::Resend | Input::Cancel => ("/resend", Value::Null),
        };
        let body = Some(&body).filter(|body| !body.is_null());
        Stage::read(api.call(Method::POST, &self.path(path), body).await?)
    }

    async fn look(&self, api: &ApiClient) -> anyhow::Result<Stage> {
        Stage::read(api.call(Method::GET, &self.path(""), None).await?)
    }

    async fn cancel(&self, api: &ApiClient) -> anyhow::Result<()> {
        api.call(Method::DELETE, &self.path(""), None).await.context("the sign-in could not be cancelled")?;
        bail!("the sign-in was cancelled; nothing was changed")
    }

    fn path(&self, step: &str) -> String {
        format!("/v1/accounts/{}/login{step}", self.name)
    }
}
