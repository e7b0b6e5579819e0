//! S22: a canary in every kind of secret, from the form, the API and the identity provider, is found nowhere but
//! sealed, and in the one answer that it is for.

use ipack_domain::rights::Rights;
use ipack_storage::{
    Database,
    audit_log::{self, Kind},
    client_secrets, tokens,
};
use ipack_testing::api::{Reply, Tenant};
use ipack_testing::browser::{Browser, Form, Page};
use ipack_testing::hostile::{Behaviour, Hostile, Reply as Answer};
use ipack_testing::logs::{self, CANARY};
use ipack_testing::stored::everything_stored;
use ipack_testing::world::{ACCOUNT, ANN, SPACE, World, key};
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};

on_both!(alone: s22_a_secret_of_every_kind_is_found_nowhere_but_sealed);

const ENCRYPT: &str = "mutation ($input: EncryptIPackInstanceOauthClientSecretInput!) {
    encryptIPackInstanceOauthClientSecret(input: $input) { isClientSecretEncrypted encryptedBy encryptedAt } }";
const READ: &str = "query ($input: IPackInstanceOAuthConnectorDetailsInput!) {
    iPackInstanceOauthAccessToken(input: $input) { accessToken tokenType expiresAt scope } }";
const FIND: &str = "query ($input: IPackInstanceOAuthConnectorDetailsInput!) {
    IPackInstanceOAuthConnectorDetails(input: $input) { id isTokenGenerated oauthConnectorDetails } }";
const RESET: &str = "mutation ($input: IPackInstanceOAuthConnectorDetailsInput!) {
    resetIPackInstanceOauthClientSecret(input: $input) { isClientSecretEncrypted } }";

/// A provider whose tokens are canaries, and which repeats in its errors what it was told.
async fn provider() -> Hostile {
    Hostile::start(Behaviour::script(|request| {
        let is_told = |name: &str, value: &str| request.form().iter().any(|(n, v)| n == name && v == value);
        let refused = is_told("refuse", "yes");
        if request.path.starts_with("/token") && !refused {
            return Answer::json(
                200,
                &json!({
                    "access_token": format!("{CANARY}.access"),
                    "refresh_token": format!("{CANARY}.refresh"),
                    "id_token": format!("{CANARY}.id"),
                    "token_type": "Bearer",
                    "expires_in": 3600,
                }),
            );
        }
        let refresh = format!("{CANARY}.refresh");
        let told = if is_told("refresh_token", &refresh) { refresh } else { "you".to_owned() };
        let said = format!("I do not know {CANARY}.secret or {told}");
        Answer::json(400, &json!({"error": "invalid_client", "error_description": said}))
    }))
    .await
}

/// Sets a field, whether or not the page has it.
fn set(mut form: Form, name: &str, value: &str) -> Form {
    match form.fields.iter_mut().find(|(other, _)| other == name) {
        Some(field) => field.1 = value.to_owned(),
        None => form.fields.push((name.to_owned(), value.to_owned())),
    }
    form
}

fn input() -> Value {
    let key = key();
    json!({
        "integrationPackInstanceId": key.instance,
        "envId": key.environment,
        "processId": key.process,
        "connectionId": key.connection,
        "catalogGuid": key.space,
    })
}

fn with_secret(secret: &str) -> Value {
    let mut input = input();
    input["clientSecret"] = secret.into();
    input
}

/// Presses a button with both secrets typed in, and looks at what comes of it.
async fn press(browser: &mut Browser, form: Form, intent: &str) -> Page {
    let form = set(form, "client_secret", &format!(" {CANARY}.secret "));
    let form = set(form, "user_password", &format!("{CANARY}.password"));
    let sent = browser.press_only(&form, intent).await;
    assert_hidden(&format!("{:?}", sent.headers), "the headers");
    assert_hidden(sent.text(), intent);
    let page = browser.get(&key().form_path()).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert_hidden(page.text(), intent);
    page
}

#[track_caller]
fn assert_hidden(text: &str, place: &str) {
    // As bytes, too, as a database shows them.
    let hex = hex::encode(CANARY);
    assert!(!text.contains(CANARY) && !text.contains(&hex), "in {place}: {text}");
}

/// Every file and row, and a backup.
async fn assert_nowhere(database: &Database) {
    if let Database::Sqlite { readers, .. } = database {
        let options = readers.sqlx_pool().connect_options();
        let backup = options.get_filename().with_file_name("backup.db");
        let mut connection = SqliteConnection::connect_with(&options).await.expect("another connection");
        let sql = format!("VACUUM INTO '{}'", backup.display());
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.expect("a backup");
        connection.close().await.expect("closed");
        assert!(std::fs::metadata(&backup).expect("it is there").len() > 0);
    }
    let all = everything_stored(database).await;
    assert!(all.contains(ANN), "it is not everything");
    let hex = hex::encode(CANARY);
    for text in [CANARY, &hex] {
        assert!(!all.contains(text), "a secret is stored as it is");
    }
    if let Database::Sqlite { readers, .. } = database {
        let backup = readers.sqlx_pool().connect_options().get_filename().with_file_name("backup.db");
        std::fs::remove_file(backup).expect("removed");
    }
}

/// Seals a canary of each kind, through the form; the token comes from the provider.
async fn a_secret_of_every_kind(browser: &mut Browser, provider: &Hostile) -> Page {
    let form = browser.get(&key().form_path()).await.connector();
    let mut form = form.content("base_url", "https://erp.example.com").content("client_id", "client-1");
    for (field, value) in [
        ("provider", "endpoints"),
        ("tokenEndpoint", &format!("http://{}/token", provider.addr)),
        ("revocationEndpoint", &format!("http://{}/revoke", provider.addr)),
        ("grant", "client_credentials"),
        ("scopes", "a b"),
    ] {
        form = set(form, &format!("content[provider][{field}]"), value);
    }
    // Every post of a plain form carries the secrets; those that save it seal them.
    for intent in ["keep", "add-authorization", "save"] {
        press(browser, form.clone(), intent).await;
        form = browser.get(&key().form_path()).await.connector();
    }
    for intent in ["encrypt-secret", "encrypt-password", "encrypt-secret", "generate"] {
        let form = browser.get(&key().form_path()).await.connector();
        press(browser, form, intent).await;
    }
    browser.get(&key().form_path()).await
}

async fn s22_a_secret_of_every_kind_is_found_nowhere_but_sealed(database: Database) {
    let log = logs::watch();
    let provider = provider().await;
    let world = World::new(database.clone()).await;
    let services = &world.services;
    let mut browser = world.browser(ANN).await;
    let page = a_secret_of_every_kind(&mut browser, &provider).await;
    page.assert_shows("Access Token generation successful");
    let stored = read_now!(database, db => tokens::find(db, &key())).expect("there is a token");
    let secrets = read_now!(database, db => client_secrets::of_connection(db, &key()));
    assert_eq!(secrets.len(), 2, "the replacement is in use, and a password");
    assert_nowhere(&database).await;

    let plain = world.another_token(ACCOUNT, SPACE).await;
    let reader = a_reader(&world).await;
    for (name, query, variables) in [
        ("find", FIND, json!({"input": input()})),
        ("no permission", READ, json!({"input": input()})),
        ("encrypt", ENCRYPT, json!({"input": with_secret(&format!("{CANARY}.secret"))})),
        ("too long", ENCRYPT, json!({"input": with_secret(&CANARY.repeat(1_000))})),
        ("wrong kind", ENCRYPT, json!({"input": with_secret(CANARY), CANARY: CANARY})),
        (
            "in the query",
            &ENCRYPT.replace("$input)", &format!("{{clientSecret: \"{CANARY}\"}})")),
            Value::Null,
        ),
    ] {
        assert_hidden(&world.ask(&plain, query, variables).await.text, name);
    }
    let read: Reply = world.ask(&reader, READ, json!({"input": input()})).await;
    assert_eq!(read.data("iPackInstanceOauthAccessToken")["accessToken"], format!("{CANARY}.access"));
    assert_hidden(&read.text.replace(&format!("{CANARY}.access"), ""), "anything else of the one answer");

    // Refreshed, and then refused with its secrets in the provider's mouth.
    world.advance(3_500);
    assert_eq!(services.refresh_due().await.expect("asked"), 1);
    let refreshed = read_now!(database, db => tokens::find(db, &key())).expect("there is a token");
    assert_eq!((refreshed.id, refreshed.version), (stored.id, stored.version + 1));
    services.write_uses().await.expect("written");
    // Sessions and JWTs are over by now.
    let (mut browser, plain) = (world.browser(ANN).await, world.another_token(ACCOUNT, SPACE).await);
    let form = browser.get(&key().form_path()).await.connector();
    let form = set(form, "content[access_token][0][key]", "refuse");
    let form = set(form, "content[access_token][0][value]", "yes");
    press(&mut browser, form, "save").await;
    let form = browser.get(&key().form_path()).await.connector();
    press(&mut browser, form, "generate").await.assert_shows("invalid_client");
    let preflight = browser.get(&format!("{}/preflight", key().form_path())).await;
    assert_eq!(preflight.status, 200);
    assert_hidden(preflight.text(), "preflight");
    let entries = read_now!(database, db => audit_log::latest(db, &key(), 100));
    let kinds: Vec<_> = entries.iter().filter_map(|entry| entry.kind).map(Kind::name).collect();
    for kind in [
        "secret_encrypted",
        "secret_replaced",
        "token_exchanged",
        "token_refreshed",
        "token_failed",
        "token_read",
    ] {
        assert!(kinds.contains(&kind), "no {kind} in {kinds:?}");
    }
    assert_hidden(&format!("{entries:?}"), "the timeline");
    assert_hidden(&world.ask(&plain, RESET, json!({"input": input()})).await.text, "reset");
    services.background.close();
    services.background.wait().await;
    assert!(provider.requests().iter().any(|request| request.path == "/revoke"), "it was not revoked");
    // The secret went out in a header of its own, in no address.
    for request in provider.requests() {
        assert_hidden(&request.path, "an address");
    }
    assert_nowhere(&database).await;
    log.assert_clean();
}

/// An API token that may read access tokens.
async fn a_reader(world: &World) -> Tenant {
    let services = &world.services;
    let token = services.create_token(ACCOUNT, "runtime", Rights::all(), None).await.expect("an API token");
    let jwt = services.generate_jwt(ACCOUNT, &token.username, &token.token).await.expect("a JWT");
    Tenant { space: SPACE.into(), username: token.username, token: token.token, jwt }
}
