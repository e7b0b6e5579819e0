//! Client secrets, sealed: at most one in each slot of a connection key.
//!
//! Another secret of a connection is a [`Slot`], named in the table's check.

use crate::{Connection, Result, bind_key, execute, on_connection};
use ipack_domain::{ids::ConnectionKey, time::Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The secret in use.
    Current,
    /// One that takes the current one's place once it has got a token.
    Replacement,
    /// The user's password, for the password grant.
    Password,
}

impl Slot {
    pub fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Replacement => "replacement",
            Self::Password => "password",
        }
    }
}

#[derive(Debug, Clone, FromRow)]
pub struct ClientSecret {
    pub id: Uuid,
    pub slot: String,
    pub sealed: Vec<u8>,
    pub data_key_version: i64,
    /// Where it may be sent, as JSON.
    pub destination: String,
    pub sealed_by: String,
    pub sealed_at: i64,
}

impl ClientSecret {
    pub fn at(&self) -> Timestamp {
        Timestamp(self.sealed_at)
    }
}

/// Every secret of a connection key.
pub async fn of_connection(db: Connection<'_>, key: &ConnectionKey) -> Result<Vec<ClientSecret>> {
    let sql = "SELECT id, slot, sealed, data_key_version, destination, sealed_by, sealed_at FROM client_secrets
         WHERE space_guid = $1 AND instance_id = $2 AND environment_id = $3 AND process_id = $4 AND connection_id = $5";
    on_connection!(db, executor => bind_key!(sqlx::query_as::<_, ClientSecret>(sql), key).fetch_all(executor))
}

/// A secret by its id, where the connection key still has it.
pub async fn find(db: Connection<'_>, key: &ConnectionKey, id: Uuid) -> Result<Option<ClientSecret>> {
    Ok(of_connection(db, key).await?.into_iter().find(|secret| secret.id == id))
}

/// Puts a secret into its slot, in place of what is there.
///
/// # Errors
/// `Reference` where the connection, the environment's attachment or the data key is not there.
pub async fn put(db: Connection<'_>, key: &ConnectionKey, slot: Slot, secret: &ClientSecret) -> Result<()> {
    let sql = "INSERT INTO client_secrets (space_guid, instance_id, environment_id, process_id, connection_id, id,
             slot, sealed, data_key_version, destination, sealed_by, sealed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (space_guid, instance_id, environment_id, process_id, connection_id, slot) DO UPDATE
         SET id = excluded.id, sealed = excluded.sealed, data_key_version = excluded.data_key_version,
             destination = excluded.destination, sealed_by = excluded.sealed_by, sealed_at = excluded.sealed_at";
    execute!(
        db, sql, key; secret.id, slot.name(), &secret.sealed, secret.data_key_version, &secret.destination,
        &secret.sealed_by, secret.sealed_at
    )?;
    Ok(())
}

/// Gives a replacement the current secret's place. `false`, and nothing done, where it is no longer there.
pub async fn promote(mut db: Connection<'_>, key: &ConnectionKey, id: Uuid) -> Result<bool> {
    let take = "DELETE FROM client_secrets
         WHERE space_guid = $1 AND instance_id = $2 AND environment_id = $3 AND process_id = $4 AND connection_id = $5
             AND id = $6 AND slot = 'replacement'
         RETURNING id, slot, sealed, data_key_version, destination, sealed_by, sealed_at";
    let waiting = on_connection!(db.lend(), executor =>
        bind_key!(sqlx::query_as::<_, ClientSecret>(take), key).bind(id).fetch_optional(executor))?;
    let Some(secret) = waiting else { return Ok(false) };
    put(db.lend(), key, Slot::Current, &secret).await?;
    Ok(true)
}

pub async fn remove(db: Connection<'_>, key: &ConnectionKey, slot: Slot) -> Result<bool> {
    let sql = "DELETE FROM client_secrets
         WHERE space_guid = $1 AND instance_id = $2 AND environment_id = $3 AND process_id = $4 AND connection_id = $5
             AND slot = $6";
    Ok(execute!(db, sql, key; slot.name())? == 1)
}

/// Forgets every secret of a connection key; answers how many there were.
pub async fn remove_all(db: Connection<'_>, key: &ConnectionKey) -> Result<u64> {
    let sql = "DELETE FROM client_secrets
         WHERE space_guid = $1 AND instance_id = $2 AND environment_id = $3 AND process_id = $4 AND connection_id = $5";
    execute!(db, sql, key;)
}
