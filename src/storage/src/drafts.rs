//! Drafts: what an admin has typed into a form and not saved. One per connection key and admin.
//!
//! A new column goes into [`Draft`], its row, `find` and `keep`.

use crate::{Connection, Result, StorageError, bind_key, execute, on_connection};
use ipack_domain::{form::FormContent, ids::ConnectionKey, time::Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Version of the details that the draft started from; 0 where nothing was saved.
    pub base_version: i64,
    pub base: FormContent,
    pub content: FormContent,
    /// A save was attempted: the form shows what is wrong.
    pub attempted: bool,
    pub updated_at: Timestamp,
}

#[derive(FromRow)]
struct DraftRow {
    base_version: i64,
    base_content: String,
    content: String,
    attempted: bool,
    updated_at: i64,
}

pub async fn find(db: Connection<'_>, key: &ConnectionKey, admin: Uuid) -> Result<Option<Draft>> {
    let sql = "SELECT base_version, base_content, content, attempted, updated_at FROM drafts
         WHERE space_guid = $1 AND instance_id = $2 AND environment_id = $3 AND process_id = $4 AND connection_id = $5
             AND admin_id = $6";
    let row = on_connection!(db, executor => bind_key!(sqlx::query_as::<_, DraftRow>(sql), key)
        .bind(admin)
        .fetch_optional(executor))?;
    row.map(|row| {
        Ok(Draft {
            base_version: row.base_version,
            base: read_content(&row.base_content)?,
            content: read_content(&row.content)?,
            attempted: row.attempted,
            updated_at: Timestamp(row.updated_at),
        })
    })
    .transpose()
}

/// Keeps a draft, in place of an earlier one.
///
/// # Errors
/// `Reference` where the connection, the environment's attachment or the admin is not there.
pub async fn keep(db: Connection<'_>, key: &ConnectionKey, admin: Uuid, draft: &Draft) -> Result<()> {
    let sql = "INSERT INTO drafts (space_guid, instance_id, environment_id, process_id, connection_id, admin_id,
             base_version, base_content, content, attempted, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (space_guid, instance_id, environment_id, process_id, connection_id, admin_id) DO UPDATE
         SET base_version = excluded.base_version, base_content = excluded.base_content, content = excluded.content,
             attempted = excluded.attempted, updated_at = excluded.updated_at";
    execute!(
        db, sql, key; admin, draft.base_version, write_content(&draft.base), write_content(&draft.content),
        draft.attempted, draft.updated_at.0
    )?;
    Ok(())
}

pub async fn remove(db: Connection<'_>, key: &ConnectionKey, admin: Uuid) -> Result<bool> {
    let sql = "DELETE FROM drafts
         WHERE space_guid = $1 AND instance_id = $2 AND environment_id = $3 AND process_id = $4 AND connection_id = $5
             AND admin_id = $6";
    Ok(execute!(db, sql, key; admin)? == 1)
}

fn write_content(content: &FormContent) -> String {
    serde_json::json!(content).to_string()
}

fn read_content(text: &str) -> Result<FormContent> {
    serde_json::from_str(text).map_err(|_| StorageError::Corrupt("draft"))
}
