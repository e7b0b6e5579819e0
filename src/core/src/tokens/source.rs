//! What the exchange of a code, the refresh of a token and its revocation have in common: what a token came from, the
//! secrets that it takes, and how a failure is told.
//!
//! What a token must remember besides is a field of [`TokenSource`], with a default for those that are there.

use crate::{
    error::{Result, ServiceError},
    secrets::{
        sealing,
        slots::{in_slot, read_destination},
    },
    services::Services,
};
use ipack_domain::form::FormContent;
use ipack_domain::{ids::ConnectionKey, provider::Grant};
use ipack_oauth::{
    advice::{advice, sentence},
    configuration::{Configuration, RequestedConfiguration, requested_configuration},
    token::Request,
    token_answer::TokenError,
};
use ipack_storage::{
    Connection,
    client_secrets::{self, ClientSecret, Slot},
    columns::JsonText,
    tokens::Token,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a token came from, kept beside it: enough to refresh and to revoke it, whatever the form says by then.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenSource {
    pub configuration: Configuration,
    pub secret_id: Option<Uuid>,
}

impl TokenSource {
    pub fn of(token: &Token) -> Result<Self> {
        Ok(token.origin.read("token origin")?)
    }
}

/// Secrets of an attempt or a token, opened.
pub(crate) struct OpenedSecrets {
    pub client: Option<SecretString>,
    pub password: Option<SecretString>,
}

impl Services {
    /// The form's plan, or what is wrong with it.
    pub fn requested_configuration(&self, content: &FormContent) -> Result<RequestedConfiguration> {
        requested_configuration(content, self.oauth.allowed)
            .map_err(|error| ServiceError::bad_input("oauthConnectorDetails", error.to_string()))
    }

    /// Opens the client secret that an attempt or a token was begun with, and no other (security: S08); the user's
    /// password where the grant takes it and it may go to the same place.
    pub(crate) async fn opened_secrets(
        &self,
        mut db: Connection<'_>,
        key: &ConnectionKey,
        client: Option<Uuid>,
        configuration: &Configuration,
    ) -> Result<OpenedSecrets> {
        let secrets = client_secrets::of_connection(db.lend(), key).await?;
        let client = match client {
            Some(id) => {
                let secret = secrets.iter().find(|secret| secret.id == id);
                let secret = secret.ok_or_else(|| gone("the secret that this began with"))?;
                Some(self.opened_secret(db.lend(), key, secret).await?)
            }
            None => None,
        };
        let mut password = None;
        if configuration.grant == Grant::Password
            && let Some(secret) = in_slot(&secrets, Slot::Password)
            && read_destination(&secret.destination)? == configuration.destination
        {
            password = Some(self.opened_secret(db, key, secret).await?);
        }
        Ok(OpenedSecrets { client, password })
    }

    async fn opened_secret(
        &self,
        db: Connection<'_>,
        key: &ConnectionKey,
        secret: &ClientSecret,
    ) -> Result<SecretString> {
        let place = sealing::client_secret(&secret.id);
        self.data_keys.open(db, &key.space, secret.data_key_version, place, &secret.sealed).await
    }

    /// A request for a token without anybody's browser.
    pub(crate) fn direct_request<'a>(&self, grant: Grant, secrets: &'a OpenedSecrets) -> Result<Request<'a>> {
        match grant {
            Grant::ClientCredentials => Ok(Request::ClientCredentials),
            Grant::JwtBearer => Ok(Request::JwtBearer),
            // S11: also for tokens from a time when the operator allowed it.
            Grant::Password if !self.oauth.allowed.password_grant => {
                Err(ServiceError::Conflict("the password grant is switched off".into()))
            }
            Grant::Password => {
                let password = secrets.password.as_ref().ok_or_else(|| gone("the user’s password"))?;
                Ok(Request::Password { password })
            }
            Grant::AuthorizationCode | Grant::AsProvider => {
                Err(ServiceError::Conflict("a person has to sign in at the provider again".into()))
            }
        }
    }
}

fn gone(what: &str) -> ServiceError {
    ServiceError::Conflict(format!("{what} is not there any more"))
}

pub(crate) fn written(value: &impl Serialize) -> Result<JsonText> {
    JsonText::of(value).map_err(|_| ServiceError::Internal("a token’s origin cannot be written"))
}

/// Why there is no token, or none that could be kept.
pub(crate) enum Failure {
    Token(TokenError),
    Service(ServiceError),
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

impl Failure {
    /// The provider will never say yes to this again, or there is nothing left to ask with.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Token(error) => error.is_final(),
            Self::Service(error) => matches!(error, ServiceError::Unopenable | ServiceError::Conflict(_)),
        }
    }

    /// The same may work in a moment.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Token(error) => error.is_transient(),
            Self::Service(error) => matches!(error, ServiceError::Storage(_)),
        }
    }

    /// What was said, without a full stop.
    pub fn said(&self) -> String {
        match self {
            Self::Token(TokenError::Outbound(error)) if error.may_have_arrived() => {
                format!("{} The provider may have done it all the same", sentence(&error.to_string()))
            }
            Self::Token(error) => error.to_string().trim_end_matches('.').to_owned(),
            Self::Service(ServiceError::Conflict(message)) => message.clone(),
            Self::Service(ServiceError::Unopenable) => "what was encrypted does not open any more".into(),
            Self::Service(error) => {
                tracing::error!(error = %error, "a token could not be kept");
                "the server could not keep the token".into()
            }
        }
    }

    /// What to do next.
    pub fn advice(&self, redirect_uri: &str) -> String {
        match self {
            Self::Token(error) => match (error.code(), error) {
                (Some(code), _) => advice(code, redirect_uri),
                (None, TokenError::Outbound(_) | TokenError::Malformed { .. }) => {
                    "Check the token endpoint, under Identity provider; if it is right, try again later."
                        .into()
                }
                (None, _) => "Put it right, and generate the token again.".into(),
            },
            Self::Service(ServiceError::Conflict(_)) => {
                "Encrypt what is missing, and generate the token again.".into()
            }
            Self::Service(ServiceError::Unopenable) => "Reset the client secret, and enter it again.".into(),
            Self::Service(_) => "Whoever runs this server finds in its log why. Try again.".into(),
        }
    }
}
