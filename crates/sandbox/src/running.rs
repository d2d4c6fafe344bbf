//! The sandbox as a whole: started, running, stopped.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::ai::AiEndpoint;
use crate::channels::{Channels, HookOrder, MailPorts, serve_imap, serve_smpp, serve_smtp};
use crate::control::{self, ControlContext};
use crate::files;
use crate::https::Https;
use crate::keys::KeyRing;
use crate::mtproto::{DataCentre, RsaError, RsaKey};
use crate::serving;
use crate::settings::{FLOW, settings};
use crate::stored_sessions::StoredSessions;
use crate::telegram::{Centre, Telegram, WorldOptions};
use crate::web_k;

/// The file that the product is started with.
const SETTINGS: &str = "switchboard.toml";
/// Sessions made by signing in.
const SESSIONS: &str = "telegram-sessions.json";
/// The folder of the files that are sent.
const FILES: &str = "telegram-files";
/// The key of the key exchange.
const RSA_KEY: &str = "telegram-rsa.pem";

/// How the sandbox is started.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Where it keeps its key and writes `switchboard.toml`.
    pub data_dir: PathBuf,
    /// How many accounts there are: main, three backups and the fifth, then extra ones.
    pub accounts: usize,
    /// How many dialogs the accounts have together, if that is more than the demo world has anyway.
    pub dialogs: usize,
    /// All identities and keys follow from it.
    pub seed: u64,
    /// Where DC 2 listens; DC 4 is on the port below. With port 0 both are free ports.
    pub telegram: SocketAddr,
    /// Where the control port listens.
    pub control: SocketAddr,
    /// Whether the settings have a flow that books the trips of the demo bot.
    pub flow: bool,
}

impl Default for SandboxOptions {
    /// Five accounts on the usual ports, and a directory beside the caller.
    fn default() -> Self {
        Self::new("sandbox")
    }
}

impl SandboxOptions {
    /// Five accounts on the usual ports.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            accounts: 5,
            dialogs: 0,
            seed: 1,
            telegram: SocketAddr::from((Ipv4Addr::LOCALHOST, 5097)),
            control: SocketAddr::from((Ipv4Addr::LOCALHOST, 5098)),
            flow: false,
        }
    }

    /// The same on free ports.
    #[must_use]
    pub fn on_free_ports(mut self) -> Self {
        self.telegram.set_port(0);
        self.control.set_port(0);
        self
    }
}

/// Why the sandbox did not start.
#[derive(Debug, Error)]
pub enum SandboxError {
    /// Someone else listens there.
    #[error("{address} ({what}) is taken: stop what listens there, or choose another with {flag}")]
    PortTaken {
        /// The address that was wanted.
        address: SocketAddr,
        /// What it was wanted for.
        what: &'static str,
        /// How another is chosen.
        flag: &'static str,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address} ({what}): {source}; choose another with {flag}")]
    Listen {
        /// The address that was wanted.
        address: SocketAddr,
        /// What it was wanted for.
        what: &'static str,
        /// How another is chosen.
        flag: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
    /// Telegram's configuration has room for IPv4 only, and DC 4 needs the port below.
    #[error("--telegram must be an IPv4 address with port 0, or 2 and more: {0}")]
    TelegramAddress(SocketAddr),
    /// A file cannot be read or written.
    #[error("cannot use {path}: {source}; choose another directory with --data-dir")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The key of an earlier start cannot be read, or a new one cannot be made.
    #[error("the RSA key in {path} is of no use: {source}; delete the file to get a new one")]
    RsaKey {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: RsaError,
    },
    /// A task died while it made the key.
    #[error("making the RSA key was interrupted")]
    Interrupted,
}

pub struct Sandbox;

/// A sandbox that runs.
pub struct Running {
    /// Where DC 2 listens.
    pub dc2: SocketAddr,
    /// Where DC 4 listens.
    pub dc4: SocketAddr,
    /// Where the control port listens.
    pub control: SocketAddr,
    /// Where the page of Web K is served.
    pub web_k: SocketAddr,
    /// What the product is started with.
    pub settings_file: PathBuf,
    /// The world itself, for those in the same process.
    pub telegram: Arc<Telegram>,
    channels: Arc<Channels>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Sandbox {
    /// Starts everything; when this returns, all ports listen and the settings file is there.
    pub async fn start(options: SandboxOptions) -> Result<Running, SandboxError> {
        let SandboxOptions { data_dir, accounts, dialogs, seed, telegram, control, flow } = options;
        let file = |path: &Path| {
            let path = path.to_owned();
            move |source| SandboxError::File { path, source }
        };
        files::make_private_dir(&data_dir).map_err(file(&data_dir))?;

        let (second, fourth) = both_centres(telegram)?;
        let second = listen(second.into(), "Telegram DC 2", "--telegram ADDR:PORT").await?;
        let fourth =
            listen(fourth.into(), "Telegram DC 4, on the port below DC 2", "--telegram ADDR:PORT").await?;
        let control = listen(control, "control port", "--control ADDR:PORT").await?;
        // Always a free port: the control port says which.
        let web_k = listen((Ipv4Addr::LOCALHOST, 0).into(), "Web K", "--control ADDR:PORT").await?;
        let (dc2, dc4, control_address) = (address(&second)?, address(&fourth)?, address(&control)?);
        let web_k_address = address(&web_k)?;
        // So are those of the pretend mail server and message centre: the settings say which.
        let smtp = listen((Ipv4Addr::LOCALHOST, 0).into(), "SMTP", "--control ADDR:PORT").await?;
        let imap = listen((Ipv4Addr::LOCALHOST, 0).into(), "IMAP", "--control ADDR:PORT").await?;
        let texts = listen((Ipv4Addr::LOCALHOST, 0).into(), "SMPP", "--control ADDR:PORT").await?;
        let secure = listen((Ipv4Addr::LOCALHOST, 0).into(), "HTTPS", "--control ADDR:PORT").await?;
        let https = Https::open(&data_dir).map_err(file(&data_dir))?;
        let mail = MailPorts { smtp: address(&smtp)?, imap: address(&imap)? };

        // A program that waits for the settings must not find those of an earlier start.
        let settings_file = data_dir.join(SETTINGS);
        match std::fs::remove_file(&settings_file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(file(&settings_file)(error));
            }
            Ok(()) | Err(_) => {}
        }

        let rsa = Arc::new(rsa_key(data_dir.join(RSA_KEY)).await?);
        let centres = vec![centre(2, dc2), centre(4, dc4)];
        let keys = Arc::new(KeyRing::default());
        // Messages do not outlive a run, and neither do their files.
        let kept_files = data_dir.join(FILES);
        match std::fs::remove_dir_all(&kept_files) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(file(&kept_files)(error));
            }
            Ok(()) | Err(_) => {}
        }
        let world_centres = centres.clone();
        let options = WorldOptions { seed, accounts, dialogs, centres: world_centres, files: kept_files };
        let world = Arc::new(Telegram::new(&options, Arc::clone(&keys)));
        let configured = world.accounts();
        let control_within: SocketAddr = centre(0, control_address).address.into();
        let secured = (address(&secure)?, https.ca_file.clone());
        let channels = Arc::new(Channels::new(control_within, secured, mail, address(&texts)?));
        let (public_pem, control_channels) = (rsa.public_pem(), Arc::clone(&channels));
        let context = ControlContext::new(
            Arc::clone(&world),
            centres.clone(),
            public_pem,
            control_channels,
            data_dir.clone(),
        )
        .map_err(file(&data_dir))?
        .with_web_k(web_k_address);

        let sessions = data_dir.join(SESSIONS);
        let kept =
            StoredSessions::restore(sessions.clone(), Arc::clone(&keys), &world).map_err(file(&sessions))?;

        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        for (dc_id, listener) in [(2, second), (4, fourth)] {
            let (keys, rsa) = (Arc::clone(&keys), Arc::clone(&rsa));
            let world = Arc::clone(&world) as Arc<dyn crate::call::World>;
            tasks.spawn(DataCentre { dc_id, listener, keys, rsa, world }.serve(stop.clone()));
        }
        tasks.spawn(kept.keep(stop.clone()));
        tasks.spawn(Arc::clone(&world).keep_agenda(stop.clone()));
        tasks.spawn(Arc::clone(&world).keep_webhooks(stop.clone()));
        tasks.spawn(Arc::clone(&channels).keep_posting(stop.clone()));
        tasks.spawn(serve_smtp(smtp, Arc::clone(&channels), Arc::clone(&world), stop.clone()));
        tasks.spawn(serve_imap(imap, Arc::clone(&channels), Arc::clone(&world), stop.clone()));
        tasks.spawn(https.serve(secure, control_within, stop.clone()));
        tasks.spawn(serve_smpp(texts, Arc::clone(&channels), Arc::clone(&world), stop.clone()));
        tasks.spawn(serving::serve(
            "the port of Web K",
            web_k,
            web_k::router(Arc::clone(&world)),
            stop.clone(),
        ));
        tasks.spawn(serving::serve(
            "the control port",
            control,
            control::router(Arc::new(context)),
            stop.clone(),
        ));
        tasks.close();

        let ai = AiEndpoint::at(centre(0, control_address).address.into());
        let text =
            settings(&centres, &rsa.public_pem(), &configured, web_k_address, &channels.settings(), &ai)
                + if flow { FLOW } else { "" };
        let running = Running {
            dc2,
            dc4,
            control: control_address,
            web_k: web_k_address,
            settings_file: settings_file.clone(),
            telegram: world,
            channels,
            stop,
            tasks,
        };
        match files::write_private(&settings_file, text.as_bytes()) {
            Ok(()) => Ok(running),
            Err(source) => {
                running.stop().await;
                Err(SandboxError::File { path: settings_file, source })
            }
        }
    }
}

impl Running {
    /// The pretend endpoint of language models.
    pub fn ai(&self) -> AiEndpoint {
        AiEndpoint::at(centre(0, self.control).address.into())
    }

    /// The owner types an address to post to in the pages of a provider that has no call for that.
    ///
    /// # Errors
    /// The provider has a call for it, or does not take the address.
    pub async fn type_hook(
        &self,
        channel: &str,
        account: &str,
        url: &str,
        verify_token: Option<&str>,
    ) -> Result<(), String> {
        let (channel, account, url) = (channel.to_owned(), account.to_owned(), url.to_owned());
        let verify_token = verify_token.map(str::to_owned);
        self.channels.type_hook(&HookOrder { channel, account, url, verify_token }).await
    }

    /// Closes all ports and connections.
    pub async fn stop(self) {
        self.stop.cancel();
        self.telegram.stop().await;
        self.tasks.wait().await;
    }
}

/// The addresses of DC 2 and DC 4.
fn both_centres(second: SocketAddr) -> Result<(SocketAddrV4, SocketAddrV4), SandboxError> {
    let SocketAddr::V4(address) = second else { return Err(SandboxError::TelegramAddress(second)) };
    let below = match address.port() {
        0 => 0,
        1 => return Err(SandboxError::TelegramAddress(second)),
        port => port - 1,
    };
    Ok((address, SocketAddrV4::new(*address.ip(), below)))
}

async fn listen(
    address: SocketAddr,
    what: &'static str,
    flag: &'static str,
) -> Result<TcpListener, SandboxError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => SandboxError::PortTaken { address, what, flag },
        _ => SandboxError::Listen { address, what, flag, source },
    })
}

fn address(listener: &TcpListener) -> Result<SocketAddr, SandboxError> {
    let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    listener.local_addr().map_err(|source| SandboxError::Listen {
        address: nowhere,
        what: "a port of the sandbox",
        flag: "--telegram or --control",
        source,
    })
}

/// A data centre as it is reported to clients; one that listens everywhere is reached on loopback.
fn centre(dc_id: i32, address: SocketAddr) -> Centre {
    let ip = match address {
        SocketAddr::V4(v4) if !v4.ip().is_unspecified() => *v4.ip(),
        SocketAddr::V4(_) | SocketAddr::V6(_) => Ipv4Addr::LOCALHOST,
    };
    Centre { dc_id, address: SocketAddrV4::new(ip, address.port()) }
}

/// The key of an earlier start, or a new one.
async fn rsa_key(path: PathBuf) -> Result<RsaKey, SandboxError> {
    let make = move || {
        let file = |source| SandboxError::File { path: path.clone(), source };
        let useless = |source| SandboxError::RsaKey { path: path.clone(), source };
        match std::fs::read_to_string(&path) {
            Ok(pem) => RsaKey::from_pem(&pem).map_err(useless),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let key = RsaKey::shared().map_err(useless)?;
                files::write_private(&path, key.to_pem().as_bytes()).map_err(file)?;
                Ok(key)
            }
            Err(source) => Err(file(source)),
        }
    };
    tokio::task::spawn_blocking(make).await.map_err(|_| SandboxError::Interrupted)?
}
