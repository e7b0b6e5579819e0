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
    Result, ServiceError, Services,
    access::{Admin, validate_ids},
    connector::submission::{Intent, Submission, load_record},
    secrets::{
        credentials::{bound, gone, in_slot, read_destination},
        sealing,
        view::attempt_view,
    },
};
use ipack_domain::{
    effects::new_id,
    form::{FormContent, Part},
    ids::{ConnectionKey, segment},
    provider::Grant,
    time::Timestamp,
    tokens::{AttemptView, CredentialField, CredentialProblem, Stage, TypedSecrets},
    views::{ConnectorView, Outcome},
};
use ipack_oauth::{
    advice::{no_code, no_token, sentence},
    authorize::{authorization_url, code_challenge, digest, random_text},
    configuration::{Configuration, RequestedConfiguration},
    discovery::discover,
    provider::ResolvedProvider,
};
use ipack_storage::{
    Connection, StorageError, Writer,
    accounts::Space,
    attempts::{self, Attempt, Status},
    audit_log::{self, Event, Kind},
    client_secrets::{self, Slot},
    instances,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, time::Duration};
use uuid::Uuid;

pub use crate::{secrets::view::attempt_path, tokens::authorization_return::Returned};

/// How long a person may take at the identity provider.
const LIFETIME_SECONDS: i64 = 600;
/// How long a request waits for a grant that needs no browser; the page follows it from then on.
const PATIENCE: Duration = Duration::from_millis(1_500);
const LOOK_THERE: &str = "Preflight shows what was looked for and where. Choose the provider, correct its address \
     or enter its endpoints, and generate the token again.";
const REPLACED: &str = "Another attempt took the place of this one.";

/// The configuration's parts by name, each as a digest: which of them changed since is told without keeping them.
pub type Fingerprints = BTreeMap<String, String>;

/// What an attempt was begun with.
#[derive(Serialize, Deserialize)]
pub(crate) struct AttemptContext {
    pub account: String,
    pub email: String,
    pub configuration: Configuration,
    pub fingerprints: Fingerprints,
    pub secret_id: Option<Uuid>,
    pub redirect_uri: String,
    pub verifier: Option<String>,
    /// Where the browser is sent, where a browser is needed.
    pub authorization_url: Option<String>,
}

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

/// An attempt as its page shows it. Its address has a state in it, so it does not show itself.
#[derive(Clone, PartialEq, Eq)]
pub struct AttemptPage {
    pub key: ConnectionKey,
    pub stage: Stage,
    pub message: String,
    pub advice: Option<String>,
    pub is_in_window: bool,
    pub authorization_url: Option<String>,
}

impl Services {
    /// Saves the form, seals the secrets that came with it, and begins to get a token. The view's attempt says where the browser has to go, or what went
    /// wrong already.
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
    ) -> Result<ConnectorView> {
        let submission = Submission { intent: Intent::Save, ..submission };
        let saved = self.save_and_seal(admin, key, submission, secrets, None).await?;
        if saved.outcome != Outcome::Saved || !saved.credentials.problems.is_empty() {
            return Ok(saved);
        }
        let problem = match self.begin(admin, key, origin).await {
            Ok(()) => None,
            Err(ServiceError::BadInput { message, .. } | ServiceError::Conflict(message)) => {
                Some(CredentialProblem::obstacle(CredentialField::Token, &sentence(&message)))
            }
            Err(other) => return Err(gone(other)),
        };
        self.connector_after(admin, key, Outcome::Saved, problem).await
    }

    async fn begin(&self, admin: &Admin, key: &ConnectionKey, origin: Initiator<'_>) -> Result<()> {
        let mut reader = self.database.reader().await?;
        let record = load_record(reader.connection(), admin, key).await?;
        drop(reader);
        let plan = self.requested_configuration(&record.start)?;
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
            Ok(configuration)
        });
        let account = record.space.account_id.clone();
        let begin = Begin { admin, account: &account, key, content: &record.start, plan: &plan, origin };
        let id = self.database.write(|db| self.begin_once(db, &begin, &configuration, &redirect_uri)).await?;
        if configuration.is_ok() && plan.grant() != Grant::AuthorizationCode {
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
        let Begin { admin, account, key, content, plan, origin } = *begin;
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
        let needs_browser = plan.grant() == Grant::AuthorizationCode;
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
            expires_at: now.plus_seconds(LIFETIME_SECONDS),
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
                let advice = Some(LOOK_THERE);
                attempts::finish(db.lend(), id, Status::Failed, Some(&message), advice).await?;
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
            fingerprints: fingerprints(content),
            secret_id: secret.filter(|_| plan.needs_secret()).map(|secret| secret.id),
            redirect_uri: redirect_uri.to_owned(),
            verifier,
            authorization_url,
        };
        let data_key = self.data_keys.current_key(db.lend(), &key.space, now).await?;
        let text = serde_json::to_string(&begun)
            .map_err(|_| ServiceError::Internal("an attempt cannot be written"))?;
        attempt.sealed = Some(crate::keys::rotation::seal(&data_key, sealing::attempt(&id), &text.into()));
        attempt.data_key_version = Some(data_key.version().into());
        attempts::add(db.lend(), &attempt).await?;
        if needs_browser {
            attempts::add_state(db.lend(), &digest(&state), id, attempt.expires_at).await?;
        }
        Ok(id)
    }

    /// Where the provider sends the browser back to: distinct for each account and provider (security: S05).
    pub(crate) fn redirect_uri(&self, account: &str, provider: &ResolvedProvider) -> String {
        let (public_url, slug) = (&self.oauth.public_url, segment(&provider.slug));
        format!("{public_url}/oauth/callback/{}/{slug}", segment(account))
    }

    /// What an attempt was begun with, where it has not ended.
    pub(crate) async fn attempt_context(
        &self,
        db: Connection<'_>,
        attempt: &Attempt,
    ) -> Result<Option<AttemptContext>> {
        let (Some(sealed), Some(version)) = (&attempt.sealed, attempt.data_key_version) else {
            return Ok(None);
        };
        let place = sealing::attempt(&attempt.id);
        let text = self.data_keys.open(db, &attempt.key.space, version, place, sealed).await?;
        let begun = serde_json::from_str(secrecy::ExposeSecret::expose_secret(&text));
        Ok(Some(begun.map_err(|_| StorageError::Corrupt("attempt".to_owned()))?))
    }

    /// How far an attempt is; `None` where it is gone.
    ///
    /// # Errors
    /// `NotFound` for a connection that is not there or not theirs.
    pub async fn attempt(&self, admin: &Admin, key: &ConnectionKey, id: &str) -> Result<Option<AttemptView>> {
        let id = Uuid::parse_str(id).map_err(|_| ServiceError::NotFound)?;
        let mut reader = self.database.reader().await?;
        admin_connection(reader.connection(), admin, key).await?;
        let attempt = attempts::find(reader.connection(), id).await?;
        let attempt = attempt.filter(|attempt| attempt.key == *key);
        Ok(attempt.map(|attempt| attempt_view(&attempt, admin.id, self.clock.now())))
    }

    /// The page of an attempt, for the browser that began it and nobody else.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn attempt_page(&self, id: Uuid, browser: Option<&str>) -> Result<AttemptPage> {
        let now = self.clock.now();
        let mut reader = self.database.reader().await?;
        let attempt = attempts::find(reader.connection(), id).await?;
        let attempt = attempt
            .filter(|attempt| browser.is_some_and(|browser| is_same(&attempt.browser, browser)))
            .ok_or(ServiceError::NotFound)?;
        let (stage, message) = stage(&attempt, now);
        let authorization_url = match stage {
            Stage::Opening => self
                .attempt_context(reader.connection(), &attempt)
                .await?
                .and_then(|begun| begun.authorization_url),
            _ => None,
        };
        Ok(AttemptPage {
            key: attempt.key,
            stage,
            message,
            advice: attempt.advice,
            is_in_window: attempt.is_in_window,
            authorization_url,
        })
    }
}

/// What `begin` found out.
#[derive(Clone, Copy)]
struct Begin<'a> {
    admin: &'a Admin,
    account: &'a str,
    key: &'a ConnectionKey,
    content: &'a FormContent,
    plan: &'a RequestedConfiguration,
    origin: Initiator<'a>,
}

/// Whether a browser's cookie is the one whose digest was stored. The digests may be compared in any time.
pub(crate) fn is_same(stored: &[u8], browser: &str) -> bool {
    stored == digest(browser)
}

/// What to say of an attempt that ran out in this state; `None` for one that has ended.
pub(crate) fn overdue(status: Status) -> Option<String> {
    match status {
        Status::Opened => Some(no_code("the identity provider did not answer in time")),
        Status::Returned => Some(no_token("the server stopped while it asked for the token")),
        Status::Succeeded | Status::Failed => None,
    }
}

/// How far an attempt is, in the words of the original platform.
pub(crate) fn stage(attempt: &Attempt, now: Timestamp) -> (Stage, String) {
    if let Some(why) = overdue(attempt.status).filter(|_| attempt.expires_at <= now) {
        return (Stage::Failed, why);
    }
    let stage = match attempt.status {
        Status::Opened => Stage::Opening,
        Status::Returned => Stage::Initializing,
        Status::Succeeded => Stage::Succeeded,
        Status::Failed => Stage::Failed,
    };
    let message = attempt.message.clone().filter(|_| stage == Stage::Failed);
    (stage, message.unwrap_or_else(|| stage.message().to_owned()))
}

/// A digest of each part that a token depends on.
pub(crate) fn fingerprints(content: &FormContent) -> Fingerprints {
    let content = content.tidied();
    Part::DETAILS
        .into_iter()
        .map(|part| (part.name().to_owned(), crate::connector::view::fingerprint(&content, part)))
        .collect()
}

/// As [`fingerprints`] has it for a company id.
pub(crate) fn fingerprint_of_company(company_id: &str) -> String {
    let content = FormContent { company_id: company_id.to_owned(), ..FormContent::default() };
    crate::connector::view::fingerprint(&content.tidied(), Part::CompanyId)
}

/// The Space of a key, where this admin may see it.
pub(crate) async fn admin_connection(
    db: Connection<'_>,
    admin: &Admin,
    key: &ConnectionKey,
) -> Result<Space> {
    validate_ids([&*key.instance, &key.environment, &key.process, &key.connection])?;
    Services::admin_space(db, admin, &key.space).await
}
