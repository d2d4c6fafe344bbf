//! The words of a page that says no.

use crate::visitor::Language;

/// The words of a page that says no.
pub(crate) struct RefusalWords {
    pub(crate) to_overview: &'static str,
    pub(crate) no_page: &'static str,
    pub(crate) no_page_detail: &'static str,
    pub(crate) refused: &'static str,
    pub(crate) not_allowed: &'static str,
    pub(crate) not_allowed_detail: &'static str,
    pub(crate) no_store: &'static str,
    pub(crate) no_store_detail: &'static str,
    pub(crate) stale_form: &'static str,
    pub(crate) stale_form_detail: &'static str,
    pub(crate) unread_form: &'static str,
    pub(crate) unread_form_detail: &'static str,
    pub(crate) wrong_form: &'static str,
}

const EN: RefusalWords = RefusalWords {
    to_overview: "To the overview",
    no_page: "There is no such page",
    no_page_detail: "The address is wrong, or what it showed is gone.",
    refused: "That was not possible",
    not_allowed: "Your role does not allow this",
    not_allowed_detail: "Ask an admin to do it, or to give you the role: Settings, People.",
    no_store: "The database does not answer",
    no_store_detail: "Your sign-in cannot be checked. Check the disk and the program's log; `switchboard doctor` works without the database.",
    stale_form: "The form is too old",
    stale_form_detail: "It was opened before you signed in last, or another site sent it. Nothing was changed. \
                        Open the page again and repeat.",
    unread_form: "The form did not arrive",
    unread_form_detail: "It arrived too slowly, was cut off or is too large. Nothing was changed. Go back and send it again.",
    wrong_form: "The form has a wrong field",
};

const RU: RefusalWords = RefusalWords {
    to_overview: "К обзору",
    no_page: "Такой страницы нет",
    no_page_detail: "Адрес неверен, или того, что он показывал, больше нет.",
    refused: "Это не получилось",
    not_allowed: "Ваша роль этого не разрешает",
    not_allowed_detail: "Попросите администратора сделать это или дать вам роль: Настройки, Люди.",
    no_store: "База данных не отвечает",
    no_store_detail: "Поэтому проверить ваш вход нельзя. Проверьте диск и журнал программы; `switchboard doctor` работает и без базы.",
    stale_form: "Форма устарела",
    stale_form_detail: "Её открыли до последнего входа, или её прислал другой сайт. Ничего не изменилось. \
                        Откройте страницу снова и повторите.",
    unread_form: "Форма не дошла",
    unread_form_detail: "Она шла слишком долго, оборвалась или слишком велика. Ничего не изменилось. Вернитесь и отправьте снова.",
    wrong_form: "В форме неверное поле",
};

impl RefusalWords {
    pub(crate) fn of(language: Language) -> &'static Self {
        language.of(&EN, &RU)
    }
}
