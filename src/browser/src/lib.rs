//! The module that browsers load: the form of `ipack-web`, called by the page that has it.
//!
//! A crate of its own, because a library of the server that is a module too is linked for the server twice. Elsewhere
//! than in a browser it is empty.
#![cfg(target_arch = "wasm32")]

/// Called by the page that has something to wake up.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    ipack_web::form::wake_up();
}
