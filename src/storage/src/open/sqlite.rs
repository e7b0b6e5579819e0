//! A SQLite file: its folder, its lock, its mode, and the settings that durability rests on.

use super::{ACQUIRE_TIMEOUT, OpenError, SLOW_STATEMENT, beside};
use crate::{Database, backup, group_commit::WriteQueue, read_pool::ReadPool};
use sqlx::{
    AssertSqlSafe, ConnectOptions, SqliteConnection, SqlitePool,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    fs::{DirBuilder, File},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// Older versions can corrupt a WAL database when two connections checkpoint at once.
const SQLITE_AT_LEAST: [u32; 3] = [3, 51, 3];
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const READERS: u32 = 4;
/// At 4 KiB each. A checkpoint syncs twice and writes each page once however often it changed, so it may be rarer than
/// SQLite's own 1,000.
const WAL_PAGES: &str = "4000";

pub(super) async fn open(address: &str) -> Result<Database, OpenError> {
    let options = SqliteConnectOptions::from_str(address)?
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("temp_store", "memory")
        .pragma("wal_autocheckpoint", WAL_PAGES)
        .log_slow_statements(tracing::log::LevelFilter::Warn, SLOW_STATEMENT);
    let file = options.get_filename().to_owned();
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(OpenError::Folder)?;
    }
    // sqlx takes no lock on SQLite while it migrates; closing the file gives this one back.
    let lock = take_lock(file.with_extension("lock")).await?;
    if !file.exists() {
        create(&options, &file).await?;
    } else if examine(&file).await? > 0 {
        let kept = beside(&file, ".before-migration");
        backup::write_over(&file, &kept).await?;
        tracing::info!(file = %kept.display(), "a backup was made before the database is migrated");
    }
    let writer = pool(1, options.clone()).await?;
    MIGRATIONS.run(&writer).await?;
    let readers = ReadPool::new(pool(READERS, options).await?);
    drop(lock);
    let queue = WriteQueue::start(writer.clone());
    Ok(Database::Sqlite { readers, writer, queue })
}

async fn pool(size: u32, options: SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    SqlitePoolOptions::new()
        .max_connections(size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(|connection, _| Box::pin(check_sqlite(connection)))
        .connect_with(options)
        .await
}

/// How many migrations a file lacks.
///
/// # Errors
/// Where it is not this program's.
pub(crate) async fn examine(file: &Path) -> Result<usize, OpenError> {
    let examined = super::examine::sqlite(file, &MIGRATIONS).await;
    examined.map_err(|why| OpenError::Unusable { place: file.display().to_string(), why })
}

/// Makes the database under another name and gives it its own once it is whole: whoever finds a file finds all tables.
async fn create(options: &SqliteConnectOptions, file: &Path) -> Result<(), OpenError> {
    let new = beside(file, ".new");
    for leftover in [&new, &beside(&new, "-wal"), &beside(&new, "-shm")] {
        remove_if_there(leftover).map_err(OpenError::File)?;
    }
    // SQLite gives the files beside the database its mode.
    private_file(&new).map_err(OpenError::File)?;
    let making = pool(1, options.clone().filename(&new)).await?;
    MIGRATIONS.run(&making).await?;
    // Closing writes everything into the file.
    making.close().await;
    backup::settle(&new, file).map_err(OpenError::File)
}

async fn take_lock(path: PathBuf) -> Result<File, OpenError> {
    let lock = move || {
        let file = private_file(&path)?;
        file.lock()?;
        Ok(file)
    };
    tokio::task::spawn_blocking(lock).await.map_err(std::io::Error::other).flatten().map_err(OpenError::Lock)
}

pub(crate) fn remove_if_there(file: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Opens a file, which nobody else may read where it is new.
pub(crate) fn private_file(path: &Path) -> std::io::Result<File> {
    File::options().create(true).truncate(false).write(true).mode(0o600).open(path)
}

/// Refuses a connection whose settings are not what durability and references rest on.
async fn check_sqlite(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut *connection).await?;
    if !is_at_least(&version, SQLITE_AT_LEAST) {
        return Err(sqlx::Error::Configuration(format!("SQLite {version} is too old").into()));
    }
    for (pragma, expected) in
        [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1"), ("busy_timeout", "5000")]
    {
        // Pragmas answer text or an integer; all of them cast.
        let sql = format!(
            "SELECT CAST({column} AS TEXT) FROM pragma_{pragma}",
            column = if pragma == "busy_timeout" { "timeout" } else { pragma }
        );
        let actual: String = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *connection).await?;
        if actual != expected {
            let message = format!("SQLite's {pragma} is {actual}, not {expected}");
            return Err(sqlx::Error::Configuration(message.into()));
        }
    }
    Ok(())
}

fn is_at_least(version: &str, least: [u32; 3]) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let version = [0; 3].map(|_: u32| parts.next().unwrap_or(0));
    version >= least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        for (version, fine) in
            [("3.51.3", true), ("3.51.2", false), ("3.60.0", true), ("3.9.9", false), ("4.0", true)]
        {
            assert_eq!(is_at_least(version, SQLITE_AT_LEAST), fine, "{version}");
        }
    }
}
