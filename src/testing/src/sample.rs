//! The operations of the API as the seed has them: requests, inputs, and the names of what they answer.

use serde_json::{Value, json};

/// The Space of the seed's sample.
pub const SPACE: &str = "796eeeb4-1b2f-4965-898a-7e443";
pub const ACCOUNT: &str = "childaccount-ZF3X9U";
/// The seed's sample request, verbatim.
pub const SEED: &str = include_str!("seed_request.graphql");

pub const SAVE: &str = "mutation ($input: SaveIPackInstanceOauthConnectorDetailsInput!) {
    saveIPackInstanceOauthConnectorDetails(input: $input) {
        id integrationPackInstanceId isTokenGenerated oauthConnectorDetails processId envId connectionId catalogGuid } }";
pub const SAVED: &str = "saveIPackInstanceOauthConnectorDetails";

pub const FIND: &str = "query ($input: IPackInstanceOAuthConnectorDetailsInput!) {
    IPackInstanceOAuthConnectorDetails(input: $input) {
        id integrationPackInstanceId envId isTokenGenerated connectionId processId oauthConnectorDetails catalogGuid } }";
pub const FOUND: &str = "IPackInstanceOAuthConnectorDetails";

pub const ENCRYPT: &str = "mutation ($input: EncryptIPackInstanceOauthClientSecretInput!) {
    encryptIPackInstanceOauthClientSecret(input: $input) { isClientSecretEncrypted encryptedBy encryptedAt } }";
pub const RESET: &str = "mutation ($input: IPackInstanceOAuthConnectorDetailsInput!) {
    resetIPackInstanceOauthClientSecret(input: $input) { isClientSecretEncrypted } }";
pub const READ_TOKEN: &str = "query ($input: IPackInstanceOAuthConnectorDetailsInput!) {
    iPackInstanceOauthAccessToken(input: $input) { accessToken tokenType expiresAt scope } }";

pub const REFRESH: &str = "mutation ($input: IPackInstanceOAuthConnectorDetailsInput!) {
    refreshIPackInstanceOauthToken(input: $input) { state reason expiresAt } }";
pub const REVOKE: &str = "mutation ($input: IPackInstanceOAuthConnectorDetailsInput!) {
    revokeIPackInstanceOauthToken(input: $input) { state reason expiresAt } }";
pub const SET_PROVIDER: &str = "mutation ($input: SetIPackInstanceOauthProviderInput!) {
    setIPackInstanceOauthProvider(input: $input) { state changedFields provider { provider region issuer
        authorizationEndpoint tokenEndpoint revocationEndpoint grant scopes clientAuthentication withoutPkce subject keyId
        audience scopeSeparator tokenLifetime companyParameter } } }";
pub const STATUS: &str = "query ($input: IPackInstanceOAuthConnectorDetailsInput!) {
    iPackInstanceOauthStatus(input: $input) { id integrationPackInstanceId envId processId connectionId catalogGuid
        state reason since expiresAt nextRefreshAt requestedScopes grantedScopes changedFields lastReadAt
        provider { provider scopes withoutPkce } } }";

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
pub fn seed_details() -> &'static str {
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
