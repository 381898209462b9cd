//! A site on an embedded database whose sessions are remembered.

use std::{fs, path::Path, sync::Arc};

use futures_executor::block_on;
use vestibule_core::{
    Clock, SystemClock, Timestamp, TokenDigest,
    domain::session::SessionLimits,
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
    /// Under them.
    pub store: Store,
}

/// Makes an embedded database in the directory, migrated and empty.
pub fn empty_store(directory: &Path) -> Result<Store> {
    migrated(&url(directory))
}

/// Brings a database up to date and opens it.
pub fn migrated(url: &str) -> Result<Store> {
    vestibule_storage::migrate(url, &mut |_| {})?;
    open_store(url)
}

/// Opens a database that is up to date.
pub fn open_store(url: &str) -> Result<Store> {
    let options = StoreOptions { pool_size: 8 };
    Ok(Store::new(Arc::new(vestibule_storage::open(url, &options)?)))
}

/// The address of the embedded database in a directory.
pub fn url(directory: &Path) -> String {
    format!("sqlite:{}", directory.join("bench.db").display())
}

/// Makes a site in the directory with so many users, sessions and permissions beside
/// [`world::PERMISSION`].
pub fn fill(directory: &Path, users: usize, sessions: usize, permissions: usize) -> Result<()> {
    let store = empty_store(directory)?;
    let tokens = block_on(async {
        let unusable = PasswordHash::unusable();
        let users = world::settle(&store, users, &unusable, permissions).await?;
        let seal = world::seal(&store).await?;
        world::open_sessions(&store, &seal, &users, sessions).await
    })?;
    Ok(fs::write(directory.join("tokens"), tokens.join("\n"))?)
}

impl Remembering {
    /// Opens the site that was made in the directory; nothing is remembered yet.
    pub fn open(directory: &Path) -> Result<Self> {
        let tokens = fs::read_to_string(directory.join("tokens"))?;
        let store = open_store(&url(directory))?;
        let seal = block_on(world::seal(&store))?;
        let principals = Principals::new(&store, seal, SessionLimits::default());
        block_on(principals.sync(&SystemClock))?;
        Ok(Self { principals, tokens: tokens.lines().map(ToOwned::to_owned).collect(), store })
    }

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
}
