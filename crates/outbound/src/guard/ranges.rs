//! The ranges of addresses that are not the public internet, after the registries of special-purpose addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address belongs to that is not the public internet.
#[derive(strum::Display, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Range {
    /// `0.0.0.0/8` and `::`: this network; systems take it for the machine itself.
    #[strum(to_string = "an unspecified address")]
    Unspecified,
    #[strum(to_string = "a loopback address")]
    Loopback,
    /// A private network: RFC 1918, and unique-local addresses of IPv6.
    #[strum(to_string = "a private address")]
    Private,
    /// The network behind a provider's address translation: `100.64.0.0/10`.
    #[strum(to_string = "an address of a provider's inner network")]
    Shared,
    /// One cable: `169.254.0.0/16`, `fe80::/10`, and the old site-local addresses.
    #[strum(to_string = "a link-local address")]
    LinkLocal,
    /// Where clouds give a machine its secrets.
    #[strum(to_string = "the address of a cloud's metadata")]
    Metadata,
    /// Many receivers at once.
    #[strum(to_string = "a multicast address")]
    Multicast,
    /// All receivers of a network.
    #[strum(to_string = "a broadcast address")]
    Broadcast,
    /// For examples in documents.
    #[strum(to_string = "an address for documentation")]
    Documentation,
    /// For measuring networks: `198.18.0.0/15`.
    #[strum(to_string = "an address for benchmarks")]
    Benchmark,
    /// An IPv4 address in the form of an IPv6 address (mapped, compatible, translated).
    #[strum(to_string = "an IPv4 address in the form of IPv6")]
    Mapped,
    /// 6to4 and its relays.
    #[strum(to_string = "a 6to4 address")]
    SixToFour,
    #[strum(to_string = "a Teredo address")]
    Teredo,
    /// NAT64, whose inner IPv4 address a translator dials.
    #[strum(to_string = "a NAT64 address")]
    Nat64,
    /// Set aside for protocols, or given to no one.
    #[strum(to_string = "a reserved address")]
    Reserved,
}

/// First address, length of the prefix, what it is. The first that fits counts.
type Row<Bits> = (Bits, u32, Range);

const fn v4(a: u8, b: u8, c: u8, d: u8) -> u32 {
    u32::from_be_bytes([a, b, c, d])
}

/// The first three groups of an address and zeros.
const fn v6(a: u16, b: u16, c: u16) -> u128 {
    (a as u128) << 112 | (b as u128) << 96 | (c as u128) << 80
}

const V4: [Row<u32>; 19] = [
    (v4(169, 254, 169, 254), 32, Range::Metadata),
    (v4(100, 100, 100, 200), 32, Range::Metadata),
    (v4(192, 0, 0, 192), 32, Range::Metadata),
    // A public address by its number; Azure answers its machines there.
    (v4(168, 63, 129, 16), 32, Range::Metadata),
    (v4(0, 0, 0, 0), 8, Range::Unspecified),
    (v4(10, 0, 0, 0), 8, Range::Private),
    (v4(100, 64, 0, 0), 10, Range::Shared),
    (v4(127, 0, 0, 0), 8, Range::Loopback),
    (v4(169, 254, 0, 0), 16, Range::LinkLocal),
    (v4(172, 16, 0, 0), 12, Range::Private),
    (v4(192, 0, 0, 0), 24, Range::Reserved),
    (v4(192, 0, 2, 0), 24, Range::Documentation),
    (v4(192, 88, 99, 0), 24, Range::SixToFour),
    (v4(192, 168, 0, 0), 16, Range::Private),
    (v4(198, 18, 0, 0), 15, Range::Benchmark),
    (v4(198, 51, 100, 0), 24, Range::Documentation),
    (v4(203, 0, 113, 0), 24, Range::Documentation),
    (v4(224, 0, 0, 0), 4, Range::Multicast),
    (v4(255, 255, 255, 255), 32, Range::Broadcast),
];

const METADATA_V6: [u128; 2] = [v6(0xfd00, 0xec2, 0) | 0x254, v6(0xfd20, 0xce, 0) | 0x254];

const TEREDO: Row<u128> = (v6(0x2001, 0, 0), 32, Range::Teredo);
const SIX_TO_FOUR: Row<u128> = (v6(0x2002, 0, 0), 16, Range::SixToFour);
const NAT64: Row<u128> = (v6(0x64, 0xff9b, 0), 96, Range::Nat64);
const NAT64_LOCAL: Row<u128> = (v6(0x64, 0xff9b, 1), 48, Range::Nat64);
const MAPPED: Row<u128> = (0xffff << 32, 96, Range::Mapped);
const TRANSLATED: Row<u128> = (0xffff << 48, 96, Range::Mapped);
const COMPATIBLE: Row<u128> = (0, 96, Range::Mapped);

const V6: [Row<u128>; 18] = [
    (0, 128, Range::Unspecified),
    (1, 128, Range::Loopback),
    (METADATA_V6[0], 128, Range::Metadata),
    (METADATA_V6[1], 128, Range::Metadata),
    MAPPED,
    TRANSLATED,
    COMPATIBLE,
    NAT64,
    NAT64_LOCAL,
    TEREDO,
    SIX_TO_FOUR,
    (v6(0x2001, 0, 0), 23, Range::Reserved),
    (v6(0x2001, 0xdb8, 0), 32, Range::Documentation),
    (v6(0x3fff, 0, 0), 20, Range::Documentation),
    (v6(0xfc00, 0, 0), 7, Range::Private),
    (v6(0xfe80, 0, 0), 10, Range::LinkLocal),
    (v6(0xfec0, 0, 0), 10, Range::LinkLocal),
    (v6(0xff00, 0, 0), 8, Range::Multicast),
];

/// All that is public in IPv6 is in here; the rest is given to no one.
const GLOBAL_UNICAST: (u128, u32) = (v6(0x2000, 0, 0), 3);

/// What an address belongs to, if not to the public internet.
pub(super) fn of(address: IpAddr) -> Option<Range> {
    match address {
        IpAddr::V4(address) => of_v4(u32::from(address)),
        IpAddr::V6(address) => of_v6(u128::from(address)),
    }
}

fn of_v4(bits: u32) -> Option<Range> {
    let wide = |bits: u32| u128::from(bits) << 96;
    let named = V4.iter().find(|row| within(wide(bits), wide(row.0), row.1)).map(|row| row.2);
    named.or_else(|| (bits >= v4(240, 0, 0, 0)).then_some(Range::Reserved))
}

fn of_v6(bits: u128) -> Option<Range> {
    let named = V6.iter().find(|row| within(bits, row.0, row.1)).map(|row| row.2);
    named.or_else(|| (!within(bits, GLOBAL_UNICAST.0, GLOBAL_UNICAST.1)).then_some(Range::Reserved))
}

/// Whether an address begins with the first `length` bits of a network.
fn within(bits: u128, network: u128, length: u32) -> bool {
    (bits ^ network).checked_shr(u128::BITS - length).unwrap_or(0) == 0
}

/// The IPv4 addresses that an IPv6 address may stand for.
pub(super) fn inside(outer: Ipv6Addr) -> Vec<Ipv4Addr> {
    let bits = u128::from(outer);
    let octets = outer.octets();
    let at = |places: [usize; 4]| Ipv4Addr::from(places.map(|place| octets[place]));
    let is = |row: Row<u128>| within(bits, row.0, row.1);
    if bits <= 1 {
        Vec::new()
    } else if [MAPPED, TRANSLATED, COMPATIBLE, NAT64].into_iter().any(is) {
        vec![at([12, 13, 14, 15])]
    } else if is(SIX_TO_FOUR) {
        vec![at([2, 3, 4, 5])]
    } else if is(TEREDO) {
        // The server's address, and the client's with each bit turned round.
        let client = u32::from(at([12, 13, 14, 15]));
        vec![at([4, 5, 6, 7]), Ipv4Addr::from(!client)]
    } else if is(NAT64_LOCAL) {
        local_nat64([at([6, 7, 9, 10]), at([7, 9, 10, 11]), at([9, 10, 11, 12]), at([12, 13, 14, 15])])
    } else if octets[8] & !3 == 0 && octets[9..12] == [0, 0x5e, 0xfe] {
        // ISATAP, behind any prefix: RFC 5214, section 6.1.
        vec![at([12, 13, 14, 15])]
    } else {
        Vec::new()
    }
}

/// The addresses that may be meant by one of a local NAT64. How long its prefix is cannot be seen, so each place where
/// RFC 6052 may have put the address counts; a place that holds `0.0.0.0/8` holds none, unless all do.
fn local_nat64(places: [Ipv4Addr; 4]) -> Vec<Ipv4Addr> {
    let held: Vec<_> = places.into_iter().filter(|place| place.octets()[0] != 0).collect();
    if held.is_empty() { vec![Ipv4Addr::UNSPECIFIED] } else { held }
}
