//! Who is asked during a sign-in, and how: a person at the terminal, bare lines, or lines of JSON.

use std::io::{self, IsTerminal};
use std::time::Duration;

use anyhow::{Context, bail};
use domain::{ExposeSecret, SecretText};
use serde::Deserialize;
use serde_json::json;

use super::stage::Stage;
use crate::code_picture;
use crate::output::{plain, say, say_json_line};
use crate::reply::ApiError;
use crate::terminal::Lines;
use crate::{paragraph, table};

#[derive(Debug)]
pub(super) enum Input {
    Code(SecretText),
    Password(SecretText),
    /// Whether the terms of service are accepted.
    Terms(bool),
    /// The code is to come another way.
    Resend,
    Cancel,
}

pub(super) struct Dialogue {
    manner: Manner,
    lines: Option<Lines>,
    /// What was shown last, so that nothing is shown twice.
    shown: Option<Stage>,
    /// How many lines the QR code on the terminal has.
    drawn: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Terminal,
    Lines,
    Json,
}

/// A line of JSON input.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    Code(SecretText),
    Password(SecretText),
    Phone(String),
    AcceptTerms(bool),
    Resend(Yes),
    Cancel(Yes),
}

/// `true`: there is nothing else to say.
#[derive(Deserialize)]
#[serde(try_from = "bool")]
struct Yes;

impl TryFrom<bool> for Yes {
    type Error = &'static str;

    fn try_from(yes: bool) -> Result<Self, Self::Error> {
        if yes { Ok(Self) } else { Err("only true says something") }
    }
}

impl Dialogue {
    pub(super) fn terminal() -> Self {
        Self::new(Manner::Terminal)
    }

    /// With answers only, one on each line.
    pub(super) fn lines() -> Self {
        Self::new(Manner::Lines)
    }

    pub(super) fn json() -> Self {
        Self::new(Manner::Json)
    }

    fn new(manner: Manner) -> Self {
        Self { manner, lines: None, shown: None, drawn: 0 }
    }

    /// Shows a state, if it is another than before.
    pub(super) fn show(&mut self, stage: &Stage) -> anyhow::Result<()> {
        let before = self.shown.replace(stage.clone());
        if before.as_ref() == Some(stage) {
            return Ok(());
        }
        // That an answer was wrong is already shown.
        let asks_again = before.is_some_and(|before| before.asks_the_same(stage));
        match (self.manner, stage.word.as_str()) {
            (Manner::Json, _) => say_json_line(&stage.response),
            (_, "done") => say!("Signed in as {}.", plain(&stage.person())),
            (_, "failed") => {}
            (_, "qr_shown") => self.draw(stage)?,
            _ if asks_again => {}
            (_, "password_wanted") if !stage.text("hint").is_empty() => {
                eprintln!("{} Its hint is {:?}.", stage.text("advice"), stage.text("hint"));
            }
            (_, "terms_wanted") => {
                eprintln!("Telegram's terms of service:\n\n{}\n", plain(stage.text("text")));
                eprintln!("{}", stage.text("advice"));
            }
            _ => eprintln!("{}", stage.text("advice")),
        }
        Ok(())
    }

    /// Shows that an answer was refused, and what is wanted now, if anything is.
    pub(super) fn refused(&self, refused: &ApiError, now: Option<&Stage>) {
        let again = now.filter(|_| ["code_invalid", "password_invalid"].contains(&refused.code.as_str()));
        match self.manner {
            Manner::Json => {
                say_json_line(&json!({ "error": { "code": refused.code, "detail": refused.detail } }));
            }
            // The words of the API name a call to make, which does not help at a terminal.
            Manner::Terminal | Manner::Lines => match again {
                Some(now) if now.text("hint").is_empty() => eprintln!("{}", now.text("advice")),
                Some(now) => eprintln!("{} Its hint is {:?}.", now.text("advice"), now.text("hint")),
                None => eprintln!("{}", plain(&refused.detail)),
            },
        }
    }

    /// Prints, as JSON, that an answer was refused and the sign-in ended, and its state, which says how long to wait. At a
    /// terminal the error of the command says it.
    pub(super) fn ended(&self, refused: &ApiError, now: Option<&Stage>) {
        if self.manner == Manner::Json {
            self.refused(refused, now);
            if let Some(now) = now {
                say_json_line(&now.response);
            }
        }
    }

    /// Waits for what this state wants.
    pub(super) async fn input(&mut self, stage: &Stage) -> anyhow::Result<Input> {
        let wants_password = stage.word == "password_wanted";
        if self.manner == Manner::Json {
            return match self.written().await? {
                Written::Code(code) => Ok(Input::Code(code)),
                Written::Password(password) => Ok(Input::Password(password)),
                Written::AcceptTerms(accept) => Ok(Input::Terms(accept)),
                Written::Resend(Yes) => Ok(Input::Resend),
                Written::Cancel(Yes) => Ok(Input::Cancel),
                Written::Phone(_) => {
                    bail!("a phone number is not wanted now; cancel and begin again with it")
                }
            };
        }
        if stage.word == "terms_wanted" {
            return self.answer_to_terms().await.map(Input::Terms);
        }
        let asks = self.manner == Manner::Terminal;
        let lines = self.lines.get_or_insert_with(Lines::of_standard_input);
        let line = match (asks, wants_password) {
            (false, _) => lines.next().await?,
            (true, true) => lines.ask_hidden("Password (not shown): ").await?,
            (true, false) => lines.ask("Code: ").await?,
        };
        let line = line.context("the input ended; the sign-in waits, run the command again to go on")?;
        Ok(match (wants_password, line.expose_secret().is_empty()) {
            (true, _) => Input::Password(line),
            (false, true) => Input::Resend,
            (false, false) => Input::Code(line),
        })
    }

    /// Whether the terms are accepted: a person is asked until the answer is clear.
    async fn answer_to_terms(&mut self) -> anyhow::Result<bool> {
        let asks = self.manner == Manner::Terminal;
        let lines = self.lines.get_or_insert_with(Lines::of_standard_input);
        loop {
            let line = if asks { lines.ask("Accept them? (yes/no) ").await? } else { lines.next().await? };
            let line = line.context(
                "the input ended; the sign-in waits for an answer to the terms of service: run the command again, \
                 with --accept-terms to accept them",
            )?;
            match line.expose_secret().to_ascii_lowercase().as_str() {
                "yes" | "y" => return Ok(true),
                "no" | "n" => return Ok(false),
                _ if asks => {}
                _ => bail!(
                    "the answer to the terms of service must be yes or no; run the command again to go on"
                ),
            }
        }
    }

    /// Waits a moment; only a program may say something meanwhile.
    pub(super) async fn input_within(
        &mut self,
        limit: Duration,
        stage: &Stage,
    ) -> anyhow::Result<Option<Input>> {
        if self.manner != Manner::Json {
            tokio::time::sleep(limit).await;
            return Ok(None);
        }
        match tokio::time::timeout(limit, self.input(stage)).await {
            Ok(input) => input.map(Some),
            Err(_) => Ok(None),
        }
    }

    /// Asks for a phone number; nothing when there is no one to ask.
    pub(super) async fn phone(&mut self) -> anyhow::Result<Option<String>> {
        match self.manner {
            Manner::Lines => Ok(None),
            Manner::Json => match self.written().await? {
                Written::Phone(phone) => Ok(Some(phone)),
                _ => bail!("write {{\"phone\":\"+70000000001\"}}: a phone number is wanted"),
            },
            Manner::Terminal => {
                let lines = self.lines.get_or_insert_with(Lines::of_standard_input);
                let line = lines.ask("Phone number, with country code: ").await?;
                Ok(line.map(|line| line.expose_secret().to_owned()).filter(|phone| !phone.is_empty()))
            }
        }
    }

    async fn written(&mut self) -> anyhow::Result<Written> {
        let lines = self.lines.get_or_insert_with(Lines::of_standard_input);
        let line = lines.next().await?;
        let line = line.context("the input ended; the sign-in waits, run the command again to go on")?;
        // What serde says would show what was written.
        let wrong = "the input is none of {\"code\":\"…\"}, {\"password\":\"…\"}, {\"phone\":\"…\"}, \
                     {\"accept_terms\":true}, {\"resend\":true} and {\"cancel\":true}";
        serde_json::from_str(line.expose_secret()).map_err(|_| anyhow::anyhow!(wrong))
    }

    /// Draws the code, in the place of the one before.
    fn draw(&mut self, stage: &Stage) -> anyhow::Result<()> {
        let screen = io::stderr().is_terminal();
        let picture = code_picture::draw(stage.text("url"), screen).context("the QR code cannot be drawn")?;
        if screen && self.drawn > 0 {
            eprint!("\x1b[{}A\x1b[J", self.drawn);
        }
        let hint = format!("{} It is good until {}.", stage.text("advice"), stage.text("expires_at"));
        // A line that the terminal breaks would be more lines than are counted here, and some would stay.
        let hint = paragraph::wrapped(&hint, table::terminal_width());
        let lines: Vec<&str> = picture.iter().map(String::as_str).chain(hint.lines()).collect();
        for line in &lines {
            eprintln!("{line}");
        }
        self.drawn = lines.len();
        if !screen {
            eprintln!("{}", stage.text("url"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_json_are_read_by_their_one_field() {
        let read = |line: &str| serde_json::from_str::<Written>(line).ok();
        assert!(
            matches!(read(r#"{"code":"12345"}"#), Some(Written::Code(code)) if code.expose_secret() == "12345")
        );
        assert!(matches!(read(r#"{"resend":true}"#), Some(Written::Resend(Yes))));
        assert!(matches!(read(r#"{"cancel":true}"#), Some(Written::Cancel(Yes))));
        for wrong in [
            "",
            "12345",
            r#"{"code":12345}"#,
            r#"{"code":"1","password":"x"}"#,
            r#"{"cod":"1"}"#,
            r#"{"resend":false}"#,
        ] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
    }
}
