//! What providers answer, read and kept: from public reports, tried through the whole program. The spellings are tried
//! one by one in `ipack_oauth::token_answer`.

use ipack_oauth::presets;
use ipack_storage::{Database, audit_log::Kind};
use ipack_testing::browser::{Browser, Page};
use ipack_testing::flow::{
    SECRET, begin, come_back, encrypt, filled, form, get_token, provider_field, read, runtime, set_up,
    tenant, token, told,
};
use ipack_testing::hostile::Reply;
use ipack_testing::provider::{Provider, field};
use ipack_testing::world::{ACCOUNT, ANN, SPACE, World, key};
use serde_json::{Value, json};

on_both!(
    what_came_beside_the_token_is_sealed_shown_and_given_to_runtimes,
    wrapped_answers_are_read,
    a_failure_inside_of_a_success_is_told_in_its_own_words,
    a_refusal_on_the_way_back_is_told_whatever_its_parameters,
    scopes_with_commas_are_no_smaller_grant,
    a_token_without_lifetime_and_refresh_token_never_expires,
    a_preset_asks_for_a_lifetime_and_stands_in_where_none_is_named,
    a_refresh_token_is_used_before_it_dies,
    a_refresh_replaces_what_came_beside,
);

const READ: &str = "query ($input: IPackInstanceOAuthConnectorDetailsInput!) {
    iPackInstanceOauthAccessToken(input: $input) { accessToken tokenType expiresAt scope extra } }";

async fn start(database: Database) -> (World, Provider, Browser) {
    let world = ipack_testing::flow::world(database).await;
    let provider = Provider::start().await;
    let browser = world.browser(ANN).await;
    (world, provider, browser)
}

/// Generates a token that the provider gives in this answer.
async fn answered(browser: &mut Browser, provider: &Provider, reply: Reply) -> Page {
    let began = begin(browser, &key()).await;
    provider.answers_next(reply);
    come_back(browser, &provider.agree(&began.url)).await
}

async fn read_all(world: &World) -> Value {
    let caller = tenant(world, ACCOUNT, SPACE, true).await;
    let input = json!({"integrationPackInstanceId": "instance-1", "envId": "env-1", "processId": "process-1",
        "connectionId": "connection-1", "catalogGuid": SPACE});
    world.ask(&caller, READ, json!({"input": input})).await.data("iPackInstanceOauthAccessToken")
}

async fn what_came_beside_the_token_is_sealed_shown_and_given_to_runtimes(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let beside = json!({"instance_url": "https://eu5.crm.example", "hub_id": 42, "id_token": "eyJ-canary"});
    let mut answer = beside.clone();
    (answer["access_token"], answer["token_type"], answer["expires_in"]) =
        ("a".into(), "bearer".into(), 60.into());
    let page = answered(&mut browser, &provider, Reply::json(200, &answer)).await;
    page.assert_shows("Access Token generation successful");
    page.assert_shows("instance_url: https://eu5.crm.example");
    page.assert_shows("hub_id: 42");
    page.assert_shows("id_token: a secret, sealed");
    assert!(!page.text().contains("canary"));
    let sealed = token(&world, &key()).await.expect("a token").extra.expect("it came with something");
    assert!(!String::from_utf8_lossy(&sealed).contains("canary") && sealed.len() > beside.to_string().len());
    let found = read_all(&world).await;
    assert_eq!((&found["extra"], &found["tokenType"]), (&beside, &json!("Bearer")));
    // With nothing beside it there is nothing.
    answered(&mut browser, &provider, Reply::json(200, &json!({"access_token": "b"}))).await;
    assert_eq!(read_all(&world).await["extra"], Value::Null);
}

async fn wrapped_answers_are_read(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let client = runtime(&world).await;
    let form = "access_token=form&expires_in=3600&scope=a%2Cb";
    let replies = [
        (
            "nested",
            Reply::json(200, &json!({"code": 0, "data": {"access_token": "nested", "expires_in": 3_600}})),
        ),
        (
            "user",
            Reply::json(
                200,
                &json!({"ok": true, "authed_user": {"access_token": "user", "expires_in": "3600"}}),
            ),
        ),
        ("form", Reply::new(200, "application/x-www-form-urlencoded", form)),
        ("form", Reply::new(200, "text/plain", form)),
        ("bom", Reply::new(200, "application/json", "\u{feff}{\"access_token\":\"bom\",\"expires\":3600}")),
    ];
    for (expected, reply) in replies {
        let page = answered(&mut browser, &provider, reply).await;
        page.assert_shows("Access Token generation successful");
        assert_eq!(read(&world, &client, &key()).await, Ok(expected.to_owned()));
        let row = token(&world, &key()).await.expect("a token");
        assert_eq!(row.expires_at.map(|at| (at.0 - row.obtained_at.0) / 60_000_000), Some(59), "{expected}");
    }
}

async fn a_failure_inside_of_a_success_is_told_in_its_own_words(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    for (reply, words) in [
        (Reply::json(200, &json!({"ok": false, "error": "invalid_client_id"})), "invalid_client_id"),
        (Reply::json(200, &json!({"Durum": "Hata", "Mesaj": "Anahtar bulunamadi"})), "Anahtar bulunamadi"),
        (Reply::new(200, "text/html", "<title>Signed out</title>"), "Signed out"),
        (Reply::new(200, "text/plain", "Maintenance until noon"), "Maintenance until noon"),
        (Reply::json(200, &json!({"echo": ipack_testing::flow::SECRET})), "echo: …"),
    ] {
        let page = answered(&mut browser, &provider, reply).await;
        page.assert_shows(
            "Error attempting to retrieve OAuth Access token. ERROR: 127.0.0.1 answered HTTP 200",
        );
        page.assert_shows(words);
        assert!(!page.shows(ipack_testing::flow::SECRET));
    }
    assert_eq!(told(&world, &key(), Kind::TokenFailed).await.len(), 5);
}

async fn a_refusal_on_the_way_back_is_told_whatever_its_parameters(database: Database) {
    let (_world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    for (query, words) in [
        ("error_code=1349&error_message=The+app+is+in+development", "The app is in development"),
        ("error=access_denied&error_reason=user_denied", "access_denied"),
        ("problem=Licence+ended", "problem: Licence ended"),
    ] {
        let began = begin(&mut browser, &key()).await;
        let callback = provider.refuse(&began.url, "-", "-");
        let (path, _) = callback.split_once('?').expect("a query");
        let state = began.parameter("state").expect("a state");
        let page = come_back(&mut browser, &format!("{path}?{query}&state={state}")).await;
        page.assert_shows("Authorization Code not received");
        page.assert_shows(words);
    }
}

async fn scopes_with_commas_are_no_smaller_grant(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let form = provider_field(filled(form(&mut browser, &key()).await, &provider), "scopes", "read write");
    encrypt(&mut browser, form, SECRET).await;
    for scope in [json!("read,write"), json!("write, read"), json!(["read", "write"]), json!("")] {
        let reply = Reply::json(200, &json!({"access_token": "a", "scope": scope}));
        let page = answered(&mut browser, &provider, reply).await;
        assert!(
            page.shows("generation successful") && !page.shows("granted less"),
            "{scope}: {}",
            page.text()
        );
        let mut granted: Vec<_> =
            read_all(&world).await["scope"].as_str().expect("a text").split(' ').map(str::to_owned).collect();
        granted.sort_unstable();
        assert_eq!(granted, ["read", "write"], "{scope}");
    }
}

async fn a_token_without_lifetime_and_refresh_token_never_expires(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    // A preset that knows a usual lifetime, and whose endpoints are under the Base URL.
    let form = provider_field(filled(form(&mut browser, &key()).await, &provider), "provider", "shopify");
    let form = provider_field(form, "tokenLifetime", "never");
    encrypt(&mut browser, form, SECRET).await;
    let reply = Reply::json(200, &json!({"access_token": "a", "token_type": "bot"}));
    answered(&mut browser, &provider, reply).await.assert_shows("The provider names none");
    world.advance(400 * 24 * 3_600);
    assert_eq!(world.services.refresh_due().await.expect("looked"), 0);
    let found = read_all(&world).await;
    assert_eq!(
        (&found["accessToken"], &found["expiresAt"], &found["tokenType"]),
        (&json!("a"), &Value::Null, &json!("Bearer"))
    );
}

/// Zendesk's answers may have a refresh token and name no lifetime, while its tokens live for half an hour.
async fn a_preset_asks_for_a_lifetime_and_stands_in_where_none_is_named(database: Database) {
    let (world, provider, _) = start(database).await;
    let preset = presets::find("zendesk").expect("known");
    assert_eq!(preset.token_parameters["expires_in"], "1800");
    assert_eq!(preset.access_token_seconds, Some(1_800));
    // What a person chose, what the provider names, and how long the token lives.
    for (chosen, named, lives) in [
        ("", None, Some(1_800)),
        ("", Some(json!(1_800)), Some(1_800)),
        ("", Some(json!("300")), Some(300)),
        ("", Some(json!(172_800)), Some(172_800)),
        ("", Some(json!(0)), Some(1_800)),
        ("", Some(Value::Null), Some(1_800)),
        ("600", None, Some(600)),
        ("600", Some(json!(1_800)), Some(1_800)),
        ("never", None, None),
    ] {
        // Another session: tokens may outlive one.
        let mut browser = world.browser(ANN).await;
        let form = filled(form(&mut browser, &key()).await, &provider);
        let form = provider_field(form, "provider", &preset.id);
        encrypt(&mut browser, provider_field(form, "tokenLifetime", chosen), SECRET).await;
        let began = begin(&mut browser, &key()).await;
        assert_eq!(began.url.path(), "/oauth/authorizations/new");
        let reply = |access: &str| {
            let mut reply = json!({"access_token": access, "refresh_token": "r", "token_type": "bearer"});
            if let Some(named) = &named {
                reply["expires_in"] = named.clone();
            }
            Reply::json(200, &reply)
        };
        let before = provider.token_calls().len();
        provider.answers_next(reply("first"));
        come_back(&mut browser, &provider.agree(&began.url))
            .await
            .assert_shows("Access Token generation successful");
        let client = runtime(&world).await;
        assert_eq!(read(&world, &client, &key()).await, Ok("first".to_owned()));
        let Some(lives) = lives else {
            assert_eq!(read_all(&world).await["expiresAt"], Value::Null, "{named:?}");
            continue;
        };
        // Nobody gets the token once it is over, and it is refreshed before.
        provider.answers_next(reply("second"));
        world.advance(lives + 1);
        assert_eq!(read(&world, &client, &key()).await, Ok("second".to_owned()), "{chosen} {named:?}");
        for call in &provider.token_calls()[before..] {
            assert_eq!(field(call, "expires_in").as_deref(), Some("1800"));
            assert_eq!(field(call, "refresh_token_expires_in").as_deref(), Some("2592000"));
        }
        assert_eq!(provider.token_calls().len(), before + 2);
        let row = token(&world, &key()).await.expect("a token");
        let expires = row.expires_at.expect("it ends").seconds() - world.services.clock.now().seconds();
        assert!((lives - 5..=lives).contains(&expires), "{chosen} {named:?}: {expires}");
        let wait = row.refresh_at.expect("it is refreshed").seconds() - world.services.clock.now().seconds();
        assert!(0 < wait && wait < expires, "{chosen} {named:?}: {wait}");
    }
}

async fn a_refresh_token_is_used_before_it_dies(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let reply =
        json!({"access_token": "a", "refresh_token": "r", "expires_in": 36_000, "refresh_expires_in": 1_800});
    answered(&mut browser, &provider, Reply::json(200, &reply)).await;
    world.advance(1_400);
    assert_eq!(world.services.refresh_due().await.expect("looked"), 0);
    world.advance(110);
    provider.answers_next(Reply::json(200, &json!({"access_token": "b", "expires_in": 36_000})));
    assert_eq!(world.services.refresh_due().await.expect("looked"), 1);
    assert_eq!(read(&world, &runtime(&world).await, &key()).await, Ok("b".to_owned()));
}

async fn a_refresh_replaces_what_came_beside(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    for beside in [json!({"tenant": "one"}), json!({"tenant": "two"})] {
        let mut reply = beside.clone();
        (reply["access_token"], reply["expires_in"]) = ("a".into(), 3_600.into());
        provider.answers_next(Reply::json(200, &reply));
        world.advance(3_301);
        assert_eq!(world.services.refresh_due().await.expect("looked"), 1);
        assert_eq!(read_all(&world).await["extra"], beside);
    }
}
