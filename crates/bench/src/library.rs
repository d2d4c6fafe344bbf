//! The bare client library: one connection to the same world, nothing of ours round it.

use std::net::{Ipv4Addr, SocketAddrV4, SocketAddrV6};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use grammers_mtsender::{ConnectionParams, NoRetries, SenderPool, SenderPoolHandle};
use grammers_session::SessionData;
use grammers_session::storages::MemorySession;
use grammers_session::types::DcOption;
use grammers_tl_types::{RemoteCall, enums, functions, types};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::world::Account;

/// How long one call may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A signed-in connection. Dropped, it closes.
pub(crate) struct Library {
    handle: SenderPoolHandle,
    dc_id: i32,
    tasks: [JoinHandle<()>; 2],
}

/// A user as this account may address it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person {
    pub(crate) user_id: i64,
    access_hash: i64,
}

impl Library {
    /// Connects as the account, with the key it shares with the world.
    pub(crate) async fn connect(account: &Account) -> Result<Self> {
        let session = Arc::new(MemorySession::from(session(account)?));
        let parameters =
            ConnectionParams { retry_policy: Box::new(NoRetries), ..ConnectionParams::default() };
        let SenderPool { runner, handle, mut updates } =
            SenderPool::with_configuration(session, account.api_id, parameters);
        let running = tokio::spawn(runner.run());
        // What is not read is dropped by the library with a warning; reading it costs less.
        let reading = tokio::spawn(async move { while updates.recv().await.is_some() {} });
        let library = Self { handle: handle.thin, dc_id: account.dc_id, tasks: [running, reading] };
        library.call(&functions::updates::GetState {}).await.context("the client library cannot connect")?;
        Ok(library)
    }

    /// Looks a user up by name (without `@`).
    pub(crate) async fn resolve(&self, username: &str) -> Result<Person> {
        let request = functions::contacts::ResolveUsername { username: username.to_owned(), referer: None };
        let enums::contacts::ResolvedPeer::Peer(found) = self.call(&request).await?;
        let user = found.users.into_iter().find_map(|user| match user {
            enums::User::User(user) => Some(user),
            enums::User::Empty(_) => None,
        });
        let user = user.with_context(|| format!("@{username} is no user of the world"))?;
        Ok(Person { user_id: user.id, access_hash: user.access_hash.unwrap_or_default() })
    }

    /// Sends a text, waits for the answer and returns the message's id.
    pub(crate) async fn send(&self, to: Person, text: &str, random_id: i64) -> Result<i64> {
        let request = functions::messages::SendMessage {
            no_webpage: true,
            silent: false,
            background: false,
            clear_draft: false,
            noforwards: false,
            update_stickersets_order: false,
            invert_media: false,
            allow_paid_floodskip: false,
            peer: types::InputPeerUser { user_id: to.user_id, access_hash: to.access_hash }.into(),
            reply_to: None,
            message: text.to_owned(),
            random_id,
            reply_markup: None,
            entities: None,
            schedule_date: None,
            schedule_repeat_period: None,
            send_as: None,
            quick_reply_shortcut: None,
            effect: None,
            allow_paid_stars: None,
            suggested_post: None,
            rich_message: None,
        };
        match self.call(&request).await? {
            enums::Updates::UpdateShortSentMessage(sent) => Ok(sent.id.into()),
            other => bail!("a text to a user was answered with {other:?}"),
        }
    }

    async fn call<R: RemoteCall>(&self, request: &R) -> Result<R::Return> {
        match timeout(TIMEOUT, self.handle.invoke_in_dc(self.dc_id, request)).await {
            Ok(answer) => answer.map_err(|error| anyhow!("Telegram refused a call of the library: {error}")),
            Err(_) => bail!("the library got no answer in {} s", TIMEOUT.as_secs()),
        }
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// A session that holds one key, for the data centre it belongs to.
fn session(account: &Account) -> Result<SessionData> {
    let key = hex::decode(&account.auth_key).ok().and_then(|key| <[u8; 256]>::try_from(key).ok());
    let address: Ipv4Addr =
        account.host.parse().with_context(|| format!("`{}` is no address", account.host))?;
    let ipv4 = SocketAddrV4::new(address, account.port);
    let option = DcOption {
        id: account.dc_id,
        ipv4,
        ipv6: SocketAddrV6::new(address.to_ipv6_mapped(), account.port, 0, 0),
        auth_key: Some(key.with_context(|| format!("the key of {} is not 256 bytes in hex", account.name))?),
    };
    let mut data = SessionData { home_dc: account.dc_id, ..SessionData::default() };
    data.dc_options.insert(option.id, option);
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(auth_key: String, host: &str) -> Account {
        Account {
            name: "main".to_owned(),
            dc_id: 2,
            host: host.to_owned(),
            port: 5097,
            auth_key,
            api_id: 1,
            api_hash: "x".to_owned(),
        }
    }

    #[test]
    fn the_shared_key_is_put_where_the_account_lives() {
        let data = session(&account("5a".repeat(256), "127.0.0.1")).unwrap();
        let option = &data.dc_options[&2];
        assert_eq!(data.home_dc, 2);
        assert_eq!(option.ipv4.to_string(), "127.0.0.1:5097");
        assert_eq!(option.auth_key, Some([0x5a; 256]));
    }

    #[test]
    fn a_bad_key_or_address_is_named() {
        assert!(
            session(&account("5a".to_owned(), "127.0.0.1")).err().unwrap().to_string().contains("256 bytes")
        );
        assert!(session(&account("5a".repeat(256), "here")).err().unwrap().to_string().contains("`here`"));
    }
}
