//! The second half of an attempt: what the provider brings back, the exchange for a token, and what becomes of it.
//!
//! The checks stand in `accepted`, in their order; each that fails ends the attempt before anything is sent to the
//! token endpoint (security: S01, S04 to S06).

use crate::{
    access::Admin,
    error::{Result, ServiceError},
    services::Services,
    tokens::{
        attempt::{AttemptContext, event_of, is_same},
        source::written,
    },
};
use ipack_domain::{
    effects::new_id,
    form_place::{Cause, FormPlace},
};
use ipack_oauth::{
    advice::{no_code, shown},
    authorize::digest,
    callback::{Callback, is_from},
    causes::FailedRequest,
    provider::endpoints_in_region,
};
use ipack_storage::{
    Writer,
    attempts::{self, Attempt, Status},
    audit_log::{self, Kind},
};
use secrecy::SecretString;
use std::{fmt, time::Duration};
use uuid::Uuid;

/// How long the answer to the browser waits for the token; after that the attempt's page follows it.
const PATIENCE: Duration = Duration::from_millis(1_200);

/// What a browser brings back. It does not show itself: the query has a code in it, the cookie is as good as one.
#[derive(Clone, Copy)]
pub struct Returned<'a> {
    /// `/oauth/callback/…`, as it was asked for.
    pub path: &'a str,
    pub query: &'a str,
    /// The value of the browser's cookie for these flows.
    pub browser: Option<&'a str>,
    pub admin: Option<&'a Admin>,
}

impl fmt::Debug for Returned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Returned")
    }
}

impl Services {
    /// Takes in what the provider brought back; the attempt whose page the browser is to see.
    ///
    /// # Errors
    /// `NotFound` where there is no attempt that this belongs to.
    pub async fn authorization_returned(&self, returned: Returned<'_>) -> Result<Uuid> {
        let callback = Callback::parse(returned.query).ok_or(ServiceError::NotFound)?;
        let state = digest(callback.state().ok_or(ServiceError::NotFound)?);
        let taken = self.database.write(|db| self.accept(db, &state, &callback, returned)).await?;
        let (attempt, accepted) = taken.ok_or(ServiceError::NotFound)?;
        let (Some(mut begun), Some(code)) = (accepted, callback.code()) else { return Ok(attempt.id) };
        // The code is for the region where the person turned out to be. Only one of the preset's own is followed, so that
        // nobody's callback leads a secret elsewhere.
        if let Some(endpoints) = endpoints_in_region(&begun.configuration.preset, &callback) {
            begun.configuration.endpoints = endpoints;
        }
        let code = SecretString::from(code.to_owned());
        let company = begun.configuration.company_id_parameter.as_deref();
        let company = company.and_then(|name| callback.parameter(name)).map(shown);
        let services = self.clone();
        let id = attempt.id;
        let exchange = async move { services.exchange(&attempt, &begun, Some(code), company).await };
        let _ = tokio::time::timeout(PATIENCE, self.background.spawn(exchange)).await;
        Ok(id)
    }

    /// One transaction: the state is used up, whatever comes of it. `None` where nobody waits for it.
    async fn accept(
        &self,
        mut db: Writer,
        state: &[u8],
        callback: &Callback,
        returned: Returned<'_>,
    ) -> Result<Option<(Attempt, Option<AttemptContext>)>> {
        let now = self.clock.now();
        let id = attempts::take_state(db.lend(), state, now).await?;
        let Some(id) = id else { return Ok(None) };
        let attempt = attempts::find(db.lend(), id).await?.ok_or(ServiceError::NotFound)?;
        let is_open = attempt.status == Status::Opened;
        let begun = if is_open { self.attempt_context(db.lend(), &attempt).await? } else { None };
        let Some(begun) = begun else {
            // It ended meanwhile, and its page says how.
            return Ok(Some((attempt, None)));
        };
        let key = attempt.key.clone();
        let redirect_uri = format!("{}{}", self.oauth.public_url, returned.path);
        if let Err(refusal) = accepted(&attempt, &begun, callback, returned, &redirect_uri) {
            let Refusal { message, causes, detail } = &refusal;
            let advice = written(causes)?;
            attempts::finish(db.lend(), id, Status::Failed, Some(message), Some(&advice)).await?;
            let event = event_of(&begun, &key, Kind::TokenFailed, Some(detail));
            audit_log::add(db.lend(), new_id(now), event, now).await?;
            return Ok(Some((attempt, None)));
        }
        attempts::returned(db.lend(), id).await?;
        let event = event_of(&begun, &key, Kind::AuthorizationReturned, None);
        audit_log::add(db.lend(), new_id(now), event, now).await?;
        Ok(Some((attempt, Some(begun))))
    }
}

/// Why what came back is not taken.
struct Refusal {
    message: String,
    causes: Vec<Cause>,
    /// For the audit log.
    detail: String,
}

impl Refusal {
    fn new(error: &str, causes: Vec<Cause>, detail: impl Into<String>) -> Self {
        Self { message: no_code(error), causes, detail: detail.into() }
    }
}

fn accepted(
    attempt: &Attempt,
    begun: &AttemptContext,
    callback: &Callback,
    returned: Returned<'_>,
    redirect_uri: &str,
) -> std::result::Result<(), Refusal> {
    let again = || vec![Cause::new("Generate the token again, and finish it in the same browser.")];
    let is_same_browser = returned.browser.is_some_and(|browser| is_same(&attempt.browser, browser));
    if !is_same_browser {
        return Err(Refusal::new("another_browser", again(), "came back in another browser"));
    }
    if returned.admin.is_some_and(|admin| admin.id != attempt.admin_id) {
        return Err(Refusal::new("another_admin", again(), "came back to another admin’s session"));
    }
    if begun.redirect_uri != redirect_uri {
        let text =
            "The answer arrived on another provider’s redirect URI. Check the redirect URI registered there.";
        let causes = vec![Cause::new(text).at(FormPlace::RedirectUri)];
        return Err(Refusal::new("redirect_uri_mismatch", causes, "came back on another redirect URI"));
    }
    let endpoints = &begun.configuration.endpoints;
    if !is_from(endpoints.issuer.as_deref(), endpoints.announces_issuer, callback.issuer()) {
        let text =
            "The answer does not come from the provider that was asked. Do not go on before you know why.";
        let causes = vec![Cause::new(text)];
        return Err(Refusal::new("issuer_mismatch", causes, "the answer names another issuer, or none"));
    }
    let request = FailedRequest { configuration: &begun.configuration, redirect_uri: Some(redirect_uri) };
    if let Some(refused) = callback.refusal() {
        let code = refused.code.as_deref().unwrap_or("no_code");
        let detail = format!("the provider answered {refused}");
        return Err(Refusal::new(code, request.causes_on_return(&refused), detail));
    }
    if callback.code().is_none() {
        let causes = request.causes_of_silence();
        return Err(Refusal::new("no_code", causes, "the provider sent neither a code nor an error"));
    }
    Ok(())
}
