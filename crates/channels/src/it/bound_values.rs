//! What is kept for an account, over restarts with other settings.

use ambient::Clock;
use channels::StoredValues;
use config::ChannelFields;
use domain::ChannelName;
use store::{MasterKey, Store, StoreOptions};

/// An account of Instagram, whose owner logs in, with more keys.
fn studio(keys: &str) -> ChannelFields {
    let account = "name = \"studio\"\nchannel = \"instagram\"\napp_secret = \"planted\"\n";
    toml::from_str(&format!("{account}{keys}")).unwrap()
}

const OWNERS: &str = "client_id = \"1\"";

struct World {
    store: Store,
    channel: ChannelName,
    _folder: tempfile::TempDir,
}

impl World {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        let options = StoreOptions {
            url: "sqlite:switchboard.db".to_owned(),
            clock: Clock::system(),
            master_key: MasterKey::File(data_dir.join("master.key")),
            data_dir,
        };
        let store = Store::open(options).await.unwrap();
        Self { store, channel: "instagram".parse().unwrap(), _folder: folder }
    }

    async fn kept(&self, keys: &str) -> StoredValues {
        StoredValues::load(self.store.clone(), self.channel.clone(), &studio(keys)).await.unwrap()
    }
}

#[tokio::test]
async fn what_is_kept_for_an_account_goes_to_no_other_server() {
    let others = [
        "client_id = \"1\"\napi = \"https://example.com\"",
        "client_id = \"1\"\napi = \"https://example.com\"\nnamed_by_caller = true",
        "client_id = \"1\"\nproxy = \"socks5://proxy.example.com:1080\"\nnamed_by_caller = true",
        "client_id = \"2\"",
        "",
    ];
    let world = World::open().await;
    for other in others {
        world.kept(OWNERS).await.put(vec![("token", "planted".into())]).await.unwrap();
        let same = world.kept("client_id = \"1\"\nproxy = \"socks5://proxy.example.com:1080\"").await;
        assert_eq!(same.text("token").as_deref(), Some("planted"), "the owner gave it a proxy");
        assert!(world.kept(other).await.get("token").is_none(), "{other}");
        // It is removed, and comes back with no later settings.
        assert!(world.kept(OWNERS).await.get("token").is_none(), "{other}");
    }
    // Two accounts that calls added, with one API and two proxies.
    let proxied = |host: &str| format!("{OWNERS}\nproxy = \"socks5://{host}:1080\"\nnamed_by_caller = true");
    world.kept(&proxied("one.example.com")).await.put(vec![("token", "planted".into())]).await.unwrap();
    assert!(world.kept(&proxied("one.example.com")).await.get("token").is_some());
    assert!(world.kept(&proxied("two.example.com")).await.get("token").is_none());
}

#[tokio::test]
async fn values_of_an_earlier_version_stay_with_an_account_of_the_owner() {
    for (keys, expected) in [(OWNERS, true), ("client_id = \"1\"\nnamed_by_caller = true", false)] {
        let world = World::open().await;
        let account = "studio".parse().unwrap();
        let values = vec![("token".to_owned(), "planted".into())];
        world.store.channels().keep_values(world.channel.clone(), account, values).await.unwrap();
        for _ in 0..2 {
            assert_eq!(world.kept(keys).await.get("token").is_some(), expected, "{keys}");
        }
        let elsewhere = world.kept("client_id = \"1\"\napi = \"https://example.com\"").await;
        assert!(elsewhere.get("token").is_none());
    }
}
