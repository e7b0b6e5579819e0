//! Where what is typed has got to, in the words of the form's foot.

/// Where what is typed has got to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaveStatus {
    /// Nothing was ever saved or typed.
    Nothing,
    Pending,
    Kept,
    Saved,
    Discarded,
    Saving,
    /// Kept, but not saved: there are problems.
    Refused,
    /// Kept, but not saved: somebody else saved, here or in another environment.
    Conflicting,
    ChangedElsewhere,
    /// The server could not take it; it is tried again.
    Failed(String),
    SessionEnded,
}

impl SaveStatus {
    /// Where a secret is not sealed, nothing is said to be saved or kept without saying so.
    pub fn text(&self, lacks_secret: bool) -> String {
        const UNSEALED: &str = "The secret is not encrypted yet";
        let kept = if lacks_secret {
            "All changes kept but the secret, which is not encrypted yet"
        } else {
            "All changes kept"
        };
        match self {
            Self::Nothing | Self::Discarded if lacks_secret => UNSEALED.into(),
            Self::Saved if lacks_secret => format!("{UNSEALED}; all else is saved"),
            Self::Nothing => "Nothing saved yet".into(),
            Self::Pending | Self::SessionEnded => "Not saved yet".into(),
            Self::Kept => kept.into(),
            Self::Saving => "Saving…".into(),
            Self::Saved => "Saved".into(),
            Self::Discarded => "Changes discarded".into(),
            Self::Refused => format!("Not saved: see what to put right. {kept}"),
            Self::Conflicting => format!("Not saved: choose what to keep, above. {kept}"),
            Self::ChangedElsewhere => format!("Not saved: another environment has changed. {kept}"),
            Self::Failed(why) => format!("Not saved yet. {why} Trying again…"),
        }
    }

    /// For the style sheet.
    pub fn name(&self, lacks_secret: bool) -> Option<&'static str> {
        match self {
            Self::Nothing | Self::Kept | Self::Saved | Self::Discarded if lacks_secret => Some("pending"),
            Self::Nothing => None,
            Self::Pending | Self::Saving | Self::SessionEnded | Self::Failed(_) => Some("pending"),
            Self::Refused | Self::Conflicting | Self::ChangedElsewhere => Some("refused"),
            Self::Kept => Some("kept"),
            Self::Saved | Self::Discarded => Some("saved"),
        }
    }

    /// What stands in the form is with the server, as far as it ever will be.
    pub fn is_at_rest(&self) -> bool {
        !matches!(self, Self::Pending | Self::Saving | Self::Failed(_) | Self::SessionEnded)
    }
}
