//! Attempts to get a token: how far one is, and what it was begun with.

use crate::{
    access::{self, Admin},
    connector::fingerprint::Fingerprints,
    error::{Result, ServiceError},
    secrets::sealing,
    services::Services,
};
use ipack_domain::{form_place::Cause, ids::ConnectionKey, time::Timestamp, tokens::Stage};
use ipack_oauth::{
    advice::{no_code, no_token},
    authorize::digest,
    configuration::Configuration,
};
use ipack_storage::{
    Connection, StorageError,
    attempts::{self, Attempt, Status},
    audit_log::{Event, Kind},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What an attempt was begun with.
#[derive(Serialize, Deserialize)]
pub(crate) struct AttemptContext {
    pub account: String,
    pub email: String,
    pub configuration: Configuration,
    pub fingerprints: Fingerprints,
    pub secret_id: Option<Uuid>,
    pub redirect_uri: String,
    pub verifier: Option<String>,
    /// Where the browser is sent, where a browser is needed.
    pub authorization_url: Option<String>,
}

/// An attempt as its page shows it. Its address has a state in it, so it does not show itself.
#[derive(Clone, PartialEq, Eq)]
pub struct AttemptPage {
    pub key: ConnectionKey,
    pub stage: Stage,
    pub message: String,
    pub causes: Vec<Cause>,
    pub is_in_window: bool,
    pub authorization_url: Option<String>,
}

impl Services {
    /// What an attempt was begun with, where it has not ended.
    pub(crate) async fn attempt_context(
        &self,
        db: Connection<'_>,
        attempt: &Attempt,
    ) -> Result<Option<AttemptContext>> {
        let (Some(sealed), Some(version)) = (&attempt.sealed, attempt.data_key_version) else {
            return Ok(None);
        };
        let place = sealing::attempt(&attempt.id);
        let text = self.data_keys.open(db, &attempt.key.space, version, place, sealed).await?;
        let begun = serde_json::from_str(secrecy::ExposeSecret::expose_secret(&text));
        Ok(Some(begun.map_err(|_| StorageError::Corrupt("attempt".to_owned()))?))
    }

    /// An attempt of a connection; `None` where it is gone.
    ///
    /// # Errors
    /// `NotFound` for a connection that is not there or not theirs.
    pub async fn attempt(&self, admin: &Admin, key: &ConnectionKey, id: &str) -> Result<Option<Attempt>> {
        let id = Uuid::parse_str(id).map_err(|_| ServiceError::NotFound)?;
        let mut reader = self.database.reader().await?;
        access::admin_key(reader.connection(), admin, key).await?;
        let attempt = attempts::find(reader.connection(), id).await?;
        Ok(attempt.filter(|attempt| attempt.key == *key))
    }

    /// The page of an attempt, for the browser that began it and nobody else.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn attempt_page(&self, id: Uuid, browser: Option<&str>) -> Result<AttemptPage> {
        let now = self.clock.now();
        let mut reader = self.database.reader().await?;
        let attempt = attempts::find(reader.connection(), id).await?;
        let attempt = attempt
            .filter(|attempt| browser.is_some_and(|browser| is_same(&attempt.browser, browser)))
            .ok_or(ServiceError::NotFound)?;
        let (stage, message) = stage(&attempt, now);
        let authorization_url = match stage {
            Stage::Opening => self
                .attempt_context(reader.connection(), &attempt)
                .await?
                .and_then(|begun| begun.authorization_url),
            _ => None,
        };
        Ok(AttemptPage {
            causes: causes(&attempt),
            key: attempt.key,
            stage,
            message,
            is_in_window: attempt.is_in_window,
            authorization_url,
        })
    }
}

/// Whether a browser's cookie is the one whose digest was stored. The digests may be compared in any time.
pub(crate) fn is_same(stored: &[u8], browser: &str) -> bool {
    stored == digest(browser)
}

/// What to say of an attempt that ran out in this state; `None` for one that has ended.
pub(crate) fn overdue(status: Status) -> Option<String> {
    match status {
        Status::Opened => Some(no_code("the identity provider did not answer in time")),
        Status::Returned => Some(no_token("the server stopped while it asked for the token")),
        Status::Succeeded | Status::Failed => None,
    }
}

/// How far an attempt is, in the words of the original platform.
pub fn stage(attempt: &Attempt, now: Timestamp) -> (Stage, String) {
    if let Some(why) = overdue(attempt.status).filter(|_| attempt.expires_at <= now) {
        return (Stage::Failed, why);
    }
    let stage = match attempt.status {
        Status::Opened => Stage::Opening,
        Status::Returned => Stage::Initializing,
        Status::Succeeded => Stage::Succeeded,
        Status::Failed => Stage::Failed,
    };
    let message = attempt.message.clone().filter(|_| stage == Stage::Failed);
    (stage, message.unwrap_or_else(|| stage.message().to_owned()))
}

/// The likely causes of a failure, the likeliest first. What an earlier version wrote is one text.
pub fn causes(attempt: &Attempt) -> Vec<Cause> {
    let Some(advice) = &attempt.advice else { return Vec::new() };
    serde_json::from_str(advice).unwrap_or_else(|_| vec![Cause::new(advice)])
}

pub(crate) fn event_of<'a>(
    begun: &'a AttemptContext,
    key: &'a ConnectionKey,
    kind: Kind,
    detail: Option<&'a str>,
) -> Event<'a> {
    Event { account: &begun.account, key, kind, actor: &begun.email, changed: &[], detail }
}
