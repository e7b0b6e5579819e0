//! A text about the provider: an input of the form for one of the fields of `ProviderChoice`.

use crate::form::{browser::provider_id, state::FormState};
use ipack_domain::provider::ProviderChoice;
use leptos::prelude::*;

pub fn change(state: FormState, write: impl FnOnce(&mut ProviderChoice)) {
    state.provider.update(write);
    state.typed();
}

/// A text about the provider.
#[component]
pub fn Text(
    state: FormState,
    field: &'static str,
    label: &'static str,
    hint: &'static str,
    read: fn(&ProviderChoice) -> &String,
    write: fn(&mut ProviderChoice, String),
) -> impl IntoView {
    let id = provider_id(field);
    let hint_id = format!("{id}-hint");
    view! {
        <label for=id.clone()>{label}</label>
        <p class="hint" id=hint_id.clone()>
            {hint}
        </p>
        <input
            id=id
            name=format!("content[provider][{field}]")
            type="text"
            value=state.provider.with_untracked(|choice| read(choice).clone())
            prop:value=move || state.provider.with(|choice| read(choice).clone())
            on:input=move |event| change(state, |choice| write(choice, event_target_value(&event)))
            aria-describedby=hint_id
            autocomplete="off"
            autocapitalize="none"
            spellcheck="false"
        />
    }
    .into_any()
}
