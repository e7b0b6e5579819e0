//! Where outbound calls may go: S17 to S19. What the other side may do to them is in `outbound_faults`.
//!
//! A network that is refused gets its first and last address in `REFUSED`, and their neighbours go to `PUBLIC`.

use futures::future::BoxFuture;
use ipack_oauth::{
    addresses::{AddressClass, Policy, Resolver},
    outbound::{Limits, Outbound, OutboundError},
};
use ipack_testing::hostile::{Behaviour, Hostile, Reply};
use proptest::prelude::*;
use rustls::RootCertStore;
use serde_json::json;
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use url::Url;

/// Answers look-ups in order, and the last answer for ever.
#[derive(Debug)]
pub(super) struct Told {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl Told {
    pub(super) fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |addresses: &&[&str]| addresses.iter().map(|a| a.parse().expect("an address")).collect();
        Arc::new(Self { answers: answers.iter().map(parse).collect(), asked: AtomicUsize::new(0) })
    }
}

impl Resolver for Told {
    fn look_up(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst);
        let found = match self.answers.get(turn).or(self.answers.last()) {
            Some(addresses) => Ok(addresses.iter().map(|address| SocketAddr::new(*address, 0)).collect()),
            None => Err(io::Error::other("no such name")),
        };
        Box::pin(std::future::ready(found))
    }
}

pub(super) const QUICK: Limits = Limits {
    connect: Duration::from_millis(1500),
    read: Duration::from_secs(2),
    total: Duration::from_secs(4),
    body: 256 * 1024,
};

pub(super) fn allowing(networks: &[&str]) -> Policy {
    let allow = networks.iter().map(|network| network.parse().expect("a network")).collect();
    Policy { allow, ..Policy::default() }
}

pub(super) fn outbound(policy: Policy, names: Arc<dyn Resolver>) -> Outbound {
    Outbound::with(policy, QUICK, names, RootCertStore::empty()).expect("an outbound client")
}

/// Loopback allowed, every name leads there.
pub(super) fn local() -> Outbound {
    outbound(allowing(&["127.0.0.0/8"]), Told::new(&[&["127.0.0.1"]]))
}

pub(super) fn parse(url: &str) -> Url {
    Url::parse(url).expect("an address")
}

pub(super) fn host(host: &str) -> String {
    host.to_owned()
}

#[test]
fn s17_only_https_without_user_names_and_on_configured_ports() {
    let outbound = Outbound::new(Policy::default()).expect("an outbound client");
    assert_eq!(outbound.check(" https://id.example.com/x?y ").expect("fine").path(), "/x");
    for port in ["", ":443", ":8443", ":9443"] {
        outbound.check(&format!("https://id.example.com{port}/")).expect("a usual port");
    }
    let not_https = OutboundError::NotHttps { host: host("id.example.com") };
    for scheme in ["http", "ws", "ftp"] {
        let refused = outbound.check(&format!("{scheme}://id.example.com/")).expect_err(scheme);
        assert_eq!(refused, not_https);
    }
    for url in
        ["", "id.example.com", "https://", "file:///etc/passwd", "data:,x", "https://a b/", "javascript:1"]
    {
        assert_eq!(outbound.check(url).expect_err(url), OutboundError::NotAnAddress);
    }
    for url in ["https://me@id.example.com", "https://me:pw@id.example.com", "https://:pw@id.example.com"] {
        let refused = outbound.check(url).expect_err(url);
        assert_eq!(refused, OutboundError::UserInfo { host: host("id.example.com") });
        assert!(!refused.to_string().contains("pw"), "{refused}");
    }
    for port in [22, 80, 8080, 6379] {
        let refused = outbound.check(&format!("https://id.example.com:{port}/")).expect_err("an odd port");
        assert_eq!(refused, OutboundError::PortRefused { host: host("id.example.com"), port });
    }
}

#[tokio::test]
async fn s17_http_and_other_ports_only_in_allowed_networks() {
    let server = Hostile::start(Behaviour::json(json!({}))).await;
    let port = server.addr.port();
    let policy = || allowing(&["127.0.0.0/8"]);
    local().get_json(&server.url("/")).await.expect("a literal inside");
    let named = parse(&format!("http://idp.test:{port}/"));
    local().get_json(&named).await.expect("a name that leads inside");
    assert_eq!(server.connections(), 2);

    let outside = outbound(policy(), Told::new(&[&["8.8.8.8"]]));
    let refused = outside.get_json(&named).await.expect_err("http to a public address");
    assert_eq!(refused, OutboundError::NotHttps { host: host("idp.test") });
    let refused = outside.get_json(&parse("https://idp.test:8080/")).await.expect_err("an odd port");
    assert_eq!(refused, OutboundError::PortRefused { host: host("idp.test"), port: 8080 });
    let refused = outside.check("http://8.8.8.8/").expect_err("http to a public literal");
    assert_eq!(refused, OutboundError::NotHttps { host: host("8.8.8.8") });
    let refused = outside.check("https://8.8.8.8:8080/").expect_err("an odd port of a literal");
    assert_eq!(refused, OutboundError::PortRefused { host: host("8.8.8.8"), port: 8080 });
    let refused = outside.check("http://10.0.0.1/").expect_err("another private network");
    assert_eq!(refused, OutboundError::AddressRefused { host: host("10.0.0.1") });

    // Of a name that leads to both, the public address is not used: only one connection is tried, and it arrives.
    let both = outbound(policy(), Told::new(&[&["8.8.8.8", "127.0.0.1"]]));
    both.get_json(&named).await.expect("the address inside");
    assert_eq!(server.connections(), 3);
}

/// First and last of each network, and ways to write them.
const REFUSED: &[&str] = &[
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.0",
    "127.0.0.1",
    "127.255.255.255",
    "168.63.129.16",
    "169.254.0.0",
    "169.254.169.254",
    "169.254.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.0",
    "192.0.0.192",
    "192.0.0.255",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.0",
    "192.168.255.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.0",
    "255.255.255.254",
    "255.255.255.255",
    // Octal, hexadecimal, decimal, fewer parts, full-width digits, a dot at the end, percent-encoded.
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "127.1",
    "127.0.1",
    "0",
    "0x0",
    "１２７.0.0.1",
    "127.0.0.1.",
    "127。0。0。1",
    "%31%32%37.0.0.1",
    "0xa9fea9fe",
    "2852039166",
    "10.1",
    "0xc0a80101",
    "[::]",
    "[::1]",
    "[::127.0.0.1]",
    "[::8.8.8.8]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:8.8.8.8]",
    "[::ffff:0:127.0.0.1]",
    "[0:0:0:0:0:ffff:0a00:1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::8.8.8.8]",
    "[64:ff9b:1::1]",
    "[100::1]",
    "[2001::1]",
    "[2001:0:ffff::1]",
    "[2001:2::1]",
    "[2001:10::1]",
    "[2001:20::1]",
    "[2001:db8::1]",
    "[2002:7f00:1::]",
    "[2002:808:808::1]",
    "[3fff::1]",
    "[3fff:fff::1]",
    "[4000::1]",
    "[5f00::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fdff::1]",
    "[fe80::1]",
    "[febf::1]",
    "[fec0::1]",
    "[feff::1]",
    "[ff02::1]",
    "[1fff::1]",
];

/// Their public neighbours.
const PUBLIC: &[&str] = &[
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.88.98.1",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.101.1",
    "203.0.114.1",
    "223.255.255.255",
    "8.8.8.8",
    "0x08080808",
    "[2000::1]",
    "[2001:200::1]",
    "[2001:4860:4860::8888]",
    "[2001:db7::1]",
    "[2001:db9::1]",
    "[2003::1]",
    "[2606:4700::1111]",
    "[3ffe::1]",
    "[3fff:1000::1]",
];

#[test]
fn s18_private_local_and_disguised_literals_are_refused() {
    let outbound = outbound(Policy::default(), Told::new(&[]));
    for literal in REFUSED {
        let refused = outbound.check(&format!("https://{literal}/")).expect_err(literal);
        assert!(matches!(refused, OutboundError::AddressRefused { .. }), "{literal}: {refused:?}");
    }
    for literal in PUBLIC {
        outbound.check(&format!("https://{literal}/")).expect(literal);
    }
}

#[tokio::test]
async fn s18_a_refused_literal_is_not_called_either() {
    let names = Told::new(&[&["127.0.0.1"]]);
    let outbound = outbound(Policy::default(), names.clone());
    for literal in REFUSED {
        let url = parse(&format!("https://{literal}/"));
        let refused = outbound.get_json(&url).await.expect_err(literal);
        assert!(matches!(refused, OutboundError::AddressRefused { .. }), "{literal}: {refused:?}");
        let refused = outbound.post_form(&url, None, &[]).await.expect_err(literal);
        assert!(matches!(refused, OutboundError::AddressRefused { .. }), "{literal}: {refused:?}");
    }
    assert_eq!(names.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn s18_the_operator_allows_networks_and_their_mapped_spelling() {
    let outbound = outbound(allowing(&["10.1.0.0/16", "fd00:1::/32"]), Told::new(&[]));
    let allowed =
        ["https://10.1.2.3/", "http://10.1.2.3:1234/", "http://[::ffff:10.1.2.3]/", "http://[fd00:1::5]/"];
    for url in allowed {
        outbound.check(url).expect(url);
    }
    for url in
        ["https://10.2.0.1/", "https://[::ffff:10.2.0.1]/", "https://[fd00:2::5]/", "https://127.0.0.1/"]
    {
        let refused = outbound.check(url).expect_err(url);
        assert!(matches!(refused, OutboundError::AddressRefused { .. }), "{url}: {refused:?}");
    }
}

proptest! {
    #[test]
    fn s18_no_wrapping_of_an_ipv4_address_is_public(bits: u32) {
        let policy = Policy::default();
        let [a, b, c, d] = bits.to_be_bytes();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        for wrapped in [
            format!("::{high:x}:{low:x}"),
            format!("::ffff:{high:x}:{low:x}"),
            format!("::ffff:0:{high:x}:{low:x}"),
            format!("64:ff9b::{high:x}:{low:x}"),
            format!("64:ff9b:1::{high:x}:{low:x}"),
            format!("2002:{high:x}:{low:x}::1"),
            format!("2001:0:{high:x}:{low:x}::{high:x}:{low:x}"),
        ] {
            let address = wrapped.parse().expect("an address");
            prop_assert_eq!(policy.classify(address), AddressClass::Refused, "{}", wrapped);
        }
    }

    #[test]
    fn s17_check_judges_any_text_without_a_panic(text in ".{0,60}", port: u16) {
        let outbound = local();
        for url in [text.clone(), format!("https://{text}:{port}/"), format!("https://id.example.com/{text}")] {
            if let Ok(url) = outbound.check(&url) {
                prop_assert!(url.username().is_empty() && url.password().is_none());
                prop_assert!(url.host_str().is_some_and(|host| !host.is_empty()));
            }
        }
    }
}

#[tokio::test]
async fn s19_a_name_that_turns_to_a_local_address_is_refused_at_connection_time() {
    let server = Hostile::start(Behaviour::json(json!({}))).await;
    let names = Told::new(&[&["8.8.8.8"], &["127.0.0.1"], &["::1", "10.0.0.1"], &["::ffff:127.0.0.1"]]);
    let outbound = outbound(Policy::default(), names.clone());
    let url = outbound.check("https://rebinding.test/").expect("nothing wrong with the name");
    // Whoever looks first sees a public address.
    let first = names.look_up("rebinding.test").await.expect("an answer");
    assert_eq!(Policy::default().classify(first[0].ip()), AddressClass::Public);
    for turn in 2..=4 {
        let refused = outbound.get_json(&url).await.expect_err("refused");
        assert_eq!(refused, OutboundError::AddressRefused { host: host("rebinding.test") }, "{turn}");
        assert_eq!(names.asked.load(Ordering::SeqCst), turn, "each connection asks again");
        assert!(!refused.is_transient() && !refused.may_have_arrived());
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn s19_what_was_allowed_before_counts_for_nothing() {
    // Closes after each answer, so that the next call connects, and so looks up, again.
    let close = |_: &_| Reply {
        headers: vec![("Connection".into(), "close".into())],
        ..Reply::json(200, &json!({}))
    };
    let server = Hostile::start(Behaviour::script(close)).await;
    let names = Told::new(&[&["127.0.0.1"], &["127.0.0.2"], &["127.0.0.2", "127.0.0.1"]]);
    let outbound = outbound(allowing(&["127.0.0.1/32"]), names.clone());
    let url = parse(&format!("http://rebinding.test:{}/", server.addr.port()));
    outbound.get_json(&url).await.expect("at the allowed address");
    let refused = outbound.get_json(&url).await.expect_err("at its neighbour");
    assert_eq!(refused, OutboundError::AddressRefused { host: host("rebinding.test") });
    outbound.get_json(&url).await.expect("only the permitted address is used");
    assert_eq!(server.connections(), 2);
    assert_eq!(names.asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn s19_a_missing_name_is_told_from_a_refused_address() {
    let outbound = outbound(Policy::default(), Told::new(&[]));
    let missing = outbound.get_json(&parse("https://nowhere.test/?secret")).await.expect_err("no such name");
    assert_eq!(missing, OutboundError::NameNotFound { host: host("nowhere.test") });
    assert_eq!(missing.to_string(), "The name nowhere.test was not found.");
    assert!(missing.is_transient() && !missing.may_have_arrived());
    // The system's own resolver: this name never leads elsewhere, RFC 6761.
    let system = Outbound::new(Policy::default()).expect("an outbound client");
    let refused = system.get_json(&parse("https://localhost/")).await.expect_err("loopback");
    assert_eq!(refused, OutboundError::AddressRefused { host: host("localhost") });
}
