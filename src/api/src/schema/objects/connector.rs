//! What clients get about one connection: its details, its secret, its token.

use async_graphql::{ID, Json, SimpleObject};
use ipack_core::{secrets::credentials::SecretStatus, tokens::access_token::AccessToken as ReadToken};
use ipack_domain::{ids::ConnectionKey, time::Timestamp};
use ipack_storage::details::StoredDetails;
use secrecy::ExposeSecret;
use serde::Serialize;

/// What is persisted for one connection of an instance, in one environment.
#[derive(SimpleObject)]
#[graphql(name = "IPackInstanceOAuthConnectorDetails")]
pub struct Details {
    /// Given at the first save, and kept by later ones.
    id: ID,
    /// The instance of the integration pack.
    integration_pack_instance_id: String,
    /// The environment that the details are for.
    env_id: String,
    /// Whether a token was generated: here, or as the client that saved last says.
    is_token_generated: bool,
    /// A connection of the process.
    connection_id: String,
    /// A process of the instance.
    process_id: String,
    /// The JSON object, byte for byte as it was saved.
    oauth_connector_details: String,
    /// The Space's guid.
    catalog_guid: String,
}

impl Details {
    pub fn new(key: ConnectionKey, stored: StoredDetails) -> Self {
        Self {
            id: stored.id.into(),
            integration_pack_instance_id: key.instance,
            env_id: key.environment,
            is_token_generated: stored.is_token_generated,
            connection_id: key.connection,
            process_id: key.process,
            oauth_connector_details: stored.oauth_connector_details,
            catalog_guid: key.space,
        }
    }
}

/// The state of a connection's client secret.
#[derive(SimpleObject)]
#[graphql(name = "IPackInstanceOauthClientSecret")]
pub struct ClientSecret {
    /// The instance of the integration pack.
    integration_pack_instance_id: String,
    /// The environment that the secret is for.
    env_id: String,
    /// A process of the instance.
    process_id: String,
    /// A connection of the process.
    connection_id: String,
    /// The Space's guid.
    catalog_guid: String,
    /// Whether a secret is sealed.
    is_client_secret_encrypted: bool,
    /// Who encrypted it.
    encrypted_by: Option<String>,
    /// When, in RFC 3339.
    encrypted_at: Option<String>,
}

impl ClientSecret {
    pub fn new(key: ConnectionKey, status: SecretStatus) -> Self {
        Self {
            integration_pack_instance_id: key.instance,
            env_id: key.environment,
            process_id: key.process,
            connection_id: key.connection,
            catalog_guid: key.space,
            is_client_secret_encrypted: status.is_encrypted,
            encrypted_by: status.by,
            encrypted_at: status.at.map(Timestamp::iso),
        }
    }
}

/// An access token that works, as far as is known.
#[derive(SimpleObject, Serialize)]
#[serde(rename_all = "camelCase")]
#[graphql(name = "IPackInstanceOauthAccessToken")]
pub struct AccessToken {
    /// The token itself.
    access_token: String,
    /// How it is used, as the provider says: mostly `Bearer`.
    token_type: String,
    /// When it runs out, in RFC 3339; null where the provider named no expiry.
    expires_at: Option<String>,
    /// The scopes that were granted, with a blank between two.
    scope: String,
    /// What else the provider answered with the token, as it came: an address to call, a tenant, tokens of other kinds.
    extra: Option<Json<serde_json::Value>>,
}

impl AccessToken {
    pub fn new(token: ReadToken) -> Self {
        Self {
            access_token: token.token.expose_secret().to_owned(),
            token_type: token.token_type,
            expires_at: token.expires_at.map(Timestamp::iso),
            scope: token.scope,
            extra: token.extra.and_then(|text| serde_json::from_str(text.expose_secret()).ok()).map(Json),
        }
    }
}
