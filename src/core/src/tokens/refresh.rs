//! Keeping tokens fresh: when a token is refreshed, by whom, and what happens when that fails.
//!
//! Every replica looks for tokens that are due (`due`). Whoever gets the lease, given by one `UPDATE` and running out by
//! itself, asks the provider; everybody else waits for what comes of it. So there is one call, however many ask. How
//! failures are told apart is said in `ipack_oauth::failure`.

use crate::{
    access,
    error::{Result, ServiceError},
    persist::{LONGEST_OUTAGE, persist_with_backoff},
    secrets::{
        credentials::Who,
        sealing::{self, seal},
    },
    services::Services,
    tokens::{
        due::provider_of,
        expiry::expiry,
        memory::UnderWay,
        source::{Failure, OpenedSecrets, TokenSource, written},
    },
};
use ipack_domain::{
    effects::{new_id, random_bytes},
    ids::ConnectionKey,
    time::Timestamp,
};
use ipack_oauth::{
    causes::FailedRequest,
    configuration::Configuration,
    failure::FailureKind,
    token::{self, Request, Secrets},
    token_answer::Granted,
};
use ipack_storage::{
    Connection, Writer, accounts,
    audit_log::{self, Event, Kind},
    tokens::{self, DueToken, Failed, Refreshed, Token},
};
use secrecy::{ExposeSecret, SecretString};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long a refresh token is its holder's alone: it is sent once, and not again while the answer may still be written.
const LEASE_SECONDS: i64 = 600;
/// From the beginning of a lease until the provider's next token has its turn, where the database does not take what came.
const HOLDING: Duration = Duration::from_secs(60);
/// How long a lease is asked for again, where the answer to its COMMIT was lost; whoever wants the token waits for it.
const LEASING: Duration = Duration::from_secs(5);
/// How long to wait for the turn to call a provider that is called already as often as may be.
const TURN: Duration = Duration::from_secs(20);
const FIRST_RETRY_SECONDS: i64 = 15;
const LAST_RETRY_SECONDS: i64 = 1_800;
/// What somebody has to put right is tried again so often: it may be put right at the provider.
const MISCONFIGURED_RETRY_SECONDS: i64 = 3_600;
/// No provider puts off a refresh for longer.
const LONGEST_RETRY_SECONDS: i64 = 5 * 3_600;
/// Who waits for another's refresh looks so often, and for longer than a call takes; not for a holder that is gone.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const LOOKS: u32 = 300;

/// From one failure to the next try: doubling, with up to a fifth more so that many do not come back together.
fn back_off(failures: u32) -> i64 {
    let doubled = FIRST_RETRY_SECONDS.saturating_mul(1 << failures.min(16)).min(LAST_RETRY_SECONDS);
    let [chance] = random_bytes::<1>();
    doubled + doubled * i64::from(chance) / (5 * 256)
}

/// When a refresh that failed is tried again; never where the grant is dead.
fn next_try(failure: &Failure, failures: u32, now: Timestamp) -> Option<Timestamp> {
    let wait = match failure.kind() {
        FailureKind::Refused => return None,
        FailureKind::Misconfigured(_) => MISCONFIGURED_RETRY_SECONDS,
        FailureKind::Passing => match failure.retry_after() {
            Some(seconds) => seconds.min(LONGEST_RETRY_SECONDS),
            None => back_off(failures),
        },
    };
    Some(now.plus_seconds(wait))
}

impl Services {
    /// The token as it is after a refresh: one's own, or that of whoever is at it already. `None` where it is gone.
    ///
    /// # Errors
    /// `Refreshing` where that takes too long; a refresh that failed is in the row.
    pub(crate) async fn refresh_or_wait(&self, token: Token) -> Result<Option<Token>> {
        let turn = self.refresh_tasks.turn(token.id);
        let _turn = turn.lock().await;
        let key = token.key.clone();
        // As the lease ends with the row changed, whoever waits sees another version or another failure.
        let before = (token.id, token.version, token.failures);
        for _ in 0..LOOKS {
            let mut reader = self.database.reader().await?;
            let Some(latest) = tokens::find(reader.connection(), &key).await? else { return Ok(None) };
            drop(reader);
            if (latest.id, latest.version, latest.failures) != before || latest.is_broken {
                return Ok(Some(latest));
            }
            if !latest.is_leased(self.clock.now()) {
                // In the background, so that a client that hangs up does not lose the answer of the provider.
                let services = self.clone();
                let due = due_token(latest, self.clock.now());
                let refreshing = self.background.spawn(async move { services.refresh(&due).await });
                // Its holder may wait for the database for longer than anybody waits for the token.
                let refreshed = tokio::time::timeout(LOOK_AGAIN * LOOKS, refreshing).await;
                let refreshed = refreshed.map_err(|_| ServiceError::Refreshing)?;
                refreshed.map_err(|_| ServiceError::Internal("a refresh panicked"))??;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Err(ServiceError::Refreshing)
    }

    /// Refreshes a token if the lease is to be had; whether it was refreshed.
    pub(crate) async fn refresh(&self, token: &DueToken) -> Result<bool> {
        let Some(under_way) = self.refresh_tasks.begin(token.id) else { return Ok(false) };
        // Before the lease, which is for the call and what comes of it.
        let turn = tokio::time::timeout(TURN, self.refresh_tasks.call(&provider_of(token))).await;
        let Ok(call) = turn else { return Err(ServiceError::Refreshing) };
        let owner = new_id(self.clock.now());
        let begun = Instant::now();
        let lease = || self.database.write(|db| self.leased(db, token, owner));
        let leased = match persist_with_backoff(begun + LEASING, lease).await {
            Err(ServiceError::Refreshing) => return Ok(false),
            leased => leased?,
        };
        let outcome = self.ask_again(&leased.token).await;
        drop(call);
        let settle = || self.settle_refresh(&leased, owner, &outcome);
        let settled = persist_with_backoff(begun + HOLDING, settle).await;
        if matches!(&settled, Err(ServiceError::Storage(error)) if error.is_unavailable()) {
            // The provider's other tokens do not wait for the end of an outage, nor does this one's next refresh.
            let services = self.clone();
            self.background.spawn(async move {
                let settle = || services.settle_refresh(&leased, owner, &outcome);
                let settled = persist_with_backoff(begun + LONGEST_OUTAGE, settle).await;
                services.refresh_is_settled(under_way, &settled);
                if let Err(error) = settled {
                    tracing::error!(error = %error, "what a refresh brought is lost");
                }
            });
            return Err(ServiceError::Refreshing);
        }
        self.refresh_is_settled(under_way, &settled);
        Ok(settled? == Settled::Ours && outcome.is_ok())
    }

    fn refresh_is_settled(&self, under_way: UnderWay, settled: &Result<Settled>) {
        self.opened.forget(Some(under_way.token()));
        if matches!(settled, Ok(Settled::Nobodys)) {
            self.revoke_soon();
        }
    }

    /// The row as it is under the lease.
    ///
    /// # Errors
    /// `Refreshing`, and no lease, where somebody else has it or has tried since.
    async fn leased(&self, mut db: Writer, token: &DueToken, owner: Uuid) -> Result<Leased> {
        let now = self.clock.now();
        let until = now.plus_seconds(LEASE_SECONDS);
        let before = tokens::find(db.lend(), &token.key).await?;
        if !tokens::lease(db.lend(), token.id, token.version, owner, until, now).await? {
            return Err(ServiceError::Refreshing);
        }
        // Read under the lease: a rotation of keys may have sealed it anew. Somebody may also have failed since the row
        // was read: then it is tried again when its time has come, not at once.
        let latest = tokens::find(db.lend(), &token.key).await?;
        let latest = latest.filter(|latest| latest.failures == token.failures);
        let holder = before.and_then(|before| before.lease_owner);
        Ok(Leased {
            until,
            token: latest.ok_or(ServiceError::Refreshing)?,
            was_abandoned: holder.is_some_and(|holder| holder != owner),
        })
    }

    async fn account_of(&self, key: &ConnectionKey) -> Result<String> {
        let mut reader = self.database.reader().await?;
        let space = accounts::find_space(reader.connection(), &key.space).await?;
        Ok(space.ok_or(ServiceError::SpaceNotFound)?.account_id)
    }

    /// One call to the provider that the token came from.
    async fn ask_again(&self, token: &Token) -> std::result::Result<RefreshAnswer, Failure> {
        let TokenSource { configuration, secret_id } = TokenSource::of(token)?;
        let opened = match self.open_for_refresh(token, secret_id, &configuration).await {
            // Sealed anew by a rotation at this very moment: read once more, it opens.
            Err(ServiceError::Unopenable) => {
                let mut reader = self.database.reader().await.map_err(ServiceError::from)?;
                let latest = tokens::find(reader.connection(), &token.key).await;
                drop(reader);
                let latest = latest.map_err(ServiceError::from)?.ok_or(ServiceError::NotFound)?;
                self.open_for_refresh(&latest, secret_id, &configuration).await
            }
            opened => opened,
        };
        let (secrets, old) = opened?;
        let client = Secrets { client: secrets.client.as_ref() };
        let now = self.clock.now();
        if let Some(token) = &old {
            let request = Request::Refresh { token };
            let answer = token::request(&self.oauth.outbound, &configuration, &request, client, now).await;
            match answer {
                // Nobody is needed: the grant is asked for again.
                Err(error)
                    if !configuration.grant.needs_browser() && error.kind() == FailureKind::Refused => {}
                answer => return Ok(RefreshAnswer { granted: answer?, configuration, secrets, old }),
            }
        }
        let request = self.direct_request(configuration.grant, &secrets)?;
        let granted = token::request(&self.oauth.outbound, &configuration, &request, client, now).await?;
        Ok(RefreshAnswer { configuration, secrets, granted, old: None })
    }

    async fn open_for_refresh(
        &self,
        token: &Token,
        secret_id: Option<Uuid>,
        configuration: &Configuration,
    ) -> Result<(OpenedSecrets, Option<SecretString>)> {
        let key = token.key.clone();
        let mut reader = self.database.reader().await?;
        let secrets = self.opened_secrets(reader.connection(), &key, secret_id, configuration).await?;
        let Some(sealed) = &token.refresh_token else { return Ok((secrets, None)) };
        let place = sealing::refresh_token(&token.id);
        let version = token.data_key_version;
        let old = self.data_keys.open(reader.connection(), &key.space, version, place, sealed).await?;
        Ok((secrets, Some(old)))
    }

    /// Writes down what came of a refresh and gives the lease back.
    async fn settle_refresh(
        &self,
        leased: &Leased,
        owner: Uuid,
        outcome: &std::result::Result<RefreshAnswer, Failure>,
    ) -> Result<Settled> {
        let account = self.account_of(&leased.token.key).await?;
        self.database.write(|db| self.settle_once(db, &account, leased, owner, outcome)).await
    }

    async fn settle_once(
        &self,
        mut db: Writer,
        account: &str,
        leased: &Leased,
        owner: Uuid,
        outcome: &std::result::Result<RefreshAnswer, Failure>,
    ) -> Result<Settled> {
        let now = self.clock.now();
        let token = &leased.token;
        let key = &token.key;
        let (is_ours, kind, detail) = match outcome {
            Ok(refresh) => {
                let is_ours = self.keep_refresh(db.lend(), token, owner, refresh, now).await?;
                (is_ours, Kind::TokenRefreshed, refresh.granted.summary())
            }
            Err(failure) => {
                let again_at = next_try(failure, token.failures, now);
                let is_broken = again_at.is_none();
                let lost = |text: String| match is_broken && leased.was_abandoned {
                    true => format!("{LOST_ANSWER}: {text}"),
                    false => text,
                };
                let sentence = lost(failure.sentence());
                let source = TokenSource::of(token)?;
                let request = FailedRequest { configuration: &source.configuration, redirect_uri: None };
                let advice = written(&failure.causes(request))?;
                let why = Failed { failure: &sentence, advice: &advice, is_broken, again_at };
                let is_ours = tokens::failed(db.lend(), token.id, owner, why).await?;
                (is_ours, Kind::TokenFailed, lost(failure.said()))
            }
        };
        if is_ours {
            let event =
                Event { account, key, kind, actor: access::PROGRAM, changed: &[], detail: Some(&detail) };
            audit_log::add(db.lend(), new_id(now), event, now).await?;
            return Ok(Settled::Ours);
        }
        let latest = tokens::find(db.lend(), key).await?.filter(|latest| latest.id == token.id);
        if let Some(latest) = &latest
            && (latest.version, latest.failures) != (token.version, token.failures)
        {
            // Under the lease nobody else changes the row: a COMMIT that was not answered did write it. After it the next
            // holder may have.
            let is_written = match outcome {
                Ok(refresh) if now >= leased.until => self.has_written(db.lend(), latest, refresh).await?,
                _ => true,
            };
            if is_written {
                return Ok(Settled::Ours);
            }
        }
        // Reset, replaced or uninstalled meanwhile, or the lease ran out and somebody else took it: what came is nobody's.
        if let Ok(RefreshAnswer { configuration, secrets, granted, .. }) = outcome {
            let who = Who { account, label: access::PROGRAM };
            let mut granted = granted.clone();
            if latest.is_some_and(|latest| !latest.is_broken) {
                // The next holder may have got the same refresh token: some providers give it out again.
                granted.refresh_token = None;
            }
            self.queue_granted(db.lend(), owner, who, key, configuration, secrets, &granted).await?;
        }
        Ok(Settled::Nobodys)
    }

    /// Whether a row has the token that came.
    async fn has_written(&self, db: Connection<'_>, row: &Token, refresh: &RefreshAnswer) -> Result<bool> {
        let (space, version) = (&row.key.space, row.data_key_version);
        let place = sealing::access_token(&row.id);
        let kept = self.data_keys.open(db, space, version, place, &row.access_token).await?;
        Ok(kept.expose_secret() == refresh.granted.access_token.expose_secret())
    }

    async fn keep_refresh(
        &self,
        mut db: Connection<'_>,
        token: &Token,
        owner: Uuid,
        refresh: &RefreshAnswer,
        now: Timestamp,
    ) -> Result<bool> {
        let RefreshAnswer { configuration, granted, old, .. } = refresh;
        let data_key = self.data_keys.current_key(db.lend(), &token.key.space, now).await?;
        // S12: a new refresh token is stored in the transaction that uses the old one up; an answer without one keeps the
        // old.
        let refresh_token = granted.refresh_token.as_ref().or(old.as_ref());
        let access = seal(&data_key, sealing::access_token(&token.id), &granted.access_token);
        let refresh = refresh_token.map(|text| seal(&data_key, sealing::refresh_token(&token.id), text));
        let expiry = expiry(configuration, granted, refresh.is_some());
        let extra = granted.extra.as_ref().map(|text| seal(&data_key, sealing::extra(&token.id), text));
        let new = Refreshed {
            access_token: &access,
            refresh_token: refresh.as_deref(),
            extra: extra.as_deref(),
            data_key_version: data_key.version(),
            token_type: &granted.token_type,
            granted_scope: granted.scope.as_deref(),
            expires_at: expiry.expires_at,
            refresh_at: expiry.refresh_at,
        };
        Ok(tokens::refreshed(db.lend(), token.id, owner, new, now).await?)
    }
}

/// Of a refusal after a lease that ran out with its holder.
const LOST_ANSWER: &str = "a server stopped before it could keep what the provider had answered, and the provider does \
     not take the same refresh token twice";

/// A token that is this refresh's alone.
struct Leased {
    token: Token,
    until: Timestamp,
    /// Its last holder never gave the lease back: an answer may be lost.
    was_abandoned: bool,
}

/// Whose the row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settled {
    Ours,
    Nobodys,
}

fn due_token(token: Token, refresh_at: Timestamp) -> DueToken {
    let Token { id, key, version, failures, origin, .. } = token;
    DueToken { id, key, version, failures, refresh_at, origin }
}

struct RefreshAnswer {
    configuration: Configuration,
    secrets: OpenedSecrets,
    granted: Granted,
    /// The refresh token that was used; none where the grant itself was asked with.
    old: Option<SecretString>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_wait_longer_each_time_and_never_for_ever() {
        let waits: Vec<i64> = (0..20).map(back_off).collect();
        assert!((15..=18).contains(&waits[0]), "{waits:?}");
        assert!(waits.iter().all(|wait| *wait <= LAST_RETRY_SECONDS * 6 / 5), "{waits:?}");
        assert!(waits[5] > waits[0] * 8, "{waits:?}");
    }
}
