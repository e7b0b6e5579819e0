//! The connector form. The form on the page *is* a draft row: every change goes there, and Save promotes it.
//!
//! So a refresh, a killed browser, an expired session, a second tab and a second admin are one mechanism: a post says
//! what its page started from, only what was changed there is merged into the draft, and the draft remembers the version
//! it started from.

use crate::{
    access::{self, Admin},
    connector::{
        content::{content_elsewhere, read, start, versions},
        details::remember,
        draft::{Post, applied, has_seen, resolve},
        record::{ConnectorRecord, load_record},
        submission::{Submission, Submitted},
    },
    error::{Result, ServiceError},
    services::Services,
};
use ipack_domain::{
    button::{Button, DraftEffect},
    details::Details,
    effects::new_id,
    form::FormContent,
    ids::ConnectionKey,
    parts::Part,
    post::Outcome,
    time::Timestamp,
    validation::validate,
};
use ipack_storage::{
    Connection, StorageError, Writer,
    accounts::Space,
    audit_log::{self, Event, Kind},
    details::{self, NewDetails, StoredDetails},
    drafts, instances, tokens,
};
use std::collections::BTreeMap;

impl Services {
    /// Applies a post of the form and answers the form as it then stands.
    ///
    /// # Errors
    /// `NotFound` for what is not there or not theirs. Nothing that was typed is an error: it is kept, and what is wrong
    /// with it stands beside it on the page.
    pub async fn submit(
        &self,
        admin: &Admin,
        key: &ConnectionKey,
        submission: Submission,
    ) -> Result<Submitted> {
        let post = Post::new(submission);
        if post.button.effect() == DraftEffect::Discard {
            return self.discard(admin, key, &post).await;
        }
        if post.changes_nothing() {
            let record = self.connector(admin, key).await?;
            if record.draft.is_none() {
                return Ok(Submitted::new(record, Outcome::Loaded));
            }
        }
        // Two saves that met: the one that the database undid, or that came second, begins again. What is still not
        // there after that was uninstalled meanwhile.
        let space = self.space_of(admin, key).await?;
        let once = |db| self.submit_once(db, admin, &space, key, &post);
        self.write_to(key, once).await.map_err(ServiceError::or_not_found)
    }

    /// Throws the draft away, but not what another page typed since: that is not this one's. What is saved is read
    /// after that, so that nobody waits for it.
    async fn discard(&self, admin: &Admin, key: &ConnectionKey, post: &Post) -> Result<Submitted> {
        self.space_of(admin, key).await?;
        let discard = async |mut db: Writer| {
            instances::lock_connection(db.lend(), key).await?;
            let draft = drafts::find(db.lend(), key, admin.id).await?;
            let is_known = draft.is_none_or(|draft| has_seen(&draft, &post.base));
            if is_known {
                drafts::remove(db.lend(), key, admin.id).await?;
            }
            Ok::<_, ServiceError>(is_known)
        };
        let is_discarded = self.write_to(key, discard).await.map_err(ServiceError::or_not_found)?;
        let record = self.connector(admin, key).await?;
        Ok(Submitted::new(record, if is_discarded { Outcome::Discarded } else { Outcome::Kept }))
    }

    /// The Space of a key, read before anything is locked: a Space stays where it is.
    async fn space_of(&self, admin: &Admin, key: &ConnectionKey) -> Result<Space> {
        let mut reader = self.database.reader().await?;
        access::admin_key(reader.connection(), admin, key).await
    }

    /// What has to be seen under the lock, and nothing else: other posts wait for the end of it.
    async fn submit_once(
        &self,
        mut db: Writer,
        admin: &Admin,
        space: &Space,
        key: &ConnectionKey,
        post: &Post,
    ) -> Result<Submitted> {
        let now = self.clock.now();
        // One post of a form after the other: each builds on the draft that the last one left.
        instances::lock_connection(db.lend(), key).await?;
        let mut record = load_record(db.lend(), admin, space.clone(), key).await?;
        if post.changes_nothing() && record.draft.is_none() {
            return Ok(Submitted::new(record, Outcome::Loaded));
        }
        let mut draft = applied(&record, post, now);
        if post.button == Button::Resolve
            && post.choices.version() == Some(record.version())
            && record.draft.as_ref().is_some_and(|draft| has_seen(draft, &post.base))
        {
            // What was typed beside the choices is mine too.
            let is_typed = |part: Part| post.changed.iter().any(|field| field.part() == part);
            resolve(&record, &mut draft, |part| post.choices.is_mine(part) || is_typed(part));
        }
        let saves = post.button.effect() == DraftEffect::Save;
        draft.attempted = saves || record.draft.as_ref().is_some_and(|before| before.attempted);
        record.draft = Some(draft);
        let outcome = match saves {
            true => promote(db.lend(), &admin.email, &mut record, &post.base.others, now).await?,
            false => Outcome::Kept,
        };
        put_draft(db.lend(), admin, &mut record, outcome).await?;
        Ok(Submitted::new(record, outcome))
    }
}

/// Leaves a draft row only where there is something to keep.
async fn put_draft(
    mut db: Connection<'_>,
    admin: &Admin,
    record: &mut ConnectorRecord,
    outcome: Outcome,
) -> Result<()> {
    let is_as_saved = || record.draft.as_ref().is_none_or(|draft| draft.content == record.start);
    // A refused draft stays even so: it says what is wrong with what the API saved.
    let nothing_to_keep = outcome == Outcome::Saved || (outcome != Outcome::Refused && is_as_saved());
    match &record.draft {
        Some(draft) if !nothing_to_keep => {
            drafts::keep(db.lend(), &record.key, admin.id, draft).await?;
        }
        _ => {
            drafts::remove(db.lend(), &record.key, admin.id).await?;
            record.draft = None;
        }
    }
    Ok(())
}

/// Saves the draft if it is valid and nobody else saved since.
pub(crate) async fn promote(
    mut db: Connection<'_>,
    actor: &str,
    record: &mut ConnectorRecord,
    others_shown: &BTreeMap<String, i64>,
    now: Timestamp,
) -> Result<Outcome> {
    // Who saves may have put right what a refresh failed by.
    tokens::retry(db.lend(), &record.key, now).await?;
    let Some(draft) = &record.draft else { return Ok(Outcome::Saved) };
    if !validate(&draft.content).is_empty() {
        return Ok(Outcome::Refused);
    }
    if record.is_conflicting() {
        return Ok(Outcome::Conflicting);
    }
    let content = record.to_save(draft);
    let mut others = Vec::new();
    if content.every_environment {
        let all = details::other_environments(db.lend(), &record.key).await?;
        let is_changed = versions(&all) != *others_shown;
        let key = |environment| ConnectionKey { environment, ..record.key.clone() };
        others = all.into_iter().map(|other| (key(other.environment_id), other.version)).collect();
        // One after the other: each value may be long.
        for (key, _) in others.iter().filter(|_| is_changed) {
            let saved = content_elsewhere(db.lend(), &record.place, key).await?;
            if saved.is_some_and(|saved| !saved.differing(&content).is_empty()) {
                return Ok(Outcome::ChangedElsewhere);
            }
        }
    }
    let account = &record.space.account_id;
    let old = if record.stored.is_some() { record.start.clone() } else { FormContent::default() };
    let is_saved_already = record.stored.is_some() && content == record.start;
    if !is_saved_already {
        // Saved by the API between our read and our write, which only PostgreSQL allows: begun again, it is a conflict.
        let stored = write(db.lend(), actor, &record.key, record.stored.as_ref(), &content, now)
            .await?
            .ok_or(StorageError::Exists)?;
        log_save(db.lend(), actor, account, &record.key, &record.start, &content, now).await?;
        record.stored = Some(stored);
    }
    for (key, version) in others {
        let stored = details::find(db.lend(), &key).await?;
        // Saved by the API since it was listed: begun again, it is for the admin to look at.
        if stored.as_ref().map(|stored| stored.version) != version {
            return Err(StorageError::Exists.into());
        }
        let before = start(&record.place, stored.as_ref())?;
        if stored.is_some() && before.differing(&content).is_empty() {
            continue;
        }
        write(db.lend(), actor, &key, stored.as_ref(), &content, now).await?.ok_or(StorageError::Exists)?;
        log_save(db.lend(), actor, account, &key, &before, &content, now).await?;
        tokens::retry(db.lend(), &key, now).await?;
    }
    if content.every_environment != record.place.every_environment {
        instances::set_every_environment(db.lend(), &record.key, content.every_environment).await?;
        record.place.every_environment = content.every_environment;
    }
    remember(db.lend(), account, &content, &old, now).await?;
    record.start = content;
    Ok(Outcome::Saved)
}

/// The audit log's entry for a save.
async fn log_save(
    mut db: Connection<'_>,
    actor: &str,
    account: &str,
    key: &ConnectionKey,
    before: &FormContent,
    content: &FormContent,
    now: Timestamp,
) -> Result<()> {
    let is_changed = |part: &Part| !content.has_same_part(before, *part);
    let changed: Vec<_> = Part::all().filter(is_changed).map(Part::label).collect();
    let event = Event { account, key, kind: Kind::DetailsSaved, actor, changed: &changed, detail: None };
    audit_log::add(db.lend(), new_id(now), event, now).await?;
    // S03: switching PKCE off, or on again, is told for itself.
    if content.provider.without_pkce != before.provider.without_pkce {
        let detail = if content.provider.without_pkce { "off" } else { "on" };
        let event = Event { kind: Kind::PkceSwitched, changed: &[], detail: Some(detail), ..event };
        audit_log::add(db.lend(), new_id(now), event, now).await?;
    }
    Ok(())
}

fn has_same_details(one: &FormContent, other: &FormContent) -> bool {
    Part::all().filter(|part| part.content().key().is_some()).all(|part| one.has_same_part(other, part))
}

/// Writes the form's parts into the details of one key; `None` where they changed since `before` was read.
async fn write(
    mut db: Connection<'_>,
    actor: &str,
    key: &ConnectionKey,
    before: Option<&StoredDetails>,
    content: &FormContent,
    now: Timestamp,
) -> Result<Option<StoredDetails>> {
    let details = before.map(|stored| read(&stored.oauth_connector_details)).transpose()?;
    let details = details.unwrap_or_else(Details::empty);
    let text = match before {
        // Untouched parts keep their bytes, and so do details of which no part was touched.
        Some(stored) if has_same_details(&details.content(), content) => {
            stored.oauth_connector_details.clone()
        }
        _ => details.with(content),
    };
    // The API keeps a client id of its own. While the two agreed, they go on agreeing.
    let client_id = match before {
        Some(stored) if stored.client_id != details.content().client_id => &stored.client_id,
        // The content can hold a NUL that came through the API; PostgreSQL's text cannot.
        _ => &content.client_id.replace('\0', ""),
    };
    let new = NewDetails {
        is_token_generated: before.is_some_and(|stored| stored.is_token_generated),
        oauth_connector_details: &text,
        client_id,
        complete: content.missing().is_empty(),
        saved_by: actor,
        provider: Some(&content.provider),
    };
    Ok(match before {
        Some(stored) => details::replace_version(db.lend(), key, stored.version, new, now).await?,
        None => details::insert_first(db.lend(), new_id(now), key, new, now).await?,
    })
}
