//! Where things are in the page: the one table, with a version and what must be found where.
//!
//! Ids, semantic classes and data attributes alone. Texts depend on the language, other classes on the build.

use serde_json::{Map, Value};

/// The state of the client that the table was read from.
pub const VERSION: &str = "2026-07-20";

/// Where a selector must find something, or the page is another than we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needed {
    /// As soon as the list of chats is shown.
    InTheList,
    /// In each open chat.
    InAChat,
    /// Only now and then.
    Sometimes,
}

/// A line of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Selector {
    /// As the scripts and the self-test call it.
    pub(crate) name: &'static str,
    /// What is looked for, in CSS. Of [`Needed::InAChat`] and all that begins with `chat_` it is looked for in the open chat.
    pub(crate) css: &'static str,
    pub(crate) needed: Needed,
}

macro_rules! selectors {
    ($($needed:ident { $($name:ident $css:literal;)* })*) => {
        const ALL: &[Selector] = &[$($(
            Selector { name: stringify!($name), css: $css, needed: Needed::$needed },
        )*)*];
    };
}

selectors! {
    InTheList {
        page_chats "#page-chats";
        main_columns "#main-columns";
        folders "#folders-container";
        search_input "#column-left .item-main .input-search-input";
        search_container "#search-container";
    }
    InAChat {
        chat ".chat.tabs-tab.active";
        chat_title ".topbar .chat-info .peer-title[data-peer-id]";
        chat_field ".input-message-input:not(.input-field-input-fake)[data-peer-id]";
        chat_input ".chat-input";
        chat_wrapper ".rows-wrapper-wrapper";
        chat_control ".chat-input-control";
        chat_send "button.btn-send";
        chat_bubbles ".bubbles";
    }
    Sometimes {
        rows "#folders-container .chatlist-chat";
        row_unread ".dialog-subtitle-badge-unread.is-visible";
        auth_pages "#auth-pages";
        auth_code "#auth-pages canvas";
        auth_phone "#auth-pages .input-field-phone";
        auth_password "#auth-pages input[type=password]";
        locked ".passcode-lock-screen";
        deactivated "body.deactivated, .popup-instance-deactivated";
        search_leave "#column-left .sidebar-search-close";
        // Sections of messages are left out: their rows show what people wrote, and that may begin with a name.
        search_rows "#search-container .search-group-contacts:not(.search-group-people):not(.search-group-recent):not(.hide) a.chatlist-chat[data-peer-id]";
        row_subtitle ".dialog-subtitle, .row-subtitle";
        row_sponsored "[data-sponsored=\"true\"]";
        chat_plate ".rows-wrapper-wrapper.is-centering-to-control:not(.backwards)";
        chat_buttons ".chat-input-plate-center > *, .chat-input-control > button";
        chat_fake_field ".input-field-input-fake";
        button_frozen ".chat-input-frozen-text";
        button_peer ".peer-title";
        button_link "a";
        button_primary ".btn-color-primary";
        chat_stars ".input-message-placeholder-stars, .btn-send-stars-badge--active";
        chat_empty_premium ".empty-bubble-placeholder-premiumRequired";
        chat_empty_paid ".empty-bubble-placeholder-paidMessages";
        chat_empty_restricted ".empty-bubble-placeholder-restricted";
        chat_own ".bubbles .bubble.is-out[data-mid]";
        chat_incoming ".bubbles .bubble.is-in[data-mid]:not(.service)";
        chat_go_down ".bubbles-go-down";
        bubble_message ".message";
        bubble_media ".attachment, .document";
        bubble_words ".translatable-message";
        bubble_time ".time";
        popup ".popup.active";
        popup_title ".popup-title";
        popup_words ".popup-description";
        popup_close ".popup-close";
        popup_confirmation ".popup-peer.popup-confirmation";
        popup_premium ".popup-premium";
        popup_stars "[class*=\"popup-stars\"]";
        popup_media ".popup-new-media.active";
        media_item ".popup-item";
        media_caption ".simple-message-input-input[contenteditable=\"true\"]:not(.input-field-input-fake)";
        media_send "button.simple-message-input-confirm";
        toast ".toasts-container .toast.is-visible";
    }
}

/// What pictures and the HTML beside them do not show: codes and passwords that let someone in, and what other people are called and write.
pub(crate) const MASKED: &str = "#auth-pages canvas, #auth-pages input, #auth-pages .input-field-phone, .passcode-lock-screen input, \
     #column-left .chatlist-chat, .topbar .chat-info, .bubble.is-in .bubble-content, .bubble.service";

/// The CSS of a line of the table.
pub(crate) fn css(name: &str) -> &'static str {
    ALL.iter().find(|one| one.name == name).map_or("", |one| one.css)
}

/// The table as the scripts take it.
pub(crate) fn table() -> Value {
    let rows = ALL.iter().map(|one| (one.name.to_owned(), Value::from(one.css)));
    Value::Object(rows.collect::<Map<_, _>>())
}

/// The lines that must find something there.
pub(crate) fn needed(place: Needed) -> Vec<Selector> {
    ALL.iter().filter(|one| one.needed == place).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_a_name_of_its_own() {
        let mut names: Vec<_> = ALL.iter().map(|one| one.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        assert_eq!(css("search_input"), "#column-left .item-main .input-search-input");
        assert_eq!(table()["popup"], ".popup.active");
    }

    #[test]
    fn no_line_depends_on_a_language_or_a_build() {
        for one in ALL {
            assert!(!one.css.contains(":contains") && !one.css.contains("_Container_"), "{}", one.name);
            assert!(one.css.is_ascii(), "{}", one.name);
        }
    }
}
