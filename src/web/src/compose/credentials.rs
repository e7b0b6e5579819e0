//! What the form's page shows of secrets, token and attempts: never a value.

use crate::compose::provider_facts::compose_facts;
use crate::pages::attempt::attempt_path;
use crate::views::{AttemptView, CredentialsView, Encrypted, SecretState, TokenView};
use ipack_core::{
    Result, Services,
    connector::{
        fingerprint::fingerprint_of_configuration,
        page_data::ConnectorPageData,
        record::ConnectorRecord,
        state::{Assessment, Destinations, TokenColumns, assess},
    },
    secrets::slots::{in_slot, read_destination},
    tokens::{
        attempt::{causes, stage},
        source::TokenSource,
    },
};
use ipack_domain::{
    connection_state::{ConnectionState, TokenFacts},
    time::{Timestamp, in_words},
    tokens::Stage,
};
use ipack_oauth::{
    advice::sentence,
    configuration::{RequestedConfiguration, requested_configuration},
    endpoints::Destination,
    provider::resolve_provider,
};
use ipack_storage::{
    attempts::Attempt,
    client_secrets::{ClientSecret, Slot},
    tokens::Token,
};
use uuid::Uuid;

pub(super) fn compose_credentials(
    services: &Services,
    record: &ConnectorRecord,
    data: &ConnectorPageData,
) -> Result<CredentialsView> {
    let now = services.clock.now();
    let ConnectorPageData { secrets, token, extra, attempt, .. } = data;
    let content = record.shown();
    let missing = record.stored.as_ref().map(|_| record.start.missing());
    let planned = requested_configuration(content, services.oauth.allowed);
    let plan = planned.as_ref().ok();
    let destination = plan.map(RequestedConfiguration::destination);
    let mut secret = secret_state(in_slot(secrets, Slot::Current), destination)?;
    let replacement = in_slot(secrets, Slot::Replacement);
    let is_replacement_bound = match (replacement, destination) {
        (Some(secret), Some(destination)) => read_destination(&secret.destination)? == *destination,
        _ => false,
    };
    let mut replacement = replacement.filter(|_| is_replacement_bound);
    // Entered again for where the form leads now: nobody is asked for it once more. What was encrypted before stays until
    // a token came with the new one.
    if matches!(secret, SecretState::Unbound { .. })
        && let Some(new) = replacement.take()
    {
        secret = SecretState::Encrypted(encrypted(new));
    }
    let password = secret_state(in_slot(secrets, Slot::Password), destination)?;
    let needs_secret = plan.is_none_or(RequestedConfiguration::needs_secret);
    // Where the form does not say enough for a plan yet, an input stays, with what was typed into it.
    let is_chosen = content.provider.grant.takes_password() && services.oauth.allowed.password_grant;
    let needs_password = plan.map_or(is_chosen, RequestedConfiguration::needs_password);
    let kept_for = |slot| in_slot(secrets, slot).map(|secret| &secret.destination);
    let destinations = Destinations {
        current: kept_for(Slot::Current),
        replacement: kept_for(Slot::Replacement),
        password: kept_for(Slot::Password),
    };
    let columns = token.as_ref().map(TokenColumns::of);
    let Assessment { state, secret_to_enter, token: facts } =
        assess(content, missing, columns, destinations, plan, now)?;
    let obstacle = match &planned {
        Err(error) => Some(sentence(&error.to_string())),
        Ok(_) => secret_to_enter,
    };
    let token_view = match (token, &facts) {
        (Some(token), Some(facts)) => Some(token_view(token, facts, extra, now)?),
        _ => None,
    };
    let seconds_left = facts.as_ref().and_then(|facts| facts.expires).and_then(|at| {
        let left = at.seconds() - now.seconds();
        u32::try_from(left).ok().filter(|left| *left > 0)
    });
    let has_window = plan.is_none_or(|plan| plan.grant().needs_browser());
    // Known before there is a client: it is registered to get one.
    let provider = resolve_provider(content).ok().filter(|_| has_window);
    let redirect_uri = provider.map(|provider| services.redirect_uri(&record.space.account_id, &provider));
    let attempt = attempt.as_ref().map(|attempt| compose_attempt(attempt, record.admin, now));
    let attempt = match (attempt, token) {
        // A success is told for as long as its token is there, also when the attempt is long forgotten.
        (Some(attempt), _) if attempt.stage != Stage::Succeeded => Some(attempt),
        (_, Some(token)) if state.state != ConnectionState::Broken => Some(success(token)),
        _ => None,
    };
    Ok(CredentialsView {
        state,
        redirect_uri,
        secret,
        replacement: replacement.map(encrypted),
        password,
        needs_secret,
        needs_password,
        acts_for_subject: plan.is_some_and(|plan| plan.grant().acts_for_subject()),
        has_private_key: plan.is_some_and(RequestedConfiguration::has_private_key),
        allows_password: services.oauth.allowed.password_grant,
        has_window,
        obstacle,
        token: token_view,
        seconds_left,
        attempt,
        facts: compose_facts(content),
        problems: Vec::new(),
    })
}

fn encrypted(secret: &ClientSecret) -> Encrypted {
    Encrypted { by: secret.sealed_by.clone(), at: secret.sealed_at.into() }
}

fn secret_state(secret: Option<&ClientSecret>, now: Option<&Destination>) -> Result<SecretState> {
    let Some(secret) = secret else { return Ok(SecretState::Missing) };
    let bound = read_destination(&secret.destination)?;
    Ok(match now {
        Some(now) if bound == *now => SecretState::Encrypted(encrypted(secret)),
        Some(now) => {
            let changed = bound.changed_to(now).into_iter().map(str::to_owned).collect();
            SecretState::Unbound { encrypted: encrypted(secret), changed }
        }
        // The form does not say where to, for now; what is missing is said elsewhere.
        None => SecretState::Encrypted(encrypted(secret)),
    })
}

/// The attempt that brought a token.
fn success(token: &Token) -> AttemptView {
    AttemptView {
        id: token.id.to_string(),
        stage: Stage::Succeeded,
        message: Stage::Succeeded.message().to_owned(),
        causes: Vec::new(),
        address: None,
        lapses: None,
    }
}

/// An attempt as its form's page follows it.
pub fn compose_attempt(attempt: &Attempt, admin: Uuid, now: Timestamp) -> AttemptView {
    let (stage, message) = stage(attempt, now);
    let is_mine = attempt.admin_id == admin;
    AttemptView {
        id: attempt.id.to_string(),
        stage,
        message,
        causes: causes(attempt),
        address: (is_mine && !stage.is_over()).then(|| attempt_path(attempt.id)),
        lapses: (!stage.is_over()).then(|| attempt.expires_at.into()),
    }
}

fn token_view(
    token: &Token,
    facts: &TokenFacts<'_>,
    extra: &[(String, Option<String>)],
    now: Timestamp,
) -> Result<TokenView> {
    let origin = TokenSource::of(token)?;
    let columns = TokenColumns::of(token);
    Ok(TokenView {
        by: token.obtained_by.clone(),
        obtained: token.obtained_at.into(),
        age: in_words(now.0 - facts.refreshed.0),
        expires: facts.expires.map(Into::into),
        remaining: facts.expires.map(|at| match at.0 - now.0 {
            left if left > 0 => format!("in {}", in_words(left)),
            over => format!("{} ago", in_words(-over)),
        }),
        is_refused: token.is_broken,
        refresh: token.refresh_at.map(Into::into),
        requested: columns.requested(),
        granted: columns.granted(),
        refused: facts.refused.clone(),
        fingerprint: fingerprint_of_configuration(&columns.came_from()?),
        outdated: facts.edited.clone(),
        causes: token
            .advice
            .as_ref()
            .map(|advice| advice.read("token advice"))
            .transpose()?
            .unwrap_or_default(),
        other_company: facts.other_company.map(str::to_owned),
        can_be_revoked: origin.configuration.endpoints.revocation.is_some(),
        extra: extra
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.as_deref().unwrap_or("a secret, sealed")))
            .collect(),
    })
}
