//! Looking for tokens whose refresh is due: a page at a time, and provider by provider, so that one that takes its time
//! delays nobody else's.

use crate::{
    error::Result,
    services::Services,
    tokens::{memory::CALLS_AT_ONCE, source::TokenSource},
};
use futures::{StreamExt, stream::FuturesUnordered};
use ipack_storage::tokens::{self, DueToken};
use std::{collections::HashMap, sync::PoisonError};

/// Tokens looked up at once, and of those so many of one provider.
const DUE_BATCH: i64 = 5_000;
const OF_PROVIDER: usize = 256;

impl Services {
    /// Refreshes what is due. Every replica does this; it is done once.
    pub async fn refresh_due(&self) -> Result<usize> {
        let after = *self.refresh_tasks.position.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reader = self.database.reader().await?;
        let due = tokens::due(reader.connection(), self.clock.now(), after, DUE_BATCH).await?;
        drop(reader);
        // The next look goes on behind these, so that those of a provider that hangs hide nobody else's.
        let is_whole = i64::try_from(due.len()).is_ok_and(|count| count == DUE_BATCH);
        let last = due.last().filter(|_| is_whole).map(|token| (token.refresh_at, token.id));
        *self.refresh_tasks.position.lock().unwrap_or_else(PoisonError::into_inner) = last;
        let mut by_provider: HashMap<String, Vec<DueToken>> = HashMap::new();
        for token in due {
            let of_provider = by_provider.entry(provider_of(&token)).or_default();
            if of_provider.len() < OF_PROVIDER {
                of_provider.push(token);
            }
        }
        let providers: FuturesUnordered<_> = by_provider
            .into_iter()
            .map(|(provider, tokens)| async move { self.refresh_of_provider(&provider, tokens).await })
            .collect();
        Ok(providers.fold(0, |all, some| std::future::ready(all + some)).await)
    }

    /// Refreshes tokens of one provider, unless an earlier look at what is due has not ended with it: it takes its time,
    /// and is not asked for more.
    async fn refresh_of_provider(&self, provider: &str, tokens: Vec<DueToken>) -> usize {
        let Some(_busy) = self.refresh_tasks.begin_provider(provider) else { return 0 };
        let refreshed = futures::stream::iter(tokens)
            .map(|token| async move { self.refresh_if_due(&token).await })
            .buffer_unordered(CALLS_AT_ONCE);
        refreshed.filter(|refreshed| std::future::ready(*refreshed)).count().await
    }

    async fn refresh_if_due(&self, token: &DueToken) -> bool {
        // Who stops does not begin what it may not be able to end.
        if self.stopping.is_cancelled() {
            return false;
        }
        self.refresh(token).await.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "a token could not be refreshed");
            false
        })
    }
}

/// The token endpoint that a token came from: what calls are counted by.
pub(crate) fn provider_of(token: &DueToken) -> String {
    let source = TokenSource::read(&token.origin);
    source.map(|source| source.configuration.endpoints.token).unwrap_or_default()
}
