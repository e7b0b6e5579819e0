//! The API as its clients meet it, on both databases: every operation, everything that can be wrong with a request,
//! and what must not get out.
//!
//! To add a test: an `async fn` that takes a [`Database`](ipack_storage::Database), named in its file's `on_both!`,
//! with the number of the security requirement in its name where it shows one. A new operation gets a line in
//! `tenancy` too.

mod auth;
mod bad_input;
mod catalogue;
mod hostile;
mod http;
mod limits;
mod schema;
mod secrets;
mod seed;
mod tenancy;

use serde_json::{Value, json};

/// The Space of the seed's sample.
pub const SPACE: &str = "796eeeb4-1b2f-4965-898a-7e443";
pub const ACCOUNT: &str = "childaccount-ZF3X9U";
/// The seed's sample request, verbatim.
const SEED: &str = include_str!("seed_request.graphql");

pub const SAVE: &str = "mutation ($input: SaveIPackInstanceOauthConnectorDetailsInput!) {
    saveIPackInstanceOauthConnectorDetails(input: $input) {
        id integrationPackInstanceId isTokenGenerated oauthConnectorDetails processId envId connectionId catalogGuid } }";
pub const SAVED: &str = "saveIPackInstanceOauthConnectorDetails";

pub const FIND: &str = "query ($input: IPackInstanceOAuthConnectorDetailsInput!) {
    IPackInstanceOAuthConnectorDetails(input: $input) {
        id integrationPackInstanceId envId isTokenGenerated connectionId processId oauthConnectorDetails catalogGuid } }";
pub const FOUND: &str = "IPackInstanceOAuthConnectorDetails";

const ENCRYPT: &str = "mutation ($input: EncryptIPackInstanceOauthClientSecretInput!) {
    encryptIPackInstanceOauthClientSecret(input: $input) { isClientSecretEncrypted encryptedBy encryptedAt } }";
const RESET: &str = "mutation ($input: IPackInstanceOAuthConnectorDetailsInput!) {
    resetIPackInstanceOauthClientSecret(input: $input) { isClientSecretEncrypted } }";
const READ_TOKEN: &str = "query ($input: IPackInstanceOAuthConnectorDetailsInput!) {
    iPackInstanceOauthAccessToken(input: $input) { accessToken tokenType expiresAt scope } }";

/// The sample's input.
pub fn save_input() -> Value {
    json!({
        "integrationPackInstanceId": "test-101",
        "isTokenGenerated": false,
        "oauthConnectorDetails": seed_details(),
        "processId": "1",
        "envId": "2",
        "connectionId": "3",
        "catalogGuid": SPACE,
        "clientId": "dummyClientId",
        "clientSecret": "dummyValue",
    })
}

/// What the sample saves.
fn seed_details() -> &'static str {
    concat!(
        r#"{"baseURL":"https://baseURL.com","companyId":"9341452451293689","clientId":"A","#,
        r#""authParams":{"key":"value"},"accessTokenParams":{"key":"value"}}"#
    )
}

/// The key of [`save_input`].
pub fn find_input() -> Value {
    json!({"integrationPackInstanceId": "test-101", "envId": "2", "processId": "1", "connectionId": "3", "catalogGuid": SPACE})
}

/// An input with one field replaced, or with `None` left out.
pub fn with(mut input: Value, field: &str, value: Option<Value>) -> Value {
    let fields = input.as_object_mut().expect("an object");
    match value {
        Some(value) => fields.insert(field.into(), value),
        None => fields.remove(field),
    };
    input
}
