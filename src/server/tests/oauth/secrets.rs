//! Client secrets over their life: encrypted by the form and by the API, replaced, reset, and gone with an instance.
//!
//! What a reset or an uninstall takes away at the provider is read from the requests that it got.

use ipack_storage::{Database, audit_log::Kind, on_connection};
use ipack_testing::api::Tenant;
use ipack_testing::browser::Browser;
use ipack_testing::flow::{
    CLIENT, SECRET, begin, come_back, encrypt, filled, form, generate, get_token, press_generate, read,
    runtime, secrets, set_up, tenant, token, told,
};
use ipack_testing::provider::{Provider, basic, field};
use ipack_testing::world::{ACCOUNT, ANN, BEN, SPACE, World, in_environment, key};
use serde_json::{Value, json};

on_both!(
    the_api_encrypts_and_resets_and_the_seeds_mutation_never_touches_a_sealed_secret,
    a_replacement_waits_until_a_token_verified_it,
    a_reset_asks_first_where_there_is_a_token_and_revokes_it,
    a_revocation_that_fails_is_told_and_forgets_all_the_same,
    an_uninstall_revokes_and_the_account_remembers,
    an_unattachment_revokes_what_was_there_alone,
    every_environment_gets_a_sealed_secret_of_its_own,
    an_empty_or_endless_secret_is_refused_beside_the_field,
);

const ENCRYPT: &str = "mutation ($input: EncryptIPackInstanceOauthClientSecretInput!) {
    encryptIPackInstanceOauthClientSecret(input: $input) { connectionId isClientSecretEncrypted encryptedBy encryptedAt } }";
const RESET: &str = "mutation ($input: IPackInstanceOAuthConnectorDetailsInput!) {
    resetIPackInstanceOauthClientSecret(input: $input) { isClientSecretEncrypted encryptedBy } }";
const SAVE: &str = "mutation ($input: SaveIPackInstanceOauthConnectorDetailsInput!) {
    saveIPackInstanceOauthConnectorDetails(input: $input) { id } }";
const UNINSTALL: &str = "mutation ($id: ID!) { integrationPackInstanceUninstall(id: $id) }";

fn input() -> Value {
    json!({"integrationPackInstanceId": "instance-1", "envId": "env-1", "processId": "process-1",
        "connectionId": "connection-1", "catalogGuid": SPACE})
}

fn with(fields: &[(&str, Value)]) -> Value {
    let mut input = input();
    for (name, value) in fields {
        input[*name] = value.clone();
    }
    json!({"input": input})
}

async fn start(database: Database) -> (World, Provider, Browser) {
    let world = ipack_testing::flow::world(database).await;
    let provider = Provider::start().await;
    let browser = world.browser(ANN).await;
    (world, provider, browser)
}

async fn save(world: &World, caller: &Tenant, provider: &Provider) {
    let details = json!({"baseURL": provider.issuer(), "clientId": CLIENT}).to_string();
    let variables = with(&[
        ("isTokenGenerated", json!(false)),
        ("oauthConnectorDetails", json!(details)),
        ("clientId", json!(CLIENT)),
        ("clientSecret", json!("the seed's own")),
    ]);
    world.ask(caller, SAVE, variables).await.data("saveIPackInstanceOauthConnectorDetails");
}

async fn the_api_encrypts_and_resets_and_the_seeds_mutation_never_touches_a_sealed_secret(
    database: Database,
) {
    let (world, provider, mut browser) = start(database).await;
    let caller = tenant(&world, ACCOUNT, SPACE, false).await;
    let sealing = with(&[("clientSecret", json!(SECRET))]);
    let early = world.ask(&caller, ENCRYPT, sealing.clone()).await;
    assert_eq!(early.code(), "CONFLICT", "nothing is saved yet");
    save(&world, &caller, &provider).await;
    assert!(secrets(&world, &key()).await.is_empty(), "the seed's mutation seals nothing");
    let reply = world.ask(&caller, ENCRYPT, sealing).await;
    assert!(!reply.text.contains(SECRET));
    let answer = reply.data("encryptIPackInstanceOauthClientSecret");
    assert_eq!(answer["isClientSecretEncrypted"], true);
    assert_eq!(answer["encryptedBy"], "API token runtime");
    let sealed = secrets(&world, &key()).await;
    save(&world, &caller, &provider).await;
    let after = secrets(&world, &key()).await;
    assert_eq!((after.len(), after[0].id, &after[0].sealed), (1, sealed[0].id, &sealed[0].sealed));
    browser.get(&key().form_path()).await.assert_shows("Encrypted by API token runtime");
    generate(&mut browser, &key(), &provider).await.assert_shows("Access Token generation successful");
    assert_eq!(basic(&provider.token_calls()[0]), Some((CLIENT.into(), SECRET.into())));
    for wrong in [json!(""), json!(null), json!(7), json!(" ")] {
        let reply = world.ask(&caller, ENCRYPT, with(&[("clientSecret", wrong)])).await;
        let (code, at, _) = reply.error();
        assert_eq!((code.as_str(), at.as_deref()), ("BAD_USER_INPUT", Some("clientSecret")));
    }

    let elsewhere = tenant(&world, "account-2", "space-2", true).await;
    for (mutation, variables) in [(ENCRYPT, with(&[("clientSecret", json!("theirs"))])), (RESET, with(&[]))] {
        let theirs = Tenant { space: SPACE.into(), ..elsewhere.clone() };
        assert_eq!(world.ask(&theirs, mutation, variables).await.code(), "SPACE_NOT_FOUND");
    }
    assert_eq!(secrets(&world, &key()).await[0].id, sealed[0].id);

    let answer = world.ask(&caller, RESET, with(&[])).await.data("resetIPackInstanceOauthClientSecret");
    assert_eq!(answer, json!({"isClientSecretEncrypted": false, "encryptedBy": null}));
    assert!(secrets(&world, &key()).await.is_empty() && token(&world, &key()).await.is_none());
    let revoked = eventually!(provider.revocations().pop());
    assert_eq!(field(&revoked, "token").as_deref(), Some("refresh-2"));
}

async fn a_replacement_waits_until_a_token_verified_it(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    provider.rules(|rules| rules.secrets = vec![SECRET.into(), "a better secret".into()]);
    get_token(&mut browser, &key(), &provider).await;
    let first = token(&world, &key()).await.expect("a token");
    let slots = || async {
        let mut slots: Vec<_> =
            secrets(&world, &key()).await.into_iter().map(|secret| secret.slot.name()).collect();
        slots.sort_unstable();
        slots
    };
    // One that does not work changes nothing.
    let filled = form(&mut browser, &key()).await;
    let page = encrypt(&mut browser, filled, "a wrong secret").await;
    page.assert_shows(&format!("{ANN} encrypted a replacement "));
    assert_eq!(slots().await, ["current", "replacement"]);
    generate(&mut browser, &key(), &provider).await.assert_shows("invalid_client");
    assert_eq!(slots().await, ["current", "replacement"]);
    assert_eq!(token(&world, &key()).await.expect("a token").id, first.id);
    world.advance(3_301);
    assert_eq!(world.services.refresh_due().await.expect("looked"), 1, "the old one keeps working");
    // One that was a mistake can be taken back.
    let mut browser = world.browser(ANN).await;
    let filled = form(&mut browser, &key()).await;
    let page = browser.press(&filled, "discard-replacement").await;
    assert!(!page.shows("encrypted a replacement"), "{}", page.text());
    assert_eq!(slots().await, ["current"]);
    // One that works takes over with its first token.
    let filled = form(&mut browser, &key()).await;
    encrypt(&mut browser, filled, "a better secret").await;
    assert_eq!(slots().await, ["current", "replacement"]);
    let page = generate(&mut browser, &key(), &provider).await;
    page.assert_shows("Access Token generation successful");
    assert!(!page.shows("encrypted a replacement"));
    assert_eq!(slots().await, ["current"]);
    provider.rules(|rules| rules.secrets = vec!["a better secret".into()]);
    world.advance(3_301);
    assert_eq!(world.services.refresh_due().await.expect("looked"), 1);
    let used: Vec<_> = provider.token_calls().iter().filter_map(|call| Some(basic(call)?.1)).collect();
    assert_eq!(used, [SECRET, "a wrong secret", SECRET, "a better secret", "a better secret"]);
    assert_eq!(told(&world, &key(), Kind::SecretReplaced).await.len(), 3);
}

async fn a_reset_asks_first_where_there_is_a_token_and_revokes_it(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    let filled = form(&mut browser, &key()).await;
    let page = browser.press(&filled, "reset-secret").await;
    page.assert_shows("the token is revoked at the provider");
    assert!(page.has_button("reset-secret-confirmed") && token(&world, &key()).await.is_some());
    assert!(provider.revocations().is_empty() && secrets(&world, &key()).await.len() == 1);
    let page = browser.press(&page.connector(), "reset-secret-confirmed").await;
    assert!(!page.shows("Encrypted by") && page.has_button("encrypt-secret") && page.shows("Generate Token"));
    assert!(secrets(&world, &key()).await.is_empty() && token(&world, &key()).await.is_none());
    let outcome = eventually!(told(&world, &key(), Kind::TokenRevoked).await.pop());
    assert_eq!(outcome, "the provider has revoked the token");
    let [revoked] = &provider.revocations()[..] else { panic!("one revocation") };
    assert_eq!(field(revoked, "token").as_deref(), Some("refresh-2"));
    assert_eq!(field(revoked, "token_type_hint").as_deref(), Some("refresh_token"));
    assert_eq!(basic(revoked), Some((CLIENT.into(), SECRET.into())));
    assert_eq!(
        read(&world, &runtime(&world).await, &key()).await.map_err(|why| why.contains("no access token")),
        Err(true)
    );

    // Without a token there is nothing to ask.
    let filled = filled_again(&mut browser, &provider).await;
    let page = browser.press(&filled, "reset-secret").await;
    assert!(!page.has_button("reset-secret-confirmed") && secrets(&world, &key()).await.is_empty());
}

async fn filled_again(browser: &mut Browser, provider: &Provider) -> ipack_testing::browser::Form {
    set_up(browser, &key(), provider).await.connector()
}

async fn a_revocation_that_fails_is_told_and_forgets_all_the_same(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    provider.rules(|rules| rules.revocation_status = 503);
    get_token(&mut browser, &key(), &provider).await;
    let filled = form(&mut browser, &key()).await;
    let page = browser.press(&filled, "revoke").await;
    assert!(page.has_button("revoke-confirmed") && token(&world, &key()).await.is_some(), "it asks first");
    browser.press(&page.connector(), "revoke-confirmed").await.assert_shows("Encrypted by ");
    let outcome = eventually!(told(&world, &key(), Kind::TokenRevoked).await.pop());
    assert!(outcome.contains("not revoked") && outcome.contains("127.0.0.1 answered HTTP 503"), "{outcome}");
    assert!(token(&world, &key()).await.is_none() && secrets(&world, &key()).await.len() == 1);
    generate(&mut browser, &key(), &provider).await.assert_shows("Access Token generation successful");
}

async fn an_uninstall_revokes_and_the_account_remembers(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let second = in_environment("env-2");
    world.place(ACCOUNT, &second).await;
    get_token(&mut browser, &key(), &provider).await;
    get_token(&mut browser, &second, &provider).await;
    let began = begin(&mut browser, &second).await;
    let caller = tenant(&world, ACCOUNT, SPACE, false).await;
    let reply = world.ask(&caller, UNINSTALL, json!({"id": "instance-1"})).await;
    assert_eq!(reply.data("integrationPackInstanceUninstall"), "instance-1");
    let outcomes = "timeline WHERE kind = 'token_revoked' AND detail = 'the provider has revoked the token'
        AND account_id = 'account-1'";
    eventually!((world.count(outcomes).await == 2).then_some(()));
    let mut revoked: Vec<_> = provider.revocations().iter().filter_map(|call| field(call, "token")).collect();
    revoked.sort_unstable();
    assert_eq!(revoked, ["refresh-2", "refresh-4"]);
    for table in ["tokens", "client_secrets", "attempts"] {
        assert_eq!(world.count(table).await, 0, "{table}");
    }
    // Who was at the provider meanwhile comes back to nothing.
    let page = come_back(&mut browser, &provider.agree(&began.url)).await;
    assert_eq!((page.status.as_u16(), provider.token_calls().len()), (400, 2));
}

async fn an_unattachment_revokes_what_was_there_alone(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let second = in_environment("env-2");
    world.place(ACCOUNT, &second).await;
    get_token(&mut browser, &key(), &provider).await;
    get_token(&mut browser, &second, &provider).await;
    let caller = tenant(&world, ACCOUNT, SPACE, false).await;
    let list = "{ integrationPackEnvironmentAttachments(ipackInstanceId: \"instance-1\", environmentIds: [\"env-2\"]) {
        id } }";
    let listed = world.ask(&caller, list, Value::Null).await.data("integrationPackEnvironmentAttachments");
    let unattach = "mutation ($id: ID!) { integrationPackInstanceEnvironmentAttachmentUnattach(id: $id) }";
    let reply = world.ask(&caller, unattach, json!({"id": listed[0]["id"]})).await;
    assert_eq!(reply.data("integrationPackInstanceEnvironmentAttachmentUnattach"), listed[0]["id"]);
    let outcome = "timeline WHERE kind = 'token_revoked' AND detail = 'the provider has revoked the token'
        AND environment_id = 'env-2'";
    eventually!((world.count(outcome).await == 1).then_some(()));
    let revoked: Vec<_> = provider.revocations().iter().filter_map(|call| field(call, "token")).collect();
    assert_eq!(revoked, ["refresh-4"]);
    assert!(token(&world, &key()).await.is_some() && secrets(&world, &key()).await.len() == 1);
    for table in ["tokens", "client_secrets", "connector_details"] {
        assert_eq!(world.count(table).await, 1, "{table}");
    }
}

async fn every_environment_gets_a_sealed_secret_of_its_own(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let second = in_environment("env-2");
    world.place(ACCOUNT, &second).await;
    let filled = filled(form(&mut browser, &key()).await, &provider).content("every_environment", "true");
    encrypt(&mut browser, filled, SECRET).await;
    let (here, there) = (secrets(&world, &key()).await, secrets(&world, &second).await);
    assert_eq!((here.len(), there.len()), (1, 1));
    assert!(here[0].id != there[0].id && here[0].sealed != there[0].sealed);
    assert_eq!(here[0].destination, there[0].destination);
    // Each opens where it belongs, and a token of one is not the other's.
    let mut ben = world.browser(BEN).await;
    generate(&mut ben, &second, &provider).await.assert_shows("Access Token generation successful");
    assert_eq!(basic(&provider.token_calls()[0]), Some((CLIENT.into(), SECRET.into())));
    assert!(token(&world, &key()).await.is_none());
    // Moved to another row it does not open, and nothing is sent.
    let sql = "UPDATE client_secrets SET sealed = $1 WHERE id = $2 RETURNING data_key_version";
    write_now!(world.database, db => async {
        on_connection!(db, executor =>
            sqlx::query_scalar::<_, i64>(sql).bind(&there[0].sealed).bind(here[0].id).fetch_one(executor))
    });
    generate(&mut browser, &key(), &provider)
        .await
        .assert_shows("Reset the client secret, and enter it again.");
    assert_eq!(provider.token_calls().len(), 1);
}

async fn an_empty_or_endless_secret_is_refused_beside_the_field(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    for (secret, sentence) in [
        ("  ".to_owned(), "Enter the secret first."),
        ("x".repeat(16 * 1_024 + 1), "This is too long for a secret"),
    ] {
        let filled = filled(form(&mut browser, &key()).await, &provider).with("client_secret", &secret);
        let page = browser.press(&filled, "encrypt-secret").await;
        let beside = page.elements().into_iter().find(|one| one.is("p", "id", "client_secret-error"));
        assert!(beside.is_some_and(|beside| beside.text.starts_with(sentence)), "{}", page.text());
    }
    assert!(secrets(&world, &key()).await.is_empty());
    press_generate(&mut browser, &key()).await.assert_shows("Encrypt the client secret first.");
    assert!(provider.token_calls().is_empty());
}
