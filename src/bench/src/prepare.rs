//! Makes the databases: one for the program, and a copy for the bare handler; and records what the program answers.

use super::{
    Result,
    data::{ACCOUNT, DETAILS, Prepared, SPACE, TOKEN_OF, fill, key, seed_key},
    http::Connection,
    requests::{self, Kind, Sign},
    servers::{MASTER_KEY, Server, work_folder},
    tokens,
};
use ipack_core::{
    Services, Setup,
    access::Client,
    accounts::{administration::NewToken, passwords::Cost},
    connector::details::SaveDetails,
};
use ipack_domain::{effects::Clock, rights::Rights};
use ipack_storage::{Database, open::open};
use ipack_vault::Keyring;
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

pub const ADMIN_EMAIL: &str = "bench@localhost";
/// Guards nothing: the database is gone when the benchmark ends.
const PASSWORD: &str = "a-benchmark-has-no-secrets";
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

    pub fn path(&self) -> &Path {
        &self.0
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
    let (services, token) = settle(&database).await?;
    let (name, username) = ("bench".into(), token.username.clone());
    let client = Client { account: ACCOUNT.into(), name, username, rights: Rights::all() };
    for number in (0..SAVES).rev() {
        // The last one as the seed has it.
        let value = if number == 0 { "value".to_owned() } else { number.to_string() };
        let save = SaveDetails {
            key: seed_key(),
            is_token_generated: false,
            oauth_connector_details: DETAILS.replacen("value", &value, 1),
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

/// A Space, an admin and an API token.
pub async fn settle(database: &Database) -> Result<(Services, NewToken)> {
    let setup = Setup {
        keyring: Keyring::parse(MASTER_KEY.as_bytes(), "the benchmark")?,
        keyring_file: None,
        oauth: tokens::oauth()?,
        password_cost: Cost::PRODUCTION,
    };
    let services = Services::new(database.clone(), Clock::system(), setup).await?;
    services.create_space(ACCOUNT, SPACE, "Benchmark").await?;
    services.create_admin(ADMIN_EMAIL, PASSWORD.into(), None).await?;
    let token = services.create_token(ACCOUNT, "bench", Rights::all(), None).await?;
    Ok((services, token))
}

fn sync(path: &Path) -> Result<()> {
    Ok(File::open(path)?.sync_all()?)
}
