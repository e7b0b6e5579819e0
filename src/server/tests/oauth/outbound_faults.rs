//! What the other side may do to an outbound call: redirect it (S20), answer too much or too slowly (S21), and anything
//! else that a hostile provider thinks of, without harm to anybody else (F07).

use crate::outbound::{QUICK, Told, allowing, host, local, outbound, parse};
use futures::future::{BoxFuture, join_all};
use ipack_oauth::{
    addresses::{Policy, Resolver},
    outbound::{Answer, Limits, Outbound, OutboundError, Slow},
};
use ipack_testing::hostile::{Behaviour, Hostile, Reply, Request};
use rustls::{RootCertStore, ServerConfig, crypto::ring};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::{
    io,
    net::SocketAddr,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const LOOPBACK: &str = "127.0.0.1";

#[tokio::test]
async fn a_call_says_what_it_must_and_nothing_more() {
    let server =
        Hostile::start(Behaviour::script(|_| Reply::json(201, &json!({ "access_token": "canary-1" })))).await;
    let outbound = local();
    let authorization = SecretString::from("Basic Y2FuYXJ5");
    let form = [("grant_type", "refresh_token"), ("refresh_token", "a&b=c d+é")];
    let answer =
        outbound.post_form(&server.url("/token?x=1"), Some(&authorization), &form).await.expect("an answer");
    assert_eq!((answer.status, answer.content_type.as_deref()), (201, Some("application/json")));
    assert_eq!(answer.json::<Value>().expect("JSON")["access_token"], "canary-1");
    let shown = format!("{answer:?} {outbound:?}");
    assert!(shown.contains("201") && !shown.contains("canary"), "{shown}");

    outbound.get_json(&server.url("/keys")).await.expect("an answer");
    let [post, get] = &server.requests()[..] else { panic!("two requests") };
    assert_eq!((post.method.as_str(), post.path.as_str()), ("POST", "/token?x=1"));
    assert_eq!(post.form(), form.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(post.header("authorization"), Some("Basic Y2FuYXJ5"));
    assert_eq!(post.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!((get.method.as_str(), get.path.as_str()), ("GET", "/keys"));
    let mut names: Vec<_> = get.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"]);
    assert_eq!(get.header("accept"), Some("application/json"));
    assert!(get.header("user-agent").is_some_and(|agent| agent.starts_with("ipack-connect/")));
    assert_eq!(server.connections(), 1, "the connection is kept");

    let refused =
        outbound.post_form(&server.url("/"), Some(&"Basic \n".into()), &[]).await.expect_err("a line end");
    assert_eq!(refused, OutboundError::Unsendable { host: host(LOOPBACK) });
}

#[tokio::test]
async fn s20_redirects_are_not_followed() {
    for (status, location, to) in [
        (301, Some("https://elsewhere.test/path?code=canary"), Some("elsewhere.test")),
        (302, Some("/again"), Some(LOOPBACK)),
        (303, Some("//10.0.0.1/"), Some("10.0.0.1")),
        (307, Some("http://["), None),
        (308, None, None),
        (300, Some("file:///etc/passwd"), None),
    ] {
        let server = Hostile::start(Behaviour::script(move |_| {
            let headers = location.map(|to| ("Location".to_owned(), to.to_owned()));
            Reply { headers: headers.into_iter().collect(), ..Reply::new(status, "text/plain", "") }
        }))
        .await;
        let expected = OutboundError::Redirected { host: host(LOOPBACK), to: to.map(host) };
        let got = local().get_json(&server.url("/")).await.expect_err("a redirect");
        assert_eq!(got, expected, "{status}");
        assert!(!got.to_string().contains("canary"), "{got}");
        let got = local().post_form(&server.url("/"), None, &[("code", "x")]).await.expect_err("a redirect");
        assert_eq!(got, expected, "{status}");
        assert_eq!(server.requests().len(), 2, "{status}: one for each call");
    }
}

/// Names the server to call, where this test runs itself again.
const CALL: &str = "IPACK_TEST_CALL";

/// Environment variables are the whole process's, so the test starts itself again with a proxy in them.
#[tokio::test]
async fn s20_proxies_of_the_environment_are_ignored() {
    if let Ok(url) = std::env::var(CALL) {
        local().get_json(&parse(&format!("{url}guarded"))).await.expect("an answer");
        // An unguarded client takes the proxy, so the variables do say what they should.
        let unguarded =
            reqwest::Client::builder().tls_backend_preconfigured(no_tls()).build().expect("a client");
        unguarded.get(format!("{url}unguarded")).send().await.expect("an answer");
        return;
    }
    let proxy = Hostile::start(Behaviour::json(json!({}))).await;
    let provider = Hostile::start(Behaviour::json(json!({}))).await;
    let (_, module) = module_path!().split_once("::").expect("the crate's name in front");
    let mut again = Command::new(std::env::current_exe().expect("this program"));
    again.args(["--exact", &format!("{module}::s20_proxies_of_the_environment_are_ignored")]);
    again.env(CALL, provider.url("/").as_str());
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        again.env(name, proxy.url("/").as_str());
    }
    for name in ["NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
        again.env_remove(name);
    }
    let done = tokio::task::spawn_blocking(move || again.output()).await.expect("no panic").expect("it ran");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    let paths = |server: &Hostile| server.requests().into_iter().map(|asked| asked.path).collect::<Vec<_>>();
    assert_eq!(paths(&provider), ["/guarded"]);
    assert_eq!(paths(&proxy), [provider.url("/unguarded").as_str()]);
}

fn no_tls() -> rustls::ClientConfig {
    rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth()
}

#[tokio::test]
async fn s21_a_body_up_to_the_cap_is_read_and_not_a_byte_more() {
    let cap = QUICK.body;
    for (length, packed, fits) in
        [(cap, false, true), (cap + 1, false, false), (cap, true, true), (cap + 1, true, false)]
    {
        let server = Hostile::start(Behaviour::script(move |_| body_of(length, packed))).await;
        match local().get_json(&server.url("/")).await {
            Ok(answer) => assert!(fits && answer.body().len() == length, "{length} {packed}"),
            Err(error) => {
                assert!(!fits, "{length} {packed}: {error}");
                assert_eq!(error, OutboundError::TooMuch { host: host(LOOPBACK), kibibytes: 256 });
            }
        }
    }
}

fn body_of(length: usize, packed: bool) -> Reply {
    let body = vec![b' '; length];
    if !packed {
        return Reply::new(200, "application/json", body);
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    io::Write::write_all(&mut gzip, &body).expect("into memory");
    let headers = vec![("Content-Encoding".to_owned(), "gzip".to_owned())];
    Reply { headers, ..Reply::new(200, "application/json", gzip.finish().expect("into memory")) }
}

/// A name service that does not answer.
#[derive(Debug)]
struct NoNames;

impl Resolver for NoNames {
    fn look_up(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn s21_connecting_has_its_limit() {
    let slow = |host: &str| OutboundError::TimedOut { host: host.to_owned(), slow: Slow::Connect };
    let nameless = outbound(Policy::default(), Arc::new(NoNames));
    let server = Hostile::start(Behaviour::Silent).await;
    // It waits for a request and gets the beginning of a handshake.
    let mute = parse(&format!("https://{}/", server.addr));
    let (guarded, url) = (local(), parse("https://idp.test/"));
    let (names, handshake) = futures::join!(nameless.get_json(&url), guarded.get_json(&mute));
    for (got, expected) in [(names, slow("idp.test")), (handshake, slow(LOOPBACK))] {
        let got = got.expect_err("too slow");
        assert_eq!(got, expected);
        assert!(got.is_transient() && !got.may_have_arrived());
    }
}

#[tokio::test]
async fn f07_every_fault_is_a_sentence_in_bounded_time_and_memory() {
    let h = || host(LOOPBACK);
    let drip = Duration::from_millis(100);
    let timed_out = |slow| OutboundError::TimedOut { host: h(), slow };
    let too_much = || OutboundError::TooMuch { host: h(), kibibytes: 256 };
    let table = [
        (Behaviour::Silent, timed_out(Slow::Read)),
        (Behaviour::SilentGzip, timed_out(Slow::Read)),
        (Behaviour::Drip(drip), timed_out(Slow::Total)),
        (Behaviour::DripHead(drip), timed_out(Slow::Read)),
        (Behaviour::EndlessContinue, timed_out(Slow::Read)),
        (Behaviour::EndlessBody, too_much()),
        (Behaviour::GzipBomb, too_much()),
        (Behaviour::LyingLength, too_much()),
        (Behaviour::EndlessHeaders, OutboundError::HeadTooLarge { host: h() }),
        (Behaviour::EndlessHeader, OutboundError::HeadTooLarge { host: h() }),
        (Behaviour::BreaksOff, OutboundError::BrokeOff { host: h() }),
        (Behaviour::BreaksOffEarly, OutboundError::BrokeOff { host: h() }),
        (Behaviour::BadGzip, OutboundError::NotHttp { host: h() }),
        (Behaviour::Garbage, OutboundError::NotHttp { host: h() }),
    ];
    let outbound = local();
    let calls = table.into_iter().map(async |(behaviour, expected)| {
        let is_read_on = matches!(behaviour, Behaviour::EndlessContinue);
        let server = Hostile::start(behaviour).await;
        let began = Instant::now();
        let got = outbound.post_form(&server.url("/token"), None, &[("code", "canary")]).await;
        let took = began.elapsed();
        let got = got.expect_err("a fault");
        assert_eq!(got, expected);
        assert!(took < QUICK.total + Duration::from_secs(2), "{got}: {took:?}");
        // What was sent is the cap and what fits into the buffers of two sockets. An interim answer is read and
        // forgotten, so those may go on until the time is up.
        assert!(is_read_on || server.sent() < 16 << 20, "{got}: {} bytes were sent", server.sent());
        assert!(got.may_have_arrived(), "{got}");
        assert_eq!(server.requests().len(), 1, "{got}: it is not tried again");
        let sentence = got.to_string();
        assert!(sentence.starts_with(LOOPBACK) && sentence.ends_with('.'), "{sentence}");
        assert!(!sentence.contains("canary") && !sentence.contains("/token"), "{sentence}");
    });
    join_all(calls).await;
}

#[tokio::test]
async fn f07_html_in_place_of_json_is_a_sentence_that_quotes_nothing() {
    for (content_type, body, sentence) in [
        (
            "Text/HTML; charset=utf-8",
            "<html>canary</html>",
            "127.0.0.1 answered 503 with a web page, not the JSON that was expected.",
        ),
        (
            "application/json",
            "{\"access_token\":\"canary",
            "127.0.0.1 answered 503 with something else, not the JSON that was expected.",
        ),
    ] {
        let script = move |_: &Request| Reply::new(503, content_type, body);
        let server = Hostile::start(Behaviour::script(script)).await;
        let answer = local().get_json(&server.url("/")).await.expect("an answer");
        assert_eq!(answer.json::<Value>().expect_err("not JSON").to_string(), sentence);
    }
    let made_up = Answer::made_up(200, "application/json", "{}");
    assert_eq!(made_up.json::<Value>().expect("JSON"), json!({}));
    // Nested so deeply that reading it could overflow the stack.
    let deep =
        Hostile::start(Behaviour::script(|_| Reply::new(200, "application/json", "[".repeat(200_000)))).await;
    let answer = local().get_json(&deep.url("/")).await.expect("an answer");
    assert!(answer.json::<Value>().is_err());
}

#[tokio::test]
async fn f07_a_redirect_loop_ends_at_its_first_step() {
    let server = Hostile::start(Behaviour::script(|request| Reply::redirect(&request.path))).await;
    let got = local().get_json(&server.url("/loop")).await.expect_err("a redirect");
    let sentence = "127.0.0.1 redirects to 127.0.0.1, which is not followed. Enter the final address.";
    assert_eq!(got.to_string(), sentence);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn f07_a_provider_that_is_down_is_told_by_its_port() {
    let server = Hostile::start(Behaviour::Silent).await;
    let url = server.url("/");
    let port = server.addr.port();
    drop(server);
    // Until the listener is gone.
    let got = loop {
        match local().get_json(&url).await.expect_err("down") {
            OutboundError::CannotConnect { host, port } => break (host, port),
            _ => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    assert_eq!(got, (host(LOOPBACK), port));
}

#[tokio::test]
async fn f07_hostile_providers_do_not_hold_up_a_healthy_one() {
    let healthy = Hostile::start(Behaviour::json(json!({ "fine": true }))).await;
    let patient = Limits { read: Duration::from_secs(60), total: Duration::from_secs(60), ..QUICK };
    let names = Told::new(&[&[LOOPBACK]]);
    let outbound = Outbound::with(allowing(&["127.0.0.0/8"]), patient, names, RootCertStore::empty())
        .expect("an outbound client");
    let mut servers = Vec::new();
    let mut stuck = Vec::new();
    for _ in 0..20 {
        for behaviour in [Behaviour::Silent, Behaviour::Drip(Duration::from_millis(50))] {
            let server = Hostile::start(behaviour).await;
            let (outbound, url) = (outbound.clone(), server.url("/"));
            stuck.push(tokio::spawn(async move { outbound.get_json(&url).await }));
            servers.push(server);
        }
    }
    while servers.iter().any(|server| server.requests().is_empty()) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let url = healthy.url("/");
    let calls = (0..50).map(|_| outbound.get_json(&url));
    for answer in join_all(calls).await {
        assert_eq!(answer.expect("an answer").status, 200);
    }
    assert!(stuck.iter().all(|call| !call.is_finished()), "the healthy one answered while all others hung");
    stuck.iter().for_each(tokio::task::JoinHandle::abort);
}

/// Answers over TLS, as often as it is called. Gives its address and its certificate.
async fn tls_server(name: &str) -> (SocketAddr, rustls::pki_types::CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let certificate = made.cert.der().clone();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("the key of the certificate");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let mut asked = [0; 4096];
                let _ = stream.read(&mut asked).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await;
                let _ = stream.shutdown().await;
            }
        }
    });
    (address, certificate)
}

#[tokio::test]
async fn f07_certificates_are_checked() {
    let (address, certificate) = tls_server("idp.test").await;
    let call = async |name: &str, is_trusted: bool| {
        let mut roots = RootCertStore::empty();
        if is_trusted {
            roots.add(certificate.clone()).expect("a root certificate");
        }
        let names = Told::new(&[&[LOOPBACK]]);
        let outbound =
            Outbound::with(allowing(&["127.0.0.0/8"]), QUICK, names, roots).expect("an outbound client");
        outbound.get_json(&parse(&format!("https://{name}:{}/", address.port()))).await
    };
    assert_eq!(call("idp.test", true).await.expect("an answer").status, 200);
    for (name, is_trusted, sentence) in [
        (
            "idp.test",
            false,
            "There is no secure connection to idp.test: its certificate is from an issuer that is not trusted here.",
        ),
        (
            "other.test",
            true,
            "There is no secure connection to other.test: its certificate is for another name.",
        ),
    ] {
        let got = call(name, is_trusted).await.expect_err("a refusal");
        assert_eq!(got.to_string(), sentence);
        assert!(got.is_transient() && !got.may_have_arrived());
    }

    let plain = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = plain.local_addr().expect("an address");
    tokio::spawn(async move {
        let (mut stream, _) = plain.accept().await.expect("a connection");
        let _ = stream.write_all(b"HTTP/1.1 400 This is plain http\r\n\r\n").await;
    });
    let got = local().get_json(&parse(&format!("https://{address}/"))).await.expect_err("no TLS");
    assert_eq!(got, OutboundError::Tls { host: host(LOOPBACK), reason: "it does not answer with TLS" });
}
