//! What a server's health asks of its database: can it be read, can it be written to.

use crate::{
    Connection, Database, Result, StorageError, Writer, on_connection,
    open::{postgres, sqlite},
};

impl Database {
    /// Whether the database has every migration of this program.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn is_migrated(&self) -> Result<bool> {
        let expected = match self {
            Self::Sqlite { .. } => sqlite::MIGRATIONS.iter().count(),
            Self::Postgres(_) => postgres::MIGRATIONS.iter().count(),
        };
        let mut reader = self.reader().await?;
        let sql = "SELECT COUNT(*) FROM _sqlx_migrations WHERE success";
        let applied: i64 =
            on_connection!(reader.connection(), executor => sqlx::query_scalar(sql).fetch_one(executor))?;
        Ok(usize::try_from(applied).is_ok_and(|applied| applied >= expected))
    }

    /// Writes a little, changes nothing by it, and waits for the disk.
    ///
    /// # Errors
    /// Where the database cannot be written to.
    pub async fn probe_write(&self) -> Result<()> {
        self.write(async |mut db: Writer| match db.lend() {
            // It writes its page even where the number stays the same.
            Connection::Sqlite(executor) => {
                sqlx::raw_sql("PRAGMA user_version = 0").execute(executor).await?;
                Ok::<_, StorageError>(())
            }
            Connection::Postgres(executor) => {
                let sql = "UPDATE _sqlx_migrations SET success = success
                     WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)";
                sqlx::query(sql).execute(executor).await?;
                Ok(())
            }
        })
        .await
    }
}
