//! The terminal as a screen: drawn over in one write, given back as it was.

use std::io::{self, Read, Write};
use std::time::Duration;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::sync::mpsc;

use super::frame::Size;

/// A key that was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// `q`, or the end of the input.
    Quit,
    /// Any other one: refresh now.
    Other,
}

/// As long as this lives, the terminal shows frames instead of lines.
pub(super) struct Screen {
    before: Termios,
    keys: mpsc::Receiver<Key>,
    drawn: Vec<String>,
}

impl Screen {
    pub(super) fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        // Ctrl+C still ends the program.
        raw.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON);
        tcsetattr(io::stdin(), OptionalActions::Flush, &raw)?;
        let (sender, keys) = mpsc::channel(8);
        // Reading a key cannot be given up, so it has a thread of its own, which ends with the program.
        std::thread::spawn(move || {
            let mut input = io::stdin().lock();
            let mut letter = [0];
            loop {
                let key = match input.read(&mut letter) {
                    Ok(1) if !matches!(letter, [b'q' | b'Q']) => Key::Other,
                    _ => Key::Quit,
                };
                if sender.blocking_send(key).is_err() || key == Key::Quit {
                    return;
                }
            }
        });
        let screen = Self { before, keys, drawn: Vec::new() };
        // Another page of the terminal, without a cursor.
        write("\x1b[?1049h\x1b[?25l")?;
        Ok(screen)
    }

    /// Draws over what is there, in one write: nothing flickers. The lines are made for the size that it has now.
    pub(super) fn show(&mut self, lines: impl FnOnce(Size) -> Vec<String>) -> io::Result<()> {
        // Some terminals say nothing of their size, or that they have none.
        let size = tcgetwinsize(io::stdout()).ok().filter(|size| size.ws_col > 0 && size.ws_row > 0);
        let (columns, rows) = size.map_or((80, 24), |size| (size.ws_col.into(), size.ws_row.into()));
        self.drawn = lines(Size { columns, rows });
        let mut frame = String::from("\x1b[H");
        for (place, line) in self.drawn.iter().enumerate() {
            if place > 0 {
                frame.push_str("\r\n");
            }
            frame.push_str(line);
            frame.push_str("\x1b[K");
        }
        frame.push_str("\x1b[J");
        write(&frame)
    }

    /// The next key, if one is pressed in time. Ctrl+C counts as the end.
    pub(super) async fn key_within(&mut self, limit: Duration) -> Option<Key> {
        tokio::select! {
            key = self.keys.recv() => key.or(Some(Key::Quit)),
            _ = tokio::signal::ctrl_c() => Some(Key::Quit),
            () = tokio::time::sleep(limit) => None,
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = write("\x1b[?25h\x1b[?1049l");
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}
