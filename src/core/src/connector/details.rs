//! Connector details through the API: persisted as they came, read back byte for byte.

use crate::{
    access::{self, Client},
    error::{Result, ServiceError},
    services::Services,
};
use ipack_domain::{
    details::Details, effects::new_id, form::FormContent, ids::ConnectionKey, parts::Part,
    suggestions::SuggestionField, time::Timestamp,
};
use ipack_storage::{
    Connection, Writer,
    audit_log::{self, Event, Kind},
    details::{self, NewDetails, StoredDetails},
    environments,
    instances::{self, NewInstance},
    suggestions, tokens,
};

/// A save as a client asks for it. The secret that came with it is not in here: nothing past the door sees it.
#[derive(Debug, Clone)]
pub struct SaveDetails {
    pub key: ConnectionKey,
    pub is_token_generated: bool,
    pub oauth_connector_details: String,
    pub client_id: String,
}

impl Services {
    /// Persists connector details (an upsert on the connection key) and registers what is first met here.
    ///
    /// # Errors
    /// `MissingSpace`, `SpaceNotFound`, or `BadInput` with the API's name of the field.
    pub async fn save_details(
        &self,
        client: &Client,
        header: Option<&str>,
        save: SaveDetails,
    ) -> Result<StoredDetails> {
        access::check_key(&save.key)?;
        check_text("clientId", &save.client_id)?;
        let content = parse_details(&save.oauth_connector_details)?.content();
        self.database.write(|db| self.save_once(db, client, header, &save, &content)).await
    }

    async fn save_once(
        &self,
        mut db: Writer,
        client: &Client,
        header: Option<&str>,
        save: &SaveDetails,
        content: &FormContent,
    ) -> Result<StoredDetails> {
        let now = self.clock.now();
        let space = access::client_space(db.lend(), client, header).await?;
        access::check_space(&save.key, &space.guid)?;

        let before = details::find(db.lend(), &save.key).await?;
        let label = client.label();
        let new = NewDetails {
            is_token_generated: save.is_token_generated,
            oauth_connector_details: &save.oauth_connector_details,
            client_id: &save.client_id,
            complete: content.missing().is_empty(),
            saved_by: &label,
            provider: None,
        };
        let replaced = match before {
            Some(_) => details::replace(db.lend(), &save.key, new, now).await?,
            None => None,
        };
        let stored = match replaced {
            Some(stored) => stored,
            None => {
                register(db.lend(), &space.account_id, &save.key, now).await?;
                details::upsert(db.lend(), new_id(now), &save.key, new, now).await?
            }
        };
        tokens::retry(db.lend(), &save.key, now).await?;
        let changed = changes(before.as_ref(), &stored, content);
        let event = Event {
            account: &space.account_id,
            key: &save.key,
            kind: Kind::DetailsSaved,
            actor: &label,
            changed: &changed,
            detail: None,
        };
        audit_log::add(db.lend(), new_id(now), event, now).await?;
        if !changed.is_empty() {
            remember(db.lend(), &space.account_id, content, now).await?;
        }
        Ok(stored)
    }

    /// What is saved for a connection key, if anything is.
    ///
    /// # Errors
    /// As [`Services::save_details`].
    pub async fn find_details(
        &self,
        client: &Client,
        header: Option<&str>,
        key: &ConnectionKey,
    ) -> Result<Option<StoredDetails>> {
        let mut reader = self.database.reader().await?;
        access::client_key(reader.connection(), client, header, key).await?;
        let Some(stored) = details::find(reader.connection(), key).await? else { return Ok(None) };
        // What the product knows of tokens outranks what a client last claimed.
        let is_token_generated =
            stored.is_token_generated || tokens::exists(reader.connection(), key).await?;
        Ok(Some(StoredDetails { is_token_generated, ..stored }))
    }
}

/// Not empty, and nothing that PostgreSQL's text cannot hold.
pub(crate) fn check_text(field: &str, text: &str) -> Result<()> {
    if text.trim().is_empty() {
        return Err(ServiceError::bad_input(field, "must not be empty"));
    }
    if text.contains('\0') {
        return Err(ServiceError::bad_input(field, "must not contain a NUL character"));
    }
    Ok(())
}

fn parse_details(text: &str) -> Result<Details> {
    Details::parse(text).map_err(|error| ServiceError::bad_input("oauthConnectorDetails", error.to_string()))
}

/// Registers what a save names for the first time, with its id as its name.
async fn register(mut db: Connection<'_>, account: &str, key: &ConnectionKey, now: Timestamp) -> Result<()> {
    environments::register(db.lend(), &key.space, &key.environment, now).await?;
    let instance = NewInstance {
        space: &key.space,
        id: &key.instance,
        account,
        pack: None,
        name: &key.instance,
        override_name: None,
        pack_name: "",
        single_pack: None,
    };
    instances::register(db.lend(), instance, now).await?;
    environments::attach(db.lend(), new_id(now), &key.space, &key.instance, &key.environment, now).await?;
    Ok(instances::register_connection(db.lend(), key).await?)
}

/// The labels of what a save changed.
fn changes(
    before: Option<&StoredDetails>,
    after: &StoredDetails,
    content: &FormContent,
) -> Vec<&'static str> {
    let old = before.and_then(|stored| Details::parse(&stored.oauth_connector_details).ok());
    let old_content = old.map(|details| details.content()).unwrap_or_default();
    let mut labels: Vec<_> = content.differing(&old_content).into_iter().map(Part::label).collect();
    if let Some(before) = before {
        if labels.is_empty() && before.oauth_connector_details != after.oauth_connector_details {
            labels.push("Other details");
        }
        if before.client_id != after.client_id {
            labels.push("API client ID");
        }
        if before.is_token_generated != after.is_token_generated {
            labels.push("Token status");
        }
    }
    labels
}

/// Offers the values of a saved form again.
pub(crate) async fn remember(
    mut db: Connection<'_>,
    account: &str,
    content: &FormContent,
    now: Timestamp,
) -> Result<()> {
    for field in SuggestionField::all() {
        let mut values = field.values(content);
        // More rows than a list of suggestions ever shows are not worth their writes.
        values.truncate(20);
        // In one order everywhere, so that two saves with the same values do not wait for each other.
        values.sort_unstable();
        for value in values {
            suggestions::record(db.lend(), account, field, value, now).await?;
        }
    }
    Ok(())
}
