//! Which addresses webhooks may be sent to: public ones, and those of networks that the operator allows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// The operator's networks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Networks(Vec<IpNet>);

/// An address that webhooks are not sent to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// It is not public, and no network of the operator holds it.
    #[error("{0} is not a public address, and --webhook-networks does not allow it")]
    NotPublic(IpAddr),
    /// What goes there would be readable on the way.
    #[error("{0} is outside of --webhook-networks, and there only https: is allowed")]
    Plain(IpAddr),
}

impl Networks {
    pub(crate) fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Judges the address that is about to be connected to.
    pub(crate) fn judge(&self, address: IpAddr, is_tls: bool) -> Result<(), Refused> {
        let meant = meant(address);
        if self.0.iter().any(|network| network.contains(&meant) || network.contains(&address)) {
            return Ok(());
        }
        if !is_public(meant) {
            return Err(Refused::NotPublic(address));
        }
        if is_tls { Ok(()) } else { Err(Refused::Plain(address)) }
    }
}

/// The address that a packet to this one reaches: some IPv6 addresses stand for an IPv4 one.
fn meant(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let segments = v6.segments();
    let (prefix, [high, low]) = (&segments[..6], [segments[6], segments[7]]);
    match prefix {
        // `::` and `::1` stand for themselves.
        [0, 0, 0, 0, 0, 0] if high == 0 => address,
        // Compatible (deprecated), mapped (RFC 4291), by SIIT (RFC 2765), translated by a gateway (RFC 6052).
        [0, 0, 0, 0, 0, 0 | 0xffff] | [0, 0, 0, 0, 0xffff, 0] | [0x64, 0xff9b, 0, 0, 0, 0] => v4(high, low),
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => v4(*high, *low),
        _ => address,
    }
}

fn v4(high: u16, low: u16) -> IpAddr {
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

/// Whether the address is of the public Internet, as IANA's registries of special addresses say.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

#[expect(clippy::unnested_or_patterns, reason = "a table has a pattern for each entry of the registry")]
fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        // This network, private, shared (RFC 6598), loopback, link-local.
        [0 | 10 | 127, ..] | [100, 64..=127, ..] | [169, 254, ..] | [172, 16..=31, ..] | [192, 168, ..]
        // Protocol assignments, documentation, 6to4 relays, benchmarks.
        | [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [192, 88, 99, _] | [198, 18..=19, ..]
        // Multicast, reserved, broadcast.
        | [224..=255, ..]
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Protocol assignments, Teredo among them, and documentation.
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        // Global unicast. Loopback, unique local, link-local, site-local and multicast lie outside of it.
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(networks: &[&str], address: &str) -> Result<(), Refused> {
        let networks = networks.iter().map(|network| network.parse().unwrap()).collect();
        Networks::new(networks).judge(address.parse().unwrap(), true)
    }

    #[test]
    fn public_addresses_are_allowed() {
        for address in
            ["1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "2606:4700::1111", "::ffff:8.8.8.8"]
        {
            assert_eq!(judge(&[], address), Ok(()), "{address}");
        }
    }

    #[test]
    fn special_addresses_are_refused_in_every_spelling() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "192.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "::ffff:0:7f00:1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
        ] {
            assert!(matches!(judge(&[], address), Err(Refused::NotPublic(_))), "{address}");
        }
    }

    #[test]
    fn the_operator_allows_networks_and_nothing_beside_them() {
        assert_eq!(judge(&["127.0.0.0/8"], "127.0.0.1"), Ok(()));
        assert_eq!(judge(&["127.0.0.0/8"], "::ffff:127.0.0.1"), Ok(()));
        assert_eq!(judge(&["::1/128"], "::1"), Ok(()));
        assert!(judge(&["127.0.0.0/8"], "::1").is_err());
        assert!(judge(&["10.0.0.0/8"], "192.168.0.1").is_err());
    }

    #[test]
    fn without_tls_only_the_operators_networks_are_allowed() {
        let networks = Networks::new(vec!["10.0.0.0/8".parse().unwrap()]);
        assert_eq!(networks.judge("10.0.0.1".parse().unwrap(), false), Ok(()));
        let public = "1.1.1.1".parse().unwrap();
        assert_eq!(networks.judge(public, false), Err(Refused::Plain(public)));
    }
}
