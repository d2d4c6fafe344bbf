//! What happens to a call before its method runs: counting, dead keys, faults, rights of the key.

use std::time::Duration;

use grammers_tl_types::name_for_id;

use super::bots::Pause;
use super::context::Context;
use super::faults::{Loss, Refusal};
use super::methods;
use super::rpc::{RpcError, not_acceptable, see_other, unauthorized};
use super::state::{Moment, State};
use crate::call::{Answer, Caller, Reply};

/// A call that was let in, or turned away.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) user: Option<i64>,
    pub(crate) method: &'static str,
    pub(crate) delay: Option<Duration>,
    /// Set when the method does not run.
    pub(crate) turned_away: Option<Reply>,
    pub(crate) loss: Option<Loss>,
}

pub(crate) fn refused(error: RpcError) -> Reply {
    Reply::Send(Answer::Error { code: error.code, message: error.message.into_owned() })
}

impl State {
    /// Decides about a call.
    pub(crate) fn admit(&mut self, caller: &Caller, hung_up: &dyn Fn() -> bool, id: u32) -> Admitted {
        let method = name_for_id(id);
        let user = self.authorizations.get(caller.key).map(|authorization| authorization.user);
        let name = user.and_then(|user| self.account_of(user)).map(|account| account.name.clone());
        self.calls.count(name.clone(), method);
        let mut admitted = Admitted { user, method, delay: None, turned_away: None, loss: None };
        if self.authorizations.admit(caller.key, caller.connection, hung_up).is_err() {
            admitted.turned_away = Some(refused(not_acceptable("AUTH_KEY_DUPLICATED")));
            return admitted;
        }
        let verdict = self.faults.decide(name.as_deref(), method);
        if !matches!(verdict.refusal, Some(Refusal::Cut | Refusal::Silence)) {
            self.authorizations.served(caller.key, caller.connection);
        }
        admitted.delay = verdict.delay;
        admitted.loss = verdict.loss;
        admitted.turned_away = match verdict.refusal {
            Some(Refusal::Error(error)) => Some(refused(error)),
            Some(Refusal::Unreadable) => Some(unreadable()),
            Some(Refusal::Cut) => Some(Reply::Cut),
            Some(Refusal::Silence) => Some(Reply::Silence),
            None => self.key_may(caller, id, method).err().map(refused),
        };
        admitted
    }

    fn key_may(&self, caller: &Caller, id: u32, method: &str) -> Result<(), RpcError> {
        if !methods::serves(id) || methods::is_open_to_anyone(method) {
            return Ok(());
        }
        match self.authorizations.get(caller.key) {
            // It owes a password, and may ask how to prove it.
            None if method == "account.getPassword" && self.signing.half.contains_key(&caller.key) => Ok(()),
            None => Err(unauthorized("AUTH_KEY_UNREGISTERED")),
            Some(authorization) if authorization.imported && !methods::is_open_to_visitors(method) => {
                let home = self.account_of(authorization.user).map_or(2, |account| account.dc_id);
                Err(see_other("USER", home))
            }
            Some(_) => Ok(()),
        }
    }

    /// Runs the method of an admitted call.
    pub(crate) fn run(
        &mut self,
        caller: &Caller,
        admitted: &Admitted,
        id: u32,
        body: &[u8],
        at: Moment,
    ) -> (Reply, Pause) {
        let (user, method) = (admitted.user, admitted.method);
        let mut context = Context { state: self, caller, user, at, method, pause: Pause::default() };
        let ran = methods::run(&mut context, id, body);
        let pause = std::mem::take(&mut context.pause);
        let reply = match ran {
            Some(Ok(answer)) => Reply::Send(Answer::Result(answer)),
            Some(Err(error)) => refused(error),
            None => {
                self.calls.count_unknown(id, method);
                refused(RpcError { code: 400, message: format!("INPUT_METHOD_INVALID_{id}").into() })
            }
        };
        (reply, pause)
    }
}

/// An answer that no client can read: no constructor of any layer.
fn unreadable() -> Reply {
    Reply::Send(Answer::Result(vec![0xff; 16]))
}

/// What is left of a reply after a fault took its part.
pub(crate) fn after(loss: Option<Loss>, reply: Reply) -> Reply {
    match loss {
        None => reply,
        Some(Loss::Silence) => Reply::Silence,
        Some(Loss::Cut) => Reply::Cut,
        Some(Loss::Unreadable) => unreadable(),
    }
}
