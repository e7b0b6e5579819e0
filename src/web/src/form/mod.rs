//! The connector form, the one part of the site that wakes up in the browser.
//!
//! `state` is what is typed, and `sending` how it is kept and saved; the other files are parts of the view. All of it
//! works before and without the browser's half: each button is a submit button of one plain form. Inputs follow from the
//! registry in `domain::fields`.
//!
//! What only shows is a panel: `panels` says where it stands, and the server renders it.

mod attempt;
mod browser;
mod clicks;
mod fields;
mod input_error;
mod inputs;
mod memory;
mod notices;
pub mod panels;
mod parameters;
mod pending_request;
mod problems;
mod provider;
mod rows;
mod save_status;
mod secret;
mod sending;
mod state;
mod token;
pub mod view;

use ipack_domain::{
    button::Button,
    fields::{MenuField, Table},
};
use leptos::{ev::SubmitEvent, html, prelude::*};
use panels::Slot;
use save_status::SaveStatus;
use serde::{Deserialize, Serialize};
use state::FormState;
use strum::VariantArray;
use view::{FormView, Panel};

/// What the form starts with; the page carries it as JSON for the browser's half.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConnectorStart {
    pub view: FormView,
    /// Whose unsent typing is whose: [`SignedIn::admin`](crate::views::SignedIn).
    pub admin: String,
    #[serde(skip)]
    pub fixed: FixedParts,
}

/// What never changes on a page. The server writes it there, and the page that wakes up leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct FixedParts {
    pub environment: String,
    /// The choices of each menu, as HTML; none where a panel has them.
    pub options: [String; MenuField::VARIANTS.len()],
}

/// On the server each part answers an `AnyView`: put together, their own types make frames that a thread's stack does not
/// hold. In the browser those would bring code along for ways of waking up that no page takes.
#[cfg(feature = "ssr")]
fn erased(view: impl IntoView) -> AnyView {
    view.into_any()
}

#[cfg(not(feature = "ssr"))]
fn erased<V: IntoView>(view: V) -> V {
    view
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
    let start = root
        .get_attribute(START)
        .and_then(|json| serde_json::from_slice::<ConnectorStart>(json.as_bytes()).ok());
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
    let ConnectorStart { view, admin, fixed } = start;
    let key = view.key.clone();
    let form_path = key.form_path();
    let form = NodeRef::<html::Form>::new();
    let state = FormState::new(view, admin, fixed, form);
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
    erased(view! {
        <form
            class="connector"
            method="post"
            action="/api/connector"
            novalidate
            node_ref=form
            data-connection=form_path
            on:submit=submit
            on:click=move |event| state.clicked(&event)
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
            <Slot state=state panel=Panel::Conflict />
            <Slot state=state panel=Panel::Draft />
            <fields::Details state=state />
            <provider::Provider state=state />
            <parameters::Parameters state=state table=Table::Authorization />
            <parameters::Parameters state=state table=Table::AccessToken />
            <fields::AppliesTo state=state />
            <token::AccessToken state=state />
            <ActionBar state=state />
        </form>
    })
}

#[component]
fn ActionBar(state: FormState) -> impl IntoView {
    let has_draft = move || {
        state.view.with(|view| view.has_draft)
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
    erased(view! {
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
                <Slot state=state panel=Panel::Saved />
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
    })
}
