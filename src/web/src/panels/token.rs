//! The access token: how getting one goes, and what is known of the one that is there.

use super::{html, question::Question};
use crate::components::{
    causes::Causes,
    labels::{StateLabel, When},
};
use crate::form::view::progress_html;
use crate::views::{AttemptView, ConnectorView, TokenView};
use ipack_domain::{
    button::Button,
    connection_state::{ConnectionState, StateWithReason},
    post::Outcome,
    tokens::{CredentialField, Stage},
};
use leptos::prelude::*;

/// How an attempt goes, and how the last one went.
pub fn attempt(view: &ConnectorView) -> String {
    // What went well once is not shown as good beside what is wrong now.
    let is_ok = view.credentials.state.state == ConnectionState::Ok;
    view.credentials.attempt.as_ref().map(|attempt| attempt_html(attempt, is_ok)).unwrap_or_default()
}

pub fn attempt_html(attempt: &AttemptView, is_ok: bool) -> String {
    let class = match attempt.stage {
        Stage::Succeeded if is_ok => "message good",
        Stage::Failed => "message bad",
        Stage::Succeeded | Stage::Opening | Stage::Initializing => "message",
    };
    if !attempt.stage.is_over() {
        return progress_html(attempt.stage) + &waiting(attempt.clone());
    }
    html(view! {
        <p class=class>{attempt.message.clone()}</p>
        <Causes causes=attempt.causes.clone() />
    })
}

/// Where an attempt goes on that waits for a person.
fn waiting(attempt: AttemptView) -> String {
    let Some(address) = attempt.address.filter(|_| attempt.stage == Stage::Opening) else {
        return String::new();
    };
    let lapses = attempt.lapses.map(|at| {
        view! {
            " The attempt lapses "
            <When moment=at />
            "."
        }
    });
    html(view! {
        <p class="meta">
            "Waiting for the identity provider. " <a href=address>"Continue there"</a>
            ", or generate the token again if its window is gone." {lapses}
        </p>
    })
}

pub fn token(view: &ConnectorView) -> String {
    let credentials = &view.credentials;
    let forgotten = (view.outcome == Outcome::Forgotten).then(|| {
        view! {
            <p class="attempt" role="status">
                "Forgotten here. What the provider answers stands in the history."
            </p>
        }
    });
    let facts = credentials.token.clone().map(|token| {
        let state = credentials.state.clone();
        view! { <Facts token=token state=state /> }
    });
    let problem = credentials.problems.iter().find(|problem| problem.field == CredentialField::Token);
    let problem = problem.map(|problem| {
        let message = problem.message.clone();
        view! {
            <p class="error" role="alert">
                {message}
            </p>
        }
    });
    if forgotten.is_none() && facts.is_none() && problem.is_none() {
        return String::new();
    }
    html(view! {
        {forgotten}
        {facts}
        {problem}
    })
}

/// What can be done with a token that is there, after the buttons that get one.
pub fn actions(view: &ConnectorView) -> String {
    let Some(token) = &view.credentials.token else { return String::new() };
    let label = if token.can_be_revoked { "Revoke token" } else { "Forget token" };
    let question =
        (view.outcome == Outcome::RevokeToConfirm).then(|| view! { <ConfirmRevoke view=view.clone() /> });
    let refresh = token.refresh.is_some().then(|| {
        view! {
            <button class="button" type="submit" name="intent" value=Button::RefreshToken.to_string()>
                "Refresh now"
            </button>
        }
    });
    html(view! {
        {refresh}
        <button class="button danger" type="submit" name="intent" value=Button::Revoke.to_string()>
            {label}
        </button>
        {question}
    })
}

/// What stands in the way of a token, or what the buttons do.
pub fn hint(view: &ConnectorView) -> String {
    const HINT: &str =
        "Generating saves the form first. Preflight shows the exact request and what stands in its way.";
    html(view.credentials.obstacle.clone().unwrap_or_else(|| HINT.to_owned()))
}

#[component]
fn ConfirmRevoke(view: ConnectorView) -> impl IntoView {
    let can_be_revoked = view.credentials.token.as_ref().is_some_and(|token| token.can_be_revoked);
    let (what, label) = match can_be_revoked {
        true => (
            "The token is revoked at the provider and forgotten here; the secret stays. Integrations that use it stop working until another token is generated.",
            "Revoke it",
        ),
        false => (
            "The token is forgotten here; the provider has no way to revoke it, so it stays valid there until it runs out. Integrations stop getting it from here.",
            "Forget it",
        ),
    };
    let back = format!("{}#token", view.key.form_path());
    view! { <Question id="confirm-revoke" what=what button=Button::RevokeConfirmed label=label back=back /> }
}

/// A refresh failed, or can do so no more: the reason says of what.
pub fn is_failing(state: ConnectionState) -> bool {
    matches!(state, ConnectionState::Broken | ConnectionState::RefreshFailing)
}

#[component]
fn Facts(token: TokenView, state: StateWithReason) -> impl IntoView {
    let expiry = match (token.expires, token.remaining) {
        (Some(at), Some(remaining)) => view! {
            <span>
                <When moment=at />
                {format!(" ({remaining})")}
            </span>
        }
        .into_any(),
        _ => view! { <span>"The provider names none"</span> }.into_any(),
    };
    let refresh = match token.refresh {
        Some(at) => view! { <When moment=at /> }.into_any(),
        None => view! { <span>"Not possible: the provider gave no refresh token"</span> }.into_any(),
    };
    let refresh = (!token.is_refused).then_some(refresh);
    let scopes =
        |scopes: Vec<String>| if scopes.is_empty() { "none named".to_owned() } else { scopes.join(" ") };
    let warnings = [
        (!token.outdated.is_empty()).then(|| {
            format!(
                "The token is older than the form: {} changed since. Regenerate it to match.",
                token.outdated.join(", ")
            )
        }),
        (!token.refused.is_empty()).then(|| {
            format!("The provider granted less than was asked for. Not granted: {}", token.refused.join(" "))
        }),
        token.other_company.map(|company| {
            format!("The provider says that the token is for company {company}; the form says another one.")
        }),
        // What a refresh failed of, and since when; what else a state can be is said above.
        state.reason.filter(|_| is_failing(state.state)),
    ];
    let warnings = warnings.into_iter().flatten().map(|warning| {
        view! { <p class="notice warn">{warning}</p> }
    });
    // The reason stands above.
    let state = StateWithReason { state: state.state, reason: None };
    view! {
        {warnings.collect::<Vec<_>>()}
        <Causes causes=token.causes />
        <dl class="token-facts">
            <div>
                <dt>"State"</dt>
                <dd>
                    <StateLabel state=state />
                </dd>
            </div>
            <div>
                <dt>"Expires"</dt>
                <dd>{expiry}</dd>
            </div>
            <div>
                <dt>"Age"</dt>
                <dd>{token.age}</dd>
            </div>
            {refresh
                .map(|refresh| {
                    view! {
                        <div>
                            <dt>"Next refresh"</dt>
                            <dd>{refresh}</dd>
                        </div>
                    }
                })}
            <div>
                <dt>"Generated"</dt>
                <dd>
                    <When moment=token.obtained />
                    {format!(" by {}", token.by)}
                </dd>
            </div>
            <div>
                <dt>"Configuration"</dt>
                <dd>
                    <code>{token.fingerprint}</code>
                </dd>
            </div>
            <div>
                <dt>"Scopes requested"</dt>
                <dd>{scopes(token.requested)}</dd>
            </div>
            <div>
                <dt>"Scopes granted"</dt>
                <dd>{scopes(token.granted)}</dd>
            </div>
            {(!token.extra.is_empty())
                .then(|| {
                    view! {
                        <div>
                            <dt>"Came with it"</dt>
                            <dd>{token.extra.join(", ")}</dd>
                        </div>
                    }
                })}
        </dl>
    }
    .into_any()
}
