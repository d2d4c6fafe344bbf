//! Keyboards of Telegram in our words. Pure.

use domain::{Button, ButtonDeed, Keyboard, PersonalDeed};
use grammers_tl_types::enums::{self, ButtonType, InlineButtonType};

/// The keyboard of a message, if it has buttons.
pub(super) fn read(markup: &enums::ReplyMarkup) -> Option<Keyboard> {
    let rows = match markup {
        enums::ReplyMarkup::ReplyInlineMarkup(inline) => {
            let row = |row: &enums::KeyboardInlineButtonRow| {
                let enums::KeyboardInlineButtonRow::Row(row) = row;
                row.buttons.iter().map(inline_button).collect()
            };
            inline.rows.iter().map(row).collect()
        }
        enums::ReplyMarkup::ReplyKeyboardMarkup(reply) => {
            let row = |row: &enums::KeyboardButtonRow| {
                let enums::KeyboardButtonRow::Row(row) = row;
                row.buttons.iter().map(reply_button).collect()
            };
            reply.rows.iter().map(row).collect()
        }
        _ => return None,
    };
    Some(Keyboard { rows })
}

fn inline_button(button: &enums::KeyboardInlineButton) -> Button {
    let enums::KeyboardInlineButton::Button(button) = button;
    let personal = ButtonDeed::Personal;
    let deed = match &button.r#type {
        InlineButtonType::Callback(callback) if callback.requires_password => {
            personal(PersonalDeed::Password)
        }
        InlineButtonType::Callback(callback) => ButtonDeed::Callback(callback.data.clone()),
        InlineButtonType::Url(url) => ButtonDeed::Url(url.url.clone()),
        InlineButtonType::UrlAuth(_) | InlineButtonType::InputInlineButtonTypeUrlAuth(_) => {
            personal(PersonalDeed::Login)
        }
        InlineButtonType::WebView(_) => personal(PersonalDeed::WebApp),
        InlineButtonType::Game => personal(PersonalDeed::Game),
        InlineButtonType::Buy => personal(PersonalDeed::Buy),
        InlineButtonType::SwitchInline(_) => personal(PersonalDeed::SwitchInline),
        InlineButtonType::UserProfile(_) | InlineButtonType::InputInlineButtonTypeUserProfile(_) => {
            personal(PersonalDeed::Profile)
        }
        InlineButtonType::Copy(_) => personal(PersonalDeed::Copy),
        InlineButtonType::Disabled => personal(PersonalDeed::Disabled),
    };
    Button { label: button.text.clone(), deed }
}

fn reply_button(button: &enums::KeyboardButton) -> Button {
    let enums::KeyboardButton::Button(button) = button;
    let personal = ButtonDeed::Personal;
    let deed = match &button.r#type {
        ButtonType::Default => ButtonDeed::Text,
        ButtonType::RequestPhone => personal(PersonalDeed::Contact),
        ButtonType::RequestGeoLocation => personal(PersonalDeed::Location),
        ButtonType::RequestPoll(_) => personal(PersonalDeed::Poll),
        ButtonType::RequestPeer(_) | ButtonType::InputButtonTypeRequestPeer(_) => {
            personal(PersonalDeed::ChoosePeer)
        }
        ButtonType::SimpleWebView(_) => personal(PersonalDeed::WebApp),
    };
    Button { label: button.text.clone(), deed }
}
