//! Forms that were posted after the session had ended, where they are too large for the sign-in page to carry: they wait in
//! the database for whoever signs in from that page. A browser that nobody has signed in with leaves nothing there.

use crate::{error::Result, services::Services};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ipack_domain::{effects::random_bytes, form::FormContent, ids::ConnectionKey, post::Base};
use ipack_storage::{Writer, carried_forms};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;
use uuid::Uuid;

/// How long a form waits.
const WAITS: Duration = Duration::from_secs(7 * 24 * 3_600);
/// Forms from the browsers of one admin that wait at the same time; the oldest gives way.
const MAX_WAITING: i64 = 8;

/// What of a post is carried through signing in. Never a secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CarriedForm {
    pub key: ConnectionKey,
    /// The button's, as it was posted.
    pub intent: String,
    pub base: Base,
    pub content: FormContent,
}

impl Services {
    /// Lets a form wait that was posted by a browser with which this admin signed in last; answers what the sign-in page
    /// knows it by.
    ///
    /// # Errors
    /// Where it cannot be written, or where the admin is not there any more.
    pub async fn keep_carried_form(&self, admin: Uuid, form: CarriedForm) -> Result<String> {
        let mut form = form;
        form.content = form.content.without_secrets();
        form.base.content = form.base.content.without_secrets();
        let json = serde_json::to_string(&form).expect("a form has only texts for keys");
        let handle = URL_SAFE_NO_PAD.encode(random_bytes::<32>());
        let (id, expires_at) = (digest(&handle), self.clock.now().plus(WAITS));
        let add = async |mut db: Writer| {
            carried_forms::add(db.lend(), &id, admin, &json, expires_at).await?;
            carried_forms::keep_last(db.lend(), admin, MAX_WAITING).await
        };
        self.database.write(add).await?;
        Ok(handle)
    }

    /// A form that waits.
    pub async fn carried_form(&self, handle: &str) -> Result<Option<CarriedForm>> {
        let mut reader = self.database.reader().await?;
        let found = carried_forms::find(reader.connection(), &digest(handle), self.clock.now()).await?;
        Ok(found.and_then(|json| serde_json::from_str(&json).ok()))
    }

    /// Forgets a form that has become somebody's draft.
    pub async fn forget_carried_form(&self, handle: &str) -> Result<()> {
        let id = digest(handle);
        Ok(self.database.write(async |mut db| carried_forms::remove(db.lend(), &id).await).await?)
    }
}

/// What is stored of a handle: a copy of the table opens no form.
fn digest(handle: &str) -> [u8; 32] {
    Sha256::digest(handle).into()
}
