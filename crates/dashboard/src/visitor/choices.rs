//! What a person chooses for all pages: `?lang=` and `?theme=` on any address become cookies, and the address is clean again.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http::Method;
use http::header::SET_COOKIE;

use super::set_cookie;
use crate::dashboard::Dashboard;
use crate::view::{Language, Theme};

/// How long a choice is kept, in seconds: a year.
const COOKIE_MAX_AGE: u32 = 365 * 24 * 3600;

/// Keeps what the query chose and shows the page without it.
pub(crate) async fn remember_choices(State(_): State<Dashboard>, request: Request, next: Next) -> Response {
    let chosen = match request.uri().query() {
        Some(query) if request.method() == Method::GET => choices(query),
        _ => Choices::default(),
    };
    if chosen.cookies.is_empty() {
        return next.run(request).await;
    }
    let path = request.uri().path();
    let place = if chosen.rest.is_empty() { path.to_owned() } else { format!("{path}?{}", chosen.rest) };
    // A path that begins with two slashes would be another host to a browser.
    let place = format!("/{}", place.trim_start_matches(['/', '\\']));
    let mut answer = Redirect::to(&place).into_response();
    for (name, value) in chosen.cookies {
        if let Some(value) = set_cookie(name, value, COOKIE_MAX_AGE) {
            answer.headers_mut().append(SET_COOKIE, value);
        }
    }
    answer
}

/// The choices in a query, and the query without them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Choices {
    cookies: Vec<(&'static str, &'static str)>,
    rest: String,
}

fn choices(query: &str) -> Choices {
    let mut chosen = Choices::default();
    let mut rest = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("lang", word)) => chosen
                .cookies
                .extend(Language::from_word(word).map(|language| (Language::COOKIE, language.code()))),
            Some(("theme", word)) => {
                chosen.cookies.extend(Theme::from_word(word).map(|theme| (Theme::COOKIE, theme.word())));
            }
            _ => rest.push(pair),
        }
    }
    chosen.rest = rest.join("&");
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_taken_out_of_the_query_and_the_rest_stays() {
        let chosen = choices("q=a%20b&lang=ru&kind=port&theme=dark");
        assert_eq!(chosen.cookies, [("language", "ru"), ("theme", "dark")]);
        assert_eq!(chosen.rest, "q=a%20b&kind=port");
        assert_eq!(choices("lang=xx").cookies, []);
        assert_eq!(choices("q=1").cookies, []);
    }
}
