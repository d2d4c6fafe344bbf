//! An account as its owner describes it, in the settings or through the API.

use std::num::NonZeroU32;
use std::sync::Arc;

use config::{AccountSettings, ProxyAddress, SessionSource};
use domain::account::SendingLimits;
use domain::secret::ExposeSecret;
use domain::{AccountName, KeepRule, Purpose, SecretText};
use mtproto::{Application, Proxied, judge_named};
use outbound::Allowed;
use store::StoredAccount;

use super::RosterError;
use crate::account::view::AccountSource;
use crate::session::{SignedIn, Source};

/// An account as its owner describes it.
#[derive(Clone)]
pub(crate) struct Definition {
    pub(crate) name: AccountName,
    pub(crate) priority: u16,
    pub(crate) in_pool: bool,
    pub(crate) api_id: i32,
    pub(crate) api_hash: SecretText,
    pub(crate) phone: Option<SecretText>,
    pub(crate) proxy: Option<SecretText>,
    pub(crate) limits: SendingLimits,
    /// Which messages that come in are kept.
    pub(crate) keep: KeepRule,
    pub(crate) source: AccountSource,
    /// The sessions of the settings, and what each is for: never nothing.
    pub(crate) sessions: Vec<(Source, Vec<Purpose>)>,
}

/// A session of the store, and what it is for.
#[derive(Clone)]
pub(crate) struct StoredKey {
    pub(crate) key: Arc<SignedIn>,
    pub(crate) purposes: Vec<Purpose>,
}

#[derive(Debug, Clone)]
pub struct NewAccount {
    pub name: AccountName,
    /// Lower numbers are used first.
    pub priority: u16,
    /// Whether it does work that does not name it.
    pub in_pool: bool,
    pub api_id: i32,
    pub api_hash: SecretText,
    /// The phone number with the `+`, for signing in.
    pub phone: Option<SecretText>,
    /// The SOCKS5 proxy to connect through.
    pub proxy: Option<SecretText>,
    pub limits: SendingLimits,
    /// Which messages that come in are kept.
    pub keep: KeepRule,
}

/// What changes about an account; what is left out stays.
#[derive(Debug, Clone, Default)]
pub struct AccountChange {
    /// Lower numbers are used first.
    pub priority: Option<u16>,
    /// Whether it does work that does not name it.
    pub in_pool: Option<bool>,
    pub api_id: Option<i32>,
    pub api_hash: Option<SecretText>,
    /// The phone number; `Some(None)` takes it away.
    pub phone: Option<Option<SecretText>>,
    /// The proxy; `Some(None)` takes it away.
    pub proxy: Option<Option<SecretText>>,
    /// How many messages it may send within an hour; `Some(None)` as many as there are.
    pub messages_per_hour: Option<Option<NonZeroU32>>,
    /// The same within 24 hours.
    pub messages_per_day: Option<Option<NonZeroU32>>,
    /// Which messages that come in are kept.
    pub keep: Option<KeepRule>,
}

/// Whether this is a phone number as Telegram wants it: a `+` and 7 to 15 digits.
pub(crate) fn is_phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

impl Definition {
    pub(crate) fn of_settings(settings: &AccountSettings) -> Self {
        let sessions = settings.sessions.iter().map(|session| {
            let source = match &session.source {
                SessionSource::File(path) => Source::File(path.clone()),
                SessionSource::Text(text) => Source::Text(text.clone()),
            };
            let all = || Purpose::ALL.to_vec();
            (source, if session.purposes.is_empty() { all() } else { session.purposes.clone() })
        });
        Self {
            name: settings.name.clone(),
            priority: settings.priority,
            in_pool: settings.pool,
            api_id: settings.api_id,
            api_hash: settings.api_hash.clone(),
            phone: settings.phone.clone().map(SecretText::from),
            proxy: settings.proxy.as_ref().map(|proxy| SecretText::from(proxy.expose().to_owned())),
            limits: SendingLimits {
                per_hour: settings.messages_per_hour,
                per_day: settings.messages_per_day,
            },
            keep: settings.keeps(),
            source: AccountSource::Settings,
            sessions: sessions.collect(),
        }
    }

    pub(crate) fn of_store(stored: StoredAccount) -> Self {
        let StoredAccount { name, priority, in_pool, api_id, api_hash, phone, proxy, limits, keep } = stored;
        let (source, sessions) = (AccountSource::Store, Vec::new());
        Self { name, priority, in_pool, api_id, api_hash, phone, proxy, limits, keep, source, sessions }
    }

    pub(crate) fn of_new(new: NewAccount, proxies: &Allowed) -> Result<Self, RosterError> {
        let NewAccount { name, priority, in_pool, api_id, api_hash, phone, proxy, limits, keep } = new;
        let (source, sessions) = (AccountSource::Store, Vec::new());
        let made =
            Self { name, priority, in_pool, api_id, api_hash, phone, proxy, limits, keep, source, sessions };
        made.check()?;
        made.check_proxy(proxies)?;
        Ok(made)
    }

    pub(crate) fn changed(&self, change: AccountChange, proxies: &Allowed) -> Result<Self, RosterError> {
        let mut changed = self.clone();
        let AccountChange {
            priority,
            in_pool,
            api_id,
            api_hash,
            phone,
            proxy,
            messages_per_hour,
            messages_per_day,
            keep,
        } = change;
        changed.limits = SendingLimits {
            per_hour: messages_per_hour.unwrap_or(changed.limits.per_hour),
            per_day: messages_per_day.unwrap_or(changed.limits.per_day),
        };
        changed.keep = keep.unwrap_or(changed.keep);
        changed.priority = priority.unwrap_or(changed.priority);
        changed.in_pool = in_pool.unwrap_or(changed.in_pool);
        changed.api_id = api_id.unwrap_or(changed.api_id);
        changed.api_hash = api_hash.unwrap_or(changed.api_hash);
        changed.phone = phone.unwrap_or(changed.phone);
        let names_a_proxy = proxy.is_some();
        changed.proxy = proxy.unwrap_or(changed.proxy);
        changed.check()?;
        // One from before the guard does not keep the rest from being changed; it is judged when it is dialled.
        if names_a_proxy {
            changed.check_proxy(proxies)?;
        }
        Ok(changed)
    }

    fn check(&self) -> Result<(), RosterError> {
        let invalid = |field, message: &str| Err(RosterError::Invalid { field, message: message.to_owned() });
        if self.api_id <= 0 {
            return invalid("api_id", "must be the number of your application, from my.telegram.org");
        }
        if self.api_hash.expose_secret().trim().is_empty() {
            return invalid("api_hash", "must be the secret of your application, from my.telegram.org");
        }
        if self.phone.as_ref().is_some_and(|phone| !is_phone(phone.expose_secret())) {
            return invalid("phone", "must be a + and 7 to 15 digits, such as +70000000001");
        }
        match self.proxy.as_ref().map(|proxy| proxy.expose_secret().parse::<ProxyAddress>()) {
            Some(Err(error)) => invalid("proxy", &error.to_string()),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    /// Whether a caller may name this proxy, as far as its address shows.
    fn check_proxy(&self, proxies: &Allowed) -> Result<(), RosterError> {
        let judged = self.proxy.as_ref().map_or(Ok(()), |proxy| judge_named(proxy, proxies));
        judged.map_err(|refused| RosterError::Invalid {
            field: "proxy",
            message: format!("must be a public address: {refused}"),
        })
    }

    pub(crate) fn to_stored(&self) -> StoredAccount {
        StoredAccount {
            name: self.name.clone(),
            priority: self.priority,
            in_pool: self.in_pool,
            api_id: self.api_id,
            api_hash: self.api_hash.clone(),
            phone: self.phone.clone(),
            proxy: self.proxy.clone(),
            limits: self.limits,
            keep: self.keep.clone(),
        }
    }

    pub(crate) fn application(&self, proxies: &Arc<Allowed>) -> Application {
        Application { api_id: self.api_id, proxy: self.proxied(proxies) }
    }

    /// What it connects through. Only what the settings say is the owner's own word.
    pub(crate) fn proxied(&self, proxies: &Arc<Allowed>) -> Option<Proxied> {
        let address = self.proxy.clone()?;
        Some(match self.source {
            AccountSource::Settings => Proxied::by_owner(address),
            AccountSource::Store => Proxied::by_caller(address, Arc::clone(proxies)),
        })
    }

    pub(crate) fn connects_otherwise(&self, other: &Self) -> bool {
        self.api_id != other.api_id
            || self.source != other.source
            || exposed(self.proxy.as_ref()) != exposed(other.proxy.as_ref())
            || self.sessions.len() != other.sessions.len()
            || self.sessions.iter().zip(&other.sessions).any(|(one, another)| !is_same_session(one, another))
    }

    /// Whether both say the same.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        !self.connects_otherwise(other)
            && self.name == other.name
            && self.priority == other.priority
            && self.in_pool == other.in_pool
            && self.limits == other.limits
            && self.keep == other.keep
            && exposed(Some(&self.api_hash)) == exposed(Some(&other.api_hash))
            && exposed(self.phone.as_ref()) == exposed(other.phone.as_ref())
    }
}

fn exposed(text: Option<&SecretText>) -> Option<&str> {
    text.map(domain::ExposeSecret::expose_secret)
}

fn is_same_session(one: &(Source, Vec<Purpose>), other: &(Source, Vec<Purpose>)) -> bool {
    let is_same_source = match (&one.0, &other.0) {
        (Source::File(one), Source::File(other)) => one == other,
        (Source::Text(one), Source::Text(other)) => one.expose_secret() == other.expose_secret(),
        (Source::Stored(one), Source::Stored(other)) => one.fingerprint() == other.fingerprint(),
        _ => false,
    };
    is_same_source && one.1 == other.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> NewAccount {
        NewAccount {
            name: "spare".parse().expect("a name"),
            priority: 1,
            in_pool: true,
            api_id: 1_000_001,
            api_hash: "hash".into(),
            phone: Some("+70000000001".into()),
            proxy: Some("socks5://proxy.example.com:1080".into()),
            limits: SendingLimits::default(),
            keep: KeepRule::default(),
        }
    }

    fn nothing_private() -> Allowed {
        Allowed::new(outbound::AllowList::Proxies, Vec::new())
    }

    fn wrong(new: NewAccount) -> &'static str {
        match Definition::of_new(new, &nothing_private()) {
            Err(RosterError::Invalid { field, .. }) => field,
            Err(_) | Ok(_) => "nothing",
        }
    }

    #[test]
    fn a_wrong_field_is_named() {
        assert_eq!(wrong(new()), "nothing");
        assert_eq!(wrong(NewAccount { api_id: 0, ..new() }), "api_id");
        assert_eq!(wrong(NewAccount { api_hash: " ".into(), ..new() }), "api_hash");
        assert_eq!(wrong(NewAccount { phone: Some("70000000001".into()), ..new() }), "phone");
        assert_eq!(wrong(NewAccount { proxy: Some("http://example.com".into()), ..new() }), "proxy");
    }

    #[test]
    fn fields_absent_from_a_change_stay() {
        let before = Definition::of_new(new(), &nothing_private()).expect("right");
        let change = AccountChange { priority: Some(7), phone: Some(None), ..AccountChange::default() };
        let after = before.changed(change, &nothing_private()).expect("right");
        assert_eq!((after.priority, after.phone.is_none(), after.api_id), (7, true, before.api_id));
        assert!(!before.connects_otherwise(&after));
        let change = AccountChange { proxy: Some(None), ..AccountChange::default() };
        let after = before.changed(change, &nothing_private()).expect("right");
        assert!(before.connects_otherwise(&after));
    }

    #[test]
    fn an_inward_proxy_needs_its_network_listed() {
        let inward = [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.9",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "[::1]",
            "[fd00::1]",
            "[::ffff:127.0.0.1]",
            "[64:ff9b::a00:1]",
            "2130706433",
            "0x7f.1",
            "127.1",
            "localhost",
            "localhost.",
            "a.localhost",
        ];
        for host in inward {
            let proxy = SecretText::from(format!("socks5://demo:word@{host}:1080"));
            let refused =
                Definition::of_new(NewAccount { proxy: Some(proxy.clone()), ..new() }, &nothing_private());
            let Err(RosterError::Invalid { field: "proxy", message }) = refused else {
                panic!("{host} passed")
            };
            assert!(message.contains("[telegram] allow_private_proxies"), "{host}: {message}");
            assert!(!message.contains("word"), "{message}");
            let before = Definition::of_new(new(), &nothing_private()).expect("right");
            let change = AccountChange { proxy: Some(Some(proxy)), ..AccountChange::default() };
            assert!(before.changed(change, &nothing_private()).is_err(), "{host}");
        }
        let proxy = Some(SecretText::from("socks5://10.1.2.3:1080".to_owned()));
        let listed =
            Allowed::new(outbound::AllowList::Proxies, vec!["10.0.0.0/8".parse().expect("a network")]);
        let listed = Definition::of_new(NewAccount { proxy, ..new() }, &listed).expect("listed");
        // It was let pass before, and is not any more: what does not concern it can be changed all the same.
        let change = AccountChange { priority: Some(2), ..AccountChange::default() };
        assert!(listed.changed(change, &nothing_private()).is_ok());
        // Any other name is judged when it is dialled.
        let proxy = Some(SecretText::from("socks5://proxy.example.com:1080".to_owned()));
        assert!(Definition::of_new(NewAccount { proxy, ..new() }, &nothing_private()).is_ok());
    }
}
