//! What every use case needs.

use crate::{
    accounts::{
        jwt::SigningKey,
        passwords::{Cost, Passwords},
    },
    secrets::sealing::DataKeyCache,
    tokens::memory::{OpenedTokens, RefreshTasks, TokenUses},
};
use ipack_domain::effects::Clock;
use ipack_oauth::{configuration::Allowed, outbound::Outbound};
use ipack_storage::Database;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// For how long an answer about the database is given again.
const READINESS_LASTS: Duration = Duration::from_secs(1);

/// How long the database may take to write, with others in front.
const READINESS_PATIENCE: Duration = Duration::from_secs(5);

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
    pub uses: Arc<TokenUses>,
    pub refresh_tasks: Arc<RefreshTasks>,
    /// What was last found out about the database, and when.
    readiness: Arc<Mutex<Option<(Instant, bool)>>>,
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
            readiness: Arc::default(),
        }
    }

    /// Whether the database can be read and written, and is migrated; found out once a second at most.
    pub async fn is_ready(&self) -> bool {
        let (database, last) = (self.database.clone(), self.readiness.clone());
        // In a task of its own, because whoever asked may hang up in the middle.
        let asking = tokio::spawn(async move {
            let mut last = last.lock().await;
            if let Some((asked_at, answer)) = *last
                && asked_at.elapsed() < READINESS_LASTS
            {
                return answer;
            }
            let answer = match tokio::time::timeout(READINESS_PATIENCE, database.is_ready()).await {
                Ok(Ok(is_migrated)) => is_migrated,
                Ok(Err(error)) => {
                    tracing::warn!(error = %error, "the database is not ready");
                    false
                }
                Err(_) => {
                    tracing::warn!("the database did not write in time");
                    false
                }
            };
            *last = Some((Instant::now(), answer));
            answer
        });
        asking.await.unwrap_or(false)
    }
}
