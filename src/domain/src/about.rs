//! What is known of a field of the form beside its value: [`About`].

use crate::{
    form::FormContent,
    parts::{Part, PartContent},
};

/// Where on the page a field stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Details,
    Provider,
    /// Right as it is for most, so it stands folded away.
    Advanced,
    /// For a few providers only, folded away by itself.
    Special,
    Scope,
}

/// When a field is asked for. The style sheet shows and hides it by the class, so that it works without scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Always,
    /// Where the endpoints are discovered, or entered one by one.
    IfDiscovered,
    IfEndpoints,
    /// By what the grant and the client's authentication make of it.
    IfActing,
    IfSigning,
    IfCode,
}

impl Asked {
    pub fn class(self) -> &'static str {
        match self {
            Self::Always => "",
            Self::IfDiscovered => " if-discovered",
            Self::IfEndpoints => " if-endpoints",
            Self::IfActing => " if-acting",
            Self::IfSigning => " if-signing",
            Self::IfCode => " if-code",
        }
    }

    /// As far as the form itself decides it; what a provider's own grant is, it does not say.
    pub fn is_asked(self, content: &FormContent) -> bool {
        match self {
            Self::IfDiscovered => content.provider.is_discovered(),
            Self::IfEndpoints => content.provider.has_endpoints(),
            Self::Always | Self::IfActing | Self::IfSigning | Self::IfCode => true,
        }
    }
}

/// What may stand in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    Anything,
    Url,
    /// A URL that has to be there where it is asked for.
    NeededUrl,
    /// Whole seconds, or "never".
    Lifetime,
    /// A URL without query and fragment (RFC 8414, section 2).
    Issuer,
    JsonObject,
}

/// What is known of a field beside its value.
#[derive(Debug, Clone, Copy)]
pub struct About {
    pub part: Part,
    pub section: Section,
    /// Its name in what is posted, within its part.
    pub name: &'static str,
    pub label: &'static str,
    pub hint: &'static str,
    pub asked: Asked,
    /// It takes a line of its own.
    pub wide: bool,
    pub check: Check,
}

impl About {
    pub(crate) fn detail(part: Part, label: &'static str, hint: &'static str) -> Self {
        let (section, name) = (Section::Details, part.name());
        Self { part, section, name, label, hint, asked: Asked::Always, wide: false, check: Check::Anything }
    }

    pub(crate) fn provider(name: &'static str, label: &'static str, hint: &'static str) -> Self {
        Self { section: Section::Provider, name, ..Self::detail(Part::Provider, label, hint) }
    }

    pub(crate) fn advanced(name: &'static str, label: &'static str, hint: &'static str) -> Self {
        Self { section: Section::Advanced, ..Self::provider(name, label, hint) }
    }

    pub(crate) fn special(name: &'static str, label: &'static str, hint: &'static str) -> Self {
        Self { section: Section::Special, ..Self::provider(name, label, hint) }
    }

    pub(crate) fn asked(self, asked: Asked) -> Self {
        Self { asked, ..self }
    }

    pub(crate) fn wide(self) -> Self {
        Self { wide: true, ..self }
    }

    pub(crate) fn checked(self, check: Check) -> Self {
        Self { check, ..self }
    }

    /// For the style sheet.
    pub fn class(&self) -> String {
        format!("field{}{}", if self.wide { " wide" } else { "" }, self.asked.class())
    }

    /// The id of its input.
    pub fn id(&self) -> String {
        match self.part.content() {
            PartContent::Provider => format!("provider-{}", self.name),
            PartContent::Text(..) | PartContent::Table(..) | PartContent::Scope => self.name.to_owned(),
        }
    }

    /// Its input's name, as it is posted.
    pub fn posted_name(&self) -> String {
        match self.part.content() {
            PartContent::Provider => format!("content[provider][{}]", self.name),
            PartContent::Text(..) | PartContent::Table(..) | PartContent::Scope => {
                format!("content[{}]", self.name)
            }
        }
    }
}
