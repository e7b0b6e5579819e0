//! The databases: one for the program, and a copy for the bare handler.
//!
//! Beside the seed's details there are as many more as are asked for, in instances of ten connections, each in four
//! environments, each with an entry in the audit log.

use super::{
    Result,
    http::Connection,
    requests::{self, Kind, Sign},
    servers::{MASTER_KEY, Server, work_folder},
    tokens,
};
use ipack_core::{Services, Setup, access::Client, connector::details::SaveDetails};
use ipack_domain::{effects::Clock, ids::ConnectionKey};
use ipack_storage::{Database, open::open};
use ipack_vault::Keyring;
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

pub const ACCOUNT: &str = "childaccount-ZF3X9U";
pub const SPACE: &str = "796eeeb4-1b2f-4965-898a-7e443";
pub const ADMIN_EMAIL: &str = "bench@localhost";
/// Guards nothing: the database is gone when the benchmark ends.
const PASSWORD: &str = "a-benchmark-has-no-secrets";
/// The seed's own.
pub const DETAILS: &str = concat!(
    r#"{"baseURL":"https://baseURL.com","companyId":"9341452451293689","clientId":"A","#,
    r#""authParams":{"key":"value"},"accessTokenParams":{"key":"value"}}"#
);
const PER_INSTANCE: u32 = 40;
/// Whose connection has a token.
pub const TOKEN_OF: u32 = 1;
/// Saves of the seed's details beforehand, so that the page's history is as long as it gets.
const SAVES: usize = 20;

/// The folder of this run, gone when it is over.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Result<Self> {
        let path = work_folder()?;
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// What the disk alone takes for a durable write of a page, half of the times.
    pub fn commit_time(&self) -> Result<Duration> {
        let mut file = File::create(self.0.join("probe"))?;
        let mut times = Vec::new();
        for _ in 0..200 {
            let begun = Instant::now();
            file.write_all(&[1; 4_096])?;
            file.sync_data()?;
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        Ok(times[times.len() / 2])
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

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

pub async fn prepare(folder: &Folder, name: &str, count: u32) -> Result<Prepared> {
    let path = |end: &str| folder.0.join(format!("{name}-{end}"));
    let mut prepared = Prepared {
        count,
        program: path("program.db"),
        bare: path("bare.db"),
        seed_answers: path("seed"),
        spread_answers: path("spread"),
        username: String::new(),
        token: String::new(),
        cookie: String::new(),
    };
    let address = format!("sqlite://{}", prepared.program.display());
    let database = open(&address).await?;
    let setup = Setup {
        keyring: Keyring::parse(MASTER_KEY.as_bytes(), "the benchmark")?,
        keyring_file: None,
        oauth: tokens::oauth()?,
    };
    let services = Services::new(database.clone(), Clock::system(), setup).await?;
    services.create_space(ACCOUNT, SPACE, "Benchmark").await?;
    services.create_admin(ADMIN_EMAIL, PASSWORD.into(), None).await?;
    let token = services.create_token(ACCOUNT, "bench", true).await?;
    let client = Client { account: ACCOUNT.into(), name: "bench".into(), username: token.username.clone() };
    for _ in 0..SAVES {
        let save = SaveDetails {
            key: seed_key(),
            is_token_generated: false,
            oauth_connector_details: DETAILS.into(),
            client_id: "dummyClientId".into(),
        };
        services.save_details(&client, Some(SPACE), save).await?;
    }
    fill(&database, count).await?;
    tokens::generate(&services, ADMIN_EMAIL, PASSWORD, &key(TOKEN_OF)).await?;
    database.close().await;
    (prepared.username, prepared.token) = (token.username, token.token);

    let server = Server::program(&prepared.program).await?;
    prepared.cookie =
        requests::sign_in(&mut Connection::open(server.address).await?, ADMIN_EMAIL, PASSWORD).await?;
    for (sign, answers) in [(Sign::Seed, &prepared.seed_answers), (Sign::Spread, &prepared.spread_answers)] {
        fs::create_dir_all(answers)?;
        for kind in Kind::ALL {
            let recorded = requests::record(kind, &prepared, sign, &server).await?;
            fs::write(answers.join(kind.name()), recorded)?;
        }
    }
    drop(server);
    // Folds the WAL away, so that one file is all.
    open(&address).await?.close().await;
    fs::copy(&prepared.program, &prepared.bare)?;
    // The copy is on the disk before anything is measured.
    sync(&prepared.bare)?;
    Ok(prepared)
}

fn sync(path: &Path) -> Result<()> {
    Ok(File::open(path)?.sync_all()?)
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

async fn fill(database: &Database, count: u32) -> Result<()> {
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
