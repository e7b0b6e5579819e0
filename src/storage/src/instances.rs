//! Installed instances with their processes and connections.

use crate::{
    Connection, Result,
    columns::{Column, bind_key},
    execute, on_connection,
    packs::InstallationType,
};
use ipack_domain::{
    catalogue::{Classification, Named},
    ids::ConnectionKey,
    provider::ProviderChoice,
    time::Timestamp,
};
use sqlx::FromRow;

/// An instance and the pack it came from.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Instance {
    pub space_guid: String,
    pub id: String,
    pub name: String,
    pub override_name: Option<String>,
    /// `None` for an instance first met in a save.
    pub pack_id: Option<String>,
    pub pack_name: Option<String>,
    pub pack_description: Option<String>,
    #[sqlx(try_from = "Column<Option<InstallationType>>")]
    pub installation_type: Option<InstallationType>,
}

/// What an installation writes.
#[derive(Debug, Clone, Copy)]
pub struct NewInstance<'a> {
    pub space: &'a str,
    pub id: &'a str,
    pub account: &'a str,
    pub pack: Option<&'a str>,
    pub name: &'a str,
    pub override_name: Option<&'a str>,
    /// The pack's name, so that a search finds it too.
    pub pack_name: &'a str,
    /// The pack's id where it may be installed once per account.
    pub single_pack: Option<&'a str>,
}

macro_rules! insert {
    ($conflict:literal) => {
        concat!(
            "INSERT INTO instances (space_guid, id, account_id, pack_id, name, override_name, search_text,
                 single_pack_id, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ",
            $conflict
        )
    };
}

/// # Errors
/// `Exists` where the id is taken, or where a single-install pack is installed in this account already.
pub async fn add(db: Connection<'_>, new: NewInstance<'_>, now: Timestamp) -> Result<()> {
    write(db, insert!(""), new, now).await
}

/// Adds an instance first met in a save; one that is there stays as it is.
pub async fn register(db: Connection<'_>, new: NewInstance<'_>, now: Timestamp) -> Result<()> {
    write(db, insert!("ON CONFLICT (space_guid, id) DO NOTHING"), new, now).await
}

async fn write(db: Connection<'_>, sql: &'static str, new: NewInstance<'_>, now: Timestamp) -> Result<()> {
    let search_text = format!("{} {}", new.name, new.pack_name).to_lowercase();
    execute!(
        db,
        sql,
        new.space,
        new.id,
        new.account,
        new.pack,
        new.name,
        new.override_name,
        &search_text,
        new.single_pack,
        now.0
    )?;
    Ok(())
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT i.space_guid, i.id, i.name, i.override_name, i.pack_id, p.name AS pack_name,
                 p.description AS pack_description, p.installation_type
             FROM instances i LEFT JOIN packs p ON p.space_guid = i.space_guid AND p.id = i.pack_id ",
            $rest
        )
    };
}

pub async fn find(db: Connection<'_>, space: &str, id: &str) -> Result<Option<Instance>> {
    let sql = select!("WHERE i.space_guid = $1 AND i.id = $2");
    on_connection!(db, executor => sqlx::query_as::<_, Instance>(sql).bind(space).bind(id).fetch_optional(executor))
}

/// The instances of a Space after `after`, by id.
pub async fn list(db: Connection<'_>, space: &str, after: &str, limit: i64) -> Result<Vec<Instance>> {
    let sql = select!("WHERE i.space_guid = $1 AND i.id > $2 ORDER BY i.id LIMIT $3");
    on_connection!(db, executor => sqlx::query_as::<_, Instance>(sql)
        .bind(space)
        .bind(after)
        .bind(limit)
        .fetch_all(executor))
}

/// Removes an instance and, through the tables' references, all that it held.
pub async fn remove(db: Connection<'_>, space: &str, id: &str) -> Result<bool> {
    Ok(execute!(db, "DELETE FROM instances WHERE space_guid = $1 AND id = $2", space, id)? == 1)
}

/// Gives an instance the processes and connections of its pack; those it has already stay.
pub async fn adopt_pack(mut db: Connection<'_>, space: &str, instance: &str, pack: &str) -> Result<()> {
    let processes = "INSERT INTO processes (space_guid, instance_id, id, name)
         SELECT space_guid, $2, id, name FROM pack_processes WHERE space_guid = $1 AND pack_id = $3
         ON CONFLICT (space_guid, instance_id, id) DO UPDATE SET name = excluded.name";
    execute!(db.lend(), processes, space, instance, pack)?;
    let connections =
        "INSERT INTO connections (space_guid, instance_id, process_id, id, name, uses_oauth, defaults,
             provider, every_environment)
         SELECT space_guid, $2, process_id, id, name, uses_oauth, defaults, provider, FALSE FROM pack_connections
         WHERE space_guid = $1 AND pack_id = $3
         ON CONFLICT (space_guid, instance_id, process_id, id) DO UPDATE
         SET name = excluded.name, uses_oauth = excluded.uses_oauth, defaults = excluded.defaults,
             provider = excluded.provider";
    execute!(db.lend(), connections, space, instance, pack)?;
    Ok(())
}

/// The ids of the instances of a pack.
pub async fn of_pack(db: Connection<'_>, space: &str, pack: &str) -> Result<Vec<String>> {
    let sql = "SELECT id FROM instances WHERE space_guid = $1 AND pack_id = $2 ORDER BY id";
    on_connection!(db, executor => sqlx::query_scalar(sql).bind(space).bind(pack).fetch_all(executor))
}

/// What there is of all that a save refers to.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromRow)]
pub struct Registered {
    /// Of the account that has the Space; `None` where there is no such Space.
    pub account_id: Option<String>,
    pub environment: bool,
    pub instance: bool,
    pub attachment: bool,
    pub process: bool,
    /// As one that uses OAuth.
    pub connection: bool,
}

pub async fn registered(db: Connection<'_>, key: &ConnectionKey) -> Result<Registered> {
    let sql = "SELECT
             (SELECT account_id FROM spaces WHERE guid = $1) AS account_id,
             EXISTS (SELECT 1 FROM environments WHERE space_guid = $1 AND id = $3) AS environment,
             EXISTS (SELECT 1 FROM instances WHERE space_guid = $1 AND id = $2) AS instance,
             EXISTS (SELECT 1 FROM attachments WHERE space_guid = $1 AND instance_id = $2 AND environment_id = $3)
                 AS attachment,
             EXISTS (SELECT 1 FROM processes WHERE space_guid = $1 AND instance_id = $2 AND id = $4) AS process,
             EXISTS (SELECT 1 FROM connections WHERE space_guid = $1 AND instance_id = $2 AND process_id = $4
                 AND id = $5 AND uses_oauth) AS connection";
    on_connection!(db, executor => bind_key!(sqlx::query_as::<_, Registered>(sql), key).fetch_one(executor))
}

/// Adds the process of a key first met in a save, with its id as its name; one that is there stays as it is.
pub async fn register_process(db: Connection<'_>, key: &ConnectionKey) -> Result<()> {
    let sql = "INSERT INTO processes (space_guid, instance_id, id, name) VALUES ($1, $2, $3, $3)
         ON CONFLICT (space_guid, instance_id, id) DO NOTHING";
    execute!(db, sql, &key.space, &key.instance, &key.process)?;
    Ok(())
}

/// Adds the connection of a key first met in a save, with its id as its name; one that is there uses OAuth from now on,
/// for details can be saved for nothing else.
pub async fn register_connection(db: Connection<'_>, key: &ConnectionKey) -> Result<()> {
    execute!(db, REGISTER_CONNECTION, key;)?;
    Ok(())
}

/// The statement of [`register_connection`], whose parameters are the parts of the key.
pub(crate) const REGISTER_CONNECTION: &str =
    "INSERT INTO connections (space_guid, instance_id, process_id, id, name, uses_oauth, every_environment)
     VALUES ($1, $2, $4, $5, $5, TRUE, FALSE)
     ON CONFLICT (space_guid, instance_id, process_id, id) DO UPDATE SET uses_oauth = TRUE
     WHERE NOT connections.uses_oauth";

/// The processes of an instance, by name.
pub async fn processes(db: Connection<'_>, space: &str, instance: &str) -> Result<Vec<Named>> {
    #[derive(FromRow)]
    struct Row {
        id: String,
        name: String,
    }
    let sql = "SELECT id, name FROM processes WHERE space_guid = $1 AND instance_id = $2 ORDER BY name, id";
    let rows = on_connection!(db, executor => sqlx::query_as::<_, Row>(sql)
        .bind(space)
        .bind(instance)
        .fetch_all(executor))?;
    Ok(rows.into_iter().map(|row| Named { id: row.id, name: row.name }).collect())
}

/// One connection with the names around it, as its form shows them.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ConnectionInPlace {
    pub instance_name: String,
    pub environment_name: String,
    #[sqlx(try_from = "Column<Classification>")]
    pub classification: Classification,
    pub process_name: String,
    pub name: String,
    pub uses_oauth: bool,
    pub defaults: Option<String>,
    pub every_environment: bool,
    /// As the pack has it.
    #[sqlx(try_from = "Column<Option<ProviderChoice>>")]
    pub provider: Option<ProviderChoice>,
}

/// The connection of a key, where its instance is attached to the key's environment.
pub async fn connection(db: Connection<'_>, key: &ConnectionKey) -> Result<Option<ConnectionInPlace>> {
    let sql = "SELECT i.name AS instance_name, e.name AS environment_name, e.classification, p.name AS process_name,
             c.name, c.uses_oauth, c.defaults, c.every_environment, c.provider
         FROM connections c
         JOIN processes p ON p.space_guid = c.space_guid AND p.instance_id = c.instance_id AND p.id = c.process_id
         JOIN instances i ON i.space_guid = c.space_guid AND i.id = c.instance_id
         JOIN attachments a ON a.space_guid = c.space_guid AND a.instance_id = c.instance_id AND a.environment_id = $3
         JOIN environments e ON e.space_guid = a.space_guid AND e.id = a.environment_id
         WHERE c.space_guid = $1 AND c.instance_id = $2 AND c.process_id = $4 AND c.id = $5";
    on_connection!(db, executor => bind_key!(sqlx::query_as::<_, ConnectionInPlace>(sql), key).fetch_optional(executor))
}

/// Remembers whether a connection has one configuration for every environment.
pub async fn set_every_environment(db: Connection<'_>, key: &ConnectionKey, every: bool) -> Result<()> {
    let sql = "UPDATE connections SET every_environment = $5
         WHERE space_guid = $1 AND instance_id = $2 AND process_id = $3 AND id = $4";
    execute!(db, sql, &key.space, &key.instance, &key.process, &key.connection, every)?;
    Ok(())
}

/// As [`lock_connection`], with every connection of an instance.
pub async fn lock_connections(db: Connection<'_>, space: &str, instance: &str) -> Result<()> {
    let sql = "SELECT 1 FROM connections WHERE space_guid = $1 AND instance_id = $2
         ORDER BY process_id, id FOR NO KEY UPDATE";
    if let Connection::Postgres(executor) = db {
        sqlx::query(sql).bind(space).bind(instance).execute(executor).await?;
    }
    Ok(())
}

/// Makes others who lock the same connection wait for the end of this transaction. On SQLite they do anyway.
pub async fn lock_connection(db: Connection<'_>, key: &ConnectionKey) -> Result<()> {
    let sql = "SELECT 1 FROM connections
         WHERE space_guid = $1 AND instance_id = $2 AND process_id = $3 AND id = $4 FOR NO KEY UPDATE";
    if let Connection::Postgres(executor) = db {
        let query =
            sqlx::query(sql).bind(&key.space).bind(&key.instance).bind(&key.process).bind(&key.connection);
        query.execute(executor).await?;
    }
    Ok(())
}
