//! Refreshing and revoking a connection's token because a client says so.

use crate::{
    access::{self, Client},
    connector::status::ConnectionStatus,
    error::{Result, ServiceError},
    secrets::credentials::Who,
    services::Services,
    tokens::access_token::no_token,
};
use ipack_domain::{ids::ConnectionKey, rights::Right};
use ipack_storage::{Writer, tokens};

impl Services {
    /// Refreshes the token at once, or waits for whoever is at it already.
    ///
    /// # Errors
    /// `Conflict` where there is no token, or none that could be refreshed, with the reason.
    pub async fn refresh_for_client(
        &self,
        client: &Client,
        header: Option<&str>,
        key: &ConnectionKey,
    ) -> Result<ConnectionStatus> {
        self.managed_account(client, header, key).await?;
        let mut reader = self.database.reader().await?;
        let token = tokens::find(reader.connection(), key).await?.ok_or_else(no_token)?;
        drop(reader);
        let cannot = |why: Option<String>| {
            let why = why.unwrap_or_else(|| "it cannot be refreshed.".to_owned());
            ServiceError::Conflict(format!("The access token was not refreshed: {why}"))
        };
        if !token.is_refreshable() {
            return Err(cannot(token.failure));
        }
        let before = (token.id, token.version);
        let token = self.refresh_or_wait(token).await?.ok_or_else(no_token)?;
        if (token.id, token.version) == before {
            return Err(cannot(token.failure));
        }
        self.status_of(key).await?.ok_or_else(no_token)
    }

    /// Forgets the token, and revokes it at its provider; the client secret stays.
    ///
    /// # Errors
    /// `Conflict` where there is no token.
    pub async fn revoke_for_client(
        &self,
        client: &Client,
        header: Option<&str>,
        key: &ConnectionKey,
    ) -> Result<ConnectionStatus> {
        let account = self.managed_account(client, header, key).await?;
        if !self.has_token(key).await? {
            return Err(no_token());
        }
        let label = client.label();
        let who = Who { account: &account, label: &label };
        self.write_to(key, async |mut db: Writer| self.forget_token(db.lend(), who, key).await).await?;
        self.revoke_soon();
        self.status_of(key).await?.ok_or_else(no_token)
    }

    /// The account of a connection whose token the client may manage.
    async fn managed_account(
        &self,
        client: &Client,
        header: Option<&str>,
        key: &ConnectionKey,
    ) -> Result<String> {
        client.must_have(Right::TokensManage)?;
        let mut reader = self.database.reader().await?;
        let space = access::client_key(reader.connection(), client, header, key).await?;
        client.must_still_have(reader.connection(), Right::TokensManage, self.clock.now()).await?;
        Ok(space.account_id)
    }
}
