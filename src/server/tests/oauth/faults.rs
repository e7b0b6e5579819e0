//! F07 as an admin and the other connections meet it: a provider that is down, slow, endless or talks nonsense.
//!
//! What the client makes of each on its own is in `outbound_faults`; another fault is a row of the first test.

use crate::outbound::{QUICK, Told, allowing};
use ipack_oauth::outbound::Outbound;
use ipack_storage::{Database, audit_log::Kind};
use ipack_testing::browser::Browser;
use ipack_testing::flow::{
    attempt, begin, come_back, encrypt, form, generate, get_token, provider_field, read, runtime, token,
    told, with_endpoints,
};
use ipack_testing::hostile::{Behaviour, Hostile, Reply};
use ipack_testing::provider::Provider;
use ipack_testing::world::{ACCOUNT, ANN, World, in_environment, key};
use rustls::RootCertStore;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

on_both!(
    f07_a_token_endpoint_that_misbehaves_ends_the_attempt_with_a_sentence,
    f07_a_provider_that_hangs_holds_up_no_other_refresh,
    s07_discovery_that_names_another_issuer_fails_with_a_sentence,
    f07_discovery_that_misbehaves_fails_with_a_sentence,
);

/// The limits of these tests, and something for the database.
const BOUND: Duration = Duration::from_secs(8);

async fn start(database: Database) -> (World, Provider, Browser) {
    let world = World::builder(database)
        .ticking()
        .oauth(|oauth| {
            let made =
                Outbound::with(allowing(&["127.0.0.0/8"]), QUICK, Told::new(&[]), RootCertStore::empty());
            oauth.outbound = made.expect("a client");
        })
        .build()
        .await;
    let provider = Provider::start().await;
    let browser = world.browser(ANN).await;
    (world, provider, browser)
}

async fn f07_a_token_endpoint_that_misbehaves_ends_the_attempt_with_a_sentence(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let healthy = in_environment("env-2");
    world.place(ACCOUNT, &healthy).await;
    get_token(&mut browser, &healthy, &provider).await;
    let client = runtime(&world).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    let script = |reply: Reply| Some(Behaviour::script(move |_| reply.clone()));
    for (fault, sentence) in [
        (None, "takes no connections on port"),
        (Some(Behaviour::Silent), "ERROR: 127.0.0.1 "),
        (Some(Behaviour::Drip(Duration::from_millis(50))), "ERROR: 127.0.0.1 "),
        (Some(Behaviour::EndlessBody), "more than the 256 KiB that are read"),
        (Some(Behaviour::GzipBomb), "more than the 256 KiB that are read"),
        (Some(Behaviour::Garbage), "does not answer as a web server does"),
        (script(Reply::new(200, "text/html", "<p>Welcome</p>")), "something that is no token answer: a page"),
        (script(Reply::new(200, "application/json", "<p>{}")), "something that is no token answer: not JSON"),
        (script(Reply::redirect("/token")), "redirects to 127.0.0.1, which is not followed"),
    ] {
        let hangs = matches!(fault, Some(Behaviour::Silent | Behaviour::Drip(_)));
        let sick = match fault {
            Some(behaviour) => Some(Hostile::start(behaviour).await),
            None => None,
        };
        let address = sick.as_ref().map_or(closed, |sick| sick.addr);
        let filled = with_endpoints(form(&mut browser, &key()).await, &provider);
        let filled = provider_field(filled, "tokenEndpoint", &format!("http://{address}/token"));
        encrypt(&mut browser, filled, "hush hush, client").await;
        let callback = provider.agree(&begin(&mut browser, &key()).await.url);
        let began = Instant::now();
        let mut coming_back = browser.clone();
        let coming_back = tokio::spawn(async move { come_back(&mut coming_back, &callback).await });
        // Meanwhile the others get what is theirs.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(read(&world, &client, &healthy).await, Ok("access-2".into()));
        assert!(!hangs || !coming_back.is_finished(), "the others do not wait for this one");
        let page = coming_back.await.expect("no panic");
        assert!(began.elapsed() < BOUND, "{sentence}: {:?}", began.elapsed());
        page.assert_shows(sentence);
        page.assert_shows("Check the token endpoint, under Identity provider");
        assert_eq!(attempt(&world, &key()).await.expect("an attempt").0, "failed");
        if let Some(sick) = sick {
            assert_eq!(sick.requests().len(), 1, "{sentence}: the code is sent once");
        }
    }
    assert_eq!(told(&world, &key(), Kind::TokenFailed).await.len(), 9);
    assert!(token(&world, &key()).await.is_none());
}

async fn f07_a_provider_that_hangs_holds_up_no_other_refresh(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let slow = Provider::start().await;
    let healthy = in_environment("env-2");
    world.place(ACCOUNT, &healthy).await;
    get_token(&mut browser, &key(), &slow).await;
    get_token(&mut browser, &healthy, &provider).await;
    slow.rules(|rules| rules.slow = Duration::from_secs(3));
    world.advance(3_400);
    let began = Instant::now();
    let services = world.services.clone();
    let refreshing = tokio::spawn(async move { services.refresh_due().await });
    eventually!(token(&world, &healthy).await.filter(|token| token.version == 2));
    assert_eq!(token(&world, &key()).await.expect("a token").failures, 0, "the other one hangs still");
    assert_eq!(refreshing.await.expect("no panic").expect("looked"), 1);
    assert!(began.elapsed() < BOUND);
    let row = token(&world, &key()).await.expect("a token");
    assert!(row.failures == 1 && !row.is_broken && row.refresh_at.is_some(), "{row:?}");
    let client = runtime(&world).await;
    assert_eq!(read(&world, &client, &key()).await, Ok("access-2".into()), "it is good for a while");
}

async fn s07_discovery_that_names_another_issuer_fails_with_a_sentence(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    provider.rules(|rules| rules.issuer = Some("https://evil.example".into()));
    ipack_testing::flow::set_up(&mut browser, &key(), &provider).await;
    let page = ipack_testing::flow::press_generate(&mut browser, &key()).await;
    assert!(page.path.starts_with(&key().form_path()), "{}", page.path);
    page.assert_shows("name another issuer, https://evil.example: they are not believed");
    assert_eq!(attempt(&world, &key()).await.expect("an attempt").0, "failed");
    assert_eq!(provider.token_calls().len(), 0);
    provider.rules(|rules| rules.issuer = None);
    generate(&mut browser, &key(), &provider).await.assert_shows("Access Token generation successful");
}

async fn f07_discovery_that_misbehaves_fails_with_a_sentence(database: Database) {
    let (world, _, mut browser) = start(database).await;
    for (behaviour, sentence) in [
        (Behaviour::Silent, "cannot be asked for its metadata: 127.0.0.1 "),
        (Behaviour::EndlessBody, "more than the 256 KiB that are read"),
        (
            Behaviour::script(|_| Reply::new(200, "text/html", "<p>Welcome</p>")),
            "publishes no metadata of an identity provider",
        ),
        (Behaviour::script(|_| Reply::redirect("/")), "publishes no metadata of an identity provider"),
    ] {
        let sick = Hostile::start(behaviour).await;
        let filled = form(&mut browser, &key()).await.content("base_url", &format!("http://{}", sick.addr));
        encrypt(&mut browser, filled.content("client_id", "c"), "hush hush, client").await;
        let began = Instant::now();
        let page = ipack_testing::flow::press_generate(&mut browser, &key()).await;
        assert!(began.elapsed() < BOUND, "{sentence}: {:?}", began.elapsed());
        page.assert_shows(sentence);
        assert_eq!(attempt(&world, &key()).await.expect("an attempt").0, "failed");
        assert!(sick.requests().iter().all(|request| request.method == "GET"), "no secret was sent");
    }
}
