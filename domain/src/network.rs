//! Networks as people write them: in CIDR notation, or one address alone.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};

/// Bits before the IPv4 address in an IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2).
const MAPPED_PREFIX: u8 = 96;

/// Parses a network. A single address is the network of itself; an IPv4-mapped network is the IPv4 network.
pub fn parse(text: &str) -> Option<IpNet> {
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
    Some(canonical(network))
}

/// The one form of a network: without host bits, and IPv4 where it is IPv4-mapped. Addresses of clients are compared as
/// IPv4, so a mapped network would hold none of them.
pub fn canonical(network: IpNet) -> IpNet {
    mapped(network).map_or(network, IpNet::V4).trunc()
}

fn mapped(network: IpNet) -> Option<Ipv4Net> {
    let IpNet::V6(network) = network else { return None };
    let address: Ipv4Addr = network.addr().to_ipv4_mapped()?;
    Ipv4Net::new(address, network.prefix_len().checked_sub(MAPPED_PREFIX)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f18_a_network_has_one_form() {
        for (text, expected) in [
            ("127.0.0.1", "127.0.0.1/32"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
            ("::ffff:203.0.113.7", "203.0.113.7/32"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("2001:db8::1", "2001:db8::1/128"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(parse(text).map(|network| network.to_string()).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "nowhere", "10.0.0.0/33", "10.0.0", "::ffff:10.0.0.0/129", "10.0.0.1:80"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
