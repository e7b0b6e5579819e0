//! What clients send about one connection.

use crate::schema::inputs::{Given, Secret, ToSeal, library_kinds};
use async_graphql::InputObject;
use ipack_core::{Result, connector::details::SaveDetails};
use ipack_domain::ids::ConnectionKey;
use secrecy::SecretString;

library_kinds!(SaveInput: nullable false, FindInput: nullable false, EncryptInput: nullable false);

/// Connector details to persist. All fields are required, and none may be empty.
#[derive(InputObject)]
#[graphql(name = "SaveIPackInstanceOauthConnectorDetailsInput")]
pub struct SaveInput {
    /// The instance of the integration pack. One that is not known yet is registered with its id as its name.
    integration_pack_instance_id: Given<String>,
    /// Whether the client has generated a token; kept as the client says.
    is_token_generated: Given<bool>,
    /// A JSON object as a string, kept byte for byte. `baseURL`, `companyId` and `clientId` are strings, `authParams`
    /// and `accessTokenParams` objects of strings; other keys are kept. A client secret has no place in it.
    oauth_connector_details: Given<String>,
    /// A process of the instance.
    process_id: Given<String>,
    /// The environment that the details are for.
    env_id: Given<String>,
    /// A connection of the process.
    connection_id: Given<String>,
    /// The Space's guid; equals the header `SPACE_GUID`.
    catalog_guid: Given<String>,
    /// The client's id at the identity provider.
    client_id: Given<String>,
    /// Must be given and is not kept: `dummyClientSecret` is stored in its place.
    #[graphql(secret)]
    client_secret: Given<Secret>,
}

impl SaveInput {
    /// # Errors
    /// `BadInput` for the first field that is not there.
    pub fn checked(self) -> Result<SaveDetails> {
        let instance = self.integration_pack_instance_id.required("integrationPackInstanceId")?;
        let is_token_generated = self.is_token_generated.required("isTokenGenerated")?;
        let oauth_connector_details = self.oauth_connector_details.required("oauthConnectorDetails")?;
        let process = self.process_id.required("processId")?;
        let environment = self.env_id.required("envId")?;
        let connection = self.connection_id.required("connectionId")?;
        let space = self.catalog_guid.required("catalogGuid")?;
        let client_id = self.client_id.required("clientId")?;
        self.client_secret.required("clientSecret")?;
        let key = ConnectionKey { space, instance, environment, process, connection };
        Ok(SaveDetails { key, is_token_generated, oauth_connector_details, client_id })
    }
}

/// Names a connection. All fields are required, and none may be empty.
#[derive(InputObject)]
#[graphql(name = "IPackInstanceOAuthConnectorDetailsInput")]
pub struct FindInput {
    /// The instance of the integration pack.
    pub(in crate::schema) integration_pack_instance_id: Given<String>,
    /// The environment that the details are for.
    pub(in crate::schema) env_id: Given<String>,
    /// A process of the instance.
    pub(in crate::schema) process_id: Given<String>,
    /// A connection of the process.
    pub(in crate::schema) connection_id: Given<String>,
    /// The Space's guid; equals the header `SPACE_GUID`.
    pub(in crate::schema) catalog_guid: Given<String>,
}

impl FindInput {
    /// With each field as it is found by its name.
    pub fn of(mut find: impl FnMut(&str) -> Option<String>) -> Self {
        let mut given = |name| find(name).map_or(Given::Missing, Given::Value);
        Self {
            integration_pack_instance_id: given("integrationPackInstanceId"),
            env_id: given("envId"),
            process_id: given("processId"),
            connection_id: given("connectionId"),
            catalog_guid: given("catalogGuid"),
        }
    }

    /// # Errors
    /// `BadInput` for the first field that is not there.
    pub fn checked(self) -> Result<ConnectionKey> {
        Ok(ConnectionKey {
            instance: self.integration_pack_instance_id.required("integrationPackInstanceId")?,
            environment: self.env_id.required("envId")?,
            process: self.process_id.required("processId")?,
            connection: self.connection_id.required("connectionId")?,
            space: self.catalog_guid.required("catalogGuid")?,
        })
    }
}

/// A client secret to encrypt, and for which connection. All fields are required, and none may be empty.
#[derive(InputObject)]
#[graphql(name = "EncryptIPackInstanceOauthClientSecretInput")]
pub struct EncryptInput {
    /// The instance of the integration pack.
    integration_pack_instance_id: Given<String>,
    /// The environment that the secret is for.
    env_id: Given<String>,
    /// A process of the instance.
    process_id: Given<String>,
    /// A connection of the process, whose details are saved.
    connection_id: Given<String>,
    /// The Space's guid; equals the header `SPACE_GUID`.
    catalog_guid: Given<String>,
    /// The client's secret at the identity provider, or its private key in PEM. Sealed, and never answered by anything.
    #[graphql(secret)]
    client_secret: Given<ToSeal>,
}

impl EncryptInput {
    /// # Errors
    /// `BadInput` for the first field that is not there.
    pub fn checked(self) -> Result<(ConnectionKey, SecretString)> {
        let key = FindInput {
            integration_pack_instance_id: self.integration_pack_instance_id,
            env_id: self.env_id,
            process_id: self.process_id,
            connection_id: self.connection_id,
            catalog_guid: self.catalog_guid,
        };
        Ok((key.checked()?, self.client_secret.required("clientSecret")?.0))
    }
}
