//! What the form says at its top: a session that ended, and problems.

use crate::form::{problems::FormProblems, rows::input_id, save_status::SaveStatus, state::FormState};
use ipack_domain::{
    fields::Table,
    ids::{ConnectionKey, segment},
    validation::{Problem, ProblemLocation},
};
use leptos::prelude::*;

#[component]
pub fn SessionEnded(state: FormState) -> impl IntoView {
    let next = state.view.with_untracked(|view| segment(&ConnectionKey::form_path(&view.key)));
    let address = format!("/login?next={next}");
    move || {
        (state.keep.get() == SaveStatus::SessionEnded).then(|| {
            view! {
                <div class="notice bad pinned" role="alert">
                    <p>"Your session ended. Sign in again to go on; what you typed is still here."</p>
                    " "
                    <a class="button" href=address.clone()>
                        "Sign in again"
                    </a>
                </div>
            }
        })
    }
}

/// The problems in one place, each with a link to where it is.
#[component]
pub fn Problems(state: FormState) -> impl IntoView {
    let problems = FormProblems::of_form().0;
    let line = move |problem: Problem| {
        let target = match problem.place {
            ProblemLocation::Text(field) => field.about().id(),
            ProblemLocation::Row(table, index) => row_target(state, table, index),
        };
        let place = problem.place.label();
        view! {
            <li>
                <a href=format!("#{target}")>{format!("{place}: {}", problem.message)}</a>
            </li>
        }
    };
    move || {
        let problems = problems.get();
        (!problems.is_empty()).then(|| {
            let title = match problems.len() {
                1 => "1 thing to put right before saving".to_owned(),
                many => format!("{many} things to put right before saving"),
            };
            view! {
                <div class="notice bad" role="alert" tabindex="-1" id="errors" aria-labelledby="errors-title">
                    <h2 id="errors-title">{title}</h2>
                    <ul>{problems.into_iter().map(line).collect::<Vec<_>>()}</ul>
                </div>
            }
        })
    }
}

fn row_target(state: FormState, table: Table, index: u32) -> String {
    let number = state.inputs.rows(table).list.with(|list| list.get(index as usize).map(|row| row.number));
    input_id(table, number.unwrap_or(index), "key")
}
