//! The inputs by their kinds, as the registry describes them, and what the plain form sends along unseen.

use crate::form::{
    Earlier, input_error::InputError, problems::FormProblems, secret::ClientSecret, state::FormState,
};
use crate::views::OtherState;
use ipack_domain::{
    fields::{Check, MenuField, Section, SwitchField, TextField},
    ids::ConnectionKey,
    suggestions::{Suggestion, SuggestionField},
};
use leptos::prelude::*;
use strum::VariantArray;

/// The ids and what the page had seen, for a post without JavaScript.
#[component]
pub fn Hidden(state: FormState, key: ConnectionKey) -> impl IntoView {
    view! {
        <input type="hidden" name="key[space]" value=key.space />
        <input type="hidden" name="key[instance]" value=key.instance />
        <input type="hidden" name="key[environment]" value=key.environment />
        <input type="hidden" name="key[process]" value=key.process />
        <input type="hidden" name="key[connection]" value=key.connection />
        <input type="hidden" name="base" value=move || state.view.with(|view| view.base.to_json()) />
    }
    .into_any()
}

#[component]
pub fn Details(state: FormState, suggestions: Vec<Suggestion>) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="details">
            <h2 id="details">"Connection details"</h2>
            <div class="fields">{texts(state, Section::Details)} <ClientSecret state=state /></div>
            {SuggestionField::all()
                .filter(|field| matches!(field, SuggestionField::Text(_)))
                .map(|field| view! { <Earlier field=field suggestions=suggestions.clone() /> })
                .collect::<Vec<_>>()}
        </section>
    }
    .into_any()
}

/// The inputs of a section's texts.
pub fn texts(state: FormState, section: Section) -> Vec<AnyView> {
    let texts = TextField::VARIANTS.iter().copied();
    let texts = texts.filter(|field| field.about().section == section);
    texts.map(|field| view! { <TextInput state=state field=field /> }.into_any()).collect()
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
    view! {
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
                autocapitalize="none"
                spellcheck="false"
                aria-describedby=described_by
                aria-invalid=move || problem.get().map(|_| "true")
            />
            <InputError id=id problem=problem />
        </div>
    }
    .into_any()
}

/// An input whose choices are known, the first of them for none.
#[component]
pub fn MenuInput(state: FormState, field: MenuField, options: Vec<MenuOption>) -> impl IntoView {
    let about = field.about();
    let value = state.inputs.menu(field);
    let id = about.id();
    let hint = (!about.hint.is_empty()).then(|| format!("{id}-hint"));
    let first = value.get_untracked();
    let option = |option: MenuOption| {
        let is_first = option.name == first;
        view! {
            <option value=option.name selected=is_first>
                {option.label}
            </option>
        }
    };
    let (known, plain): (Vec<_>, Vec<_>) = options.into_iter().partition(|option| option.is_known_provider);
    let known: Vec<_> = known.into_iter().map(&option).collect();
    view! {
        <div class=about.class()>
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
            >
                {plain.into_iter().map(option).collect::<Vec<_>>()}
                {(!known.is_empty()).then(|| view! { <optgroup label="Known providers">{known}</optgroup> })}
            </select>
        </div>
    }
    .into_any()
}

/// What the chosen provider itself calls a field, where it has another word for it.
#[component]
pub fn OwnWord(state: FormState, #[prop(into)] id: String) -> impl IntoView {
    let word = Memo::new(move |_| {
        state.view.with(|view| {
            let mut words = view.credentials.facts.words.iter();
            words.find(|(field, _)| *field == id).map(|(_, word)| word.clone())
        })
    });
    move || word.get().map(|word| view! { <span class="own-word">{word}</span> })
}

/// A line of a menu.
pub struct MenuOption {
    pub name: String,
    pub label: String,
    /// Known providers stand apart.
    pub is_known_provider: bool,
}

impl MenuOption {
    pub fn new(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self { name: name.into(), label: label.into(), is_known_provider: false }
    }
}

#[component]
pub fn SwitchInput(state: FormState, field: SwitchField) -> impl IntoView {
    let about = field.about();
    let value = state.inputs.switch(field);
    let id = about.id();
    let hint = format!("{id}-hint");
    view! {
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
    }
    .into_any()
}

#[component]
pub fn AppliesTo(state: FormState, environment: String) -> impl IntoView {
    let about = SwitchField::EveryEnvironment.about();
    let every = state.inputs.switch(SwitchField::EveryEnvironment);
    let choose = move |is_every: bool| {
        every.set(is_every);
        state.typed();
    };
    let elsewhere = move || {
        let different: Vec<String> = state.view.with(|view| {
            let others = view.others.iter().filter(|other| other.state == OtherState::Different);
            others.map(|other| other.name.clone()).collect()
        });
        if different.is_empty() {
            "Saving writes the same values everywhere it is attached.".to_owned()
        } else {
            format!("Saving also replaces what is saved now for {}.", different.join(", "))
        }
    };
    view! {
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
                        aria-describedby="every-environment-hint"
                        checked=every.get_untracked()
                        prop:checked=move || every.get()
                        on:change=move |_| choose(true)
                    />
                    <div>
                        <label for=about.id()>{about.label}</label>
                        <p class="hint" id="every-environment-hint">
                            {elsewhere}
                        </p>
                    </div>
                </div>
            </div>
        </fieldset>
    }
    .into_any()
}
