//! Admins: the people who sign in.

use crate::{Connection, Result, columns::Column, execute, on_connection};
use ipack_domain::time::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

#[derive(Clone, PartialEq, Eq, FromRow)]
pub struct Admin {
    pub id: Uuid,
    /// In lower case.
    pub email: String,
    /// `None` sees every account.
    pub account_id: Option<String>,
    pub password_hash: String,
    #[sqlx(try_from = "Column<Timestamp>")]
    pub password_changed_at: Timestamp,
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admin").field("id", &self.id).field("email", &self.email).finish_non_exhaustive()
    }
}

/// # Errors
/// `Exists` where the email is taken; `Reference` where the account is unknown.
pub async fn add(db: Connection<'_>, admin: &Admin, now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO admins (id, email, account_id, password_hash, created_at, password_changed_at)
               VALUES ($1, $2, $3, $4, $5, $6)";
    let changed = admin.password_changed_at.0;
    execute!(db, sql, admin.id, &admin.email, &admin.account_id, &admin.password_hash, now.0, changed)?;
    Ok(())
}

pub async fn find_by_email(db: Connection<'_>, email: &str) -> Result<Option<Admin>> {
    let sql = "SELECT id, email, account_id, password_hash, password_changed_at FROM admins WHERE email = $1";
    on_connection!(db, executor => sqlx::query_as::<_, Admin>(sql).bind(email).fetch_optional(executor))
}

pub async fn find(db: Connection<'_>, id: Uuid) -> Result<Option<Admin>> {
    let sql = "SELECT id, email, account_id, password_hash, password_changed_at FROM admins WHERE id = $1";
    on_connection!(db, executor => sqlx::query_as::<_, Admin>(sql).bind(id).fetch_optional(executor))
}

pub async fn any(db: Connection<'_>) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM admins)";
    on_connection!(db, executor => sqlx::query_scalar(sql).fetch_one(executor))
}

/// Sessions begun before `now` end with this.
pub async fn change_password(db: Connection<'_>, id: Uuid, hash: &str, now: Timestamp) -> Result<bool> {
    let sql = "UPDATE admins SET password_hash = $2, password_changed_at = $3 WHERE id = $1";
    Ok(execute!(db, sql, id, hash, now.0)? == 1)
}
