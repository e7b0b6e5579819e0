//! What is wrong with one input, under it. Problems of the whole form are listed in `notices`.

use leptos::prelude::*;

/// What is wrong with an input, under it; the input names it by `{id}-error`.
#[component]
pub fn InputError(id: String, problem: Memo<Option<String>>) -> impl IntoView {
    move || {
        problem.get().map(|message| {
            view! {
                <p class="error" id=format!("{id}-error")>
                    {message}
                </p>
            }
        })
    }
}
