//! The guard against a second list of the ranges, in another notation, and against the standard library.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

const REFUSED: [&str; 39] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "168.63.129.16/32",
    "::/96",
    "::ffff:0:0/96",
    "::ffff:0:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    "::/3",
    "4000::/3",
    "6000::/3",
    "8000::/3",
    "a000::/3",
    "c000::/3",
    "e000::/3",
];

fn nets(texts: &[&str]) -> Vec<IpNet> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn nothing() -> Allowed {
    Allowed::new(AllowList::Media, Vec::new())
}

fn everything() -> Allowed {
    Allowed::new(AllowList::Media, nets(&["0.0.0.0/0", "::/0"]))
}

fn in_network(network: IpNet, chance: u128) -> IpAddr {
    match network {
        IpNet::V4(network) => {
            let host = u32::from(network.hostmask());
            IpAddr::V4(Ipv4Addr::from(u32::from(network.network()) | (low(chance) & host)))
        }
        IpNet::V6(network) => {
            let host = u128::from(network.hostmask());
            IpAddr::V6(Ipv6Addr::from(u128::from(network.network()) | (chance & host)))
        }
    }
}

fn low(chance: u128) -> u32 {
    u32::try_from(chance & u128::from(u32::MAX)).unwrap()
}

fn refusal(address: &str, allowed: &[&str]) -> Option<Range> {
    judge(address.parse().unwrap(), &Allowed::new(AllowList::Media, nets(allowed)))
        .err()
        .map(|refused| refused.range)
}

proptest! {
    #[test]
    fn every_address_of_a_range_is_refused_unless_listed(which in 0..REFUSED.len(), chance: u128) {
        let network: IpNet = REFUSED[which].parse().unwrap();
        for address in [in_network(network, chance), network.network(), network.broadcast()] {
            prop_assert!(judge(address, &nothing()).is_err(), "{address}");
            prop_assert_eq!(judge(address, &everything()), Ok(()));
        }
    }

    #[test]
    fn an_address_is_refused_exactly_if_a_range_lists_it(four: u32, six: u128, global: bool) {
        // Most numbers of 128 bits are no public address; half of them are made one.
        let six = if global { (six >> 3) | (1 << 125) } else { six };
        let ranges = nets(&REFUSED);
        for address in [IpAddr::V4(Ipv4Addr::from(four)), IpAddr::V6(Ipv6Addr::from(six))] {
            let listed = ranges.iter().any(|network| network.contains(&address));
            prop_assert_eq!(judge(address, &nothing()).is_err(), listed, "{}", address);
        }
    }

    #[test]
    fn the_standard_library_finds_nothing_more(four: u32) {
        let address = Ipv4Addr::from(four);
        let special = address.is_private() || address.is_loopback() || address.is_link_local()
            || address.is_broadcast() || address.is_documentation() || address.is_multicast()
            || address.is_unspecified();
        if special {
            prop_assert!(judge(address.into(), &nothing()).is_err());
        }
    }

    #[test]
    fn inner_addresses_of_allowed_translations_are_judged(inner: u32) {
        let inner = Ipv4Addr::from(inner);
        let plain = judge(inner.into(), &nothing());
        let bits = u128::from(u32::from(inner));
        let nat64 = u128::from("64:ff9b::".parse::<Ipv6Addr>().unwrap());
        let six_to_four = u128::from("2002::".parse::<Ipv6Addr>().unwrap());
        let teredo = u128::from("2001:0:808:808::".parse::<Ipv6Addr>().unwrap());
        let outer = [
            (bits | (0xffff << 32), "::ffff:0:0/96"),
            (bits | (0xffff << 48), "::ffff:0:0:0/96"),
            (bits | nat64, "64:ff9b::/96"),
            (six_to_four | (bits << 80) | 1, "2002::/16"),
            (teredo | u128::from(!u32::from(inner)), "2001::/32"),
        ];
        for (outer, range) in outer {
            let judged = judge(Ipv6Addr::from(outer).into(), &Allowed::new(AllowList::Media, nets(&[range])));
            prop_assert_eq!(judged, plain, "{} in {}", inner, range);
            prop_assert!(judge(Ipv6Addr::from(outer).into(), &nothing()).is_err());
        }
    }

    #[test]
    fn any_text_is_refused_or_is_a_plain_http_address(text in "(https?|ftp|file)?:?/{0,3}[ -~]{0,40}") {
        if let Ok(url) = address(&text, &nothing()) {
            prop_assert!(matches!(url.scheme(), "http" | "https"));
            prop_assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
            prop_assert!(url.host_str().is_some_and(|host| !host.is_empty()));
        }
    }
}

#[test]
fn the_ranges_have_their_names() {
    for (address, range) in [
        ("127.0.0.1", Range::Loopback),
        ("::1", Range::Loopback),
        ("0.0.0.0", Range::Unspecified),
        ("::", Range::Unspecified),
        ("10.1.2.3", Range::Private),
        ("fd12::1", Range::Private),
        ("100.64.0.1", Range::Shared),
        ("169.254.1.1", Range::LinkLocal),
        ("169.254.169.254", Range::Metadata),
        ("fd00:ec2::254", Range::Metadata),
        ("224.0.0.1", Range::Multicast),
        ("255.255.255.255", Range::Broadcast),
        ("192.0.2.7", Range::Documentation),
        ("::ffff:8.8.8.8", Range::Mapped),
        ("2002:808:808::1", Range::SixToFour),
        ("2001::1", Range::Teredo),
        ("64:ff9b::808:808", Range::Nat64),
        ("64:ff9b:1::808:808", Range::Nat64),
        ("240.0.0.1", Range::Reserved),
    ] {
        assert_eq!(refusal(address, &[]), Some(range), "{address}");
    }
    // ISATAP, which has a prefix of any network.
    for (address, range) in [
        ("2606:4700::5efe:127.0.0.1", Range::Loopback),
        ("2606:4700::200:5efe:10.0.0.1", Range::Private),
        ("2606:4700:0:1:0:5efe:169.254.169.254", Range::Metadata),
    ] {
        assert_eq!(refusal(address, &[]), Some(range), "{address}");
    }
    for public in [
        "8.8.8.8",
        "172.32.0.1",
        "100.128.0.1",
        "2001:4860:4860::8888",
        "2a02:6b8::1",
        "2606:4700::5efe:8.8.8.8",
    ] {
        assert_eq!(refusal(public, &[]), None, "{public}");
    }
}

#[test]
fn names_of_this_machine_are_judged_as_its_numbers_are() {
    let listed = |networks: &[&str]| Allowed::new(AllowList::Events, nets(networks));
    for host in ["localhost", "LOCALHOST.", "a.localhost", "localhost.localdomain", "ip6-localhost", "127.1"]
    {
        let url = format!("http://{host}:9000/hook");
        assert!(matches!(address(&url, &listed(&[])), Err(AddressError::Refused(_))), "{host}");
        assert!(address(&url, &listed(&["127.0.0.0/8"])).is_ok(), "{host}");
        assert!(super::host(host, &listed(&[])).is_err(), "{host}");
    }
    assert!(super::host("localhost", &listed(&["::1/128"])).is_ok());
    for host in ["localhost.example.com", "notlocalhost", "example.com"] {
        assert!(super::host(host, &listed(&[])).is_ok(), "{host}: judged when it is dialled");
    }
}

#[tokio::test]
async fn a_host_resolves_to_what_may_be_dialled() {
    let refused = resolve("localhost", 9, &nothing()).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::PermissionDenied, "{refused}");
    let listed = Allowed::new(AllowList::Media, nets(&["127.0.0.0/8"]));
    assert_eq!(resolve("localhost", 9, &listed).await.unwrap(), ["127.0.0.1:9".parse().unwrap()]);
}

#[test]
fn a_refusal_names_the_setting_that_would_let_it_pass() {
    for (list, says) in [
        (
            AllowList::Media,
            "10.1.2.3 is a private address; the owner can list its network in [media] allow_private",
        ),
        (
            AllowList::Events,
            "10.1.2.3 is a private address; the owner can list its network in [events] allow_private",
        ),
        (
            AllowList::Channels,
            "10.1.2.3 is a private address; only the owner can name it, under [[channels]] of the settings file",
        ),
    ] {
        let allowed = Allowed::new(list, nets(&["192.168.0.0/16"]));
        assert_eq!(judge("10.1.2.3".parse().unwrap(), &allowed).unwrap_err().to_string(), says);
        // What an address stands for is refused by the same list.
        let inner = judge("::ffff:10.1.2.3".parse().unwrap(), &Allowed::new(list, nets(&["::ffff:0:0/96"])));
        assert_eq!(inner.unwrap_err().to_string(), says);
    }
}

#[test]
fn a_listing_is_for_the_form_it_names() {
    assert_eq!(refusal("127.0.0.1", &["127.0.0.1/32"]), None);
    assert_eq!(refusal("127.0.0.2", &["127.0.0.1/32"]), Some(Range::Loopback));
    assert_eq!(refusal("::ffff:127.0.0.1", &["127.0.0.1/32"]), Some(Range::Mapped));
    assert_eq!(refusal("::ffff:127.0.0.1", &["::ffff:0:0/96"]), Some(Range::Loopback));
    assert_eq!(refusal("::ffff:127.0.0.1", &["::ffff:0:0/96", "127.0.0.1/32"]), None);
}

#[test]
fn a_local_nat64_is_judged_at_every_inner_position() {
    let local = "64:ff9b:1::/48";
    // Prefixes of 96, 48, 56 and 64 bits around 10.0.0.1, then around 8.8.8.8.
    for hidden in ["64:ff9b:1::a00:1", "64:ff9b:1:a00:0:100::", "64:ff9b:1:a:0:1::", "64:ff9b:1::a:0:100:0"] {
        assert_eq!(refusal(hidden, &[local]), Some(Range::Private), "{hidden}");
    }
    assert_eq!(refusal("64:ff9b:1::808:808", &[local]), None);
    assert_eq!(refusal("64:ff9b:1::", &[local]), Some(Range::Unspecified));
}

#[test]
fn odd_notations_of_a_host_end_at_the_same_judge() {
    for odd in [
        "http://127.0.0.1/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.0.1./",
        "http://%31%32%37.0.0.1/",
        "http://①②⑦.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]:8080/",
        "http://[64:ff9b::7f00:1]/",
        "https://0/",
    ] {
        assert!(matches!(address(odd, &nothing()), Err(AddressError::Refused(_))), "{odd}");
    }
}

#[test]
fn addresses_have_rules() {
    let refused = |text: &str| address(text, &nothing()).unwrap_err();
    assert_eq!(refused("ftp://example.com/a"), AddressError::Scheme("ftp".to_owned()));
    assert_eq!(refused("file:///etc/passwd"), AddressError::Scheme("file".to_owned()));
    assert_eq!(refused("https://me:secret@example.com/a"), AddressError::Credentials);
    assert_eq!(refused("https://me@example.com/a"), AddressError::Credentials);
    assert_eq!(refused("http://example.com:22/"), AddressError::Port(22));
    assert_eq!(refused("http://example.com:0/"), AddressError::Port(0));
    assert_eq!(refused(&format!("http://example.com/{}", "a".repeat(5000))), AddressError::TooLong);
    for unreadable in ["", "example.com/a.jpg", "http://", "http://[::1", "http://a b/", "http://a:99999/"] {
        assert!(matches!(refused(unreadable), AddressError::Unreadable(_)), "{unreadable}");
    }
    let fine = address("HTTPS://Bücher.example.com:8443/a%20b?c#d", &nothing()).unwrap();
    assert_eq!(fine.as_str(), "https://xn--bcher-kva.example.com:8443/a%20b?c");
}
