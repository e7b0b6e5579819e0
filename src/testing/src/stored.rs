//! All that a database holds, to look for what must not be in it.

use ipack_storage::Database;
use sqlx::AssertSqlSafe;

/// Every byte of the SQLite files, or every row of PostgreSQL.
pub async fn everything_stored(database: &Database) -> String {
    match database {
        Database::Sqlite { readers, .. } => {
            let file = readers.sqlx_pool().connect_options().get_filename().to_owned();
            let folder = file.parent().expect("the file is in a folder");
            let mut names: Vec<String> = Vec::new();
            let mut all = String::new();
            for entry in std::fs::read_dir(folder).expect("the folder can be read") {
                let path = entry.expect("an entry").path();
                names.push(
                    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
                );
                all.push_str(&String::from_utf8_lossy(&std::fs::read(path).expect("a file can be read")));
            }
            assert!(names.iter().any(|name| name.ends_with("-wal")), "{names:?}");
            all
        }
        Database::Postgres(pool) => {
            let tables =
                "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
            let tables: Vec<String> =
                sqlx::query_scalar(tables).fetch_all(pool).await.expect("the tables are listed");
            let mut all = String::new();
            for table in tables {
                let sql = format!("SELECT t::text FROM {table} t");
                let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
                    .fetch_all(pool)
                    .await
                    .expect("a table can be read");
                all.push_str(&rows.join("\n"));
            }
            all
        }
    }
}
