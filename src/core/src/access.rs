//! Who asks, and what they may see. What is not theirs is not told apart from what does not exist.

use crate::error::{Result, ServiceError};
use ipack_domain::{
    ids::{ConnectionKey, check_id},
    rights::{Right, Rights},
    time::Timestamp,
};
use ipack_storage::{Connection, accounts, api_tokens};
use uuid::Uuid;

/// How the audit log calls the program itself, which refreshes tokens.
pub(crate) const PROGRAM: &str = "iPack Connect";
/// Whoever runs the program's commands.
pub(crate) const COMMAND_LINE: &str = "the command line";
/// A stranger. What they call themselves is not kept: it may be a password in the wrong field.
pub(crate) const STRANGER: &str = "somebody unknown";

/// A signed-in person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    pub id: Uuid,
    pub email: String,
    /// `None` sees every account.
    pub account: Option<String>,
    /// Of the password that they signed in with.
    pub password_changed_at: Timestamp,
}

/// A program with a valid JWT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub account: String,
    /// The API token's name.
    pub name: String,
    /// The API token's username; what its requests are counted by.
    pub username: String,
    /// What the API token might do when the JWT was made.
    pub rights: Rights,
}

impl Client {
    /// How the audit log calls it. Several tokens may have this name.
    pub fn label(&self) -> String {
        format!("API token {}", self.name)
    }

    /// # Errors
    /// `Forbidden` without the right.
    pub(crate) fn must_have(&self, right: Right) -> Result<()> {
        if self.rights.has(right) { Ok(()) } else { Err(ServiceError::Forbidden) }
    }

    /// As [`Client::must_have`], asked of the database, which answers the API token's id: a JWT outlives the withdrawal of what it was made with.
    pub(crate) async fn must_still_have(
        &self,
        db: Connection<'_>,
        right: Right,
        now: Timestamp,
    ) -> Result<Uuid> {
        let token = api_tokens::find(db, &self.username).await?;
        let token = token.filter(|token| token.is_in_force(now) && token.rights.has(right));
        token.map(|token| token.id).ok_or(ServiceError::Forbidden)
    }
}

/// The Space, where the account (or, with `None`, any) has it.
pub(crate) async fn space_for(
    db: Connection<'_>,
    account: Option<&str>,
    guid: &str,
) -> Result<accounts::Space> {
    accounts::find_space(db, guid)
        .await?
        .filter(|space| account.is_none_or(|account| account == space.account_id))
        .ok_or(ServiceError::SpaceNotFound)
}

/// The Space that a client named in its header.
pub(crate) async fn client_space(
    db: Connection<'_>,
    client: &Client,
    header: Option<&str>,
) -> Result<accounts::Space> {
    space_for(db, Some(&client.account), header.ok_or(ServiceError::MissingSpace)?).await
}

/// The only one of the Spaces that have what a client named without the header.
pub(crate) fn only_space(mut having: Vec<accounts::Space>, absent: ServiceError) -> Result<accounts::Space> {
    match (having.pop(), having.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => Err(ServiceError::SeveralSpaces),
        (None, _) => Err(absent),
    }
}

/// The Space of a connection key that a client named, where it is the one of its header.
pub(crate) async fn client_key(
    db: Connection<'_>,
    client: &Client,
    header: Option<&str>,
    key: &ConnectionKey,
) -> Result<accounts::Space> {
    check_key(key)?;
    let space = client_space(db, client, header).await?;
    check_space(key, &space.guid)?;
    Ok(space)
}

/// The Space named in an address, where this admin may see it.
pub(crate) async fn admin_space(db: Connection<'_>, admin: &Admin, guid: &str) -> Result<accounts::Space> {
    validate_ids([guid])?;
    space_for(db, admin.account.as_deref(), guid).await.map_err(|error| match error {
        ServiceError::SpaceNotFound => ServiceError::NotFound,
        other => other,
    })
}

/// The Space of a connection key in an address, where this admin may see it.
pub(crate) async fn admin_key(
    db: Connection<'_>,
    admin: &Admin,
    key: &ConnectionKey,
) -> Result<accounts::Space> {
    validate_ids([&*key.instance, &key.environment, &key.process, &key.connection])?;
    admin_space(db, admin, &key.space).await
}

/// An address can hold what no id can be; it leads nowhere, and PostgreSQL would not even look for it.
pub(crate) fn validate_ids<'a>(ids: impl IntoIterator<Item = &'a str>) -> Result<()> {
    if ids.into_iter().all(|id| check_id(id).is_ok()) { Ok(()) } else { Err(ServiceError::NotFound) }
}

pub(crate) fn check_key(key: &ConnectionKey) -> Result<()> {
    for (field, id) in [
        ("integrationPackInstanceId", &key.instance),
        ("envId", &key.environment),
        ("processId", &key.process),
        ("connectionId", &key.connection),
        ("catalogGuid", &key.space),
    ] {
        check_id(id).map_err(|message| ServiceError::bad_input(field, message))?;
    }
    Ok(())
}

pub(crate) fn check_space(key: &ConnectionKey, header: &str) -> Result<()> {
    if key.space == header {
        return Ok(());
    }
    Err(ServiceError::bad_input("catalogGuid", "must equal the header SPACE_GUID"))
}
