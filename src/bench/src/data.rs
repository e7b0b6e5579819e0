//! What the databases hold, and under which keys.
//!
//! Beside the seed's details there are as many more as are asked for, in instances of ten connections, each in four
//! environments, each with an entry in the audit log.

use super::Result;
use ipack_domain::ids::ConnectionKey;
use ipack_storage::Database;
use std::path::PathBuf;

pub const ACCOUNT: &str = "childaccount-ZF3X9U";
pub const SPACE: &str = "796eeeb4-1b2f-4965-898a-7e443";
/// The seed's own.
pub const DETAILS: &str = concat!(
    r#"{"baseURL":"https://baseURL.com","companyId":"9341452451293689","clientId":"A","#,
    r#""authParams":{"key":"value"},"accessTokenParams":{"key":"value"}}"#
);
const PER_INSTANCE: u32 = 40;
/// Whose connection has a token.
pub const TOKEN_OF: u32 = 1;
pub struct Prepared {
    /// How many details there are beside the seed's.
    pub count: u32,
    /// Database files.
    pub program: PathBuf,
    pub bare: PathBuf,
    /// Folders of recorded answers.
    pub seed_answers: PathBuf,
    pub spread_answers: PathBuf,
    pub username: String,
    pub token: String,
    /// `name=value`
    pub cookie: String,
}

pub fn seed_key() -> ConnectionKey {
    let [instance, environment, process, connection] = ["test-101", "2", "1", "3"].map(str::to_owned);
    ConnectionKey { space: SPACE.into(), instance, environment, process, connection }
}

/// The key of one of the details beside the seed's; `fill` makes the same ids.
pub fn key(number: u32) -> ConnectionKey {
    ConnectionKey {
        space: SPACE.into(),
        instance: format!("instance-{:06}", number / PER_INSTANCE),
        environment: format!("environment-{}", number % 4),
        process: format!("process-{}", number / 20 % 2),
        connection: format!("connection-{}", number / 4 % 5),
    }
}

/// What the details need first: each statement once for every instance `n`.
const AROUND: [&str; 5] = [
    "INSERT INTO instances (space_guid, id, account_id, name, search_text, created_at)
     SELECT $1, printf('instance-%06d', n), $2, printf('instance-%06d', n), printf('instance-%06d ', n), 1 FROM s",
    "INSERT INTO environments (space_guid, id, name, classification, created_at)
     SELECT $1, printf('environment-%d', n), printf('environment-%d', n), 'TEST', 1 FROM s WHERE n < 4",
    "INSERT INTO attachments (id, space_guid, instance_id, environment_id, created_at)
     SELECT CAST(printf('%016d', n * 4 + e.value) AS BLOB), $1, printf('instance-%06d', n),
         printf('environment-%d', e.value), 1
     FROM s, json_each('[0,1,2,3]') e",
    "INSERT INTO processes (space_guid, instance_id, id, name)
     SELECT $1, printf('instance-%06d', n), printf('process-%d', p.value), printf('process-%d', p.value)
     FROM s, json_each('[0,1]') p",
    "INSERT INTO connections (space_guid, instance_id, process_id, id, name, uses_oauth, every_environment)
     SELECT $1, printf('instance-%06d', n), printf('process-%d', p.value), printf('connection-%d', c.value),
         printf('connection-%d', c.value), 1, 0
     FROM s, json_each('[0,1]') p, json_each('[0,1,2,3,4]') c",
];

/// What is saved: each statement once for every number `n`.
const SAVED: [&str; 2] = [
    "INSERT INTO connector_details (id, space_guid, instance_id, environment_id, process_id, connection_id, version,
         is_token_generated, oauth_connector_details, client_id, client_secret, complete, saved_by, created_at,
         updated_at)
     SELECT CAST(printf('%016d', n) AS BLOB), $1, printf('instance-%06d', n / 40), printf('environment-%d', n % 4),
         printf('process-%d', n / 20 % 2), printf('connection-%d', n / 4 % 5), 1, 0, $2, 'dummyClientId',
         'dummyClientSecret', 1, 'API token bench', 1795457108000000 + n, 1795457108000000 + n FROM s",
    "INSERT INTO timeline (id, account_id, space_guid, instance_id, environment_id, process_id, connection_id, at,
         actor, kind, changed)
     SELECT CAST(printf('%016d', n) AS BLOB), $2, $1, printf('instance-%06d', n / 40), printf('environment-%d', n % 4),
         printf('process-%d', n / 20 % 2), printf('connection-%d', n / 4 % 5), 1795457108000000 + n,
         'API token bench', 'details_saved', '[\"Base URL\",\"Company ID\"]' FROM s",
];

pub async fn fill(database: &Database, count: u32) -> Result<()> {
    let Database::Sqlite { writer, .. } = database else { return Err("the benchmark is on SQLite".into()) };
    let insert = async |statement: &'static str, second: &str, from: u32, to: u32| -> Result<()> {
        let numbers = "WITH RECURSIVE s (n) AS (SELECT $3 UNION ALL SELECT n + 1 FROM s WHERE n + 1 < $4) ";
        // Only constants of this file.
        let sql = sqlx::AssertSqlSafe(format!("{numbers}{statement}"));
        sqlx::query(sql).bind(SPACE).bind(second).bind(from).bind(to).execute(writer).await?;
        Ok(())
    };
    for statement in AROUND {
        insert(statement, ACCOUNT, 0, count.div_ceil(PER_INSTANCE)).await?;
    }
    // In parts, so that the WAL stays small.
    const PART: u32 = 50_000;
    for from in (0..count).step_by(PART as usize) {
        let to = from.saturating_add(PART).min(count);
        insert(SAVED[0], DETAILS, from, to).await?;
        insert(SAVED[1], ACCOUNT, from, to).await?;
    }
    Ok(())
}
