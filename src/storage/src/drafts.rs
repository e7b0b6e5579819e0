//! Drafts: what an admin has typed into a form and not saved. One per connection key and admin.

use crate::{
    Connection, Result,
    columns::{Column, bind_key, key_columns, of_key, to_json},
    execute, on_connection,
};
use ipack_domain::{form::FormContent, ids::ConnectionKey, time::Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Draft {
    /// Version of the details that the draft started from; 0 where nothing was saved.
    pub base_version: i64,
    #[sqlx(rename = "base_content", try_from = "Column<FormContent>")]
    pub base: FormContent,
    #[sqlx(try_from = "Column<FormContent>")]
    pub content: FormContent,
    /// A save was attempted: the form shows what is wrong.
    pub attempted: bool,
    #[sqlx(try_from = "Column<Timestamp>")]
    pub updated_at: Timestamp,
}

pub async fn find(db: Connection<'_>, key: &ConnectionKey, admin: Uuid) -> Result<Option<Draft>> {
    let sql = of_key!(
        "SELECT base_version, base_content, content, attempted, updated_at FROM drafts",
        "AND admin_id = $6"
    );
    on_connection!(db, executor => bind_key!(sqlx::query_as::<_, Draft>(sql), key).bind(admin).fetch_optional(executor))
}

/// Keeps a draft, in place of an earlier one.
///
/// # Errors
/// `Reference` where the connection, the environment's attachment or the admin is not there.
pub async fn keep(db: Connection<'_>, key: &ConnectionKey, admin: Uuid, draft: &Draft) -> Result<()> {
    let sql = concat!(
        "INSERT INTO drafts (",
        key_columns!(),
        ", admin_id, base_version, base_content, content, attempted, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (",
        key_columns!(),
        ", admin_id) DO UPDATE
         SET base_version = excluded.base_version, base_content = excluded.base_content, content = excluded.content,
             attempted = excluded.attempted, updated_at = excluded.updated_at"
    );
    execute!(
        db, sql, key; admin, draft.base_version, to_json(&draft.base), to_json(&draft.content),
        draft.attempted, draft.updated_at.0
    )?;
    Ok(())
}

pub async fn remove(db: Connection<'_>, key: &ConnectionKey, admin: Uuid) -> Result<bool> {
    Ok(execute!(db, of_key!("DELETE FROM drafts", "AND admin_id = $6"), key; admin)? == 1)
}
