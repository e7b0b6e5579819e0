//! The access token: getting one, how that goes, and what is known of the one that is there.

use crate::components::labels::{StateLabel, When};
use crate::form::{question::Question, state::FormState};
use crate::views::TokenView;
use ipack_domain::{
    button::Button,
    connection_state::{ConnectionState, StateWithReason},
    post::Outcome,
    tokens::{CredentialField, Stage},
};
use leptos::prelude::*;
use std::time::Duration;

/// Seconds. Shorter lives are not followed second by second, and a browser's timer counts no longer than weeks.
const LEAST_WAIT: u32 = 30;
const LONGEST_WAIT: u32 = 14 * 24 * 3_600;

#[component]
pub fn AccessToken(state: FormState) -> impl IntoView {
    let token = Memo::new(move |_| state.view.with(|view| view.credentials.token.clone()));
    let standing = Memo::new(move |_| state.view.with(|view| view.credentials.standing.clone()));
    // What is said of a token holds until it is over.
    Effect::new(move |_| {
        let left = state.view.with(|view| view.credentials.seconds_left);
        let Some(left) = left.filter(|left| *left < LONGEST_WAIT) else { return };
        let wait = Duration::from_secs(u64::from(left.max(LEAST_WAIT)) + 1);
        if let Ok(timer) = set_timeout_with_handle(move || state.look_again(), wait) {
            on_cleanup(move || timer.clear());
        }
    });
    let obstacle = Memo::new(move |_| state.view.with(|view| view.credentials.obstacle.clone()));
    let is_busy =
        move || state.attempt.with(|attempt| attempt.as_ref().is_some_and(|attempt| attempt.id.is_empty()));
    // All is there but the token.
    let is_next = move || obstacle.with(Option::is_none) && token.with(Option::is_none);
    let is_forgotten = Memo::new(move |_| state.view.with(|view| view.outcome == Outcome::Forgotten));
    let problem = Memo::new(move |_| {
        state.view.with(|view| {
            let problem = view.credentials.problems.iter().find(|one| one.field == CredentialField::Token);
            problem.map(|problem| problem.message.clone())
        })
    });
    let asks_to_revoke = Memo::new(move |_| {
        state.view.with(|view| view.outcome == Outcome::RevokeToConfirm && view.credentials.token.is_some())
    });
    let label = move || if token.with(Option::is_some) { "Regenerate Token" } else { "Generate Token" };
    view! {
        <section class="card" aria-labelledby="token">
            <h2 id="token" tabindex="-1">
                "Access token"
            </h2>
            <Progress state=state />
            {move || {
                is_forgotten
                    .get()
                    .then(|| {
                        view! {
                            <p class="attempt" role="status">
                                "Forgotten here. What the provider answers stands in the history."
                            </p>
                        }
                    })
            }}
            {move || token.get().map(|token| view! { <Facts token=token standing=standing.get() /> })}
            {move || {
                problem
                    .get()
                    .map(|message| {
                        view! {
                            <p class="error" role="alert">
                                {message}
                            </p>
                        }
                    })
            }}
            <div class="buttons">
                <button
                    class=move || if is_next() { "button primary" } else { "button" }
                    type="submit"
                    name="intent"
                    value=Button::Generate.to_string()
                    disabled=move || obstacle.with(Option::is_some) || is_busy()
                    aria-describedby="token-hint"
                >
                    {label}
                </button>
                <button class="button" type="submit" name="intent" value=Button::Preflight.to_string()>
                    "Preflight"
                </button>
                {move || {
                    token
                        .get()
                        .map(|token| {
                            let label = if token.can_be_revoked { "Revoke token" } else { "Forget token" };
                            view! {
                                <button
                                    class="button danger"
                                    type="submit"
                                    name="intent"
                                    value=Button::Revoke.to_string()
                                >
                                    {label}
                                </button>
                            }
                        })
                }}
            </div>
            {move || asks_to_revoke.get().then(|| view! { <ConfirmRevoke state=state /> })}
            <p class="hint" id="token-hint">
                {move || {
                    obstacle
                        .get()
                        .unwrap_or_else(|| {
                            "Generating saves the form first. Preflight shows the exact request and what stands in its way."
                                .to_owned()
                        })
                }}
            </p>
        </section>
    }
    .into_any()
}

#[component]
fn ConfirmRevoke(state: FormState) -> impl IntoView {
    let can_be_revoked = state
        .view
        .with_untracked(|view| view.credentials.token.as_ref().is_some_and(|token| token.can_be_revoked));
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
    view! {
        <Question
            state=state
            id="confirm-revoke"
            what=what
            button=Button::RevokeConfirmed
            label=label
            place="#token"
        />
    }
}

/// How an attempt goes, and how the last one went.
#[component]
fn Progress(state: FormState) -> impl IntoView {
    // What went well once is not shown as good beside what is wrong now.
    let is_ok =
        Memo::new(move |_| state.view.with(|view| view.credentials.standing.state == ConnectionState::Ok));
    view! {
        <div class="attempt" role="status" id="attempt">
            {move || {
                state
                    .attempt
                    .get()
                    .map(|attempt| {
                        let class = match attempt.stage {
                            Stage::Succeeded if is_ok.get() => "message good",
                            Stage::Failed => "message bad",
                            Stage::Succeeded | Stage::Opening | Stage::Initializing => "message",
                        };
                        let step = if attempt.stage == Stage::Opening { "1" } else { "2" };
                        view! {
                            <p class=class>{attempt.message}</p>
                            {(!attempt.stage.is_over())
                                .then(|| {
                                    view! {
                                        <progress
                                            max="3"
                                            value=step
                                            aria-label=format!("Step {step} of 3")
                                        ></progress>
                                    }
                                })}
                            {attempt.advice.map(|advice| view! { <p class="advice">{advice}</p> })}
                            {attempt
                                .address
                                .filter(|_| attempt.stage == Stage::Opening)
                                .map(|address| {
                                    view! {
                                        <p class="meta">
                                            "Waiting for the identity provider. "
                                            <a href=address>"Continue there"</a>
                                            ", or generate the token again if its window is gone."
                                            {attempt
                                                .lapses
                                                .map(|at| {
                                                    view! {
                                                        " The attempt lapses "
                                                        <When moment=at />
                                                        "."
                                                    }
                                                })}
                                        </p>
                                    }
                                })}
                        }
                    })
            }}
        </div>
    }
    .into_any()
}

#[component]
fn Facts(token: TokenView, standing: StateWithReason) -> impl IntoView {
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
        token.failure,
    ];
    let warnings = warnings.into_iter().flatten().map(|warning| {
        view! { <p class="notice warn">{warning}</p> }
    });
    view! {
        {warnings.collect::<Vec<_>>()}
        <dl class="token-facts">
            <div>
                <dt>"State"</dt>
                <dd>
                    <StateLabel standing=standing />
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
