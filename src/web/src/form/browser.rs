//! What the form asks of the browser: inputs by id, the keyboard's place, what a tab remembers.

use ipack_domain::{
    button::Button,
    ids::ConnectionKey,
    provider::{ClientAuthentication, Grant, ProviderChoice},
};
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

    /// The provider as it was chosen before the page woke up.
    pub fn provider(&self, sent: &ProviderChoice) -> ProviderChoice {
        let text =
            |field: &str, sent: &String| self.text(&provider_id(field)).unwrap_or_else(|| sent.clone());
        let menu = |field: &str| self.is_there.then(|| menu_by_id(&provider_id(field))).flatten();
        ProviderChoice {
            provider: menu("provider").map_or_else(|| sent.provider.clone(), |menu| menu.value()),
            issuer: text("issuer", &sent.issuer),
            authorization_endpoint: text("authorizationEndpoint", &sent.authorization_endpoint),
            token_endpoint: text("tokenEndpoint", &sent.token_endpoint),
            revocation_endpoint: text("revocationEndpoint", &sent.revocation_endpoint),
            grant: menu("grant").map_or(sent.grant, |menu| Grant::parse(&menu.value())),
            scopes: text("scopes", &sent.scopes),
            client_authentication: menu("clientAuthentication")
                .map_or(sent.client_authentication, |menu| ClientAuthentication::parse(&menu.value())),
            without_pkce: self.checked(&provider_id("withoutPkce")).unwrap_or(sent.without_pkce),
            subject: text("subject", &sent.subject),
            key_id: text("keyId", &sent.key_id),
            audience: text("audience", &sent.audience),
            scope_separator: text("scopeSeparator", &sent.scope_separator),
            company_parameter: text("companyParameter", &sent.company_parameter),
            token_lifetime: text("tokenLifetime", &sent.token_lifetime),
        }
    }

    pub fn checked(&self, id: &str) -> Option<bool> {
        self.is_there.then(|| input_by_id(id)).flatten().map(|input| input.checked())
    }
}

pub fn input_by_id(id: &str) -> Option<web_sys::HtmlInputElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

fn menu_by_id(id: &str) -> Option<web_sys::HtmlSelectElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// The id of an input about the provider.
pub fn provider_id(field: &str) -> String {
    format!("provider-{field}")
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
