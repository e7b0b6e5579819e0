//! What a form's page shows beside its record. Read after a post is committed, so that nobody waits for it.

use crate::{
    connector::record::ConnectorRecord,
    error::{Result, ServiceError},
    services::Services,
};
use ipack_domain::suggestions::Suggestion;
use ipack_oauth::token_answer::shown_extra;
use ipack_storage::{
    attempts::{self, Attempt},
    audit_log::{self, Entry},
    client_secrets::{self, ClientSecret},
    details::{self, InEnvironment},
    suggestions,
    tokens::{self, Token},
};

/// More than a page shows: refreshes that follow each other make one line.
const ENTRIES_READ: i64 = 60;

/// What the database has about a form's connection besides what is saved and typed.
#[derive(Debug, Clone)]
pub struct ConnectorPageData {
    pub others: Vec<InEnvironment>,
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
            others: details::in_other_environments(reader.connection(), key).await?,
            suggestions: suggestions::latest(reader.connection(), &record.space.account_id).await?,
            audit_log: audit_log::latest(reader.connection(), key, ENTRIES_READ).await?,
            secrets: client_secrets::of_connection(reader.connection(), key).await?,
            extra: extra.as_ref().map(shown_extra).unwrap_or_default(),
            token,
            attempt: attempts::latest(reader.connection(), key).await?,
        })
    }
}
