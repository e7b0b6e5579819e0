//! What the form asks of the browser: inputs by id, the keyboard's place, what a tab remembers.

use crate::domain::ids::ConnectionKey;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// What stands in the inputs of the page as the server sent it, before the browser's half woke up.
pub struct Typed {
    is_there: bool,
}

impl Typed {
    pub fn before_waking(key: &ConnectionKey) -> Self {
        let is_there = cfg!(feature = "hydrate")
            && document()
                .query_selector("form.connector")
                .ok()
                .flatten()
                .and_then(|form| form.get_attribute("data-connection"))
                .is_some_and(|path| path == key.form_path());
        Self { is_there }
    }

    pub fn text(&self, id: &str) -> Option<String> {
        self.is_there.then(|| input_by_id(id)).flatten().map(|input| input.value())
    }

    pub fn checked(&self, id: &str) -> Option<bool> {
        self.is_there.then(|| input_by_id(id)).flatten().map(|input| input.checked())
    }
}

pub fn input_by_id(id: &str) -> Option<web_sys::HtmlInputElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

pub fn session_storage() -> Option<web_sys::Storage> {
    window().session_storage().ok().flatten()
}

/// Moves the keyboard to an element where it would otherwise be nowhere: what had it is gone.
pub fn focus_if_lost(id: &'static str) {
    request_animation_frame(move || {
        let page = document();
        if page.active_element().is_none_or(|element| element.tag_name() == "BODY") {
            focus_soon(id.to_owned());
        }
    });
}

/// Moves the keyboard to an element once it is there.
pub fn focus_soon(id: String) {
    request_animation_frame(move || {
        let element = document().get_element_by_id(&id);
        if let Some(element) = element.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
            let _ = element.focus();
        }
    });
}
