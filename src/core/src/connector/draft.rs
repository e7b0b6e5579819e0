//! What a post of the form makes of the draft. Pure: nothing here reads or writes the database.

use crate::connector::{record::ConnectorRecord, submission::Submission};
use ipack_domain::{
    button::Button,
    fields::Field,
    form::{FormContent, Parameter},
    merge::{changed, clear_stand_in, looks_same, merge, restored},
    parts::Part,
    post::{Base, Choices},
    time::Timestamp,
};
use ipack_storage::drafts::Draft;

/// A post with what is to be found out about it before anybody waits for it.
#[derive(Debug)]
pub(crate) struct Post {
    pub button: Button,
    pub choices: Choices,
    /// What the page started from.
    pub base: Base,
    /// As it can be kept.
    pub content: FormContent,
    /// The fields that were changed on the page.
    pub changed: Vec<Field>,
}

impl Post {
    pub fn new(submission: Submission) -> Self {
        let Submission { button, choices, base, content } = submission;
        let mut content = restored(&base.content, &content).without_secrets();
        if let Button::DeleteRow(table, index) = button {
            // The index counts the rows of this page, whatever another one did to the table since.
            let rows = content.rows_mut(table);
            if index < rows.len() {
                rows.remove(index);
            }
            clear_stand_in(rows);
        }
        let changed = changed(&base.content, &content);
        Self { button, choices, base, content, changed }
    }

    /// It asks for nothing but to keep what is there.
    pub fn changes_nothing(&self) -> bool {
        self.button == Button::Keep && self.changed.is_empty()
    }
}

/// Whether the page showed the draft that is kept, so that its choices were about that.
pub(crate) fn has_seen(draft: &Draft, base: &Base) -> bool {
    let mut fields = Part::details().flat_map(Part::fields);
    fields.all(|field| looks_same(&draft.content, &base.content, field))
}

/// The draft after a post: what was changed on the page since it got its base, on top of what is kept.
pub(crate) fn applied(record: &ConnectorRecord, post: &Post, now: Timestamp) -> Draft {
    let mut draft = match &record.draft {
        Some(draft) => {
            let mut draft = draft.clone();
            for field in &post.changed {
                if is_from_elsewhere(record, &draft, post, *field) {
                    draft.base.take(*field, &post.base.content);
                    draft.base_version = draft.base_version.min(post.base.version);
                }
            }
            draft.content = merge(&post.base.content, &draft.content, &post.content);
            draft
        }
        None => {
            let is_current = post.base.version == record.version();
            let (base, content) = if is_current {
                (record.start.clone(), merge(&post.base.content, &record.start, &post.content))
            } else {
                // Somebody else saved since the page was loaded, which is for its admin to look at.
                (post.base.content.clone(), post.content.clone())
            };
            Draft { base_version: post.base.version, base, content, attempted: false, updated_at: now }
        }
    };
    draft.updated_at = now;
    if let Button::AddRow(table) = post.button {
        let rows = draft.content.rows_mut(table);
        // The blank row that stands in for an empty table counts as the first.
        let blanks = if rows.is_empty() { 2 } else { 1 };
        rows.extend(std::iter::repeat_n(Parameter::default(), blanks));
    }
    draft
}

/// The page is older than the draft's start, and what it showed of this field is in neither: somebody else saved in
/// between, and another page of this admin knew, but this one did not.
fn is_from_elsewhere(record: &ConnectorRecord, draft: &Draft, post: &Post, field: Field) -> bool {
    post.base.version != draft.base_version
        && [&draft.content, &draft.base, &record.start]
            .into_iter()
            .all(|known| !looks_same(known, &post.base.content, field))
}

/// Each part from the side that was chosen; the draft then starts from what is saved now.
pub(crate) fn resolve(record: &ConnectorRecord, draft: &mut Draft, is_mine: impl Fn(Part) -> bool) {
    for part in Part::details().filter(|part| !is_mine(*part)) {
        draft.content.take_part(part, &record.start);
    }
    draft.base_version = record.version();
    draft.base = record.start.clone();
}
