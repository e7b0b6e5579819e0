//! What a post of the form makes of the draft. Pure: nothing here reads or writes the database.

use super::{
    connector::{Intent, Situation, Submission},
    connector_view::fingerprint,
};
use crate::{
    domain::{
        form::{FormContent, Parameter, Part},
        time::Timestamp,
    },
    storage::drafts::Draft,
};

/// The content of a post as it can be kept.
pub(super) fn submitted(submission: &Submission) -> FormContent {
    let mut content = submission.content.clone();
    // No browser sends a NUL, and PostgreSQL's text cannot hold one.
    for text in [&mut content.base_url, &mut content.company_id, &mut content.client_id] {
        text.retain(|c| c != '\0');
    }
    for rows in [&mut content.authorization, &mut content.access_token] {
        for row in rows.iter_mut() {
            row.key.retain(|c| c != '\0');
            row.value.retain(|c| c != '\0');
        }
        clear_stand_in(rows);
    }
    content
}

/// An empty table is shown with one blank row.
fn clear_stand_in(rows: &mut Vec<Parameter>) {
    if rows.len() == 1 && rows[0].is_blank() {
        rows.clear();
    }
}

/// The parts that are not what the page had got.
pub(super) fn changed(submitted: &FormContent, submission: &Submission) -> Vec<Part> {
    let differs = |part: &Part| fingerprint(submitted, *part) != submission.seen.part(*part);
    Part::ALL.into_iter().filter(differs).collect()
}

/// Whether the page showed the draft that is kept, so that its choices were about that.
pub(super) fn has_seen_draft(situation: &Situation, submission: &Submission) -> bool {
    situation.draft.as_ref().is_some_and(|draft| {
        Part::DETAILS.into_iter().all(|part| fingerprint(&draft.content, part) == submission.seen.part(part))
    })
}

/// The draft after a post: what the page changed since it last saw each part, on top of what is kept.
pub(super) fn applied(
    situation: &Situation,
    submission: &Submission,
    submitted: &FormContent,
    changed: &[Part],
    now: Timestamp,
) -> Draft {
    let mut draft = match &situation.draft {
        Some(draft) => {
            let mut draft = draft.clone();
            for part in changed {
                if is_from_elsewhere(situation, &draft, submission, *part) {
                    draft.base.take(*part, &unlike(&situation.start));
                    draft.base_version = draft.base_version.min(submission.base_version);
                }
                draft.content.take(*part, submitted);
            }
            draft
        }
        None if submission.base_version == situation.version() => {
            let mut content = situation.start.clone();
            for part in changed {
                content.take(*part, submitted);
            }
            Draft {
                base_version: submission.base_version,
                base: situation.start.clone(),
                content,
                attempted: false,
                updated_at: now,
            }
        }
        None => stale(situation, submission, submitted, changed, now),
    };
    draft.updated_at = now;
    match submission.intent {
        Intent::AddRow(part) => {
            let rows = rows_mut(&mut draft.content, part);
            // The blank row that stands in for an empty table counts as the first.
            let blanks = if rows.is_empty() { 2 } else { 1 };
            rows.extend(std::iter::repeat_n(Parameter::default(), blanks));
        }
        Intent::DeleteRow(part, index) => {
            // The index counts the rows of this page, whatever another tab did to the table since.
            draft.content.take(part, submitted);
            let rows = rows_mut(&mut draft.content, part);
            if index < rows.len() {
                rows.remove(index);
            }
            clear_stand_in(rows);
        }
        _ => {}
    }
    draft
}

/// The page is older than the draft's start, and what it showed of this part is in neither: somebody else saved in
/// between, and another page of this admin knew, but this one did not.
fn is_from_elsewhere(situation: &Situation, draft: &Draft, submission: &Submission, part: Part) -> bool {
    submission.base_version != draft.base_version
        && [&draft.content, &draft.base, &situation.start]
            .into_iter()
            .all(|known| fingerprint(known, part) != submission.seen.part(part))
}

/// The first post of a page that was loaded before somebody else saved. What it showed is known by fingerprint only:
/// a part that nobody else changed has its base in what is saved, and one that the page left alone is itself the base.
fn stale(
    situation: &Situation,
    submission: &Submission,
    submitted: &FormContent,
    changed: &[Part],
    now: Timestamp,
) -> Draft {
    let (mut base, mut content) = (submitted.clone(), submitted.clone());
    for part in Part::ALL {
        if fingerprint(&situation.start, part) == submission.seen.part(part) {
            base.take(part, &situation.start);
            if !changed.contains(&part) {
                content.take(part, &situation.start);
            }
        } else if changed.contains(&part) {
            base.take(part, &unlike(&situation.start));
        }
    }
    Draft { base_version: submission.base_version, base, content, attempted: false, updated_at: now }
}

/// A base for parts whose own is unknown: surely not what is saved, and nothing that is ever typed.
fn unlike(content: &FormContent) -> FormContent {
    let text = |text: &str| format!("{text}\n");
    let rows = |rows: &[Parameter]| rows.iter().cloned().chain([Parameter::default()]).collect();
    FormContent {
        base_url: text(&content.base_url),
        company_id: text(&content.company_id),
        client_id: text(&content.client_id),
        authorization: rows(&content.authorization),
        access_token: rows(&content.access_token),
        every_environment: content.every_environment,
    }
}

/// Each part from the side that was chosen; the draft then starts from what is saved now.
pub(super) fn resolve(situation: &Situation, draft: &mut Draft, is_mine: impl Fn(&Part) -> bool) {
    for part in Part::DETAILS {
        if !is_mine(&part) {
            draft.content.take(part, &situation.start);
        }
    }
    draft.base_version = situation.version();
    draft.base = situation.start.clone();
}

fn rows_mut(content: &mut FormContent, part: Part) -> &mut Vec<Parameter> {
    match part {
        Part::AccessToken => &mut content.access_token,
        _ => &mut content.authorization,
    }
}
