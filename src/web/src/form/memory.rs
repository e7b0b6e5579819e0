//! What this tab remembers of the form until the server has it, and what it sends when it is closed.
//!
//! A secret is never written anywhere in a browser, so the browser asks before it leaves a page that has one.

use crate::form::{
    browser::session_storage, pending_request::Exchange, save_status::SaveStatus, state::FormState,
};
use ipack_domain::{
    button::Button, fields::Field, form::FormContent, ids::ConnectionKey, post::Base, tokens::SECRET_FIELDS,
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast, JsValue};

/// What a post carries beside its intent.
#[derive(Clone, Serialize, Deserialize)]
pub struct FormSnapshot {
    /// Not there in what an earlier version of the program left in the tab: see [`Base::parse`].
    #[serde(default)]
    pub base: Base,
    pub content: FormContent,
}

impl FormState {
    /// Closing or refreshing within the quarter of a second: the browser sends the plain form along, and the tab
    /// remembers it, should it be too large for that or the session have ended.
    pub fn keep_while_leaving(self) {
        if self.keep.with_untracked(SaveStatus::is_at_rest) {
            return;
        }
        self.stash(&self.snapshot());
        let Some(form) = self.form.get_untracked() else { return };
        let send = || -> Result<bool, JsValue> {
            let fields: JsValue = web_sys::FormData::new_with_form(&form)?.into();
            let body = web_sys::UrlSearchParams::new_with_record_from_str_to_str(fields.unchecked_ref())?;
            for field in SECRET_FIELDS {
                body.delete(field);
            }
            body.append("intent", &Button::Keep.to_string());
            window().navigator().send_beacon_with_opt_url_search_params("/api/connector", Some(&body))
        };
        let _ = send();
    }

    /// Has the browser ask before a typed secret is lost.
    pub fn warn_of_leaving(self, event: &web_sys::Event) {
        let is_typed = self.typed_secrets().fields().next().is_some();
        if is_typed && !matches!(self.exchange.get_value(), Exchange::Posting) {
            event.prevent_default();
        }
    }

    fn stash_name(self) -> String {
        format!("ipack:{}:{}", self.admin.get_value(), self.key.with_value(ConnectionKey::form_path))
    }

    pub fn stash(self, snapshot: &FormSnapshot) {
        if let (Some(storage), Ok(text)) = (session_storage(), serde_json::to_string(snapshot)) {
            let _ = storage.set_item(&self.stash_name(), &text);
        }
    }

    pub fn forget_stash(self) {
        if let Some(storage) = session_storage() {
            let _ = storage.remove_item(&self.stash_name());
        }
    }

    /// Sends what this page could not before; the server merges it into the draft by what the page had started from then.
    pub fn restore_stash(self) -> bool {
        let Some(storage) = session_storage() else { return false };
        let name = self.stash_name();
        let Ok(Some(text)) = storage.get_item(&name) else { return false };
        let _ = storage.remove_item(&name);
        let Ok(snapshot) = serde_json::from_slice::<FormSnapshot>(text.as_bytes()) else { return false };
        for field in Field::all() {
            self.inputs.set(field, &snapshot.content);
        }
        self.view.update(|view| view.base = snapshot.base);
        self.typed();
        true
    }
}
