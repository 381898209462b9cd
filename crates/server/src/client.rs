//! Where a request came from, seen through proxies that are trusted and no others.

use std::net::IpAddr;

use actix_web::HttpRequest;
use ipnet::IpNet;
use vestibule_core::Client;

/// The networks whose word about a client's address is believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

/// Peer data that cannot be read: the request is refused rather than taken for somebody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a trusted proxy sent an X-Forwarded-For that is not a list of addresses")]
pub struct UnreadableForwarding;

impl TrustedProxies {
    /// These and no others.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether whoever connects from there is one of them.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client's address: the peer's, or, when that is a trusted proxy, the rightmost address
    /// of `X-Forwarded-For` that is not one.
    pub fn client_address(
        &self,
        peer: IpAddr,
        forwarded: &[&str],
    ) -> Result<IpAddr, UnreadableForwarding> {
        let mut address = peer.to_canonical();
        if !self.trusts(address) {
            return Ok(address);
        }
        for hop in forwarded.iter().rev().flat_map(|line| line.rsplit(',')) {
            address = read_hop(hop).ok_or(UnreadableForwarding)?;
            if !self.trusts(address) {
                break;
            }
        }
        Ok(address)
    }
}

/// An address as proxies write it: bare, with a port, or in brackets.
fn read_hop(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop.parse::<IpAddr>().ok();
    let with_port = || hop.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    let bracketed = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    bare.or_else(with_port).or_else(bracketed).map(|address| address.to_canonical())
}

/// The client that a request came from.
pub(crate) fn client_of(
    req: &HttpRequest,
    proxies: &TrustedProxies,
) -> Result<Client, UnreadableForwarding> {
    let headers = req.headers();
    let address = match req.peer_addr() {
        Some(peer) => {
            let forwarded: Vec<&str> = headers
                .get_all("x-forwarded-for")
                .map(|value| value.to_str().map_err(|_| UnreadableForwarding))
                .collect::<Result<_, _>>()
                .or_else(
                    |error| {
                        if proxies.trusts(peer.ip()) { Err(error) } else { Ok(Vec::new()) }
                    },
                )?;
            proxies.client_address(peer.ip(), &forwarded)?.to_string()
        }
        None => String::new(),
    };
    let user_agent = headers.get("user-agent").map_or("", |v| v.to_str().unwrap_or("unreadable"));
    Ok(Client { address, user_agent: user_agent.to_owned(), browser: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(
        trusted: &[&str],
        peer: &str,
        forwarded: &[&str],
    ) -> Result<String, UnreadableForwarding> {
        let networks = trusted.iter().map(|net| net.parse().unwrap()).collect();
        let proxies = TrustedProxies::new(networks);
        proxies.client_address(peer.parse().unwrap(), forwarded).map(|a| a.to_string())
    }

    #[test]
    fn seed_oq_38_forwarded_addresses_are_believed_from_trusted_proxies_alone() {
        assert_eq!(seen(&[], "10.0.0.1", &["1.2.3.4"]).unwrap(), "10.0.0.1");
        assert_eq!(seen(&["10.0.0.0/8"], "10.0.0.1", &["1.2.3.4"]).unwrap(), "1.2.3.4");
        assert_eq!(seen(&["10.0.0.0/8"], "9.9.9.9", &["1.2.3.4"]).unwrap(), "9.9.9.9");
    }

    #[test]
    fn the_rightmost_hop_that_is_not_trusted_counts() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(seen(&trusted, "10.0.0.1", &["6.6.6.6, 1.2.3.4, 10.0.0.2"]).unwrap(), "1.2.3.4");
        assert_eq!(seen(&trusted, "10.0.0.1", &["6.6.6.6", "1.2.3.4"]).unwrap(), "1.2.3.4");
        assert_eq!(seen(&trusted, "10.0.0.1", &["[2001:db8::1]:80"]).unwrap(), "2001:db8::1");
        assert_eq!(seen(&trusted, "::ffff:10.0.0.1", &["1.2.3.4"]).unwrap(), "1.2.3.4");
    }

    #[test]
    fn atk_a010_a_forwarding_header_that_cannot_be_read_is_an_error() {
        for bad in ["unknown", "", "1.2.3", "1.2.3.4, ", "<script>"] {
            assert_eq!(
                seen(&["10.0.0.0/8"], "10.0.0.1", &[bad]),
                Err(UnreadableForwarding),
                "{bad}"
            );
        }
    }
}
