//! Questions at the terminal, and lines of the standard input.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use anyhow::bail;
use domain::secret::Zeroize;
use domain::{ExposeSecret, SecretText};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::mpsc;

/// The longest line read, in bytes.
const LONGEST: u64 = 16 * 1024;

/// Wrong usage of a command: the exit code is 2.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct WrongUsage(pub(crate) String);

/// Whether the standard input is a terminal.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal()
}

/// Asks a yes/no question at the terminal; an error unless the answer is yes.
pub(crate) async fn confirm(question: &str) -> anyhow::Result<()> {
    if !is_interactive() {
        return Err(WrongUsage("there is no terminal to ask on: say --yes".to_owned()).into());
    }
    let answer = Lines::of_standard_input().ask(&format!("{question} [y/N] ")).await?;
    let yes =
        answer.is_some_and(|answer| ["y", "yes"].contains(&answer.expose_secret().to_lowercase().as_str()));
    if !yes {
        bail!("nothing was done");
    }
    Ok(())
}

/// The lines of the standard input, read by a thread, so that a wait for one can be cancelled.
pub(crate) struct Lines(mpsc::Receiver<io::Result<SecretText>>);

impl Lines {
    pub(crate) fn of_standard_input() -> Self {
        let (sender, receiver) = mpsc::channel(1);
        std::thread::spawn(move || {
            let mut input = io::stdin().lock();
            loop {
                let line = read_line(&mut input).transpose();
                let Some(line) = line else { return };
                let broken = line.is_err();
                if sender.blocking_send(line).is_err() || broken {
                    return;
                }
            }
        });
        Self(receiver)
    }

    /// The next line without its end; nothing when there are no more.
    pub(crate) async fn next(&mut self) -> io::Result<Option<SecretText>> {
        self.0.recv().await.transpose()
    }

    /// Asks for a line.
    pub(crate) async fn ask(&mut self, question: &str) -> io::Result<Option<SecretText>> {
        eprint!("{question}");
        io::stderr().flush()?;
        self.next().await
    }

    /// Asks for a line that the terminal does not show.
    pub(crate) async fn ask_hidden(&mut self, question: &str) -> io::Result<Option<SecretText>> {
        let hidden = Hidden::begin();
        let line = self.ask(question).await;
        if hidden.is_some() {
            // The end of the line was not shown either.
            eprintln!();
        }
        line
    }
}

/// One line, trimmed; nothing at the end of the input.
fn read_line(input: &mut impl BufRead) -> io::Result<Option<SecretText>> {
    let mut line = Vec::new();
    let read = input.by_ref().take(LONGEST).read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(None);
    }
    let too_long = read as u64 == LONGEST && line.last() != Some(&b'\n');
    let text = std::str::from_utf8(&line).map(|text| SecretText::from(text.trim()));
    let read = match text {
        _ if too_long => Err(io::Error::new(io::ErrorKind::InvalidData, "a line of the input is too long")),
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "the input is not UTF-8 text")),
    };
    line.zeroize();
    read
}

/// As long as this lives, the terminal does not show what is typed.
struct Hidden(Termios);

impl Hidden {
    /// Nothing when the standard input is no terminal.
    fn begin() -> Option<Self> {
        let before = tcgetattr(io::stdin()).ok()?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet).ok()?;
        Some(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use domain::ExposeSecret;

    use super::*;

    #[test]
    fn lines_are_trimmed_and_bounded() {
        let mut input = io::Cursor::new("12345\r\n\n last ");
        let mut next = || read_line(&mut input).expect("reads").map(|line| line.expose_secret().to_owned());
        assert_eq!(next().as_deref(), Some("12345"));
        assert_eq!(next().as_deref(), Some(""));
        assert_eq!(next().as_deref(), Some("last"));
        assert_eq!(next(), None);
        assert!(read_line(&mut io::Cursor::new(vec![b'x'; 20_000])).is_err());
        assert!(read_line(&mut io::Cursor::new([0xff, b'\n'])).is_err());
    }
}
