//! The line to a side, as the one who conducts has it.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use ambient::Clock;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::serving::{Answer, Failed, Hello, Request};
use crate::wire::{self, Message};

/// How long a side may be silent: one that works says every few seconds that it is there.
const SILENT: Duration = Duration::from_secs(30);

/// How much of what it says to people is kept, in bytes.
const WORDS: u64 = 16 * 1024;

/// A side cannot be reached, or not any more, or it refused.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// What was started speaks no move.
    #[error("{name} does not answer as a side of a move: {output}")]
    NoSide { name: String, output: String },
    #[error("the line to {name} is lost: {source}{output}")]
    Lost {
        name: String,
        /// What the system says.
        source: io::Error,
        output: String,
    },
    #[error("{name} was silent for {} s", SILENT.as_secs())]
    Silent { name: String },
    #[error("{name}: {failed}")]
    Failed {
        name: String,
        /// What it said.
        failed: Failed,
    },
}

impl LinkError {
    /// Whether the side did not refuse: trying again may help.
    pub fn is_lost(&self) -> bool {
        !matches!(self, Self::Failed { .. })
    }
}

/// The line to a side.
pub struct Link {
    name: String,
    from: Box<dyn AsyncRead + Unpin + Send>,
    to: Box<dyn AsyncWrite + Unpin + Send>,
    clock: Clock,
    /// The process at this end; it ends with the line.
    child: Option<(Child, JoinHandle<String>)>,
}

impl Link {
    /// Over a process whose standard input and output are the line.
    ///
    /// # Errors
    /// It cannot be started, or speaks no move.
    pub async fn start(name: &str, command: &[String], clock: Clock) -> Result<Self, LinkError> {
        let no_side = |output: String| LinkError::NoSide { name: name.to_owned(), output };
        let Some((program, arguments)) = command.split_first() else {
            return Err(no_side("there is no command".to_owned()));
        };
        let started = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = started.map_err(|error| no_side(format!("{program}: {error}")))?;
        let (Some(to), Some(from), Some(output)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(no_side("it has no standard input or output".to_owned()));
        };
        let words = tokio::spawn(async move {
            let mut words = Vec::new();
            // The rest is read too, so that it never waits for a reader.
            let mut output = output;
            let _ = (&mut output).take(WORDS).read_to_end(&mut words).await;
            let _ = tokio::io::copy(&mut output, &mut tokio::io::sink()).await;
            // ssh ends its lines as a terminal in raw mode needs them.
            String::from_utf8_lossy(&words).replace("\r\n", "\n").trim().to_owned()
        });
        let link = Self::over(name, from, to, clock);
        Self { child: Some((child, words)), ..link }.greeted().await
    }

    /// Over any line.
    pub fn over(
        name: &str,
        from: impl AsyncRead + Unpin + Send + 'static,
        to: impl AsyncWrite + Unpin + Send + 'static,
        clock: Clock,
    ) -> Self {
        Self { name: name.to_owned(), from: Box::new(from), to: Box::new(to), clock, child: None }
    }

    /// Waits for the greeting of the side.
    pub(crate) async fn greeted(mut self) -> Result<Self, LinkError> {
        let greeted = self.clock.timeout(SILENT, wire::greeted(&mut self.from)).await;
        match greeted {
            Ok(Ok(())) => Ok(self),
            Ok(Err(before)) => {
                let output = self.words().await;
                let output = [before, output].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
                let output = if output.is_empty() { "it said nothing".to_owned() } else { output.join("; ") };
                Err(LinkError::NoSide { name: self.name, output })
            }
            Err(_) => Err(LinkError::Silent { name: self.name }),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the process at this end said to people, once it has ended.
    async fn words(&mut self) -> String {
        let Some((mut child, words)) = self.child.take() else { return String::new() };
        let ended = self.clock.timeout(Duration::from_secs(2), child.wait()).await;
        if ended.is_err() {
            let _ = child.start_kill();
        }
        self.clock.timeout(Duration::from_secs(2), words).await.ok().and_then(Result::ok).unwrap_or_default()
    }

    pub(crate) async fn ask(
        &mut self,
        request: &Request,
        body: Vec<u8>,
    ) -> Result<(Answer, Vec<u8>), LinkError> {
        match self.exchange(request, body).await {
            Ok(answer) => Ok(answer),
            Err(Broken::Silent) => Err(LinkError::Silent { name: self.name.clone() }),
            Err(Broken::Lost(source)) => {
                let output = self.words().await;
                let output = if output.is_empty() { output } else { format!("; {output}") };
                Err(LinkError::Lost { name: self.name.clone(), source, output })
            }
            Err(Broken::Failed(failed)) => Err(LinkError::Failed { name: self.name.clone(), failed }),
        }
    }

    async fn exchange(&mut self, request: &Request, body: Vec<u8>) -> Result<(Answer, Vec<u8>), Broken> {
        let head = serde_json::to_vec(request).map_err(io::Error::other)?;
        let sent = self.clock.timeout(SILENT, wire::send(&mut self.to, &Message { head, body })).await;
        sent.map_err(|_| Broken::Silent)??;
        loop {
            let received = self.clock.timeout(SILENT, wire::receive(&mut self.from)).await;
            let Message { head, body } = received.map_err(|_| Broken::Silent)??;
            match serde_json::from_slice(&head).map_err(io::Error::other)? {
                Answer::Alive => {}
                Answer::Failed { failed } => return Err(Broken::Failed(failed)),
                answer => return Ok((answer, body)),
            }
        }
    }

    pub(crate) async fn hello(&mut self, version: &str) -> Result<Hello, LinkError> {
        match self.ask(&Request::Hello { version: version.to_owned() }, Vec::new()).await? {
            (Answer::Hello { hello }, _) => Ok(*hello),
            _ => Err(self.odd()),
        }
    }

    /// It answered something else than what was asked.
    pub(crate) fn odd(&self) -> LinkError {
        let output = "it answers something else than it was asked; is it of the same version?".to_owned();
        LinkError::NoSide { name: self.name.clone(), output }
    }
}

enum Broken {
    Silent,
    Lost(io::Error),
    Failed(Failed),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}
