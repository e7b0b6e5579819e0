//! What clients get about the state of a connection.

use crate::schema::enums::{ClientAuthentication, ConnectionState, Grant, SigningAlgorithm};
use async_graphql::{ID, SimpleObject};
use ipack_core::connector::status::ConnectionStatus;
use ipack_domain::{provider::ProviderChoice, time::Timestamp};

/// The provider section of a connection's form. What is null is as the provider has it.
#[derive(SimpleObject)]
#[graphql(name = "OauthProvider")]
pub struct Provider {
    /// The id of a known provider, or `endpoints`; null where the endpoints are discovered.
    provider: Option<String>,
    /// The id of one of the known provider's regions; null is the first.
    region: Option<String>,
    /// Where they are discovered; null is at the Base URL.
    issuer: Option<String>,
    /// The page where a person agrees.
    authorization_endpoint: Option<String>,
    /// Where codes are traded for tokens.
    token_endpoint: Option<String>,
    /// Where tokens are revoked.
    revocation_endpoint: Option<String>,
    /// How tokens are asked for.
    grant: Option<Grant>,
    /// Scopes with blanks between them.
    scopes: Option<String>,
    /// How the client proves itself at the token endpoint.
    client_authentication: Option<ClientAuthentication>,
    /// Whether PKCE is switched off.
    without_pkce: bool,
    /// Whom the token is for, with the grants JWT bearer and password.
    subject: Option<String>,
    /// The key's name at the provider, for signed JWTs.
    key_id: Option<String>,
    /// Whom a JWT bearer assertion is meant for.
    audience: Option<String>,
    /// What stands between two scopes; null is a blank.
    scope_separator: Option<String>,
    /// How long tokens live, where the provider's answers do not say so.
    token_lifetime: Option<String>,
    /// The parameter of the redirect that names the company.
    company_parameter: Option<String>,
    /// How JWTs are signed; null is as the key has it.
    algorithm: Option<SigningAlgorithm>,
    /// The certificate of the signing key in PEM, or its SHA-256 thumbprint.
    certificate: Option<String>,
    /// More claims of signed JWTs: a JSON object.
    claims: Option<String>,
    /// Whether tokens are asked for in JSON.
    json_body: bool,
    /// Whether the scopes are sent at each refresh.
    scope_at_refresh: bool,
    /// Whether the redirect URI is sent at each refresh.
    redirect_uri_at_refresh: bool,
}

impl From<ProviderChoice> for Provider {
    fn from(choice: ProviderChoice) -> Self {
        // Taken apart, so that a member without a field does not compile.
        let ProviderChoice {
            provider,
            region,
            issuer,
            authorization_endpoint,
            token_endpoint,
            revocation_endpoint,
            grant,
            scopes,
            client_authentication,
            without_pkce,
            subject,
            key_id,
            audience,
            scope_separator,
            company_parameter,
            token_lifetime,
            algorithm,
            certificate,
            claims,
            json_body,
            scope_at_refresh,
            redirect_uri_at_refresh,
        } = choice;
        let set = |text: String| (!text.is_empty()).then_some(text);
        Self {
            provider: set(provider),
            region: set(region),
            issuer: set(issuer),
            authorization_endpoint: set(authorization_endpoint),
            token_endpoint: set(token_endpoint),
            revocation_endpoint: set(revocation_endpoint),
            grant: Grant::of(grant),
            scopes: set(scopes),
            client_authentication: ClientAuthentication::of(client_authentication),
            without_pkce,
            subject: set(subject),
            key_id: set(key_id),
            audience: set(audience),
            scope_separator: set(scope_separator),
            token_lifetime: set(token_lifetime),
            company_parameter: set(company_parameter),
            algorithm: SigningAlgorithm::of(algorithm),
            certificate: set(certificate),
            claims: set(claims),
            json_body,
            scope_at_refresh,
            redirect_uri_at_refresh,
        }
    }
}

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
