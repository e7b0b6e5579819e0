//! What the chosen provider brings along, and what is to be registered with it.

use super::html;
use crate::views::ConnectorView;
use leptos::prelude::*;

pub fn facts(view: &ConnectorView) -> String {
    let facts = view.credentials.facts.clone();
    if facts.lines.is_empty() {
        return String::new();
    }
    let lines = facts.lines.into_iter().map(|line| view! { <li>{line}</li> });
    let base_url = facts.base_url.filter(|url| view.base.content.base_url.trim() != url);
    html(view! {
        <div class="wide facts-box">
            {facts.note.map(|note| view! { <p>{note}</p> })} <ul>{lines.collect::<Vec<_>>()}</ul>
            {facts
                .registration
                .map(|(page, steps)| {
                    let steps: Vec<_> = steps.into_iter().map(|step| view! { <li>{step}</li> }).collect();
                    view! {
                        <p>
                            <a href=page rel="noreferrer" target="_blank">
                                "Register an application"
                            </a>
                        </p>
                        {(!steps.is_empty()).then(|| view! { <ol>{steps}</ol> })}
                    }
                })}
            {base_url
                .map(|url| {
                    view! {
                        <button class="button needs-script" type="button" data-base-url=url>
                            "Use its Base URL"
                        </button>
                    }
                })}
            {facts
                .documentation
                .map(|page| {
                    view! {
                        <a href=page rel="noreferrer" target="_blank">
                            "The provider’s documentation"
                        </a>
                    }
                })}
        </div>
    })
}

pub fn redirect_uri(view: &ConnectorView) -> String {
    let credentials = &view.credentials;
    let Some(uri) = credentials.redirect_uri.clone() else { return String::new() };
    let own_word = credentials.facts.words.iter().find(|(field, _)| field == "redirect-uri");
    let own_word = own_word.map(|(_, word)| view! { <span class="own-word">{word.clone()}</span> });
    html(view! {
        <div class="field redirect-uri">
            <label for="redirect-uri">"Redirect URI"</label>
            <p class="hint" id="redirect-uri-hint">
                "Register it with the provider, exactly as it stands. Another provider address gives another one."
                {own_word}
            </p>
            <div class="with-button">
                <input
                    id="redirect-uri"
                    type="text"
                    readonly
                    value=uri
                    aria-describedby="redirect-uri-hint"
                />
                <button class="button needs-script" type="button" aria-live="polite" data-copy="redirect-uri">
                    "Copy"
                </button>
            </div>
        </div>
    })
}
