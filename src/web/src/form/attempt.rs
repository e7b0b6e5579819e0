//! Following an attempt to get a token: the window beside the form, and what the server knows of it.
//!
//! The page asks by the attempt's id, never the window: that one belongs to the provider by then, and whether it is
//! closed says nothing.

use crate::form::{
    browser::focus_if_lost,
    pending_request::PendingRequest,
    save_status::SaveStatus,
    state::FormState,
    view::{AttemptProgress, FormView, Panel, progress_html},
};
use crate::functions::connector::{attempt, connector};
use ipack_domain::{
    button::Button,
    error::ErrorCode,
    post::Outcome,
    tokens::{SecretField, Stage},
};
use leptos::{prelude::*, task::spawn_local};
use std::{cell::RefCell, time::Duration};

/// From one question to the next, at first; each wait is a little longer than the one before.
const ASK_EVERY: Duration = Duration::from_millis(500);
const ASK_AT_LEAST_EVERY: Duration = Duration::from_secs(3);
/// No stage is skipped, and each is there long enough to be read.
const SHOWN_FOR: Duration = Duration::from_millis(700);
const WINDOW: &str = "popup,width=620,height=760";

/// The attempt to get a token that the page follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Following {
    Nothing,
    Announced(Announced),
    Attempt { id: String, stage: Stage },
}

/// A click began an attempt, and the server has not answered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// The attempt that was there before: what comes must be another.
    before: Option<String>,
    /// What the page said of that one.
    html: String,
}

thread_local! {
    /// The window opened by the last click, until it has got its address.
    static OPENED: RefCell<Option<web_sys::Window>> = const { RefCell::new(None) };
}

impl FormState {
    /// Opens a window, empty as yet; `false` where the browser does not allow it.
    pub fn open_window(self) -> bool {
        self.close_window();
        let opened = window().open_with_url_and_target_and_features("", "_blank", WINDOW).ok().flatten();
        if let Some(body) = opened.as_ref().and_then(web_sys::Window::document).and_then(|page| page.body()) {
            body.set_text_content(Some(Stage::Opening.message()));
        }
        OPENED.with_borrow_mut(|window| {
            *window = opened;
            window.is_some()
        })
    }

    fn close_window(self) {
        if let Some(window) = OPENED.take() {
            let _ = window.close();
        }
    }

    /// Says at once what the click began.
    pub fn announce_opening(self) {
        let before = self.view.with_untracked(|view| view.attempt.as_ref().map(|attempt| attempt.id.clone()));
        let html = self.show_in(Panel::Attempt, &progress_html(Stage::Opening));
        self.following.set(Following::Announced(Announced { before, html }));
    }

    /// A click has begun something that the server has not answered yet.
    pub fn is_announced(self) -> bool {
        self.following.with(|following| matches!(following, Following::Announced(_)))
    }

    /// What a click announced, where this button was the click: from here on the server's words count.
    pub(super) fn end_announcement(self, button: Button) -> Option<Announced> {
        match self.following.get_untracked() {
            Following::Announced(announced) if button == Button::Generate => {
                self.following.set(Following::Nothing);
                Some(announced)
            }
            _ => None,
        }
    }

    /// The server did not take the click.
    pub fn give_up_attempt(self) {
        self.close_window();
        if let Some(announced) = self.end_announcement(Button::Generate) {
            self.show_in(Panel::Attempt, &announced.html);
        }
    }

    /// What is left to do once the server has answered a button.
    pub(super) fn after(self, asked: &PendingRequest, announced: Option<Announced>) {
        self.forget_sealed(&asked.secrets);
        let view = self.view.get_untracked();
        let is_done = view.outcome == Outcome::Saved && view.problems.is_empty();
        match asked.button {
            Button::Preflight => {
                let _ = window().location().set_href(&format!("{}/preflight", view.key.form_path()));
            }
            Button::Discard if view.outcome == Outcome::Discarded => {
                SecretField::ALL.into_iter().for_each(|field| self.secret(field).set(String::new()));
            }
            Button::ResetSecret | Button::ResetSecretConfirmed | Button::DiscardReplacement => {
                focus_if_lost("credentials");
            }
            Button::RevokeConfirmed => focus_if_lost("token"),
            Button::Generate => {
                let before = announced.and_then(|announced| announced.before);
                let is_new = |attempt: &AttemptProgress| before.as_ref() != Some(&attempt.id);
                match view.attempt.filter(|attempt| is_done && is_new(attempt)) {
                    Some(begun) => self.go_on(begun),
                    None => self.close_window(),
                }
            }
            Button::Keep
            | Button::Save
            | Button::Discard
            | Button::Resolve
            | Button::AddRow(_)
            | Button::DeleteRow(..)
            | Button::EncryptSecret
            | Button::EncryptPassword
            | Button::RefreshToken
            | Button::Revoke => {}
        }
    }

    /// Sends the window on its way, and follows the attempt from here.
    fn go_on(self, begun: AttemptProgress) {
        match (OPENED.take(), &begun.address) {
            (Some(window), Some(address)) => {
                let _ = window.location().set_href(address);
            }
            (Some(window), None) => {
                let _ = window.close();
            }
            (None, _) => {}
        }
        if begun.stage == Stage::Succeeded {
            // So fast that nobody saw it begin.
            self.show_initializing();
        } else {
            self.follow(begun);
        }
    }

    fn show_initializing(self) {
        self.show_in(Panel::Attempt, &progress_html(Stage::Initializing));
        set_timeout(move || self.is_over(), SHOWN_FOR);
    }

    /// Asks how far the attempt is until it is over.
    pub fn follow(self, AttemptProgress { id, stage, .. }: AttemptProgress) {
        let is_followed = self.following.with_untracked(
            |following| matches!(following, Following::Attempt { id: followed, .. } if *followed == id),
        );
        if !stage.is_over() && !is_followed {
            self.following.set(Following::Attempt { id: id.clone(), stage });
            self.ask_how_far(id, ASK_EVERY);
        }
    }

    fn ask_how_far(self, id: String, wait: Duration) {
        let longer = (wait + wait / 10).min(ASK_AT_LEAST_EVERY);
        set_timeout(
            move || {
                spawn_local(async move {
                    let answer = attempt(self.key.get_value(), id.clone()).await;
                    let shown = match self.following.get_untracked() {
                        Following::Attempt { id: followed, stage } if followed == id => stage,
                        // Another attempt took its place while this was asked.
                        _ => return,
                    };
                    match answer {
                        Ok(Some(now)) if now.stage == Stage::Succeeded && shown == Stage::Opening => {
                            self.show_initializing();
                        }
                        Ok(Some(now)) if !now.stage.is_over() => {
                            if now.stage != shown {
                                self.show_in(Panel::Attempt, &progress_html(now.stage));
                                self.following.set(Following::Attempt { id: id.clone(), stage: now.stage });
                            }
                            self.ask_how_far(id, longer);
                        }
                        Ok(_) => self.is_over(),
                        Err(error) if error.code == ErrorCode::Unauthorized => {
                            self.following.set(Following::Nothing);
                            self.keep.set(SaveStatus::SessionEnded);
                        }
                        // The network is flaky: asked again, for the attempt goes on.
                        Err(_) => self.ask_how_far(id, longer),
                    }
                });
            },
            wait,
        );
    }

    /// Shows what came of it: the whole form, where nothing is being typed into it.
    fn is_over(self) {
        self.following.set(Following::Nothing);
        spawn_local(async move {
            match connector(self.key.get_value()).await {
                Ok(now) if self.keep.with_untracked(SaveStatus::is_at_rest) => {
                    let content = self.untracked_content();
                    self.answered(now, &content);
                }
                Ok(now) => self.take_credentials(now),
                Err(error) if error.code == ErrorCode::Unauthorized => {
                    self.keep.set(SaveStatus::SessionEnded)
                }
                Err(_) => set_timeout(move || self.is_over(), ASK_AT_LEAST_EVERY),
            }
        });
    }

    /// Shows what has become of the token meanwhile, unless another is being got just now.
    pub fn look_again(self) {
        spawn_local(async move {
            let answer = connector(self.key.get_value()).await;
            if let Ok(now) = answer
                && self.following.with_untracked(|following| *following == Following::Nothing)
            {
                self.take_credentials(now);
            }
        });
    }

    fn take_credentials(self, now: FormView) {
        self.show_panels(&now);
        self.view.update(|view| {
            let base = std::mem::take(&mut view.base);
            *view = FormView { base, outcome: view.outcome, ..now };
        });
    }
}
