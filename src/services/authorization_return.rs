//! The second half of an attempt: what the provider brings back, the exchange for a token, and what becomes of it.
//!
//! The checks stand in `accepted`, in their order; each that fails ends the attempt before anything is sent to the
//! token endpoint (security: S01, S04 to S06). A new check goes there.

use super::{
    Result, ServiceError, Services,
    access::Admin,
    authorization::{Begun, Fingerprints, is_same},
    connector::{saved_content, write_company_id},
    keys::seal,
    retrying, sealing,
};
use crate::{
    domain::{ids::ConnectionKey, provider::Grant, time::Timestamp},
    effects::new_id,
    oauth::{
        authorize::digest,
        callback::{Callback, is_from},
        configuration::Configuration,
        explain::{advice, no_code, no_token, shown},
        token::{self, Granted, Request, Secrets, TokenError},
    },
    storage::{
        Connection, Writer,
        attempts::{self, Attempt, Status},
        client_secrets,
        timeline::{self, Event, Kind},
        tokens::{self, Token},
    },
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// How long the answer to the browser waits for the token; after that the attempt's page follows it.
const PATIENCE: Duration = Duration::from_millis(1_200);

/// What a token came from, kept beside it: enough to renew and to revoke it, whatever the form says by then.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct TokenOrigin {
    pub configuration: Configuration,
    pub secret_id: Option<Uuid>,
    pub password_id: Option<Uuid>,
}

/// What a browser brings back.
#[derive(Debug, Clone, Copy)]
pub struct Returned<'a> {
    /// `/oauth/callback/…`, as it was asked for.
    pub path: &'a str,
    pub query: &'a str,
    /// The value of the browser's cookie for these flows.
    pub browser: Option<&'a str>,
    pub admin: Option<&'a Admin>,
}

/// Secrets of an attempt or a token, opened.
pub(super) struct OpenedSecrets {
    pub client: Option<SecretString>,
    pub password: Option<SecretString>,
}

impl Services {
    /// Takes in what the provider brought back; the attempt whose page the browser is to see.
    ///
    /// # Errors
    /// `NotFound` where there is no attempt that this belongs to.
    pub async fn authorization_returned(&self, returned: Returned<'_>) -> Result<Uuid> {
        let callback = Callback::parse(returned.query).ok_or(ServiceError::NotFound)?;
        let state = digest(callback.state().ok_or(ServiceError::NotFound)?);
        let (attempt, accepted) = retrying(|| self.accept(&state, &callback, returned)).await?;
        let (Some(begun), Some(code)) = (accepted, callback.code()) else { return Ok(attempt.id) };
        let code = SecretString::from(code.to_owned());
        let company = begun.configuration.company_id_parameter.as_deref();
        let company = company.and_then(|name| callback.parameter(name)).map(shown);
        let services = self.clone();
        let id = attempt.id;
        let exchange = async move {
            let outcome = services.exchange(&attempt, &begun, Some(code), company).await;
            services.settle(&attempt, &begun, outcome).await;
        };
        let _ = tokio::time::timeout(PATIENCE, self.background.spawn(exchange)).await;
        Ok(id)
    }

    /// One transaction: the state is used up, whatever comes of it.
    async fn accept(
        &self,
        state: &[u8],
        callback: &Callback,
        returned: Returned<'_>,
    ) -> Result<(Attempt, Option<Begun>)> {
        let now = self.clock.now();
        let mut writer = self.database.writer().await?;
        let id = attempts::take_state(writer.connection(), state, now).await?;
        let Some(id) = id else {
            writer.commit().await?;
            return Err(ServiceError::NotFound);
        };
        let attempt = attempts::find(writer.connection(), id).await?.ok_or(ServiceError::NotFound)?;
        let is_open = attempt.status == Status::Opened.name();
        let begun = if is_open { self.begun(writer.connection(), &attempt).await? } else { None };
        let Some(begun) = begun else {
            // It ended meanwhile, and its page says how.
            writer.commit().await?;
            return Ok((attempt, None));
        };
        let key = attempt.key();
        let event = |kind, detail| Event {
            account: &begun.account,
            key: &key,
            kind,
            actor: &begun.email,
            changed: &[],
            detail,
        };
        let redirect_uri = format!("{}{}", self.oauth.public_url, returned.path);
        if let Err(refusal) = accepted(&attempt, &begun, callback, returned, &redirect_uri) {
            let Refusal { message, advice, detail } = &refusal;
            attempts::finish(writer.connection(), id, Status::Failed, Some(message), Some(advice)).await?;
            let event = event(Kind::TokenFailed, Some(detail));
            timeline::add(writer.connection(), new_id(now), event, now).await?;
            writer.commit().await?;
            return Ok((attempt, None));
        }
        attempts::returned(writer.connection(), id).await?;
        let event = event(Kind::AuthorizationReturned, None);
        timeline::add(writer.connection(), new_id(now), event, now).await?;
        writer.commit().await?;
        Ok((attempt, Some(begun)))
    }

    /// A grant that needs no browser: asked for at once.
    pub(super) async fn exchange_directly(&self, id: Uuid) {
        let opened = async {
            let mut writer = self.database.writer().await?;
            let attempt = attempts::find(writer.connection(), id).await?.ok_or(ServiceError::NotFound)?;
            let begun = self.begun(writer.connection(), &attempt).await?.ok_or(ServiceError::NotFound)?;
            attempts::returned(writer.connection(), id).await?;
            writer.commit().await?;
            Ok::<_, ServiceError>((attempt, begun))
        };
        match opened.await {
            Ok((attempt, begun)) => {
                let outcome = self.exchange(&attempt, &begun, None, None).await;
                self.settle(&attempt, &begun, outcome).await;
            }
            // Uninstalled or replaced meanwhile.
            Err(error) => tracing::warn!(error = %error, "an attempt is gone before it began"),
        }
    }

    async fn exchange(
        &self,
        attempt: &Attempt,
        begun: &Begun,
        code: Option<SecretString>,
        company: Option<String>,
    ) -> std::result::Result<(), Failure> {
        let now = self.clock.now();
        let key = attempt.key();
        let mut reader = self.database.reader().await.map_err(ServiceError::from)?;
        let secrets =
            self.opened_secrets(reader.connection(), &key, begun.secret_id, begun.password_id).await?;
        drop(reader);
        let verifier = begun.verifier.clone().map(SecretString::from);
        let configuration = &begun.configuration;
        let request = match (&code, configuration.grant) {
            (Some(code), _) => {
                Request::Code { code, redirect_uri: &begun.redirect_uri, verifier: verifier.as_ref() }
            }
            (None, grant) => direct_request(grant, &secrets)?,
        };
        let client = Secrets { client: secrets.client.as_ref() };
        let granted = token::request(&self.oauth.outbound, configuration, &request, client, now).await?;
        Ok(retrying(|| self.keep_token(attempt, begun, &granted, company.as_deref())).await?)
    }

    /// Writes down how an exchange went wrong.
    async fn settle(&self, attempt: &Attempt, begun: &Begun, outcome: std::result::Result<(), Failure>) {
        let Err(failure) = outcome else { return };
        let (said, what_next) = failure.explained(&begun.redirect_uri);
        let key = attempt.key();
        let written = retrying(|| async {
            let now = self.clock.now();
            let mut writer = self.database.writer().await?;
            let message = no_token(&said);
            let is_open = attempts::finish(
                writer.connection(),
                attempt.id,
                Status::Failed,
                Some(&message),
                Some(&what_next),
            )
            .await?;
            if is_open {
                let event = Event {
                    account: &begun.account,
                    key: &key,
                    kind: Kind::TokenFailed,
                    actor: &begun.email,
                    changed: &[],
                    detail: Some(&said),
                };
                timeline::add(writer.connection(), new_id(now), event, now).await?;
            }
            Ok(writer.commit().await?)
        });
        if let Err(error) = written.await {
            tracing::error!(error = %error, "a failed attempt could not be written down");
        }
    }

    /// Seals what was granted, puts a replacement into its place, and ends the attempt: one transaction.
    async fn keep_token(
        &self,
        attempt: &Attempt,
        begun: &Begun,
        granted: &Granted,
        company: Option<&str>,
    ) -> Result<()> {
        let now = self.clock.now();
        let key = attempt.key();
        let mut writer = self.database.writer().await?;
        if !attempts::finish(writer.connection(), attempt.id, Status::Succeeded, None, None).await? {
            // Reset or replaced while the provider was asked: this token is nobody's.
            drop(writer);
            self.revoke_unwanted(begun, &key, granted).await;
            return Ok(());
        }
        let earlier = tokens::find(writer.connection(), &key).await?;
        let token = self.sealed_token(&mut writer, &key, begun, granted, company, now).await?;
        tokens::put(writer.connection(), &token).await?;
        if let Some(id) = begun.secret_id
            && client_secrets::promote(&mut writer, &key, id).await?
        {
            let event = event_of(begun, &key, Kind::SecretReplaced, Some("the replacement is in use now"));
            timeline::add(writer.connection(), new_id(now), event, now).await?;
        }
        let summary = granted.summary();
        let event = event_of(begun, &key, Kind::TokenExchanged, Some(&summary));
        timeline::add(writer.connection(), new_id(now), event, now).await?;
        if let Some(company) = company {
            self.take_company(&mut writer, begun, &key, company, now).await?;
        }
        writer.commit().await?;
        self.opened.forget(earlier.map(|token| token.id));
        Ok(())
    }

    async fn sealed_token(
        &self,
        writer: &mut Writer,
        key: &ConnectionKey,
        begun: &Begun,
        granted: &Granted,
        company: Option<&str>,
        now: Timestamp,
    ) -> Result<Token> {
        let id = new_id(now);
        let data_key: Arc<_> = self.safe.current_key(writer.connection(), &key.space, now).await?;
        let origin = TokenOrigin {
            configuration: begun.configuration.clone(),
            secret_id: begun.secret_id,
            password_id: begun.password_id,
        };
        let expiry =
            super::refresh::expiry(&begun.configuration, granted, granted.refresh_token.is_some(), now);
        Ok(Token {
            id,
            space_guid: key.space.clone(),
            instance_id: key.instance.clone(),
            environment_id: key.environment.clone(),
            process_id: key.process.clone(),
            connection_id: key.connection.clone(),
            version: 1,
            access_token: seal(&data_key, sealing::access_token(&id), &granted.access_token),
            refresh_token: granted
                .refresh_token
                .as_ref()
                .map(|token| seal(&data_key, sealing::refresh_token(&id), token)),
            data_key_version: data_key.version().into(),
            token_type: granted.token_type.clone(),
            requested_scope: begun.configuration.scopes.join(" "),
            granted_scope: granted.scope.as_deref().map(|scope| spaced(scope, &begun.configuration)),
            origin: written(&origin)?,
            configuration: written(&begun.fingerprints as &Fingerprints)?,
            company_id: company.map(str::to_owned),
            obtained_by: begun.email.clone(),
            obtained_at: now.0,
            refreshed_at: None,
            expires_at: expiry.expires_at.map(|at| at.0),
            refresh_at: expiry.refresh_at.map(|at| at.0),
            failures: 0,
            failure: None,
            is_broken: false,
            lease_owner: None,
            lease_until: None,
        })
    }

    /// The company that the provider named fills Company ID where that is empty.
    async fn take_company(
        &self,
        writer: &mut Writer,
        begun: &Begun,
        key: &ConnectionKey,
        company: &str,
        now: Timestamp,
    ) -> Result<()> {
        let content = saved_content(writer.connection(), key).await?;
        if content.is_some_and(|content| content.company_id.trim().is_empty()) {
            write_company_id(writer, &begun.email, key, company, now).await?;
            let event = Event {
                changed: &["Company ID"],
                ..event_of(begun, key, Kind::DetailsSaved, Some("as the identity provider named it"))
            };
            timeline::add(writer.connection(), new_id(now), event, now).await?;
        }
        Ok(())
    }

    /// Opens the secrets that an attempt or a token was begun with, and no others (security: S08).
    pub(super) async fn opened_secrets(
        &self,
        mut db: Connection<'_>,
        key: &ConnectionKey,
        client: Option<Uuid>,
        password: Option<Uuid>,
    ) -> Result<OpenedSecrets> {
        let mut opened = [None, None];
        for (place, id) in opened.iter_mut().zip([client, password]) {
            let Some(id) = id else { continue };
            let secret = client_secrets::find(db.lend(), key, id).await?;
            let secret = secret.ok_or_else(|| {
                ServiceError::Conflict("the secret that this began with is not there any more".into())
            })?;
            let version = secret.data_key_version;
            let sealed = sealing::client_secret(&id);
            *place = Some(self.safe.open(db.lend(), &key.space, version, sealed, &secret.sealed).await?);
        }
        let [client, password] = opened;
        Ok(OpenedSecrets { client, password })
    }
}

/// A request for a token without anybody's browser.
pub(super) fn direct_request(grant: Grant, secrets: &OpenedSecrets) -> Result<Request<'_>> {
    Ok(match grant {
        Grant::ClientCredentials => Request::ClientCredentials,
        Grant::JwtBearer => Request::JwtBearer,
        Grant::Password => {
            let missing = || ServiceError::Conflict("the user’s password is not there".into());
            Request::Password { password: secrets.password.as_ref().ok_or_else(missing)? }
        }
        Grant::AuthorizationCode | Grant::AsProvider => {
            return Err(ServiceError::Internal("an authorization code is needed"));
        }
    })
}

fn event_of<'a>(begun: &'a Begun, key: &'a ConnectionKey, kind: Kind, detail: Option<&'a str>) -> Event<'a> {
    Event { account: &begun.account, key, kind, actor: &begun.email, changed: &[], detail }
}

/// Scopes with one blank between two, however the provider separates them.
pub(super) fn spaced(scope: &str, configuration: &Configuration) -> String {
    let separator = configuration.scope_separator.as_str();
    let separator = if separator.is_empty() { " " } else { separator };
    shown(&scope.split(separator).flat_map(str::split_whitespace).collect::<Vec<_>>().join(" "))
}

fn written(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|_| ServiceError::Internal("a token’s origin cannot be written"))
}

/// Why what came back is not taken.
struct Refusal {
    message: String,
    advice: String,
    /// For the timeline.
    detail: String,
}

fn refusal(error: &str, advice: impl Into<String>, detail: impl Into<String>) -> Refusal {
    Refusal { message: no_code(error), advice: advice.into(), detail: detail.into() }
}

fn accepted(
    attempt: &Attempt,
    begun: &Begun,
    callback: &Callback,
    returned: Returned<'_>,
    redirect_uri: &str,
) -> std::result::Result<(), Refusal> {
    let again = "Generate the token again, and finish it in the same browser.";
    let is_same_browser = returned.browser.is_some_and(|browser| is_same(&attempt.browser, browser));
    if !is_same_browser {
        return Err(refusal("another_browser", again, "came back in another browser"));
    }
    if returned.admin.is_some_and(|admin| admin.id != attempt.admin_id) {
        return Err(refusal("another_admin", again, "came back to another admin’s session"));
    }
    if begun.redirect_uri != redirect_uri {
        let advice =
            "The answer arrived on another provider’s redirect URI. Check the redirect URI registered there.";
        return Err(refusal("redirect_uri_mismatch", advice, "came back on another redirect URI"));
    }
    let endpoints = &begun.configuration.endpoints;
    if !is_from(endpoints.issuer.as_deref(), endpoints.announces_issuer, callback.issuer()) {
        let advice =
            "The answer does not come from the provider that was asked. Do not go on before you know why.";
        return Err(refusal("issuer_mismatch", advice, "the answer names another issuer, or none"));
    }
    if let Some(error) = callback.error() {
        let error = shown(error);
        let description = callback.parameter("error_description").map(shown);
        let said = description.map_or_else(|| error.clone(), |text| format!("{error}: {text}"));
        let what_next = match said.split_once(": ") {
            Some((_, text)) => format!("The provider says: {text} {}", advice(&error, &begun.redirect_uri)),
            None => advice(&error, &begun.redirect_uri),
        };
        return Err(refusal(&error, what_next, format!("the provider answered {said}")));
    }
    if callback.code().is_none() {
        let what_next = advice("invalid_request", &begun.redirect_uri);
        return Err(refusal("no_code", what_next, "the provider sent neither a code nor an error"));
    }
    Ok(())
}

/// Why an exchange brought no token that could be kept.
enum Failure {
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
    /// What was said, and what to do next.
    fn explained(&self, redirect_uri: &str) -> (String, String) {
        match self {
            Self::Token(error) => {
                let what_next = match (error.code(), error) {
                    (Some(code), _) => advice(code, redirect_uri),
                    (None, TokenError::Outbound(_) | TokenError::Malformed { .. }) => {
                        "Check the token endpoint, under Identity provider; if it is right, try again later."
                            .into()
                    }
                    (None, _) => "Put it right, and generate the token again.".into(),
                };
                (error.to_string(), what_next)
            }
            Self::Service(ServiceError::Conflict(message)) => {
                (message.clone(), "Encrypt the client secret, and generate the token again.".into())
            }
            Self::Service(error) => {
                tracing::error!(error = %error, "a token could not be kept");
                let what_next = "Whoever runs this server finds in its log why. Reset the client secret if it cannot be opened.";
                ("the server could not keep the token".into(), what_next.into())
            }
        }
    }
}
