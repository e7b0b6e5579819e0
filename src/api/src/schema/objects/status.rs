//! What clients get about the state of a connection.

use crate::schema::{enums::ConnectionState, provider::Provider};
use async_graphql::{ID, SimpleObject};
use ipack_core::connector::status::ConnectionStatus;
use ipack_domain::time::Timestamp;

/// The state of a connection, and what is known of its token.
#[derive(SimpleObject)]
#[graphql(name = "IPackInstanceOauthStatus")]
pub struct Status {
    /// What `after` takes; the address of the connection's form.
    id: ID,
    /// The instance of the integration pack.
    integration_pack_instance_id: String,
    /// The environment.
    env_id: String,
    /// A process of the instance.
    process_id: String,
    /// A connection of the process.
    connection_id: String,
    /// The Space's guid.
    catalog_guid: String,
    /// Where its tokens come from.
    provider: Provider,
    /// The worst of what is true of the connection.
    state: ConnectionState,
    /// Why it is in that state, in a sentence or two.
    reason: Option<String>,
    /// When the provider last gave a token; without one, when the details were saved. In RFC 3339, like each moment here.
    since: Option<String>,
    /// When the token runs out; null where there is none, or the provider named no expiry.
    expires_at: Option<String>,
    /// When it is refreshed next; null for never.
    next_refresh_at: Option<String>,
    /// The scopes that were asked for.
    requested_scopes: Vec<String>,
    /// The scopes that were granted.
    granted_scopes: Vec<String>,
    /// The fields of the form that were edited since the token was got, by their labels.
    changed_fields: Vec<String>,
    /// When a program last read the token; written down after a short while.
    last_read_at: Option<String>,
}

impl From<ConnectionStatus> for Status {
    fn from(status: ConnectionStatus) -> Self {
        Self {
            id: status.key.form_path().into(),
            integration_pack_instance_id: status.key.instance,
            env_id: status.key.environment,
            process_id: status.key.process,
            connection_id: status.key.connection,
            catalog_guid: status.key.space,
            provider: status.provider.into(),
            state: status.state.state.into(),
            reason: status.state.reason,
            since: status.since.map(Timestamp::iso),
            expires_at: status.expires_at.map(Timestamp::iso),
            next_refresh_at: status.refresh_at.map(Timestamp::iso),
            requested_scopes: status.requested,
            granted_scopes: status.granted,
            changed_fields: status.changed,
            last_read_at: status.read_at.map(Timestamp::iso),
        }
    }
}
