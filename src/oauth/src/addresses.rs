//! Which addresses an outbound call may reach, and the names that lead there.
//!
//! IPv6 goes by what is handed out to the public, so a new reserved block is refused before anybody hears of it. IPv4
//! is handed out whole: a newly reserved network gets its line in `NOT_PUBLIC_V4`, one inside 2000::/3 in
//! `NOT_PUBLIC_V6`, and each a line in the test's table.

use futures::future::BoxFuture;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

/// Which destinations outbound calls may reach.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Networks that may be reached beside public addresses: on every port, and over plain http.
    pub allow: Vec<IpNet>,
    /// The ports of public addresses.
    pub ports: Vec<u16>,
}

impl Default for Policy {
    fn default() -> Self {
        Self { allow: Vec::new(), ports: vec![443, 8443, 9443] }
    }
}

/// What an address is to a [`Policy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressClass {
    /// In a network that the operator allows.
    Allowed,
    /// Anybody's to reach.
    Public,
    /// Private, local, reserved, or a wrapping of another address.
    Refused,
}

impl Policy {
    pub fn classify(&self, address: IpAddr) -> AddressClass {
        // An operator who allows 10.0.0.0/8 means its IPv4-mapped spelling too: both reach the same machine.
        let plain = address.to_canonical();
        if self.allow.iter().any(|network| network.contains(&address) || network.contains(&plain)) {
            return AddressClass::Allowed;
        }
        let is_public = match address {
            IpAddr::V4(address) => is_public_v4(address),
            IpAddr::V6(address) => is_public_v6(address),
        };
        if is_public { AddressClass::Public } else { AddressClass::Refused }
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), prefix)
}

/// From the IANA IPv4 special-purpose registry (RFC 6890), and one that is missing there.
const NOT_PUBLIC_V4: [Ipv4Net; 16] = [
    v4(0, 0, 0, 0, 8),        // this network, RFC 791
    v4(10, 0, 0, 0, 8),       // private, RFC 1918
    v4(100, 64, 0, 0, 10),    // behind a provider's NAT, RFC 6598; also a cloud's metadata service
    v4(127, 0, 0, 0, 8),      // loopback, RFC 1122
    v4(168, 63, 129, 16, 32), // a cloud's service for the machines on it, in each of its networks
    v4(169, 254, 0, 0, 16),   // link-local, RFC 3927; also the metadata services of clouds
    v4(172, 16, 0, 0, 12),    // private, RFC 1918
    v4(192, 0, 0, 0, 24),     // protocol assignments, RFC 6890
    v4(192, 0, 2, 0, 24),     // documentation, RFC 5737
    v4(192, 88, 99, 0, 24),   // 6to4 relays, RFC 7526
    v4(192, 168, 0, 0, 16),   // private, RFC 1918
    v4(198, 18, 0, 0, 15),    // benchmarks, RFC 2544
    v4(198, 51, 100, 0, 24),  // documentation, RFC 5737
    v4(203, 0, 113, 0, 24),   // documentation, RFC 5737
    v4(224, 0, 0, 0, 4),      // multicast, RFC 5771
    v4(240, 0, 0, 0, 4),      // reserved, and broadcast at its end, RFC 1112
];

/// Global unicast, RFC 4291. Outside it are loopback, IPv4-mapped and IPv4-compatible addresses, NAT64, unique local,
/// link-local, site-local and multicast ones.
const PUBLIC_V6: Ipv6Net = v6(0x2000, 0, 3);

/// What of [`PUBLIC_V6`] is not public after all, RFC 6890.
const NOT_PUBLIC_V6: [Ipv6Net; 4] = [
    v6(0x2001, 0, 23),      // protocol assignments: Teredo, benchmarks, ORCHID
    v6(0x2001, 0x0db8, 32), // documentation, RFC 3849
    v6(0x2002, 0, 16),      // 6to4: any IPv4 address in disguise, RFC 3056
    v6(0x3fff, 0, 20),      // documentation, RFC 9637
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    !NOT_PUBLIC_V4.iter().any(|network| network.contains(&address))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    PUBLIC_V6.contains(&address) && !NOT_PUBLIC_V6.iter().any(|network| network.contains(&address))
}

/// Looks up names. The system does it ([`SystemResolver`]); tests answer what they like.
pub trait Resolver: fmt::Debug + Send + Sync + 'static {
    /// The addresses of a host; the port in them means nothing.
    fn look_up(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

#[derive(Debug, Clone, Copy)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn look_up(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let host = host.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.collect()) })
    }
}

/// Why a name led nowhere; found again in the source chain of a failed call.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unresolved {
    #[error("the name was not found")]
    NotFound,
    /// `public`: one of them would have been reachable over https on a usual port.
    #[error("none of the addresses is allowed")]
    Refused { public: bool },
}

/// Resolves for a client, and lets through only addresses that it may connect to. The client connects to these very
/// addresses, so a name that changes its mind after an earlier check gains nothing.
#[derive(Debug)]
pub(super) struct GuardedResolver {
    pub names: Arc<dyn Resolver>,
    pub policy: Arc<Policy>,
    /// Public addresses too, not only the allowed networks.
    pub public: bool,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let looking = self.names.look_up(name.as_str());
        let (policy, with_public) = (Arc::clone(&self.policy), self.public);
        Box::pin(async move {
            let found = looking.await.map_err(|_| Unresolved::NotFound)?;
            let standings: Vec<_> =
                found.into_iter().map(|address| (policy.classify(address.ip()), address)).collect();
            let usable: Vec<_> = standings
                .iter()
                .filter(|(standing, _)| match standing {
                    AddressClass::Allowed => true,
                    AddressClass::Public => with_public,
                    AddressClass::Refused => false,
                })
                .map(|(_, address)| *address)
                .collect();
            if !usable.is_empty() {
                return Ok(Box::new(usable.into_iter()) as Addrs);
            }
            let public = standings.iter().any(|(standing, _)| *standing == AddressClass::Public);
            let why =
                if standings.is_empty() { Unresolved::NotFound } else { Unresolved::Refused { public } };
            Err(why.into())
        })
    }
}
