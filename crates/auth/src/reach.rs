//! Where a provider may send us: its metadata name further addresses, and a hostile one could name
//! those of machines that only we can reach.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::http::Address;

/// The hosts that the operator named, which may be anywhere. All others have to be public.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    named: Arc<[String]>,
}

impl Reach {
    pub(crate) fn new<'a>(addresses: impl IntoIterator<Item = &'a Address>) -> Self {
        Self { named: addresses.into_iter().map(|address| address.host().to_owned()).collect() }
    }

    fn is_named(&self, host: &str) -> bool {
        self.named.iter().any(|named| named.eq_ignore_ascii_case(host))
    }

    /// Whether an address may be asked, as far as it can be told without resolving its name.
    pub(crate) fn allows(&self, address: &Address) -> bool {
        let host = address.host();
        self.is_named(host) || bare(host).parse().map_or(host != "localhost", is_public)
    }
}

/// Resolves names, to public addresses alone where the operator did not name the host: a name
/// that is public today may point at this machine tomorrow.
impl Resolve for Reach {
    fn resolve(&self, name: Name) -> Resolving {
        let anywhere = self.is_named(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> =
                found.filter(|address| anywhere || is_public(address.ip())).collect();
            if allowed.is_empty() {
                let error = io::Error::other("the name leads to no public address");
                return Err(error.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// A host without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [first, second, third, _] = v4.octets();
    // 100.64.0.0/10 is what providers share among their customers (RFC 6598).
    let is_shared = first == 100 && second & 0xc0 == 64;
    !(v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_multicast()
        || v4.is_broadcast()
        || v4.is_documentation()
        || first == 0
        || first >= 240
        // What measures networks (RFC 2544), and what the protocol keeps to itself (RFC 6890).
        || (first == 198 && second & 0xfe == 18)
        || (first, second, third) == (192, 0, 0)
        || is_shared)
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    // Global unicast is 2000::/3 and nothing else (RFC 4291 section 2.4). What carries an IPv4
    // address in it (6to4, NAT64) could lead to a private one.
    let [first, second, ..] = v6.segments();
    let carries_v4 = first == 0x2002 || (first == 0x2001 && second == 0);
    first & 0xe000 == 0x2000 && !carries_v4 && !v6.is_multicast()
}

#[cfg(test)]
mod tests {
    use super::{Reach, is_public};
    use crate::http::Address;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn atk_a109_addresses_that_only_we_can_reach_are_no_providers() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:169.254.169.254",
            "::ffff:127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "2001:0:a9fe:a9fe::1",
            "198.18.0.1",
            "192.0.0.170",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["8.8.8.8", "193.0.6.139", "2001:4860:4860::8888"] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn the_host_that_the_operator_named_may_be_anywhere_and_no_other() {
        let reach = Reach::new([&address("https://10.0.0.5/realm")]);
        assert!(reach.allows(&address("https://10.0.0.5/keys")));
        assert!(!reach.allows(&address("https://10.0.0.6/keys")));
        assert!(!reach.allows(&address("https://[::ffff:a9fe:a9fe]/keys")));
        assert!(!reach.allows(&address("https://2852039166/keys")));
        assert!(!reach.allows(&address("http://localhost/keys")));
        assert!(reach.allows(&address("https://keys.example/keys")));
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_followed() {
        use reqwest::dns::Resolve as _;
        let named = Reach::new([&address("https://localhost/realm")]);
        let other = Reach::new([&address("https://idp.example/realm")]);
        assert!(named.resolve("localhost".parse().unwrap()).await.is_ok());
        assert!(other.resolve("localhost".parse().unwrap()).await.is_err());
    }

    #[tokio::test]
    async fn atk_a109_whoever_asks_for_a_provider_asks_nobody_inside() {
        use std::time::Duration;

        use crate::{
            http::HttpClient,
            testkit::{Reply, Service},
        };
        let service = Service::start(|_| Reply::status(200)).unwrap();
        // By a name, which leads here when it is looked up.
        let inside = service.url("/keys").replace("127.0.0.1", "localhost");
        let client = |named: &str| {
            let reach = Reach::new([&address(named)]);
            HttpClient::within(reach, Duration::from_secs(5), None).unwrap()
        };
        let refused = client("https://idp.example/realm").get(&address(&inside)).await;
        assert!(refused.is_err(), "{refused:?}");
        assert_eq!(service.asked(), []);
        let answer = client(&inside).get(&address(&inside)).await.unwrap();
        assert_eq!((answer.status, service.asked().len()), (200, 1), "whom the operator named");
    }
}
