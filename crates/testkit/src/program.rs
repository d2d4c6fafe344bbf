//! `switchboard up` as a process.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::KEY;
use crate::here::{Here, Up};
use crate::migrated;
use crate::process::{Process, TIMEOUT};
use crate::world::World;

/// How to start it.
pub struct Start<'a> {
    /// The binary, of a test build.
    pub binary: &'a Path,
    /// The settings file.
    pub settings: PathBuf,
    /// Its data directory.
    pub data_dir: PathBuf,
    /// Where it listens.
    pub listen: String,
    /// Further arguments of `up`.
    pub arguments: Vec<String>,
    /// Further environment.
    pub environment: Vec<(String, String)>,
    /// Runs it in the process of the test.
    pub here: Option<Up>,
}

impl<'a> Start<'a> {
    /// On the settings of a world, with a data directory of this name. A store on a server is free: one that a killed program
    /// held is given up at once.
    pub fn on(world: &World, binary: &'a Path, data_dir: &str) -> Self {
        if let Some(database) = &world.database {
            database.end_lease();
        }
        Self {
            binary,
            settings: world.settings_file(),
            data_dir: world.data_dir(data_dir),
            listen: "127.0.0.1:0".to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            here: world.here,
        }
    }

    /// The same, with its store on a server.
    #[must_use]
    pub fn with_store_at(mut self, url: &str) -> Self {
        self.environment.push(("SWITCHBOARD_STORE__URL".to_owned(), url.to_owned()));
        self
    }

    /// The same, on this port.
    #[must_use]
    pub fn at(self, port: u16) -> Self {
        Self { listen: format!("127.0.0.1:{port}"), ..self }
    }

    /// Starts it and waits until it is ready.
    pub async fn ready(self) -> Program {
        let program = self.listening().await;
        program.is_ready().await;
        program
    }

    /// Starts it and waits until it listens.
    pub async fn listening(self) -> Program {
        if self.makes_its_database() {
            migrated::put_into(&self.data_dir);
        }
        match self.here {
            Some(up) => self.listening_here(up).await,
            None => self.begun().listening().await,
        }
    }

    async fn listening_here(self, up: Up) -> Program {
        let control = control(&self.data_dir);
        let address = format!("http://{}", self.listen);
        let typed = self.typed();
        let mut here = Here::start(move || up(typed)).await;
        let deadline = Instant::now() + TIMEOUT;
        while control.get("http://localhost/testing/failpoints").send().await.is_err() {
            here.assert_running();
            assert!(Instant::now() < deadline, "the product does not listen");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        // The control socket has all rights, and no port that has to be known.
        let (api, base) = (control.clone(), "http://localhost".to_owned());
        Program { life: Life::Here(here), data_dir: self.data_dir, address, base, api, http: http(), control }
    }

    /// Whether it is a first start whose store is a file of its data directory. A script may make the directory itself.
    fn makes_its_database(&self) -> bool {
        let elsewhere = |settings: String| settings.contains("[store]");
        self.binary.ends_with("switchboard")
            && !self.data_dir.exists()
            && self.arguments.is_empty()
            && !self.environment.iter().any(|(name, _)| name == "SWITCHBOARD_STORE__URL")
            && !std::fs::read_to_string(&self.settings).is_ok_and(elsewhere)
    }

    /// Starts it and waits until it stands by for its store.
    pub async fn standing_by(self) -> Standby {
        let mut standby = self.begun();
        standby.said("Waiting ").await;
        standby
    }

    /// Starts it and waits for nothing.
    pub fn begun(self) -> Standby {
        let process = self.spawn();
        Standby { process, data_dir: self.data_dir, read_bytes: 0 }
    }

    /// Starts it where it is expected to refuse; returns the exit code and all it printed.
    pub async fn refused(self) -> (Option<i32>, String) {
        let mut process = self.spawn();
        let code = process.ended().await;
        (code, process.last_words().await)
    }

    /// What is typed, from the name of the program on.
    fn typed(&self) -> Vec<String> {
        let settings = self.settings.to_str().expect("UTF-8");
        let data_dir = self.data_dir.to_str().expect("UTF-8");
        let typed =
            ["switchboard", "up", "--config", settings, "--data-dir", data_dir, "--listen", &self.listen];
        typed.map(str::to_owned).into_iter().chain(self.arguments.iter().cloned()).collect()
    }

    fn spawn(&self) -> Process {
        let typed = self.typed();
        let arguments: Vec<&str> = typed[1..].iter().map(String::as_str).collect();
        let mut environment = vec![("SWITCHBOARD_BOOTSTRAP_KEY", KEY)];
        environment.extend(self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        Process::start(self.binary, &arguments, &environment)
    }
}

/// A product that waits for its store, or has just begun.
pub struct Standby {
    process: Process,
    data_dir: PathBuf,
    /// How much it had printed when it began to wait.
    read_bytes: usize,
}

impl Standby {
    /// SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// SIGTERM; the exit code.
    pub async fn terminate(&mut self) -> Option<i32> {
        self.process.signal("TERM");
        self.process.ended().await
    }

    /// Waits until it prints these words; the line that they are in.
    pub async fn said(&mut self, words: &str) -> String {
        let read_bytes = self.read_bytes;
        let line =
            |output: &str| output[read_bytes..].lines().find(|line| line.contains(words)).map(str::to_owned);
        self.process.printed(line).await
    }

    /// Waits until it has its store and listens.
    pub async fn listening(mut self) -> Program {
        let read_bytes = self.read_bytes;
        let address = |output: &str| {
            let line = output[read_bytes..].lines().find(|line| line.starts_with("API "))?;
            line.split_whitespace().nth(1)?.strip_suffix("/v1").map(str::to_owned)
        };
        let address = self.process.printed(address).await;
        let (life, control, http) = (Life::Process(self.process), control(&self.data_dir), http());
        let (base, api) = (address.clone(), http.clone());
        Program { life, data_dir: self.data_dir, address, base, api, http, control }
    }
}

/// A client of its ports.
fn http() -> reqwest::Client {
    reqwest::Client::builder().tls_certs_only([]).timeout(Duration::from_mins(2)).build().expect("a client")
}

/// A client of the control socket.
fn control(data_dir: &Path) -> reqwest::Client {
    let client = reqwest::Client::builder().tls_certs_only([]).unix_socket(data_dir.join("control.sock"));
    client.timeout(Duration::from_mins(2)).build().expect("a client")
}

/// Where a product runs.
enum Life {
    Process(Process),
    Here(Here),
}

/// A running product.
pub struct Program {
    life: Life,
    data_dir: PathBuf,
    address: String,
    /// Where its API is asked, and by what.
    base: String,
    api: reqwest::Client,
    http: reqwest::Client,
    control: reqwest::Client,
}

impl Program {
    /// `http://address:port` of the API.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Waits until it is ready.
    pub async fn is_ready(&self) {
        self.until("ready", || async {
            let answer = self.api.get(format!("{}/health/ready", self.base)).send().await;
            answer.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
    }

    fn process(&self) -> &Process {
        match &self.life {
            Life::Process(process) => process,
            Life::Here(_) => panic!("it runs in the process of the test"),
        }
    }

    /// All it has printed; nothing of one in the process of the test.
    pub fn output(&self) -> String {
        match &self.life {
            Life::Process(process) => process.output(),
            Life::Here(_) => String::new(),
        }
    }

    /// Its number among the processes of the machine.
    pub fn pid(&self) -> u32 {
        self.process().id()
    }

    /// SIGKILL; one in the process of the test is dropped where it is.
    pub fn kill(&mut self) {
        match &mut self.life {
            Life::Process(process) => process.kill(),
            Life::Here(here) => here.kill(),
        }
    }

    /// The same process as one that has lost its store and waits for it.
    #[must_use]
    pub fn as_standby(self) -> Standby {
        let Life::Process(process) = self.life else { panic!("it runs in the process of the test") };
        let read_bytes = process.output().len();
        Standby { process, data_dir: self.data_dir, read_bytes }
    }

    /// SIGSTOP: it does nothing until [`Program::wake`].
    pub fn stop(&self) {
        self.process().signal("STOP");
    }

    /// SIGCONT.
    pub fn wake(&self) {
        self.process().signal("CONT");
    }

    /// SIGTERM; returns the exit code.
    pub async fn terminate(&mut self) -> Option<i32> {
        let Life::Process(process) = &mut self.life else { panic!("it runs in the process of the test") };
        process.signal("TERM");
        process.ended().await
    }

    /// A request to the API, with the key.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        let request = self.api.request(method, format!("{}{path}", self.base));
        match self.life {
            Life::Process(_) => request.header("x-api-key", KEY),
            Life::Here(_) => request,
        }
    }

    /// The status of a `GET` with another key.
    pub async fn status_with(&self, key: &str, path: &str) -> u16 {
        let request = self.http.get(format!("{}{path}", self.address)).header("x-api-key", key);
        request.send().await.expect("an answer").status().as_u16()
    }

    /// `GET` on the API: status and JSON.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        match self.request("GET", path).send().await {
            Ok(answer) => read(answer).await,
            // A connection was kept that the program closes as it is used again.
            Err(_) => answer(self.request("GET", path)).await,
        }
    }

    /// `POST` on the API: status and JSON.
    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.request("POST", path).header("content-type", "application/json");
        answer(request.body(body.to_string())).await
    }

    /// `PATCH` on the API: status and JSON.
    pub async fn patch(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.request("PATCH", path).header("content-type", "application/json");
        answer(request.body(body.to_string())).await
    }

    /// `DELETE` on the API: status and JSON.
    pub async fn delete(&self, path: &str) -> (u16, Value) {
        answer(self.request("DELETE", path)).await
    }

    /// Sends a text to a chat and waits for the answer.
    pub async fn send(&self, chat: &str, text: &str) -> (u16, Value) {
        self.post("/v1/messages", &json!({ "chat": chat, "text": text })).await
    }

    /// `POST` on another port of this machine, as an old caller does.
    pub async fn legacy(&self, port: u16, path: &str, body: &Value) -> (u16, Value) {
        answer(self.http.post(format!("http://127.0.0.1:{port}{path}")).body(body.to_string())).await
    }

    /// Moves the clock. Where the machine is slow this takes longer still: calls that are under way have a limit by this clock,
    /// and a test that moves it again and again would leave them no time to be answered.
    pub async fn advance(&self, by: Duration) {
        const AT_ONCE: Duration = Duration::from_millis(3);
        let begun = Instant::now();
        self.test("clock", json!({ "advance_ms": u64::try_from(by.as_millis()).expect("small") })).await;
        let late = begun.elapsed().saturating_sub(AT_ONCE);
        tokio::time::sleep((late * 4).min(Duration::from_secs(1))).await;
    }

    /// The time of day by its clock, as answers have it.
    pub async fn now(&self) -> String {
        let reply = self.test("clock", json!({})).await;
        reply["now"].as_str().expect("an instant").to_owned()
    }

    /// Sets the time of day back, as a person may do with the clock of a machine.
    pub async fn set_back(&self, by: Duration) {
        self.test("clock", json!({ "set_back_ms": u64::try_from(by.as_millis()).expect("small") })).await;
    }

    /// Stops what reaches this point after `skip` have passed.
    pub async fn arm(&self, failpoint: &str, skip: u32) {
        self.test("failpoints", json!({ "name": failpoint, "skip": skip })).await;
    }

    /// Lets what is stopped at this point go on, and stops nothing there any more.
    pub async fn release(&self, failpoint: &str) {
        self.test("failpoints", json!({ "name": failpoint, "release": true })).await;
    }

    /// The same, of a program that may end before it answers.
    pub async fn release_if_there(&self, failpoint: &str) {
        let body = json!({ "name": failpoint, "release": true }).to_string();
        let request = self.control.post("http://localhost/testing/failpoints");
        let _ = request.header("content-type", "application/json").body(body).send().await;
    }

    /// Orders a test build to do something; what it answers.
    async fn test(&self, what: &str, body: Value) -> Value {
        let request = self.control.post(format!("http://localhost/testing/{what}"));
        let request = request.header("content-type", "application/json");
        let (status, reply) = answer(request.body(body.to_string())).await;
        assert!((200..300).contains(&status), "{what} {body}: {status} {reply}");
        reply
    }

    /// The failpoints there are, and where something stopped.
    pub async fn failpoints(&self) -> Value {
        answer(self.control.get("http://localhost/testing/failpoints")).await.1
    }

    /// Whether something is stopped at this point.
    pub async fn stopped_at(&self, failpoint: &str) -> bool {
        self.failpoints().await["stopped"].get(failpoint).is_some()
    }

    /// Asks until it is so.
    pub async fn until<F: Future<Output = bool>>(&self, what: &str, check: impl Fn() -> F) {
        let begun = Instant::now();
        while !check().await {
            let waited = begun.elapsed();
            assert!(waited < TIMEOUT, "waited in vain for: {what}\n{}", self.output());
            // To ask is work for the program: where it takes long it is asked less often.
            tokio::time::sleep((waited / 4).clamp(Duration::from_millis(5), Duration::from_millis(200)))
                .await;
        }
    }

    /// Waits for something while time goes by, so much at a time.
    pub async fn as_time_goes_by<T>(&self, step: Duration, wanted: impl Future<Output = T>) -> T {
        let deadline = Instant::now() + TIMEOUT;
        let mut wanted = std::pin::pin!(wanted);
        loop {
            let pause = async {
                tokio::time::sleep(Duration::from_millis(10)).await;
                self.advance(step).await;
            };
            tokio::select! {
                biased;
                done = &mut wanted => return done,
                () = pause => {}
            }
            assert!(Instant::now() < deadline, "waited in vain as time went by\n{}", self.output());
        }
    }

    /// Time goes by, so many seconds, and never faster than the sessions are answered: on a slow machine a leap over an answer
    /// that is under way looks like a deaf session. For a world without faults.
    pub async fn pass_calmly(&self, seconds: u64) {
        const STEP: u64 = 4;
        const BREATH: Duration = Duration::from_millis(250);
        // 24 seconds: a session asks something 20 seconds after its last answer by itself, and gives 10 for the answer.
        const UNANSWERED: usize = 6;
        let mut past = vec![self.now().await];
        for _ in 0..seconds.div_ceil(STEP) {
            self.advance(Duration::from_secs(STEP)).await;
            past.push(self.now().await);
            let Some(latest) = past.len().checked_sub(UNANSWERED).and_then(|at| past.get(at)) else {
                continue;
            };
            let begun = Instant::now();
            while !self.answered_since(latest).await {
                assert!(begun.elapsed() < TIMEOUT, "no session is answered\n{}", self.output());
                // As slowly as by a real clock: one that was cut off by a leap before this waits for its next attempt.
                tokio::time::sleep(BREATH).await;
                self.advance(BREATH).await;
            }
        }
    }

    /// Whether each session was answered in that second or later.
    async fn answered_since(&self, earliest: &str) -> bool {
        let (_, accounts) = self.get("/v1/accounts?limit=200").await;
        let accounts = accounts["items"].as_array().expect("items");
        let mut lines = accounts.iter().filter_map(|account| account["lines"].as_array()).flatten();
        lines.all(|line| line["last_answer_at"].as_str().is_some_and(|at| second(at) >= second(earliest)))
    }

    /// The operation when it goes on by itself no more; time goes by, so much at a time, if at all.
    pub async fn finished(&self, operation: &str, step: Option<Duration>) -> Value {
        let path = format!("/v1/operations/{operation}");
        self.until("the operation ends", || async {
            if let Some(step) = step {
                self.advance(step).await;
            }
            let (_, shown) = self.get(&path).await;
            ["done", "failed", "cancelled", "in_doubt"].iter().any(|state| shown["state"] == *state)
        })
        .await;
        self.get(&path).await.1
    }

    /// Waits until an account has read all its dialogs.
    pub async fn has_read_dialogs(&self, name: &str) {
        let what = format!("{name} has read its dialogs");
        let path = format!("/v1/accounts/{name}");
        self.until(&what, || async { self.get(&path).await.1["dialogs_complete"] == true }).await;
    }

    /// Waits until an account is in a state.
    pub async fn account_is(&self, name: &str, state: &str) {
        let what = format!("{name} is {state}");
        self.until(&what, || async { self.get(&format!("/v1/accounts/{name}")).await.1["state"] == state })
            .await;
    }
}

/// An instant as far as its seconds.
fn second(instant: &str) -> &str {
    instant.get(..19).expect("an instant")
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    read(request.send().await.expect("an answer")).await
}

async fn read(answer: reqwest::Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let body = answer.text().await.expect("a body");
    (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
}
