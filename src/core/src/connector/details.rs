//! Connector details through the API: persisted as they came, read back byte for byte.

use crate::{
    access::{self, Client},
    error::{Result, ServiceError},
    services::Services,
};
use ipack_domain::{
    details::Details, effects::new_id, form::FormContent, ids::ConnectionKey, parts::Part, rights::Right,
    suggestions::SuggestionField, time::Timestamp,
};
use ipack_storage::{
    Connection, Writer,
    details::{self, NewDetails, OwnedDetails, StoredDetails},
    environments,
    instances::{self, NewInstance, Registered},
    saves::{self, Save},
    suggestions::{self, UsedValue},
    tokens,
};
use std::{sync::Arc, time::Duration};

/// A value that is used again within this time keeps its place among those that are offered.
const USE_LASTS: Duration = Duration::from_secs(24 * 3_600);

/// A save as a client asks for it. The secret that came with it is not in here: nothing past the door sees it.
#[derive(Debug, Clone)]
pub struct SaveDetails {
    pub key: ConnectionKey,
    pub is_token_generated: bool,
    pub oauth_connector_details: String,
    pub client_id: String,
}

/// What a save finds.
struct Found {
    account: String,
    before: Option<StoredDetails>,
    has_token: bool,
    /// Labels of what the save changes.
    changed: Vec<&'static str>,
    /// What need not be registered.
    registered: Registered,
    /// Values that are to be offered again.
    used: Vec<UsedValue>,
}

impl Found {
    /// Whether there is anything to tell of.
    fn is_changed(&self) -> bool {
        self.before.is_none() || !self.changed.is_empty()
    }

    /// Whether all that is to be written is one statement.
    fn is_one_statement(&self) -> bool {
        let Registered { environment, instance, attachment, process, .. } = self.registered;
        match &self.before {
            Some(_) => self.is_changed() && !self.has_token,
            None => environment && instance && attachment && process,
        }
    }
}

/// What is written, and in whose name.
struct Writing {
    save: SaveDetails,
    saved_by: String,
    is_complete: bool,
}

impl Writing {
    fn new_details(&self) -> NewDetails<'_> {
        NewDetails {
            is_token_generated: self.save.is_token_generated,
            oauth_connector_details: &self.save.oauth_connector_details,
            client_id: &self.save.client_id,
            complete: self.is_complete,
            saved_by: &self.saved_by,
            provider: None,
        }
    }

    fn save<'a>(&'a self, found: &'a Found, now: Timestamp) -> Save<'a> {
        Save {
            account: &found.account,
            key: &self.save.key,
            new: self.new_details(),
            entry: new_id(now),
            changed: &found.changed,
            used: &found.used,
            used_since: now.minus(USE_LASTS),
        }
    }

    /// Saves what changed over what was found, in one statement; `None` where that is no longer there.
    async fn save_over(
        &self,
        db: Connection<'_>,
        found: &Found,
        now: Timestamp,
    ) -> ipack_storage::Result<Option<StoredDetails>> {
        let save = self.save(found, now);
        match &found.before {
            Some(before) => saves::replace_version(db, before.version, save, now).await,
            None if found.registered.connection => saves::insert_first(db, new_id(now), save, now).await,
            None => saves::insert_with_connection(db, new_id(now), save, now).await,
        }
    }
}

impl Services {
    /// Persists connector details (an upsert on the connection key) and registers what is first met here. Where
    /// everything is saved as it is, and there is no token whose refresh may work now, nothing is written.
    ///
    /// # Errors
    /// `MissingSpace`, `SpaceNotFound`, or `BadInput` with the API's name of the field.
    pub async fn save_details(
        &self,
        client: &Client,
        header: Option<&str>,
        save: SaveDetails,
    ) -> Result<StoredDetails> {
        client.must_have(Right::DetailsWrite)?;
        access::check_key(&save.key)?;
        check_text("clientId", &save.client_id)?;
        let content = parse_details(&save.oauth_connector_details)?.content();
        // Read while others write; that it still holds is seen by the version.
        let mut reader = self.database.reader().await?;
        let mut found = find(reader.connection(), client, header, &save, &content).await?;
        let is_as_saved = !found.is_changed() && !found.has_token;
        if let Some(before) = found.before.take_if(|_| is_as_saved) {
            return Ok(before);
        }
        drop(reader);
        let is_complete = content.missing().is_empty();
        let writing = Arc::new(Writing { save, saved_by: client.label(), is_complete });
        let mut found = Some(Arc::new(found));
        let key = &writing.save.key;
        if let Some(found) = found.take_if(|found| found.is_one_statement()) {
            let (writing, now) = (writing.clone(), self.clock.now());
            let save = self.write_statement_to(key, move |db| {
                Box::pin(async move { writing.save_over(db, &found, now).await })
            });
            if let Some(stored) = save.await? {
                return Ok(stored);
            }
        }
        self.write_to(key, |db| self.save_once(db, client, header, &writing, &content, found.take())).await
    }

    /// `found` is what was read before the write began; begun again, it reads for itself.
    async fn save_once(
        &self,
        mut db: Writer,
        client: &Client,
        header: Option<&str>,
        writing: &Writing,
        content: &FormContent,
        found: Option<Arc<Found>>,
    ) -> Result<StoredDetails> {
        let now = self.clock.now();
        let Writing { save: SaveDetails { key, .. }, .. } = writing;
        let written = match found {
            Some(found) => {
                if found.before.is_none() {
                    register(db.lend(), &found, key, now).await?;
                }
                let stored = match &found.before {
                    Some(before) if !found.is_changed() => {
                        let new = writing.new_details();
                        details::replace_version(db.lend(), key, before.version, new, now).await?
                    }
                    _ => writing.save_over(db.lend(), &found, now).await?,
                };
                stored.map(|stored| (found, stored))
            }
            None => None,
        };
        let (found, stored) = match written {
            Some(written) => written,
            // Another save came first, or the instance was uninstalled: the last one wins.
            None => {
                let found = find(db.lend(), client, header, &writing.save, content).await?;
                register(db.lend(), &found, key, now).await?;
                instances::register_connection(db.lend(), key).await?;
                let stored = match found.is_changed() {
                    true => saves::upsert(db.lend(), new_id(now), writing.save(&found, now), now).await?,
                    false => details::upsert(db.lend(), new_id(now), key, writing.new_details(), now).await?,
                };
                (Arc::new(found), stored)
            }
        };
        if found.has_token {
            tokens::retry(db.lend(), key, now).await?;
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
        client.must_have(Right::DetailsRead)?;
        let mut reader = self.database.reader().await?;
        let (owned, _) = client_details(reader.connection(), client, header, key).await?;
        // What the product knows of tokens outranks what a client last claimed.
        Ok(owned.map(|OwnedDetails { details, has_token, .. }| StoredDetails {
            is_token_generated: details.is_token_generated || has_token,
            ..details
        }))
    }
}

/// What is saved for the key that a client names, in the Space of its header; where nothing is, what is registered of it.
/// Two statements wherever the Space is not the client's, so that their time does not tell what another account has saved.
async fn client_details(
    mut db: Connection<'_>,
    client: &Client,
    header: Option<&str>,
    key: &ConnectionKey,
) -> Result<(Option<OwnedDetails>, Registered)> {
    access::check_key(key)?;
    if header != Some(key.space.as_str()) {
        return access::client_key(db, client, header, key).await.and(Err(ServiceError::SpaceNotFound));
    }
    match details::find_owned(db.lend(), key).await? {
        Some(owned) if owned.account_id == client.account => Ok((Some(owned), Registered::default())),
        _ => {
            let registered = instances::registered(db, key).await?;
            let is_of_client = registered.account_id.as_ref() == Some(&client.account);
            is_of_client.then_some((None, registered)).ok_or(ServiceError::SpaceNotFound)
        }
    }
}

/// What a save finds. What is registered is told where nothing is saved.
async fn find(
    db: Connection<'_>,
    client: &Client,
    header: Option<&str>,
    save: &SaveDetails,
    content: &FormContent,
) -> Result<Found> {
    let (owned, registered) = client_details(db, client, header, &save.key).await?;
    let has_token = owned.as_ref().is_some_and(|owned| owned.has_token);
    let before = owned.map(|owned| owned.details);
    let old = before.as_ref().and_then(|stored| Details::parse(&stored.oauth_connector_details).ok());
    let old = old.map(|details| details.content()).unwrap_or_default();
    Ok(Found {
        account: client.account.clone(),
        changed: changes(before.as_ref(), save, &old, content),
        before,
        has_token,
        registered,
        used: used_values(content, &old),
    })
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

/// Registers what a save names for the first time, with its id as its name, but for the connection, which comes with its
/// first save.
async fn register(mut db: Connection<'_>, found: &Found, key: &ConnectionKey, now: Timestamp) -> Result<()> {
    let registered = &found.registered;
    if !registered.environment {
        environments::register(db.lend(), &key.space, &key.environment, now).await?;
    }
    if !registered.instance {
        let instance = NewInstance {
            space: &key.space,
            id: &key.instance,
            account: &found.account,
            pack: None,
            name: &key.instance,
            override_name: None,
            pack_name: "",
            single_pack: None,
        };
        instances::register(db.lend(), instance, now).await?;
    }
    if !registered.attachment {
        environments::attach(db.lend(), new_id(now), &key.space, &key.instance, &key.environment, now)
            .await?;
    }
    if !registered.process {
        instances::register_process(db.lend(), key).await?;
    }
    Ok(())
}

/// The labels of what a save changes.
fn changes(
    before: Option<&StoredDetails>,
    save: &SaveDetails,
    old: &FormContent,
    content: &FormContent,
) -> Vec<&'static str> {
    let mut labels: Vec<_> = content.differing(old).into_iter().map(Part::label).collect();
    if let Some(before) = before {
        if labels.is_empty() && before.oauth_connector_details != save.oauth_connector_details {
            labels.push("Other details");
        }
        if before.client_id != save.client_id {
            labels.push("API client ID");
        }
        if before.is_token_generated != save.is_token_generated {
            labels.push("Token status");
        }
    }
    labels
}

/// The values of a form that are to be offered again and did not stand there before.
fn used_values(content: &FormContent, old: &FormContent) -> Vec<UsedValue> {
    let mut used = Vec::new();
    for field in SuggestionField::all() {
        let old = field.values(old);
        let new = field.values(content).into_iter().filter(|value| !old.contains(value));
        // More rows than a list of suggestions ever shows are not worth their writes.
        used.extend(new.take(20).filter_map(|value| UsedValue::new(field, value)));
    }
    used
}

/// Offers the values of a form again that did not stand there before.
pub(crate) async fn remember(
    db: Connection<'_>,
    account: &str,
    content: &FormContent,
    old: &FormContent,
    now: Timestamp,
) -> Result<()> {
    let used = used_values(content, old);
    Ok(suggestions::record(db, account, &used, now.minus(USE_LASTS), now).await?)
}
