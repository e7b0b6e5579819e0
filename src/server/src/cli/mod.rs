//! The command line: `serve` is the main job, the other commands prepare what it serves.
//!
//! A new command is a variant with its arguments and an arm in [`run`], which calls a use case.

mod backup;
mod keys;
mod token;

use crate::load_keyring::{KeySource, load_keyring};
use crate::serve;
use crate::{
    config::{ADMIN_PASSWORD, Config, DEFAULT_DATABASE_URL},
    telemetry,
};
use clap::{Args, Parser, Subcommand};
use ipack_core::{OAuth, Services};
use ipack_domain::effects::Clock;
use ipack_oauth::{configuration::Allowed, outbound::Outbound};
use ipack_storage::open::{open, open_with, pending_migrations};
use std::{env::VarError, error::Error, io::Read, path::PathBuf, sync::Arc};

#[derive(Parser)]
#[command(name = "ipack-connect", version, about = "Keeps the OAuth connector details of integration packs")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve pages and API
    Serve {
        #[command(flatten)]
        config: Box<Config>,
        /// Load demo content into a database without any account
        #[arg(long)]
        demo: bool,
    },
    /// Bring the database up to date and stop
    Migrate {
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Copy the database into a new file, while servers run (PostgreSQL: by pg_dump)
    Backup {
        file: PathBuf,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Look whether a backup is whole, and whether the master keys open what is sealed in it
    Check {
        /// A backup of SQLite; without one, the database itself is looked at
        file: Option<PathBuf>,
        #[command(flatten)]
        keys: keys::KeyArgs,
    },
    /// Spaces: what an account's users install from
    #[command(subcommand)]
    Space(SpaceCommand),
    /// API tokens: what programs prove themselves with
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Admins: the people who sign in
    #[command(subcommand)]
    Admin(AdminCommand),
    /// What can be installed in a Space
    #[command(subcommand)]
    Catalogue(CatalogueCommand),
    /// Master keys: what secrets are sealed with
    #[command(subcommand)]
    Keys(keys::KeysCommand),
}

#[derive(Args)]
struct DatabaseArgs {
    /// `sqlite://…` or `postgres://…`
    #[arg(long, env = "IPACK_DATABASE_URL", default_value = DEFAULT_DATABASE_URL, hide_env_values = true)]
    database_url: String,
}

#[derive(Subcommand)]
enum SpaceCommand {
    /// Make a Space and, where it is new, its account
    Create {
        #[arg(long)]
        account: String,
        #[arg(long)]
        guid: String,
        #[arg(long)]
        name: String,
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Make an admin of one account; the password is read from standard input
    Create {
        #[arg(long)]
        email: String,
        #[arg(long)]
        account: String,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Give an admin another password, read from standard input, and end their sessions
    Password {
        #[arg(long)]
        email: String,
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

#[derive(Subcommand)]
enum CatalogueCommand {
    /// Fill a Space from a JSON file: environments, packs, processes, connections
    ///
    /// {"environments": [{"id", "name", "classification": "PROD" | "TEST"}],
    ///  "packs": [{"id", "name", "description", "installationType": "SINGLE" | "MULTI",
    ///    "processes": [{"id", "name", "connections": [{"id", "name", "oauth": true, "defaults": {…},
    ///      "authorization": {"provider": "quickbooks-online" | "endpoints" | "", "issuer", "authorizationEndpoint",
    ///        "tokenEndpoint", "revocationEndpoint", "grant", "scopes", "clientAuthentication", "withoutPkce", "subject",
    ///        "keyId", "audience", "scopeSeparator", "companyParameter", "tokenLifetime"}}]}]}]}
    ///
    /// `authorization` says where a connection's tokens come from; each of its members may be left out.
    #[command(verbatim_doc_comment)]
    Import {
        #[arg(long)]
        space: String,
        file: PathBuf,
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

/// Runs one command to its end.
///
/// # Errors
/// With a sentence for the person at the terminal.
pub async fn run() -> Result<(), Box<dyn Error>> {
    telemetry::start()?;
    match Cli::parse().command {
        Command::Serve { config, demo } => serve(Arc::new(*config), first_password()?, demo).await,
        Command::Migrate { database } => {
            let pending = pending_migrations(&database.database_url).await?;
            let services = services(&database).await?;
            services.note_migrations(pending).await?;
            services.database.close().await;
            Ok(())
        }
        Command::Backup { file, database } => {
            Ok(ipack_storage::backup::backup(&database.database_url, &file).await?)
        }
        Command::Check { file, keys } => backup::check(file, &keys).await,
        Command::Space(SpaceCommand::Create { account, guid, name, database }) => {
            Ok(services(&database).await?.create_space(&account, &guid, &name).await?)
        }
        Command::Token(command) => token::run(command).await,
        Command::Admin(AdminCommand::Create { email, account, database }) => {
            let password = read_password()?;
            Ok(services(&database).await?.create_admin(&email, password, Some(&account)).await?)
        }
        Command::Admin(AdminCommand::Password { email, database }) => {
            let password = read_password()?;
            Ok(services(&database).await?.change_password(&email, password).await?)
        }
        Command::Catalogue(CatalogueCommand::Import { space, file, database }) => {
            let json = std::fs::read_to_string(file)?;
            Ok(services(&database).await?.import_catalogue(&space, &json).await?)
        }
        Command::Keys(command) => keys::run(command).await,
    }
}

async fn services(database: &DatabaseArgs) -> Result<Services, Box<dyn Error>> {
    Ok(Services::for_command(open(&database.database_url).await?, Clock::system())?)
}

/// The address is taken first: who cannot listen leaves the database as it is.
pub async fn serve(
    config: Arc<Config>,
    first_password: Option<String>,
    demo: bool,
) -> Result<(), Box<dyn Error>> {
    let listener = serve::listen(config.listen).await?;
    let url = config.public_url(listener.local_addr()?);
    let source = KeySource::of(&config.database_url.0, &config.master_key_file)?;
    // Before the database is touched: who has the wrong key leaves it as it is.
    let keyring = load_keyring(&source, &config.database_url.0).await?;
    let oauth = OAuth {
        outbound: Outbound::new(config.outbound_policy())?,
        allowed: Allowed { password_grant: config.allow_password_grant },
        public_url: url.clone(),
    };
    let database = open_with(&config.database_url.0, config.database_connections).await?;
    let services = Services::new(database, Clock::system(), keyring.with(oauth)).await?;
    if demo && services.load_demo().await? {
        say("Demo content is loaded.");
    }
    let first_admin = services.ensure_first_admin(&config.admin_email, first_password).await?;
    serve::serve(services, config, listener, || {
        say(&format!("iPack Connect is ready at {url}"));
        if let Some(admin) = first_admin {
            match admin.made_password {
                Some(password) => say(&format!("First admin: {}  password: {password}", admin.email)),
                None => say(&format!("First admin: {}  password: as configured", admin.email)),
            }
        }
    })
    .await;
    Ok(())
}

fn first_password() -> Result<Option<String>, String> {
    match std::env::var(ADMIN_PASSWORD) {
        Ok(password) => Ok(Some(password)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(format!("{ADMIN_PASSWORD} is not valid UTF-8")),
    }
}

/// The first line of standard input.
fn read_password() -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    std::io::stdin().take(4_096).read_to_string(&mut text)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

#[expect(clippy::print_stdout, reason = "what the person at the terminal asked for")]
fn say(line: &str) {
    println!("{line}");
}
