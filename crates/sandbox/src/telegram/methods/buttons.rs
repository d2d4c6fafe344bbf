//! Pressing a button of an inline keyboard.

use grammers_tl_types::{enums, functions};

use crate::telegram::bots::Press;
use crate::telegram::context::Context;
use crate::telegram::rpc::{Result, bad_request};

/// Every press is in the ledger, one that is refused too: with the button's data as its text, and the keyboard it hit.
pub(super) fn get_bot_callback_answer(
    context: &mut Context<'_>,
    request: &functions::messages::GetBotCallbackAnswer,
) -> Result<enums::messages::BotCallbackAnswer> {
    let me = context.me()?;
    let peer = context.state.input_peer(me, &request.peer)?;
    context.state.may_read(me, peer)?;
    let data = request.data.as_deref().ok_or(bad_request("DATA_INVALID"))?;
    let with_password = request.password.is_some();
    let Press { note, pause, answer } =
        context.state.press(me, peer, request.msg_id, data, with_password, context.at);
    context.record_press(peer, data, request.msg_id, note);
    context.pause = pause;
    answer.map(Into::into)
}
