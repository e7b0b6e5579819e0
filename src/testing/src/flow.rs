//! An admin's way to a token, step by step: fill the form, encrypt, generate, agree at the provider, come back.
//!
//! Each step is a function, so that a test can do something else in between. What a test wants to know afterwards is
//! read by the functions at the end.

use crate::provider::{Provider, parameter};
use crate::{
    api::Tenant,
    browser::{Browser, Form, Page},
    read_now,
    world::{ACCOUNT, SPACE, World},
};
use ipack_core::{access::Client, tokens::access_token::Wanted};
use ipack_domain::{ids::ConnectionKey, provider::ENDPOINTS, rights::Rights};
use ipack_storage::{
    Database, attempts, audit_log,
    client_secrets::{self, ClientSecret},
    tokens::{self, Token},
};
use secrecy::ExposeSecret;
use std::time::Duration;
use url::Url;

pub const CLIENT: &str = "client-1";
pub const SECRET: &str = "hush hush, client";

/// An attempt whose browser is on its way to the provider.
#[derive(Debug, Clone)]
pub struct Began {
    /// The attempt's page.
    pub path: String,
    pub page: Page,
    /// Where that page sends the browser.
    pub url: Url,
}

impl Began {
    #[track_caller]
    fn of(page: Page) -> Self {
        let refresh = page.header("refresh").and_then(|value| value.strip_prefix("0; url="));
        let url = refresh.unwrap_or_else(|| panic!("{} leads to no provider: {}", page.path, page.text()));
        Self { path: page.path.clone(), url: Url::parse(url).expect("an address"), page }
    }

    pub fn parameter(&self, name: &str) -> Option<String> {
        parameter(&self.url, name)
    }
}

/// A world whose clock goes on, so that what comes later is later.
pub async fn world(database: Database) -> World {
    World::builder(database).ticking().build().await
}

pub async fn form(browser: &mut Browser, key: &ConnectionKey) -> Form {
    let page = browser.get(&key.form_path()).await;
    assert_eq!(page.status, 200, "{}", page.text());
    page.connector()
}

pub fn provider_field(form: Form, name: &str, value: &str) -> Form {
    form.with(&format!("content[provider][{name}]"), value)
}

/// A field of the form that is only there once something else is chosen or checked.
pub fn and(mut form: Form, name: &str, value: &str) -> Form {
    form.fields.push((name.to_owned(), value.to_owned()));
    form
}

/// Discovers from the provider's own address.
pub fn filled(form: Form, provider: &Provider) -> Form {
    form.content("base_url", &provider.issuer()).content("client_id", CLIENT)
}

/// Its endpoints, one by one.
pub fn with_endpoints(form: Form, provider: &Provider) -> Form {
    let mut form = form.content("base_url", "https://api.example.com").content("client_id", CLIENT);
    for (name, value) in [
        ("provider", ENDPOINTS.to_owned()),
        ("authorizationEndpoint", provider.at("/authorize")),
        ("tokenEndpoint", provider.at("/token")),
        ("revocationEndpoint", provider.at("/revoke")),
    ] {
        form = provider_field(form, name, &value);
    }
    form
}

/// Saves a form with the client secret in it.
pub async fn encrypt(browser: &mut Browser, form: Form, secret: &str) -> Page {
    let page = browser.press(&form.with("client_secret", secret), "encrypt-secret").await;
    page.assert_shows("Encrypted by ");
    page
}

/// Everything before Generate Token.
pub async fn set_up(browser: &mut Browser, key: &ConnectionKey, provider: &Provider) -> Page {
    let form = filled(form(browser, key).await, provider);
    encrypt(browser, form, SECRET).await
}

pub async fn press_generate(browser: &mut Browser, key: &ConnectionKey) -> Page {
    let form = form(browser, key).await;
    browser.press(&form, "generate").await
}

pub async fn begin(browser: &mut Browser, key: &ConnectionKey) -> Began {
    Began::of(press_generate(browser, key).await)
}

/// The provider sends the browser back; the page that it ends on.
pub async fn come_back(browser: &mut Browser, callback: &str) -> Page {
    let mut page = browser.get(callback).await;
    for _ in 0..200 {
        if page.header("refresh") != Some("1") {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        page = browser.get(&page.path).await;
    }
    panic!("the attempt does not end: {}", page.text());
}

/// Generate Token until the browser is back at the form.
pub async fn generate(browser: &mut Browser, key: &ConnectionKey, provider: &Provider) -> Page {
    let began = begin(browser, key).await;
    come_back(browser, &provider.agree(&began.url)).await
}

/// The whole way, with success.
pub async fn get_token(browser: &mut Browser, key: &ConnectionKey, provider: &Provider) -> Page {
    set_up(browser, key, provider).await;
    let page = generate(browser, key, provider).await;
    page.assert_shows("Access Token generation successful");
    page
}

pub async fn token(world: &World, key: &ConnectionKey) -> Option<Token> {
    read_now!(world.database, db => tokens::find(db, key))
}

pub async fn secrets(world: &World, key: &ConnectionKey) -> Vec<ClientSecret> {
    read_now!(world.database, db => client_secrets::of_connection(db, key))
}

/// Status and message of the latest attempt.
pub async fn attempt(world: &World, key: &ConnectionKey) -> Option<(String, String)> {
    let attempt = read_now!(world.database, db => attempts::latest(db, key));
    attempt.map(|attempt| (attempt.status.name().to_owned(), attempt.message.unwrap_or_default()))
}

/// The details of what the audit log has of this kind, oldest first.
pub async fn told(world: &World, key: &ConnectionKey, kind: audit_log::Kind) -> Vec<String> {
    let mut entries = read_now!(world.database, db => audit_log::latest(db, key, 100));
    entries.reverse();
    let of_kind = entries.into_iter().filter(|entry| entry.kind == Some(kind));
    of_kind.map(|entry| entry.detail.unwrap_or_default()).collect()
}

/// An API token of an account, which may read access tokens or not.
pub async fn tenant(world: &World, account: &str, space: &str, reads_access_tokens: bool) -> Tenant {
    let services = &world.services;
    let rights = if reads_access_tokens { Rights::all() } else { Rights::usual() };
    let new = services.create_token(account, "runtime", rights, None).await.expect("a token");
    let jwt = services.generate_jwt(account, &new.username, &new.token).await.expect("a JWT");
    Tenant { space: space.into(), username: new.username, token: new.token, jwt }
}

/// An integration runtime of the first account.
pub async fn runtime(world: &World) -> Client {
    let tenant = tenant(world, ACCOUNT, SPACE, true).await;
    Client {
        account: ACCOUNT.into(),
        name: "runtime".into(),
        username: tenant.username,
        rights: Rights::all(),
    }
}

/// The access token, or why there is none.
pub async fn read(world: &World, client: &Client, key: &ConnectionKey) -> Result<String, String> {
    let found = world.services.access_token(client, Some(SPACE), key, &Wanted::default()).await;
    found.map(|token| token.token.expose_secret().to_owned()).map_err(|error| error.to_string())
}
