//! What a form's page shows beside its record. Read after a post is committed, so that nobody waits for it.

use crate::{
    connector::{
        content::{content_elsewhere, versions},
        record::ConnectorRecord,
    },
    error::{Result, ServiceError},
    services::Services,
};
use ipack_domain::{ids::ConnectionKey, suggestions::Suggestion};
use ipack_oauth::token_answer::shown_extra;
use ipack_storage::{
    Connection,
    attempts::{self, Attempt},
    audit_log::{self, Entry},
    client_secrets::{self, ClientSecret},
    details, suggestions,
    tokens::{self, Token},
};
use std::collections::BTreeMap;

/// More than a page shows: refreshes that follow each other make one line.
const ENTRIES_READ: i64 = 60;

/// What the database has about a form's connection besides what is saved and typed.
#[derive(Debug, Clone)]
pub struct ConnectorPageData {
    pub others: OtherEnvironments,
    pub suggestions: Vec<Suggestion>,
    /// Latest first.
    pub audit_log: Vec<Entry>,
    pub secrets: Vec<ClientSecret>,
    pub token: Option<Token>,
    /// What came beside the token: names and values, a secret without its value.
    pub extra: Vec<(String, Option<String>)>,
    /// The latest.
    pub attempt: Option<Attempt>,
}

/// What is saved in the instance's other environments.
#[derive(Debug, Clone, Default)]
pub struct OtherEnvironments {
    /// The saved versions, by the environments' ids.
    pub versions: BTreeMap<String, i64>,
    /// Names of environments where something else is saved than here.
    pub different: Vec<String>,
    /// How many more there may be: what is saved there was not read.
    pub more: usize,
}

/// Values of other environments that are read for one page; each may be long.
const OTHERS_READ: usize = 16;

async fn other_environments(mut db: Connection<'_>, record: &ConnectorRecord) -> Result<OtherEnvironments> {
    let all = details::other_environments(db.lend(), &record.key).await?;
    let mut others = OtherEnvironments { versions: versions(&all), ..OtherEnvironments::default() };
    let candidates: Vec<_> =
        all.into_iter().filter(|other| other.version.is_some() && !other.is_same).collect();
    others.more = candidates.len().saturating_sub(OTHERS_READ);
    for other in candidates.into_iter().take(OTHERS_READ) {
        let key = ConnectionKey { environment: other.environment_id, ..record.key.clone() };
        let content = content_elsewhere(db.lend(), &record.place, &key).await?;
        if content.is_some_and(|content| !content.differing(&record.start).is_empty()) {
            others.different.push(other.name);
        }
    }
    Ok(others)
}

impl Services {
    /// What the page of this form shows beside it.
    pub async fn connector_page_data(&self, record: &ConnectorRecord) -> Result<ConnectorPageData> {
        let mut reader = self.database.reader().await?;
        let key = &record.key;
        let token = tokens::find(reader.connection(), key).await?;
        let extra = match &token {
            Some(token) => match self.opened_extra(reader.connection(), token).await {
                Err(error @ ServiceError::Storage(_)) => return Err(error),
                // A value that does not open keeps nobody from the form, where the token is replaced.
                opened => opened.ok().flatten(),
            },
            None => None,
        };
        Ok(ConnectorPageData {
            others: other_environments(reader.connection(), record).await?,
            suggestions: suggestions::latest(reader.connection(), &record.space.account_id).await?,
            audit_log: audit_log::latest(reader.connection(), key, ENTRIES_READ).await?,
            secrets: client_secrets::of_connection(reader.connection(), key).await?,
            extra: extra.as_ref().map(shown_extra).unwrap_or_default(),
            token,
            attempt: attempts::latest(reader.connection(), key).await?,
        })
    }
}
