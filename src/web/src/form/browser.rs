//! What the form asks of the browser: inputs by id, the keyboard's place, what a tab remembers.

use ipack_domain::{button::Button, ids::ConnectionKey};
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// What stands in the inputs of the page as the server sent it, before the browser's half woke up.
pub struct BeforeWaking {
    is_there: bool,
}

impl BeforeWaking {
    pub fn on_page(key: &ConnectionKey) -> Self {
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

    pub fn menu(&self, id: &str) -> Option<String> {
        let menu = self.is_there.then(|| document().get_element_by_id(id)).flatten()?;
        Some(menu.dyn_into::<web_sys::HtmlSelectElement>().ok()?.value())
    }

    pub fn checked(&self, id: &str) -> Option<bool> {
        self.is_there.then(|| input_by_id(id)).flatten().map(|input| input.checked())
    }
}

/// What is chosen in the conflict panel, by the parts' names, and which version that is about.
pub fn checked_choices() -> Vec<(String, String)> {
    const CHOSEN: &str = "input[name^='choices[']:is([type='hidden'], :checked)";
    let Ok(inputs) = document().query_selector_all(CHOSEN) else { return Vec::new() };
    let inputs = (0..inputs.length()).filter_map(|index| inputs.item(index)?.dyn_into().ok());
    let choice = |input: web_sys::HtmlInputElement| {
        let name = input.name();
        let part = name.strip_prefix("choices[")?.strip_suffix(']')?.to_owned();
        Some((part, input.value()))
    };
    inputs.filter_map(choice).collect()
}

/// Chooses the same again in a panel that was exchanged.
pub fn set_choices(choices: &[(String, String)]) {
    for (part, value) in choices {
        if let Some(input) = input_by_id(&format!("choice-{part}-{value}")) {
            input.set_checked(true);
        }
    }
}

pub fn input_by_id(id: &str) -> Option<web_sys::HtmlInputElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// Posts a form as a browser without scripts would, by this button.
pub fn submit_plainly(form: &web_sys::HtmlFormElement, button: Button) {
    let Ok(input) = document().create_element("input") else { return };
    for (name, value) in [("type", "hidden"), ("name", "intent"), ("value", &*button.to_string())] {
        let _ = input.set_attribute(name, value);
    }
    let _ = form.append_child(&input);
    let _ = form.submit();
}

/// Puts an input's text on the clipboard; where the browser allows no script to do that, it is selected instead.
pub fn copy_from(id: &str) {
    let Some(input) = input_by_id(id) else { return };
    if window().is_secure_context() {
        let _ = window().navigator().clipboard().write_text(&input.value());
    } else {
        let _ = input.focus();
        input.select();
    }
}

pub fn session_storage() -> Option<web_sys::Storage> {
    window().session_storage().ok().flatten()
}

/// Moves the keyboard to an element where it would otherwise be nowhere: what had it is gone. The page stays where it is.
pub fn focus_if_lost(id: &'static str) {
    request_animation_frame(move || {
        let page = document();
        let is_lost = page.active_element().is_none_or(|element| element.tag_name() == "BODY");
        let element = page.get_element_by_id(id).filter(|_| is_lost);
        if let Some(element) = element.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
            let options = web_sys::FocusOptions::new();
            options.set_prevent_scroll(true);
            let _ = element.focus_with_options(&options);
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
