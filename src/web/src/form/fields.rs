//! The inputs by their kinds, as the registry describes them, and what the plain form sends along unseen.

use crate::form::{
    erased, input_error::InputError, problems::FormProblems, secret::ClientSecret, state::FormState,
    view::Panel,
};
use ipack_domain::{
    about::{Check, Section},
    fields::{MenuField, SwitchField, TextField},
    ids::ConnectionKey,
    suggestions::SuggestionField,
};
use leptos::prelude::*;
use strum::VariantArray;

/// The ids and what the page had seen, for a post without JavaScript.
#[component]
pub fn Hidden(state: FormState, key: ConnectionKey) -> impl IntoView {
    erased(view! {
        <input type="hidden" name="key[space]" value=key.space />
        <input type="hidden" name="key[instance]" value=key.instance />
        <input type="hidden" name="key[environment]" value=key.environment />
        <input type="hidden" name="key[process]" value=key.process />
        <input type="hidden" name="key[connection]" value=key.connection />
        <input type="hidden" name="base" value=move || state.view.with(|view| view.base.to_json()) />
    })
}

#[component]
pub fn Details(state: FormState) -> impl IntoView {
    erased(view! {
        <section class="card" aria-labelledby="details">
            <h2 id="details">"Connection details"</h2>
            <div class="fields">{texts(state, Section::Details)} <ClientSecret state=state /></div>
        </section>
    })
}

/// The inputs of a section's texts.
pub fn texts(state: FormState, section: Section) -> impl IntoView {
    let texts = TextField::VARIANTS.iter().copied();
    let texts = texts.filter(|field| field.about().section == section);
    texts.map(|field| view! { <TextInput state=state field=field /> }).collect::<Vec<_>>()
}

#[component]
fn TextInput(state: FormState, field: TextField) -> impl IntoView {
    let about = field.about();
    let value = state.inputs.text(field);
    let id = about.id();
    let problem = FormProblems::of_form().of_text(field);
    let described_by = {
        let id = id.clone();
        move || match problem.get() {
            Some(_) => format!("{id}-hint {id}-error"),
            None => format!("{id}-hint"),
        }
    };
    let list = SuggestionField::Text(field);
    let list = SuggestionField::all().any(|offered| offered == list).then(|| list.list());
    erased(view! {
        <div class=about.class()>
            <label for=id.clone()>{about.label}</label>
            <p class="hint" id=format!("{id}-hint")>
                {about.hint}
                <OwnWord state=state id=id.clone() />
            </p>
            <input
                id=id.clone()
                name=about.posted_name()
                type="text"
                value=value.get_untracked()
                prop:value=move || value.get()
                on:input=move |event| {
                    value.set(event_target_value(&event));
                    state.typed();
                }
                inputmode=matches!(about.check, Check::Url | Check::NeededUrl | Check::Issuer)
                    .then_some("url")
                list=list
                autocomplete="off"
                data-1p-ignore="true"
                data-bwignore="true"
                data-lpignore="true"
                autocapitalize="none"
                spellcheck="false"
                aria-describedby=described_by
                aria-invalid=move || problem.get().map(|_| "true")
            />
            <InputError id=id problem=problem />
        </div>
    })
}

/// What the chosen provider itself calls a field, where it has another word for it.
#[component]
pub fn OwnWord(state: FormState, #[prop(into)] id: String) -> impl IntoView {
    let word = move || {
        state.view.with(|view| {
            let mut words = view.words.iter();
            words.find(|(field, _)| *field == id).map(|(_, word)| word.clone()).unwrap_or_default()
        })
    };
    view! { <span class="own-word">{word}</span> }
}

/// An input whose choices are known, the first of them for none. The server writes the choices.
#[component]
pub fn MenuInput(state: FormState, field: MenuField) -> impl IntoView {
    let about = field.about();
    let value = state.inputs.menu(field);
    let id = about.id();
    let hint = (!about.hint.is_empty()).then(|| format!("{id}-hint"));
    let options = match field {
        MenuField::Grant => state.html(Panel::GrantOptions),
        MenuField::Region => state.html(Panel::RegionOptions),
        fixed => state.fixed(|parts| parts.options[fixed as usize].clone()),
    };
    let is_hidden = move || field == MenuField::Region && !state.view.with(|view| view.has_regions);
    erased(view! {
        <div class=about.class() hidden=is_hidden>
            <label for=id.clone()>{about.label}</label>
            {hint
                .clone()
                .map(|hint| {
                    view! {
                        <p class="hint" id=hint>
                            {about.hint}
                        </p>
                    }
                })}
            <select
                id=id
                name=about.posted_name()
                aria-describedby=hint
                prop:value=move || value.get()
                on:change=move |event| {
                    value.set(event_target_value(&event));
                    state.typed();
                }
                inner_html=options
            ></select>
        </div>
    })
}

#[component]
pub fn SwitchInput(state: FormState, field: SwitchField) -> impl IntoView {
    let about = field.about();
    let value = state.inputs.switch(field);
    let id = about.id();
    let hint = format!("{id}-hint");
    erased(view! {
        <div class=format!("wide check{}", about.asked.class())>
            <input
                type="checkbox"
                id=id.clone()
                name=about.posted_name()
                value="true"
                checked=value.get_untracked()
                prop:checked=move || value.get()
                on:change=move |event| {
                    value.set(event_target_checked(&event));
                    state.typed();
                }
                aria-describedby=hint.clone()
            />
            <div>
                <label for=id>{about.label}</label>
                <p class="hint" id=hint>
                    {about.hint}
                </p>
            </div>
        </div>
    })
}

#[component]
pub fn AppliesTo(state: FormState) -> impl IntoView {
    let about = SwitchField::EveryEnvironment.about();
    let every = state.inputs.switch(SwitchField::EveryEnvironment);
    let choose = move |is_every: bool| {
        every.set(is_every);
        state.typed();
    };
    let environment = state.fixed(|fixed| fixed.environment.clone());
    erased(view! {
        <fieldset class="card">
            <legend>"Applies to"</legend>
            <div class="choices">
                <div class="choice">
                    <input
                        type="radio"
                        id="this-environment"
                        name=about.posted_name()
                        value="false"
                        aria-describedby="this-environment-hint"
                        checked=!every.get_untracked()
                        prop:checked=move || !every.get()
                        on:change=move |_| choose(false)
                    />
                    <div>
                        <label for="this-environment">"This environment only"</label>
                        <p class="hint" id="this-environment-hint">
                            {format!("{environment} gets these values; others keep their own.")}
                        </p>
                    </div>
                </div>
                <div class="choice">
                    <input
                        type="radio"
                        id=about.id()
                        name=about.posted_name()
                        value="true"
                        aria-describedby=Panel::OtherEnvironments.id()
                        checked=every.get_untracked()
                        prop:checked=move || every.get()
                        on:change=move |_| choose(true)
                    />
                    <div>
                        <label for=about.id()>{about.label}</label>
                        <p
                            class="hint"
                            id=Panel::OtherEnvironments.id()
                            inner_html=state.html(Panel::OtherEnvironments)
                        ></p>
                    </div>
                </div>
            </div>
        </fieldset>
    })
}
