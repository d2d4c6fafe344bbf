//! The HTTP client: the code that makes one says who named the addresses that it calls.

use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use ambient::{Clock, Handle};
use reqwest::header::HeaderMap;
use reqwest::{Certificate, Method, Proxy, RequestBuilder, Response, Url};

use crate::connecting::Rules;
use crate::guard::{self, AddressError, Names};
use crate::redirect;
use crate::send_error::SendError;

/// Who named the addresses that a client calls.
#[derive(Clone)]
pub enum NamedBy {
    /// The owner named this address, in the settings or on the command line. The client calls no other server on an inner network.
    Settings(String),
    /// The owner named the base address of a provider. The provider names further addresses, such as those of files. The client calls
    /// the host and port of the base freely. The guard judges every other address.
    Provider {
        /// The base address.
        base: String,
        /// The guard for the other addresses.
        names: Names,
    },
    /// Callers name the addresses. The guard judges all of them.
    Caller(Names),
}

/// The options of a client.
#[derive(Clone)]
pub struct Builder {
    vouched: Option<Server>,
    names: Names,
    /// Whether the server that the settings name is called with TLS, and whether the others may be.
    has_tls: (bool, bool),
    connect: Option<Duration>,
    connect_by: Option<(Clock, Duration)>,
    total: Option<Duration>,
    idle: Option<(Duration, usize)>,
    follows: usize,
    headers: HeaderMap,
    proxy: Option<Url>,
    /// Whether a caller named the proxy, as all else.
    judges_proxy: bool,
    certificates: Vec<Certificate>,
    socket: Option<PathBuf>,
}

/// A host with its port.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Server {
    host: String,
    port: u16,
}

impl Server {
    fn of(url: &Url) -> Option<Self> {
        Some(Self { host: url.host_str()?.to_owned(), port: url.port_or_known_default()? })
    }
}

/// An HTTP client that follows no variable of the environment. Clones share their connections.
#[derive(Clone)]
pub struct Client(Handle<Inner>);

struct Inner {
    options: Builder,
    /// Makes requests and sends none of them.
    requests: reqwest::Client,
    /// Calls the server that the settings name.
    own: OnceLock<reqwest::Client>,
    /// Calls addresses that pass the guard.
    judged: OnceLock<reqwest::Client>,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// Begins a client for addresses that were named so.
    pub fn builder(named_by: NamedBy) -> Builder {
        let judges_proxy = matches!(named_by, NamedBy::Caller(_));
        let (base, names) = match named_by {
            NamedBy::Settings(base) => (Some(base), Names::public()),
            NamedBy::Provider { base, names } => (Some(base), names),
            NamedBy::Caller(names) => (None, names),
        };
        let base = base.and_then(|base| Url::parse(&base).ok());
        Builder {
            vouched: base.as_ref().and_then(Server::of),
            has_tls: (base.is_none_or(|base| base.scheme() == "https"), true),
            names,
            connect: None,
            connect_by: None,
            total: None,
            idle: None,
            follows: 0,
            headers: HeaderMap::new(),
            proxy: None,
            judges_proxy,
            certificates: Vec::new(),
            socket: None,
        }
    }

    /// Makes a request. Only [`Client::send`] can send it.
    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.0.requests.request(method, url)
    }

    /// Makes a GET request. Only [`Client::send`] can send it.
    pub fn get(&self, url: &str) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    /// Makes a POST request. Only [`Client::send`] can send it.
    pub fn post(&self, url: &str) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// Sends a request and returns the answer once its headers are there.
    ///
    /// # Errors
    /// The guard refuses the address, or there is no answer.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, SendError> {
        let request = request.build()?;
        let client = self.client_for(request.url())?;
        Ok(client.execute(request).await?)
    }

    fn client_for(&self, url: &Url) -> Result<reqwest::Client, SendError> {
        let Inner { options, own, judged, .. } = &*self.0;
        let server = Server::of(url);
        if server.is_some() && server == options.vouched {
            return made(own, || options.make(false));
        }
        guard::check(url.clone(), options.names.allowed()).map_err(SendError::Refused)?;
        let proxy = options.proxy.as_ref().and_then(Url::host_str);
        if proxy.is_some() && url.host_str() == proxy {
            // The resolver may let this name pass for the connection to the proxy itself.
            return Err(SendError::Refused(AddressError::Proxy));
        }
        if let Some(proxy) = proxy.filter(|_| options.judges_proxy) {
            guard::host(proxy, options.names.allowed()).map_err(|error| SendError::Refused(error.into()))?;
        }
        made(judged, || options.make(true))
    }
}

fn made(
    kept: &OnceLock<reqwest::Client>,
    make: impl FnOnce() -> Result<reqwest::Client, reqwest::Error>,
) -> Result<reqwest::Client, SendError> {
    if let Some(client) = kept.get() {
        return Ok(client.clone());
    }
    let client = make()?;
    Ok(kept.get_or_init(|| client).clone())
}

impl Builder {
    /// Limits the wait for a connection, TLS included.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect = Some(limit);
        self
    }

    /// Limits the wait for a connection, TLS included, by this clock.
    #[must_use]
    pub fn connect_by(mut self, clock: Clock, limit: Duration) -> Self {
        self.connect_by = Some((clock, limit));
        self
    }

    /// Limits each call as a whole.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.total = Some(limit);
        self
    }

    /// Keeps at most `most` idle connections to a host, each for at most `longest`.
    #[must_use]
    pub fn idle(mut self, longest: Duration, most: usize) -> Self {
        self.idle = Some((longest, most));
        self
    }

    /// Follows at most `most` redirects within the server, with the body kept. Without it the client follows none.
    #[must_use]
    pub fn follow_within_server(mut self, most: usize) -> Self {
        self.follows = most;
        self
    }

    /// Sends these headers with each request.
    #[must_use]
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        self.headers = headers;
        self
    }

    /// Connects through a SOCKS5 proxy. The proxy resolves the name of the server that the settings name. The guard resolves and
    /// judges all other names, and that of the proxy where callers name the addresses.
    #[must_use]
    pub fn proxy(mut self, proxy: Url) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Trusts these authorities beside those of the system.
    #[must_use]
    pub fn certificates(mut self, certificates: Vec<Certificate>) -> Self {
        self.certificates = certificates;
        self
    }

    /// Calls addresses without TLS only, for which the system needs no certificates.
    #[must_use]
    pub fn without_tls(mut self) -> Self {
        self.has_tls = (false, false);
        self
    }

    /// Connects to this socket of the machine, whatever the address is.
    #[must_use]
    pub fn unix_socket(mut self, path: PathBuf) -> Self {
        self.socket = Some(path);
        self
    }

    /// Makes the client.
    ///
    /// # Errors
    /// The proxy or the certificates cannot be used, or the system has no certificates.
    pub fn build(self) -> Result<Client, SendError> {
        let closed = Rules { is_closed: true, ..Rules::default() };
        let requests = common().tls_certs_only([]).connector_layer(closed).build()?;
        let (own, judged) = (OnceLock::new(), OnceLock::new());
        let first = if self.vouched.is_some() { &own } else { &judged };
        let made = self.make(self.vouched.is_none())?;
        first.get_or_init(|| made);
        Ok(Client(Handle::new(Inner { options: self, requests, own, judged })))
    }

    fn make(&self, is_judged: bool) -> Result<reqwest::Client, reqwest::Error> {
        let has_tls = if is_judged { self.has_tls.1 } else { self.has_tls.0 };
        let mut builder =
            common().redirect(redirect::within_server(self.follows)).default_headers(self.headers.clone());
        if let Some(limit) = self.connect {
            builder = builder.connect_timeout(limit);
        }
        if let Some(limit) = self.total {
            builder = builder.timeout(limit);
        }
        match self.idle {
            Some((longest, most)) => {
                builder = builder.pool_idle_timeout(longest).pool_max_idle_per_host(most);
            }
            // An idle connection would be used again although the list of the guard changed.
            None if is_judged => builder = builder.pool_max_idle_per_host(0),
            None => {}
        }
        if let Some(path) = &self.socket {
            builder = builder.unix_socket(path.clone());
        }
        if !self.certificates.is_empty() {
            builder = builder.tls_certs_merge(self.certificates.iter().cloned());
        } else if !has_tls {
            builder = builder.tls_certs_only([]);
        }
        if is_judged {
            let proxy = self.proxy.as_ref().filter(|_| !self.judges_proxy);
            builder = builder.dns_resolver(self.names.clone().with_proxy(proxy));
        }
        if let Some(proxy) = &self.proxy {
            // By these words the proxy resolves names, or this program does.
            let scheme = if is_judged { "socks5" } else { "socks5h" };
            let rest = proxy.as_str().split_once("://").map_or("", |(_, rest)| rest);
            builder = builder.proxy(Proxy::all(format!("{scheme}://{rest}"))?);
        }
        let allowed = self.names.allowed().clone();
        let rules = Rules {
            within: self.connect_by.clone(),
            allowed: (is_judged && self.proxy.is_none()).then_some(allowed),
            is_closed: false,
        };
        builder.connector_layer(rules).build()
    }
}

/// What all clients have in common.
fn common() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("switchboard/", env!("CARGO_PKG_VERSION")))
        // A variable of the environment must not lead calls elsewhere.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        // The caller knows what may be repeated.
        .retry(reqwest::retry::never())
        .referer(false)
        .http1_only()
}
