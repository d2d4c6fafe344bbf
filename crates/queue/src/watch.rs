//! Other programs that take from lists which this one takes from. Redis reports each command on a list; this program's
//! own are of another kind than those by which others take.

use std::fmt;

use futures::StreamExt;
use redis::aio::PubSub;
use redis::cmd;

use crate::redis::{NAME, QueueError, Redis, within};

/// What Redis calls it when something is taken from a list.
const TAKES: [&str; 2] = ["lpop", "rpop"];
/// The commands by which programs take from lists.
const COMMANDS: [&str; 10] =
    ["lpop", "blpop", "rpop", "brpop", "lmove", "blmove", "rpoplpush", "brpoplpush", "lmpop", "blmpop"];

/// A connection that took from a list last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Popper {
    pub address: String,
    pub name: String,
    pub command: String,
}

impl fmt::Display for Popper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, name, command } = self;
        if name.is_empty() {
            write!(f, "{address} ({command})")
        } else {
            write!(f, "{name} at {address} ({command})")
        }
    }
}

/// Hears when others take from lists.
pub struct Watch {
    connection: PubSub,
}

impl Redis {
    /// Listens to these lists.
    ///
    /// # Errors
    /// Redis does not answer, or its administrator keeps `CONFIG` to himself.
    pub async fn watch(&self, lists: &[&str]) -> Result<Watch, QueueError> {
        const SETTING: &str = "notify-keyspace-events";
        let (_, mut classes): (String, String) = self.ask(cmd("CONFIG").arg("GET").arg(SETTING)).await?;
        let has = |class: char| classes.contains(class) || (class == 'l' && classes.contains('A'));
        let missing: String = ['K', 'l'].into_iter().filter(|class| !has(*class)).collect();
        if !missing.is_empty() {
            classes.push_str(&missing);
            let () = self.ask(cmd("CONFIG").arg("SET").arg(SETTING).arg(&classes)).await?;
        }
        let mut connection = within(self.client().get_async_pubsub()).await?;
        for list in lists {
            let channel = format!("__keyspace@{}__:{list}", self.database());
            within(connection.subscribe(channel)).await?;
        }
        Ok(Watch { connection })
    }

    /// The other connections to this database whose last command took from a list.
    pub async fn poppers(&self) -> Result<Vec<Popper>, QueueError> {
        let list: String = self.ask(cmd("CLIENT").arg("LIST")).await?;
        Ok(poppers(&list, self.database()))
    }
}

impl Watch {
    /// The next list that another program took from; nothing once the connection has ended.
    pub async fn next(&mut self) -> Option<String> {
        let mut messages = self.connection.on_message();
        loop {
            let message = messages.next().await?;
            let event: String = message.get_payload().ok()?;
            if TAKES.contains(&event.as_str()) {
                let channel = message.get_channel_name();
                return Some(channel.split_once("__:").map_or(channel, |(_, list)| list).to_owned());
            }
        }
    }
}

fn poppers(list: &str, database: i64) -> Vec<Popper> {
    let database = database.to_string();
    list.lines()
        .filter_map(|line| {
            let field = |name: &str| {
                line.split(' ')
                    .find_map(|field| field.split_once('=').filter(|(key, _)| *key == name))
                    .map(|(_, value)| value)
            };
            let command = field("cmd").filter(|command| COMMANDS.contains(command))?;
            let name = field("name").filter(|name| *name != NAME)?;
            field("db").filter(|db| *db == database)?;
            Some(Popper {
                address: field("addr")?.to_owned(),
                name: name.to_owned(),
                command: command.to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_that_pop_from_lists_are_found() {
        let list = "id=3 addr=127.0.0.1:1 laddr=127.0.0.1:2 name=switchboard db=4 cmd=lpop\n\
                    id=4 addr=127.0.0.1:3 laddr=127.0.0.1:2 name= age=3 db=4 cmd=blpop user=default\n\
                    id=5 addr=127.0.0.1:4 laddr=127.0.0.1:2 name=old db=4 cmd=lpop\n\
                    id=6 addr=127.0.0.1:5 laddr=127.0.0.1:2 name=n8n db=0 cmd=lpop\n\
                    id=7 addr=127.0.0.1:6 laddr=127.0.0.1:2 name=n8n db=4 cmd=rpush\n";
        let shown: Vec<String> = poppers(list, 4).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["127.0.0.1:3 (blpop)", "old at 127.0.0.1:4 (lpop)"]);
    }
}
