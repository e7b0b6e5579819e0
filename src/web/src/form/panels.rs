//! The panels on the awake page: HTML that the server rendered, exchanged where it changed.

use crate::form::{
    browser::{checked_choices, set_choices},
    state::FormState,
    view::{FormView, Panel, RenderedPanel},
};
use ipack_domain::fields::MenuField;
use leptos::prelude::*;

/// Where a panel stands in the form. It takes no room of its own.
#[component]
pub fn Slot(state: FormState, panel: Panel) -> impl IntoView {
    view! { <div id=panel.id() class="panel" inner_html=state.html(panel)></div> }
}

/// Where each panel is, and what stands in it: an answer brings only what differs.
#[derive(Debug, Clone, Default)]
pub struct ShownPanels(Vec<(Panel, u32)>);

impl ShownPanels {
    pub fn new<'a>(panels: impl IntoIterator<Item = &'a RenderedPanel>) -> Self {
        Self(panels.into_iter().map(|rendered| (rendered.panel, rendered.digest)).collect())
    }

    /// As a request carries it: the digests with commas between them.
    pub fn posted(&self) -> String {
        self.0.iter().map(|(_, digest)| digest.to_string()).collect::<Vec<_>>().join(",")
    }

    /// Reads what a request carried.
    pub fn read(posted: &str) -> Vec<u32> {
        posted.split(',').filter_map(|digest| digest.parse().ok()).collect()
    }

    /// The page changed this one by itself: the next answer brings it again.
    pub fn forget(&mut self, panel: Panel) {
        self.0.retain(|(shown, _)| *shown != panel);
    }
}

impl FormState {
    /// A panel's HTML when the page is rendered on the server; the page that wakes up has it.
    pub fn html(self, panel: Panel) -> String {
        self.view.with_untracked(|view| view.html(panel))
    }

    /// Puts the panels of an answer on the page.
    pub fn show_panels(self, view: &FormView) {
        let choices =
            self.view.with_untracked(|before| before.conflict == view.conflict).then(checked_choices);
        let is_announced = untrack(|| self.is_announced());
        // What a click announced stays until the server has answered that click.
        let is_shown = |rendered: &&RenderedPanel| !is_announced || rendered.panel != Panel::Attempt;
        let panels: Vec<_> = view.panels.iter().filter(is_shown).collect();
        for RenderedPanel { panel, html, .. } in &panels {
            if let (Some(html), Some(element)) = (html, document().get_element_by_id(&panel.id())) {
                element.set_inner_html(html);
                match panel {
                    // Chosen about the same version: that stays.
                    Panel::Conflict => choices.iter().for_each(|choices| set_choices(choices)),
                    Panel::GrantOptions => self.choose_again(MenuField::Grant),
                    Panel::RegionOptions => self.choose_again(MenuField::Region),
                    _ => {}
                }
            }
        }
        self.panels.set_value(ShownPanels::new(panels));
    }

    /// The choices of a menu are other elements now.
    fn choose_again(self, field: MenuField) {
        self.inputs.menu(field).update(|_| {});
    }

    /// What the page itself says in a panel, until the server says more. Answers what stood there.
    pub fn show_in(self, panel: Panel, html: &str) -> String {
        self.panels.update_value(|panels| panels.forget(panel));
        let Some(element) = document().get_element_by_id(&panel.id()) else { return String::new() };
        let before = element.inner_html();
        element.set_inner_html(html);
        before
    }
}
