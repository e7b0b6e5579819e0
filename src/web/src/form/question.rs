//! What is asked before it is done: something that stops what others rely on.

use crate::form::{browser::focus_if_lost, state::FormState};
use ipack_domain::{button::Button, post::Outcome};
use leptos::prelude::*;

#[component]
pub fn Question(
    state: FormState,
    id: &'static str,
    /// What will happen, for whoever decides.
    what: &'static str,
    /// The button that does it, and its name.
    button: Button,
    label: &'static str,
    /// Where on the page it is, for the way back without scripts.
    place: &'static str,
) -> impl IntoView {
    let keep = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        state.view.update(|view| view.outcome = Outcome::Loaded);
        focus_if_lost(place.trim_start_matches('#'));
    };
    let form = state.view.with_untracked(|view| format!("{}{place}", view.key.form_path()));
    view! {
        <div class="notice bad" role="alert" id=id tabindex="-1">
            <p>{what}</p>
            <div class="buttons">
                <button class="button danger" type="submit" name="intent" value=button.to_string()>
                    {label}
                </button>
                <a class="button quiet" href=form on:click=keep>
                    "Keep it"
                </a>
            </div>
        </div>
    }
    .into_any()
}
