//! Clicks on what panels hold: their HTML comes from the server, with a `data-` attribute that says what is meant.

use crate::form::{
    browser::{copy_from, focus_if_lost},
    state::FormState,
    view::Panel,
};
use ipack_domain::{fields::TextField, post::Outcome};
use leptos::prelude::*;
use std::time::Duration;
use wasm_bindgen::JsCast;

impl FormState {
    /// A click somewhere in the form.
    pub fn clicked(self, event: &leptos::ev::MouseEvent) {
        let Some(target) = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok())
        else {
            return;
        };
        let meant = |attribute: &str| {
            let element = target.closest(&format!("[{attribute}]")).ok().flatten()?;
            Some((element.get_attribute(attribute)?, element))
        };
        if let Some((url, _)) = meant("data-base-url") {
            self.inputs.text(TextField::BaseUrl).set(url);
            self.typed();
        } else if let Some((input, button)) = meant("data-copy") {
            copy_from(&input);
            let words = button.text_content();
            button.set_text_content(Some("Copied"));
            set_timeout(move || button.set_text_content(words.as_deref()), Duration::from_secs(2));
        } else if let Some((question, _)) = meant("data-keep") {
            event.prevent_default();
            self.take_back(&question);
        }
    }

    /// A question was answered with no.
    fn take_back(self, question: &str) {
        if let Some(element) = document().get_element_by_id(question) {
            element.remove();
        }
        self.panels.update_value(|panels| {
            panels.forget(Panel::ClientSecret);
            panels.forget(Panel::TokenActions);
        });
        self.view.update(|view| view.outcome = Outcome::Loaded);
        focus_if_lost(if question == "confirm-reset" { "credentials" } else { "token" });
    }
}
