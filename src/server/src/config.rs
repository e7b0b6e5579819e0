//! Settings, from the command line's environment. The table in docs/operating.md lists them; a test holds the two together.
//!
//! A new setting is a field here with its variable, its default, a parser that says in a sentence what it expects, and
//! a row in the table.

use axum::http::Uri;
use clap::{Args, FromArgMatches, builder::Resettable};
use ipack_oauth::addresses::Policy;
use ipack_storage::open::POSTGRES_CONNECTIONS;
use ipnet::IpNet;
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
};

// Each value is called by its variable, so that a refusal names it.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// `sqlite://…` or `postgres://…`
    #[arg(
        long,
        env = "IPACK_DATABASE_URL",
        value_name = "IPACK_DATABASE_URL",
        default_value = DEFAULT_DATABASE_URL,
        hide_env_values = true
    )]
    pub database_url: DatabaseUrl,
    /// Connections to PostgreSQL that the server may have open
    #[arg(
        long,
        env = "IPACK_DATABASE_CONNECTIONS",
        value_name = "IPACK_DATABASE_CONNECTIONS",
        default_value_t = POSTGRES_CONNECTIONS,
        value_parser = clap::value_parser!(u32).range(4..=1_000)
    )]
    pub database_connections: u32,
    /// Address and port to listen on
    #[arg(
        long,
        env = "IPACK_LISTEN",
        value_name = "IPACK_LISTEN",
        default_value = "127.0.0.1:3000",
        value_parser = listen
    )]
    pub listen: SocketAddr,
    /// How browsers reach the server; `http://` and the listen address where it is not set
    #[arg(long, env = "IPACK_PUBLIC_URL", value_name = "IPACK_PUBLIC_URL", value_parser = public_url)]
    pub public_url: Option<String>,
    /// Email of the first admin, made on a database that has none; `IPACK_ADMIN_PASSWORD` may hold the password
    #[arg(
        long,
        env = "IPACK_ADMIN_EMAIL",
        value_name = "IPACK_ADMIN_EMAIL",
        default_value = "admin@localhost"
    )]
    pub admin_email: String,
    /// Requests per second for each caller, with a burst of twice that; or `off`
    #[arg(long, env = "IPACK_RATE_LIMIT", value_name = "IPACK_RATE_LIMIT", default_value = "50")]
    pub rate_limit: RateLimit,
    /// The largest API request, in bytes
    #[arg(
        long,
        env = "IPACK_BODY_LIMIT",
        value_name = "IPACK_BODY_LIMIT",
        default_value = "1048576",
        value_parser = body_limit
    )]
    pub body_limit: usize,
    /// Seconds after which an unused session ends
    #[arg(
        long,
        env = "IPACK_SESSION_IDLE",
        value_name = "IPACK_SESSION_IDLE",
        default_value = "1800",
        value_parser = seconds
    )]
    pub session_idle_seconds: i64,
    /// Seconds after which a session ends in any case
    #[arg(
        long,
        env = "IPACK_SESSION_ABSOLUTE",
        value_name = "IPACK_SESSION_ABSOLUTE",
        default_value = "43200",
        value_parser = seconds
    )]
    pub session_absolute_seconds: i64,
    /// Networks (CIDR, comma separated) of proxies whose `X-Forwarded-For` is believed
    // One value, which its parser takes apart: written out, clap does not take the `Vec` for several values.
    #[arg(
        long,
        env = "IPACK_TRUSTED_PROXIES",
        value_name = "IPACK_TRUSTED_PROXIES",
        default_value = "none",
        value_parser = networks
    )]
    pub trusted_proxies: ::std::vec::Vec<IpNet>,
    /// File with the master keys that secrets are sealed with; `IPACK_MASTER_KEY` may hold its text instead
    #[arg(
        long,
        env = "IPACK_MASTER_KEY_FILE",
        value_name = "IPACK_MASTER_KEY_FILE",
        default_value = DEFAULT_MASTER_KEY_FILE
    )]
    pub master_key_file: PathBuf,
    /// Networks (CIDR, comma separated) that calls to identity providers may reach beside public addresses, http included
    #[arg(
        long,
        env = "IPACK_OUTBOUND_ALLOW",
        value_name = "IPACK_OUTBOUND_ALLOW",
        default_value = "none",
        value_parser = networks
    )]
    pub outbound_allow: ::std::vec::Vec<IpNet>,
    /// Ports (comma separated) of public addresses that calls to identity providers may reach
    #[arg(
        long,
        env = "IPACK_OUTBOUND_PORTS",
        value_name = "IPACK_OUTBOUND_PORTS",
        default_value = "443,8443,9443",
        value_parser = ports
    )]
    pub outbound_ports: ::std::vec::Vec<u16>,
    /// Whether connections may use the resource owner password grant, which RFC 9700 advises against
    #[arg(
        long,
        env = "IPACK_ALLOW_PASSWORD_GRANT",
        value_name = "IPACK_ALLOW_PASSWORD_GRANT",
        default_value = "false",
        action = clap::ArgAction::Set
    )]
    pub allow_password_grant: bool,
}

pub const DEFAULT_DATABASE_URL: &str = "sqlite://data/ipack-connect.db";
pub const DEFAULT_MASTER_KEY_FILE: &str = "data/master.key";
/// The master keys' text. Not on the command line, which everybody on the machine can read.
pub const MASTER_KEY: &str = "IPACK_MASTER_KEY";
/// The first admin's password. Not on the command line, which everybody on the machine can read.
pub const ADMIN_PASSWORD: &str = "IPACK_ADMIN_PASSWORD";

const LEAST_BODY: usize = 1_024;
const YEAR_SECONDS: i64 = 365 * 24 * 3_600;

impl Config {
    /// How browsers reach the server that listens on this address.
    pub fn public_url(&self, bound: SocketAddr) -> String {
        self.set_public_url().map_or_else(|| format!("http://{bound}"), str::to_owned)
    }

    /// Which destinations calls to identity providers may reach.
    pub fn outbound_policy(&self) -> Policy {
        Policy { allow: self.outbound_allow.clone(), ports: self.outbound_ports.clone() }
    }

    pub fn is_https(&self) -> bool {
        self.set_public_url().is_some_and(|url| url.starts_with("https://"))
    }

    /// Empty is not set.
    fn set_public_url(&self) -> Option<&str> {
        self.public_url.as_deref().filter(|url| !url.is_empty())
    }

    /// The largest form, in bytes. What the API takes must fit into a form too, where a character can take three; and
    /// once more for what the page started from, where a quotation mark takes six.
    pub fn form_limit(&self) -> usize {
        self.body_limit.saturating_mul(12)
    }
}

impl Default for Config {
    /// The defaults of the command line, whatever the environment says.
    fn default() -> Self {
        let command = Self::augment_args(clap::Command::new("serve").no_binary_name(true))
            .mut_args(|arg| arg.env(Resettable::Reset));
        let matches = command.try_get_matches_from([""; 0]).expect("the defaults are valid");
        Self::from_arg_matches(&matches).expect("every setting has a default")
    }
}

/// There may be a password in it, so it does not show itself.
#[derive(Clone)]
pub struct DatabaseUrl(pub String);

impl FromStr for DatabaseUrl {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Requests per second, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit(pub Option<u32>);

impl FromStr for RateLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" {
            return Ok(Self(None));
        }
        let rate = text.parse().ok().filter(|rate| *rate > 0);
        rate.map(|rate| Self(Some(rate)))
            .ok_or_else(|| "expected a whole number of at least 1, or `off`".into())
    }
}

fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "expected an IP address and a port, like 127.0.0.1:3000".into())
}

/// Without a path: cookies and forms belong to the whole host.
fn public_url(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let refused = || "expected http://host or https://host, with a port or without, and no path".to_owned();
    let origin = text.strip_suffix('/').unwrap_or(text);
    let (scheme, host) = origin.split_once("://").ok_or_else(refused)?;
    let uri: Uri = origin.parse().map_err(|_| refused())?;
    // What is all host has no user, path, query or fragment.
    let is_host = uri.authority().is_some_and(|authority| authority == host) && !host.contains('@');
    let has_name = uri.host().is_some_and(|name| !name.is_empty());
    let fine = matches!(scheme, "http" | "https") && is_host && has_name;
    if fine { Ok(origin.to_owned()) } else { Err(refused()) }
}

fn body_limit(text: &str) -> Result<usize, String> {
    let limit = text.parse().ok().filter(|limit| *limit >= LEAST_BODY);
    limit.ok_or_else(|| format!("expected a whole number of bytes, at least {LEAST_BODY}"))
}

fn seconds(text: &str) -> Result<i64, String> {
    let seconds = text.parse().ok().filter(|seconds| (1..=YEAR_SECONDS).contains(seconds));
    seconds.ok_or_else(|| format!("expected whole seconds, from 1 to {YEAR_SECONDS} (a year)"))
}

fn ports(text: &str) -> Result<Vec<u16>, String> {
    let port = |part: &str| part.trim().parse().ok().filter(|port| *port > 0);
    let ports: Option<Vec<u16>> = text.split(',').map(port).collect();
    ports.ok_or_else(|| "expected ports from 1 to 65535, separated by commas".into())
}

/// Networks, and single addresses as the smallest of them.
fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    if matches!(text.trim(), "" | "none") {
        return Ok(Vec::new());
    }
    let network = |part: &str| {
        let single = || part.parse::<IpAddr>().map(IpNet::from);
        part.parse().or_else(|_| single()).map_err(|_| {
            format!("{part:?} is no network like 10.0.0.0/8 and no address; separate several by commas")
        })
    };
    text.split(',').map(|part| network(part.trim())).collect()
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
