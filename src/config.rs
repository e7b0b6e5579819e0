//! Settings, from the command line's environment. The README's table lists them; a test holds the two together.
//!
//! A new setting is a field here with its variable, its default and a sentence in the table.

use clap::Args;
use ipnet::IpNet;
use std::{net::SocketAddr, str::FromStr};

#[derive(Debug, Clone, Args)]
pub struct Config {
    /// `sqlite://…` or `postgres://…`
    #[arg(long, env = "IPACK_DATABASE_URL", default_value = DEFAULT_DATABASE_URL, hide_env_values = true)]
    pub database_url: String,
    /// Address and port to listen on
    #[arg(long, env = "IPACK_LISTEN", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,
    /// How browsers reach the server; `http://` and the listen address where it is not set
    #[arg(long, env = "IPACK_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Email of the first admin, made on a database that has none
    #[arg(long, env = "IPACK_ADMIN_EMAIL", default_value = "admin@localhost")]
    pub admin_email: String,
    /// Password of the first admin; made and printed once where it is not set
    #[arg(long, env = "IPACK_ADMIN_PASSWORD", hide_env_values = true)]
    pub admin_password: Option<String>,
    /// Requests per second for each caller, with a burst of twice that; or `off`
    #[arg(long, env = "IPACK_RATE_LIMIT", default_value = "50")]
    pub rate_limit: RateLimit,
    /// The largest API request, in bytes
    #[arg(long, env = "IPACK_BODY_LIMIT", default_value_t = 1_048_576)]
    pub body_limit: usize,
    /// Seconds after which an unused session ends
    #[arg(long, env = "IPACK_SESSION_IDLE", default_value_t = 1_800)]
    pub session_idle_seconds: i64,
    /// Seconds after which a session ends in any case
    #[arg(long, env = "IPACK_SESSION_ABSOLUTE", default_value_t = 43_200)]
    pub session_absolute_seconds: i64,
    /// Networks (CIDR, comma separated) of proxies whose `X-Forwarded-For` is believed
    #[arg(long, env = "IPACK_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<IpNet>,
}

pub const DEFAULT_DATABASE_URL: &str = "sqlite://data/ipack-connect.db";

impl Config {
    pub fn public_url(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{}", self.listen))
    }

    pub fn is_https(&self) -> bool {
        self.public_url().starts_with("https://")
    }

    /// The largest form, in bytes. What the API takes must fit into a form too, where a character can take three.
    pub fn form_limit(&self) -> usize {
        self.body_limit.saturating_mul(4)
    }
}

impl Default for Config {
    /// The defaults of the command line, whatever the environment says.
    fn default() -> Self {
        Self {
            database_url: DEFAULT_DATABASE_URL.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            public_url: None,
            admin_email: "admin@localhost".into(),
            admin_password: None,
            rate_limit: RateLimit(Some(50)),
            body_limit: 1_048_576,
            session_idle_seconds: 1_800,
            session_absolute_seconds: 43_200,
            trusted_proxies: Vec::new(),
        }
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
