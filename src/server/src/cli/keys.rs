//! `ipack-connect keys`: the master keys of a database, and their rotation beside running servers.

use crate::cli::{DatabaseArgs, say};
use crate::config::{DEFAULT_MASTER_KEY_FILE, MASTER_KEY};
use crate::load_keyring::{KeySource, load_keyring};
use clap::{Args, Subcommand};
use ipack_core::{
    OAuth, Services,
    keys::rotation::{KeyStatus, Rotation},
};
use ipack_domain::effects::Clock;
use ipack_oauth::{addresses::Policy, configuration::Allowed, outbound::Outbound};
use ipack_storage::open::open;
use ipack_vault::Keyring;
use std::{error::Error, path::PathBuf};

#[derive(Args)]
pub struct KeyArgs {
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
    /// File with the master keys
    #[arg(long, env = "IPACK_MASTER_KEY_FILE", default_value = DEFAULT_MASTER_KEY_FILE)]
    pub(super) master_key_file: PathBuf,
}

#[derive(Subcommand)]
pub enum KeysCommand {
    /// Show which master keys there are and what is sealed with each
    Status {
        #[command(flatten)]
        keys: KeyArgs,
    },
    /// Add a master key to the file; `keys rotate` puts it to use
    Add {
        #[command(flatten)]
        keys: KeyArgs,
    },
    /// Seal everything anew with the newest master key, beside running servers; can be stopped and run again
    Rotate {
        #[command(flatten)]
        keys: KeyArgs,
    },
    /// Take a master key that nothing is sealed with any more out of the database and the file
    Retire {
        /// Its version, as `keys status` shows it
        version: u32,
        #[command(flatten)]
        keys: KeyArgs,
    },
}

/// # Errors
/// With a sentence for the person at the terminal.
pub async fn run(command: KeysCommand) -> Result<(), Box<dyn Error>> {
    match command {
        KeysCommand::Status { keys } => {
            for line in status_lines(&services(&keys).await?.key_status().await?) {
                say(&line);
            }
            Ok(())
        }
        KeysCommand::Add { keys } => {
            in_a_file()?;
            let services = services(&keys).await?;
            let version = Keyring::add(&keys.master_key_file)?;
            services.note_key_added(version).await?;
            let file = keys.master_key_file.display();
            say(&format!(
                "Added v{version} to {file}. Copy the file to every machine that serves this database, then run `keys rotate`."
            ));
            Ok(())
        }
        KeysCommand::Rotate { keys } => {
            let services = services(&keys).await?;
            let rotation = services
                .rotate_keys(|progress| {
                    say(&format!(
                        "  {}: {} values sealed anew",
                        scope_name(&progress.scope),
                        progress.resealed
                    ));
                })
                .await?;
            finished(&rotation)
        }
        KeysCommand::Retire { version, keys } => {
            in_a_file()?;
            services(&keys).await?.retire_key(version).await?;
            Keyring::remove(&keys.master_key_file, version)?;
            say(&format!("Retired v{version}: neither the database nor the file has it any more."));
            Ok(())
        }
    }
}

/// A variable is not ours to write.
fn in_a_file() -> Result<(), String> {
    match std::env::var_os(MASTER_KEY) {
        None => Ok(()),
        Some(_) => Err(format!(
            "the master keys come from {MASTER_KEY}, which only you can change: a line a key, v1:… v2:…, the highest seals"
        )),
    }
}

async fn services(keys: &KeyArgs) -> Result<Services, Box<dyn Error>> {
    let url = &keys.database.database_url;
    let source = KeySource::of(url, &keys.master_key_file)?;
    let keyring = load_keyring(&source, url).await?;
    let oauth = OAuth {
        outbound: Outbound::new(Policy::default())?,
        allowed: Allowed::default(),
        public_url: String::new(),
    };
    let services = Services::new(open(url).await?, Clock::system(), keyring.with(oauth)).await?;
    Ok(services.of_command_line())
}

pub(super) fn scope_name(scope: &str) -> String {
    if scope.is_empty() { "the installation".to_owned() } else { format!("Space {scope}") }
}

fn status_lines(status: &KeyStatus) -> Vec<String> {
    let mut lines = vec!["Master keys".to_owned()];
    let newest = status.masters.iter().filter(|master| master.is_known).map(|master| master.version).max();
    for master in &status.masters {
        let what = match (master.is_known, master.is_in_keyring) {
            (true, false) => "MISSING from the keyring",
            (false, _) => "not used yet: `keys rotate` puts it to use",
            (true, true) if Some(master.version) == newest => "seals",
            (true, true) if master.data_keys == 0 => "nothing needs it: `keys retire` takes it away",
            (true, true) => "opens what a rotation has left to do",
        };
        lines.push(format!("  v{}  {what}, {} data keys", master.version, master.data_keys));
    }
    lines.push("Data keys".to_owned());
    for scope in &status.scopes {
        lines.push(format!(
            "  {}  data key {}, wrapped by v{}, {} values",
            scope_name(&scope.scope),
            scope.data_key_version,
            scope.master_version,
            scope.values
        ));
    }
    lines
}

fn finished(rotation: &Rotation) -> Result<(), Box<dyn Error>> {
    let Rotation { master_version, resealed, unopenable } = rotation;
    say(&format!(
        "Everything that opens is sealed under v{master_version}; {resealed} values were sealed anew."
    ));
    if unopenable.is_empty() {
        return Ok(());
    }
    for value in unopenable {
        say(&format!("  does not open: {} {} of {}", value.table, value.id, scope_name(&value.scope)));
    }
    let count = unopenable.len();
    Err(format!(
        "{count} values do not open and stay as they are, with the old keys; reset their client secrets, and rotate again"
    )
    .into())
}
