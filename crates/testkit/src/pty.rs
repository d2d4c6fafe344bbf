//! A command with a person at its terminal: a pseudo-terminal that a test reads and types into.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::process::TIMEOUT;

/// A person at a terminal. The command is killed when this is dropped.
pub struct Pty {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<String>>,
    /// Ends when all was read that was written to the terminal.
    reader: JoinHandle<()>,
}

impl Pty {
    /// Starts a command at a terminal of its own, which does not say how large it is.
    pub fn at(binary: &Path, arguments: &[&str]) -> Self {
        Self::before(binary, arguments, None)
    }

    /// Starts a command at a terminal of so many columns and rows.
    pub fn at_a_screen(binary: &Path, arguments: &[&str], (columns, rows): (u16, u16)) -> Self {
        let size = Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
        Self::before(binary, arguments, Some(size))
    }

    fn before(binary: &Path, arguments: &[&str], size: Option<Winsize>) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let near = openpt(flags).expect("a pseudo-terminal");
        grantpt(&near).expect("grants");
        unlockpt(&near).expect("unlocks");
        let far = File::from(ioctl_tiocgptpeer(&near, flags).expect("its other end"));
        if let Some(size) = size {
            tcsetwinsize(&far, size).expect("a size");
        }
        let mut command = Command::new(binary);
        let end = || Stdio::from(far.try_clone().expect("clones"));
        command.args(arguments).stdin(end()).stdout(end()).stderr(end());
        // One that can move its cursor, wherever the tests run.
        command.env("TERM", "xterm").env_remove("NO_COLOR");
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SWITCHBOARD_")) {
            command.env_remove(name);
        }
        let child = command.spawn().expect("the binary starts");
        // Only the child has the other end now, so that reading ends with it.
        drop((command, far));
        let keyboard = File::from(near);
        let screen = Arc::new(Mutex::new(String::new()));
        let (mut lit, shown) = (keyboard.try_clone().expect("clones"), Arc::clone(&screen));
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // A terminal whose other end is closed answers with an error.
            while let Ok(read @ 1..) = lit.read(&mut bytes) {
                shown.lock().expect("lock").push_str(&String::from_utf8_lossy(&bytes[..read]));
            }
        });
        Self { child, keyboard, screen, reader }
    }

    /// All that stood on the screen.
    pub fn screen(&self) -> String {
        self.screen.lock().expect("lock").clone()
    }

    /// Waits until this is on the screen, so many times.
    pub async fn shows(&self, text: &str, times: usize) {
        let deadline = Instant::now() + TIMEOUT;
        while self.screen().matches(text).count() < times {
            assert!(Instant::now() < deadline, "{text:?} is not shown; the screen is:\n{}", self.screen());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Types a line.
    pub fn types(&mut self, line: &str) {
        self.keyboard.write_all(format!("{line}\n").as_bytes()).expect("types");
    }

    /// What Ctrl+C sends.
    pub fn interrupt(&self) {
        let status = Command::new("kill").args(["-s", "INT", &self.child.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    /// SIGKILL, and waits for the end.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for the end and returns the exit code. All that was written is on the screen then.
    pub async fn ended(&mut self) -> Option<i32> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let ended = self.child.try_wait().expect("waits");
            if let Some(status) = ended.filter(|_| self.reader.is_finished()) {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it does not end; the screen is:\n{}", self.screen());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        self.kill();
    }
}
