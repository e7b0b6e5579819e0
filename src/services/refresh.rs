//! Keeping tokens fresh: when a token is renewed, by whom, and what happens when that fails.
//!
//! Every replica looks for tokens that are due. Whoever gets the lease, given by one `UPDATE` and running out by
//! itself, asks the provider; everybody else waits for what comes of it. So there is one call, however many ask.

use super::{
    Result, ServiceError, Services,
    authorization_return::{TokenOrigin, direct_request, spaced},
    keys::seal,
    retrying, sealing,
};
use crate::{
    domain::{ids::ConnectionKey, provider::Grant, time::Timestamp},
    effects::{new_id, random_bytes},
    oauth::{
        configuration::Configuration,
        explain::advice,
        token::{self, Granted, Request, Secrets, TokenError},
    },
    storage::{
        StorageError, accounts,
        timeline::{self, Event, Kind},
        tokens::{self, Refreshed, Token},
    },
};
use futures::StreamExt;
use secrecy::SecretString;
use std::time::Duration;
use uuid::Uuid;

/// Longer than any call may take (`oauth::outbound::Limits`): whoever holds the lease has ended by then.
const LEASE_SECONDS: i64 = 40;
/// Tokens that one replica renews at the same time: one slow provider does not hold up the others.
const AT_ONCE: usize = 16;
/// Tokens looked up at once.
const DUE_BATCH: i64 = 200;
/// A token is renewed so long before it runs out, or at four fifths of a shorter life.
const AHEAD_SECONDS: i64 = 300;
/// What is taken for a lifetime where nobody names one (the one that RFC 6749 has in its examples).
const USUAL_SECONDS: i64 = 3_600;
/// Longer lifetimes are renewed no later than this: it keeps refresh tokens alive that die unused.
const LONGEST_WAIT: i64 = 30 * 24 * 3_600;
/// Further away is as good as never, and still a date.
const LONGEST_LIFE: i64 = 20 * 365 * 24 * 3_600;
const FIRST_RETRY_SECONDS: i64 = 15;
const LAST_RETRY_SECONDS: i64 = 1_800;
/// Who waits for another's renewal looks so often, for so long at most.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const LOOKS: u32 = 250;

pub(super) struct Expiry {
    pub expires_at: Option<Timestamp>,
    pub refresh_at: Option<Timestamp>,
}

/// When a token runs out and when it is renewed: missing, tiny and huge lifetimes included.
pub(super) fn expiry(
    configuration: &Configuration,
    granted: &Granted,
    has_refresh_token: bool,
    now: Timestamp,
) -> Expiry {
    let named = granted.expires_in.or(configuration.access_token_seconds);
    let lifetime = named.map(|seconds| seconds.clamp(0, LONGEST_LIFE));
    let is_renewable = has_refresh_token || is_direct(configuration.grant);
    let wait = {
        let lifetime = lifetime.unwrap_or(USUAL_SECONDS);
        (lifetime - AHEAD_SECONDS).max(lifetime * 4 / 5).min(LONGEST_WAIT)
    };
    Expiry {
        expires_at: lifetime.map(|seconds| now.plus_seconds(seconds)),
        // Not at once, however short a life the provider gives: that would be a loop.
        refresh_at: is_renewable.then(|| now.plus_seconds(wait.max(1))),
    }
}

/// Grants that get a new token without a refresh token and without anybody's browser.
pub(super) fn is_direct(grant: Grant) -> bool {
    matches!(grant, Grant::ClientCredentials | Grant::JwtBearer | Grant::Password)
}

/// From one failure to the next try: doubling, with up to a fifth more so that many do not come back together.
fn back_off(failures: i64) -> i64 {
    let doubled = FIRST_RETRY_SECONDS.saturating_mul(1 << failures.clamp(0, 16)).min(LAST_RETRY_SECONDS);
    let [chance] = random_bytes::<1>();
    doubled + doubled * i64::from(chance) / (5 * 256)
}

impl Services {
    /// Renews what is due. Every replica does this; it is done once.
    pub async fn refresh_due(&self) -> Result<usize> {
        let mut reader = self.database.reader().await?;
        let due = tokens::due(reader.connection(), self.clock.now(), DUE_BATCH).await?;
        drop(reader);
        let renewed = futures::stream::iter(due)
            .map(|token| async move {
                match self.renew(&token).await {
                    Ok(renewed) => renewed,
                    Err(error) => {
                        tracing::warn!(error = %error, "a token could not be renewed");
                        false
                    }
                }
            })
            .buffer_unordered(AT_ONCE);
        Ok(renewed.filter(|renewed| std::future::ready(*renewed)).count().await)
    }

    /// The token as it is after a renewal: one's own, or that of whoever is at it already.
    ///
    /// # Errors
    /// Where the token is gone; a renewal that failed is in the row.
    pub(super) async fn renewed(&self, token: Token) -> Result<Option<Token>> {
        let key = token.key();
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
                let renewing = self.background.spawn(async move { services.renew(&latest).await });
                renewing.await.map_err(|_| ServiceError::Internal("a renewal panicked"))??;
                continue;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        let mut reader = self.database.reader().await?;
        Ok(tokens::find(reader.connection(), &key).await?)
    }

    /// Renews a token if the lease is to be had; whether it was renewed.
    pub(super) async fn renew(&self, token: &Token) -> Result<bool> {
        let now = self.clock.now();
        let owner = new_id(now);
        let until = now.plus_seconds(LEASE_SECONDS);
        let leased = retrying(|| async {
            let mut writer = self.database.writer().await?;
            let leased =
                tokens::lease(writer.connection(), token.id, token.version, owner, until, now).await?;
            writer.commit().await?;
            Ok(leased)
        });
        if !leased.await? {
            return Ok(false);
        }
        let outcome = self.ask_again(token).await;
        let key = token.key();
        let written = retrying(|| self.settle_renewal(token, &key, owner, &outcome)).await;
        self.opened.forget(Some(token.id));
        written.map(|()| outcome.is_ok())
    }

    /// One call to the provider that the token came from.
    async fn ask_again(&self, token: &Token) -> std::result::Result<Renewal, Failure> {
        let key = token.key();
        let mut reader = self.database.reader().await.map_err(ServiceError::from)?;
        let origin = read_origin(token)?;
        let secrets =
            self.opened_secrets(reader.connection(), &key, origin.secret_id, origin.password_id).await?;
        let old = match &token.refresh_token {
            Some(sealed) => {
                let place = sealing::refresh_token(&token.id);
                let version = token.data_key_version;
                Some(self.safe.open(reader.connection(), &key.space, version, place, sealed).await?)
            }
            None => None,
        };
        drop(reader);
        let configuration = origin.configuration;
        let request = match &old {
            Some(token) => Request::Refresh { token },
            None => direct_request(configuration.grant, &secrets)?,
        };
        let client = Secrets { client: secrets.client.as_ref() };
        let now = self.clock.now();
        let granted = token::request(&self.oauth.outbound, &configuration, &request, client, now).await?;
        Ok(Renewal { configuration, granted, old })
    }

    async fn settle_renewal(
        &self,
        token: &Token,
        key: &ConnectionKey,
        owner: Uuid,
        outcome: &std::result::Result<Renewal, Failure>,
    ) -> Result<()> {
        let now = self.clock.now();
        let mut writer = self.database.writer().await?;
        let space = accounts::find_space(writer.connection(), &key.space).await?;
        let space = space.ok_or(ServiceError::SpaceNotFound)?;
        let (is_ours, kind, detail) = match outcome {
            Ok(renewal) => {
                let data_key = self.safe.current_key(writer.connection(), &key.space, now).await?;
                // S12: a new refresh token is stored in the transaction that uses the old one up; an answer without one
                // keeps the old.
                let refresh_token = renewal.granted.refresh_token.as_ref().or(renewal.old.as_ref());
                let access = seal(&data_key, sealing::access_token(&token.id), &renewal.granted.access_token);
                let refresh =
                    refresh_token.map(|text| seal(&data_key, sealing::refresh_token(&token.id), text));
                let configuration = &renewal.configuration;
                let expiry = expiry(configuration, &renewal.granted, refresh.is_some(), now);
                let scope = renewal.granted.scope.as_deref().map(|scope| spaced(scope, configuration));
                let new = Refreshed {
                    access_token: &access,
                    refresh_token: refresh.as_deref(),
                    data_key_version: data_key.version().into(),
                    token_type: &renewal.granted.token_type,
                    granted_scope: scope.as_deref(),
                    expires_at: expiry.expires_at.map(|at| at.0),
                    refresh_at: expiry.refresh_at.map(|at| at.0),
                };
                let is_ours = tokens::refreshed(writer.connection(), token.id, owner, new, now).await?;
                (is_ours, Kind::TokenRefreshed, renewal.granted.summary())
            }
            Err(failure) => {
                let said = failure.said();
                let again_at = match failure.is_final() {
                    true => None,
                    false => Some(now.plus_seconds(back_off(token.failures))),
                };
                let is_broken = failure.is_final();
                let is_ours =
                    tokens::failed(writer.connection(), token.id, owner, &said, is_broken, again_at).await?;
                (is_ours, Kind::TokenFailed, said)
            }
        };
        if is_ours {
            let event = Event {
                account: &space.account_id,
                key,
                kind,
                actor: super::tokens::ACTOR,
                changed: &[],
                detail: Some(&detail),
            };
            timeline::add(writer.connection(), new_id(now), event, now).await?;
        } else {
            tracing::warn!("a renewal came back after its lease had run out");
        }
        Ok(writer.commit().await?)
    }
}

pub(super) fn read_origin(token: &Token) -> Result<TokenOrigin> {
    serde_json::from_str(&token.origin).map_err(|_| StorageError::Corrupt("token origin").into())
}

struct Renewal {
    configuration: Configuration,
    granted: Granted,
    /// The refresh token that was used.
    old: Option<SecretString>,
}

enum Failure {
    Token(TokenError),
    Service(ServiceError),
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

impl Failure {
    /// The provider will never say yes to this again, or there is nothing left to ask with.
    fn is_final(&self) -> bool {
        match self {
            Self::Token(error) => error.is_final(),
            Self::Service(error) => matches!(error, ServiceError::Unopenable | ServiceError::Conflict(_)),
        }
    }

    fn said(&self) -> String {
        match self {
            Self::Token(error) if error.is_final() => format!("{error}. {}", advice("invalid_grant", "")),
            Self::Token(error) => error.to_string(),
            Self::Service(ServiceError::Conflict(message)) => message.clone(),
            Self::Service(ServiceError::Unopenable) => {
                "What was encrypted does not open any more. Reset the client secret, and enter it again."
                    .into()
            }
            Self::Service(error) => {
                tracing::error!(error = %error, "a token could not be renewed");
                "The server could not do it; its log says why.".into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{form::FormContent, provider::ProviderChoice},
        oauth::configuration::{Allowed, plan},
    };
    use proptest::prelude::*;

    fn configuration() -> Configuration {
        let provider = ProviderChoice { provider: "quickbooks-online".into(), ..ProviderChoice::default() };
        let form = FormContent {
            base_url: "https://a.example".into(),
            client_id: "c".into(),
            provider,
            ..FormContent::default()
        };
        let known = plan(&form, Allowed::default()).expect("a plan").known().expect("known");
        Configuration { access_token_seconds: None, ..known }
    }

    fn waits(expires_in: Option<i64>) -> (Option<i64>, Option<i64>) {
        let granted = Granted {
            access_token: "a".to_owned().into(),
            refresh_token: None,
            token_type: "Bearer".into(),
            expires_in,
            scope: None,
        };
        let expiry = expiry(&configuration(), &granted, true, Timestamp(0));
        (expiry.expires_at.map(Timestamp::seconds), expiry.refresh_at.map(Timestamp::seconds))
    }

    #[test]
    fn missing_tiny_and_huge_lifetimes_are_handled() {
        for (named, expires, renewed) in [
            (None, None, Some(3_300)),
            (Some(3_600), Some(3_600), Some(3_300)),
            (Some(60), Some(60), Some(48)),
            (Some(1), Some(1), Some(1)),
            (Some(0), Some(0), Some(1)),
            (Some(90 * 24 * 3_600), Some(90 * 24 * 3_600), Some(LONGEST_WAIT)),
            (Some(i64::MAX), Some(LONGEST_LIFE), Some(LONGEST_WAIT)),
        ] {
            assert_eq!(waits(named), (expires, renewed), "{named:?}");
        }
    }

    #[test]
    fn retries_wait_longer_each_time_and_never_for_ever() {
        let waits: Vec<i64> = (0..20).map(back_off).collect();
        assert!((15..=18).contains(&waits[0]), "{waits:?}");
        assert!(waits.iter().all(|wait| *wait <= LAST_RETRY_SECONDS * 6 / 5), "{waits:?}");
        assert!(waits[5] > waits[0] * 8, "{waits:?}");
    }

    proptest! {
        #[test]
        fn a_renewal_is_never_at_once_and_never_after_the_expiry(named in 2i64..i64::MAX) {
            let (expires, renewed) = waits(Some(named));
            let (expires, renewed) = (expires.expect("named"), renewed.expect("renewable"));
            prop_assert!(renewed >= 1 && renewed <= expires);
        }
    }
}
