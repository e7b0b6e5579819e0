//! Enums that clients send and get: those of the domain, by the names of the API.

use crate::schema::inputs::library_kinds;
use async_graphql::Enum;
use ipack_domain::{connection_state, provider};

library_kinds!(ConnectionState: nullable true, Grant: nullable true, ClientAuthentication: nullable true, SigningAlgorithm: nullable true);

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

/// How the client proves itself at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "OauthClientAuthentication")]
pub enum ClientAuthentication {
    /// The client secret in a Basic header.
    ClientSecretBasic,
    /// The same, with id and secret as they are and not percent-encoded.
    ClientSecretBasicPlain,
    /// The client secret in the request's body.
    ClientSecretPost,
    /// A JWT that is signed with a private key.
    PrivateKeyJwt,
    /// Not at all: a public client with PKCE.
    None,
}

/// How the client signs its JWTs (RFC 7518, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "OauthSigningAlgorithm")]
pub enum SigningAlgorithm {
    #[graphql(name = "RS256")]
    RS256,
    #[graphql(name = "RS384")]
    RS384,
    #[graphql(name = "RS512")]
    RS512,
    #[graphql(name = "PS256")]
    PS256,
    #[graphql(name = "PS384")]
    PS384,
    #[graphql(name = "PS512")]
    PS512,
    #[graphql(name = "ES256")]
    ES256,
    #[graphql(name = "ES384")]
    ES384,
    #[graphql(name = "EdDSA")]
    EdDSA,
}

/// From the domain's enum of the same name, whose first variant is no choice and so null, and to the name that forms
/// write.
macro_rules! choices {
    ($enum:ident, $none:ident: $($variant:ident),+) => {
        impl $enum {
            pub fn of(choice: provider::$enum) -> Option<Self> {
                match choice {
                    provider::$enum::$none => None,
                    $(provider::$enum::$variant => Some(Self::$variant),)+
                }
            }

            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => provider::$enum::$variant.name(),)+
                }
            }
        }
    };
}
choices!(Grant, AsProvider: AuthorizationCode, ClientCredentials, JwtBearer, Password);
choices!(ClientAuthentication, AsProvider: ClientSecretBasic, ClientSecretBasicPlain, ClientSecretPost, PrivateKeyJwt, None);
choices!(SigningAlgorithm, OfKey: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA);
