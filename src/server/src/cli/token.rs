//! `token`: API tokens, made, listed, changed and revoked.

use crate::cli::{DatabaseArgs, say, services};
use clap::Subcommand;
use ipack_core::catalogue::page::MAX_PAGE;
use ipack_domain::{
    rights::{Right, Rights},
    time::Timestamp,
};
use ipack_storage::api_tokens::ApiToken;
use serde_json::{Value, json};
use std::error::Error;

#[derive(Subcommand)]
pub(super) enum TokenCommand {
    /// Make an API token; it is printed once, as JSON
    Create {
        #[arg(long)]
        account: String,
        #[arg(long)]
        name: String,
        /// What the token may do, with commas between them; without it, everything but tokens:read
        ///
        /// details:read     read connector details and the state of connections
        /// details:write    save them and their providers: decides where client secrets go
        /// tokens:read      read access tokens
        /// tokens:manage    encrypt and reset client secrets, refresh and revoke tokens
        /// catalogue:write  install, uninstall, attach, unattach
        #[arg(long, verbatim_doc_comment)]
        allow: Option<Rights>,
        /// The token may read access tokens: adds tokens:read
        #[arg(long)]
        read_access_tokens: bool,
        /// From this day on (UTC) the token is not in force: YYYY-MM-DD
        #[arg(long, value_parser = date)]
        expires: Option<Timestamp>,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// List the API tokens of an account, a line of JSON for each
    List {
        #[arg(long)]
        account: String,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Give an API token other rights; JWTs that it made keep theirs for five minutes at most
    Rights {
        #[arg(long)]
        account: String,
        #[arg(long)]
        username: String,
        /// What the token may do, with commas between them, as `token create` has it
        #[arg(long)]
        allow: Rights,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// From now on the token makes no JWT
    Revoke {
        #[arg(long)]
        account: String,
        #[arg(long)]
        username: String,
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

/// # Errors
/// With a sentence for the person at the terminal.
pub(super) async fn run(command: TokenCommand) -> Result<(), Box<dyn Error>> {
    match command {
        TokenCommand::Create { account, name, allow, read_access_tokens, expires, database } => {
            let rights = allow.unwrap_or_else(Rights::usual);
            let rights = if read_access_tokens { rights.with(Right::TokensRead) } else { rights };
            let new = services(&database).await?.create_token(&account, &name, rights, expires).await?;
            say(&json!({"username": new.username, "token": new.token}).to_string());
            Ok(())
        }
        TokenCommand::List { account, database } => {
            let services = services(&database).await?;
            let mut after = String::new();
            loop {
                let page = services.tokens(&account, &after).await?;
                for token in &page {
                    say(&line(token).to_string());
                }
                match page.last() {
                    Some(last) if page.len() as i64 == MAX_PAGE => last.username.clone_into(&mut after),
                    _ => return Ok(()),
                }
            }
        }
        TokenCommand::Rights { account, username, allow, database } => {
            let set = services(&database).await?.set_token_rights(&account, &username, &allow).await?;
            if set { Ok(()) } else { Err("there is no such token".into()) }
        }
        TokenCommand::Revoke { account, username, database } => {
            let revoked = services(&database).await?.revoke_token(&account, &username).await?;
            if revoked { Ok(()) } else { Err("there is no such token in force".into()) }
        }
    }
}

/// Moments are in RFC 3339; what has not happened is null.
fn line(token: &ApiToken) -> Value {
    let moment = |at: Option<Timestamp>| at.map(Timestamp::iso);
    json!({
        "username": token.username,
        "name": token.name,
        "rights": token.rights.names(),
        "createdAt": token.created_at.iso(),
        "expiresAt": moment(token.expires_at),
        "lastUsedAt": moment(token.used_at),
        "revokedAt": moment(token.revoked_at),
    })
}

fn date(text: &str) -> Result<Timestamp, String> {
    Timestamp::of_date(text).ok_or_else(|| "a date looks like 2027-01-31".into())
}
