//! Query parameters: each is read by its own rule, all errors are reported at once.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::LazyLock;

use axum::extract::{FromRequestParts, MatchedPath, Query};
use http::Method;
use http::request::Parts;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation, ParameterIn};

use super::unknown::unknown_parameter;
use crate::problem::{FieldError, Problem};
use crate::state::State;

/// The query parameters of each call of the API, as its description names them.
static KNOWN: LazyLock<HashMap<(Method, &'static str), Vec<&'static str>>> = LazyLock::new(|| {
    let calls = crate::router::calls();
    calls.map(|(path, method, operation)| ((method, path), query_parameters(operation).collect())).collect()
});

fn query_parameters(operation: &'static Operation) -> impl Iterator<Item = &'static str> {
    operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => Some(parameter.name.as_str()),
        _ => None,
    })
}

/// Refuses query parameters that the description of a call does not name, whatever its method is, before anything is looked up.
pub(crate) fn refuse_unknown_parameters(parts: &Parts) -> Result<(), Problem> {
    if parts.uri.query().is_none_or(str::is_empty) {
        return Ok(());
    }
    let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let method = if parts.method == Method::HEAD { Method::GET } else { parts.method.clone() };
    let Some(known) = KNOWN.get(&(method, path)) else { return Ok(()) };
    let mut errors: Vec<FieldError> = Vec::new();
    for (name, _) in pairs(parts)? {
        if !known.contains(&name.as_str()) && errors.iter().all(|error| error.field != name) {
            let message = unknown_parameter(&name, known);
            errors.push(FieldError::new(name, message));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Problem::fields(errors)) }
}

/// The query of a request.
fn pairs(parts: &Parts) -> Result<Vec<(String, String)>, Problem> {
    match Query::<Vec<(String, String)>>::try_from_uri(&parts.uri) {
        Ok(Query(pairs)) => Ok(pairs),
        Err(_) => Err(Problem::fields(vec![FieldError::new("", "has a query that cannot be read")])),
    }
}

/// The query parameters of a request, in order.
#[derive(Debug, Default)]
pub(crate) struct QueryParameters {
    pairs: Vec<(String, String)>,
    known: Vec<&'static str>,
    errors: Vec<FieldError>,
}

impl FromRequestParts<State> for QueryParameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Problem> {
        if parts.uri.query().is_none() {
            return Ok(Self::default());
        }
        Ok(Self { pairs: pairs(parts)?, ..Self::default() })
    }
}

impl QueryParameters {
    /// Takes a parameter; an empty one counts as absent.
    pub(crate) fn take<T: FromStr>(&mut self, name: &'static str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        self.take_with(name, |text| text.parse::<T>().map_err(|error| error.to_string()))
    }

    /// Takes a parameter and reads it with a rule of its own.
    pub(crate) fn take_with<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.known.push(name);
        let mut found = None;
        let mut times = 0;
        self.pairs.retain(|(key, value)| {
            if key != name {
                return true;
            }
            times += 1;
            found = Some(value.clone());
            false
        });
        if times > 1 {
            self.errors.push(FieldError::new(name, "is there twice"));
            return None;
        }
        let text = found.filter(|text| !text.is_empty())?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(message) => {
                self.errors.push(FieldError::new(name, format!("is wrong: {message}")));
                None
            }
        }
    }

    /// The end: what is left is not known.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        let mut errors = self.errors;
        for (key, _) in &self.pairs {
            errors.push(FieldError::new(key.as_str(), unknown_parameter(key, &self.known)));
        }
        if errors.is_empty() { Ok(()) } else { Err(Problem::fields(errors)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> QueryParameters {
        QueryParameters {
            pairs: pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            ..QueryParameters::default()
        }
    }

    #[test]
    fn parameters_are_read_and_the_rest_is_refused() {
        let mut good = query(&[("limit", "7"), ("cursor", "")]);
        assert_eq!(good.take::<u32>("limit"), Some(7));
        assert_eq!(good.take::<String>("cursor"), None);
        assert!(good.finish().is_ok());

        let mut wrong = query(&[("limit", "x"), ("state", "a"), ("state", "b"), ("lmit", "1")]);
        assert_eq!(wrong.take::<u32>("limit"), None);
        assert_eq!(wrong.take::<String>("state"), None);
        let problem = wrong.finish().expect_err("three errors");
        assert_eq!(problem.detail(), "3 fields are wrong; see errors.");
    }
}
