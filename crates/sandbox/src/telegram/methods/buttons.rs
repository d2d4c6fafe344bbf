//! Pressing a button of an inline keyboard.

use grammers_tl_types::{enums, functions, types};

use crate::telegram::context::Context;
use crate::telegram::rpc::{Result, bad_request};

/// The press is an effect: the ledger has the button's data as its text. Whoever wrote the keyboard answers nothing.
pub(super) fn get_bot_callback_answer(
    context: &mut Context<'_>,
    request: &functions::messages::GetBotCallbackAnswer,
) -> Result<enums::messages::BotCallbackAnswer> {
    let me = context.me()?;
    let peer = context.state.input_peer(me, &request.peer)?;
    context.state.may_read(me, peer)?;
    let stored = context.state.stored(me, peer, request.msg_id).ok_or(bad_request("MESSAGE_ID_INVALID"))?;
    let wanted = request.data.as_deref().ok_or(bad_request("DATA_INVALID"))?;
    if !stored.body.markup.as_deref().is_some_and(|markup| offers(markup, wanted)) {
        return Err(bad_request("DATA_INVALID"));
    }
    context.record(peer, None, String::from_utf8_lossy(wanted), Some(request.msg_id));
    Ok(types::messages::BotCallbackAnswer {
        alert: false,
        has_url: false,
        native_ui: false,
        message: None,
        url: None,
        cache_time: 0,
    }
    .into())
}

/// Whether a keyboard has a button with this data.
fn offers(markup: &enums::ReplyMarkup, wanted: &[u8]) -> bool {
    let enums::ReplyMarkup::ReplyInlineMarkup(markup) = markup else { return false };
    markup.rows.iter().any(|enums::KeyboardInlineButtonRow::Row(row)| {
        row.buttons.iter().any(|enums::KeyboardInlineButton::Button(button)| {
            matches!(&button.r#type, enums::InlineButtonType::Callback(callback) if callback.data == wanted)
        })
    })
}
