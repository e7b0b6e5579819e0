//! From what is stored to what a form holds, and back for the one field that a provider fills in.

use crate::error::{Result, ServiceError};
use ipack_domain::{
    details::Details, form::FormContent, ids::ConnectionKey, provider::ProviderChoice, time::Timestamp,
};
use ipack_storage::{
    Connection, StorageError,
    details::{self, NewDetails, OtherEnvironment, StoredDetails},
    instances::{self, ConnectionInPlace},
};
use std::collections::BTreeMap;

/// What is saved, else the connection's defaults.
pub(crate) fn start(place: &ConnectionInPlace, stored: Option<&StoredDetails>) -> Result<FormContent> {
    let text = stored.map(|stored| stored.oauth_connector_details.as_str()).or(place.defaults.as_deref());
    let provider = stored.and_then(|stored| stored.provider.as_ref()).or(place.provider.as_ref());
    let content = content_of(text.unwrap_or("{}"), provider)?;
    Ok(FormContent { every_environment: place.every_environment, ..content })
}

/// The form's content of stored details, and of the stored choice of a provider.
pub(crate) fn content_of(details: &str, provider: Option<&ProviderChoice>) -> Result<FormContent> {
    Ok(FormContent { provider: provider.cloned().unwrap_or_default(), ..read(details)?.content() })
}

/// What is saved for a connection key, and which version of it; `None` where nothing is.
pub(crate) async fn saved_content(
    mut db: Connection<'_>,
    key: &ConnectionKey,
) -> Result<Option<(FormContent, i64)>> {
    let Some(stored) = details::find(db.lend(), key).await? else { return Ok(None) };
    let place = instances::connection(db, key).await?.ok_or(ServiceError::NotFound)?;
    Ok(Some((start(&place, Some(&stored))?, stored.version)))
}

/// What is saved for a connection in another of its environments.
pub(crate) async fn content_elsewhere(
    db: Connection<'_>,
    place: &ConnectionInPlace,
    key: &ConnectionKey,
) -> Result<Option<FormContent>> {
    details::find(db, key).await?.map(|stored| start(place, Some(&stored))).transpose()
}

/// What a page is told to have got of other environments: the saved versions, by the environments' ids.
pub(crate) fn versions(others: &[OtherEnvironment]) -> BTreeMap<String, i64> {
    let saved = others.iter().filter_map(|other| Some((other.environment_id.clone(), other.version?)));
    saved.collect()
}

pub(crate) fn read(text: &str) -> Result<Details> {
    Details::parse(text).map_err(|_| ServiceError::Internal("stored connector details cannot be read"))
}

/// Whether details are saved that name no company.
pub(crate) async fn lacks_company_id(db: Connection<'_>, key: &ConnectionKey) -> Result<bool> {
    Ok(saved_content(db, key).await?.is_some_and(|(content, _)| content.company_id.trim().is_empty()))
}

/// Writes the company that a provider named into details that have none: those of the key and, where the form is for
/// every environment, those of the others. Answers whose were changed.
pub(crate) async fn fill_company_id(
    mut db: Connection<'_>,
    saved_by: &str,
    key: &ConnectionKey,
    company_id: &str,
    now: Timestamp,
) -> Result<Vec<ConnectionKey>> {
    let mut keys = vec![key.clone()];
    let place = instances::connection(db.lend(), key).await?;
    if place.is_some_and(|place| place.every_environment) {
        let others = details::other_environments(db.lend(), key).await?;
        let others = others.into_iter().map(|other| other.environment_id);
        keys.extend(others.map(|environment| ConnectionKey { environment, ..key.clone() }));
    }
    let mut filled = Vec::new();
    for key in keys {
        if lacks_company_id(db.lend(), &key).await? {
            write_company_id(db.lend(), saved_by, &key, company_id, now).await?;
            filled.push(key);
        }
    }
    Ok(filled)
}

/// Writes the company that a provider named into details that have none.
async fn write_company_id(
    mut db: Connection<'_>,
    saved_by: &str,
    key: &ConnectionKey,
    company_id: &str,
    now: Timestamp,
) -> Result<()> {
    let Some(stored) = details::find(db.lend(), key).await? else { return Ok(()) };
    let details = read(&stored.oauth_connector_details)?;
    let content = FormContent { company_id: company_id.to_owned(), ..details.content() };
    let text = details.with(&content);
    let new = NewDetails {
        is_token_generated: stored.is_token_generated,
        oauth_connector_details: &text,
        client_id: &stored.client_id,
        complete: content.missing().is_empty(),
        saved_by,
        provider: None,
    };
    details::replace_version(db.lend(), key, stored.version, new, now).await?.ok_or(StorageError::Exists)?;
    Ok(())
}
