//! Enums that clients send and get: those of the domain, by the names of the API.

use crate::schema::inputs::library_kinds;
use async_graphql::Enum;
use ipack_domain::{connection_state, provider};

library_kinds!(ConnectionState: nullable true, Grant: nullable true, ClientAuthentication: nullable true);

/// The state of a connection, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "IPackInstanceOauthState", remote = "connection_state::ConnectionState")]
pub enum ConnectionState {
    /// The token was refused for good, or ran out and cannot be refreshed.
    Broken,
    /// The last refresh failed, and is tried again.
    RefreshFailing,
    /// The token cannot be refreshed, and ends within 7 days.
    Expiring,
    /// There is no token, or the secret must be entered again.
    NoToken,
    /// Fields were edited since the token was got, or less was granted than asked for.
    Changed,
    /// Nothing is saved, or something is missing.
    NotConfigured,
    /// Nothing is wrong.
    Ok,
}

/// How tokens are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "OauthGrant")]
pub enum Grant {
    /// A person agrees at the provider.
    AuthorizationCode,
    /// The client alone.
    ClientCredentials,
    /// A signed assertion (RFC 7523).
    JwtBearer,
    /// With a user's password, where the operator allows it.
    Password,
}

impl Grant {
    pub fn of(grant: provider::Grant) -> Option<Self> {
        Some(match grant {
            provider::Grant::AsProvider => return None,
            provider::Grant::AuthorizationCode => Self::AuthorizationCode,
            provider::Grant::ClientCredentials => Self::ClientCredentials,
            provider::Grant::JwtBearer => Self::JwtBearer,
            provider::Grant::Password => Self::Password,
        })
    }

    /// As forms write it.
    pub fn name(self) -> &'static str {
        let grant = match self {
            Self::AuthorizationCode => provider::Grant::AuthorizationCode,
            Self::ClientCredentials => provider::Grant::ClientCredentials,
            Self::JwtBearer => provider::Grant::JwtBearer,
            Self::Password => provider::Grant::Password,
        };
        grant.name()
    }
}

/// How the client proves itself at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "OauthClientAuthentication")]
pub enum ClientAuthentication {
    /// The client secret in a Basic header.
    ClientSecretBasic,
    /// The client secret in the request's body.
    ClientSecretPost,
    /// A JWT that is signed with a private key.
    PrivateKeyJwt,
    /// Not at all: a public client with PKCE.
    None,
}

impl ClientAuthentication {
    pub fn of(way: provider::ClientAuthentication) -> Option<Self> {
        Some(match way {
            provider::ClientAuthentication::AsProvider => return None,
            provider::ClientAuthentication::ClientSecretBasic => Self::ClientSecretBasic,
            provider::ClientAuthentication::ClientSecretPost => Self::ClientSecretPost,
            provider::ClientAuthentication::PrivateKeyJwt => Self::PrivateKeyJwt,
            provider::ClientAuthentication::None => Self::None,
        })
    }

    /// As forms write it.
    pub fn name(self) -> &'static str {
        let way = match self {
            Self::ClientSecretBasic => provider::ClientAuthentication::ClientSecretBasic,
            Self::ClientSecretPost => provider::ClientAuthentication::ClientSecretPost,
            Self::PrivateKeyJwt => provider::ClientAuthentication::PrivateKeyJwt,
            Self::None => provider::ClientAuthentication::None,
        };
        way.name()
    }
}
