//! The parts of the connector form that only show: rendered here, on the server, and sent as HTML, so that the browser's
//! half has no code for them. Their buttons are buttons of the form around them; links that mean something to the awake
//! page carry a `data-` attribute, which `form::clicks` reads.
//!
//! A panel is a variant of [`Panel`], a component here, and its slot in the form or on the page.

mod conflict;
pub mod fixed;
mod history;
mod provider;
mod question;
mod secret;
mod token;

use crate::components::labels::{DraftChip, StateLabel, When};
use crate::form::view::{AttemptProgress, FormView, Panel, RenderedPanel, TokenControls};
use crate::views::{AttemptView, ConnectorView, OthersThatDiffer};
use ipack_domain::connection_state::StateWithReason;
use leptos::prelude::*;
use std::hash::{DefaultHasher, Hasher};
use strum::VariantArray;

/// The form as it is sent. A panel whose digest is in `shown` stands on the page already, and goes without its HTML.
pub fn form_view(view: ConnectorView, shown: &[u32]) -> FormView {
    let panels = Panel::VARIANTS.iter().map(|panel| {
        let html = render(*panel, &view);
        let digest = digest(*panel, &html);
        let html = (!shown.contains(&digest)).then_some(html);
        RenderedPanel { panel: *panel, digest, html }
    });
    let panels = panels.collect();
    let credentials = view.credentials;
    FormView {
        key: view.key,
        base: view.base,
        outcome: view.outcome,
        attempted: view.attempted,
        missing: view.missing,
        is_saved: view.saved.is_some(),
        has_draft: view.draft.is_some(),
        conflict: view.conflict.map(|conflict| conflict.version),
        tokens: TokenControls {
            has_token: credentials.token.is_some(),
            has_obstacle: credentials.obstacle.is_some(),
            has_window: credentials.has_window,
            seconds_left: credentials.seconds_left,
            acts_for_subject: credentials.acts_for_subject,
            has_private_key: credentials.has_private_key,
        },
        has_regions: !credentials.facts.regions.is_empty(),
        words: credentials.facts.words.clone(),
        client_secret: secret::client_secret_prompt(&credentials),
        password: secret::password_prompt(&credentials),
        problems: credentials.problems,
        attempt: credentials.attempt.map(progress),
        panels,
    }
}

pub fn progress(attempt: AttemptView) -> AttemptProgress {
    AttemptProgress { id: attempt.id, stage: attempt.stage, address: attempt.address }
}

/// Of what stands in a panel: two panels that are empty differ.
fn digest(panel: Panel, html: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u8(panel as u8);
    hasher.write(html.as_bytes());
    (hasher.finish() >> 32) as u32
}

fn render(panel: Panel, view: &ConnectorView) -> String {
    match panel {
        Panel::Status => status(view),
        Panel::Conflict => view.conflict.clone().map(conflict::conflict).unwrap_or_default(),
        Panel::Draft => draft_notice(view),
        Panel::ProviderFacts => provider::facts(view),
        Panel::RedirectUri => provider::redirect_uri(view),
        Panel::GrantOptions => fixed::grants(view),
        Panel::RegionOptions => fixed::regions(view),
        Panel::ClientSecret => secret::client_secret(view),
        Panel::Password => secret::password(&view.credentials),
        Panel::Attempt => token::attempt(view),
        Panel::Token => token::token(view),
        Panel::TokenActions => token::actions(view),
        Panel::TokenHint => token::hint(view),
        Panel::OtherEnvironments => other_environments(view),
        Panel::Saved => saved(view),
        Panel::History => history::history(view.history.clone()),
    }
}

/// What a component shows, as text.
fn html(view: impl IntoView) -> String {
    view.into_any().to_html()
}

fn status(view: &ConnectorView) -> String {
    let StateWithReason { state, reason } = view.credentials.state.clone();
    // Of a refresh that failed it stands beside the token.
    let reason = reason.filter(|_| !token::is_failing(state));
    let state = StateWithReason { state, reason };
    let draft = view.draft.as_ref().map(|_| view! { <DraftChip /> });
    html(view! {
        <StateLabel state=state />
        " "
        {draft}
    })
}

fn draft_notice(view: &ConnectorView) -> String {
    if view.draft.is_none() {
        return String::new();
    }
    html(view! {
        <p class="notice">
            <DraftChip />
            " Kept as your draft. Save puts it into effect."
        </p>
    })
}

fn other_environments(view: &ConnectorView) -> String {
    let OthersThatDiffer { names, more } = &view.others;
    let more = (*more > 0).then(|| format!("up to {more} more"));
    let different: Vec<&str> = names.iter().chain(&more).map(String::as_str).collect();
    html(if different.is_empty() {
        "Saving writes the same values everywhere it is attached.".to_owned()
    } else {
        format!("Saving also replaces what is saved now for {}.", different.join(", "))
    })
}

fn saved(view: &ConnectorView) -> String {
    let Some(saved) = view.saved.clone() else { return String::new() };
    html(view! { <p class="meta">{format!("Saved by {} ", saved.by)} <When moment=saved.at /></p> })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_a_character_or_in_its_place_is_sent_again() {
        let digest_of_saved = digest(Panel::Saved, "<p>Saved</p>");
        assert_eq!(digest_of_saved, digest(Panel::Saved, "<p>Saved</p>"));
        assert_ne!(digest_of_saved, digest(Panel::Saved, "<p>saved</p>"));
        assert_ne!(digest(Panel::Conflict, ""), digest(Panel::Draft, ""));
    }
}
