//! The access token as integration runtimes get it, through the API.
//!
//! What a caller may not learn is shown by comparing whole answers.

use ipack_core::{Services, tokens::access_token::Wanted};
use ipack_storage::{
    Database,
    audit_log::{self, Kind},
    on_connection,
};
use ipack_testing::api::Tenant;
use ipack_testing::browser::Browser;
use ipack_testing::flow::{begin, get_token, read, runtime, set_up, tenant, token, told};
use ipack_testing::provider::Provider;
use ipack_testing::world::{ACCOUNT, ANN, SPACE, World, key, oauth, setup};
use serde_json::{Value, json};

on_both!(
    the_permission_is_needed_and_asked_each_time,
    another_tenants_connection_is_as_good_as_absent,
    a_token_about_to_run_out_is_refreshed_before_it_is_handed_out,
    reads_are_counted_in_one_entry_an_hour,
    reads_by_two_tokens_of_one_name_are_told_apart,
    the_vault_is_opened_once_for_many_reads,
    the_token_is_what_the_sibling_query_tells_and_a_save_still_echoes,
    nothing_to_read_is_a_clear_conflict,
);

const READ: &str = "query ($input: IPackInstanceOAuthConnectorDetailsInput!) {
    iPackInstanceOauthAccessToken(input: $input) { accessToken tokenType expiresAt scope } }";
const FIND: &str = "query ($input: IPackInstanceOAuthConnectorDetailsInput!) {
    IPackInstanceOAuthConnectorDetails(input: $input) { isTokenGenerated } }";
const SAVE: &str = "mutation ($input: SaveIPackInstanceOauthConnectorDetailsInput!) {
    saveIPackInstanceOauthConnectorDetails(input: $input) { isTokenGenerated } }";

fn input() -> Value {
    json!({"integrationPackInstanceId": "instance-1", "envId": "env-1", "processId": "process-1",
        "connectionId": "connection-1", "catalogGuid": SPACE})
}

async fn start(database: Database) -> (World, Provider, Browser) {
    let world = ipack_testing::flow::world(database).await;
    let provider = Provider::start().await;
    let browser = world.browser(ANN).await;
    (world, provider, browser)
}

async fn the_permission_is_needed_and_asked_each_time(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    provider.rules(|rules| rules.scope = Some("read write".into()));
    get_token(&mut browser, &key(), &provider).await;
    let without = tenant(&world, ACCOUNT, SPACE, false).await;
    let reply = world.ask(&without, READ, json!({"input": input()})).await;
    assert_eq!(reply.code(), "FORBIDDEN");
    assert!(!reply.text.contains("access-2"));
    let with = tenant(&world, ACCOUNT, SPACE, true).await;
    let found = world.ask(&with, READ, json!({"input": input()})).await.data("iPackInstanceOauthAccessToken");
    assert_eq!(found["accessToken"], "access-2");
    assert_eq!(found["tokenType"], "Bearer");
    assert_eq!(found["scope"], "read write");
    let expires = token(&world, &key()).await.expect("a token").expires_at.expect("an expiry");
    assert_eq!(found["expiresAt"], expires.iso());
    // The JWT is still good; what it was made with is not.
    world.services.revoke_token(ACCOUNT, &with.username).await.expect("withdrawn");
    let reply = world.ask(&with, READ, json!({"input": input()})).await;
    assert!(!reply.text.contains("access-2"), "{}", reply.text);
    assert_eq!(reply.code(), "FORBIDDEN");
}

async fn another_tenants_connection_is_as_good_as_absent(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    let elsewhere = tenant(&world, "account-2", "space-2", true).await;
    let ask = |space: &'static str, instance: &'static str| {
        let (world, mut input) = (&world, input());
        input["catalogGuid"] = space.into();
        input["integrationPackInstanceId"] = instance.into();
        let caller = Tenant { space: space.into(), ..elsewhere.clone() };
        async move { world.ask(&caller, READ, json!({"input": input})).await.text }
    };
    let theirs = ask(SPACE, "instance-1").await;
    assert!(theirs.contains("SPACE_NOT_FOUND"), "{theirs}");
    assert_eq!(theirs, ask("no-such-space", "instance-1").await);
    // In one's own Space, that connection is one that has no token.
    assert_eq!(ask("space-2", "instance-1").await, ask("space-2", "no-such-instance").await);
    // A guid that is not the header's.
    let reply = world.ask(&elsewhere, READ, json!({"input": input()})).await;
    assert!(!reply.text.contains("access-2"), "{}", reply.text);
    assert_eq!(told(&world, &key(), Kind::TokenRead).await.len(), 0);
}

async fn a_token_about_to_run_out_is_refreshed_before_it_is_handed_out(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    let client = runtime(&world).await;
    world.advance(3_560);
    assert_eq!(read(&world, &client, &key()).await, Ok("access-2".into()), "40 seconds are enough");
    world.advance(20);
    assert_eq!(read(&world, &client, &key()).await, Ok("access-3".into()));
    assert_eq!(read(&world, &client, &key()).await, Ok("access-3".into()));
    assert_eq!(provider.token_calls().len(), 2);
    // Long after it ran out, as where nobody was there to refresh it.
    world.advance(100_000);
    assert_eq!(read(&world, &client, &key()).await, Ok("access-4".into()));
    assert_eq!(provider.revoked_families(), 0);
}

async fn reads_are_counted_in_one_entry_an_hour(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    provider.rules(|rules| rules.expires_in = Some(1_000_000));
    get_token(&mut browser, &key(), &provider).await;
    let client = runtime(&world).await;
    let counted = || async {
        let entries = read_now!(world.database, db => audit_log::latest(db, &key(), 100));
        let mut times: Vec<_> = entries
            .into_iter()
            .filter(|entry| entry.kind == Some(Kind::TokenRead))
            .map(|entry| entry.times)
            .collect();
        times.sort_unstable();
        times
    };
    for reads in [5, 3] {
        for _ in 0..reads {
            read(&world, &client, &key()).await.expect("a token");
        }
        world.services.write_uses().await.expect("written");
    }
    world.services.write_uses().await.expect("there is nothing to write");
    assert_eq!(counted().await, [Some(8)]);
    world.browser(ANN).await.get(&key().form_path()).await.assert_shows("read the access token 8 times");
    world.advance(3_600);
    read(&world, &client, &key()).await.expect("a token");
    world.services.write_uses().await.expect("written");
    assert_eq!(counted().await, [Some(1), Some(8)]);
}

async fn reads_by_two_tokens_of_one_name_are_told_apart(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    let (one, two) = (runtime(&world).await, runtime(&world).await);
    assert_eq!(one.name, two.name);
    for client in [&one, &two, &two] {
        read(&world, client, &key()).await.expect("a token");
    }
    world.services.write_uses().await.expect("written");
    for (client, times) in [(one, 1), (two, 2)] {
        let entry = format!(
            "timeline WHERE kind = 'token_read' AND detail = '{}' AND times = {times}",
            client.username
        );
        assert_eq!(world.count(&entry).await, 1, "{entry}");
    }
}

async fn the_vault_is_opened_once_for_many_reads(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    let client = runtime(&world).await;
    assert_eq!(read(&world, &client, &key()).await, Ok("access-2".into()));
    // What is sealed is spoilt behind its back: who opens it again is found out.
    let sql = "UPDATE tokens SET access_token = $1 RETURNING version";
    write_now!(world.database, db => async {
        on_connection!(db, executor =>
            sqlx::query_scalar::<_, i64>(sql).bind(vec![7_u8; 80]).fetch_one(executor))
    });
    for _ in 0..50 {
        assert_eq!(read(&world, &client, &key()).await, Ok("access-2".into()));
    }
    let fresh = Services::new(world.database.clone(), world.services.clock.clone(), setup(oauth()));
    let refused =
        fresh.await.expect("it starts").access_token(&client, Some(SPACE), &key(), &Wanted::default()).await;
    assert!(refused.is_err_and(|error| error.to_string() == "a sealed value does not open"));
    // Another version is opened anew.
    world.advance(3_301);
    assert_eq!(world.services.refresh_due().await.expect("looked"), 1);
    assert_eq!(read(&world, &client, &key()).await, Ok("access-3".into()));
}

async fn the_token_is_what_the_sibling_query_tells_and_a_save_still_echoes(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let caller = tenant(&world, ACCOUNT, SPACE, false).await;
    let is_generated = || async {
        let reply = world.ask(&caller, FIND, json!({"input": input()})).await;
        reply.data("IPackInstanceOAuthConnectorDetails")["isTokenGenerated"].clone()
    };
    assert_eq!(is_generated().await, false);
    let began = begin(&mut browser, &key()).await;
    assert_eq!(is_generated().await, false, "begun is not got");
    ipack_testing::flow::come_back(&mut browser, &provider.agree(&began.url)).await;
    assert_eq!(is_generated().await, true);
    for claimed in [false, true] {
        let mut save = input();
        let details =
            json!({"baseURL": provider.issuer(), "clientId": ipack_testing::flow::CLIENT}).to_string();
        for (name, value) in [
            ("isTokenGenerated", json!(claimed)),
            ("oauthConnectorDetails", json!(details)),
            ("clientId", json!(ipack_testing::flow::CLIENT)),
            ("clientSecret", json!("ignored")),
        ] {
            save[name] = value;
        }
        let reply = world.ask(&caller, SAVE, json!({"input": save})).await;
        assert_eq!(reply.data("saveIPackInstanceOauthConnectorDetails")["isTokenGenerated"], claimed);
        assert_eq!(is_generated().await, true);
    }
}

async fn nothing_to_read_is_a_clear_conflict(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let caller = tenant(&world, ACCOUNT, SPACE, true).await;
    let reply = world.ask(&caller, READ, json!({"input": input()})).await;
    assert_eq!(reply.code(), "CONFLICT");
    assert!(
        reply.message().starts_with("There is no access token for this connection yet"),
        "{}",
        reply.text
    );
    let mut unknown = input();
    unknown["connectionId"] = "never-met".into();
    let reply = world.ask(&caller, READ, json!({"input": unknown})).await;
    assert_eq!(reply.code(), "CONFLICT");
}
