//! Whether a database is one of this program's: asked before anything is changed, so that what is refused stays as it is.

use super::beside;
use sqlx::{
    ConnectOptions, Connection as _, PgConnection, SqliteConnection, migrate::Migrator,
    sqlite::SqliteConnectOptions,
};
use std::{fs, path::Path};

/// Why a database is not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error(
        "it is empty: a file was cut off, or made by something else; for a first start there must be none"
    )]
    Empty,
    #[error("it is no SQLite database")]
    NotSqlite,
    #[error("it is cut off or damaged; restore a backup")]
    Damaged,
    #[error("it holds tables of another program")]
    Foreign,
    #[error(
        "a newer version of this program made it: it has migration {found}, and this version knows {known}"
    )]
    Newer { found: i64, known: i64 },
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

const SQLITE_CORRUPT: i32 = 11;
const SQLITE_NOTADB: i32 = 26;

/// How many migrations a database lacks.
pub type Pending = usize;

/// A migration that was run, as sqlx notes it.
type Applied = (i64, Vec<u8>);

const APPLIED: &str = "SELECT version, checksum FROM _sqlx_migrations ORDER BY version";

/// Compares what was run with what this program knows.
fn compare(applied: &[Applied], migrations: &Migrator) -> Result<Pending, Unusable> {
    let known = migrations.iter().map(|migration| migration.version).max().unwrap_or_default();
    for (version, checksum) in applied {
        match migrations.iter().find(|migration| migration.version == *version) {
            Some(migration) if *migration.checksum == **checksum => {}
            None if *version > known => return Err(Unusable::Newer { found: *version, known }),
            _ => return Err(Unusable::Foreign),
        }
    }
    Ok(migrations.iter().count() - applied.len())
}

/// Examines a file that is there. Through SQLite alone: to open and close it besides would give back the locks that
/// SQLite has on it in this process.
pub async fn sqlite(file: &Path, migrations: &Migrator) -> Result<Pending, Unusable> {
    let length = fs::metadata(file).map_err(|error| Unusable::Unreadable(error.to_string()))?.len();
    if length == 0 {
        return Err(Unusable::Empty);
    }
    // Where nobody uses the file, nothing is made beside it.
    let is_used = beside(file, "-wal").exists();
    let options = SqliteConnectOptions::new().filename(file).read_only(true).immutable(!is_used);
    let examined = async {
        let mut connection = options.connect().await?;
        let applied = sqlite_applied(&mut connection).await?;
        let page: i64 = sqlx::query_scalar("PRAGMA page_size").fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok((applied, page))
    };
    let examined = examined.await.map_err(|error: sqlx::Error| match sqlite_code(&error) {
        Some(SQLITE_CORRUPT) => Unusable::Damaged,
        Some(SQLITE_NOTADB) => Unusable::NotSqlite,
        _ => Unusable::Unreadable(error.to_string()),
    });
    let (applied, page) = examined?;
    // SQLite itself misses only whole pages. In use, a file on a full disk may end within one.
    if !is_used && u64::try_from(page).is_ok_and(|page| length % page != 0) {
        return Err(Unusable::Damaged);
    }
    compare(&applied.ok_or(Unusable::Foreign)?, migrations)
}

fn sqlite_code(error: &sqlx::Error) -> Option<i32> {
    // The lowest byte of an extended code is the code that it extends.
    Some(error.as_database_error()?.code()?.parse::<i32>().ok()? & 0xff)
}

async fn sqlite_applied(connection: &mut SqliteConnection) -> Result<Option<Vec<Applied>>, sqlx::Error> {
    let table = "SELECT COUNT(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'";
    let is_there: i64 = sqlx::query_scalar(table).fetch_one(&mut *connection).await?;
    if is_there == 0 {
        return Ok(None);
    }
    Ok(Some(sqlx::query_as(APPLIED).fetch_all(connection).await?))
}

/// Examines a database that may have no table yet.
pub async fn postgres(connection: &mut PgConnection, migrations: &Migrator) -> Result<Pending, Unusable> {
    let unreadable = |error: sqlx::Error| Unusable::Unreadable(error.to_string());
    // In one look: another program may be making its tables at this moment. Those of an extension are nobody's.
    let tables = "SELECT COUNT(*), COUNT(*) FILTER (WHERE c.relname = '_sqlx_migrations') FROM pg_class c
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
             AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')";
    let (tables, of_migrations): (i64, i64) =
        sqlx::query_as(tables).fetch_one(&mut *connection).await.map_err(unreadable)?;
    if tables == 0 {
        return Ok(migrations.iter().count());
    }
    if of_migrations == 0 {
        return Err(Unusable::Foreign);
    }
    let applied: Vec<Applied> = sqlx::query_as(APPLIED).fetch_all(connection).await.map_err(unreadable)?;
    compare(&applied, migrations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::sqlite::MIGRATIONS;

    #[test]
    fn what_was_run_is_compared_with_what_is_known() {
        let all: Vec<Applied> = MIGRATIONS.iter().map(|one| (one.version, one.checksum.to_vec())).collect();
        assert_eq!(compare(&all, &MIGRATIONS), Ok(0));
        assert_eq!(compare(&all[..1], &MIGRATIONS), Ok(all.len() - 1));
        let known = all.last().expect("there are some").0;
        let newer = [(known + 1, vec![0; 48])];
        assert_eq!(compare(&newer, &MIGRATIONS), Err(Unusable::Newer { found: known + 1, known }));
        for foreign in [(all[0].0, vec![0; 48]), (-1, vec![])] {
            assert_eq!(compare(&[foreign], &MIGRATIONS), Err(Unusable::Foreign));
        }
    }
}
