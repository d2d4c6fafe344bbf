//! Reaching out: names are resolved and connections tried, each within a time; listeners are asked something.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use ambient::Clock;
use config::{AlertTarget, AlertTargetFields, Settings, WebhookFields};
use domain::secret::ExposeSecret;
use futures::future::join_all;
use outbound::{AllowList, Allowed, guard};
use store::MasterKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::Instant;

use crate::check::network::{Failure, Tried, What};
use crate::check::ports::Answered;
use crate::inside::{AlertTargetFact, ListenerFact, ListenerFactState};

/// How long a name, a connection and an answer may take.
const TIMEOUT: Duration = Duration::from_secs(4);

/// The most addresses that are tried.
const MOST: usize = 64;

/// The port of Redis where its address names none.
const REDIS_PORT: u16 = 6379;

/// Telegram's data centres.
const CENTRES: std::ops::RangeInclusive<u8> = 1..=5;

/// Somewhere that is tried.
struct Target {
    what: What,
    host: String,
    port: u16,
    /// Whether callers named it, who may not send the program everywhere.
    is_guarded: bool,
}

pub(crate) struct Reached {
    /// Each address, with what came of it.
    pub(crate) tried: Vec<Tried>,
    /// How many more there are, which were not tried.
    pub(crate) left_out: usize,
    /// Why alert targets that were made while the server ran are not among them, if so.
    pub(crate) unknown: Option<String>,
}

/// Tries all addresses that settings name, and those of alert targets that were made while the server ran, all at once:
/// a connection is opened and closed, and nothing is sent.
pub(crate) async fn all(
    settings: &Settings,
    made_here: Result<Vec<AlertTargetFact>, String>,
    clock: &Clock,
) -> Reached {
    let allowed = Allowed::new(AllowList::Events, settings.events.allow_private.clone());
    let mut targets = targets(settings);
    let (made_here, unknown) = match made_here {
        Ok(made_here) => (made_here, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    let is_hidden = |name: &String| settings.alerts.targets.iter().any(|target| target.name == *name);
    targets.extend(made_here.into_iter().filter(|target| !is_hidden(&target.name)).map(|target| {
        let AlertTargetFact { name, host, port } = target;
        Target { what: What::AlertTarget { name, made_here: true }, host, port, is_guarded: true }
    }));
    let left_out = targets.len().saturating_sub(MOST);
    let tried = join_all(targets.into_iter().take(MOST).map(async |target| {
        let Target { what, host, port, is_guarded } = target;
        let started = Instant::now();
        let outcome = connect(&host, port, is_guarded.then_some(&allowed), clock).await;
        let outcome = outcome.map(|()| started.elapsed());
        let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        Tried { what, address, outcome }
    }))
    .await;
    Reached { tried, left_out, unknown }
}

/// Where alert targets listen that were made while the server ran, as it left them beside its store.
pub(crate) fn mirrored(
    data_dir: &Path,
    master_key: Result<&MasterKey, &String>,
) -> Result<Vec<AlertTargetFact>, String> {
    let not_tried =
        |why: String| format!("alert targets that were made while the server ran were not tried: {why}");
    let key = master_key.map_err(|why| not_tried(why.clone()))?;
    let kept = store::read_mirrored_targets(data_dir, key).map_err(|error| not_tried(error.to_string()))?;
    let fact = |kept: store::MirroredTarget| {
        let fields = AlertTargetFields::from_toml(&kept.record).ok()?;
        alert_target(&fields).map(|(host, port)| AlertTargetFact { name: kept.name, host, port })
    };
    Ok(kept.into_iter().filter_map(fact).collect())
}

/// What is to be reached: the data centres unless all accounts go through proxies, the proxies, the providers, the receivers.
fn targets(settings: &Settings) -> Vec<Target> {
    let mut found = Vec::new();
    let target = |what, host, port| Target { what, host, port, is_guarded: false };
    let accounts = &settings.telegram.accounts;
    let direct = accounts.is_empty() || accounts.iter().any(|account| account.proxy.is_none());
    let centre = |number: u8, address: SocketAddr| {
        target(What::DataCentre(number), address.ip().to_string(), address.port())
    };
    if direct && settings.telegram.data_centres.is_empty() {
        let telegrams = CENTRES
            .filter_map(|number| Some(centre(number, session_files::builtin_address(i32::from(number))?)));
        found.extend(telegrams);
    } else if direct {
        found.extend(settings.telegram.data_centres.iter().map(|one| centre(one.id, one.address)));
    }
    let mut proxies: Vec<(String, u16)> = Vec::new();
    for account in accounts {
        let Some(address) = account.proxy.as_ref().and_then(|proxy| host_and_port(proxy.expose(), 1080))
        else {
            continue;
        };
        if !proxies.contains(&address) {
            found.push(target(What::Proxy(account.name.to_string()), address.0.clone(), address.1));
            proxies.push(address);
        }
    }
    found.extend(providers(settings.webhooks_elsewhere()));
    let public = settings.public_url.as_deref().filter(|_| !settings.channels.is_empty());
    let public = public.and_then(|url| host_and_port(url, usual_port(url)));
    found.extend(public.map(|(host, port)| target(What::PublicUrl, host, port)));
    if let Some(callback) = &settings.legacy.invite_callback {
        let of_ports = settings.legacy.ports.iter().filter_map(|port| port.invite_callback_url.as_ref());
        let mut addresses: Vec<(String, u16)> = Vec::new();
        for url in std::iter::once(&callback.url).chain(of_ports) {
            addresses
                .extend(host_and_port(url, usual_port(url)).filter(|address| !addresses.contains(address)));
        }
        found.extend(addresses.into_iter().map(|(host, port)| target(What::InviteCallback, host, port)));
    }
    let redis = settings.queue.redis.as_ref().and_then(|url| host_and_port(url.expose_secret(), REDIS_PORT));
    found.extend(redis.map(|(host, port)| target(What::Redis, host, port)));
    for fields in &settings.alerts.targets {
        let what = What::AlertTarget { name: fields.name.clone(), made_here: false };
        found.extend(alert_target(fields).map(|(host, port)| target(what, host, port)));
    }
    found
}

/// Where the APIs of providers are, each once, however many webhooks are looked after there.
fn providers(webhooks: impl Iterator<Item = (WebhookFields, &'static str)>) -> impl Iterator<Item = Target> {
    let mut found: Vec<Target> = Vec::new();
    for (webhook, key) in webhooks {
        let Some((host, port)) = host_and_port(webhook.api(), usual_port(webhook.api())) else { continue };
        let mut there = found.iter_mut().filter(|target| target.host == host && target.port == port);
        let known = there.find_map(|target| match &mut target.what {
            What::Provider { provider, webhooks, .. } if *provider == webhook.provider => Some(webhooks),
            _ => None,
        });
        if let Some(webhooks) = known {
            webhooks.push(webhook.name.clone());
            continue;
        }
        let what = What::Provider { provider: webhook.provider, webhooks: vec![webhook.name.clone()], key };
        found.push(Target { what, host, port, is_guarded: false });
    }
    found.into_iter()
}

/// Where an alert target listens; nothing for a chat, which the accounts reach.
fn alert_target(fields: &AlertTargetFields) -> Option<(String, u16)> {
    match fields.check().ok()? {
        AlertTarget::Telegram { .. } => None,
        AlertTarget::Webhook { url, .. } => {
            let url = url.expose_secret();
            host_and_port(url, usual_port(url))
        }
        AlertTarget::Email { smtp, .. } => Some((smtp.host, smtp.port)),
    }
}

/// The port of an address that names none.
fn usual_port(url: &str) -> u16 {
    if url.starts_with("https:") { 443 } else { 80 }
}

/// Host and port of a URL, without name and password.
pub(crate) fn host_and_port(url: &str, usual: u16) -> Option<(String, u16)> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, authority)| authority);
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, usual),
        Some((host, port)) => (host, port.strip_prefix(':')?.parse().ok()?),
        None => match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (authority, usual),
        },
    };
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

/// Connects and hangs up. With `allowed`, only to where callers may send the program.
async fn connect(host: &str, port: u16, allowed: Option<&Allowed>, clock: &Clock) -> Result<(), Failure> {
    let mut addresses: Vec<SocketAddr> = if let Ok(address) = host.parse::<IpAddr>() {
        vec![SocketAddr::new(address, port)]
    } else {
        let found = clock.timeout(TIMEOUT, lookup_host((host, port))).await;
        let found = found.map_err(|_| Failure::Name("no name server answered in time".to_owned()))?;
        found.map_err(|error| Failure::Name(error.to_string()))?.take(4).collect()
    };
    if let Some(allowed) = allowed {
        let refused = addresses.iter().find_map(|address| guard::judge(address.ip(), allowed).err());
        addresses.retain(|address| guard::judge(address.ip(), allowed).is_ok());
        if let Some(refused) = refused.filter(|_| addresses.is_empty()) {
            return Err(Failure::Refused(refused.to_string()));
        }
    }
    match clock.timeout(TIMEOUT, TcpStream::connect(addresses.as_slice())).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Failure::Refused(error.to_string())),
        Err(_) => Err(Failure::Silent),
    }
}

/// Asks each listener that says it listens on a port.
pub(crate) async fn listeners(listeners: &[ListenerFact], clock: &Clock) -> Vec<Answered> {
    let listening = listeners.iter().filter(|listener| listener.state == ListenerFactState::Listening);
    let ports =
        listening.filter_map(|listener| Some((listener.name.clone(), listener.address.parse().ok()?)));
    join_all(
        ports.take(MOST).map(async |(name, address)| Answered { name, answer: ask(address, clock).await }),
    )
    .await
}

/// Asks for something that every listener answers in some way.
async fn ask(address: SocketAddr, clock: &Clock) -> Result<Duration, String> {
    let from_here = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let started = Instant::now();
    let asking = async {
        let mut stream = TcpStream::connect(SocketAddr::new(from_here, address.port())).await?;
        stream
            .write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await?;
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        Ok::<_, std::io::Error>(head)
    };
    match clock.timeout(TIMEOUT, asking).await {
        Ok(Ok(head)) if head.starts_with(b"HTTP/1.") => Ok(started.elapsed()),
        Ok(Ok(_)) => Err("what it answers is not HTTP".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", TIMEOUT.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use config::WebhookProvider;

    use super::*;

    #[test]
    fn passwords_stay_out_of_addresses() {
        for (url, expected) in [
            ("socks5://demo:wo@rd@proxy.example.com:1081", Some(("proxy.example.com", 1081))),
            ("https://example.com/hook?x=1:2", Some(("example.com", 443))),
            ("http://[::1]:8080/x", Some(("::1", 8080))),
            ("http://[::1]/x", Some(("::1", 443))),
            ("nothing", None),
            ("http://:80", None),
        ] {
            let expected = expected.map(|(host, port)| (host.to_owned(), port));
            assert_eq!(host_and_port(url, 443), expected, "{url}");
        }
    }

    /// Settings with these alert targets.
    fn settings(targets: &str) -> Settings {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("switchboard.toml");
        std::fs::write(&file, targets).expect("written");
        Settings::load(Some(&file), []).expect("settings")
    }

    #[test]
    fn alert_targets_are_tried_where_they_listen_and_chats_are_not() {
        let settings = settings(
            r#"
            [[alerts.targets]]
            name = "owner"
            kind = "telegram"
            chat = "@demo_owner"
            [[alerts.targets]]
            name = "pager"
            kind = "webhook"
            url = "https://example.com/hook?word=planted"
            [[alerts.targets]]
            name = "near"
            kind = "webhook"
            url = "http://[::1]:8080/hook"
            [[alerts.targets]]
            name = "mail"
            kind = "email"
            smtp = "smtp://demo:planted@mail.example.com"
            from = "alerts@example.com"
            to = ["owner@example.com"]
            "#,
        );
        let found: Vec<_> = targets(&settings)
            .into_iter()
            .filter_map(|target| match target.what {
                What::AlertTarget { name, made_here } => Some((name, made_here, target.host, target.port)),
                _ => None,
            })
            .collect();
        let expected =
            [("pager", "example.com", 443), ("near", "::1", 8080), ("mail", "mail.example.com", 587)];
        let expected = expected.map(|(name, host, port)| (name.to_owned(), false, host.to_owned(), port));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_provider_is_tried_once_at_its_own_or_the_named_address() {
        let webhook = |name: &str, more: &str| {
            format!(
                "[[doctor.webhooks]]\nname = '{name}'\nprovider = 'max'\nexpect = 'https://example.com/planted'\n\
                 token = 'planted-{name}'\n{more}\n"
            )
        };
        let here = "api = 'http://[::1]:8080/planted'";
        let settings =
            settings(&[webhook("shop", ""), webhook("near", here), webhook("workshop", "")].concat());
        let found: Vec<_> = targets(&settings)
            .into_iter()
            .filter_map(|target| match target.what {
                What::Provider { provider, webhooks, .. } => {
                    Some((provider, webhooks, target.host, target.port))
                }
                _ => None,
            })
            .collect();
        let own = host_and_port(WebhookProvider::Max.api(), 443).expect("an address");
        let named = |names: &[&str], host: String, port| {
            (WebhookProvider::Max, names.iter().map(|name| (*name).to_owned()).collect(), host, port)
        };
        assert_eq!(
            found,
            [named(&["shop", "workshop"], own.0, own.1), named(&["near"], "::1".to_owned(), 8080)]
        );
    }

    #[test]
    fn redis_is_tried_without_its_password() {
        let settings = settings("[queue]\nredis = \"redis://demo:planted@redis.example.com/2\"\n");
        let mut found = targets(&settings).into_iter().filter(|target| target.what == What::Redis);
        let address = found.next().map(|target| (target.host, target.port));
        assert_eq!(address, Some(("redis.example.com".to_owned(), 6379)));
    }

    #[tokio::test]
    async fn caller_made_targets_are_tried_only_at_allowed_addresses() {
        let clock = Clock::system();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let target = AlertTargetFact { name: "hook".to_owned(), host: "127.0.0.1".to_owned(), port };
        let outcome = async |allow: &str| {
            let reached = all(&settings(allow), Ok(vec![target.clone()]), &clock).await;
            assert_eq!((reached.left_out, reached.unknown), (0, None));
            let made_here = |one: &Tried| matches!(one.what, What::AlertTarget { made_here: true, .. });
            let mut found = reached.tried.into_iter().filter(made_here);
            let one = found.next().expect("the target");
            assert_eq!(found.next(), None);
            one.outcome
        };
        // Without accounts the data centres are tried too: here is one that listens nowhere else.
        let centres = format!("[telegram]\ndata_centres = [{{ id = 2, address = \"127.0.0.1:{port}\" }}]\n");
        let refused = outcome(&centres).await;
        assert!(
            matches!(&refused, Err(Failure::Refused(why)) if why.contains("[events] allow_private")),
            "{refused:?}"
        );
        let listed = format!("{centres}[events]\nallow_private = [\"127.0.0.0/8\"]\n");
        assert!(outcome(&listed).await.is_ok());
    }

    #[tokio::test]
    async fn an_address_is_reached_or_not() {
        let clock = Clock::system();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        assert_eq!(connect("127.0.0.1", port, None, &clock).await, Ok(()));
        drop(listener);
        assert!(matches!(connect("127.0.0.1", port, None, &clock).await, Err(Failure::Refused(_))));
        assert!(matches!(connect("no such name", 80, None, &clock).await, Err(Failure::Name(_))));
    }

    #[tokio::test]
    async fn a_silent_or_foreign_listener_is_not_well() {
        let clock = Clock::system();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        for (response, fine) in
            [(&b"HTTP/1.1 404 Not Found\r\n\r\n"[..], true), (b"SSH-2.0-demo\r\n", false), (b"", false)]
        {
            let (answer, ()) = tokio::join!(ask(address, &clock), async {
                let (mut stream, _) = listener.accept().await.expect("a caller");
                stream.write_all(response).await.expect("written");
            });
            assert_eq!(answer.is_ok(), fine, "{answer:?}");
        }
        // It takes the connection and never says anything: the wait is over when the clock says so.
        let moved = clock.clone();
        let silence = async {
            let _held = listener.accept().await.expect("a caller");
            moved.advance(TIMEOUT);
            std::future::pending::<()>().await;
        };
        let answer = tokio::select! {
            answer = ask(address, &clock) => answer,
            () = silence => unreachable!("it is silent for good"),
        };
        assert!(answer.is_err_and(|why| why.contains("no answer")));
    }
}
