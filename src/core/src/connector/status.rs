//! What programs are told of a connection: its provider, its state, and what is known of its token.

use crate::{
    access::{self, Client},
    catalogue::page::MAX_PAGE,
    connector::state::{Assessment, TokenColumns, assess_line},
    error::{Result, ServiceError},
    services::Services,
};
use ipack_domain::{
    connection_state::{ConnectionState, StateWithReason},
    ids::ConnectionKey,
    provider::ProviderChoice,
    rights::Right,
    time::Timestamp,
};
use ipack_oauth::configuration::Allowed;
use ipack_storage::lines::{self, LineOfInstance, StatusLine};
use std::collections::BTreeMap;

/// Connections that are looked at in one statement, where only those in some states are wanted.
const BATCH: i64 = 500;

#[derive(Debug, Clone)]
pub struct ConnectionStatus {
    pub key: ConnectionKey,
    /// As saved, else as the connection has it.
    pub provider: ProviderChoice,
    pub state: StateWithReason,
    /// When the provider last gave a token; without one, when the details were saved.
    pub since: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    /// When the token is refreshed next; `None` for never.
    pub refresh_at: Option<Timestamp>,
    pub requested: Vec<String>,
    pub granted: Vec<String>,
    /// Labels of the fields that were edited since the token was got.
    pub changed: Vec<String>,
    /// When a program last read the token.
    pub read_at: Option<Timestamp>,
}

impl ConnectionStatus {
    fn of(space: &str, row: StatusLine, allowed: Allowed, now: Timestamp) -> Result<Self> {
        let StatusLine { instance_id, line, read_at } = row;
        let Assessment { state, token: facts, .. } = assess_line(&line, allowed, now)?;
        let changed = facts.map(|facts| facts.edited);
        let token = TokenColumns::of_line(&line);
        Ok(Self {
            state,
            since: line.refreshed_at.or(line.obtained_at).or(line.updated_at),
            requested: token.map(|token| token.requested()).unwrap_or_default(),
            granted: token.map(|token| token.granted()).unwrap_or_default(),
            changed: changed.unwrap_or_default(),
            key: ConnectionKey {
                space: space.to_owned(),
                instance: instance_id,
                environment: line.environment_id,
                process: line.process_id,
                connection: line.connection_id,
            },
            provider: line.provider.unwrap_or_default(),
            expires_at: line.expires_at,
            refresh_at: line.refresh_at,
            read_at,
        })
    }
}

impl Services {
    /// How many connections of the whole database are in each state.
    pub async fn count_states(&self) -> Result<BTreeMap<ConnectionState, u64>> {
        let (allowed, now) = (self.oauth.allowed, self.clock.now());
        let mut counts: BTreeMap<_, _> = ConnectionState::ALL.into_iter().map(|state| (state, 0)).collect();
        let mut after: Option<ConnectionKey> = None;
        loop {
            let mut reader = self.database.reader().await?;
            let lines = lines::all_oauth_lines(reader.connection(), after.as_ref(), BATCH).await?;
            drop(reader);
            for LineOfInstance { line, .. } in &lines {
                let state = assess_line(line, allowed, now)?.state.state;
                *counts.entry(state).or_default() += 1;
            }
            match lines.into_iter().last() {
                Some(last) => after = Some(last.key()),
                None => return Ok(counts),
            }
            // Others have their turn in between.
            tokio::task::yield_now().await;
        }
    }

    /// The status of one connection; `None` where there is no such connection.
    ///
    /// # Errors
    /// As [`Services::save_details`].
    pub async fn status(
        &self,
        client: &Client,
        header: Option<&str>,
        key: &ConnectionKey,
    ) -> Result<Option<ConnectionStatus>> {
        client.must_have(Right::DetailsRead)?;
        let mut reader = self.database.reader().await?;
        access::client_key(reader.connection(), client, header, key).await?;
        drop(reader);
        self.status_of(key).await
    }

    pub(crate) async fn status_of(&self, key: &ConnectionKey) -> Result<Option<ConnectionStatus>> {
        let mut reader = self.database.reader().await?;
        let row = lines::status_line(reader.connection(), key).await?;
        let (allowed, now) = (self.oauth.allowed, self.clock.now());
        row.map(|row| ConnectionStatus::of(&key.space, row, allowed, now)).transpose()
    }

    /// The statuses of a Space's connections after `after`, by instance, process, connection and environment; with
    /// `states`, of those that are in one of them.
    ///
    /// # Errors
    /// `BadInput` where the page cannot be; `MissingSpace`, `SpaceNotFound`.
    pub async fn statuses(
        &self,
        client: &Client,
        header: Option<&str>,
        states: Option<&[ConnectionState]>,
        first: i64,
        after: Option<&ConnectionKey>,
    ) -> Result<Vec<ConnectionStatus>> {
        client.must_have(Right::DetailsRead)?;
        if !(1..=MAX_PAGE).contains(&first) {
            return Err(ServiceError::bad_input("first", format!("must be between 1 and {MAX_PAGE}")));
        }
        let mut reader = self.database.reader().await?;
        let space = access::client_space(reader.connection(), client, header).await?.guid;
        let (allowed, now) = (self.oauth.allowed, self.clock.now());
        let batch = if states.is_some() { BATCH } else { first };
        let mut after = after.cloned();
        let mut found = Vec::new();
        loop {
            let rows = lines::status_lines(reader.connection(), &space, after.as_ref(), batch).await?;
            let is_last = (rows.len() as i64) < batch;
            for row in rows {
                let status = ConnectionStatus::of(&space, row, allowed, now)?;
                after = Some(status.key.clone());
                if states.is_none_or(|states| states.contains(&status.state.state)) {
                    found.push(status);
                }
                if found.len() as i64 == first {
                    return Ok(found);
                }
            }
            if is_last {
                return Ok(found);
            }
            // Others have their turn in between.
            tokio::task::yield_now().await;
        }
    }
}
