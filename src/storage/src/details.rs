//! Connector details: what is saved for one connection key.

use crate::{
    Connection, Result,
    columns::{Column, bind_key, key_columns, of_key, to_json},
    on_connection,
};
use ipack_domain::{ids::ConnectionKey, provider::ProviderChoice, time::Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

macro_rules! dummy_client_secret {
    () => {
        "dummyClientSecret"
    };
}

/// What is stored where the API's client sent a secret.
pub const DUMMY_CLIENT_SECRET: &str = dummy_client_secret!();

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct StoredDetails {
    pub id: Uuid,
    /// 1 at the first save, one more at each later one.
    pub version: i64,
    pub is_token_generated: bool,
    /// Byte for byte as it was saved.
    pub oauth_connector_details: String,
    pub client_id: String,
    pub saved_by: String,
    #[sqlx(try_from = "Column<Timestamp>")]
    pub updated_at: Timestamp,
    /// `None` is as the connection has it.
    #[sqlx(try_from = "Column<Option<ProviderChoice>>")]
    pub provider: Option<ProviderChoice>,
}

/// What a save writes.
#[derive(Debug, Clone, Copy)]
pub struct NewDetails<'a> {
    pub is_token_generated: bool,
    pub oauth_connector_details: &'a str,
    pub client_id: &'a str,
    pub complete: bool,
    pub saved_by: &'a str,
    /// `None` leaves what is there.
    pub provider: Option<&'a ProviderChoice>,
}

macro_rules! columns {
    () => {
        "id, version, is_token_generated, oauth_connector_details, client_id, saved_by, updated_at, provider"
    };
}

pub async fn find(db: Connection<'_>, key: &ConnectionKey) -> Result<Option<StoredDetails>> {
    let sql = of_key!(concat!("SELECT ", columns!(), " FROM connector_details"));
    on_connection!(db, executor => bind_key!(sqlx::query_as::<_, StoredDetails>(sql), key).fetch_optional(executor))
}

/// What is saved for a connection key, and what it takes to answer a client about it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct OwnedDetails {
    #[sqlx(flatten)]
    pub details: StoredDetails,
    /// The account that has the Space.
    pub account_id: String,
    /// There is a token, whatever a client claimed.
    pub has_token: bool,
}

pub async fn find_owned(db: Connection<'_>, key: &ConnectionKey) -> Result<Option<OwnedDetails>> {
    let sql = of_key!(concat!(
        "SELECT ",
        columns!(),
        ", s.account_id, EXISTS (
             SELECT 1 FROM tokens t WHERE t.space_guid = d.space_guid AND t.instance_id = d.instance_id
                 AND t.environment_id = d.environment_id AND t.process_id = d.process_id
                 AND t.connection_id = d.connection_id) AS has_token
         FROM connector_details d JOIN spaces s ON s.guid = d.space_guid"
    ));
    on_connection!(db, executor => bind_key!(sqlx::query_as::<_, OwnedDetails>(sql), key).fetch_optional(executor))
}

/// Writes over what is saved only while it still has the version `expected`; otherwise `None`.
pub async fn replace_version(
    db: Connection<'_>,
    key: &ConnectionKey,
    expected: i64,
    new: NewDetails<'_>,
    now: Timestamp,
) -> Result<Option<StoredDetails>> {
    on_connection!(db, executor => bind_new(bind_key!(sqlx::query_as::<_, StoredDetails>(REPLACE), key), new, now)
        .bind(expected)
        .fetch_optional(executor))
}

/// The statement of [`replace_version`], whose last parameter is the version.
pub(crate) const REPLACE: &str = of_key!(
    "UPDATE connector_details SET version = version + 1, is_token_generated = $6, oauth_connector_details = $7,
         client_id = $8, complete = $9, saved_by = $10, updated_at = $11, provider = COALESCE($12, provider)",
    "AND version = $13 RETURNING ",
    columns!()
);

macro_rules! insert {
    ($conflict:literal) => {
        concat!(
            "INSERT INTO connector_details (",
            key_columns!(),
            ", is_token_generated, oauth_connector_details, client_id, complete, saved_by, updated_at, created_at,
                 provider, id, version, client_secret)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $13, 1, '",
            dummy_client_secret!(),
            "')
             ON CONFLICT (",
            key_columns!(),
            ") ",
            $conflict,
            " RETURNING ",
            columns!()
        )
    };
}

/// Saves for the first time, or over what is there: the id stays, the version rises.
///
/// # Errors
/// `Reference` where the connection or the environment's attachment is not there.
pub async fn upsert(
    db: Connection<'_>,
    id: Uuid,
    key: &ConnectionKey,
    new: NewDetails<'_>,
    now: Timestamp,
) -> Result<StoredDetails> {
    on_connection!(db, executor => bind_new(bind_key!(sqlx::query_as::<_, StoredDetails>(UPSERT), key), new, now)
        .bind(id)
        .fetch_one(executor))
}

/// Saves only where nothing is saved yet; otherwise `None`.
pub async fn insert_first(
    db: Connection<'_>,
    id: Uuid,
    key: &ConnectionKey,
    new: NewDetails<'_>,
    now: Timestamp,
) -> Result<Option<StoredDetails>> {
    on_connection!(db, executor => bind_new(bind_key!(sqlx::query_as::<_, StoredDetails>(INSERT_FIRST), key), new, now)
        .bind(id)
        .fetch_optional(executor))
}

/// The statement of [`upsert`], whose last parameter is the id.
pub(crate) const UPSERT: &str = insert!(
    "DO UPDATE SET version = connector_details.version + 1, is_token_generated = excluded.is_token_generated,
         oauth_connector_details = excluded.oauth_connector_details, client_id = excluded.client_id,
         complete = excluded.complete, saved_by = excluded.saved_by, updated_at = excluded.updated_at,
         provider = COALESCE(excluded.provider, connector_details.provider)"
);

/// The statement of [`insert_first`], whose last parameter is the id.
pub(crate) const INSERT_FIRST: &str = insert!("DO NOTHING");

/// Binds `$6` to `$12`.
pub(crate) fn bind_new<'q, DB, O>(
    query: sqlx::query::QueryAs<'q, DB, O, <DB as sqlx::Database>::Arguments>,
    new: NewDetails<'q>,
    now: Timestamp,
) -> sqlx::query::QueryAs<'q, DB, O, <DB as sqlx::Database>::Arguments>
where
    DB: sqlx::Database,
    bool: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    &'q str: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    Option<String>: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    i64: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    query
        .bind(new.is_token_generated)
        .bind(new.oauth_connector_details)
        .bind(new.client_id)
        .bind(new.complete)
        .bind(new.saved_by)
        .bind(now.0)
        .bind(new.provider.map(to_json))
}

/// Another environment that an instance is attached to, and whether something is saved there for one of its connections.
/// What is saved is not in it, for there may be many and each may be long.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct OtherEnvironment {
    pub environment_id: String,
    pub name: String,
    /// `None` where nothing is saved.
    pub version: Option<i64>,
    /// The same is saved there as for the key itself, to the last byte.
    pub is_same: bool,
}

/// Each environment of the key's instance but the key's own.
pub async fn other_environments(db: Connection<'_>, key: &ConnectionKey) -> Result<Vec<OtherEnvironment>> {
    let sql = "SELECT a.environment_id, e.name, d.version,
             COALESCE(d.oauth_connector_details = o.oauth_connector_details
                 AND d.provider IS NOT DISTINCT FROM o.provider, FALSE) AS is_same
         FROM attachments a
         JOIN environments e ON e.space_guid = a.space_guid AND e.id = a.environment_id
         LEFT JOIN connector_details d ON d.space_guid = a.space_guid AND d.instance_id = a.instance_id
             AND d.environment_id = a.environment_id AND d.process_id = $4 AND d.connection_id = $5
         LEFT JOIN connector_details o ON o.space_guid = a.space_guid AND o.instance_id = a.instance_id
             AND o.environment_id = $3 AND o.process_id = $4 AND o.connection_id = $5
         WHERE a.space_guid = $1 AND a.instance_id = $2 AND a.environment_id <> $3
         ORDER BY e.name, e.id";
    on_connection!(db, executor => bind_key!(sqlx::query_as::<_, OtherEnvironment>(sql), key).fetch_all(executor))
}

/// What is saved for a connection that has one configuration for every environment.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SharedDetails {
    pub process_id: String,
    pub connection_id: String,
    pub oauth_connector_details: String,
    pub client_id: String,
    pub complete: bool,
    #[sqlx(try_from = "Column<Option<ProviderChoice>>")]
    pub provider: Option<ProviderChoice>,
}

/// The shared connections of an instance, each as it was saved last.
pub async fn shared(db: Connection<'_>, space: &str, instance: &str) -> Result<Vec<SharedDetails>> {
    let sql = "SELECT process_id, connection_id, oauth_connector_details, client_id, complete, provider
         FROM (
             SELECT d.process_id, d.connection_id, d.oauth_connector_details, d.client_id, d.complete, d.provider,
                 ROW_NUMBER() OVER (PARTITION BY d.process_id, d.connection_id ORDER BY d.updated_at DESC, d.id) AS place
             FROM connector_details d
             JOIN connections c ON c.space_guid = d.space_guid AND c.instance_id = d.instance_id
                 AND c.process_id = d.process_id AND c.id = d.connection_id
             WHERE d.space_guid = $1 AND d.instance_id = $2 AND c.every_environment) AS latest
         WHERE place = 1 ORDER BY process_id, connection_id";
    on_connection!(db, executor => sqlx::query_as::<_, SharedDetails>(sql)
        .bind(space)
        .bind(instance)
        .fetch_all(executor))
}
