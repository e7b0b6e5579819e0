//! What a server keeps in memory of tokens: those that it opened, reads that are not written down yet, and refreshes
//! that are under way.

use ipack_domain::ids::ConnectionKey;
use secrecy::SecretString;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};
use uuid::Uuid;

/// Opened tokens kept in memory.
const MAX_OPENED: usize = 20_000;

/// What a runtime gets of a token.
#[derive(Clone)]
pub(crate) struct OpenedToken {
    pub access_token: SecretString,
    /// What came beside it, as JSON.
    pub extra: Option<SecretString>,
}

/// Access tokens that were opened, by id and version.
#[derive(Default)]
pub struct OpenedTokens(Mutex<HashMap<Uuid, (i64, OpenedToken)>>);

impl std::fmt::Debug for OpenedTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OpenedTokens")
    }
}

impl OpenedTokens {
    pub(crate) fn get(&self, id: Uuid, version: i64) -> Option<OpenedToken> {
        let opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        opened.get(&id).filter(|(known, _)| *known == version).map(|(_, token)| token.clone())
    }

    pub(crate) fn put(&self, id: Uuid, version: i64, token: OpenedToken) {
        let mut opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.len() >= MAX_OPENED {
            // Rare, and cheaper than to know which of them is the oldest: they are opened again.
            opened.clear();
        }
        opened.insert(id, (version, token));
    }

    pub(crate) fn forget(&self, id: Option<Uuid>) {
        if let Some(id) = id {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Use {
    pub account: String,
    pub key: ConnectionKey,
    pub actor: String,
}

/// Reads that are not written down yet.
#[derive(Debug, Default)]
pub struct TokenUses(Mutex<HashMap<Use, u32>>);

impl TokenUses {
    pub(crate) fn count(&self, one: Use) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *uses.entry(one).or_default() += 1;
    }

    pub(crate) fn take(&self) -> HashMap<Use, u32> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn give_back(&self, uses: HashMap<Use, u32>) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (one, times) in uses {
            *now.entry(one).or_default() += times;
        }
    }
}

/// What this process is refreshing.
#[derive(Debug, Default)]
pub struct RefreshTasks {
    under_way: Mutex<HashSet<Uuid>>,
    /// Who asks for a token that is being refreshed waits here, and only the first of them looks into the database.
    turns: Mutex<HashMap<Uuid, Arc<tokio::sync::Mutex<()>>>>,
}

/// Says that a refresh is under way until it is dropped.
pub(crate) struct UnderWay<'a>(&'a RefreshTasks, Uuid);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

impl RefreshTasks {
    pub(crate) fn begin(&self, id: Uuid) -> Option<UnderWay<'_>> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        // Made only where it is ours: one that is dropped here would wait for the lock for ever.
        under_way.insert(id).then(|| UnderWay(self, id))
    }

    pub(crate) fn turn(&self, id: Uuid) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that nobody waits for any more.
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        turns.entry(id).or_default().clone()
    }
}
