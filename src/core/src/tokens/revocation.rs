//! Revoking tokens at the provider (RFC 7009): on reset, on uninstalling, and on demand; with what came of it in the
//! audit log.
//!
//! Whatever forgets a token queues its revocation in the same transaction, sealed with everything that it takes: a
//! server that stops in between leaves it to the next, and a provider that does not answer holds nobody up. The provider
//! is asked once; what it does not revoke is forgotten all the same, and that is told.

use crate::{
    error::{Result, ServiceError},
    persist::persist_with_backoff,
    secrets::{
        credentials::Who,
        sealing::{self, seal},
    },
    services::Services,
    tokens::source::{OpenedSecrets, TokenSource},
};
use futures::StreamExt;
use ipack_domain::{effects::new_id, ids::ConnectionKey};
use ipack_oauth::{
    configuration::Configuration,
    token::{self, Secrets},
    token_answer::Granted,
};
use ipack_storage::{
    Connection, StorageError, Writer,
    audit_log::{self, AuditSubject, Event, Kind},
    instances,
    revocations::{self, Revocation},
    tokens::{self, Token},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Revocations looked up at once, and how many of them a server performs at the same time.
const BATCH: i64 = 100;
const AT_ONCE: usize = 4;
/// Longer than a call and the write after it take: then another server may ask.
const CLAIM_SECONDS: i64 = 90;
/// How long what came of it is tried to be written down; the provider takes a second call for the same token.
const NOTING: Duration = Duration::from_secs(60);

/// What is to be done about a token that is forgotten, as it is sealed.
#[derive(Serialize, Deserialize)]
enum Task {
    Revoke {
        configuration: Box<Configuration>,
        secret: Option<String>,
        token: String,
        is_refresh_token: bool,
    },
    /// It stays valid there until it runs out; why, for the audit log.
    Tell { why: String },
}

impl Task {
    fn new(
        configuration: &Configuration,
        secrets: &OpenedSecrets,
        token: &SecretString,
        is_refresh_token: bool,
    ) -> Self {
        if configuration.endpoints.revocation.is_none() {
            return Self::Tell { why: "the provider has no revocation endpoint".to_owned() };
        }
        Self::Revoke {
            configuration: Box::new(configuration.clone()),
            secret: secrets.client.as_ref().map(|secret| secret.expose_secret().to_owned()),
            token: token.expose_secret().to_owned(),
            is_refresh_token,
        }
    }
}

impl Services {
    pub(crate) async fn has_token(&self, key: &ConnectionKey) -> Result<bool> {
        let mut reader = self.database.reader().await?;
        Ok(tokens::exists(reader.connection(), key).await?)
    }

    /// Forgets a connection's token and queues its revocation; before its secret is forgotten, which that takes.
    pub(crate) async fn forget_token(
        &self,
        mut db: Connection<'_>,
        who: Who<'_>,
        key: &ConnectionKey,
    ) -> Result<()> {
        instances::lock_connection(db.lend(), key).await?;
        match tokens::take(db.lend(), key).await? {
            Some(token) => self.queue_revocation(db, who, &token).await,
            None => Ok(()),
        }
    }

    /// As [`Services::forget_token`], with every token of an instance, or of its attachment to one environment, that is
    /// about to go. Whoever is about to keep another one waits for the end of the transaction, and then finds no place for it.
    pub(crate) async fn forget_tokens_of(
        &self,
        mut db: Connection<'_>,
        who: Who<'_>,
        space: &str,
        instance: &str,
        environment: Option<&str>,
    ) -> Result<()> {
        instances::lock_connections(db.lend(), space, instance).await?;
        for token in tokens::take_of_instance(db.lend(), space, instance, environment).await? {
            self.queue_revocation(db.lend(), who, &token).await?;
        }
        Ok(())
    }

    async fn queue_revocation(&self, mut db: Connection<'_>, who: Who<'_>, token: &Token) -> Result<()> {
        let task = match self.revocation_of(db.lend(), token).await {
            Ok(task) => task,
            Err(ServiceError::Storage(StorageError::Corrupt(_))) => {
                Task::Tell { why: "where it came from cannot be read".to_owned() }
            }
            Err(error @ ServiceError::Storage(_)) => return Err(error),
            // That a secret does not open must not stand in the way of forgetting.
            Err(error) => Task::Tell { why: error.to_string() },
        };
        self.queue(db, token.id, who, &token.key, &task).await
    }

    async fn revocation_of(&self, mut db: Connection<'_>, token: &Token) -> Result<Task> {
        let TokenSource { configuration, secret_id } = TokenSource::of(token)?;
        let key = &token.key;
        let (place, sealed) = match &token.refresh_token {
            Some(sealed) => (sealing::refresh_token(&token.id), sealed),
            None => (sealing::access_token(&token.id), &token.access_token),
        };
        let secrets = self.opened_secrets(db.lend(), key, secret_id, &configuration).await?;
        let opened = self.data_keys.open(db, &key.space, token.data_key_version, place, sealed).await?;
        Ok(Task::new(&configuration, &secrets, &opened, token.refresh_token.is_some()))
    }

    /// Queues the revocation of a token that was granted and is not kept. With the same id it is queued once.
    pub(crate) async fn queue_granted(
        &self,
        db: Connection<'_>,
        id: Uuid,
        who: Who<'_>,
        key: &ConnectionKey,
        configuration: &Configuration,
        secrets: &OpenedSecrets,
        granted: &Granted,
    ) -> Result<()> {
        let refresh_token = granted.refresh_token.as_ref();
        let token = refresh_token.unwrap_or(&granted.access_token);
        let task = Task::new(configuration, secrets, token, refresh_token.is_some());
        self.queue(db, id, who, key, &task).await
    }

    async fn queue(
        &self,
        mut db: Connection<'_>,
        id: Uuid,
        who: Who<'_>,
        key: &ConnectionKey,
        task: &Task,
    ) -> Result<()> {
        let now = self.clock.now();
        let text = serde_json::to_string(task);
        let text = text.map_err(|_| ServiceError::Internal("a revocation cannot be written"))?;
        let data_key = self.data_keys.current_key(db.lend(), &key.space, now).await?;
        let revocation = Revocation {
            id,
            key: key.clone(),
            account_id: who.account.to_owned(),
            actor: who.label.to_owned(),
            sealed: seal(&data_key, sealing::revocation(&id), &text.into()),
            data_key_version: data_key.version(),
            due_at: now,
        };
        Ok(revocations::add(db, &revocation).await?)
    }

    /// Performs in the background what is queued.
    pub fn revoke_soon(&self) {
        let services = self.clone();
        self.background.spawn(async move {
            if let Err(error) = services.revoke_due().await {
                tracing::warn!(error = %error, "revocations could not be looked up; they are tried again");
            }
        });
    }

    /// Every replica does this; each revocation is done once.
    async fn revoke_due(&self) -> Result<()> {
        // A few at a time, however often this is called.
        let _turn = self.revoking.lock().await;
        while !self.stopping.is_cancelled() {
            let mut reader = self.database.reader().await?;
            let due = revocations::due(reader.connection(), self.clock.now(), BATCH).await?;
            drop(reader);
            if due.is_empty() {
                break;
            }
            let performing = futures::stream::iter(due).map(|revocation| async move {
                if let Err(error) = self.perform_revocation(&revocation).await {
                    tracing::warn!(error = %error, "a revocation is left for later");
                }
            });
            performing.buffer_unordered(AT_ONCE).collect::<()>().await;
        }
        Ok(())
    }

    async fn perform_revocation(&self, revocation: &Revocation) -> Result<()> {
        let until = self.clock.now().plus_seconds(CLAIM_SECONDS);
        let claim = async |mut db: Writer| revocations::claim(db.lend(), revocation, until).await;
        if !self.database.write(claim).await? {
            return Ok(());
        }
        let outcome = match self.open_task(revocation).await {
            Ok(task) => self.perform(task).await,
            Err(error @ ServiceError::Storage(_)) => return Err(error),
            Err(error) => Err(error.to_string()),
        };
        let end = || self.database.write(|db| self.end_revocation(db, revocation, &outcome));
        persist_with_backoff(Instant::now() + NOTING, end).await
    }

    async fn open_task(&self, revocation: &Revocation) -> Result<Task> {
        let Revocation { id, key, data_key_version, sealed, .. } = revocation;
        let mut reader = self.database.reader().await?;
        let place = sealing::revocation(id);
        let text =
            self.data_keys.open(reader.connection(), &key.space, *data_key_version, place, sealed).await?;
        serde_json::from_str(text.expose_secret())
            .map_err(|_| ServiceError::Internal("what it takes cannot be read"))
    }

    async fn perform(&self, task: Task) -> std::result::Result<(), String> {
        let (configuration, secret, token, is_refresh_token) = match task {
            Task::Revoke { configuration, secret, token, is_refresh_token } => {
                (configuration, secret.map(SecretString::from), SecretString::from(token), is_refresh_token)
            }
            Task::Tell { why } => return Err(why),
        };
        let endpoint = configuration.endpoints.revocation.as_ref();
        let endpoint = endpoint.ok_or("the provider has no revocation endpoint")?;
        let client = Secrets { client: secret.as_ref() };
        let (outbound, now) = (&self.oauth.outbound, self.clock.now());
        token::revoke(outbound, &configuration, endpoint, &token, is_refresh_token, client, now)
            .await
            .map_err(|error| error.to_string())
    }

    /// Takes a revocation out of the queue and tells what came of it: in the connection's history, in the instance's where
    /// it is not attached there any more, and with the account where both are gone with their history.
    async fn end_revocation(
        &self,
        mut db: Writer,
        revocation: &Revocation,
        outcome: &std::result::Result<(), String>,
    ) -> Result<()> {
        if !revocations::remove(db.lend(), revocation.id).await? {
            return Ok(());
        }
        let Revocation { key, account_id: account, actor, .. } = revocation;
        let (now, kind, detail) = (self.clock.now(), Kind::TokenRevoked, told(outcome));
        if instances::connection(db.lend(), key).await?.is_some() {
            let event = Event { account, key, kind, actor, changed: &[], detail: Some(&detail) };
            audit_log::add(db.lend(), new_id(now), event, now).await?;
        } else {
            let instance = instances::find(db.lend(), &key.space, &key.instance).await?;
            let place = AuditSubject {
                account: Some(account),
                space: Some(&key.space),
                instance: instance.as_ref().map(|_| key.instance.as_str()),
                environment: instance.as_ref().map(|_| key.environment.as_str()),
                ..AuditSubject::default()
            };
            audit_log::add_told(db.lend(), new_id(now), place, kind, actor, Some(&detail), now).await?;
        }
        Ok(())
    }
}

fn told(outcome: &std::result::Result<(), String>) -> String {
    match outcome {
        Ok(()) => "the provider has revoked the token".to_owned(),
        Err(why) => format!("the token is forgotten here, and not revoked there: {why}"),
    }
}
