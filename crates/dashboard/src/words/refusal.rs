//! The words of a page that says no.

words! {
    RefusalWords;
    to_overview: "To the overview", "К обзору";
    no_page: "There is no such page", "Такой страницы нет";
    no_page_detail:
        "The address is wrong, or what it showed is gone.",
        "Адрес неверен, или того, что он показывал, больше нет.";
    refused: "That was not possible", "Это не получилось";
    not_allowed: "Your role does not allow this", "Ваша роль этого не разрешает";
    not_allowed_detail:
        "Ask an admin to do it, or to give you the role: Settings, People.",
        "Попросите администратора сделать это или дать вам роль: Настройки, Люди.";
    no_store: "The database does not answer", "База данных не отвечает";
    no_store_detail:
        "Your sign-in cannot be checked. Check the disk and the program's log; `switchboard doctor` works \
         without the database.",
        "Поэтому проверить ваш вход нельзя. Проверьте диск и журнал программы; `switchboard doctor` \
         работает и без базы.";
    stale_form: "The form is too old", "Форма устарела";
    stale_form_detail:
        "It was opened before you signed in last, or another site sent it. Nothing was changed. Open the \
         page again and repeat.",
        "Её открыли до последнего входа, или её прислал другой сайт. Ничего не изменилось. Откройте \
         страницу снова и повторите.";
    unread_form: "The form did not arrive", "Форма не дошла";
    unread_form_detail:
        "It arrived too slowly, was cut off or is too large. Nothing was changed. Go back and send it again.",
        "Она шла слишком долго, оборвалась или слишком велика. Ничего не изменилось. Вернитесь и отправьте \
         снова.";
    wrong_form: "The form has a wrong field", "В форме неверное поле";
}
