//! What a server keeps in memory of tokens: those that it opened, uses of the API that are not written down yet, and refreshes
//! that are under way.

use ipack_domain::{ids::ConnectionKey, time::Timestamp};
use ipack_storage::audit_log::Kind;
use secrecy::{ExposeSecret, SecretString};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

/// Bytes of opened tokens that are kept in memory, some of which are as long as a provider's answer may be, and what each
/// takes beside its text.
const MAX_OPENED: usize = 16 * 1_024 * 1_024;
const OVERHEAD: usize = 128;

/// What a runtime gets of a token.
#[derive(Clone)]
pub(crate) struct OpenedToken {
    pub access_token: SecretString,
    /// What came beside it, as JSON.
    pub extra: Option<SecretString>,
}

/// Access tokens that were opened, by id and version.
#[derive(Default)]
pub struct OpenedTokens(Mutex<Opened>);

#[derive(Default)]
struct Opened {
    tokens: HashMap<Uuid, (i64, OpenedToken)>,
    bytes: usize,
}

impl std::fmt::Debug for OpenedTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OpenedTokens")
    }
}

fn bytes(token: &OpenedToken) -> usize {
    let extra = token.extra.as_ref().map_or(0, |extra| extra.expose_secret().len());
    token.access_token.expose_secret().len() + extra + OVERHEAD
}

impl Opened {
    fn remove(&mut self, id: Uuid) {
        if let Some((_, token)) = self.tokens.remove(&id) {
            self.bytes -= bytes(&token);
        }
    }
}

impl OpenedTokens {
    pub(crate) fn get(&self, id: Uuid, version: i64) -> Option<OpenedToken> {
        let opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        opened.tokens.get(&id).filter(|(known, _)| *known == version).map(|(_, token)| token.clone())
    }

    pub(crate) fn put(&self, id: Uuid, version: i64, token: OpenedToken) {
        let mut opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        opened.remove(id);
        if opened.bytes + bytes(&token) > MAX_OPENED {
            // Rare, and cheaper than to know which of them is the oldest: they are opened again.
            *opened = Opened::default();
        }
        opened.bytes += bytes(&token);
        opened.tokens.insert(id, (version, token));
    }

    pub(crate) fn forget(&self, id: Option<Uuid>) {
        if let Some(id) = id {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        }
    }
}

/// Uses of the API of different kinds, by different clients or of different connections, that wait to be written down.
const MAX_USES: usize = 20_000;

/// Something that clients of the API, or strangers, do often: it is counted, and written down now and then as one entry
/// an hour.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Use {
    pub kind: Kind,
    pub account: Option<String>,
    pub key: Option<ConnectionKey>,
    pub actor: String,
    /// The API token's.
    pub token: Option<Uuid>,
    pub detail: Option<String>,
}

/// Uses that are not written down yet.
#[derive(Debug, Default)]
pub struct ApiUses(Mutex<HashMap<Use, u32>>);

impl ApiUses {
    /// There is no room for others until these are written down.
    pub(crate) fn is_full(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len() >= MAX_USES
    }

    /// Counts a use, unless it is another one and there is no room for it.
    pub(crate) fn count(&self, one: Use) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(times) = uses.get_mut(&one) {
            *times = times.saturating_add(1);
        } else if uses.len() < MAX_USES {
            uses.insert(one, 1);
        }
    }

    pub(crate) fn take(&self) -> HashMap<Use, u32> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn give_back(&self, uses: HashMap<Use, u32>) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (one, times) in uses {
            let all = now.entry(one).or_default();
            *all = all.saturating_add(times);
        }
    }
}

/// Calls for new tokens to one provider at the same time, of this process.
pub(crate) const CALLS_AT_ONCE: usize = 8;

/// What this process is refreshing.
#[derive(Debug, Default)]
pub struct RefreshTasks {
    under_way: Mutex<HashSet<Uuid>>,
    /// Who asks for a token that is being refreshed waits here, and only the first of them looks into the database.
    turns: Mutex<HashMap<Uuid, Arc<tokio::sync::Mutex<()>>>>,
    /// By token endpoint, while somebody uses or awaits one.
    calls: Mutex<HashMap<String, Arc<Semaphore>>>,
    /// Providers whose tokens that were due are being refreshed.
    busy: Mutex<HashSet<String>>,
    /// Where the next look for tokens that are due begins.
    pub(crate) position: Mutex<Option<(Timestamp, Uuid)>>,
}

/// Says that a provider's tokens are being refreshed until it is dropped.
pub(crate) struct Busy<'a>(&'a RefreshTasks, String);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

/// Says that a refresh is under way until it is dropped.
pub(crate) struct UnderWay(Arc<RefreshTasks>, Uuid);

impl UnderWay {
    pub(crate) fn token(&self) -> Uuid {
        self.1
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

impl RefreshTasks {
    pub(crate) fn begin(self: &Arc<Self>, id: Uuid) -> Option<UnderWay> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        // Made only where it is ours: one that is dropped here would wait for the lock for ever.
        under_way.insert(id).then(|| UnderWay(self.clone(), id))
    }

    pub(crate) fn turn(&self, id: Uuid) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that nobody waits for any more.
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        turns.entry(id).or_default().clone()
    }

    /// Leave to call a provider, for which callers wait their turn.
    pub(crate) async fn call(&self, endpoint: &str) -> OwnedSemaphorePermit {
        let semaphore = {
            let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
            // A permit, and whoever waits for one, holds its semaphore.
            calls.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
            let new = || Arc::new(Semaphore::new(CALLS_AT_ONCE));
            calls.entry(endpoint.to_owned()).or_insert_with(new).clone()
        };
        semaphore.acquire_owned().await.expect("the semaphore is never closed")
    }

    /// `None` where an earlier look at what is due has not ended with this provider.
    pub(crate) fn begin_provider(&self, endpoint: &str) -> Option<Busy<'_>> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.insert(endpoint.to_owned()).then(|| Busy(self, endpoint.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opened_tokens_take_so_many_bytes_and_no_more() {
        let opened = OpenedTokens::default();
        let long = "x".repeat(250_000);
        for number in 0..500 {
            let token = OpenedToken { access_token: long.clone().into(), extra: Some("{}".into()) };
            opened.put(Uuid::from_u128(number % 400), 1, token);
            let kept = opened.0.lock().expect("nobody panics");
            let sum: usize = kept.tokens.values().map(|(_, token)| bytes(token)).sum();
            assert_eq!(kept.bytes, sum);
            assert!(kept.bytes <= MAX_OPENED, "{}", kept.bytes);
        }
        assert!(opened.get(Uuid::from_u128(99), 1).is_some(), "the last one is there");
        opened.forget(Some(Uuid::from_u128(99)));
        assert!(opened.get(Uuid::from_u128(99), 1).is_none());
    }

    #[test]
    fn uses_are_counted_up_to_so_many_different_ones() {
        let uses = ApiUses::default();
        let one = |number: usize| Use {
            kind: Kind::TokenRead,
            account: None,
            key: None,
            actor: number.to_string(),
            token: None,
            detail: None,
        };
        for number in 0..=MAX_USES {
            uses.count(one(number));
        }
        assert!(uses.is_full());
        uses.count(one(7));
        let taken = uses.take();
        assert_eq!((taken.len(), taken[&one(7)]), (MAX_USES, 2));
        assert!(!uses.is_full());
    }

    #[tokio::test]
    async fn a_provider_is_called_so_often_at_once_and_another_beside_it() {
        let tasks = RefreshTasks::default();
        let mut calls = Vec::new();
        for _ in 0..CALLS_AT_ONCE {
            calls.push(tasks.call("https://hangs.example").await);
        }
        let moment = std::time::Duration::from_millis(20);
        tokio::time::timeout(moment, tasks.call("https://hangs.example")).await.expect_err("it waits");
        drop(tasks.call("https://other.example").await);
        calls.pop();
        drop(tasks.call("https://hangs.example").await);
        drop(calls);
        drop(tasks.call("https://third.example").await);
        assert_eq!(tasks.calls.lock().expect("nobody panics").len(), 1, "those that nobody uses are gone");
    }
}
