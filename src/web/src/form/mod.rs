//! The connector form, the one part of the site that wakes up in the browser.
//!
//! `state` is what is typed, and `sending` how it is kept and saved; the other files are parts of the view. All of it
//! works before and without the browser's half: each button is a submit button of one plain form. Inputs follow from the
//! registry in `domain::fields`.
//!
//! Each part answers an `AnyView`: put together, their own types make frames that a thread's stack does not hold.

mod attempt;
mod browser;
mod conflict;
mod fields;
mod input_error;
mod inputs;
mod memory;
mod notices;
mod parameters;
mod pending_request;
mod problems;
mod provider;
mod question;
mod rows;
mod save_status;
mod secret;
mod sending;
mod side;
mod state;
mod token;

use crate::components::labels::{ClassificationChip, DraftChip, StateLabel, When};
use crate::views::{ConnectorView, ProviderOption};
use ipack_domain::{
    button::Button,
    fields::Table,
    ids::{instance_path, segment},
    suggestions::{Suggestion, SuggestionField},
};
use leptos::{ev::SubmitEvent, html, prelude::*};
use save_status::SaveStatus;
use serde::{Deserialize, Serialize};
use state::FormState;

/// What the form starts with; the page carries it as JSON for the browser's half.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConnectorStart {
    pub view: ConnectorView,
    /// Whose unsent typing is whose: [`SignedIn::admin`](crate::views::SignedIn).
    pub admin: String,
    /// What can be chosen; they never change, so no answer carries them again.
    pub providers: Vec<ProviderOption>,
}

/// The id of the element that holds the form and nothing else.
pub const ROOT: &str = "connector";
/// The root's attribute with the [`ConnectorStart`].
pub const START: &str = "data-start";

/// Wakes the form up, where the page has one.
#[cfg(feature = "hydrate")]
pub fn wake_up() {
    use wasm_bindgen::JsCast;
    let Some(root) = document().get_element_by_id(ROOT) else { return };
    let Some(root) = root.dyn_into::<web_sys::HtmlElement>().ok() else { return };
    let start = root.get_attribute(START).and_then(|json| serde_json::from_str::<ConnectorStart>(&json).ok());
    if let Some(start) = start {
        leptos::mount::hydrate_from(root, move || view! { <Connector start=start /> }).forget();
        // Tells tests, and whoever looks, that the page is awake.
        if let Some(body) = document().body() {
            let _ = body.set_attribute("data-hydrated", "true");
        }
    }
}

#[component]
pub fn Connector(start: ConnectorStart) -> impl IntoView {
    let ConnectorStart { view, admin, providers } = start;
    let names = view.names.clone();
    let key = view.key.clone();
    let form_path = key.form_path();
    let back = format!(
        "{}?environment={}&process={}",
        instance_path(&key.space, &key.instance),
        segment(&key.environment),
        segment(&key.process)
    );
    let suggestions = view.suggestions.clone();
    let form = NodeRef::<html::Form>::new();
    let state = FormState::new(view, admin, form);
    problems::FormProblems::provide(state);
    state.wake_up();

    let submit = move |event: SubmitEvent| {
        let pressed = event.submitter().and_then(|button| button.get_attribute("value"));
        let button = pressed.map_or(Some(Button::Save), |intent| Button::parse(&intent));
        // A button that is not known here goes to the server as it is, which says so.
        if let Some(button) = button {
            event.prevent_default();
            state.press(button);
        }
    };
    let standing = Memo::new(move |_| state.view.with(|view| view.credentials.standing.clone()));
    let has_draft = move || state.view.with(|view| view.draft.is_some());
    view! {
        <nav class="breadcrumb" aria-label="Breadcrumb">
            <ol>
                <li>
                    <a href="/">"Installed integrations"</a>
                </li>
                <li>
                    <a href=back>{names.instance}</a>
                </li>
            </ol>
        </nav>
        <header class="page-header">
            <div>
                <h1>{names.connection}</h1>
                <dl class="facts">
                    <div>
                        <dt>"Environment"</dt>
                        <dd>
                            {names.environment.clone()} " "
                            <ClassificationChip classification=names.classification />
                        </dd>
                    </div>
                    <div>
                        <dt>"Process"</dt>
                        <dd>{names.process}</dd>
                    </div>
                    <div>
                        <dt>"Space"</dt>
                        <dd>{names.space}</dd>
                    </div>
                    <div>
                        <dt>"Status"</dt>
                        <dd>
                            {move || view! { <StateLabel standing=standing.get() /> }} " "
                            {move || has_draft().then(|| view! { <DraftChip /> })}
                        </dd>
                    </div>
                </dl>
            </div>
        </header>
        <div class="split">
            <form
                class="connector"
                method="post"
                action="/api/connector"
                novalidate
                node_ref=form
                data-connection=form_path
                on:submit=submit
            >
                // Enter in a field presses the first button of a form.
                <button
                    class="visually-hidden"
                    type="submit"
                    name="intent"
                    value=Button::Save.to_string()
                    tabindex="-1"
                    aria-hidden="true"
                >
                    "Save"
                </button>
                <fields::Hidden state=state key=key />
                <notices::SessionEnded state=state />
                <notices::Problems state=state />
                <conflict::ConflictPanel state=state />
                <notices::DraftNotice state=state />
                <fields::Details state=state suggestions=suggestions.clone() />
                <provider::Provider state=state providers=providers />
                <parameters::Parameters
                    state=state
                    table=Table::Authorization
                    suggestions=suggestions.clone()
                />
                <parameters::Parameters state=state table=Table::AccessToken suggestions=suggestions />
                <fields::AppliesTo state=state environment=names.environment />
                <token::AccessToken state=state />
                <ActionBar state=state />
            </form>
            <side::History state=state />
        </div>
    }
    .into_any()
}

#[component]
fn ActionBar(state: FormState) -> impl IntoView {
    let saved = move || state.view.with(|view| view.saved.clone());
    let has_draft = move || {
        state.view.with(|view| view.draft.is_some())
            || matches!(state.keep.get(), SaveStatus::Pending | SaveStatus::Failed(_))
    };
    let status = move || {
        let missing: Vec<_> = state.view.with(|view| view.missing.iter().map(|part| part.label()).collect());
        match state.keep.get() {
            SaveStatus::Saved if !missing.is_empty() && !state.lacks_secret() => {
                format!("Saved. Still missing: {}", missing.join(", "))
            }
            keep => keep.text(state.lacks_secret()),
        }
    };
    let has_conflict = move || state.view.with(|view| view.conflict.is_some());
    view! {
        <div class="action-bar">
            <div>
                <p
                    tabindex="-1"
                    class="keep-status"
                    role="status"
                    id="keep-status"
                    data-state=move || state.keep.get().name(state.lacks_secret())
                >
                    {status}
                </p>
                {move || {
                    saved()
                        .map(|saved| {
                            view! {
                                <p class="meta">
                                    {format!("Saved by {} ", saved.by)} <When moment=saved.at />
                                </p>
                            }
                        })
                }}
            </div>
            <div>
                {move || {
                    has_draft()
                        .then(|| {
                            view! {
                                <button
                                    class="button quiet"
                                    type="submit"
                                    name="intent"
                                    value=Button::Discard.to_string()
                                >
                                    "Discard changes"
                                </button>
                            }
                        })
                }}
                <button
                    class=move || if has_conflict() { "button" } else { "button primary" }
                    type="submit"
                    name="intent"
                    value=Button::Save.to_string()
                >
                    "Save"
                </button>
            </div>
        </div>
    }
    .into_any()
}

/// The values an account used before, for an input's `list`.
#[component]
fn Earlier(field: SuggestionField, suggestions: Vec<Suggestion>) -> impl IntoView {
    let options = suggestions
        .into_iter()
        .filter(|suggestion| suggestion.field == field)
        .map(|suggestion| view! { <option value=suggestion.value></option> });
    view! { <datalist id=field.list()>{options.collect::<Vec<_>>()}</datalist> }
}
