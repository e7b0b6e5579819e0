//! A form that the server could not take in: what was typed stands on a page that needs nothing else, and is sent again
//! from there.

use ipack_domain::{
    error::AppError,
    fields::{Table, TextField},
    tokens::SecretField,
};
use leptos::{either::Either, prelude::*};
use leptos_meta::{Title, provide_meta_context};
use strum::VariantArray;

/// A posted form, without the secrets that were in it.
#[derive(Debug, Clone)]
pub struct UnsavedForm {
    pub action: String,
    /// Names and values as they were posted, the button among them.
    pub fields: Vec<(String, String)>,
    /// In which something was typed.
    pub secrets: Vec<SecretField>,
}

#[component]
pub fn UnsavedView(error: AppError, form: UnsavedForm) -> impl IntoView {
    provide_meta_context();
    let UnsavedForm { action, fields, secrets } = form;
    let kept_nowhere = match secrets.is_empty() {
        true => "What you typed is on this page and nowhere else.",
        false => "What you typed is on this page and nowhere else, but for the secret: enter it again.",
    };
    view! {
        <Title text="Not saved · iPack Connect" />
        <main class="page" id="main">
            <form class="card stack" method="post" action=action>
                <h1>"Not saved"</h1>
                <p class="notice bad" role="alert">
                    {format!("{} {kept_nowhere}", error.message)}
                </p>
                {fields.into_iter().map(|(name, value)| input(name, value)).collect_view()}
                {secrets.into_iter().map(secret_input).collect_view()}
                <button class="button primary" type="submit">
                    "Try again"
                </button>
                {error
                    .request_id
                    .map(|id| {
                        view! { <p class="meta">"Request " <code>{id}</code></p> }
                    })}
            </form>
        </main>
    }
}

/// An input for what a person typed, a hidden one for what only the form knows and what is empty.
fn input(name: String, value: String) -> impl IntoView {
    match label(&name).filter(|_| !value.is_empty()) {
        Some(label) => Either::Left(view! {
            <div class="field">
                <label for=name.clone()>{label}</label>
                <input id=name.clone() name=name type="text" value=value autocomplete="off" />
            </div>
        }),
        None => Either::Right(view! { <input type="hidden" name=name value=value /> }),
    }
}

fn secret_input(field: SecretField) -> impl IntoView {
    let label = match field {
        SecretField::ClientSecret => "Client Secret",
        SecretField::Password => "Password of the user",
    };
    view! {
        <div class="field">
            <label for=field.input()>{label}</label>
            <input id=field.input() name=field.input() type="password" autocomplete="off" />
        </div>
    }
}

/// What the connector form calls this input.
fn label(name: &str) -> Option<String> {
    let mut texts = TextField::VARIANTS.iter().map(|text| text.about());
    if let Some(about) = texts.find(|about| about.posted_name() == name) {
        return Some(about.label.to_owned());
    }
    Table::VARIANTS.iter().find_map(|table| {
        let row = name.strip_prefix(&format!("content[{}][", table.part().name()))?;
        let (number, cell) = row.split_once("][")?;
        let position = number.parse::<usize>().ok()?.checked_add(1)?;
        Some(format!("{} {} {position}", table.label(), cell.strip_suffix(']')?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_typed_has_the_forms_labels() {
        assert_eq!(label("content[base_url]").as_deref(), Some("Base URL"));
        assert_eq!(label("content[provider][issuer]").as_deref(), Some("Issuer"));
        assert_eq!(label("content[access_token][1][key]").as_deref(), Some("Access Token Parameters key 2"));
        for unknown in
            ["intent", "base", "key[space]", "content[authorization][x][key]", "content[authorization][0]"]
        {
            assert_eq!(label(unknown), None, "{unknown}");
        }
    }
}
