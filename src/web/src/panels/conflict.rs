//! Two versions side by side, where somebody else saved since the draft was begun.

use super::html;
use crate::components::labels::When;
use crate::views::{Conflict, ConflictPart};
use ipack_domain::{button::Button, parts::Part, post::Choices};
use leptos::{either::Either, prelude::*};

pub fn conflict(conflict: Conflict) -> String {
    let Conflict { by, by_me, at, version, parts } = conflict;
    let (heading, who) = if by_me {
        ("You saved this connection from another page", "You".to_owned())
    } else {
        ("Somebody else saved this connection", by)
    };
    let parts = parts.into_iter().map(|part| view! { <Versions versions=part /> });
    html(view! {
        <section class="card flush conflict" aria-labelledby="conflict">
            <input type="hidden" name="choices[version]" value=version.to_string() />
            <div class="card-header">
                <h2 id="conflict" tabindex="-1">
                    {heading}
                </h2>
                <p class="lead">
                    {format!("{who} saved it ")} <When moment=at />
                    ", after you began. Nothing of yours is lost: choose for each field what to keep."
                </p>
            </div>
            <table class="versions">
                <thead>
                    <tr>
                        <th scope="col">"Field"</th>
                        <th scope="col">"Saved version"</th>
                        <th scope="col">"Your version"</th>
                    </tr>
                </thead>
                <tbody>{parts.collect::<Vec<_>>()}</tbody>
            </table>
            <div class="card-footer">
                <button class="button primary" type="submit" name="intent" value=Button::Resolve.to_string()>
                    "Save my choices"
                </button>
            </div>
        </section>
    })
}

#[component]
fn Versions(versions: ConflictPart) -> impl IntoView {
    let ConflictPart { part, saved, mine, prefer_mine } = versions;
    view! {
        <tr>
            <th scope="row" id=format!("conflict-{}", part.name())>
                {part.label()}
            </th>
            <td>
                <Version part=part is_mine=false lines=saved is_checked=!prefer_mine />
            </td>
            <td>
                <Version part=part is_mine=true lines=mine is_checked=prefer_mine />
            </td>
        </tr>
    }
}

#[component]
fn Version(part: Part, is_mine: bool, lines: Vec<String>, is_checked: bool) -> impl IntoView {
    let (value, label) = if is_mine { (Choices::MINE, "Use mine") } else { (Choices::SAVED, "Keep saved") };
    let name = part.name();
    let id = format!("choice-{name}-{value}");
    let body = if lines.is_empty() {
        Either::Left(view! { <p class="meta">"Empty"</p> })
    } else {
        let lines = lines.into_iter().map(|line| view! { <li>{line}</li> });
        Either::Right(view! { <ul class="value">{lines.collect::<Vec<_>>()}</ul> })
    };
    view! {
        <div class="choice">
            <input
                type="radio"
                id=id.clone()
                name=format!("choices[{name}]")
                value=value
                aria-describedby=format!("conflict-{name}")
                checked=is_checked
            />
            <div>
                <label for=id>{label}</label>
                {body}
            </div>
        </div>
    }
}
