//! One press of a button for many rows of a list: which are meant, and one call of the API for each.

use http::Method;
use serde_json::Value;

use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::visitor::Visitor;

/// The rows that a form names and that can be read, each once and up to a limit.
pub(crate) fn chosen<T: Ord>(
    pairs: &[(String, String)],
    most: usize,
    read: impl Fn(&str) -> Option<T>,
) -> Vec<T> {
    let named = pairs.iter().filter(|(name, _)| name == "id");
    let mut chosen: Vec<T> = named.filter_map(|(_, id)| read(id)).take(most).collect();
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}

/// The word of a form's field, where it is known.
pub(crate) fn word<T>(
    pairs: &[(String, String)],
    field: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    pairs.iter().find(|(name, _)| name == field).and_then(|(_, word)| read(word))
}

impl Dashboard {
    /// Makes all calls, also after a refusal: the others are still wanted. How many were done; the first refusal where none was.
    pub(crate) async fn ask_each(
        &self,
        visitor: &Visitor,
        calls: impl IntoIterator<Item = (Method, String, Option<Value>)>,
    ) -> Result<u64, Refused> {
        let (mut done, mut refused) = (0, None);
        for (method, path, body) in calls {
            match self.ask::<Value>(visitor, method, &path, body).await {
                Ok(_) => done += 1,
                Err(why) => refused = refused.or(Some(why)),
            }
        }
        refused.filter(|_| done == 0).map_or(Ok(done), Err)
    }
}
