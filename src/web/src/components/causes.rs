//! The likely causes of a failure, each with the way to what is to be changed.

use ipack_domain::form_place::Cause;
use leptos::prelude::*;

/// Several are a list, the likeliest first. `form` is the form's path, where they are shown on another page.
#[component]
pub fn Causes(causes: Vec<Cause>, #[prop(into, optional)] form: String) -> impl IntoView {
    let is_one = causes.len() == 1;
    let lines = causes.into_iter().map(|Cause { text, place, page }| {
        let field = place.map(|place| {
            let address = format!("{form}#{}", place.id());
            view! {
                " "
                <a href=address>{place.label()}</a>
            }
        });
        let page = page.map(|page| {
            view! {
                " "
                <a href=page.address rel="noreferrer" target="_blank">
                    {page.label}
                </a>
            }
        });
        let line = view! {
            {text}
            {field}
            {page}
        };
        if is_one { line.into_any() } else { view! { <li>{line}</li> }.into_any() }
    });
    let lines: Vec<_> = lines.collect();
    match is_one {
        true => view! { <p class="advice">{lines}</p> }.into_any(),
        false => (!lines.is_empty()).then(|| view! { <ol class="advice">{lines}</ol> }).into_any(),
    }
}
