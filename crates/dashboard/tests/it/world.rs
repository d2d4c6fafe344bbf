//! A program that listens nowhere, its pages, and people who look at them.

use std::ops::Deref;

use axum::Router;
use axum::body::Body;
use dashboard::Dashboard;
use domain::Role;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use test_app::TestApp;
use tower::ServiceExt;

pub(crate) use test_app::PASSWORD;

/// The program and its pages.
pub(crate) struct World {
    app: TestApp,
    pages: Router,
}

impl Deref for World {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.app
    }
}

/// Someone who is signed in, or not.
pub(crate) struct Browser<'a> {
    world: &'a World,
    cookies: String,
    pub(crate) csrf: String,
}

/// A page as it came.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::of(TestApp::builder()).await
    }

    pub(crate) async fn of(builder: test_app::Builder) -> Self {
        let app = builder.build(|_| {}).await;
        app.health.start(app.state.ports());
        Self { pages: dashboard::router(Dashboard::new(app.state.clone())), app }
    }

    /// A folder of the data directory.
    pub(crate) fn folder(&self, name: &str) -> std::path::PathBuf {
        self.dir().join(name)
    }

    /// How many folders there are in one of the data directory's.
    pub(crate) fn folders_in(&self, name: &str) -> usize {
        std::fs::read_dir(self.folder(name)).map_or(0, Iterator::count)
    }

    /// Someone who is not signed in.
    pub(crate) fn stranger(&self) -> Browser<'_> {
        Browser { world: self, cookies: String::new(), csrf: String::new() }
    }

    /// Someone who is signed in with a role.
    pub(crate) async fn person(&self, role: Role) -> Browser<'_> {
        let session = self.user(role).await;
        let cookie = access::cookie::begin(&session.token, false);
        let cookies = cookie.split(';').next().expect("a cookie").to_owned();
        Browser { world: self, cookies, csrf: session.visitor.csrf.as_str().to_owned() }
    }
}

impl Browser<'_> {
    /// The same with one more cookie.
    pub(crate) fn with(mut self, cookie: &str) -> Self {
        self.cookies = [self.cookies.as_str(), cookie]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("; ");
        self
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        self.get_with(path, &[]).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Page {
        Page::read(self.send(Method::GET, path, headers, String::new()).await).await
    }

    /// Sends a form as a browser without script does.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.post_with(path, &[("sec-fetch-site", "same-origin")], fields).await
    }

    pub(crate) async fn post_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        fields: &[(&str, &str)],
    ) -> Page {
        let form = serde_urlencoded::to_string(fields).expect("a form");
        self.post_body(path, headers, form).await
    }

    /// Sends a body as it is.
    pub(crate) async fn post_body(&self, path: &str, headers: &[(&str, &str)], body: String) -> Page {
        Page::read(self.send(Method::POST, path, headers, body).await).await
    }

    /// The answer before its body has come.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(path).header(COOKIE, &self.cookies);
        if !headers.iter().any(|(name, _)| *name == "accept") {
            request = request.header(ACCEPT, "text/html,application/xhtml+xml");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.body(Body::from(body)).expect("a request");
        self.world.pages.clone().oneshot(request).await.expect("an answer")
    }
}

impl Page {
    async fn read(answer: Response<Body>) -> Self {
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Self {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The value of a cookie that this answer sets.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let mut lines = self.headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
        let line = lines.find(|line| line.starts_with(&format!("{name}=")))?;
        Some(line.split(';').next()?.split_once('=')?.1.to_owned())
    }
}

/// Sends a form of a page that its reader has before them.
pub(crate) async fn send(browser: &Browser<'_>, path: &str, fields: &[(&str, &str)]) -> Page {
    let mut all = vec![("csrf", browser.csrf.as_str())];
    all.extend_from_slice(fields);
    browser.post(path, &all).await
}

/// Sends a form with files, each with its field, its name and its content, as a browser without script does.
pub(crate) async fn send_files(
    browser: &Browser<'_>,
    path: &str,
    fields: &[(&str, &str)],
    files: &[(&str, &str, &str)],
) -> Page {
    let mut body = String::new();
    for (field, text) in fields {
        body.extend([format!("--b\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{text}\r\n")]);
    }
    for (field, name, text) in files {
        let head =
            format!("--b\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n");
        body.extend([head.as_str(), "Content-Type: application/octet-stream\r\n\r\n", text, "\r\n"]);
    }
    body += "--b--\r\n";
    let headers = [("content-type", "multipart/form-data; boundary=b"), ("sec-fetch-site", "same-origin")];
    browser.post_body(path, &headers, body).await
}

/// The page is there and says all of this.
pub(crate) fn shows(page: &Page, texts: &[&str]) {
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    for text in texts {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
}

/// The same, where the page leads on to another one.
pub(crate) async fn submit(browser: &Browser<'_>, path: &str, fields: &[(&str, &str)]) -> Page {
    let page = send(browser, path, fields).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{path}: {page:?}");
    page
}

/// What the page after a form says.
pub(crate) fn note(page: &Page) -> String {
    let cookie = page.cookie("flash").unwrap_or_else(|| panic!("no note: {page:?}"));
    percent_encoding::percent_decode_str(&cookie[1..]).decode_utf8_lossy().into_owned()
}
