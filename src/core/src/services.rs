//! What every use case needs.

use crate::{
    access,
    accounts::{
        jwt::SigningKey,
        passwords::{Cost, Passwords},
    },
    health::Probe,
    secrets::sealing::DataKeyCache,
    tokens::memory::{ApiUses, OpenedTokens, RefreshTasks},
    write_turns::WriteTurns,
};
use ipack_domain::effects::Clock;
use ipack_oauth::{configuration::Allowed, outbound::Outbound};
use ipack_storage::Database;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Everything a use case needs, cheap to clone.
#[derive(Debug, Clone)]
pub struct Services {
    pub database: Database,
    pub clock: Clock,
    pub passwords: Passwords,
    pub signing_key: Arc<SigningKey>,
    pub data_keys: Arc<DataKeyCache>,
    pub oauth: Arc<OAuth>,
    pub opened: Arc<OpenedTokens>,
    pub uses: Arc<ApiUses>,
    pub refresh_tasks: Arc<RefreshTasks>,
    /// Held by whoever performs queued revocations.
    pub(crate) revoking: Arc<Mutex<()>>,
    pub(crate) write_turns: WriteTurns,
    pub(crate) reading: Probe,
    pub(crate) writing: Probe,
    /// How the audit log calls whoever makes Spaces, admins and API tokens here.
    pub(crate) operator: &'static str,
    /// Work that goes on when its request has been answered.
    pub background: TaskTracker,
    /// The server is about to stop: nothing new is begun in the background.
    pub stopping: CancellationToken,
}

/// How this program is an OAuth client.
#[derive(Debug, Clone)]
pub struct OAuth {
    pub outbound: Outbound,
    pub allowed: Allowed,
    /// How browsers reach this server; redirect URIs begin with it.
    pub public_url: String,
}

impl Services {
    pub(crate) fn assembled(
        database: Database,
        clock: Clock,
        data_keys: DataKeyCache,
        oauth: OAuth,
        signing_key: &[u8],
        password_cost: Cost,
    ) -> Self {
        Self {
            database,
            clock,
            passwords: Passwords::new(password_cost),
            signing_key: Arc::new(SigningKey::new(signing_key)),
            data_keys: Arc::new(data_keys),
            oauth: Arc::new(oauth),
            opened: Arc::default(),
            uses: Arc::default(),
            background: TaskTracker::new(),
            stopping: CancellationToken::new(),
            refresh_tasks: Arc::default(),
            revoking: Arc::default(),
            write_turns: WriteTurns::default(),
            reading: Probe::default(),
            writing: Probe::default(),
            operator: access::PROGRAM,
        }
    }
}
