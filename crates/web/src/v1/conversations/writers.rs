//! Who writes an answer to which client at this moment: kept in memory, for some seconds.

use std::collections::HashMap;
use std::time::Duration;

use ambient::lock::Mutex;
use domain::ClientId;

/// A person who writes says so again before this is over.
const HOLDS: Duration = Duration::from_secs(10);
/// Clients that are known to be written to; of more nothing is known.
const MOST: usize = 1000;

#[derive(Debug, Default)]
pub(crate) struct Writers(Mutex<HashMap<ClientId, Vec<(String, Duration)>>>);

impl Writers {
    /// Notes whether someone writes to a client; says who else does.
    pub(crate) fn tell(&self, client: ClientId, who: &str, is_writing: bool, now: Duration) -> Vec<String> {
        let mut known = self.0.lock();
        known.retain(|_, writers| {
            writers.retain(|(_, until)| *until > now);
            !writers.is_empty()
        });
        if let Some(writers) = known.get_mut(&client) {
            writers.retain(|(name, _)| name != who);
        }
        let others = known.get(&client).map(|writers| writers.iter().map(|(name, _)| name.clone()).collect());
        if is_writing && known.len() < MOST {
            known.entry(client).or_default().push((who.to_owned(), now + HOLDS));
        }
        others.unwrap_or_default()
    }

    /// Someone has sent what they wrote.
    pub(crate) fn over(&self, client: ClientId, who: &str) {
        if let Some(writers) = self.0.lock().get_mut(&client) {
            writers.retain(|(name, _)| name != who);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_is_known_to_others_for_ten_seconds() {
        let (writers, client) =
            (Writers::default(), "client_01k2v7m3w0e9tq4b8s6n5x1zyr".parse().expect("a client"));
        let at = Duration::from_secs;
        assert_eq!(writers.tell(client, "olga", true, at(0)), <[String; 0]>::default());
        assert_eq!(writers.tell(client, "anna", false, at(1)), ["olga"]);
        assert_eq!(writers.tell(client, "olga", true, at(5)), <[String; 0]>::default());
        assert_eq!(writers.tell(client, "anna", false, at(14)), ["olga"]);
        assert_eq!(writers.tell(client, "anna", false, at(15)), <[String; 0]>::default());
        writers.tell(client, "olga", true, at(20));
        writers.over(client, "olga");
        assert_eq!(writers.tell(client, "anna", false, at(21)), <[String; 0]>::default());
    }
}
