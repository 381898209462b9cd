//! A site on an embedded database whose sessions are remembered.

use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use vestibule_core::{
    Clock, SystemClock, Timestamp, TokenDigest,
    domain::session::SessionLimits,
    id::UserId,
    ports::{
        hasher::PasswordHash,
        store::{Store, StoreError},
    },
    usecase::principal::{Authenticated, Principals},
};
use vestibule_storage::StoreOptions;

use crate::{Result, world};

/// A site whose sessions can be asked about.
pub struct Remembering {
    /// What recognises sessions.
    pub principals: Arc<Principals>,
    /// What stands in the cookies.
    pub tokens: Vec<String>,
    /// Who they belong to, in turn.
    pub users: Vec<UserId>,
    /// Under them.
    pub store: Store,
    directory: TempDir,
}

/// Opens an embedded database in a directory of its own, migrated and empty.
pub fn empty_store() -> Result<(Store, TempDir)> {
    let directory = tempfile::tempdir()?;
    let url = format!("sqlite:{}", directory.path().join("bench.db").display());
    vestibule_storage::migrate(&url, &mut |_| {})?;
    let store = vestibule_storage::open(&url, &StoreOptions { pool_size: 8 })?;
    Ok((Store::new(Arc::new(store)), directory))
}

/// A site with so many users, sessions and permissions beside [`world::PERMISSION`].
pub fn remembering(users: usize, sessions: usize, permissions: usize) -> Result<Remembering> {
    let (store, directory) = empty_store()?;
    let (users, tokens, principals) = futures_executor::block_on(async {
        let unusable = PasswordHash::unusable();
        let users = world::settle(&store, users, &unusable, permissions).await?;
        let seal = world::seal(&store).await?;
        let tokens = world::open_sessions(&store, &seal, &users, sessions).await?;
        let principals = Principals::new(&store, seal, SessionLimits::default());
        principals.sync(&SystemClock).await?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>((users, tokens, principals))
    })?;
    Ok(Remembering { principals, tokens, users, store, directory })
}

impl Remembering {
    /// Recognises the session with this number, with a look-up when it is not remembered.
    pub async fn recognise(&self, number: usize) -> Result<Option<Authenticated>, StoreError> {
        // What is remembered is believed for a second after this.
        self.principals.sync(&SystemClock).await?;
        let token = self.tokens.get(number).map_or("", String::as_str);
        self.principals.recognise(token.as_bytes(), &SystemClock).await
    }

    /// Looks all sessions up, so that they are remembered.
    pub async fn remember_all(&self) -> Result<(), StoreError> {
        for (number, token) in self.tokens.iter().enumerate() {
            if number % 1000 == 0 {
                self.principals.sync(&SystemClock).await?;
            }
            self.principals.recognise(token.as_bytes(), &SystemClock).await?;
        }
        Ok(())
    }

    /// The digests that sessions are remembered under.
    pub fn digests(&self) -> Vec<TokenDigest> {
        let digest = |token: &String| TokenDigest::of(token.as_bytes());
        self.tokens.iter().map(digest).collect()
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    /// The database's file.
    pub fn database(&self) -> PathBuf {
        self.directory.path().join("bench.db")
    }
}
