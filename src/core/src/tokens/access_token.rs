//! Access tokens for integration runtimes, read thousands of times a second: the row each time, the vault once for
//! each version of a token.
//!
//! Reads are counted in memory and written down now and then, one entry an hour for each token and reader. What else
//! clients of the API, or strangers, do often is counted the same way, as a [`Kind`] of its own.

use crate::{
    access::{self, Client},
    error::{Result, ServiceError},
    secrets::sealing,
    services::Services,
    tokens::memory::{OpenedToken, Use},
};
use ipack_domain::{ids::ConnectionKey, rights::Right, time::Timestamp};
use ipack_storage::{
    Connection, StorageError, Writer,
    audit_log::{self, AuditSubject, Counted, Kind},
    tokens::{self, Token},
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

/// A token with less left is refreshed before it is handed out: whoever asks needs time to use it.
const LEAST: Duration = Duration::from_secs(30);
const HOUR: i64 = 3_600;

/// What a runtime gets. `Debug` shows no token.
#[derive(Debug, Clone)]
pub struct AccessToken {
    pub token: SecretString,
    pub token_type: String,
    pub expires_at: Option<Timestamp>,
    pub scope: String,
    /// What else the provider answered with it, as JSON.
    pub extra: Option<SecretString>,
}

/// What a runtime wants of a token.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// It lives so long from now, if a new one would.
    pub minimum: Option<Duration>,
    /// SHA-256 of a token that an API refused: that one is refreshed, once, however many say so.
    pub rejected: Option<[u8; 32]>,
}

impl Services {
    /// The access token of a connection, refreshed first where it is about to run out or not what is wanted.
    ///
    /// # Errors
    /// `Forbidden` for an API token without the right; `Conflict` where there is no token that works.
    pub async fn access_token(
        &self,
        client: &Client,
        header: Option<&str>,
        key: &ConnectionKey,
        wanted: &Wanted,
    ) -> Result<AccessToken> {
        client.must_have(Right::TokensRead)?;
        let mut reader = self.database.reader().await?;
        access::check_key(key)?;
        let owned = match header == Some(key.space.as_str()) {
            true => tokens::find_owned(reader.connection(), key).await?,
            false => None,
        };
        let owned = owned.filter(|owned| owned.account_id == client.account);
        if owned.is_none() {
            // Says what is wrong with the Space, if anything is.
            access::client_key(reader.connection(), client, header, key).await?;
        }
        let api_token =
            client.must_still_have(reader.connection(), Right::TokensRead, self.clock.now()).await?;
        drop(reader);
        let token = self.usable(owned.ok_or_else(no_token)?.token, wanted).await?;
        let opened = self.opened_or_resealed(&token).await?;
        if self.uses.is_full() {
            // No token is handed out that is not counted.
            self.write_uses().await?;
        }
        self.uses.count(Use {
            kind: Kind::TokenRead,
            account: Some(client.account.clone()),
            key: Some(key.clone()),
            actor: client.label(),
            token: Some(api_token),
            detail: Some(client.username.clone()),
        });
        Ok(AccessToken {
            token: opened.access_token,
            extra: opened.extra,
            scope: token.granted_scope.unwrap_or(token.requested_scope),
            token_type: token.token_type,
            expires_at: token.expires_at,
        })
    }

    async fn usable(&self, token: Token, wanted: &Wanted) -> Result<Token> {
        let now = self.clock.now();
        // What lives for less anyway is handed out until it is due.
        let is_due = token.refresh_at.is_some_and(|at| at <= now);
        let new_is_better = is_due || wanted.minimum.is_some_and(|span| token.lives_for_more_than(span));
        let is_short = token.is_expired(now.plus(wanted.minimum.unwrap_or(LEAST)));
        let is_rejected = match wanted.rejected {
            Some(digest) => digest == sha256(&self.opened_or_resealed(&token).await?.access_token),
            None => false,
        };
        let is_ending = is_rejected || token.is_expired(now) || (is_short && new_is_better);
        // After a failure it is tried again when its time has come, however many ask meanwhile.
        let may_refresh = token.is_refreshable() && (token.failures == 0 || is_due);
        if !is_ending {
            return Ok(token);
        }
        let before = (token.id, token.version);
        let token =
            if may_refresh { self.refresh_or_wait(token).await?.ok_or_else(no_token)? } else { token };
        // What has just come is handed out, however short its life.
        if (token.id, token.version) != before || !(is_rejected || token.is_expired(now)) {
            return Ok(token);
        }
        let what = if is_rejected { "was refused by the API" } else { "has run out" };
        let why = token.failure.as_deref().unwrap_or("it cannot be refreshed.");
        Err(ServiceError::Conflict(format!(
            "The access token {what}: {why} An admin can generate another one on the connection’s form."
        )))
    }

    /// As [`Services::opened`], also where a rotation sealed the token anew since it was read.
    async fn opened_or_resealed(&self, token: &Token) -> Result<OpenedToken> {
        match self.opened(token).await {
            Err(ServiceError::Storage(StorageError::Reference)) => {
                let mut reader = self.database.reader().await?;
                let latest = tokens::find(reader.connection(), &token.key).await?;
                drop(reader);
                self.opened(&latest.ok_or_else(no_token)?).await
            }
            opened => opened,
        }
    }

    async fn opened(&self, token: &Token) -> Result<OpenedToken> {
        if let Some(opened) = self.opened.get(token.id, token.version) {
            return Ok(opened);
        }
        let mut reader = self.database.reader().await?;
        let (space, version) = (&token.key.space, token.data_key_version);
        let place = sealing::access_token(&token.id);
        let access_token =
            self.data_keys.open(reader.connection(), space, version, place, &token.access_token).await?;
        let extra = self.opened_extra(reader.connection(), token).await?;
        metrics::counter!("vault_access_tokens_opened_total").increment(1);
        let opened = OpenedToken { access_token, extra };
        self.opened.put(token.id, token.version, opened.clone());
        Ok(opened)
    }

    /// What came beside a token, as JSON.
    pub(crate) async fn opened_extra(
        &self,
        db: Connection<'_>,
        token: &Token,
    ) -> Result<Option<SecretString>> {
        let Some(sealed) = &token.extra else { return Ok(None) };
        let place = sealing::extra(&token.id);
        Ok(Some(self.data_keys.open(db, &token.key.space, token.data_key_version, place, sealed).await?))
    }

    /// Counts that a client was denied something.
    pub fn count_denial(&self, client: &Client, why: &str) {
        let detail = format!("{}: {why}", client.username);
        self.count_refusal(Kind::ApiDenied, &client.label(), Some(&client.account), Some(detail));
    }

    /// Counts that somebody was refused.
    pub(crate) fn count_refusal(
        &self,
        kind: Kind,
        actor: &str,
        account: Option<&str>,
        detail: Option<String>,
    ) {
        let (actor, account) = (actor.to_owned(), account.map(str::to_owned));
        self.uses.count(Use { kind, account, key: None, actor, token: None, detail });
    }

    /// As [`Services::count_refusal`], of a client where it is known which one it was.
    pub(crate) fn count_client_refusal(&self, kind: Kind, client: Option<&Client>) {
        match client {
            Some(client) => {
                let username = Some(client.username.clone());
                self.count_refusal(kind, &client.label(), Some(&client.account), username);
            }
            None => self.count_refusal(kind, access::STRANGER, None, None),
        }
    }

    /// Writes down what was counted since the last time.
    pub async fn write_uses(&self) -> Result<()> {
        let uses = self.uses.take();
        if uses.is_empty() {
            return Ok(());
        }
        let written = self.database.write(|db| self.write_uses_once(db, &uses)).await;
        if written.is_err() {
            self.uses.give_back(uses);
        }
        written
    }

    async fn write_uses_once(&self, mut db: Writer, uses: &HashMap<Use, u32>) -> Result<()> {
        let now = self.clock.now();
        // In one order everywhere, so that two replicas do not wait for each other.
        let mut uses: Vec<(Uuid, &Use, u32)> =
            uses.iter().map(|(one, times)| (hourly_id(one, now), one, *times)).collect();
        uses.sort_unstable_by_key(|(id, ..)| *id);
        for (id, one, times) in uses {
            let whole = one.key.as_ref().map(AuditSubject::of_connection).unwrap_or_default();
            let event = Counted {
                subject: AuditSubject { account: one.account.as_deref(), ..whole },
                kind: one.kind,
                actor: &one.actor,
                detail: one.detail.as_deref(),
                times,
            };
            audit_log::count(db.lend(), id, event, now).await?;
        }
        Ok(())
    }
}

fn sha256(token: &SecretString) -> [u8; 32] {
    Sha256::digest(token.expose_secret()).into()
}

pub(crate) fn no_token() -> ServiceError {
    ServiceError::Conflict(
        "There is no access token for this connection yet: an admin generates it on the connection’s form."
            .into(),
    )
}

/// One entry for each kind, client, connection and hour, whichever replica writes it.
fn hourly_id(one: &Use, now: Timestamp) -> Uuid {
    let hour = now.seconds().div_euclid(HOUR);
    let Use { kind, account, key, actor, token, detail } = one;
    let name = serde_json::json!([kind.name(), account, key, actor, token, detail, hour]).to_string();
    let digest = Sha256::digest(name);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
