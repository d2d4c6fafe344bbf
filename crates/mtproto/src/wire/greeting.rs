//! The first request of every connection: who connects, with which layer, and what the settings of Telegram are.
//!
//! After <https://core.telegram.org/method/initConnection>.

use std::net::{IpAddr, SocketAddr};

use grammers_tl_types::{Deserializable as _, LAYER, Serializable as _, enums, functions, types};

use super::Updates;

/// The language in which Telegram words what it has words for.
const LANGUAGE: &str = "en";

pub(super) fn request(api_id: i32, updates: Updates) -> Vec<u8> {
    let query = functions::InitConnection {
        api_id,
        device_model: "Switchboard".to_owned(),
        system_version: std::env::consts::OS.to_owned(),
        app_version: env!("CARGO_PKG_VERSION").to_owned(),
        system_lang_code: LANGUAGE.to_owned(),
        lang_pack: String::new(),
        lang_code: LANGUAGE.to_owned(),
        proxy: None,
        params: None,
        query: functions::help::GetConfig {},
    };
    match updates {
        Updates::Wanted => functions::InvokeWithLayer { layer: LAYER, query }.to_bytes(),
        Updates::Unwanted => {
            let query = functions::InvokeWithoutUpdates { query };
            functions::InvokeWithLayer { layer: LAYER, query }.to_bytes()
        }
    }
}

/// Where a data centre is by the answer, if it has an address of that kind which can be connected to. An answer that
/// cannot be read is none: the connection is good all the same.
pub(super) fn address(answer: &[u8], dc_id: i32, ipv6: bool) -> Option<SocketAddr> {
    let enums::Config::Config(config) = enums::Config::from_bytes(answer).ok()?;
    chosen(config.dc_options.iter().map(|enums::DcOption::Option(option)| option), dc_id, ipv6)
}

fn chosen<'a>(
    options: impl DoubleEndedIterator<Item = &'a types::DcOption>,
    dc_id: i32,
    ipv6: bool,
) -> Option<SocketAddr> {
    let is_it = |option: &&types::DcOption| {
        option.id == dc_id
            && option.ipv6 == ipv6
            && option.r#static
            && !option.media_only
            && !option.tcpo_only
    };
    options.filter(is_it).filter_map(reachable).next_back()
}

fn reachable(option: &types::DcOption) -> Option<SocketAddr> {
    let ip: IpAddr = option.ip_address.parse().ok()?;
    let port = u16::try_from(option.port).ok().filter(|port| *port != 0)?;
    (!ip.is_unspecified()).then_some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(id: i32, ip_address: &str, port: i32) -> types::DcOption {
        types::DcOption {
            ipv6: ip_address.contains(':'),
            media_only: false,
            tcpo_only: false,
            cdn: false,
            r#static: true,
            this_port_only: false,
            id,
            ip_address: ip_address.to_owned(),
            port,
            secret: None,
        }
    }

    #[test]
    fn an_address_that_cannot_be_connected_to_is_none() {
        let found = |option: &types::DcOption| reachable(option).map(|address| address.to_string());
        assert_eq!(found(&option(2, "203.0.113.7", 443)).as_deref(), Some("203.0.113.7:443"));
        assert_eq!(found(&option(2, "2001:db8::1", 443)).as_deref(), Some("[2001:db8::1]:443"));
        for (ip, port) in [("somewhere", 443), ("203.0.113.7", 0), ("203.0.113.7", 70_000), ("0.0.0.0", 443)]
        {
            assert_eq!(found(&option(2, ip, port)), None, "{ip} {port}");
        }
    }

    #[test]
    fn the_address_of_the_right_kind_counts() {
        let media = types::DcOption { media_only: true, ..option(2, "203.0.113.9", 443) };
        let options = [
            option(2, "203.0.113.7", 443),
            option(4, "203.0.113.8", 443),
            option(2, "2001:db8::1", 80),
            media,
            option(2, "nowhere", 443),
        ];
        let found = |dc_id, ipv6| chosen(options.iter(), dc_id, ipv6).map(|address| address.to_string());
        assert_eq!(found(2, false).as_deref(), Some("203.0.113.7:443"));
        assert_eq!(found(2, true).as_deref(), Some("[2001:db8::1]:80"));
        assert_eq!(found(4, true), None);
        assert_eq!(found(1, false), None);
    }

    #[test]
    fn invalid_answers_name_no_address() {
        assert_eq!(address(&[1, 2, 3, 4], 2, false), None);
    }
}
