//! Attempts to get a token: begun on the form, followed by their id, finished by what the provider brings back.
//!
//! ```text
//! begin ─▶ opened ──(browser, provider)──▶ returned ─▶ succeeded
//!             └──── ran out, refused, another took its place ────▶ failed
//! ```
//!
//! Grants that need no browser go from `begin` to `returned` at once. What an attempt was begun with is sealed beside
//! it ([`AttemptContext`]), and nothing that is edited meanwhile changes where its code and its secret go (security: S08).

use crate::{
    access::Admin,
    connector::{
        fingerprint::fingerprints,
        record::ConnectorRecord,
        submission::{Submission, Submitted},
    },
    error::{Result, ServiceError},
    secrets::{
        sealing::{self, seal},
        slots::{bound, in_slot, read_destination},
    },
    services::Services,
    tokens::{attempt::AttemptContext, source::written},
};
use ipack_domain::{
    effects::new_id,
    fields::{MenuField, TextField},
    form::FormContent,
    form_place::{Cause, FormPlace},
    ids::{ConnectionKey, segment},
    post::Outcome,
    tokens::{CredentialField, CredentialProblem, TypedSecrets},
};
use ipack_oauth::{
    advice::{no_token, sentence},
    authorize::{authorization_url, code_challenge, digest, random_text},
    configuration::{Configuration, RequestedConfiguration, collisions},
    discovery::discover,
    endpoints::ConfigurationError,
    provider::ResolvedProvider,
};
use ipack_storage::{
    Writer,
    attempts::{self, Attempt, Status},
    audit_log::{self, Event, Kind},
    client_secrets::{self, Slot},
    instances,
};
use std::{fmt, time::Duration};
use uuid::Uuid;

/// How long a person may take at the identity provider.
const LIFETIME: Duration = Duration::from_secs(600);
/// How long a request waits for a grant that needs no browser; the page follows it from then on.
const PATIENCE: Duration = Duration::from_millis(1_500);
const REPLACED: &str = "Another attempt took the place of this one.";

/// The browser that a form was posted from. It does not show itself: its cookie is as good as a secret.
#[derive(Clone, Copy)]
pub struct Initiator<'a> {
    /// The value of its cookie for these flows.
    pub browser: &'a str,
    /// The form opened a window beside itself.
    pub in_window: bool,
}

impl fmt::Debug for Initiator<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Initiator")
    }
}

impl Services {
    /// Saves the form, seals the secrets that came with it, and begins to get a token. The attempt says where the
    /// browser has to go, or what went wrong already.
    ///
    /// # Errors
    /// `NotFound` for what is not there or not theirs.
    pub async fn begin_authorization(
        &self,
        admin: &Admin,
        key: &ConnectionKey,
        submission: Submission,
        secrets: &TypedSecrets,
        origin: Initiator<'_>,
    ) -> Result<Submitted> {
        let mut saved = self.save_and_seal(admin, key, submission, secrets, None).await?;
        if saved.outcome != Outcome::Saved || !saved.problems.is_empty() {
            return Ok(saved);
        }
        match self.begin(admin, &saved.record, origin).await {
            Ok(()) => {}
            Err(ServiceError::BadInput { message, .. } | ServiceError::Conflict(message)) => {
                let problem = CredentialProblem::obstacle(CredentialField::Token, &sentence(&message));
                saved.problems.push(problem);
            }
            Err(other) => return Err(other.or_not_found()),
        }
        Ok(saved)
    }

    async fn begin(&self, admin: &Admin, record: &ConnectorRecord, origin: Initiator<'_>) -> Result<()> {
        let plan = self.requested_configuration(&record.start)?;
        if let Some(key) = collisions(&record.start).1.into_iter().next() {
            return Err(ServiceError::Conflict(ConfigurationError::Reserved(key).to_string()));
        }
        let redirect_uri = self.redirect_uri(&record.space.account_id, &plan.provider);
        // Asked before anything is written: it can take its time.
        let configuration = match plan.known() {
            Some(configuration) => Ok(configuration),
            None => match discover(&self.oauth.outbound, &plan.provider.issuers).await {
                Ok(metadata) => plan.with(metadata).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            },
        };
        let configuration = configuration.and_then(|configuration| {
            let endpoints =
                [Some(&configuration.endpoints.token), configuration.endpoints.authorization.as_ref()];
            for endpoint in endpoints.into_iter().flatten() {
                self.oauth.outbound.check(endpoint).map_err(|error| error.to_string())?;
            }
            let redirect_uri = configuration.redirect_uri_at_refresh.then(|| redirect_uri.clone());
            Ok(Configuration { redirect_uri, ..configuration })
        });
        let begin = Begin { admin, record, plan: &plan, origin };
        let id = self
            .write_to(&begin.record.key, |db| self.begin_once(db, &begin, &configuration, &redirect_uri))
            .await?;
        if configuration.is_ok() && !plan.grant().needs_browser() {
            let services = self.clone();
            let asking = self.background.spawn(async move { services.exchange_directly(id).await });
            let _ = tokio::time::timeout(PATIENCE, asking).await;
        }
        Ok(())
    }

    async fn begin_once(
        &self,
        mut db: Writer,
        begin: &Begin<'_>,
        configuration: &std::result::Result<Configuration, String>,
        redirect_uri: &str,
    ) -> Result<Uuid> {
        let Begin { admin, record, plan, origin } = *begin;
        let (key, account) = (&record.key, &*record.space.account_id);
        let now = self.clock.now();
        instances::lock_connection(db.lend(), key).await?;
        let secrets = client_secrets::of_connection(db.lend(), key).await?;
        let secret = bound(&secrets, plan.destination())?;
        if plan.needs_secret() && secret.is_none() {
            return Err(ServiceError::Conflict("Encrypt the client secret first.".into()));
        }
        let has_password = match in_slot(&secrets, Slot::Password) {
            Some(password) => read_destination(&password.destination)? == *plan.destination(),
            None => false,
        };
        if plan.needs_password() && !has_password {
            return Err(ServiceError::Conflict("Encrypt the user’s password first.".into()));
        }
        attempts::abandon(db.lend(), key, REPLACED).await?;
        let id = new_id(now);
        let needs_browser = plan.grant().needs_browser();
        let mut attempt = Attempt {
            id,
            key: key.clone(),
            admin_id: admin.id,
            browser: digest(origin.browser).to_vec(),
            is_in_window: origin.in_window && needs_browser,
            status: Status::Opened,
            message: None,
            advice: None,
            sealed: None,
            data_key_version: None,
            begun_at: now,
            expires_at: now.plus(LIFETIME),
        };
        let began = format!("{} at {}", plan.grant().label(), plan.provider.name);
        let event = Event {
            account,
            key,
            kind: Kind::AuthorizationStarted,
            actor: &admin.email,
            changed: &[],
            detail: Some(&began),
        };
        audit_log::add(db.lend(), new_id(now), event, now).await?;
        let configuration = match configuration {
            Ok(configuration) => configuration.clone(),
            Err(why) => {
                attempts::add(db.lend(), &attempt).await?;
                let message = no_token(why.trim_end_matches('.'));
                let advice = written(&causes_of_no_endpoints(&record.start))?;
                attempts::finish(db.lend(), id, Status::Failed, Some(&message), Some(&advice)).await?;
                let failed = Event { kind: Kind::TokenFailed, detail: Some(why), ..event };
                audit_log::add(db.lend(), new_id(now), failed, now).await?;
                return Ok(id);
            }
        };
        let state = random_text();
        let verifier = (needs_browser && configuration.pkce).then(random_text);
        let authorization_url = match needs_browser {
            true => {
                let challenge = verifier.as_deref().map(code_challenge);
                let url = authorization_url(&configuration, redirect_uri, &state, challenge.as_deref());
                Some(url.map_err(|error| ServiceError::Conflict(error.to_string()))?.into())
            }
            false => None,
        };
        let begun = AttemptContext {
            account: account.to_owned(),
            email: admin.email.clone(),
            configuration,
            fingerprints: fingerprints(&record.start),
            secret_id: secret.filter(|_| plan.needs_secret()).map(|secret| secret.id),
            redirect_uri: redirect_uri.to_owned(),
            verifier,
            authorization_url,
        };
        let data_key = self.data_keys.current_key(db.lend(), &key.space, now).await?;
        let text = serde_json::to_string(&begun)
            .map_err(|_| ServiceError::Internal("an attempt cannot be written"))?;
        attempt.sealed = Some(seal(&data_key, sealing::attempt(&id), &text.into()));
        attempt.data_key_version = Some(data_key.version());
        attempts::add(db.lend(), &attempt).await?;
        if needs_browser {
            attempts::add_state(db.lend(), &digest(&state), id, attempt.expires_at).await?;
        }
        Ok(id)
    }

    /// Where the provider sends the browser back to: distinct for each account and provider (security: S05).
    pub fn redirect_uri(&self, account: &str, provider: &ResolvedProvider) -> String {
        let (public_url, slug) = (&self.oauth.public_url, segment(&provider.slug));
        format!("{public_url}/oauth/callback/{}/{slug}", segment(account))
    }
}

/// Why nobody could be asked for a token.
fn causes_of_no_endpoints(content: &FormContent) -> [Cause; 2] {
    let address = match content.provider.is_discovered() && !content.provider.issuer.is_empty() {
        true => TextField::Issuer,
        false if content.provider.has_endpoints() => TextField::TokenEndpoint,
        false => TextField::BaseUrl,
    };
    [
        Cause::new("Preflight shows what was looked for and where. Correct the address.")
            .at(FormPlace::Text(address)),
        Cause::new("Choose the provider, or enter its endpoints, and generate the token again.")
            .at(FormPlace::Menu(MenuField::Provider)),
    ]
}

/// What `begin` found out.
#[derive(Clone, Copy)]
struct Begin<'a> {
    admin: &'a Admin,
    record: &'a ConnectorRecord,
    plan: &'a RequestedConfiguration,
    origin: Initiator<'a>,
}
