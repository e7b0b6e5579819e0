//! Revoking tokens at the provider (RFC 7009): on reset, on uninstalling, and on demand; with what came of it in the
//! timeline.
//!
//! Everything that a revocation takes is opened before the rows are gone, and the call goes on in the background: a
//! provider that does not answer holds nobody up.

use super::{
    Result, ServiceError, Services,
    access::Admin,
    authorization::{Begun, admin_connection},
    authorization_return::OpenedSecrets,
    connector::{Intent, Submission},
    refresh::read_origin,
    sealing,
};
use crate::{
    domain::{
        ids::ConnectionKey,
        views::{ConnectorView, Outcome},
    },
    effects::new_id,
    oauth::{
        configuration::Configuration,
        token::{self, Granted, Secrets, TokenError},
    },
    storage::{
        Connection, StorageError, Writer,
        timeline::{self, Event, Kind, Place},
        tokens,
    },
};
use secrecy::SecretString;

/// A token on its way out, with what its revocation takes.
pub(super) struct Revocation {
    configuration: Configuration,
    secrets: OpenedSecrets,
    token: SecretString,
    is_refresh_token: bool,
}

impl Services {
    /// Revokes and forgets the token; the secret stays.
    ///
    /// # Errors
    /// `NotFound` for what is not there or not theirs.
    pub async fn revoke_from_form(
        &self,
        admin: &Admin,
        key: &ConnectionKey,
        submission: Submission,
    ) -> Result<ConnectorView> {
        self.submit(admin, key, Submission { intent: Intent::Keep, ..submission }).await?;
        let mut writer = self.database.writer().await?;
        let space = admin_connection(writer.connection(), admin, key).await?;
        let revocation = self.revocation(writer.connection(), key).await;
        tokens::remove(writer.connection(), key).await?;
        writer.commit().await?;
        self.revoke_in_background(revocation, &space.account_id, &admin.email, key);
        self.connector_after(admin, key, Outcome::Kept, None).await
    }

    /// What revoking the connection's token takes; `None` where there is none, or it cannot be revoked.
    pub(super) async fn revocation(&self, db: Connection<'_>, key: &ConnectionKey) -> Option<Revocation> {
        match self.prepared(db, key).await {
            Ok(revocation) => revocation,
            Err(error) => {
                tracing::warn!(error = %error, "a token is forgotten without being revoked");
                None
            }
        }
    }

    async fn prepared(&self, mut db: Connection<'_>, key: &ConnectionKey) -> Result<Option<Revocation>> {
        let Some(token) = tokens::find(db.lend(), key).await? else { return Ok(None) };
        let origin = read_origin(&token)?;
        if origin.configuration.endpoints.revocation.is_none() {
            return Ok(None);
        }
        let secrets = self.opened_secrets(db.lend(), key, origin.secret_id, origin.password_id).await?;
        let (place, sealed) = match &token.refresh_token {
            Some(sealed) => (sealing::refresh_token(&token.id), sealed),
            None => (sealing::access_token(&token.id), &token.access_token),
        };
        let version = token.data_key_version;
        let opened = self.safe.open(db, &key.space, version, place, sealed).await?;
        Ok(Some(Revocation {
            configuration: origin.configuration,
            secrets,
            token: opened,
            is_refresh_token: token.refresh_token.is_some(),
        }))
    }

    pub(super) fn revoke_in_background(
        &self,
        revocation: Option<Revocation>,
        account: &str,
        actor: &str,
        key: &ConnectionKey,
    ) {
        let Some(revocation) = revocation else { return };
        let services = self.clone();
        let (account, actor, key) = (account.to_owned(), actor.to_owned(), key.clone());
        self.background.spawn(async move {
            let outcome = services.revoke(&revocation).await;
            services.note_revocation(&account, &actor, &key, &outcome).await;
        });
    }

    async fn revoke(&self, revocation: &Revocation) -> std::result::Result<(), TokenError> {
        let Revocation { configuration, secrets, token, is_refresh_token } = revocation;
        let Some(endpoint) = &configuration.endpoints.revocation else { return Ok(()) };
        let client = Secrets { client: secrets.client.as_ref() };
        let outbound = &self.oauth.outbound;
        let now = self.clock.now();
        token::revoke(outbound, configuration, endpoint, token, *is_refresh_token, client, now).await
    }

    async fn note_revocation(
        &self,
        account: &str,
        actor: &str,
        key: &ConnectionKey,
        outcome: &std::result::Result<(), TokenError>,
    ) {
        let detail = match outcome {
            Ok(()) => "the provider has revoked the token".to_owned(),
            Err(error) => format!("the provider did not revoke the token: {error}"),
        };
        let written = async {
            let now = self.clock.now();
            let mut writer = self.database.writer().await?;
            let event =
                Event { account, key, kind: Kind::TokenRevoked, actor, changed: &[], detail: Some(&detail) };
            timeline::add(writer.connection(), new_id(now), event, now).await?;
            writer.commit().await
        };
        if let Err(error) = written.await {
            tracing::error!(error = %error, "a revocation could not be written down");
        }
    }

    /// Revokes what nobody asked for any more by the time that it came.
    pub(super) async fn revoke_unwanted(&self, begun: &Begun, key: &ConnectionKey, granted: &Granted) {
        if begun.configuration.endpoints.revocation.is_none() {
            return;
        }
        let outcome = async {
            let mut reader = self.database.reader().await?;
            // Where the secret is gone, a public client can still revoke.
            let secrets = self.opened_secrets(reader.connection(), key, begun.secret_id, None).await?;
            drop(reader);
            let (token, is_refresh_token) = match &granted.refresh_token {
                Some(token) => (token.clone(), true),
                None => (granted.access_token.clone(), false),
            };
            let configuration = begun.configuration.clone();
            Ok::<_, ServiceError>(Revocation { configuration, secrets, token, is_refresh_token })
        };
        match outcome.await {
            Ok(revocation) => {
                let outcome = self.revoke(&revocation).await;
                self.note_revocation(&begun.account, &begun.email, key, &outcome).await;
            }
            Err(error) => tracing::warn!(error = %error, "a token that nobody wants was not revoked"),
        }
    }

    /// Revocations for every token of an instance that is about to go.
    pub(super) async fn revocations_of_instance(
        &self,
        writer: &mut Writer,
        space: &str,
        instance: &str,
    ) -> std::result::Result<Vec<(ConnectionKey, Revocation)>, StorageError> {
        let mut all = Vec::new();
        for token in tokens::of_instance(writer.connection(), space, instance).await? {
            let key = token.key();
            if let Some(revocation) = self.revocation(writer.connection(), &key).await {
                all.push((key, revocation));
            }
        }
        Ok(all)
    }

    /// Revokes an uninstalled instance's tokens. The timeline of its connections went with it, so the outcome stands
    /// with the account.
    pub(super) fn revoke_uninstalled(
        &self,
        revocations: Vec<(ConnectionKey, Revocation)>,
        account: &str,
        actor: &str,
    ) {
        for (key, revocation) in revocations {
            let services = self.clone();
            let (account, actor) = (account.to_owned(), actor.to_owned());
            self.background.spawn(async move {
                let detail = match services.revoke(&revocation).await {
                    Ok(()) => "the provider has revoked the token".to_owned(),
                    Err(error) => format!("the provider did not revoke the token: {error}"),
                };
                let written = async {
                    let now = services.clock.now();
                    let mut writer = services.database.writer().await?;
                    let place = Place {
                        account: Some(&account),
                        space: Some(&key.space),
                        instance: Some(&key.instance),
                        environment: Some(&key.environment),
                    };
                    let kind = Kind::TokenRevoked;
                    timeline::add_told(
                        writer.connection(),
                        new_id(now),
                        place,
                        kind,
                        &actor,
                        Some(&detail),
                        now,
                    )
                    .await?;
                    writer.commit().await
                };
                if let Err(error) = written.await {
                    tracing::error!(error = %error, "a revocation could not be written down");
                }
            });
        }
    }
}
