//! What is sent: to the authorization endpoint by the browser, and to the token endpoint by us.
//!
//! A parameter that we set ourselves is looked for in both requests here.

use ipack_domain::provider::RESERVED_AUTHORIZATION;
use ipack_oauth::authorize::code_challenge;
use ipack_storage::{Database, audit_log::Kind};
use ipack_testing::browser::{Browser, Form};
use ipack_testing::flow::{
    CLIENT, SECRET, and, attempt, begin, come_back, encrypt, filled, form, get_token, press_generate,
    provider_field, set_up, token, told, with_endpoints,
};
use ipack_testing::provider::{Provider, basic, field};
use ipack_testing::world::{ANN, World, in_environment, key, open};

on_both!(
    s02_the_challenge_is_s256_and_another_each_time,
    s03_pkce_is_switched_off_for_one_connection_and_the_timeline_says_so,
    s10_a_reserved_parameter_is_an_error_beside_its_row,
    s10_a_reserved_parameter_saved_by_the_api_stops_the_generation,
    s11_there_is_no_implicit_grant,
    s11_the_password_grant_is_off_until_the_operator_allows_it,
    s13_secrets_are_in_no_url_and_odd_ones_arrive,
    parameters_of_both_tables_are_sent_and_reserved_ones_never_twice,
);

async fn start(database: Database) -> (World, Provider, Browser) {
    let world = ipack_testing::flow::world(database).await;
    let provider = Provider::start().await;
    let browser = world.browser(ANN).await;
    (world, provider, browser)
}

async fn s02_the_challenge_is_s256_and_another_each_time(database: Database) {
    let (_world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let mut challenges = Vec::new();
    for round in 1..=2 {
        let began = begin(&mut browser, &key()).await;
        assert_eq!(began.parameter("code_challenge_method").as_deref(), Some("S256"));
        let challenge = began.parameter("code_challenge").expect("a challenge");
        come_back(&mut browser, &provider.agree(&began.url))
            .await
            .assert_shows("Access Token generation successful");
        let calls = provider.token_calls();
        assert_eq!(calls.len(), round);
        let verifier = field(&calls[round - 1], "code_verifier").expect("a verifier");
        assert_eq!(code_challenge(&verifier), challenge);
        assert!(!began.url.as_str().contains(&verifier) && verifier.len() == 43);
        challenges.push(challenge);
    }
    assert_ne!(challenges[0], challenges[1]);
}

async fn s03_pkce_is_switched_off_for_one_connection_and_the_timeline_says_so(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let second = in_environment("env-2");
    world.place("account-1", &second).await;
    set_up(&mut browser, &key(), &provider).await;
    set_up(&mut browser, &second, &provider).await;
    assert_eq!(told(&world, &key(), Kind::PkceSwitched).await.len(), 0);
    let off = and(form(&mut browser, &key()).await, "content[provider][withoutPkce]", "true");
    browser.press(&off, "save").await;
    assert_eq!(told(&world, &key(), Kind::PkceSwitched).await.len(), 1);
    let began = begin(&mut browser, &key()).await;
    let asked = (began.parameter("code_challenge"), began.parameter("code_challenge_method"));
    assert_eq!(asked, (None, None));
    come_back(&mut browser, &provider.agree(&began.url))
        .await
        .assert_shows("Access Token generation successful");
    assert_eq!(field(&provider.token_calls()[0], "code_verifier"), None);
    assert!(
        begin(&mut browser, &second).await.parameter("code_challenge").is_some(),
        "only the one connection"
    );
    let mut on = form(&mut browser, &key()).await;
    on.fields.retain(|(name, _)| name != "content[provider][withoutPkce]");
    browser.press(&on, "save").await;
    assert_eq!(told(&world, &key(), Kind::PkceSwitched).await.len(), 2);
    assert!(begin(&mut browser, &key()).await.parameter("code_challenge").is_some());
}

async fn s10_a_reserved_parameter_is_an_error_beside_its_row(database: Database) {
    let (world, _, mut browser) = start(database).await;
    for reserved in RESERVED_AUTHORIZATION {
        let form = form(&mut browser, &key())
            .await
            .content("base_url", "https://a.example")
            .content("client_id", "c");
        let page = browser.press(&form.row("authorization", 0, reserved, "x"), "save").await;
        let sentence = format!("{reserved} is set by iPack Connect itself");
        let row = page.elements().into_iter().find(|one| one.attribute("value") == Some(reserved));
        let error =
            row.and_then(|row| row.attribute("aria-describedby").map(str::to_owned)).expect("a description");
        let beside = page.elements().into_iter().find(|one| error.split(' ').any(|id| one.is("p", "id", id)));
        assert!(
            beside.is_some_and(|beside| beside.text.starts_with(&sentence)),
            "{reserved}: {}",
            page.text()
        );
    }
    assert_eq!(world.api_read(&key()).await, None);
}

async fn s10_a_reserved_parameter_saved_by_the_api_stops_the_generation(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let details = serde_json::json!({
        "baseURL": provider.issuer(), "clientId": CLIENT, "authParams": {"redirect_uri": "https://evil.example/"},
    });
    world.api_save(&key(), &details.to_string(), CLIENT).await;
    let page = press_generate(&mut browser, &key()).await;
    assert!(page.path.starts_with(&key().form_path()), "{}", page.path);
    page.assert_shows("redirect_uri is set by iPack Connect itself");
    assert_eq!(attempt(&world, &key()).await, None);
    assert!(provider.requests().is_empty(), "{:?}", provider.requests());
}

async fn s11_there_is_no_implicit_grant(database: Database) {
    let (_world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let began = begin(&mut browser, &key()).await;
    let types: Vec<_> = began.url.query_pairs().filter(|(name, _)| name.starts_with("response_")).collect();
    assert_eq!(types, [("response_type".into(), "code".into())]);
    // A token in the address instead of a code is none.
    let (path, _) = provider
        .agree(&began.url)
        .split_once('?')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .expect("a query");
    let state = began.parameter("state").expect("a state");
    let page =
        come_back(&mut browser, &format!("{path}?access_token=stolen&token_type=Bearer&state={state}")).await;
    page.assert_shows("no_code");
    assert_eq!(provider.token_calls().len(), 0);
}

async fn s11_the_password_grant_is_off_until_the_operator_allows_it(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let page = open(&mut browser).await;
    assert!(!page.elements().iter().any(|one| one.is("option", "value", "password")), "it is not offered");
    let form = of_password(&mut browser, &provider).await.with("client_secret", SECRET);
    browser.press(&form, "encrypt-secret").await;
    let page = press_generate(&mut browser, &key()).await;
    page.assert_shows("The password grant is switched off");
    assert!(provider.requests().is_empty());
    assert_eq!(attempt(&world, &key()).await, None);

    let world = world.with_oauth(|oauth| oauth.allowed.password_grant = true);
    let mut browser = world.browser(ANN).await;
    let form = of_password(&mut browser, &provider).await;
    encrypt(&mut browser, form, SECRET).await;
    let form = open(&mut browser).await.connector().with("user_password", "pässword of %the robot");
    browser.press(&form, "encrypt-password").await;
    let page = press_generate(&mut browser, &key()).await;
    page.assert_shows("Access Token generation successful");
    let [call] = &provider.token_calls()[..] else { panic!("one call") };
    assert_eq!(field(call, "grant_type").as_deref(), Some("password"));
    assert_eq!(field(call, "username").as_deref(), Some("robot@example.com"));
    assert_eq!(field(call, "password").as_deref(), Some("pässword of %the robot"));
    assert_eq!(basic(call), Some((CLIENT.into(), SECRET.into())));
    assert!(
        !page.text().contains("robot\u{20}%the") && !page.text().contains("pässword of"),
        "it is not shown"
    );
}

async fn of_password(browser: &mut Browser, provider: &Provider) -> Form {
    let form = filled(form(browser, &key()).await, provider);
    provider_field(provider_field(form, "grant", "password"), "subject", "robot@example.com")
}

async fn s13_secrets_are_in_no_url_and_odd_ones_arrive(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let odd = [("plain-odd-1", "a:b%c d&e=f+g/é€𝄞\"<"), ("id:with %colon", "p%3Aq"), ("ü", "ends:")];
    for (number, (client, secret)) in odd.into_iter().enumerate() {
        for (way, name) in [("client_secret_basic", "b"), ("client_secret_post", "p")] {
            let key = in_environment(&format!("env-{name}{number}"));
            world.place("account-1", &key).await;
            let form = with_endpoints(form(&mut browser, &key).await, &provider).content("client_id", client);
            let form = provider_field(form, "clientAuthentication", way);
            encrypt(&mut browser, form, secret).await;
            let began = begin(&mut browser, &key).await;
            assert!(began.parameter("client_secret").is_none());
            come_back(&mut browser, &provider.agree(&began.url))
                .await
                .assert_shows("Access Token generation successful");
            let calls = provider.token_calls();
            let call = calls.last().expect("a call");
            let proof = match way {
                "client_secret_basic" => basic(call).expect("a Basic header"),
                _ => (
                    field(call, "client_id").expect("an id"),
                    field(call, "client_secret").expect("a secret"),
                ),
            };
            assert_eq!(proof, (client.to_owned(), secret.to_owned()), "{way}");
            assert_eq!(basic(call).is_some(), way == "client_secret_basic");
            assert_eq!(field(call, "client_secret").is_some(), way == "client_secret_post");
            assert!(token(&world, &key).await.is_some());
            let form = ipack_testing::flow::form(&mut browser, &key).await;
            browser.press(&form, "revoke-confirmed").await;
        }
    }
    eventually!((provider.revocations().len() == 6).then_some(()));
    for request in provider.requests() {
        assert!(!request.path.contains('?'), "{}", request.path);
        assert!(["/token", "/revoke"].contains(&request.path.as_str()), "{}", request.path);
    }
}

async fn parameters_of_both_tables_are_sent_and_reserved_ones_never_twice(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let details = |parameters| {
        let (issuer, audience) = (provider.issuer(), serde_json::json!({"audience": "x y&z"}));
        serde_json::json!({"baseURL": issuer, "clientId": CLIENT, "authParams": audience, "accessTokenParams": parameters})
    };
    let reserved = details(serde_json::json!({"grant_type": "password", "code": "stolen"}));
    world.api_save(&key(), &reserved.to_string(), CLIENT).await;
    let page = press_generate(&mut browser, &key()).await;
    page.assert_shows("The grant is chosen under Identity provider");
    page.assert_shows("iPack Connect sets this itself: delete this row");
    browser.press(&page.connector(), "discard").await;
    let fine = details(serde_json::json!({"resource": "https://r.example/ü"}));
    world.api_save(&key(), &fine.to_string(), CLIENT).await;
    let began = begin(&mut browser, &key()).await;
    assert_eq!(began.parameter("audience").as_deref(), Some("x y&z"));
    come_back(&mut browser, &provider.agree(&began.url))
        .await
        .assert_shows("Access Token generation successful");
    let [call] = &provider.token_calls()[..] else { panic!("one call") };
    assert_eq!(field(call, "resource").as_deref(), Some("https://r.example/ü"));
    assert_eq!(field(call, "grant_type").as_deref(), Some("authorization_code"));
    assert_eq!(field(call, "code").as_deref(), Some("code-1"));
    get_token(&mut browser, &key(), &provider).await;
}
