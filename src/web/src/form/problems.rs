//! What is wrong with the form, found once for all the places that show it.

use crate::form::state::FormState;
use ipack_domain::{
    fields::{Table, TextField},
    validation::{Problem, ProblemLocation},
};
use leptos::prelude::*;
use std::collections::HashMap;
use strum::VariantArray;

/// In the order of the page.
#[derive(Clone, Copy)]
pub struct FormProblems(pub Memo<Vec<Problem>>);

impl FormProblems {
    /// For the components within this one.
    pub fn provide(state: FormState) {
        let problems = Self(Memo::new(move |_| state.problems()));
        problems.tell_rows(state);
        Effect::new(move || problems.tell_rows(state));
        provide_context(problems);
    }

    pub fn of_form() -> Self {
        expect_context()
    }

    pub fn of_text(self, field: TextField) -> Memo<Option<String>> {
        let place = ProblemLocation::Text(field);
        Memo::new(move |_| {
            self.0.with(|all| all.iter().find(|one| one.place == place).map(|one| one.message.clone()))
        })
    }

    /// Writes beside each row what is wrong with it, where that changed.
    fn tell_rows(self, state: FormState) {
        self.0.with(|all| {
            let messages: HashMap<_, _> = all.iter().map(|one| (one.place, &one.message)).collect();
            for table in Table::VARIANTS {
                state.inputs.rows(*table).list.with(|list| {
                    for (row, index) in list.iter().zip(0..) {
                        let message = messages.get(&ProblemLocation::Row(*table, index)).copied();
                        if row.problem.with_untracked(|shown| shown.as_ref() != message) {
                            row.problem.set(message.cloned());
                        }
                    }
                });
            }
        });
    }
}
