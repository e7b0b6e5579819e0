//! Client secrets, sealed: at most one in each slot of a connection key.

use crate::{
    Connection, Result,
    columns::{Column, JsonText, bind_key, key_columns, of_key, read_by_name, stored_by_name},
    execute, on_connection,
};
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

stored_by_name!(Slot { Current = "current", Replacement = "replacement", Password = "password" });
read_by_name!(Slot);

#[derive(Debug, Clone, FromRow)]
pub struct ClientSecret {
    pub id: Uuid,
    #[sqlx(try_from = "Column<Slot>")]
    pub slot: Slot,
    pub sealed: Vec<u8>,
    #[sqlx(try_from = "Column<u32>")]
    pub data_key_version: u32,
    /// Where it may be sent.
    #[sqlx(try_from = "Column<JsonText>")]
    pub destination: JsonText,
    pub sealed_by: String,
    #[sqlx(try_from = "Column<Timestamp>")]
    pub sealed_at: Timestamp,
}

macro_rules! columns {
    () => {
        "id, slot, sealed, data_key_version, destination, sealed_by, sealed_at"
    };
}

/// Every secret of a connection key.
pub async fn of_connection(db: Connection<'_>, key: &ConnectionKey) -> Result<Vec<ClientSecret>> {
    let sql = of_key!(concat!("SELECT ", columns!(), " FROM client_secrets"));
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
    let sql = concat!(
        "INSERT INTO client_secrets (",
        key_columns!(),
        ", ",
        columns!(),
        ")
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (",
        key_columns!(),
        ", slot) DO UPDATE
         SET id = excluded.id, sealed = excluded.sealed, data_key_version = excluded.data_key_version,
             destination = excluded.destination, sealed_by = excluded.sealed_by, sealed_at = excluded.sealed_at"
    );
    execute!(
        db, sql, key; secret.id, slot.name(), &secret.sealed, i64::from(secret.data_key_version),
        secret.destination.as_str(), &secret.sealed_by, secret.sealed_at.0
    )?;
    Ok(())
}

/// Gives a replacement the current secret's place. `false`, and nothing done, where it is no longer there.
pub async fn promote(mut db: Connection<'_>, key: &ConnectionKey, id: Uuid) -> Result<bool> {
    let take =
        of_key!("DELETE FROM client_secrets", "AND id = $6 AND slot = 'replacement' RETURNING ", columns!());
    let waiting = on_connection!(db.lend(), executor =>
        bind_key!(sqlx::query_as::<_, ClientSecret>(take), key).bind(id).fetch_optional(executor))?;
    let Some(secret) = waiting else { return Ok(false) };
    put(db.lend(), key, Slot::Current, &secret).await?;
    Ok(true)
}

pub async fn remove(db: Connection<'_>, key: &ConnectionKey, slot: Slot) -> Result<bool> {
    Ok(execute!(db, of_key!("DELETE FROM client_secrets", "AND slot = $6"), key; slot.name())? == 1)
}

/// Forgets every secret of a connection key; answers how many there were.
pub async fn remove_all(db: Connection<'_>, key: &ConnectionKey) -> Result<u64> {
    execute!(db, of_key!("DELETE FROM client_secrets"), key;)
}
