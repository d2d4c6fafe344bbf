//! A server with a known first password, a browser that keeps no secrets of its own, and the command line beside it.

use reqwest::header::{LOCATION, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response};
use testkit::{Program, Start, World};

use crate::binary;
use crate::shell::cli::{Ran, cli};

pub(crate) const PASSWORD: &str = "correct horse battery";
/// What a browser holds that was shown the sign-in form, by both of its names, and the token of that form, which follows from it.
const DOOR: &str = "__Host-switchboard-door=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA; \
                    switchboard-door=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const CSRF: &str = "_6moWrjVN5IiPfWHKGRFxiEWY53cMpPuDEPmh1TCaAY";

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
        let request = self
            .http
            .post(format!("{}{path}", program.address()))
            .header("content-type", "application/x-www-form-urlencoded");
        if path.starts_with("/sign-in") {
            let pairs: Vec<String> = pairs.chain([format!("csrf={CSRF}")]).collect();
            return request.header("cookie", DOOR).body(pairs.join("&"));
        }
        request.body(pairs.collect::<Vec<_>>().join("&"))
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
    pub(crate) fn user(&self, arguments: &[&str], input: &str) -> Ran {
        cli(&self.world, &[&["user"], arguments].concat()).given(input)
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

/// The cookie of a person of this role, who is added and signs in.
pub(crate) async fn signed_in(world: &World, program: &Program, role: &str) -> String {
    cli(world, &["user", "add", "anna", "--role", role]).given(&format!("{PASSWORD}\n"));
    let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let request = http.post(format!("{}/sign-in", program.address()));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let fields = format!("name=anna&password={}&csrf={CSRF}", PASSWORD.replace(' ', "+"));
    let answer = request.header("cookie", DOOR).body(fields).send().await.expect("an answer");
    assert_eq!(answer.status(), 303);
    pair(&cookie(&answer)).to_owned()
}
