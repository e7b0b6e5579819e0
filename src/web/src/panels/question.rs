//! What is asked before it is done: something that stops what others rely on.

use ipack_domain::button::Button;
use leptos::prelude::*;

#[component]
pub fn Question(
    id: &'static str,
    /// What will happen, for whoever decides.
    what: &'static str,
    /// The button that does it, and its name.
    button: Button,
    label: &'static str,
    /// The form's page at the place of the question, for the way back without scripts.
    back: String,
) -> impl IntoView {
    view! {
        <div class="notice bad" role="alert" id=id tabindex="-1">
            <p>{what}</p>
            <div class="buttons">
                <button class="button danger" type="submit" name="intent" value=button.to_string()>
                    {label}
                </button>
                <a class="button quiet" href=back data-keep=id>
                    "Keep it"
                </a>
            </div>
        </div>
    }
}
