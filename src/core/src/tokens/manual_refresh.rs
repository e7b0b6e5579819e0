//! A refresh that an admin asks for on the form: at once, also while a failed one waits for its next try.

use crate::{
    access::Admin,
    connector::submission::{Submission, Submitted},
    error::{Result, ServiceError},
    services::Services,
};
use ipack_domain::ids::ConnectionKey;
use ipack_storage::tokens::{self, Token};

impl Services {
    /// Keeps what was typed, and refreshes the connection's token; how that went is told by the token. One that cannot be
    /// refreshed stays as it is.
    ///
    /// # Errors
    /// `NotFound` for what is not there or not theirs.
    pub async fn refresh_from_form(
        &self,
        admin: &Admin,
        key: &ConnectionKey,
        submission: Submission,
    ) -> Result<Submitted> {
        let kept = self.submit(admin, key, submission).await?;
        let mut reader = self.database.reader().await?;
        let token = tokens::find(reader.connection(), key).await?;
        drop(reader);
        if let Some(token) = token.filter(Token::is_refreshable) {
            match self.refresh_or_wait(token).await {
                // Somebody is at it, and the page shows what comes of it when it is loaded again.
                Ok(_) | Err(ServiceError::Refreshing) => {}
                Err(other) => return Err(other.or_not_found()),
            }
        }
        Ok(kept)
    }
}
