//! Environments of a Space, and which instances run in them.

use crate::{Connection, Result, columns::Column, execute, on_connection};
use ipack_domain::{
    catalogue::{Classification, Environment},
    time::Timestamp,
};
use sqlx::FromRow;
use uuid::Uuid;

/// The columns of an [`Environment`].
#[derive(Debug, Clone, FromRow)]
pub struct EnvironmentRow {
    id: String,
    name: String,
    #[sqlx(try_from = "Column<Classification>")]
    classification: Classification,
}

impl From<EnvironmentRow> for Environment {
    fn from(EnvironmentRow { id, name, classification }: EnvironmentRow) -> Self {
        Self { id, name, classification }
    }
}

/// Adds an environment, or gives the one that is there this name and classification.
pub async fn put(db: Connection<'_>, space: &str, environment: &Environment, now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO environments (space_guid, id, name, classification, created_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (space_guid, id) DO UPDATE SET name = excluded.name, classification = excluded.classification";
    let classification = environment.classification.as_str();
    execute!(db, sql, space, &environment.id, &environment.name, classification, now.0)?;
    Ok(())
}

/// Adds an environment first met in a save: its id is its name. One that is there stays as it is.
pub async fn register(db: Connection<'_>, space: &str, id: &str, now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO environments (space_guid, id, name, classification, created_at)
         VALUES ($1, $2, $2, 'TEST', $3) ON CONFLICT (space_guid, id) DO NOTHING";
    execute!(db, sql, space, id, now.0)?;
    Ok(())
}

/// The environments of a Space after `after`, by id.
pub async fn list(db: Connection<'_>, space: &str, after: &str, limit: i64) -> Result<Vec<Environment>> {
    let sql = "SELECT id, name, classification FROM environments
         WHERE space_guid = $1 AND id > $2 ORDER BY id LIMIT $3";
    let rows = on_connection!(db, executor => sqlx::query_as::<_, EnvironmentRow>(sql)
        .bind(space)
        .bind(after)
        .bind(limit)
        .fetch_all(executor))?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Where a page of environments by name starts: after this one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AfterEnvironment {
    pub name: String,
    pub id: String,
}

/// The environments that an instance is attached to, by name.
pub async fn of_instance(
    db: Connection<'_>,
    space: &str,
    instance: &str,
    after: &AfterEnvironment,
    limit: i64,
) -> Result<Vec<Environment>> {
    let sql = "SELECT e.id, e.name, e.classification FROM attachments a
         JOIN environments e ON e.space_guid = a.space_guid AND e.id = a.environment_id
         WHERE a.space_guid = $1 AND a.instance_id = $2 AND (e.name, e.id) > ($3, $4)
         ORDER BY e.name, e.id LIMIT $5";
    let rows = on_connection!(db, executor => sqlx::query_as::<_, EnvironmentRow>(sql)
        .bind(space)
        .bind(instance)
        .bind(&after.name)
        .bind(&after.id)
        .bind(limit)
        .fetch_all(executor))?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Whether an instance is attached to an environment.
pub async fn is_attached(db: Connection<'_>, space: &str, instance: &str, environment: &str) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM attachments
         WHERE space_guid = $1 AND instance_id = $2 AND environment_id = $3)";
    on_connection!(db, executor => sqlx::query_scalar(sql)
        .bind(space)
        .bind(instance)
        .bind(environment)
        .fetch_one(executor))
}

/// The environments after `after` that an instance is not attached to, by id.
pub async fn attachable(
    db: Connection<'_>,
    space: &str,
    instance: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Environment>> {
    let sql = "SELECT id, name, classification FROM environments e
         WHERE space_guid = $1 AND id > $3 AND NOT EXISTS (
             SELECT 1 FROM attachments a
             WHERE a.space_guid = e.space_guid AND a.instance_id = $2 AND a.environment_id = e.id)
         ORDER BY id LIMIT $4";
    let rows = on_connection!(db, executor => sqlx::query_as::<_, EnvironmentRow>(sql)
        .bind(space)
        .bind(instance)
        .bind(after)
        .bind(limit)
        .fetch_all(executor))?;
    Ok(rows.into_iter().map(Into::into).collect())
}

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Attachment {
    pub id: Uuid,
    pub environment_id: String,
    pub instance_id: String,
}

/// Attaches an instance to an environment unless it is.
///
/// # Errors
/// `Reference` where one of the two is not there.
pub async fn attach(
    db: Connection<'_>,
    id: Uuid,
    space: &str,
    instance: &str,
    environment: &str,
    now: Timestamp,
) -> Result<bool> {
    let sql = "INSERT INTO attachments (id, space_guid, instance_id, environment_id, created_at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (space_guid, instance_id, environment_id) DO NOTHING";
    Ok(execute!(db, sql, id, space, instance, environment, now.0)? == 1)
}

macro_rules! attachments {
    ($rest:literal) => {
        concat!("SELECT id, environment_id, instance_id FROM attachments WHERE space_guid = $1 AND ", $rest)
    };
}

/// The attachments to the environments from `first` to `last`, by environment.
pub async fn attachments(
    db: Connection<'_>,
    space: &str,
    first: &str,
    last: &str,
) -> Result<Vec<Attachment>> {
    let sql = attachments!("environment_id BETWEEN $2 AND $3 ORDER BY environment_id, id");
    on_connection!(db, executor => sqlx::query_as::<_, Attachment>(sql)
        .bind(space)
        .bind(first)
        .bind(last)
        .fetch_all(executor))
}

/// The attachments of an instance, by environment.
pub async fn attachments_of_instance(
    db: Connection<'_>,
    space: &str,
    instance: &str,
    limit: i64,
) -> Result<Vec<Attachment>> {
    let sql = attachments!("instance_id = $2 ORDER BY environment_id LIMIT $3");
    on_connection!(db, executor => sqlx::query_as::<_, Attachment>(sql)
        .bind(space)
        .bind(instance)
        .bind(limit)
        .fetch_all(executor))
}

/// The attachment of an instance to an environment.
pub async fn attachment_to(
    db: Connection<'_>,
    space: &str,
    instance: &str,
    environment: &str,
) -> Result<Option<Attachment>> {
    let sql = attachments!("instance_id = $2 AND environment_id = $3");
    on_connection!(db, executor => sqlx::query_as::<_, Attachment>(sql)
        .bind(space)
        .bind(instance)
        .bind(environment)
        .fetch_optional(executor))
}

pub async fn attachment(db: Connection<'_>, space: &str, id: Uuid) -> Result<Option<Attachment>> {
    let sql = attachments!("id = $2");
    on_connection!(db, executor => sqlx::query_as::<_, Attachment>(sql).bind(space).bind(id).fetch_optional(executor))
}

/// Makes whoever saves something at this attachment wait for the end of this transaction. On SQLite they do anyway.
pub async fn lock_attachment(db: Connection<'_>, id: Uuid) -> Result<()> {
    if let Connection::Postgres(executor) = db {
        sqlx::query("SELECT 1 FROM attachments WHERE id = $1 FOR UPDATE").bind(id).execute(executor).await?;
    }
    Ok(())
}

/// Ends an attachment and, through the tables' references, all that was saved there.
pub async fn unattach(db: Connection<'_>, id: Uuid) -> Result<bool> {
    Ok(execute!(db, "DELETE FROM attachments WHERE id = $1", id)? == 1)
}
