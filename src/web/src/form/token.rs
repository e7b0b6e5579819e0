//! The access token's buttons. What is known of the token is a panel.

use crate::form::{erased, panels::Slot, state::FormState, view::Panel};
use ipack_domain::button::Button;
use leptos::prelude::*;
use std::time::Duration;

/// Seconds. Shorter lives are not followed second by second, and a browser's timer counts no longer than weeks.
const LEAST_WAIT: u32 = 30;
const LONGEST_WAIT: u32 = 14 * 24 * 3_600;

#[component]
pub fn AccessToken(state: FormState) -> impl IntoView {
    // What is said of a token holds until it is over.
    Effect::new(move |_| {
        let left = state.view.with(|view| view.tokens.seconds_left);
        let Some(left) = left.filter(|left| *left < LONGEST_WAIT) else { return };
        let wait = Duration::from_secs(u64::from(left.max(LEAST_WAIT)) + 1);
        if let Ok(timer) = set_timeout_with_handle(move || state.look_again(), wait) {
            on_cleanup(move || timer.clear());
        }
    });
    let has_token = move || state.view.with(|view| view.tokens.has_token);
    let has_obstacle = move || state.view.with(|view| view.tokens.has_obstacle);
    let class = move || {
        let is_next = !has_obstacle() && !has_token();
        if is_next { "button primary" } else { "button" }
    };
    erased(view! {
        <section class="card" aria-labelledby="token">
            <h2 id="token" tabindex="-1">
                "Access token"
            </h2>
            <div
                class="attempt"
                role="status"
                id=Panel::Attempt.id()
                inner_html=state.html(Panel::Attempt)
            ></div>
            <Slot state=state panel=Panel::Token />
            <div class="buttons">
                <button
                    class=class
                    type="submit"
                    name="intent"
                    value=Button::Generate.to_string()
                    disabled=move || has_obstacle() || state.is_announced()
                    aria-describedby="token-hint"
                >
                    {move || if has_token() { "Regenerate Token" } else { "Generate Token" }}
                </button>
                <button class="button" type="submit" name="intent" value=Button::Preflight.to_string()>
                    "Preflight"
                </button>
                <Slot state=state panel=Panel::TokenActions />
            </div>
            <p class="hint" id="token-hint" inner_html=state.html(Panel::TokenHint)></p>
        </section>
    })
}
