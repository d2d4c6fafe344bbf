//! Lines as they have to be: those that are not wanted any more are closed before others are opened in their place.

use std::sync::Arc;
use std::time::Duration;

use store::Switch;

use super::RosterError;
use crate::account::Account;
use crate::line::Line;
use crate::pool::Pool;

/// How long a line may take to close.
const CLOSE: Duration = Duration::from_secs(30);

/// Lines of one account: as many as the bits of a number distinguish.
const MOST_LINES: usize = 64;

impl Pool {
    /// Ends lines and waits until nothing of them runs: two connections with one key would end the session.
    pub(crate) async fn close_lines(
        &self,
        account: &Account,
        lines: &[Arc<Line>],
    ) -> Result<(), RosterError> {
        for line in lines {
            line.end();
        }
        for line in lines {
            if self.clock.timeout(CLOSE, line.closed()).await.is_err() {
                return Err(RosterError::NotClosed(account.name.clone()));
            }
            self.builder.claims.release(&account.name, line.index());
        }
        Ok(())
    }

    /// Brings the lines of an account to what its sessions are. With `reconnects`, none of them stays.
    pub(crate) async fn arrange(&self, account: &Account, reconnects: bool) -> Result<(), RosterError> {
        let wanted = account.shares();
        let (mut lines, gone): (Vec<_>, Vec<_>) = account
            .lines()
            .iter()
            .cloned()
            .partition(|line| !reconnects && wanted.iter().any(|(origin, _)| *origin == line.origin()));
        self.close_lines(account, &gone).await?;
        // Anyone who looks meanwhile finds no line that is closed.
        account.set_lines(lines.clone());
        for (origin, purposes) in wanted {
            if let Some(line) = lines.iter().find(|line| line.origin() == origin) {
                line.set_purposes(&purposes);
                continue;
            }
            let free = (0..MOST_LINES).find(|place| lines.iter().all(|line| line.index() != *place));
            let place = free.ok_or_else(|| RosterError::TooManySessions(account.name.clone()))?;
            let line = self.builder.line(account, place, origin, purposes).await?;
            self.running.line(&line);
            lines.push(Arc::clone(&line));
            account.set_lines(lines.clone());
            if account.switch() == Switch::Stopped {
                // It was stopped while the line was made, by someone who could not see the line yet.
                line.stop();
            }
        }
        self.changes.tell();
        Ok(())
    }
}
