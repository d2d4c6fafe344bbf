//! What the doctor found, in a Russian sentence for each kind: his own words, which follow it, are English.

use doctor::Code;

/// What a finding of this kind says; nothing for a kind that only a newer program knows.
pub(super) const fn in_russian(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::ServerAbsent => "С этим каталогом данных не работает ни один сервер.",
        Code::ServerDeaf => "Каталог данных занят процессом, который не отвечает на управляющем сокете.",
        Code::VersionDiffers => "Работает сервер другой версии.",
        Code::SettingsWrong => "Настройки не читаются.",
        Code::FlowsWrong => "В файлах сценариев ошибки, и эти сценарии не работают.",
        Code::SettingsDiffer => "Сервер работает не с теми настройками, что записаны сейчас.",
        Code::ProxyUntrusted => "Запросы идут через прокси, которому настройки не доверяют.",
        Code::PortWithoutAccount => "Порт закреплён за аккаунтом, которого нет.",
        Code::StoreUnusable => "Базой данных нельзя пользоваться.",
        Code::StoreNewer => "База данных записана более новой программой.",
        Code::StoreBehind => "База данных обновится при следующем запуске.",
        Code::StoreSilent => "База данных не отвечает.",
        Code::BackupNone => "Нет ни одной резервной копии.",
        Code::BackupOld => "Последняя резервная копия устарела.",
        Code::BackupFailing => "Последняя попытка сделать резервную копию не удалась.",
        Code::BackupBroken => "Последнюю резервную копию нельзя восстановить.",
        Code::BackupUntried => "Давно не проверялось, что резервную копию можно восстановить.",
        Code::BackupNotCopied => "Последняя резервная копия не отправлена туда, где хранятся копии.",
        Code::BackupDrillFailed => "Последнее пробное восстановление не удалось.",
        Code::QueueStuck => "Сообщения ждут дольше, чем должны.",
        Code::InDoubt => "Есть сообщения или операции, исход которых неизвестен.",
        Code::FailedRequests => "Есть запросы, которые не удались и сохранены.",
        Code::UnresolvedChats => "Есть чаты, которых никто не находит.",
        Code::ServiceStopped => "Сервис остановлен вручную.",
        Code::PortTaken => "Порт из настроек занят другим процессом.",
        Code::PortRefused => "Система не даёт занять адрес из настроек.",
        Code::ListenerSilent => "Порт принимает соединения, но не отвечает.",
        Code::ForeignNeighbour => "На соседнем порту работает чужой процесс.",
        Code::AccountDown => "Аккаунтом нельзя пользоваться.",
        Code::AccountLimited => "Аккаунт может делать только часть своей работы.",
        Code::SamePerson => "Два аккаунта принадлежат одному человеку.",
        Code::NoAccount => "Нет ни одного аккаунта.",
        Code::ChannelDown => "Аккаунтом канала нельзя пользоваться.",
        Code::ChannelShared => "Тем же токеном канала пользуется другая программа.",
        Code::ChannelLacks => "Аккаунту канала не хватает прав.",
        Code::ChannelPaused => "Аккаунт канала приостановлен.",
        Code::PublicUrlUnfit => "Сервисы не смогут присылать сообщения на адрес из настроек.",
        Code::SessionMissing => "Настройки называют сессию, которой нет на месте.",
        Code::SessionUnreadable => "Настройки называют сессию, которая не читается.",
        Code::SessionUnnamed => "Есть файл сессии, который нигде не назван.",
        Code::SessionTwice => "Одна сессия лежит в двух файлах.",
        Code::SessionShared => "Сессия открыта ещё одним процессом.",
        Code::SessionsOwnerless => "Есть сессии, которые не принадлежат ни одному аккаунту.",
        Code::Orphan => "Работает процесс старых скриптов, за которым никто не следит.",
        Code::OldScriptRuns => "Работает процесс старых скриптов.",
        Code::CrashLoop => "Служба systemd раз за разом падает и запускается снова.",
        Code::UnitNotRestarted => "После сбоя эту службу systemd никто не запустит снова.",
        Code::UnitAsRoot => "Служба systemd без нужды работает от имени root.",
        Code::UnitWithoutFolder => "У службы systemd нет рабочего каталога, который нужен её скрипту.",
        Code::OldUnitEnabled => "Служба старых скриптов вернётся при следующей загрузке системы.",
        Code::FileOpenToOthers => "Файл могут прочитать другие пользователи системы.",
        Code::FileOfAnother => "Файл принадлежит не тому, кому принадлежит каталог данных.",
        Code::DiskLow => "На диске нет места или почти нет.",
        Code::ClockWrong => "Часы идут неверно.",
        Code::NameUnknown => "Имя узла не находится в DNS.",
        Code::TelegramUnreachable => "Telegram недоступен.",
        Code::AddressUnreachable => "Адрес из настроек недоступен.",
        Code::MemoryHigh => "Память почти кончилась.",
        Code::MemoryKilled => "Системе не хватило памяти, и она завершила процессы.",
        Code::CallbacksWait => "Получатель не принимает обратные вызовы с приглашениями.",
        Code::WebhookElsewhere => "Провайдер отправляет сообщения клиентов не туда, куда нужно.",
        Code::WebhookAlsoElsewhere => "Провайдер отправляет сообщения клиентов ещё и в другое место.",
        Code::WebhookMissing => "Провайдер никуда не отправляет сообщения клиентов: вебхук не задан.",
        Code::WebhookFailing => "Сообщения клиентов не доходят туда, куда их отправляет провайдер.",
        Code::WebhookPlain => {
            "Провайдер отправляет сообщения клиентов без шифрования: по пути их можно прочитать."
        }
        Code::WebhookWithoutSecret => "Кто знает адрес вебхука, может писать туда от имени провайдера.",
        Code::WebhookRefused => "Провайдер не принимает ключ, с которым его спрашивают о вебхуке.",
        Code::WebhookUnknown => "Провайдер не сказал, куда он отправляет сообщения клиентов.",
        Code::PortNotTaken => "Старые скрипты обслуживают порт, которого нет в настройках.",
        Code::PortDiffers => "Настройки и старые скрипты расходятся в том, что делает порт.",
        Code::SessionNotTaken => "Есть сессия старых скриптов, которой здесь нет.",
        Code::LegacySessionMissing => "Сессии, которую называют старые скрипты, нет на месте.",
        Code::ApiIdUnknown => {
            "Старые скрипты входят с api_id, которого нет ни у одного аккаунта в настройках."
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_sentence_of_its_own() {
        let mut sentences: Vec<_> = Code::ALL
            .iter()
            .map(|code| in_russian(*code).unwrap_or_else(|| panic!("no words for {}", code.as_str())))
            .collect();
        assert!(sentences.iter().all(|sentence| sentence.ends_with('.')));
        sentences.sort_unstable();
        sentences.dedup();
        assert_eq!(sentences.len(), Code::ALL.len());
        assert_eq!(in_russian(Code::Other), None);
    }
}
