//! What comes back from the provider, and from where: states, browsers, admins, issuers and redirect URIs.
//!
//! Each refusal is proved by the provider, which was not asked for a token.

use ipack_domain::ids::ConnectionKey;
use ipack_storage::{Database, audit_log::Kind};
use ipack_testing::browser::Browser;
use ipack_testing::flow::{attempt, begin, come_back, get_token, set_up, token, told};
use ipack_testing::provider::Provider;
use ipack_testing::world::{ANN, BEN, EVE, World, in_environment, key};

on_both!(
    s01_a_replayed_state_is_refused,
    s01_a_missing_or_unknown_state_is_refused,
    s01_a_foreign_browser_is_refused,
    s01_an_expired_state_is_refused,
    s04_an_issuer_that_differs_or_is_missing_where_announced_ends_the_attempt,
    s05_arriving_on_another_redirect_uri_ends_the_attempt,
    s05_redirect_uris_are_distinct_per_account_and_provider,
    s06_another_signed_in_admin_cannot_finish,
    an_answer_without_session_still_finishes,
    a_second_attempt_takes_the_place_of_the_first,
    the_page_of_an_attempt_is_for_its_own_browser,
);

const FLOW_COOKIE: &str = "ipack_flow";
const LOST: &str = "belongs to no attempt of this browser";

async fn start(database: Database) -> (World, Provider, Browser) {
    let world = ipack_testing::flow::world(database).await;
    let provider = Provider::start().await;
    let browser = world.browser(ANN).await;
    (world, provider, browser)
}

async fn s01_a_replayed_state_is_refused(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let began = begin(&mut browser, &key()).await;
    let callback = provider.agree(&began.url);
    come_back(&mut browser, &callback).await.assert_shows("Access Token generation successful");
    let first = token(&world, &key()).await.expect("a token");
    let another_code = provider.agree(&began.url);
    for again in [callback, another_code] {
        let page = browser.get(&again).await;
        assert_eq!(page.status, 400);
        page.assert_shows(LOST);
    }
    assert_eq!(provider.token_calls().len(), 1);
    assert_eq!(token(&world, &key()).await.expect("a token").id, first.id);
}

async fn s01_a_missing_or_unknown_state_is_refused(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let began = begin(&mut browser, &key()).await;
    let callback = provider.agree(&began.url);
    let state = began.parameter("state").expect("a state");
    let (path, _) = callback.split_once('?').expect("a query");
    for query in [
        String::new(),
        "?code=code-1".into(),
        "?code=code-1&state=".into(),
        format!("?code=code-1&state={}", "A".repeat(43)),
        format!("?code=code-1&state={state}&state={state}"),
        format!("?code=code-1&code=code-1&state={state}"),
        format!("?code=code-1&State={state}"),
    ] {
        let page = browser.get(&format!("{path}{query}")).await;
        assert_eq!(page.status, 400, "{query}");
        page.assert_shows(LOST);
    }
    assert_eq!(provider.token_calls().len(), 0);
    assert_eq!(attempt(&world, &key()).await.expect("an attempt").0, "opened");
    // None of these used the state up.
    come_back(&mut browser, &callback).await.assert_shows("Access Token generation successful");
}

async fn s01_a_foreign_browser_is_refused(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    for foreign in [None, Some("A".repeat(43)), Some("short".to_owned())] {
        let began = begin(&mut browser, &key()).await;
        let callback = provider.agree(&began.url);
        let mut stranger = world.stranger();
        stranger.cookies.extend(foreign.map(|value| (FLOW_COOKIE.to_owned(), value)));
        let page = come_back(&mut stranger, &callback).await;
        assert_eq!(page.status, 400);
        page.assert_shows(LOST);
        let (status, message) = attempt(&world, &key()).await.expect("an attempt");
        assert!(status == "failed" && message.contains("another_browser"), "{status} {message}");
        // The state is used up, whoever comes with it now.
        assert_eq!(browser.get(&callback).await.status, 400);
    }
    assert_eq!(provider.token_calls().len(), 0);
    assert!(token(&world, &key()).await.is_none());
    assert_eq!(told(&world, &key(), Kind::TokenFailed).await, ["came back in another browser"; 3]);
}

async fn s01_an_expired_state_is_refused(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let began = begin(&mut browser, &key()).await;
    world.advance(601);
    let page = browser.get(&provider.agree(&began.url)).await;
    assert_eq!(page.status, 400);
    page.assert_shows(LOST);
    let page = browser.get(&key().form_path()).await;
    page.assert_shows("the identity provider did not answer in time");
    assert_eq!(provider.token_calls().len(), 0);
}

async fn s04_an_issuer_that_differs_or_is_missing_where_announced_ends_the_attempt(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let other = "&iss=http%3A%2F%2F127.0.0.1%3A1".to_owned();
    let right = format!("&iss={}", provider.issuer().replace(':', "%3A").replace('/', "%2F"));
    for (announces, iss) in
        [(false, other.clone()), (true, other), (true, String::new()), (true, format!("{right}%2F"))]
    {
        provider.rules(|rules| rules.announces_issuer = announces);
        let began = begin(&mut browser, &key()).await;
        let page = come_back(&mut browser, &format!("{}{iss}", provider.agree(&began.url))).await;
        page.assert_shows("issuer_mismatch");
        assert_eq!(provider.token_calls().len(), 0, "{announces} {iss}");
    }
    assert_eq!(told(&world, &key(), Kind::TokenFailed).await.len(), 4);
    let began = begin(&mut browser, &key()).await;
    let page = come_back(&mut browser, &format!("{}{right}", provider.agree(&began.url))).await;
    page.assert_shows("Access Token generation successful");
}

async fn s05_arriving_on_another_redirect_uri_ends_the_attempt(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    for (from, to) in [
        ("/account-1/", "/account-2/"),
        ("/127.0.0.1-", "/quickbooks-online-"),
        ("/127.0.0.1-", "/127.0.0.1-0"),
    ] {
        let began = begin(&mut browser, &key()).await;
        let callback = provider.agree(&began.url);
        let elsewhere = callback.replacen(from, to, 1);
        assert_ne!(elsewhere, callback);
        let page = come_back(&mut browser, &elsewhere).await;
        page.assert_shows("redirect_uri_mismatch");
        // The true address is too late.
        assert_eq!(browser.get(&callback).await.status, 400);
    }
    assert_eq!(provider.token_calls().len(), 0);
    assert_eq!(told(&world, &key(), Kind::TokenFailed).await, ["came back on another redirect URI"; 3]);
}

async fn s05_redirect_uris_are_distinct_per_account_and_provider(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let other_provider = Provider::start().await;
    let elsewhere = ConnectionKey { space: "space-2".into(), ..key() };
    world.place("account-2", &elsewhere).await;
    world.place("account-1", &in_environment("env-2")).await;
    let mut eve = world.browser(EVE).await;
    let mut uris = Vec::new();
    for (browser, key, provider) in [(&mut browser, key(), &provider), (&mut eve, elsewhere, &provider)] {
        set_up(browser, &key, provider).await;
        uris.push(begin(browser, &key).await.parameter("redirect_uri").expect("a redirect URI"));
    }
    let second = in_environment("env-2");
    let page = set_up(&mut browser, &second, &other_provider).await;
    let uri = begin(&mut browser, &second).await.parameter("redirect_uri").expect("a redirect URI");
    let shown = page.elements().into_iter().find(|one| one.is("input", "id", "redirect-uri"));
    assert_eq!(shown.and_then(|input| input.attribute("value").map(str::to_owned)).as_ref(), Some(&uri));
    uris.push(uri);
    assert!(
        uris.iter().all(|uri| uri.starts_with("http://127.0.0.1:3000/oauth/callback/account-")),
        "{uris:?}"
    );
    assert!(uris[0] != uris[1] && uris[1] != uris[2] && uris[0] != uris[2], "{uris:?}");
}

async fn s06_another_signed_in_admin_cannot_finish(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    // Another person's browser, signed in to the same account.
    let mut ben = world.browser(BEN).await;
    let callback = provider.agree(&begin(&mut browser, &key()).await.url);
    assert_eq!(come_back(&mut ben, &callback).await.status, 400);
    assert!(attempt(&world, &key()).await.expect("an attempt").1.contains("another_browser"));
    // The same browser, where somebody else signed in meanwhile.
    let callback = provider.agree(&begin(&mut browser, &key()).await.url);
    let cookie = browser.cookies[FLOW_COOKIE].clone();
    ben.cookies.insert(FLOW_COOKIE.into(), cookie);
    come_back(&mut ben, &callback).await.assert_shows("another_admin");
    assert_eq!(provider.token_calls().len(), 0);
    assert!(token(&world, &key()).await.is_none());
}

async fn an_answer_without_session_still_finishes(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let callback = provider.agree(&begin(&mut browser, &key()).await.url);
    // The session ended while the person was at the provider.
    browser.cookies.retain(|name, _| name == FLOW_COOKIE);
    let page = come_back(&mut browser, &callback).await;
    assert!(page.path.starts_with("/login"), "{}", page.path);
    assert_eq!(token(&world, &key()).await.expect("a token").obtained_by, ANN);
    let mut again = world.browser(BEN).await;
    let page = again.get(&key().form_path()).await;
    page.assert_shows("Access Token generation successful");
    page.assert_shows("Regenerate Token");
}

async fn a_second_attempt_takes_the_place_of_the_first(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let first = begin(&mut browser, &key()).await;
    let second = begin(&mut browser, &key()).await;
    assert_ne!(first.parameter("state"), second.parameter("state"));
    come_back(&mut browser, &provider.agree(&first.url)).await;
    assert_eq!(provider.token_calls().len(), 0);
    assert_eq!(attempt(&world, &key()).await.expect("an attempt").0, "opened");
    let page = come_back(&mut browser, &provider.agree(&second.url)).await;
    page.assert_shows("Access Token generation successful");
    assert_eq!(provider.token_calls().len(), 1);
}

async fn the_page_of_an_attempt_is_for_its_own_browser(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let began = begin(&mut browser, &key()).await;
    began.page.assert_shows("Opening Access Token");
    for mut other in [world.stranger(), world.browser(BEN).await] {
        let page = other.get(&began.path).await;
        assert_eq!((page.status.as_u16(), page.header("refresh")), (400, None));
        assert!(!page.text().contains(provider.issuer().as_str()), "{}", page.text());
    }
    let form = world.browser(BEN).await.get(&key().form_path()).await;
    form.assert_shows("Opening Access Token");
    assert!(!form.links().contains(&began.path), "only who began it is led on");
    assert!(browser.get(&key().form_path()).await.links().contains(&began.path));
    for path in ["/oauth/attempts/nothing", "/oauth/attempts/018f0000-0000-7000-8000-000000000000"] {
        assert_eq!(browser.get(path).await.status, 400, "{path}");
    }
    get_token(&mut world.browser(ANN).await, &key(), &provider).await;
}
