//! What the owner of an account does at its provider, step by step, in English and in Russian.

use config::ChannelKind;

/// The steps for a channel, in order, each in English and in Russian.
pub const fn steps(channel: ChannelKind) -> &'static [[&'static str; 2]] {
    match channel {
        ChannelKind::Telegram => &[
            [
                "In Telegram open @BotFather, send /newbot, and choose a name.",
                "В Telegram откройте @BotFather, отправьте /newbot и выберите имя.",
            ],
            [
                "Take the token that it answers, such as 123456:AA…, as token.",
                "Возьмите токен из ответа, вида 123456:AA…, как token.",
            ],
            [
                "For a bot in groups: /setprivacy, Disable, so that it sees all messages.",
                "Для бота в группах: /setprivacy, Disable, чтобы он видел все сообщения.",
            ],
            [
                "If another program uses the bot, stop it there first: a token has one receiver.",
                "Если ботом пользуется другая программа, сначала остановите её: у токена один получатель.",
            ],
        ],
        ChannelKind::Avito => &[
            [
                "On avito.ru look whether the tariff has the messenger API; without it calls answer 402.",
                "На avito.ru проверьте, есть ли в тарифе API мессенджера; без него запросы отвечают 402.",
            ],
            [
                "In the profile, under API for developers, take the client_id and the client_secret.",
                "В профиле, в разделе API для разработчиков, возьмите client_id и client_secret.",
            ],
            [
                "Check here: the answer names the account.",
                "Нажмите здесь «Проверить»: в ответе будет имя аккаунта.",
            ],
        ],
        ChannelKind::Whatsapp => &[
            [
                "In the cabinet of wappi.pro add a profile of WhatsApp and pay for it.",
                "В кабинете wappi.pro добавьте профиль WhatsApp и оплатите его.",
            ],
            [
                "On the phone: WhatsApp, Linked devices, Link a device; scan the code of the profile.",
                "На телефоне: WhatsApp, Связанные устройства, Привязка устройства; отсканируйте код профиля.",
            ],
            [
                "Take the token of the cabinet as token, and the id of the profile as profile_id.",
                "Возьмите токен кабинета как token и номер профиля как profile_id.",
            ],
        ],
        ChannelKind::Vk => &[
            [
                "In the community: Manage, Messages: switch messages on; in their settings, the abilities of bots too.",
                "В сообществе: Управление, Сообщения: включите сообщения, а в их настройках — возможности ботов.",
            ],
            [
                "Manage, API usage, Access keys: make a key with management, messages, photos and documents; it is token.",
                "Управление, Работа с API, Ключи доступа: создайте ключ с правами на управление, сообщения, фото и документы; это token.",
            ],
            [
                "The number of the community, from its address club100, is group_id.",
                "Номер сообщества из адреса вида club100 — это group_id.",
            ],
        ],
        ChannelKind::Max => &[
            [
                "On business.max.ru confirm the organization, and make a bot under Chat bots.",
                "На business.max.ru подтвердите организацию и создайте бота в разделе «Чат-боты».",
            ],
            [
                "Once the bot has passed moderation, take its token under Integration as token.",
                "Когда бот пройдёт модерацию, возьмите токен в разделе «Интеграция» как token.",
            ],
            [
                "If its certificate is not trusted here, name the file with the root that signs it as ca_file.",
                "Если сертификат сервиса здесь не признаётся, укажите файл его корневого сертификата как ca_file.",
            ],
        ],
        ChannelKind::Instagram => &[
            [
                "In the app of Instagram make the account professional, and under Messages allow access by connected tools.",
                "В приложении Instagram сделайте аккаунт профессиональным и в настройках сообщений разрешите доступ подключённым инструментам.",
            ],
            [
                "On developers.facebook.com make an app with the product Instagram; its app secret is app_secret.",
                "На developers.facebook.com создайте приложение с продуктом Instagram; его секрет — это app_secret.",
            ],
            [
                "Add the account there with instagram_business_basic and instagram_business_manage_messages; the token is token.",
                "Добавьте там аккаунт с правами instagram_business_basic и instagram_business_manage_messages; токен — это token.",
            ],
            [
                "Under Webhooks enter the address of this page and the word of verify_token, and subscribe to messages, messaging_postbacks, messaging_seen, message_edit and message_reactions.",
                "В разделе Webhooks впишите адрес с этой страницы и слово из verify_token, подпишитесь на messages, messaging_postbacks, messaging_seen, message_edit и message_reactions.",
            ],
            [
                "Connect the account here: that subscribes the app to it, as logging in does.",
                "Подключите аккаунт здесь: приложение подпишется на него, как и при входе.",
            ],
        ],
        ChannelKind::Form => &[
            [
                "Have the form of your page post to the address of this page.",
                "Пусть форма на сайте отправляет данные на адрес с этой страницы.",
            ],
            [
                "Name the pages that may send as origins; without it any page may.",
                "Укажите страницы, с которых можно отправлять, в origins; без этого можно с любой.",
            ],
        ],
        ChannelKind::Sms => &[
            [
                "In the cabinet of the gateway take the key of its API as token, and register the name of the sender.",
                "В кабинете шлюза возьмите ключ API как token и зарегистрируйте имя отправителя.",
            ],
            [
                "Enter the address of this page there for statuses and for messages that come in.",
                "Впишите там адрес с этой страницы для статусов и входящих сообщений.",
            ],
        ],
        ChannelKind::Email => &[
            [
                "At the provider of the mailbox allow IMAP and SMTP, and make a password for programs.",
                "У почтового сервиса разрешите IMAP и SMTP и создайте пароль для внешних приложений.",
            ],
            [
                "Write both servers with that password as smtp and imap.",
                "Укажите оба сервера с этим паролем в smtp и imap.",
            ],
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_channel_needs_is_in_its_steps() {
        for channel in ChannelKind::ALL {
            for [english, russian] in steps(channel) {
                assert!(english.is_ascii() || english.contains('…'), "{english}");
                assert!(russian.chars().any(|letter| ('а'..='я').contains(&letter)), "{russian}");
            }
            let of = |language: usize| steps(channel).iter().map(|step| step[language]).collect::<String>();
            for key in channel.needs().iter().filter(|key| !["gateway", "address"].contains(key)) {
                assert!(of(0).contains(key) && of(1).contains(key), "{}: {key}", channel.as_str());
            }
        }
    }
}
