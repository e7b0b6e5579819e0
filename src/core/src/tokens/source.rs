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
use ipack_domain::{
    fields::MenuField,
    form::FormContent,
    form_place::{Cause, FormPlace},
    ids::ConnectionKey,
    provider::Grant,
    tokens::SecretField,
};
use ipack_oauth::{
    advice::sentence,
    causes::FailedRequest,
    configuration::{Configuration, RequestedConfiguration, requested_configuration},
    failure::FailureKind,
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
        Self::read(&token.origin)
    }

    pub fn read(origin: &JsonText) -> Result<Self> {
        Ok(origin.read("token origin")?)
    }
}

/// The secret that an attempt or a token belongs to, in messages.
pub(crate) const BEGUN_WITH: &str = "the secret that this began with";

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
                let secret = secret.ok_or_else(|| gone(BEGUN_WITH))?;
                Some(self.opened_secret(db.lend(), key, secret).await?)
            }
            None => None,
        };
        let mut password = None;
        if configuration.grant.takes_password()
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
    ///
    /// # Errors
    /// With what it lacks.
    pub(crate) fn direct_request<'a>(
        &self,
        grant: Grant,
        secrets: &'a OpenedSecrets,
    ) -> std::result::Result<Request<'a>, Failure> {
        match grant {
            Grant::ClientCredentials => Ok(Request::ClientCredentials),
            Grant::JwtBearer => Ok(Request::JwtBearer),
            // S11: also for tokens from a time when the operator allowed it.
            Grant::Password if !self.oauth.allowed.password_grant => {
                Err(Failure::Lacking("the password grant is switched off", FormPlace::Menu(MenuField::Grant)))
            }
            Grant::Password => {
                let password = secrets.password.as_ref();
                let lacking = Failure::Lacking(
                    "the user’s password is not there any more",
                    FormPlace::Secret(SecretField::Password),
                );
                Ok(Request::Password { password: password.ok_or(lacking)? })
            }
            Grant::AuthorizationCode | Grant::AsProvider => Err(Failure::NeedsPerson),
        }
    }
}

const ENCRYPT_IT: &str = "Encrypt it, and generate the token again.";

pub(crate) fn gone(what: &str) -> ServiceError {
    ServiceError::Conflict(format!("{what} is not there any more"))
}

pub(crate) fn written(value: &impl Serialize) -> Result<JsonText> {
    JsonText::of(value).map_err(|_| ServiceError::Internal("a token’s origin cannot be written"))
}

/// Why there is no token, or none that could be kept.
pub(crate) enum Failure {
    Token(TokenError),
    Service(ServiceError),
    /// What it takes is not there; where on the form it is given.
    Lacking(&'static str, FormPlace),
    /// Nothing is left to ask with but a person.
    NeedsPerson,
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
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Token(error) => error.kind(),
            Self::Lacking(_, place) => FailureKind::Misconfigured(*place),
            Self::NeedsPerson => FailureKind::Refused,
            // The secret that it began with was reset.
            Self::Service(ServiceError::Conflict(_)) => {
                FailureKind::Misconfigured(FormPlace::Secret(SecretField::ClientSecret))
            }
            // Also what does not open: a master key may be missing for a moment.
            Self::Service(_) => FailureKind::Passing,
        }
    }

    /// Seconds after which the provider wants to be asked again, where it named them.
    pub fn retry_after(&self) -> Option<i64> {
        if let Self::Token(error) = self { error.retry_after() } else { None }
    }

    /// What was said, without a full stop.
    pub fn said(&self) -> String {
        match self {
            Self::Token(TokenError::Outbound(error)) if error.may_have_arrived() => {
                format!("{} The provider may have done it all the same", sentence(&error.to_string()))
            }
            Self::Token(error) => error.to_string().trim_end_matches('.').to_owned(),
            Self::Service(ServiceError::Conflict(message)) => message.clone(),
            Self::Service(ServiceError::Unopenable) => "what was encrypted does not open".into(),
            Self::Service(error) => {
                tracing::error!(error = %error, "a token could not be kept");
                "the server could not keep the token".into()
            }
            Self::Lacking(what, _) => (*what).to_owned(),
            Self::NeedsPerson => "a person has to sign in at the provider again".into(),
        }
    }

    /// What was said, and which field is to be looked at.
    pub fn sentence(&self) -> String {
        let said = sentence(&self.said());
        match self.kind() {
            FailureKind::Misconfigured(place) => format!("{said} Check {}.", place.label()),
            FailureKind::Refused | FailureKind::Passing => said,
        }
    }

    /// The likely causes, the likeliest first.
    pub fn causes(&self, request: FailedRequest<'_>) -> Vec<Cause> {
        let client_secret = FormPlace::Secret(SecretField::ClientSecret);
        vec![match self {
            Self::Token(error) => return request.causes_of(error),
            Self::Service(ServiceError::Conflict(_)) => Cause::new(ENCRYPT_IT).at(client_secret),
            Self::Lacking(_, place @ FormPlace::Secret(_)) => Cause::new(ENCRYPT_IT).at(*place),
            Self::Lacking(_, place) => Cause::new("Choose another one.").at(*place),
            Self::NeedsPerson => Cause::new("Generate the token again."),
            Self::Service(ServiceError::Unopenable) => Cause::new(
                "Try again in a few minutes, in case that a master key is missing for a moment. Reset the client secret, \
                 and enter it again.",
            )
            .at(client_secret),
            Self::Service(_) => Cause::new("Whoever runs this server finds in its log why. Try again."),
        }]
    }
}
