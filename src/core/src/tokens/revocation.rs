//! Revoking tokens at the provider (RFC 7009): on reset, on uninstalling, and on demand; with what came of it in the
//! audit log.
//!
//! Everything that a revocation takes is opened before the rows are gone, and the call goes on in the background: a
//! provider that does not answer holds nobody up. What cannot be revoked is forgotten all the same, and that is told.

use crate::{
    error::{Result, ServiceError},
    secrets::sealing,
    services::Services,
    tokens::source::{OpenedSecrets, TokenSource},
};
use ipack_domain::{effects::new_id, ids::ConnectionKey};
use ipack_oauth::{
    configuration::Configuration,
    token::{self, Secrets},
    token_answer::Granted,
};
use ipack_storage::{
    Connection, Writer,
    audit_log::{self, AuditSubject, Event, Kind},
    instances, tokens,
};
use secrecy::SecretString;

/// What is to become of a token at its provider.
pub(crate) enum PendingRevocation {
    /// There is no token.
    Nothing,
    /// It stays valid there until it runs out; why, for the audit log.
    Impossible(String),
    Revocation(Box<Revocation>),
}

/// A token on its way out, with what its revocation takes.
pub(crate) struct Revocation {
    configuration: Configuration,
    secrets: OpenedSecrets,
    token: SecretString,
    is_refresh_token: bool,
}

impl Services {
    pub(crate) async fn has_token(&self, key: &ConnectionKey) -> Result<bool> {
        let mut reader = self.database.reader().await?;
        Ok(tokens::exists(reader.connection(), key).await?)
    }

    pub(crate) async fn forget_token(
        &self,
        mut db: Connection<'_>,
        key: &ConnectionKey,
    ) -> Result<PendingRevocation> {
        instances::lock_connection(db.lend(), key).await?;
        let pending_revocation = self.pending_revocation(db.lend(), key).await?;
        tokens::remove(db.lend(), key).await?;
        Ok(pending_revocation)
    }

    /// What it takes to revoke the connection's token. That a secret does not open is no error here: it must not stand
    /// in the way of forgetting.
    pub(crate) async fn pending_revocation(
        &self,
        mut db: Connection<'_>,
        key: &ConnectionKey,
    ) -> Result<PendingRevocation> {
        let Some(token) = tokens::find(db.lend(), key).await? else { return Ok(PendingRevocation::Nothing) };
        let impossible = |why: &str| Ok(PendingRevocation::Impossible(why.to_owned()));
        let Ok(TokenSource { configuration, secret_id }) = TokenSource::of(&token) else {
            return impossible("where it came from cannot be read");
        };
        if configuration.endpoints.revocation.is_none() {
            return impossible("the provider has no revocation endpoint");
        }
        let (place, sealed) = match &token.refresh_token {
            Some(sealed) => (sealing::refresh_token(&token.id), sealed),
            None => (sealing::access_token(&token.id), &token.access_token),
        };
        let version = token.data_key_version;
        let opened = async {
            let secrets = self.opened_secrets(db.lend(), key, secret_id, &configuration).await?;
            Ok((secrets, self.data_keys.open(db, &key.space, version, place, sealed).await?))
        };
        match opened.await {
            Ok((secrets, opened)) => Ok(PendingRevocation::Revocation(Box::new(Revocation {
                configuration,
                secrets,
                token: opened,
                is_refresh_token: token.refresh_token.is_some(),
            }))),
            Err(error @ ServiceError::Storage(_)) => Err(error),
            Err(error) => impossible(&error.to_string()),
        }
    }

    /// Revokes in the background, or writes down why not.
    pub(crate) async fn revoke_and_log(
        &self,
        pending_revocation: PendingRevocation,
        account: &str,
        actor: &str,
        key: &ConnectionKey,
    ) -> Result<()> {
        let services = self.clone();
        let (account, actor, key) = (account.to_owned(), actor.to_owned(), key.clone());
        match pending_revocation {
            PendingRevocation::Nothing => Ok(()),
            PendingRevocation::Impossible(why) => {
                let outcome = Err(why);
                services.note_revocation(&account, &actor, &key, &outcome).await
            }
            PendingRevocation::Revocation(revocation) => {
                self.background.spawn(async move {
                    let outcome = services.revoke(&revocation).await;
                    let noted = services.note_revocation(&account, &actor, &key, &outcome).await;
                    if let Err(error) = noted {
                        tracing::error!(error = %error, "a revocation could not be written down");
                    }
                });
                Ok(())
            }
        }
    }

    async fn revoke(&self, revocation: &Revocation) -> std::result::Result<(), String> {
        let Revocation { configuration, secrets, token, is_refresh_token } = revocation;
        self.revoke_one(configuration, secrets, token, *is_refresh_token).await
    }

    /// Revokes a token that was never kept.
    pub(crate) async fn revoke_granted(
        &self,
        configuration: &Configuration,
        secrets: &OpenedSecrets,
        granted: &Granted,
    ) -> std::result::Result<(), String> {
        let refresh_token = granted.refresh_token.as_ref();
        let token = refresh_token.unwrap_or(&granted.access_token);
        self.revoke_one(configuration, secrets, token, refresh_token.is_some()).await
    }

    async fn revoke_one(
        &self,
        configuration: &Configuration,
        secrets: &OpenedSecrets,
        token: &SecretString,
        is_refresh_token: bool,
    ) -> std::result::Result<(), String> {
        let endpoint = configuration.endpoints.revocation.as_ref();
        let endpoint = endpoint.ok_or("the provider has no revocation endpoint")?;
        let client = Secrets { client: secrets.client.as_ref() };
        let outbound = &self.oauth.outbound;
        let now = self.clock.now();
        token::revoke(outbound, configuration, endpoint, token, is_refresh_token, client, now)
            .await
            .map_err(|error| error.to_string())
    }

    pub(crate) async fn note_revocation(
        &self,
        account: &str,
        actor: &str,
        key: &ConnectionKey,
        outcome: &std::result::Result<(), String>,
    ) -> Result<()> {
        let now = self.clock.now();
        let detail = told(outcome);
        let event =
            Event { account, key, kind: Kind::TokenRevoked, actor, changed: &[], detail: Some(&detail) };
        Ok(self
            .database
            .write(async |mut db| audit_log::add(db.lend(), new_id(now), event, now).await)
            .await?)
    }

    /// What it takes to revoke every token of an instance, or of its attachment to one environment, that is about to go.
    pub(crate) async fn pending_revocations_of(
        &self,
        mut db: Connection<'_>,
        space: &str,
        instance: &str,
        environment: Option<&str>,
    ) -> Result<Vec<(ConnectionKey, PendingRevocation)>> {
        let mut all = Vec::new();
        let mut of_instance = tokens::of_instance(db.lend(), space, instance).await?;
        of_instance.retain(|token| environment.is_none_or(|id| token.key.environment == id));
        for token in of_instance {
            let key = token.key.clone();
            let pending_revocation = self.pending_revocation(db.lend(), &key).await?;
            all.push((key, pending_revocation));
        }
        Ok(all)
    }

    /// Revokes an uninstalled instance's tokens. The audit log of its connections went with it, so the outcome stands
    /// with the account.
    pub(crate) fn revoke_uninstalled(
        &self,
        pending_revocations: Vec<(ConnectionKey, PendingRevocation)>,
        account: &str,
        actor: &str,
    ) {
        for (key, pending_revocation) in pending_revocations {
            let services = self.clone();
            let (account, actor) = (account.to_owned(), actor.to_owned());
            self.background.spawn(async move {
                let outcome = match pending_revocation {
                    PendingRevocation::Nothing => return,
                    PendingRevocation::Impossible(why) => Err(why),
                    PendingRevocation::Revocation(revocation) => services.revoke(&revocation).await,
                };
                let noted = services.note_uninstalled(&account, &actor, &key, &outcome).await;
                if let Err(error) = noted {
                    tracing::error!(error = %error, "a revocation could not be written down");
                }
            });
        }
    }

    async fn note_uninstalled(
        &self,
        account: &str,
        actor: &str,
        key: &ConnectionKey,
        outcome: &std::result::Result<(), String>,
    ) -> Result<()> {
        let now = self.clock.now();
        let place = AuditSubject {
            account: Some(account),
            space: Some(&key.space),
            instance: Some(&key.instance),
            environment: Some(&key.environment),
        };
        let (kind, detail) = (Kind::TokenRevoked, told(outcome));
        let add = async |mut db: Writer| {
            audit_log::add_told(db.lend(), new_id(now), place, kind, actor, Some(&detail), now).await
        };
        Ok(self.database.write(add).await?)
    }
}

fn told(outcome: &std::result::Result<(), String>) -> String {
    match outcome {
        Ok(()) => "the provider has revoked the token".to_owned(),
        Err(why) => format!("the token is forgotten here, and not revoked there: {why}"),
    }
}
