//! HTTP requests, counted by listener, method, route template and class of status; never by the path that was asked for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State as Shared};
use axum::middleware::Next;
use axum::response::Response;
use domain::measure::{Histogram, LONG_TIMES, Spread};
use health::PortLoad;
use http::Method;

use crate::{access_log, arrival, headers};

/// Stands for a path that no route has.
const NO_ROUTE: &str = "none";

/// The methods that are distinguished.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

const OTHER_METHOD: &str = "other";

/// What only asks whether the program is there: this program itself, every few seconds, and anyone who watches it.
const PROBES: [&str; 3] = ["/health", "/health/live", "/health/ready"];

/// What a request was answered with; the last one is for callers who left before their answer.
const ANSWERS: [&str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "none"];

#[derive(Debug, Default)]
pub(crate) struct Traffic(Mutex<Vec<Arc<Listener>>>);

#[derive(Debug)]
pub(crate) struct Listener {
    name: Box<str>,
    open: AtomicI64,
    /// Requests that were answered, and those of them with an error of the program; probes left out.
    answered: AtomicU64,
    failed: AtomicU64,
    /// By route template: there are as many as the program has routes.
    routes: RwLock<HashMap<Box<str>, Arc<Route>>>,
}

#[derive(Debug, Default)]
struct Route([Requests; METHODS.len() + 1]);

#[derive(Debug)]
struct Requests {
    answers: [AtomicU64; ANSWERS.len()],
    times: Histogram,
}

impl Default for Requests {
    fn default() -> Self {
        Self { answers: Default::default(), times: Histogram::new(LONG_TIMES) }
    }
}

/// The requests of one listener, method and route since the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) listener: String,
    pub(super) method: &'static str,
    pub(super) route: String,
    /// By class of status; what is not named has none.
    pub(super) answers: Vec<(&'static str, u64)>,
    /// Microseconds until the answer was ready.
    pub(super) times: Spread,
}

impl Traffic {
    pub(crate) fn listener(&self, name: &str) -> Arc<Listener> {
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = listeners.iter().find(|known| *known.name == *name) {
            return Arc::clone(known);
        }
        let new = Arc::new(Listener {
            name: name.into(),
            open: AtomicI64::new(0),
            answered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            routes: RwLock::default(),
        });
        listeners.push(Arc::clone(&new));
        new
    }

    fn listeners(&self) -> Vec<Arc<Listener>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many requests each listener is answering now.
    pub(super) fn open(&self) -> Vec<(String, u64)> {
        self.loads().into_iter().map(|(name, load)| (name, load.open)).collect()
    }

    /// What each listener has done, by name. One that was never asked is missing.
    pub(crate) fn loads(&self) -> Vec<(String, PortLoad)> {
        let load = |listener: Arc<Listener>| (listener.name.to_string(), listener.load());
        self.listeners().into_iter().map(load).collect()
    }

    /// All requests that were answered, by listener, route and method.
    pub(super) fn counted(&self) -> Vec<Counted> {
        let mut all = Vec::new();
        for listener in self.listeners() {
            let mut routes: Vec<_> = {
                let routes = listener.routes.read().unwrap_or_else(PoisonError::into_inner);
                routes.iter().map(|(name, route)| (name.to_string(), Arc::clone(route))).collect()
            };
            routes.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            for (name, route) in routes {
                let methods = METHODS.into_iter().chain([OTHER_METHOD]).zip(&route.0);
                all.extend(methods.filter_map(|(method, requests)| {
                    let answers = requests.answered();
                    (!answers.is_empty()).then(|| Counted {
                        listener: listener.name.to_string(),
                        method,
                        route: name.clone(),
                        answers,
                        times: requests.times.spread(),
                    })
                }));
            }
        }
        all
    }
}

impl Requests {
    fn answered(&self) -> Vec<(&'static str, u64)> {
        let counts = self.answers.iter().map(|count| count.load(Ordering::Relaxed));
        ANSWERS.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect()
    }
}

impl Listener {
    fn load(&self) -> PortLoad {
        PortLoad {
            answered: self.answered.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            open: u64::try_from(self.open.load(Ordering::Relaxed)).unwrap_or(0),
        }
    }

    fn route(&self, template: &str) -> Arc<Route> {
        if let Some(known) = self.routes.read().unwrap_or_else(PoisonError::into_inner).get(template) {
            return Arc::clone(known);
        }
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(routes.entry(template.into()).or_default())
    }

    fn begin(self: &Arc<Self>, method: &Method, template: &str) -> Open {
        self.open.fetch_add(1, Ordering::Relaxed);
        let method = METHODS.iter().position(|known| *known == method.as_str()).unwrap_or(METHODS.len());
        let (listener, route) = (Arc::clone(self), self.route(template));
        let is_probe = PROBES.contains(&template);
        Open { listener, route, method, is_probe, begun: Instant::now(), answer: ANSWERS.len() - 1 }
    }
}

/// A request that is being answered; counted when it is dropped, so that one whose caller left is counted too.
struct Open {
    listener: Arc<Listener>,
    route: Arc<Route>,
    method: usize,
    is_probe: bool,
    begun: Instant,
    answer: usize,
}

impl Open {
    fn answered(mut self, status: u16) {
        self.answer = usize::from(status / 100).saturating_sub(1).min(ANSWERS.len() - 2);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.listener.open.fetch_sub(1, Ordering::Relaxed);
        if !self.is_probe {
            self.listener.answered.fetch_add(1, Ordering::Relaxed);
            let failed = ANSWERS.get(self.answer) == Some(&"5xx");
            self.listener.failed.fetch_add(u64::from(failed), Ordering::Relaxed);
        }
        if let Some(requests) = self.route.0.get(self.method) {
            if let Some(count) = requests.answers.get(self.answer) {
                count.fetch_add(1, Ordering::Relaxed);
            }
            requests.times.add_time(self.begun.elapsed());
        }
    }
}

/// The outermost layer: counts a request, logs its answer, and adds the headers that every answer carries.
pub(crate) async fn count(Shared(listener): Shared<Arc<Listener>>, request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let template = matched.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    let method = request.method().clone();
    let mut open = listener.begin(&method, template);
    let response = headers::secure(next.run(request).await);
    open.is_probe |= arrival::is_of_this_process(&response);
    let (begun, is_probe) = (open.begun, open.is_probe);
    let status = response.status().as_u16();
    open.answered(status);
    access_log::answered(&listener.name, &method, template, is_probe, status, begun.elapsed());
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use http::StatusCode;
    use tower::ServiceExt;

    async fn ask(router: &Router, method: &str, path: &str) -> StatusCode {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
        router.clone().oneshot(request).await.expect("an answer").status()
    }

    #[tokio::test]
    async fn invented_paths_and_methods_get_no_labels_of_their_own() {
        let traffic = Traffic::default();
        let listener = traffic.listener("main");
        let router = Router::new()
            .route("/things/{id}", get(|| async { "a thing" }))
            .fallback(|| async { StatusCode::NOT_FOUND })
            .layer(from_fn_with_state(Arc::clone(&listener), count));
        for number in 0..100 {
            assert_eq!(ask(&router, "GET", &format!("/things/{number}")).await, StatusCode::OK);
            assert_eq!(ask(&router, "GET", &format!("/secret/{number}")).await, StatusCode::NOT_FOUND);
            ask(&router, &format!("INVENTED{number}"), "/things/1").await;
        }
        let counted = traffic.counted();
        let shown: Vec<_> = counted
            .iter()
            .map(|one| (one.method, one.route.as_str(), one.answers.clone(), one.times.count()))
            .collect();
        assert_eq!(
            shown,
            [
                ("GET", "/things/{id}", vec![("2xx", 100)], 100),
                ("other", "/things/{id}", vec![("4xx", 100)], 100),
                ("GET", "none", vec![("4xx", 100)], 100),
            ]
        );
        assert_eq!(traffic.open(), [("main".to_owned(), 0)]);
    }

    #[test]
    fn a_disconnected_caller_is_counted_and_no_longer_open() {
        let traffic = Traffic::default();
        let listener = traffic.listener("5022");
        let open = listener.begin(&Method::POST, "/send_text");
        assert_eq!(traffic.open(), [("5022".to_owned(), 1)]);
        drop(open);
        listener.begin(&Method::POST, "/send_text").answered(999);
        assert_eq!(traffic.open(), [("5022".to_owned(), 0)]);
        assert_eq!(traffic.counted()[0].answers, [("5xx", 1), ("none", 1)]);
        // Anyone who asks only whether it is there gives it nothing to do.
        listener.begin(&Method::GET, "/health").answered(503);
        assert_eq!(traffic.loads(), [("5022".to_owned(), PortLoad { answered: 2, failed: 1, open: 0 })]);
        assert!(Arc::ptr_eq(&listener, &traffic.listener("5022")));
    }
}
