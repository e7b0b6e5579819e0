//! A table of parameters: one row a parameter, buttons to add and delete.

use crate::form::{
    erased,
    rows::{Row, input_id},
    state::FormState,
};
use ipack_domain::{button::Button, fields::Table, suggestions::SuggestionField};
use leptos::prelude::*;

#[component]
pub fn Parameters(state: FormState, table: Table) -> impl IntoView {
    let rows = state.inputs.rows(table);
    erased(view! {
        <fieldset class="card">
            <legend>{table.label()}</legend>
            <p class="hint">{table.hint()}</p>
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
                            view! { <ParameterRow state=state table=table row=row /> }
                        }
                    />
                </tbody>
            </table>
            <button
                class="button"
                type="submit"
                name="intent"
                value=Button::AddRow(table).to_string()
                id=format!("{}-add", table.slug())
            >
                <span class="icon plus" aria-hidden="true"></span>
                "Add Property"
            </button>
        </fieldset>
    })
}

#[component]
fn ParameterRow(state: FormState, table: Table, row: Row) -> impl IntoView {
    let number = row.number;
    // Rows are counted as they stand now; their numbers stay as they were.
    let index = RwSignal::from(row.index);
    let position = move || index.get() + 1;
    let problem = RwSignal::from(row.problem);
    let error_id = format!("{}-{number}-error", table.slug());
    let described_by = {
        let error_id = error_id.clone();
        move || problem.get().map(|_| error_id.clone())
    };
    let label = table.label();
    let cell = |name: &'static str, signal: ArcRwSignal<String>, field: SuggestionField| {
        let (shown, typed) = (signal.clone(), signal.clone());
        view! {
            <input
                id=input_id(table, number, name)
                name=format!("content[{}][{number}][{name}]", table.part().name())
                type="text"
                value=signal.get_untracked()
                prop:value=move || shown.get()
                on:input=move |event| {
                    typed.set(event_target_value(&event));
                    state.typed();
                }
                aria-label=move || format!("{label} {name} {}", position())
                list=field.list()
                autocomplete="off"
                data-1p-ignore="true"
                data-bwignore="true"
                data-lpignore="true"
                autocapitalize="none"
                spellcheck="false"
            />
        }
    };
    erased(view! {
        <tr>
            <td data-label="Key">
                {cell("key", row.key.clone(), SuggestionField::Key(table))
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
            <td data-label="Value">{cell("value", row.value.clone(), SuggestionField::Value(table))}</td>
            <td>
                <button
                    class="button danger"
                    type="submit"
                    name="intent"
                    value=move || Button::DeleteRow(table, index.get() as usize).to_string()
                    aria-label=move || format!("Delete row {} of {label}", position())
                    on:click=move |event| {
                        event.prevent_default();
                        state.delete_row(table, number);
                    }
                >
                    "Delete"
                </button>
            </td>
        </tr>
    })
}
