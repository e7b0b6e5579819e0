//! What is wrong with the form, found once for all the places that show it.

use crate::form::state::FormState;
use ipack_domain::form::{Problem, ProblemLocation};
use leptos::prelude::*;
use std::collections::HashMap;

#[derive(Clone, Copy)]
pub struct FormProblems {
    /// In the order of the page.
    pub all: Memo<Vec<Problem>>,
    /// A table can have thousands of rows, and each asks for its own.
    messages: Memo<HashMap<ProblemLocation, String>>,
}

impl FormProblems {
    /// For the components within this one.
    pub fn provide(state: FormState) {
        let all = Memo::new(move |_| state.problems());
        let messages = Memo::new(move |_| {
            all.with(|all| all.iter().map(|problem| (problem.place, problem.message.clone())).collect())
        });
        provide_context(Self { all, messages });
    }

    pub fn of_form() -> Self {
        expect_context()
    }

    pub fn message_at(self, place: ProblemLocation) -> Option<String> {
        self.messages.with(|messages| messages.get(&place).cloned())
    }
}
