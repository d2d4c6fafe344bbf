//! What a request brings, read with bounds: bodies, paths and query parameters.

mod body;
mod fault;
pub(crate) mod hidden;
mod json;
mod lenient;
mod node;
mod object;
mod path;
mod query;
mod unknown;

pub(crate) use body::{read_body, read_list};
#[cfg(test)]
pub(crate) use json::parse as parse_json;
pub(crate) use json::{Json, Unchecked};
pub(crate) use lenient::kept_when_empty;
pub(crate) use object::Object;
pub(crate) use path::PathParameter;
pub(crate) use query::{QueryParameters, refuse_unknown_parameters};
pub(crate) use unknown::unknown;
