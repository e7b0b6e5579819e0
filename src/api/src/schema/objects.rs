//! What clients get. Each object is made from the storage's or the domain's own type.

use async_graphql::{Enum, ID, SimpleObject};
use ipack_core::{secrets::credentials::SecretStatus, tokens::access_token::AccessToken as ReadToken};
use ipack_domain::{
    catalogue::{self, Classification},
    ids::ConnectionKey,
    time::Timestamp,
};
use ipack_storage::{details::StoredDetails, environments, instances, packs};
use secrecy::ExposeSecret;

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
#[derive(SimpleObject)]
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
}

impl AccessToken {
    pub fn new(token: ReadToken) -> Self {
        Self {
            access_token: token.token.expose_secret().to_owned(),
            token_type: token.token_type,
            expires_at: token.expires_at.map(Timestamp::iso),
            scope: token.scope,
        }
    }
}

/// How often an account can install a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "IntegrationPackInstallationType")]
pub enum InstallationType {
    /// Once.
    Single,
    /// Several times, each under a name of its own.
    Multi,
}

/// A bundle of processes with their connections, which can be installed.
#[derive(SimpleObject)]
#[graphql(name = "IntegrationPack")]
pub struct Pack {
    /// What it is installed by.
    id: ID,
    name: String,
    /// What it does, in a sentence; may be empty.
    description: String,
    /// How often an account can install it.
    installation_type: InstallationType,
}

/// One installation of an integration pack.
#[derive(SimpleObject)]
#[graphql(name = "IntegrationPackInstance")]
pub struct Instance {
    /// What connector details name it by.
    id: ID,
    /// The id of the pack that it is an installation of; null for an instance that was first met in a save.
    integration_pack_id: Option<ID>,
    /// Its own name, where it was given one.
    integration_pack_override_name: Option<String>,
    /// The pack that it is an installation of; null for an instance that was first met in a save.
    integration_pack: Option<Pack>,
}

impl From<instances::Instance> for Instance {
    fn from(row: instances::Instance) -> Self {
        let pack = match (&row.pack_id, row.pack_name, row.installation_type) {
            (Some(id), Some(name), Some(installation_type)) => Some(Pack {
                id: id.into(),
                name,
                description: row.pack_description.unwrap_or_default(),
                installation_type: match installation_type {
                    packs::InstallationType::Single => InstallationType::Single,
                    packs::InstallationType::Multi => InstallationType::Multi,
                },
            }),
            _ => None,
        };
        Self {
            id: row.id.into(),
            integration_pack_id: row.pack_id.map(Into::into),
            integration_pack_override_name: row.override_name,
            integration_pack: pack,
        }
    }
}

/// What an environment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "EnvironmentClassification")]
pub enum EnvironmentClassification {
    /// Production.
    Prod,
    /// Trying things out.
    Test,
}

/// Where instances run.
#[derive(SimpleObject)]
pub struct Environment {
    /// What connector details name it by.
    id: ID,
    /// The same as its id where it was first met in a save.
    name: String,
    /// What it is for.
    classification: EnvironmentClassification,
    /// The instances that run in it.
    integration_pack_environment_attachment: Vec<Attachment>,
}

/// That an instance runs in an environment.
#[derive(SimpleObject)]
#[graphql(name = "IntegrationPackEnvironmentAttachment")]
pub struct Attachment {
    id: ID,
    /// Where it runs.
    environment_id: ID,
    /// What runs there.
    integration_pack_instance_id: ID,
}

impl From<(catalogue::Environment, Vec<environments::Attachment>)> for Environment {
    fn from((environment, attachments): (catalogue::Environment, Vec<environments::Attachment>)) -> Self {
        Self {
            id: environment.id.into(),
            name: environment.name,
            classification: match environment.classification {
                Classification::Prod => EnvironmentClassification::Prod,
                Classification::Test => EnvironmentClassification::Test,
            },
            integration_pack_environment_attachment: attachments
                .into_iter()
                .map(|row| Attachment {
                    id: row.id.into(),
                    environment_id: row.environment_id.into(),
                    integration_pack_instance_id: row.instance_id.into(),
                })
                .collect(),
        }
    }
}
