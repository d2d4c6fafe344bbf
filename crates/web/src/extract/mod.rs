//! What a request brings, read with bounds: bodies, paths and query parameters.

mod body;
pub(crate) mod hidden;
mod json;
mod object;
mod path;
mod query;

pub(crate) use body::{read_body, throw_away};
pub(crate) use json::Json;
#[cfg(test)]
pub(crate) use json::parse as parse_json;
pub(crate) use object::Object;
pub(crate) use path::PathParameter;
pub(crate) use query::QueryParameters;
