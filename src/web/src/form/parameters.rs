//! A table of parameters: one row a parameter, buttons to add and delete.

use crate::form::{
    Earlier,
    problems::FormProblems,
    rows::{Row, input_id},
    state::FormState,
};
use ipack_domain::{
    button::Button,
    form::{ProblemLocation, Table},
    suggestions::{Suggestion, SuggestionField},
};
use leptos::prelude::*;

#[component]
pub fn Parameters(state: FormState, table: Table, suggestions: Vec<Suggestion>) -> impl IntoView {
    let part = table.part();
    let rows = state.rows(part);
    let (hint, add, keys, values, key_field, value_field) = match table {
        Table::AccessToken => (
            "Sent along when a token is asked for.",
            "access-token-add",
            "access-token-keys",
            "access-token-values",
            SuggestionField::AccessTokenKey,
            SuggestionField::AccessTokenValue,
        ),
        Table::Authorization => (
            "Added to the address that opens the provider’s consent page.",
            "authorization-add",
            "authorization-keys",
            "authorization-values",
            SuggestionField::AuthorizationKey,
            SuggestionField::AuthorizationValue,
        ),
    };
    view! {
        <fieldset class="card">
            <legend>{part.label()}</legend>
            <p class="hint">{hint}</p>
            <table class="parameters">
                <thead>
                    <tr>
                        <th scope="col">"Key"</th>
                        <th scope="col">"Value"</th>
                        <th scope="col">"Action"</th>
                    </tr>
                </thead>
                <tbody>
                    <For
                        each=move || rows.list.get()
                        key=|row| row.number
                        children=move |row| {
                            view! { <ParameterRow state=state table=table row=row keys=keys values=values /> }
                        }
                    />
                </tbody>
            </table>
            <Earlier id=keys field=key_field suggestions=suggestions.clone() />
            <Earlier id=values field=value_field suggestions=suggestions />
            <button class="button" type="submit" name="intent" value=Button::AddRow(table).to_string() id=add>
                <span class="icon plus" aria-hidden="true"></span>
                "Add Property"
            </button>
        </fieldset>
    }
    .into_any()
}

#[component]
fn ParameterRow(
    state: FormState,
    table: Table,
    row: Row,
    keys: &'static str,
    values: &'static str,
) -> impl IntoView {
    let part = table.part();
    let number = row.number;
    // Rows are counted as they stand now; their numbers stay as they were.
    let index = RwSignal::from(row.index);
    let position = move || index.get() + 1;
    let problems = FormProblems::of_form();
    let problem = Memo::new(move |_| problems.message_at(ProblemLocation::Row(part, index.get())));
    let error_id = format!("{}-{number}-error", table.slug());
    let described_by = {
        let error_id = error_id.clone();
        move || problem.get().map(|_| error_id.clone())
    };
    let label = part.label();
    let cell = |name: &'static str, signal: ArcRwSignal<String>, list: &'static str| {
        let (shown, typed) = (signal.clone(), signal.clone());
        view! {
            <input
                id=input_id(part, number, name)
                name=format!("content[{}][{number}][{name}]", part.name())
                type="text"
                value=signal.get_untracked()
                prop:value=move || shown.get()
                on:input=move |event| {
                    typed.set(event_target_value(&event));
                    state.typed();
                }
                aria-label=move || format!("{label} {name} {}", position())
                list=list
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
            />
        }
    };
    view! {
        <tr>
            <td data-label="Key">
                {cell("key", row.key.clone(), keys)
                    .attr("aria-invalid", move || problem.get().map(|_| "true"))
                    .attr("aria-describedby", described_by)}
                {move || {
                    problem
                        .get()
                        .map(|message| {
                            view! {
                                <p class="error" id=error_id.clone()>
                                    {message}
                                </p>
                            }
                        })
                }}
            </td>
            <td data-label="Value">{cell("value", row.value.clone(), values)}</td>
            <td>
                <button
                    class="button danger"
                    type="submit"
                    name="intent"
                    value=move || Button::DeleteRow(table, index.get() as usize).to_string()
                    aria-label=move || format!("Delete row {} of {label}", position())
                    on:click=move |event| {
                        event.prevent_default();
                        state.delete_row(part, number);
                    }
                >
                    "Delete"
                </button>
            </td>
        </tr>
    }
    .into_any()
}
