//! The three fields, the choice where they apply, and what the plain form sends along unseen.

use crate::form::{
    Earlier, input_error::InputError, problems::FormProblems, secret::ClientSecret, state::FormState,
};
use crate::views::OtherState;
use ipack_domain::{
    form::{Part, ProblemLocation},
    ids::ConnectionKey,
    suggestions::{Suggestion, SuggestionField},
};
use leptos::prelude::*;

/// The ids and what the page had seen, for a post without JavaScript.
#[component]
pub fn Hidden(state: FormState, key: ConnectionKey) -> impl IntoView {
    let seen = Part::ALL.into_iter().map(move |part| {
        let value = move || state.view.with(|view| view.seen.part(part).to_owned());
        view! { <input type="hidden" name=format!("seen[{}]", part.name()) value=value /> }
    });
    view! {
        <input type="hidden" name="key[space]" value=key.space />
        <input type="hidden" name="key[instance]" value=key.instance />
        <input type="hidden" name="key[environment]" value=key.environment />
        <input type="hidden" name="key[process]" value=key.process />
        <input type="hidden" name="key[connection]" value=key.connection />
        <input
            type="hidden"
            name="base_version"
            value=move || state.view.with(|view| view.base_version.to_string())
        />
        {seen.collect::<Vec<_>>()}
        <input
            type="hidden"
            name="seen[others]"
            value=move || state.view.with(|view| view.seen.others.clone())
        />
    }
    .into_any()
}

#[component]
pub fn Details(state: FormState, suggestions: Vec<Suggestion>) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="details">
            <h2 id="details">"Connection details"</h2>
            <div class="fields">
                <Field
                    state=state
                    part=Part::BaseUrl
                    value=state.base_url
                    hint="Where the service answers"
                    is_wide=true
                />
                <Field
                    state=state
                    part=Part::CompanyId
                    value=state.company_id
                    hint="The tenant or realm, if the service asks for one"
                />
                <Field
                    state=state
                    part=Part::ClientId
                    value=state.client_id
                    hint="From the application you registered there"
                />
                <ClientSecret state=state />
            </div>
            <Earlier id="base_url-earlier" field=SuggestionField::BaseUrl suggestions=suggestions.clone() />
            <Earlier
                id="company_id-earlier"
                field=SuggestionField::CompanyId
                suggestions=suggestions.clone()
            />
            <Earlier id="client_id-earlier" field=SuggestionField::ClientId suggestions=suggestions />
        </section>
    }
    .into_any()
}

#[component]
fn Field(
    state: FormState,
    part: Part,
    value: RwSignal<String>,
    hint: &'static str,
    #[prop(optional)] is_wide: bool,
) -> impl IntoView {
    let id = part.name();
    let problems = FormProblems::of_form();
    let problem = Memo::new(move |_| problems.message_at(ProblemLocation::Field(part)));
    let described_by = move || match problem.get() {
        Some(_) => format!("{id}-hint {id}-error"),
        None => format!("{id}-hint"),
    };
    view! {
        <div class=if is_wide { "field wide" } else { "field" }>
            <label for=id>{part.label()}</label>
            <p class="hint" id=format!("{id}-hint")>
                {hint}
            </p>
            <input
                id=id
                name=format!("content[{id}]")
                type="text"
                value=value.get_untracked()
                prop:value=move || value.get()
                on:input=move |event| {
                    value.set(event_target_value(&event));
                    state.typed();
                }
                inputmode=(part == Part::BaseUrl).then_some("url")
                list=format!("{id}-earlier")
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

#[component]
pub fn AppliesTo(state: FormState, environment: String) -> impl IntoView {
    let choose = move |every: bool| {
        state.every_environment.set(every);
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
                        name="content[every_environment]"
                        value="false"
                        aria-describedby="this-environment-hint"
                        checked=!state.every_environment.get_untracked()
                        prop:checked=move || !state.every_environment.get()
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
                        id="every-environment"
                        name="content[every_environment]"
                        value="true"
                        aria-describedby="every-environment-hint"
                        checked=state.every_environment.get_untracked()
                        prop:checked=move || state.every_environment.get()
                        on:change=move |_| choose(true)
                    />
                    <div>
                        <label for="every-environment">"Every environment of this integration"</label>
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
