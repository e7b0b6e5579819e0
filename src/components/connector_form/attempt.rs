//! Following an attempt to get a token: the window beside the form, and what the server knows of it.
//!
//! The page asks by the connection, never the window: that one belongs to the provider by then, and whether it is
//! closed says nothing. Another stage is shown by its message as it comes.

use super::state::FormState;
use crate::{
    domain::tokens::{AttemptView, Stage},
    functions::connector::{attempt, connector},
};
use leptos::{prelude::*, task::spawn_local};
use std::{cell::RefCell, time::Duration};

/// From one question to the next.
const ASK_EVERY: Duration = Duration::from_millis(600);
/// No stage is skipped, and each is there long enough to be read.
const SHOWN_FOR: Duration = Duration::from_millis(700);
const WINDOW: &str = "popup,width=620,height=760";

thread_local! {
    /// The window opened by the last click, until it has got its address.
    static OPENED: RefCell<Option<web_sys::Window>> = const { RefCell::new(None) };
}

impl FormState {
    /// Opens a window, empty as yet; `false` where the browser does not allow it.
    pub fn open_window(self) -> bool {
        let opened = window().open_with_url_and_target_and_features("", "_blank", WINDOW).ok().flatten();
        if let Some(body) = opened.as_ref().and_then(web_sys::Window::document).and_then(|page| page.body()) {
            body.set_text_content(Some(Stage::Opening.message()));
        }
        OPENED.with_borrow_mut(|window| {
            *window = opened;
            window.is_some()
        })
    }

    pub fn close_window(self) {
        if let Some(window) = OPENED.take() {
            let _ = window.close();
        }
    }

    /// Says at once what the click began.
    pub fn announce_opening(self) {
        let stage = Stage::Opening;
        self.attempt.set(Some(AttemptView {
            id: String::new(),
            stage,
            message: stage.message().to_owned(),
            advice: None,
            address: None,
            begun: crate::domain::time::Timestamp(0).into(),
        }));
    }

    /// What is left to do once the server has answered a button.
    pub fn after(self, intent: &'static str) {
        let view = self.view.get_untracked();
        if intent == "preflight" {
            let _ = window().location().set_href(&format!("{}/preflight", view.key.form_path()));
        }
        if intent.starts_with("encrypt-") && view.credentials.problem.is_none() {
            self.client_secret.set(String::new());
            self.user_password.set(String::new());
        }
        if intent != "generate" {
            return;
        }
        let address = view.credentials.attempt.as_ref().and_then(|attempt| attempt.address.clone());
        match (OPENED.take(), address) {
            (Some(window), Some(address)) => {
                let _ = window.location().set_href(&address);
            }
            (Some(window), None) => {
                let _ = window.close();
            }
            (None, _) => {}
        }
        self.follow_attempt();
    }

    /// Asks how far the attempt is until it is over.
    pub fn follow_attempt(self) {
        let is_over = self
            .attempt
            .with_untracked(|attempt| attempt.as_ref().is_none_or(|attempt| attempt.stage.is_over()));
        if is_over || self.is_following.get_value() {
            return;
        }
        self.is_following.set_value(true);
        self.ask_how_far();
    }

    fn ask_how_far(self) {
        set_timeout(
            move || {
                spawn_local(async move {
                    let shown = self.attempt.get_untracked().map(|attempt| attempt.stage);
                    match attempt(self.key.get_value()).await {
                        Ok(Some(now)) if now.stage == Stage::Succeeded && shown == Some(Stage::Opening) => {
                            let stage = Stage::Initializing;
                            let message = stage.message().to_owned();
                            self.attempt.set(Some(AttemptView { stage, message, ..now }));
                            set_timeout(move || self.is_over(), SHOWN_FOR);
                        }
                        Ok(Some(now)) if now.stage.is_over() => self.is_over(),
                        Ok(Some(now)) => {
                            self.attempt.set(Some(now));
                            self.ask_how_far();
                        }
                        Ok(None) => self.is_over(),
                        // The session ended or the network is flaky: asked again, for the attempt goes on.
                        Err(_) => self.ask_how_far(),
                    }
                });
            },
            ASK_EVERY,
        );
    }

    /// Shows what came of it: the whole form, where nothing is being typed into it.
    fn is_over(self) {
        self.is_following.set_value(false);
        spawn_local(async move {
            let Ok(now) = connector(self.key.get_value()).await else { return };
            if self.keep.with_untracked(super::state::Keep::is_at_rest) {
                let content = self.untracked_content();
                self.answered(now, &content);
            } else {
                self.attempt.set(now.credentials.attempt.clone());
                self.view.update(|view| {
                    view.credentials = now.credentials;
                    view.history = now.history;
                });
            }
        });
    }
}
