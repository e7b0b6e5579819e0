//! Copies of a database: whole, as of one moment, made while others write, and readable for their user alone. SQLite
//! makes its own; PostgreSQL has a program for it.

mod postgres;

use crate::open::{
    OpenError, beside,
    sqlite::{BUSY_TIMEOUT, examine, private_file, remove_if_there},
};
use sqlx::{ConnectOptions, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    str::FromStr,
};

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("there is no database at {0}")]
    Missing(PathBuf),
    #[error("{0} is there already; a backup writes over nothing")]
    Exists(PathBuf),
    /// PostgreSQL's own program makes the backup, where it is there.
    #[error(
        "pg_dump {why}; where it is, run: pg_dump --format=custom --file={} \"$IPACK_DATABASE_URL\"",
        file.display()
    )]
    Dump { file: PathBuf, why: String },
    #[error(
        "{0} is a dump of PostgreSQL: pg_restore it into an empty database, and check that: ipack-connect check \
         --database-url postgres://…"
    )]
    IsDump(PathBuf),
    #[error("{0} is in use: make a backup of it, and check that")]
    InUse(PathBuf),
    #[error("the copy is damaged: {0}")]
    Damaged(String),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the backup cannot be written: {0}")]
    File(#[from] io::Error),
}

impl From<sqlx::Error> for BackupError {
    fn from(error: sqlx::Error) -> Self {
        Self::Open(error.into())
    }
}

/// Copies the database at an address into a file that is not there yet.
///
/// # Errors
/// Where there is no such database, or the copy cannot be written.
pub async fn backup(address: &str, to: &Path) -> Result<(), BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    if !address.starts_with("sqlite:") {
        return postgres::dump(address, to).await;
    }
    let options = SqliteConnectOptions::from_str(address)?;
    let file = options.get_filename();
    if !file.exists() {
        return Err(BackupError::Missing(file.to_owned()));
    }
    examine(file).await?;
    Ok(write_over(file, to).await?)
}

/// As [`backup`], in the place of what is there. Nothing is there, or what was before, until the copy is whole.
pub(crate) async fn write_over(file: &Path, to: &Path) -> Result<(), OpenError> {
    let part = beside(to, ".part");
    remove_if_there(&part).map_err(OpenError::File)?;
    // SQLite writes into an empty file, whose mode stays.
    private_file(&part).map_err(OpenError::File)?;
    let options = SqliteConnectOptions::new().filename(file).read_only(true).busy_timeout(BUSY_TIMEOUT);
    let mut connection = options.connect().await?;
    let copied = sqlx::query("VACUUM INTO $1").bind(part.to_string_lossy()).execute(&mut connection).await;
    connection.close().await?;
    if let Err(error) = copied {
        remove_if_there(&part).map_err(OpenError::File)?;
        return Err(error.into());
    }
    settle(&part, to).map_err(OpenError::File)
}

/// Gives a file that was written its name, once it is on the disk.
pub(crate) fn settle(written: &Path, to: &Path) -> io::Result<()> {
    File::open(written)?.sync_all()?;
    fs::rename(written, to)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Whether a backup is whole: its pages, its references, and that its migrations are of this program; the value is how
/// many it lacks. Nothing is changed.
///
/// # Errors
/// With what is wrong with it.
pub async fn check(file: &Path) -> Result<usize, BackupError> {
    if !file.exists() {
        return Err(BackupError::Missing(file.to_owned()));
    }
    if postgres::is_dump(file)? {
        return Err(BackupError::IsDump(file.to_owned()));
    }
    // Part of it would be in the log.
    if beside(file, "-wal").exists() {
        return Err(BackupError::InUse(file.to_owned()));
    }
    let pending = examine(file).await?;
    let options = SqliteConnectOptions::new().filename(file).read_only(true).immutable(true);
    let mut connection = options.connect().await?;
    let found = damage(&mut connection).await?;
    connection.close().await?;
    match found {
        Some(damage) => Err(BackupError::Damaged(damage)),
        None => Ok(pending),
    }
}

async fn damage(connection: &mut SqliteConnection) -> Result<Option<String>, sqlx::Error> {
    let pages: String = sqlx::query_scalar("SELECT integrity_check FROM pragma_integrity_check LIMIT 1")
        .fetch_one(&mut *connection)
        .await?;
    if pages != "ok" {
        return Ok(Some(pages));
    }
    let table: Option<String> = sqlx::query_scalar("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1")
        .fetch_optional(connection)
        .await?;
    Ok(table.map(|table| format!("a row of {table} refers to one that is not there")))
}
