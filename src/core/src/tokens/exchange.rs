//! From a code, or from a grant that needs none, to a token that is kept: the call to the provider, and the one
//! transaction that ends the attempt.

use crate::{
    connector::{
        content::{fill_company_id, lacks_company_id},
        fingerprint::fingerprint_of_company,
    },
    error::{Result, ServiceError},
    persist::{LONGEST_OUTAGE, persist_with_backoff},
    secrets::{
        credentials::Who,
        sealing::{self, seal},
    },
    services::Services,
    tokens::{
        attempt::{AttemptContext, event_of},
        expiry::expiry,
        source::{BEGUN_WITH, Failure, OpenedSecrets, TokenSource, gone, written},
    },
};
use ipack_domain::{effects::new_id, ids::ConnectionKey, parts::Part, time::Timestamp};
use ipack_oauth::{
    advice::no_token,
    causes::FailedRequest,
    token::{self, Request, Secrets},
    token_answer::Granted,
};
use ipack_storage::{
    Connection, Writer,
    attempts::{self, Attempt, Status},
    audit_log::{self, Event, Kind},
    client_secrets, instances,
    tokens::{self, Token},
};
use secrecy::SecretString;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long a failure is tried to be written down.
const NOTING: Duration = Duration::from_secs(30);

/// A token as it came, with the id that it is kept by.
struct Exchanged<'a> {
    id: Uuid,
    attempt: &'a Attempt,
    begun: &'a AttemptContext,
    secrets: &'a OpenedSecrets,
    granted: &'a Granted,
}

/// What became of a token.
enum Kept {
    /// It is kept in the place of an earlier one.
    Token { earlier: Option<Uuid> },
    /// Nobody asks for it any more: its revocation is queued.
    Nothing,
}

impl Services {
    /// A grant that needs no browser: asked for at once.
    pub(crate) async fn exchange_directly(&self, id: Uuid) {
        let opened = self.database.write(async |mut db| {
            let attempt = attempts::find(db.lend(), id).await?.ok_or(ServiceError::NotFound)?;
            let begun = self.attempt_context(db.lend(), &attempt).await?.ok_or(ServiceError::NotFound)?;
            attempts::returned(db.lend(), id).await?;
            Ok::<_, ServiceError>((attempt, begun))
        });
        match opened.await {
            Ok((attempt, begun)) => self.exchange(&attempt, &begun, None, None).await,
            // Uninstalled or replaced meanwhile.
            Err(error) => tracing::warn!(error = %error, "an attempt is gone before it began"),
        }
    }

    /// Trades what an attempt brought for a token, and writes down how that went.
    pub(crate) async fn exchange(
        &self,
        attempt: &Attempt,
        begun: &AttemptContext,
        code: Option<SecretString>,
        company: Option<String>,
    ) {
        if let Err(failure) = self.exchanged(attempt, begun, code.as_ref(), company.as_deref()).await
            && let Err(error) = persist_with_backoff(Instant::now() + NOTING, || {
                self.database
                    .write(async |mut db| self.note_failure(db.lend(), attempt, begun, &failure).await)
            })
            .await
        {
            tracing::error!(error = %error, "a failed attempt could not be written down");
        }
    }

    async fn exchanged(
        &self,
        attempt: &Attempt,
        begun: &AttemptContext,
        code: Option<&SecretString>,
        company: Option<&str>,
    ) -> std::result::Result<(), Failure> {
        let key = attempt.key.clone();
        let configuration = &begun.configuration;
        let mut reader = self.database.reader().await.map_err(ServiceError::from)?;
        let secrets = self.opened_secrets(reader.connection(), &key, begun.secret_id, configuration).await?;
        drop(reader);
        let verifier = begun.verifier.clone().map(SecretString::from);
        let request = match code {
            Some(code) => {
                Request::Code { code, redirect_uri: &begun.redirect_uri, verifier: verifier.as_ref() }
            }
            None => self.direct_request(configuration.grant, &secrets)?,
        };
        let client = Secrets { client: secrets.client.as_ref() };
        let now = self.clock.now();
        let granted = token::request(&self.oauth.outbound, configuration, &request, client, now).await?;
        let exchanged = Exchanged { id: new_id(now), attempt, begun, secrets: &secrets, granted: &granted };
        let keep = || self.database.write(|db| self.keep_token(db, &exchanged, company));
        match persist_with_backoff(Instant::now() + LONGEST_OUTAGE, keep).await {
            Ok(Kept::Token { earlier }) => {
                self.opened.forget(earlier);
                Ok(())
            }
            Ok(Kept::Nothing) => {
                self.revoke_soon();
                Ok(())
            }
            // The last COMMIT may have been carried out all the same: what may be kept is not revoked.
            Err(ServiceError::Storage(error)) if error.is_unavailable() => {
                Err(ServiceError::Storage(error).into())
            }
            Err(error) => {
                let unwanted = async |mut db: Writer| self.queue_exchanged(db.lend(), &exchanged).await;
                if let Err(error) = self.database.write(unwanted).await {
                    tracing::error!(error = %error, "the revocation of a token could not be queued");
                }
                self.revoke_soon();
                Err(error.into())
            }
        }
    }

    /// Queues the revocation of what nobody asks for any more by the time that it came, or what cannot be kept.
    async fn queue_exchanged(&self, db: Connection<'_>, exchanged: &Exchanged<'_>) -> Result<()> {
        let Exchanged { id, attempt, begun, secrets, granted } = exchanged;
        let who = Who { account: &begun.account, label: &begun.email };
        self.queue_granted(db, *id, who, &attempt.key, &begun.configuration, secrets, granted).await
    }

    async fn note_failure(
        &self,
        mut db: Connection<'_>,
        attempt: &Attempt,
        begun: &AttemptContext,
        failure: &Failure,
    ) -> Result<()> {
        let now = self.clock.now();
        let key = attempt.key.clone();
        let said = failure.said();
        let redirect_uri = Some(&*begun.redirect_uri);
        let request = FailedRequest { configuration: &begun.configuration, redirect_uri };
        let (message, advice) = (no_token(&said), written(&failure.causes(request))?);
        let (id, status) = (attempt.id, Status::Failed);
        if attempts::finish(db.lend(), id, status, Some(&message), Some(&advice)).await? {
            let event = event_of(begun, &key, Kind::TokenFailed, Some(&said));
            audit_log::add(db.lend(), new_id(now), event, now).await?;
        }
        Ok(())
    }

    /// Seals what was granted, puts a replacement into its place, and ends the attempt: one transaction. Where the
    /// attempt is not open any more, or the secret that it began with is gone, the token is nobody's.
    async fn keep_token(
        &self,
        mut db: Writer,
        exchanged: &Exchanged<'_>,
        company: Option<&str>,
    ) -> Result<Kept> {
        let Exchanged { id, attempt, begun, granted, .. } = *exchanged;
        let now = self.clock.now();
        let key = attempt.key.clone();
        instances::lock_connection(db.lend(), &key).await?;
        let has_secret = match begun.secret_id {
            Some(id) => client_secrets::find(db.lend(), &key, id).await?.is_some(),
            None => true,
        };
        if !has_secret {
            let failure = Failure::Service(gone(BEGUN_WITH));
            self.note_failure(db.lend(), attempt, begun, &failure).await?;
        }
        let earlier = tokens::find(db.lend(), &key).await?;
        if !attempts::finish(db.lend(), attempt.id, Status::Succeeded, None, None).await? {
            // A COMMIT that was not answered may have kept it.
            if earlier.is_some_and(|token| token.id == id) {
                return Ok(Kept::Token { earlier: None });
            }
            self.queue_exchanged(db.lend(), exchanged).await?;
            return Ok(Kept::Nothing);
        }
        let fills_company = match company {
            Some(_) => lacks_company_id(db.lend(), &key).await?,
            None => false,
        };
        let mut token = self.sealed_token(db.lend(), id, &key, begun, granted, now).await?;
        token.company_id = company.map(str::to_owned);
        if let Some(company) = company.filter(|_| fills_company) {
            // What the provider itself filled in is not newer than its token.
            let mut parts = begun.fingerprints.clone();
            let print = fingerprint_of_company(company);
            parts.insert(Part::CompanyId.name().to_owned(), print);
            token.configuration = written(&parts)?;
        }
        tokens::put(db.lend(), &token).await?;
        if let Some(id) = begun.secret_id
            && client_secrets::promote(db.lend(), &key, id).await?
        {
            let event = event_of(begun, &key, Kind::SecretReplaced, Some("the replacement is in use now"));
            audit_log::add(db.lend(), new_id(now), event, now).await?;
        }
        let summary = granted.summary();
        let event = event_of(begun, &key, Kind::TokenExchanged, Some(&summary));
        audit_log::add(db.lend(), new_id(now), event, now).await?;
        if let Some(company) = company.filter(|_| fills_company) {
            for key in fill_company_id(db.lend(), &begun.email, &key, company, now).await? {
                let told =
                    event_of(begun, &key, Kind::DetailsSaved, Some("as the identity provider named it"));
                let event = Event { changed: &["Company ID"], ..told };
                audit_log::add(db.lend(), new_id(now), event, now).await?;
            }
        }
        Ok(Kept::Token { earlier: earlier.map(|token| token.id) })
    }

    async fn sealed_token(
        &self,
        mut db: Connection<'_>,
        id: Uuid,
        key: &ConnectionKey,
        begun: &AttemptContext,
        granted: &Granted,
        now: Timestamp,
    ) -> Result<Token> {
        let configuration = &begun.configuration;
        let data_key = self.data_keys.current_key(db.lend(), &key.space, now).await?;
        let origin = TokenSource { configuration: configuration.clone(), secret_id: begun.secret_id };
        let refresh_token = granted.refresh_token.as_ref();
        let expiry = expiry(configuration, granted, refresh_token.is_some());
        Ok(Token {
            id,
            key: key.clone(),
            version: 1,
            access_token: seal(&data_key, sealing::access_token(&id), &granted.access_token),
            refresh_token: refresh_token.map(|token| seal(&data_key, sealing::refresh_token(&id), token)),
            extra: granted.extra.as_ref().map(|extra| seal(&data_key, sealing::extra(&id), extra)),
            data_key_version: data_key.version(),
            token_type: granted.token_type.clone(),
            requested_scope: configuration.scopes.join(" "),
            granted_scope: granted.scope.clone(),
            origin: written(&origin)?,
            configuration: written(&begun.fingerprints)?,
            company_id: None,
            obtained_by: begun.email.clone(),
            obtained_at: now,
            refreshed_at: None,
            expires_at: expiry.expires_at,
            refresh_at: expiry.refresh_at,
            failures: 0,
            failure: None,
            advice: None,
            is_broken: false,
            lease_owner: None,
            lease_until: None,
        })
    }
}
