//! Being sent to another data centre: at any step Telegram may say that the account lives elsewhere, with a 303.
//!
//! What was asked for is asked for once more there, with a fresh key, as other clients do. Where that data centre knows
//! nothing of it, the login starts over there: a code or a token belongs to where it was made.

use super::LoginError;
use super::meaning::Meaning;
use super::record::{By, Step};
use super::state::LoginFailure;
use super::turn::Turn;

/// How often one login is sent to another data centre at most.
const MOST_MOVES: u32 = 3;

impl Turn {
    /// Another data centre, with another key. Returns whether the login goes on there.
    pub(super) async fn move_to(&mut self, dc_id: i32, step: Step) -> Result<bool, LoginError> {
        if self.record()?.moves >= MOST_MOVES {
            let detail = "sent from one data centre to another, again and again".to_owned();
            self.fail(LoginFailure::Refused, detail).await?;
            return Ok(false);
        }
        if self.pool.builder.addresses.of(dc_id).is_none() {
            let detail = format!("sent to the data centre {dc_id}, which has no address here");
            self.fail(LoginFailure::Refused, detail).await?;
            return Ok(false);
        }
        self.hang_up().await;
        let record = self.record()?;
        record.forget_key();
        record.dc_id = dc_id;
        record.moves += 1;
        record.carried = matches!(step, Step::Code { .. } | Step::Password { .. });
        (record.step, record.in_doubt) = (step, false);
        self.save().await?;
        Ok(true)
    }

    pub(super) async fn carry_to(&mut self, dc_id: i32) -> Result<bool, LoginError> {
        let step = self.record()?.step.clone();
        self.move_to(dc_id, step).await
    }

    /// Whether a refusal means that this data centre knows nothing of a code or a password that was asked for in another.
    pub(super) fn is_unknown_here(&mut self, meaning: &Meaning) -> Result<bool, LoginError> {
        let refusal = matches!(
            meaning,
            Meaning::WrongCode
                | Meaning::NotSignedIn
                | Meaning::Failed(LoginFailure::CodeExpired | LoginFailure::StartOver)
        );
        Ok(refusal && self.record()?.carried)
    }

    /// Begins again in the data centre that the login was sent to.
    pub(super) async fn start_over(&mut self) -> Result<(), LoginError> {
        self.go_to(Step::StartOver).await?;
        self.request_first_step().await
    }

    /// Asks for what the login begins with: a code, or a token to show.
    pub(super) async fn request_first_step(&mut self) -> Result<(), LoginError> {
        match self.record()?.by.clone() {
            By::Phone { phone } => Box::pin(self.send_code(phone)).await,
            By::Qr => Box::pin(self.show_token()).await,
        }
    }

    /// Goes on with a login that was sent on and broke off before it started over. Returns whether it was one.
    pub(super) async fn was_broken_off(&mut self) -> Result<bool, LoginError> {
        if !matches!(self.record()?.step, Step::StartOver) {
            return Ok(false);
        }
        self.request_first_step().await.map(|()| true)
    }
}
