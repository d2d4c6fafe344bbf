//! A server with a known first password, a browser that keeps no secrets of its own, and the command line beside it.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use reqwest::header::{LOCATION, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response};
use testkit::{Program, Start, World};

use crate::binary;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A world and its data directory.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) http: Client,
}

impl Stage {
    /// With these lines at the top of the settings.
    pub(crate) async fn with(top: &str) -> Self {
        let world = World::start(binary()).await;
        world.edit_settings(|text| format!("{top}\n{text}"));
        let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        Self { world, http }
    }

    /// The server, with the first password.
    pub(crate) async fn program(&self) -> Program {
        let mut start = Start::on(&self.world, binary(), "data");
        start.environment.push(("SWITCHBOARD_ADMIN_PASSWORD".to_owned(), PASSWORD.to_owned()));
        start.listening().await
    }

    pub(crate) fn post(&self, program: &Program, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let pairs = fields.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+")));
        self.http
            .post(format!("{}{path}", program.address()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(pairs.collect::<Vec<_>>().join("&"))
    }

    pub(crate) fn get(&self, program: &Program, path: &str, cookie: &str) -> RequestBuilder {
        self.http
            .get(format!("{}{path}", program.address()))
            .header("accept", "text/html")
            .header("cookie", cookie)
    }

    /// Signs in; the cookie as it was set.
    pub(crate) async fn sign_in(&self, program: &Program) -> String {
        let fields = [("name", "admin"), ("password", PASSWORD)];
        let answer = self.post(program, "/sign-in", &fields).send().await.expect("an answer");
        assert_eq!(answer.status(), 303);
        cookie(&answer)
    }

    /// `switchboard user …`, with these lines on its standard input.
    pub(crate) async fn user(&self, arguments: &[&str], input: &str) -> Output {
        let (settings, data_dir) = (self.world.settings_file(), self.world.data_dir("data"));
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let input = input.to_owned();
        let running = tokio::task::spawn_blocking(move || {
            let mut command = Command::new(binary());
            command.arg("user").args(arguments).arg("--config").arg(settings).arg("--data-dir").arg(data_dir);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().expect("runs");
            child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("takes it");
            child.wait_with_output().expect("ends")
        });
        running.await.expect("ends")
    }
}

/// The session's cookie as it was set, with its flags.
pub(crate) fn cookie(answer: &Response) -> String {
    let lines = answer.headers().get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.filter(|line| line.contains("switchboard=")).map(str::to_owned).next().unwrap_or_default()
}

/// Only the name and the value of a cookie.
pub(crate) fn pair(cookie: &str) -> &str {
    cookie.split(';').next().unwrap_or_default()
}

/// Where an answer leads.
pub(crate) fn location(answer: &Response) -> &str {
    answer.headers().get(LOCATION).and_then(|place| place.to_str().ok()).unwrap_or_default()
}
